"""Removing what has expired (GS CIM 009 V1.9.1, clause 4.22).

`DueTimes` knows the first instant at which something expires, so that asking whether anything is over costs
one comparison, and entities that never expire cost nothing. Whoever answers requests calls `settle` first:
what is over is removed, through the commit path, before anybody could see it. `run` does the same without
requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from chengmai.broker.commit import CommitPath
from chengmai.broker.ports import EntityStore, TransientStore
from chengmai.kernel.actors import system
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import format_instant, to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.expiry import has_expired, next_expiry_us, without_expired

PER_COMMIT = 500
LOOK_EVERY_S = 0.5
_READ_AGAIN = 20
"""Every so many looks the store is asked, since another process may have written to it."""
_log = structlog.get_logger(__name__)


class DueTimes:
    """The first instant at which something expires, in this process."""

    def __init__(self) -> None:
        self.next_us: int | None = None

    def note(self, due_us: int) -> None:
        """Note that something expires at an instant."""
        if self.next_us is None or due_us < self.next_us:
            self.next_us = due_us


class Expiring:
    """Removes expired entities and attributes; `load` once before the first request."""

    def __init__(
        self,
        work: Work[Tx],
        commit: CommitPath,
        entities: EntityStore,
        transients: TransientStore,
        due: DueTimes,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._work = work
        self._commit = commit
        self._entities = entities
        self._transients = transients
        self._due = due
        self._clock = clock
        self._sleep = sleep
        self._settling = asyncio.Lock()

    async def load(self) -> None:
        """Read from the store when first something expires."""
        first = await self._work.read(self._transients.next_us)
        if first is not None:
            self._due.note(first)

    @property
    def may_be_due(self) -> bool:
        """Return False where nothing expires, now or later."""
        return self._due.next_us is not None

    async def settle(self) -> None:
        """Return when everything that is over by now is removed; costs a comparison when nothing is."""
        now_us = to_us(self._clock.now())
        while self._due.next_us is not None and self._due.next_us <= now_us:
            async with self._settling:
                if self._due.next_us is not None and self._due.next_us <= now_us:
                    await self._work.write(lambda tx: self._remove(tx, now_us))

    async def run(self) -> None:
        """Remove what expires, for ever."""
        looks = 0
        while True:
            await self._sleep(LOOK_EVERY_S)
            looks += 1
            try:
                if looks % _READ_AGAIN == 0:
                    await self.load()
                await self.settle()
            except Problem as problem:
                _log.warning("expiring.failed", why=problem.detail)

    def _remove(self, tx: Tx, now_us: int) -> None:
        for tenant, entity_id in self._transients.due(tx, now_us, PER_COMMIT):
            self._remove_of(tx, tenant, entity_id, now_us)
        first = self._transients.next_us(tx)

        def noted() -> None:
            self._due.next_us = first

        tx.after_commit(noted)

    def _remove_of(self, tx: Tx, tenant: str, entity_id: str, now_us: int) -> None:
        entity = self._entities.get(tx, tenant, entity_id)
        by = system("expiry", tenant)
        if entity is None:
            self._transients.put(tx, tenant, entity_id, None)
        elif has_expired(entity, now_us):
            # The past of an entity outlives it; only what could be seen as its present ends.
            head = {key: value for key, value in entity.items() if ":" not in key}
            self._transients.leave(tx, tenant, head | {"deletedAt": format_instant(tx.now)})
            self._commit.remove(tx, tenant, entity_id, by=by, note="expired", keep_past=True)
            self._transients.put(tx, tenant, entity_id, None)
        else:
            result = without_expired(entity, now_us, format_instant(tx.now))
            if result.is_changed:
                self._commit.expire(tx, entity, result, by=by)
            self._transients.put(tx, tenant, entity_id, next_expiry_us(result.entity))
