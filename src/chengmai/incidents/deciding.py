"""What people decide about incidents: merge, split, raise, stand down, say something, and undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chengmai.incidents.folding import Chains
from chengmai.incidents.ledger import Ledger
from chengmai.incidents.model import DECISIONS, Incident, LogLine, Order, State, Step
from chengmai.incidents.ports import IncidentStore
from chengmai.incidents.problems import (
    IncidentChanged,
    IncidentNotFound,
    IncidentOver,
    KeyReused,
    MergeNotPossible,
    NothingToUndo,
    OrderUnknown,
    ReasonUnknown,
    WordsInvalid,
)
from chengmai.incidents.rules import (
    ended,
    merged,
    opened_again,
    parted,
    raised,
    settled,
    undoable,
)
from chengmai.incidents.words import REASONS
from chengmai.kernel.actors import Actor
from chengmai.kernel.work import Tx

MOST_NOTE = 1000
_ASKED = (*DECISIONS, Step.COMMENT, Step.UNDO)


class Deciding:
    """Carries out the orders of people on incidents, each inside one transaction."""

    def __init__(
        self,
        store: IncidentStore,
        ledger: Ledger,
        chains: Chains,
        next_number: Callable[[Tx, str], str],
    ) -> None:
        self._store, self._ledger, self._chains = store, ledger, chains
        self._next_number = next_number
        self._steps: dict[Step, Callable[[Tx, Incident, Actor, Order], Incident]] = {
            Step.MERGE: self._merge,
            Step.SPLIT: self._split,
            Step.RAISE: self._raise,
            Step.STAND_DOWN: self._stand_down,
            Step.COMMENT: self._comment,
            Step.UNDO: self._undo,
        }

    def check(self, order: Order) -> None:
        """Raise `OrderUnknown`, `ReasonUnknown` or `WordsInvalid` for what no state of things could allow."""
        if order.step not in _ASKED:
            raise OrderUnknown(order.step, (step.value for step in _ASKED))
        if order.step in DECISIONS and order.reason not in REASONS[order.step]:
            raise ReasonUnknown(order.reason, REASONS[order.step])
        if order.step is Step.COMMENT and not order.note.strip():
            raise WordsInvalid("a note without words", param="note", fix="write something")
        if len(order.note) > MOST_NOTE:
            raise WordsInvalid(
                f"the note has {len(order.note)} characters",
                param="note",
                fix=f"shorten it to {MOST_NOTE}",
            )
        # A lone surrogate or a NUL can be held by a Python string and by no database.
        if "\x00" in order.note or any("\ud800" <= c <= "\udfff" for c in order.note):
            raise WordsInvalid("the note is not text", param="note", fix="send valid UTF-8")

    def do(self, tx: Tx, incident_id: str, by: Actor, order: Order) -> Incident:
        """Return the incident after the order."""
        incident = self._find(tx, by.tenant, incident_id)
        if order.key:
            line = self._store.line_by_key(tx, by.tenant, by.id, order.key)
            if line is not None and (line.step, line.incident_id) != (order.step, incident_id):
                raise KeyReused(order.key)
            if line is not None:
                return incident
        if order.version is not None and order.version != incident.version:
            raise IncidentChanged(incident_id, order.version, incident.version)
        return self._steps[order.step](tx, incident, by, order)

    def _merge(self, tx: Tx, incident: Incident, by: Actor, order: Order) -> Incident:
        _must_be_open(incident)
        kept = self._find(tx, by.tenant, order.other)
        if kept.id == incident.id:
            raise MergeNotPossible(
                "an incident is not merged into itself", param="other", fix="name another one"
            )
        if kept.state is not State.OPEN or kept.nature != incident.nature:
            raise MergeNotPossible(
                f"{kept.number} is {kept.state.value} and about {kept.nature}s",
                param="other",
                fix=f"choose an open incident about {incident.nature}s",
            )
        came = [one.vital for one in incident.members if kept.member(one.vital) is None]
        joined, away = merged(kept, incident, tx.now, self._chains)
        after = self._ledger.write(
            tx,
            away,
            Step.MERGE,
            by,
            reason=order.reason,
            note=order.note,
            facts=_named(kept) | {"members": came},
            key=order.key,
        )
        self._ledger.write(tx, joined, Step.JOINED, by, reason=order.reason, facts=_named(incident))
        return after

    def _split(self, tx: Tx, incident: Incident, by: Actor, order: Order) -> Incident:
        _must_be_open(incident)
        number = self._next_number(tx, by.tenant)
        rest, new = parted(incident, order.members, number, self._chains)
        if not new.standing:
            new = ended(new, tx.now)
        if not rest.standing:
            rest = ended(rest, tx.now)
        facts = _named(new) | {"members": list(order.members)}
        after = self._ledger.write(
            tx,
            rest,
            Step.SPLIT,
            by,
            reason=order.reason,
            note=order.note,
            facts=facts,
            key=order.key,
        )
        self._ledger.write(tx, new, Step.OPEN, by, reason=order.reason, facts=_named(incident))
        return after

    def _raise(self, tx: Tx, incident: Incident, by: Actor, order: Order) -> Incident:
        _must_be_open(incident)
        after = raised(incident, order.level, self._chains)
        facts = {"level": order.level, "before": incident.raised}
        return self._ledger.write(
            tx,
            after,
            Step.RAISE,
            by,
            reason=order.reason,
            note=order.note,
            facts=facts,
            key=order.key,
        )

    def _stand_down(self, tx: Tx, incident: Incident, by: Actor, order: Order) -> Incident:
        _must_be_open(incident)
        after = ended(incident, tx.now).model_copy(update={"stood_down": True})
        return self._ledger.write(
            tx, after, Step.STAND_DOWN, by, reason=order.reason, note=order.note, key=order.key
        )

    def _comment(self, tx: Tx, incident: Incident, by: Actor, order: Order) -> Incident:
        return self._ledger.write(
            tx, incident, Step.COMMENT, by, note=order.note.strip(), key=order.key
        )

    def _undo(self, tx: Tx, incident: Incident, by: Actor, order: Order) -> Incident:
        line = undoable(self._store.log(tx, by.tenant, incident.id))
        if line is None:
            raise NothingToUndo(incident.id, "no decision of people is left that can be undone")
        undo = {
            Step.MERGE: self._unmerge,
            Step.SPLIT: self._unsplit,
            Step.RAISE: self._lower,
            Step.STAND_DOWN: self._stand_up,
        }[line.step]
        before = undo(tx, incident, by, line)
        facts = {"undone": line.step.value, "n": line.n}
        return self._ledger.write(
            tx, before, Step.UNDO, by, note=order.note, facts=facts, key=order.key
        )

    def _lower(self, tx: Tx, incident: Incident, by: Actor, line: LogLine) -> Incident:
        _must_be_open(incident)
        # The level is worked out anew from the members, so what stands keeps its own.
        plain = incident.model_copy(update={"raised": line.facts["before"]})
        if not plain.standing:
            return plain
        return settled(plain.model_copy(update={"level": "watch"}), self._chains)

    def _stand_up(self, tx: Tx, incident: Incident, by: Actor, line: LogLine) -> Incident:
        again = opened_again(incident)
        return again if again.standing else ended(again, tx.now)

    def _unmerge(self, tx: Tx, incident: Incident, by: Actor, line: LogLine) -> Incident:
        kept = self._find(tx, by.tenant, str(line.facts["other"]))
        came = set(line.facts["members"])
        back = tuple(one for one in kept.members if one.vital in came)
        left = tuple(one for one in kept.members if one.vital not in came)
        if kept.state is State.MERGED or not back or not left:
            raise NothingToUndo(
                incident.id, f"{kept.number} was merged or split since: undo that first"
            )
        rest = kept.model_copy(update={"members": left, "apart": _and(kept.apart, incident.id)})
        rest = settled(rest, self._chains)
        facts = {"undone": Step.MERGE.value, **_named(incident)}
        self._ledger.write(
            tx, rest if rest.standing else ended(rest, tx.now), Step.UNDO, by, facts=facts
        )
        again = opened_again(incident).model_copy(
            update={"members": back, "merged_into": None, "apart": _and(incident.apart, kept.id)}
        )
        again = settled(again, self._chains)
        return again if again.standing else ended(again, tx.now)

    def _unsplit(self, tx: Tx, incident: Incident, by: Actor, line: LogLine) -> Incident:
        other = self._find(tx, by.tenant, str(line.facts["other"]))
        if other.state is State.MERGED:
            raise NothingToUndo(incident.id, f"{other.number} was merged since: undo that first")
        joined, away = merged(incident, other, tx.now, self._chains)
        self._ledger.write(
            tx,
            away,
            Step.MERGE,
            by,
            facts=_named(incident) | {"members": list(line.facts["members"])},
        )
        together = joined.model_copy(
            update={"apart": tuple(one for one in joined.apart if one != other.id)}
        )
        if not together.standing:
            return together
        return settled(opened_again(together), self._chains)

    def _find(self, tx: Tx, tenant: str, incident_id: str) -> Incident:
        found = self._store.get(tx, tenant, incident_id)
        if found is None:
            raise IncidentNotFound(incident_id)
        return found


def _must_be_open(incident: Incident) -> None:
    if incident.state is not State.OPEN:
        raise IncidentOver(incident.id, incident.state.value)


def _named(incident: Incident) -> dict[str, Any]:
    return {"number": incident.number, "other": incident.id}


def _and(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, name)))
