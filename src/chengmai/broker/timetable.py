"""Periodic notifications: a subscription with a time interval tells, change or no change (clause 5.8.6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar

import orjson
import structlog

from chengmai.broker.notifying import data_of
from chengmai.broker.ports import Candidates, DueNotification, EntityStore, SubscriptionStore
from chengmai.broker.subscription import Key, Subscription
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.kernel.instants import to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity

MOST_ENTITIES = 1000
"""That one notification tells of."""
_log = structlog.get_logger(__name__)


class Periodic(Protocol):
    """What the timetable knows of a subscription, whatever it is about."""

    @property
    def key(self) -> Key:
        """Return tenant and id."""
        ...

    @property
    def id(self) -> str:
        """Return the id of the subscription."""
        ...

    @property
    def interval_s(self) -> float | None:
        """Return how often it is told, where it is periodic."""
        ...

    def is_due(self, now_us: int) -> bool:
        """Return whether it may notify at an instant."""
        ...


P = TypeVar("P", bound=Periodic)
P_co = TypeVar("P_co", bound=Periodic, covariant=True)


class Book(Protocol[P_co]):
    """Port: the subscriptions in memory."""

    def on_change(self, changed: Callable[[Key], None]) -> None:
        """Call `changed(key)` whenever a subscription came, changed or went."""
        ...

    def every(self) -> Sequence[P_co]:
        """Return all subscriptions."""
        ...

    def get(self, key: Key) -> P_co | None:
        """Return a subscription, or None."""
        ...

    def wake(self, key: Key, one: DueNotification) -> None:
        """Say that something is due."""
        ...


class Timetable(Generic[P]):
    """One task a periodic subscription; `start` once, `stop` at the end.

    Intervals are seconds of the real clock. `compose` gives the body of what is due, None for nothing;
    where it has to wait for something, `prepare` gives what composes.
    """

    def __init__(
        self,
        work: Work[Tx],
        outbox: SubscriptionStore,
        book: Book[P],
        compose: Callable[[Tx, P], bytes | None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        prepare: Callable[[P], Awaitable[Callable[[Tx, P], bytes | None]]] | None = None,
    ) -> None:
        self._work = work
        self._outbox = outbox
        self._book = book
        self._compose = compose
        self._prepare = prepare
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

    async def _run(self, subscription: P) -> None:
        assert subscription.interval_s is not None
        while True:
            await self._sleep(subscription.interval_s)
            try:
                await self._tell(subscription)
            except Problem as problem:
                _log.warning("timetable.failed", subscription=subscription.id, why=problem.detail)
            except Exception:
                # The next interval is another try.
                _log.exception("timetable.failed", subscription=subscription.id)

    async def _tell(self, subscription: P) -> None:
        compose = self._compose
        if self._prepare is not None:
            compose = await self._prepare(subscription)

        def tell(tx: Tx) -> None:
            if not subscription.is_due(to_us(tx.now)):
                return
            body = compose(tx, subscription)
            if body is None or self._outbox.due(tx, *subscription.key, 1):
                # What is still due says the same, or soon will: a dead receiver gathers no heap.
                return
            due = self._outbox.add_due(tx, *subscription.key, "", body)
            tx.after_commit(lambda: self._book.wake(subscription.key, due))

        await self._work.write(tell)


class EntityRounds:
    """What periodic subscriptions to entities are told: every entity that matches."""

    def __init__(self, entities: EntityStore) -> None:
        self._entities = entities

    def compose(self, tx: Tx, subscription: Subscription) -> bytes | None:
        """Return the entities as the receiver wants them; None when there are none."""
        found = self._matching(tx, subscription)

        def lookup(entity_id: str) -> Entity | None:
            return self._entities.get(tx, subscription.key[0], entity_id)

        data = data_of(subscription, found, lookup) if found else None
        return None if data is None else orjson.dumps(data)

    def _matching(self, tx: Tx, subscription: Subscription) -> list[Entity]:
        infos = subscription.entities
        types = {name for info in infos if info.types is not None for name in info.types.names}
        narrowed = bool(infos) and all(info.types is not None for info in infos)
        which = Candidates(types=sorted(types) if narrowed else None)
        found: list[Entity] = []

        def lookup(entity_id: str) -> Entity | None:
            return self._entities.get(tx, subscription.key[0], entity_id)

        for entity in self._entities.candidates(tx, subscription.key[0], which):
            if SubscriptionBook.selects(subscription, entity, lookup):
                found.append(entity)
                if len(found) == MOST_ENTITIES:
                    break
        return found
