"""Periodic notifications: a subscription with a time interval tells, change or no change (clause 5.8.6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import structlog

from chengmai.broker.notifying import data_of
from chengmai.broker.ports import Candidates, EntityStore, SubscriptionStore
from chengmai.broker.subscription import Key, Subscription
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.kernel.instants import to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity

MOST_ENTITIES = 1000
"""That one notification tells of."""
_log = structlog.get_logger(__name__)


class Timetable:
    """One task a periodic subscription; `start` once, `stop` at the end.

    Intervals are seconds of the real clock. When nothing matches, nothing is sent.
    """

    def __init__(
        self,
        work: Work[Tx],
        entities: EntityStore,
        outbox: SubscriptionStore,
        book: SubscriptionBook,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._work = work
        self._entities = entities
        self._outbox = outbox
        self._book = book
        self._sleep = sleep
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Begin with what the book holds and follow its changes."""
        self._book.on_change(self._follow)
        for subscription in self._book.every():
            self._follow(subscription.key)

    async def stop(self) -> None:
        """End all tasks."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _follow(self, key: Key) -> None:
        if (running := self._tasks.pop(key, None)) is not None:
            running.cancel()
        subscription = self._book.get(key)
        if subscription is not None and subscription.interval_s is not None:
            self._tasks[key] = asyncio.get_running_loop().create_task(
                self._run(subscription), name=f"timetable {key[1]}"
            )

    async def _run(self, subscription: Subscription) -> None:
        assert subscription.interval_s is not None
        while True:
            await self._sleep(subscription.interval_s)
            try:
                await self._tell(subscription)
            except Problem as problem:
                _log.warning("timetable.failed", subscription=subscription.id, why=problem.detail)

    async def _tell(self, subscription: Subscription) -> None:
        tenant = subscription.key[0]

        def tell(tx: Tx) -> None:
            if not subscription.is_due(to_us(tx.now)):
                return
            found = self._matching(tx, subscription)

            def lookup(entity_id: str) -> Entity | None:
                return self._entities.get(tx, tenant, entity_id)

            data = data_of(subscription, found, lookup) if found else None
            if data is None or self._outbox.due(tx, *subscription.key, 1):
                # What is still due says the same, or soon will: a dead receiver gathers no heap.
                return
            self._outbox.add_due(tx, tenant, subscription.id, "", orjson.dumps(data))
            tx.after_commit(lambda: self._book.wake(subscription.key))

        await self._work.write(tell)

    def _matching(self, tx: Tx, subscription: Subscription) -> list[Entity]:
        infos = subscription.entities
        types = {name for info in infos if info.types is not None for name in info.types.names}
        narrowed = bool(infos) and all(info.types is not None for info in infos)
        which = Candidates(types=sorted(types) if narrowed else None)
        found: list[Entity] = []
        for entity in self._entities.candidates(tx, subscription.key[0], which):
            if self._book.selects(subscription, entity):
                found.append(entity)
                if len(found) == MOST_ENTITIES:
                    break
        return found
