"""What goes into the space of a snapshot and out of it, some hundred entities a transaction.

Nothing of it is recorded as a change: nobody is told, and the audit trail has one line for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.reads import DistributedReads
from chengmai.broker.model import EntityQuery
from chengmai.broker.ports import Candidates, EntityStore
from chengmai.broker.snapshots.model import MOST_BYTES, MOST_ENTITIES, Plan, Snapshot, SnapshotStore
from chengmai.broker.snapshots.problems import SnapshotNotFound
from chengmai.kernel.problems import TooLarge
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.projection import EVERYTHING

AT_ONCE = 500
_KEPT = ("id", "type", "scope", "createdAt", "modifiedAt")


@dataclass
class Budget:
    """How many entities and bytes a snapshot may still take."""

    entities: int = MOST_ENTITIES
    size: int = MOST_BYTES

    def take(self, entities: Sequence[Entity]) -> None:
        """Count entities; raises `TooLarge`, and counts nothing, when it would be too many or too much."""
        size = sum(len(orjson.dumps(one)) for one in entities)
        if len(entities) > self.entities or size > self.size:
            raise TooLarge(
                f"a snapshot holds {MOST_ENTITIES} entities and {MOST_BYTES} bytes at most",
                code="snapshot.size",
                param="snapshotQueries",
                fix="narrow the queries",
            )
        self.entities -= len(entities)
        self.size -= size


class Filling:
    """Copies into the spaces of snapshots, and empties them."""

    def __init__(
        self, work: Work[Tx], store: SnapshotStore, entities: EntityStore, reads: DistributedReads
    ) -> None:
        self._work = work
        self._store = store
        self._entities = entities
        self._reads = reads

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
        return len(kept)

    async def clone(self, source: Snapshot, made: Snapshot) -> None:
        """Copy all that a snapshot holds into another one."""
        after = ""
        while part := await self._part(source.space, after):
            await self._put(made, part)
            after = part[-1]["id"]

    async def empty(self, space: str) -> None:
        """Remove everything from a space."""

        def remove(tx: Tx) -> None:
            for one in part:
                self._entities.remove(tx, space, one["id"])

        while part := await self._part(space, ""):
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
                kept = self._store.get(tx, made.tenant, made.id)
                if kept is None or kept.space != made.space:
                    raise SnapshotNotFound(made.id)
                for one in part:
                    before = self._entities.get(tx, made.space, one["id"])
                    # What two queries show of an entity stands together.
                    whole = one if before is None else {**before, **one}
                    self._entities.put(tx, made.space, whole, before)

            await self._work.write(put)


def _all_of(plan: Plan, most: int) -> EntityQuery:
    return replace(plan.query, limit=most, offset=0, count=False, view=EVERYTHING)
