"""What goes into the space of a snapshot and out of it, some hundred entities a transaction.

Nothing of it is recorded as a change: nobody is told, and the audit trail has one line for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.past import DistributedPast
from chengmai.broker.distribution.reads import DistributedReads
from chengmai.broker.model import EntityQuery
from chengmai.broker.ports import Candidates, Chronicle, EntityStore, TransientStore
from chengmai.broker.snapshots.model import PastPlan, Plan, Snapshot, SnapshotStore
from chengmai.broker.snapshots.problems import SnapshotNotFound
from chengmai.broker.spaces import MOST_BYTES, MOST_ENTITIES, MOST_INSTANCES, Held, too_large
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.evolution import Pairs, Series
from chengmai.ngsild.projection import EVERYTHING
from chengmai.ngsild.temporal import TemporalQuery

AT_ONCE = 500
_ALWAYS = TemporalQuery(timeproperty="modifiedAt")
_KEPT = ("id", "type", "scope", "createdAt", "modifiedAt")


@dataclass
class Budget:
    """How many entities and bytes a snapshot may still take."""

    entities: int = MOST_ENTITIES
    size: int = MOST_BYTES
    instances: int = MOST_INSTANCES

    def take(self, entities: Sequence[Entity], past: Sequence[Pairs] = ()) -> None:
        """Count entities and what is told of their past; raises `TooLarge` where it would be too much.

        Then nothing is counted.
        """
        size = _size(entities) + _size(past)
        told = sum(map(len, past))
        if len(entities) > self.entities or size > self.size or told > self.instances:
            raise too_large("snapshotQueries")
        self.entities -= len(entities)
        self.size -= size
        self.instances -= told


class Filling:
    """Copies into the spaces of snapshots, and empties them."""

    def __init__(
        self,
        work: Work[Tx],
        store: SnapshotStore,
        entities: EntityStore,
        chronicle: Chronicle,
        transients: TransientStore,
        reads: DistributedReads,
        past: DistributedPast,
    ) -> None:
        self._work = work
        self._store = store
        self._entities = entities
        self._chronicle = chronicle
        self._transients = transients
        self._reads = reads
        self._past = past

    async def copy(self, made: Snapshot, plan: Plan, asked: Asked, budget: Budget) -> int:
        """Copy what a query finds here and at sources (clause 5.7.2.4); return how many entities.

        Raises what the query raises, `TooLarge`, or `SnapshotNotFound` when the snapshot has gone meanwhile.
        """
        query = plan.query
        # One read: all of it is of one instant.
        found = await self._reads.query(asked, _all_of(plan, budget.entities + 1), plan.filters)
        kept = [
            one
            if query.view is EVERYTHING
            else {**{k: one[k] for k in _KEPT if k in one}, **query.view.of(one)}
            for one in found.entities
        ]
        budget.take(kept)
        await self._put(made, kept)
        await self._note(made, Held(len(kept), 0, _size(kept)))
        return len(kept)

    async def copy_past(self, made: Snapshot, plan: PastPlan, asked: Asked, budget: Budget) -> int:
        """Copy the evolutions that a query finds here and at sources (clause 5.7.4.4); return how many.

        Every instance keeps the instants it has. Raises as `copy` does.
        """
        query = replace(plan.query, limit=budget.entities + 1, offset=0, count=False)
        # One more than there is room for tells that it is too much.
        ask = replace(plan.ask, most=budget.instances + 1)
        asked = replace(asked, local=asked.local or plan.local)
        found = await self._past.query(asked, query, ask, plan.filters)
        told = [(head, _pairs(plan, series)) for head, series in found.entities]
        told = [(head, pairs) for head, pairs in told if pairs]
        budget.take([_head(head) for head, _ in told], [pairs for _, pairs in told])
        for head, pairs in told:
            await self._put_past(made, _head(head), pairs)
        held = Held(0, sum(len(pairs) for _, pairs in told), _size([pairs for _, pairs in told]))
        await self._note(made, held)
        return len(told)

    async def clone(self, source: Snapshot, made: Snapshot) -> None:
        """Copy all that a snapshot holds into another one."""
        after = ""
        while part := await self._part(source.space, after):
            await self._put(made, part)
            await self._clone_past(source.space, made, part)
            after = part[-1]["id"]
        heads = await self._work.read(lambda tx: self._transients.remnants(tx, source.space))
        await self._clone_past(source.space, made, heads)
        await self._note(made, await self._work.read(lambda tx: self._store.held(tx, source.space)))

    async def _clone_past(self, space: str, made: Snapshot, heads: Sequence[Entity]) -> None:
        for head in heads:
            entity_id = head["id"]
            past = await self._work.read(partial(self._all_past, space=space, entity_id=entity_id))
            if past:
                await self._put_past(made, _head(head), past)

    def _all_past(self, tx: Tx, space: str, entity_id: str) -> Pairs:
        found = self._chronicle.past(tx, space, entity_id, _ALWAYS)
        return [(name, one) for name, series in found.items() for one in series]

    async def empty(self, space: str) -> None:
        """Remove everything from a space."""

        def remove(tx: Tx) -> None:
            for one in part:
                self._chronicle.forget(tx, space, one["id"])
                self._entities.remove(tx, space, one["id"])
                self._transients.drop_remnant(tx, space, one["id"])

        while part := await self._part(space, ""):
            await self._work.write(remove)
        heads = await self._work.read(lambda tx: self._transients.remnants(tx, space))
        for begin in range(0, len(heads), AT_ONCE):
            part = heads[begin : begin + AT_ONCE]
            await self._work.write(remove)

    async def _part(self, space: str, after: str) -> list[Entity]:
        which = Candidates(after=after)
        return await self._work.read(
            lambda tx: list(self._entities.candidates(tx, space, which, limit=AT_ONCE))
        )

    async def _put(self, made: Snapshot, entities: Sequence[Entity]) -> None:
        for begin in range(0, len(entities), AT_ONCE):
            part = entities[begin : begin + AT_ONCE]

            def put(tx: Tx, part: Sequence[Entity] = part) -> None:
                self._check_there(tx, made)
                for one in part:
                    before = self._entities.get(tx, made.space, one["id"])
                    # What two queries show of an entity stands together.
                    whole = one if before is None else {**before, **one}
                    self._entities.put(tx, made.space, whole, before)

            await self._work.write(put)

    async def _put_past(self, made: Snapshot, head: Entity, told: Pairs) -> None:
        """Record what is told of an entity; whoever is not in the snapshot otherwise is there by its head."""
        begin = 0
        while begin < len(told):
            end = min(begin + AT_ONCE, len(told))
            # What was recorded at one instant is recorded together: it stands side by side.
            while end < len(told) and _moment(told[end]) == _moment(told[end - 1]):
                end += 1

            def put(tx: Tx, part: Pairs = told[begin:end]) -> None:
                self._check_there(tx, made)
                if self._entities.get(tx, made.space, head["id"]) is None:
                    self._transients.leave(tx, made.space, head)
                self._chronicle.record(tx, made.space, head["id"], part, stamped=True)

            await self._work.write(put)
            begin = end

    async def _note(self, made: Snapshot, more: Held) -> None:
        await self._work.write(lambda tx: self._store.charge(tx, made.space, more))

    def _check_there(self, tx: Tx, made: Snapshot) -> None:
        kept = self._store.get(tx, made.tenant, made.id)
        if kept is None or kept.space != made.space:
            raise SnapshotNotFound(made.id)


def _size(ones: Sequence[Any]) -> int:
    return sum(len(orjson.dumps(one)) for one in ones)


def _head(entity: Entity) -> Entity:
    return {name: entity[name] for name in _KEPT if name in entity}


def _pairs(plan: PastPlan, series: Series) -> Pairs:
    """Return what a query picks of an evolution, oldest first."""
    newest_first = plan.ask.window.last_n is not None
    return [
        (name, one)
        for name, found in series.items()
        if plan.keeps(name)
        for one in (reversed(found) if newest_first else found)
    ]


def _moment(pair: tuple[str, Instance]) -> tuple[str, Any]:
    return pair[0], pair[1].get("modifiedAt")


def _all_of(plan: Plan, most: int) -> EntityQuery:
    return replace(plan.query, limit=most, offset=0, count=False, view=EVERYTHING)
