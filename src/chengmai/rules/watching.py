"""Watching: every committed change is judged by the rules that are on, inside its transaction.

Nothing is polled: a change finds its rules by the types of its entity, time finds what is due by an index. What
is counted is written in the same transaction as the reading that counted, so a crash loses both or neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import parse_us, to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.linking import Lookup
from chengmai.ngsild.model import Committed, Model
from chengmai.ngsild.q import attributes_of, matches, parse_q
from chengmai.rules.book import OWN_TYPES, Kept, RuleBook
from chengmai.rules.commands import may_become, moved
from chengmai.rules.counting import Reading
from chengmai.rules.entities import firing_id
from chengmai.rules.judging import judged, state_json, state_of
from chengmai.rules.ledger import Ledger
from chengmai.rules.model import Command, CommandState, Firing, FiringFilter
from chengmai.rules.ports import RulePast, RuleStore

PER_COMMIT = 200
LOOK_EVERY_S = 0.5
_READ_AGAIN = 20
"""Every so many looks the store is asked, since another process may have written to it."""
_SECOND_US = 1_000_000
_log = structlog.get_logger(__name__)


@dataclass
class Tally:
    """How much was done since the start, for the metrics."""

    readings: int = 0
    firings: int = 0
    failures: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class Watcher:
    """Hears of changes; `run` hears the clock."""

    def __init__(
        self,
        work: Work[Tx],
        model: Model,
        store: RuleStore,
        past: RulePast,
        book: RuleBook,
        ledger: Ledger,
        core: Context,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._work, self._model, self._store, self._past = work, model, store, past
        self._book, self._ledger, self._core = book, ledger, core
        self._clock, self._sleep = clock, sleep
        self._next_us: int | None = None
        self._awaited: frozenset[tuple[str, str]] = frozenset()
        self.tally = Tally()

    def on_commit(self, tx: Tx, change: Committed) -> None:
        """Judge a change; called inside its transaction."""
        if (change.tenant, change.entity_id) in self._awaited and change.entity is not None:
            self._look_for_effects(tx, change)
        types = () if change.entity is None else change.entity["type"]
        kept = self._book.of(change.tenant, types)
        if change.entity is None:
            self._end_all(tx, change)
        elif kept:
            names = {name for name, _ in change.changes}
            for one in kept:
                if not names.isdisjoint(one.watch.names):
                    self._judge_change(tx, one, change.entity, change)
        if change.entity is not None and not change.is_late:
            for one in self._book.linked(change.tenant, (name for name, _ in change.changes)):
                self._judge_linked(tx, one, change.entity, change)

    async def load(self) -> None:
        """Read what is due and which effects are awaited."""

        def read(tx: Tx) -> tuple[int | None, set[tuple[str, str]]]:
            return self._store.next_due_us(tx), self._store.watched_entities(tx)

        self._next_us, awaited = await self._work.read(read)
        self._awaited = frozenset(awaited)

    async def settle(self) -> None:
        """Return when everything is told that time alone has brought about by now."""
        now_us = to_us(self._clock.now())
        while self._next_us is not None and self._next_us <= now_us:
            await self._work.write(lambda tx: self._settle(tx, now_us))

    async def run(self) -> None:
        """Tell what time brings about, for ever."""
        looks = 0
        while True:
            await self._sleep(LOOK_EVERY_S)
            looks += 1
            try:
                if looks % _READ_AGAIN == 0:
                    await self.load()
                await self.settle()
            except Problem as problem:
                _log.warning("rules.failed", why=problem.detail)

    def on_command(self, command: Command) -> None:
        """Await, or no longer await, the effect of a command; called after its commit."""
        if not command.effect_q:
            return
        key = (command.tenant, command.effect_entity)
        if command.is_live and command.state is not CommandState.WAITING:
            self._awaited |= {key}

    def end_rule(self, tx: Tx, tenant: str, rule_id: str, version: int) -> None:
        """End every firing of a rule that is no longer on, and forget what was counted."""
        active = self._store.firings(
            tx, tenant, FiringFilter(rule=rule_id, active=True, limit=10_000)
        )
        for firing in active:
            self._ledger.end(tx, firing, "changed", tx.now, {})
        self._store.drop_counts(tx, tenant, rule_id, version)

    def _judge_change(self, tx: Tx, kept: Kept, entity: Entity, change: Committed) -> None:
        try:
            if not kept.watch.covers(entity):
                return
            lookup = self._lookup(tx, change)
            read = list(_readings(kept, entity, change, to_us(tx.now), lookup))
        except Exception as error:  # one faulty rule must not keep readings out of the model
            self._failed(kept, error)
            return
        for reading, values in read:
            self.tally.readings += 1
            self._judge(tx, kept, entity, reading, values)

    def _judge_linked(self, tx: Tx, kept: Kept, linked: Entity, change: Committed) -> None:
        """Judge a rule for the entities that link to the one that changed."""
        watch, types = kept.watch, sorted(kept.watch.types.names)
        if not OWN_TYPES.isdisjoint(linked["type"]):
            return
        try:
            changed = [pair for pair in change.changes if pair[0] in watch.links.names]
            names = {name for name, _ in changed}
            holders = watch.links.holders(
                tx, self._past, change.tenant, types, change.entity_id, names
            )
            lookup, at = self._lookup(tx, change), _at(changed, to_us(tx.now))
            read = [
                (one, watch.read(one, at, lookup), watch.values(one, lookup))
                for one in holders.values()
                if watch.covers(one)
            ]
        except Exception as error:  # as above
            self._failed(kept, error)
            return
        for entity, reading, values in read:
            self.tally.readings += 1
            self._judge(tx, kept, entity, reading, values)

    def _lookup(self, tx: Tx, change: Committed) -> Lookup:
        """Return what finds linked entities as they stand after `change`."""

        def find(entity_id: str) -> Entity | None:
            if entity_id == change.entity_id:
                return change.entity
            return self._model.get(tx, change.tenant, entity_id)

        return find

    def _judge(
        self,
        tx: Tx,
        kept: Kept,
        entity: Entity,
        reading: Reading | None,
        values: dict[str, object],
    ) -> None:
        rule, entity_id = kept.rule, str(entity["id"])
        place = (rule.tenant, rule.id, rule.version, entity_id)
        before = state_of(self._store.counted(tx, *place))
        result = judged(
            before,
            kept.watch.timing,
            reading,
            to_us(tx.now),
            values,
            lambda us: firing_id(rule, entity_id, us),
        )
        self._store.count(tx, *place, state_json(result.state), result.due_us)
        if (due := result.due_us) is not None:
            tx.after_commit(lambda: self._note_due(due))
        for news in result.news:
            self.tally.firings += news.turn == "fired"
            self._ledger.tell(tx, kept, entity, news, result.state)

    def _note_due(self, due_us: int) -> None:
        if self._next_us is None or due_us < self._next_us:
            self._next_us = due_us

    def _settle(self, tx: Tx, now_us: int) -> None:
        for tenant, rule_id, version, entity_id in self._store.due_counts(tx, now_us, PER_COMMIT):
            kept = self._book.get(tenant, rule_id)
            entity = self._model.get(tx, tenant, entity_id)
            if kept is None or kept.rule.version != version or entity is None:
                counted = self._store.counted(tx, tenant, rule_id, version, entity_id) or {}
                self._store.count(tx, tenant, rule_id, version, entity_id, counted, None)
            else:
                self._judge(tx, kept, entity, None, {})
        first = self._store.next_due_us(tx)

        def noted() -> None:
            self._next_us = first

        tx.after_commit(noted)

    def _end_all(self, tx: Tx, change: Committed) -> None:
        which = FiringFilter(entity=change.entity_id, active=True, limit=1000)
        # Deletions are many at times and firings few: the index by entity answers at once.
        for firing in self._store.firings(tx, change.tenant, which):
            self._ledger.end(tx, firing, "deleted", tx.now, {})
            self._forget(tx, firing)

    def _forget(self, tx: Tx, firing: Firing) -> None:
        empty = state_json(state_of(None))
        place = (firing.tenant, firing.rule, firing.rule_version, firing.entity)
        self._store.count(tx, *place, empty, None)

    def _look_for_effects(self, tx: Tx, change: Committed) -> None:
        awaited = self._store.watched_commands(tx, change.tenant, change.entity_id)
        for command in awaited:
            if (done := self.verified(command, change.entity, tx)) is not None:
                self._ledger.write_command(tx, done)
        if not awaited:
            key = (change.tenant, change.entity_id)
            tx.after_commit(lambda: self._no_longer(key))

    def _no_longer(self, key: tuple[str, str]) -> None:
        self._awaited -= {key}

    def verified(self, command: Command, entity: Entity | None, tx: Tx) -> Command | None:
        """Return the command with its effect verified by what an entity says now, None when it is not."""
        if entity is None or command.sent_at is None:
            return None
        if not may_become(command, CommandState.VERIFIED):
            return None
        query = parse_q(command.effect_q, self._core)
        sent_us = to_us(command.sent_at) // _SECOND_US * _SECOND_US
        if newest_us(entity, command.effect_q, self._core) < sent_us or not matches(query, entity):
            return None
        return moved(
            command,
            CommandState.VERIFIED,
            tx.now,
            f"效果已核实：{command.effect_q}。",
            f"The effect is verified: {command.effect_q}.",
        )

    def _failed(self, kept: Kept, error: Exception) -> None:
        self.tally.failures += 1
        self.tally.failed[kept.rule.key] = str(error)[:200]
        _log.warning("rule.failed", rule=kept.rule.key, why=str(error)[:200])


def newest_us(entity: Entity, q: str, core: Context) -> int:
    """Return when the newest of the attributes that `q` looks at was observed, or changed."""
    names = attributes_of(parse_q(q, core))
    found = [_instant_us(instance, 0) for name in names for instance in entity.get(name, ())]
    return max(found, default=0)


def _instant_us(instance: Instance, otherwise: int) -> int:
    at = instance.get("observedAt") or instance.get("modifiedAt")
    return otherwise if at is None else parse_us(at)


def _readings(
    kept: Kept, entity: Entity, change: Committed, now_us: int, lookup: Lookup
) -> Iterator[tuple[Reading, dict[str, object]]]:
    """Yield what a change says: one reading of the entity as it stands, or one for each instant of the past."""
    watch = kept.watch
    written = [(name, one) for name, one in change.changes if name in watch.names]
    if not change.is_late:
        at = _at(written, now_us)
        yield watch.read(entity, at, lookup), watch.values(entity, lookup)
        return
    for at in sorted({_at([pair], now_us) for pair in written}):
        then = dict(entity)
        for name, one in written:
            if _at([(name, one)], now_us) == at:
                others = [old for old in entity.get(name, ()) if _dataset(old) != _dataset(one)]
                then[name] = [*others, one]
        yield watch.read(then, at, lookup), watch.values(then, lookup)


def _at(written: Sequence[tuple[str, Instance]], now_us: int) -> int:
    """Return the instant of a reading: when it was observed, else now; none lies in the future."""
    observed = [parse_us(one["observedAt"]) for _, one in written if "observedAt" in one]
    at = max(observed, default=now_us)
    return min(at, now_us)


def _dataset(instance: Instance) -> str | None:
    return instance.get("datasetId")
