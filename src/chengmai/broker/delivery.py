"""Delivery: what the outbox holds goes out, at least once and in order for each subscription.

One task a subscription, so that a slow or dead receiver delays nobody else. A row leaves the outbox only
after its receiver answered 2xx; a notification that is sent again carries the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import orjson
import structlog

from chengmai.broker.ports import DueNotification, SubscriptionStore
from chengmai.broker.subscribing import Subscribing
from chengmai.broker.subscription import Key, Subscription
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import format_instant
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import CORE_URL

_log = structlog.get_logger(__name__)
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0
_PAGE = 50


class Receiver(Protocol):
    """Port: takes a notification to where it belongs."""

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> None:
        """Return when the receiver accepted it; raises `Unavailable` or `Forbidden` otherwise."""
        ...


class Delivery:
    """Empties the outbox; `start` once, `stop` at the end."""

    def __init__(
        self,
        work: Work[Tx],
        store: SubscriptionStore,
        book: SubscriptionBook,
        subscribing: Subscribing,
        receiver: Receiver,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._work = work
        self._store = store
        self._book = book
        self._subscribing = subscribing
        self._receiver = receiver
        self._clock = clock
        self._sleep = sleep
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._again: set[Key] = set()
        self._stopping = False

    async def start(self) -> None:
        """Send what an earlier run left, then whatever becomes due."""
        self._book.on_due(self._wake)
        for tenant, subscription_id, _ in await self._work.read(self._store.waiting):
            self._wake((tenant, subscription_id))

    async def stop(self) -> None:
        """Stop sending; what is due stays in the outbox."""
        self._stopping = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wake(self, key: Key) -> None:
        if self._stopping:
            return
        if key in self._tasks:
            self._again.add(key)
            return
        task = asyncio.get_running_loop().create_task(self._empty(key), name=f"deliver {key[1]}")
        self._tasks[key] = task
        task.add_done_callback(lambda _task: self._ended(key))

    def _ended(self, key: Key) -> None:
        self._tasks.pop(key, None)
        if key in self._again:
            self._again.discard(key)
            self._wake(key)

    async def _empty(self, key: Key) -> None:
        pause = _FIRST_PAUSE_S
        while True:
            self._again.discard(key)
            subscription = self._book.get(key)
            if subscription is None:
                return
            due = await self._work.read(lambda tx: self._store.due(tx, *key, _PAGE))
            if not due:
                return
            for one in due:
                if await self._deliver(subscription, one):
                    pause = _FIRST_PAUSE_S
                    continue
                await self._sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                break

    async def _deliver(self, subscription: Subscription, due: DueNotification) -> bool:
        failure: str | None = None
        try:
            await self._receiver.send(
                subscription.endpoint, self._headers(subscription), self._body(subscription, due)
            )
        except Problem as problem:
            failure = problem.detail
        except Exception as error:
            # Whatever a receiver makes of it, its subscription must not fall silent.
            failure = f"{type(error).__name__}: {error}"
        if failure is not None:
            _log.warning(
                "notification.failed", subscription=subscription.id, seq=due.seq, why=failure
            )
        upto = due.seq if failure is None else None
        try:
            await self._subscribing.note_delivery(subscription, upto=upto, failure=failure)
        except Problem as problem:
            # Not noted is not delivered: it goes out again later, with the same id.
            _log.warning("notification.not_noted", subscription=subscription.id, why=problem.detail)
            return False
        return failure is None

    @staticmethod
    def _headers(subscription: Subscription) -> dict[str, str]:
        headers = {"Content-Type": subscription.accept, **dict(subscription.receiver_info)}
        if subscription.accept == "application/json":
            headers["Link"] = (
                f'<{subscription.context.url or CORE_URL}>; rel="http://www.w3.org/ns/json-ld#context";'
                ' type="application/ld+json"'
            )
        return headers

    def _body(self, subscription: Subscription, due: DueNotification) -> bytes:
        entity = orjson.loads(due.body)
        notification: dict[str, Any] = {
            "id": f"urn:ngsi-ld:Notification:{subscription.id.rpartition(':')[2]}:{due.seq}",
            "type": "Notification",
            "subscriptionId": subscription.id,
            "notifiedAt": format_instant(self._clock.now()),
            "data": [entity],
        }
        if subscription.accept == "application/ld+json":
            notification["@context"] = subscription.context.source or CORE_URL
        return orjson.dumps(notification)
