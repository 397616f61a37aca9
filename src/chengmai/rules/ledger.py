"""Writes firings and commands: the record, its entity, and what follows from it, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from chengmai.kernel.actors import Actor, system
from chengmai.kernel.events import CaseMoved, Events, RuleFired
from chengmai.kernel.instants import format_us, from_us, to_us
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, instances, name_iri, value_of
from chengmai.ngsild.model import Model
from chengmai.rules import words
from chengmai.rules.book import Kept
from chengmai.rules.commands import called_off, due_at, new_command
from chengmai.rules.entities import command_entity, firing_entity
from chengmai.rules.judging import News, State
from chengmai.rules.model import Command, Ended, Firing, Line
from chengmai.rules.ports import RuleStore

MOST_LINES = 200


class Ledger:
    """The only way a firing or a command changes."""

    def __init__(
        self,
        store: RuleStore,
        model: Model,
        events: Events,
        on_command: Callable[[Command], None],
    ) -> None:
        self._store, self._model, self._events = store, model, events
        self._on_command = on_command

    def tell(self, tx: Tx, kept: Kept, entity: Entity, news: News, state: State) -> None:
        """Write down what became of a firing, and do what its rule says."""
        rule = kept.rule
        if news.turn == "fired":
            self._fire(tx, kept, entity, news, state)
            return
        firing = self._store.firing(tx, rule.tenant, news.firing)
        if firing is None:
            return
        if news.turn == "resumed":
            self._resume(tx, firing)
        else:
            last = state.seen[-1][1] if state.seen else {}
            ended: Ended = "recovered" if news.turn == "recovered" else "withdrawn"
            self.end(tx, firing, ended, from_us(news.at_us), last)

    def end(
        self, tx: Tx, firing: Firing, ended: Ended, at: datetime, values: dict[str, Any]
    ) -> None:
        """End a firing: its command is called off unless it is out, its case hears of a recovery."""
        said = words.over(tx.now, ended, at, values)
        over = _with(firing, said).model_copy(update={"ended_at": at, "ended": ended})
        self.write_firing(tx, over)
        if firing.command is not None:
            command = self._store.command(tx, firing.tenant, firing.command)
            off = called_off(command, tx.now) if command is not None else None
            if off is not None:
                self.write_command(tx, off)
        if ended in ("recovered", "withdrawn"):
            self._emit(tx, over, "recovered", said.text.zh, said.text.en, None)

    def write_firing(self, tx: Tx, firing: Firing) -> None:
        """Keep a firing and its entity."""
        self._store.put_firing(tx, firing)
        self._model.put(tx, firing_entity(firing), by=system("rules", firing.tenant))

    def write_command(self, tx: Tx, command: Command, by: Actor | None = None) -> None:
        """Keep a command and its entity, and add what was said of it last to the trace of its firing."""
        due = due_at(command)
        self._store.put_command(tx, command, None if due is None else to_us(due))
        actor = by or system("rules", command.tenant)
        note = f"command {command.state.value}"
        self._model.put(tx, command_entity(command), by=actor, note=note)
        firing = self._store.firing(tx, command.tenant, command.firing)
        if firing is not None and command.lines:
            self.write_firing(
                tx, _with(firing, command.lines[-1]).model_copy(update={"command": command.id})
            )
        tx.after_commit(lambda: self._on_command(command))

    def on_case_moved(self, tx: Tx, moved: CaseMoved) -> None:
        """Add a step of a case to the trace of the firing that it is about."""
        if moved.firing is None:
            return
        firing = self._store.firing(tx, moved.tenant, moved.firing)
        if firing is None:
            return
        said = words.case(tx.now, moved.case_id, moved.step, moved.state)
        self.write_firing(tx, _with(firing, said).model_copy(update={"case": moved.case_id}))

    def _resume(self, tx: Tx, firing: Firing) -> None:
        said = words.resumed(tx.now)
        self.write_firing(tx, _with(firing, said).model_copy(update=_OPEN_AGAIN))

    def _fire(self, tx: Tx, kept: Kept, entity: Entity, news: News, state: State) -> None:
        rule, spec = kept.rule, kept.rule.spec
        stands = self._store.rule(tx, rule.tenant, rule.id)
        if stands is None or not stands.is_on or stands.version != rule.version:
            # It was changed a moment ago, and the change comes before this reading.
            return
        known = self._store.firing(tx, rule.tenant, news.firing)
        if known is not None:
            # It was withdrawn, and another late reading shows that it was right.
            self._resume(tx, known)
            return
        last: dict[str, Any] = next(
            (one[1] for one in reversed(state.seen) if one[0] <= news.at_us), {}
        )
        name = words.name_of(entity, entity["id"])
        why = words.reason(spec, name, last)
        firing = Firing(
            tenant=rule.tenant,
            id=news.firing,
            rule=rule.id,
            rule_key=rule.key,
            rule_version=rule.version,
            title=spec.title,
            entity=entity["id"],
            entity_name=name,
            area=str(value_of(entity, spec.on.area_from) or ""),
            location=_place(entity),
            level=spec.level,
            fired_at=from_us(news.at_us),
            told_at=tx.now,
            reason=why,
            evidence=tuple(
                {"at": format_us(at), "values": values, "holds": holds}
                for at, values, holds in state.seen
            ),
            lines=(words.fired(tx.now, from_us(news.at_us), rule.version, why, late=news.is_over),),
        )
        self.write_firing(tx, firing)
        self._emit(tx, firing, "fired", why.zh, why.en, spec.opens, entity, kept)
        if spec.command is not None and not news.is_over:
            now_known = self._store.firing(tx, rule.tenant, firing.id) or firing
            self.write_command(tx, new_command(rule, now_known, spec.command, entity, tx.now))

    def _emit(
        self,
        tx: Tx,
        firing: Firing,
        kind: str,
        zh: str,
        en: str,
        category: str | None,
        entity: Entity | None = None,
        kept: Kept | None = None,
    ) -> None:
        self._events.emit(
            tx,
            RuleFired(
                tenant=firing.tenant,
                at=firing.fired_at if kind == "fired" else tx.now,
                kind=kind,
                rule=firing.rule,
                key=firing.rule_key,
                firing=firing.id,
                entity=firing.entity,
                area=firing.area,
                level=firing.level,
                title=firing.title,
                reason=firing.reason.model_copy(update={"zh": zh, "en": en}),
                category=category,
                location=firing.location,
                evidence=_evidence(firing, entity, kept) if entity and kept else (),
            ),
        )


_OPEN_AGAIN: dict[str, Any] = {"ended_at": None, "ended": None}


def _with(firing: Firing, said: Line) -> Firing:
    return firing.model_copy(update={"lines": (*firing.lines, said)[-MOST_LINES:]})


def _place(entity: Entity) -> dict[str, Any] | None:
    place = value_of(entity, "location")
    return place if isinstance(place, dict) else None


def _evidence(firing: Firing, entity: Entity, kept: Kept) -> tuple[dict[str, Any], ...]:
    """Return the readings of the first number among the attributes, as cases show them."""
    numbers = [
        (iri, name)
        for iri, name in kept.watch.shown.items()
        if type(value_of(entity, iri)) in (int, float)
    ]
    if not numbers:
        return ()
    iri, name = numbers[0]
    unit = next((one.get("unitCode", "") for one in instances(entity, name_iri(iri))), "")
    return tuple(
        {"at": one["at"], "value": one["values"].get(name), "unit": unit, "note": name}
        for one in firing.evidence
        if type(one["values"].get(name)) in (int, float)
    )
