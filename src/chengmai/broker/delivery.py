"""Delivery: what the outbox holds goes out, at least once and in order for each subscription.

One task a subscription, so that a slow or dead receiver delays nobody else. A row leaves the outbox only
after its receiver answered 2xx; a notification that is sent again carries the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

import orjson
import structlog

from chengmai.broker.ports import DueNotification, SubscriptionStore
from chengmai.broker.subscribing import Subscribing
from chengmai.broker.subscription import Key, Subscription
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import format_instant, to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import CORE_URL

_log = structlog.get_logger(__name__)
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0
_PAGE = 50


class Receiver(Protocol):
    """Port: takes a notification to where it belongs."""

    async def send(
        self, url: str, headers: dict[str, str], body: bytes, *, timeout_s: float | None = None
    ) -> None:
        """Return when the receiver accepted it; raises `Unavailable` or `Forbidden` otherwise."""
        ...


class Publisher(Protocol):
    """Port: takes a notification to a topic of an MQTT broker (clause 7.2)."""

    async def publish(
        self,
        url: str,
        metadata: dict[str, str],
        body: bytes,
        notifier: Mapping[str, str],
        *,
        timeout_s: float | None = None,
    ) -> None:
        """Return when the MQTT broker has it; raises `Unavailable` or `Forbidden` otherwise."""
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
        publisher: Publisher,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._work = work
        self._store = store
        self._book = book
        self._subscribing = subscribing
        self._receiver = receiver
        self._publisher = publisher
        self._sent_us: dict[Key, int] = {}
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
            if wait := self._too_early_s(subscription):
                await self._sleep(wait)
                continue
            due = await self._work.read(lambda tx: self._store.due(tx, *key, _PAGE))
            if not due:
                return
            if subscription.throttling_s:
                due = [_latest(due)]
            for one in due:
                if not await self._deliver(subscription, one):
                    cooldown = subscription.endpoint.cooldown_s
                    await self._sleep(pause if cooldown is None else max(cooldown, pause))
                    pause = min(pause * 2, _LONGEST_PAUSE_S)
                    break
                pause = _FIRST_PAUSE_S

    def _too_early_s(self, subscription: Subscription) -> float:
        """Return how many seconds a throttled subscription has to wait still."""
        last = self._sent_us.get(subscription.key)
        if not subscription.throttling_s or last is None:
            return 0.0
        passed_s = (to_us(self._clock.now()) - last) / 1e6
        return max(0.0, subscription.throttling_s - passed_s)

    async def _deliver(self, subscription: Subscription, due: DueNotification) -> bool:
        failure: str | None = None
        try:
            await self._send(subscription, self._body(subscription, due))
        except Problem as problem:
            failure = problem.detail
        except Exception as error:
            # Whatever a receiver makes of it, its subscription must not fall silent.
            failure = f"{type(error).__name__}: {error}"
        if failure is not None:
            _log.warning(
                "notification.failed", subscription=subscription.id, seq=due.seq, why=failure
            )
        self._sent_us[subscription.key] = to_us(self._clock.now())
        upto = due.seq if failure is None else None
        try:
            await self._subscribing.note_delivery(subscription, upto=upto, failure=failure)
        except Problem as problem:
            # Not noted is not delivered: it goes out again later, with the same id.
            _log.warning("notification.not_noted", subscription=subscription.id, why=problem.detail)
            return False
        return failure is None

    async def _send(self, subscription: Subscription, body: bytes) -> None:
        endpoint, headers = subscription.endpoint, self._headers(subscription)
        if endpoint.is_mqtt:
            await self._publisher.publish(
                endpoint.uri, headers, body, endpoint.notifier, timeout_s=endpoint.timeout_s
            )
        else:
            await self._receiver.send(endpoint.uri, headers, body, timeout_s=endpoint.timeout_s)

    @staticmethod
    def _headers(subscription: Subscription) -> dict[str, str]:
        headers = {"Content-Type": subscription.accept, **dict(subscription.endpoint.headers)}
        if subscription.accept != "application/ld+json":
            headers["Link"] = (
                f'<{subscription.context.url or CORE_URL}>; rel="http://www.w3.org/ns/json-ld#context";'
                ' type="application/ld+json"'
            )
        return headers

    def _body(self, subscription: Subscription, due: DueNotification) -> bytes:
        told = orjson.loads(due.body)
        notification: dict[str, Any] = {
            "id": f"urn:ngsi-ld:Notification:{subscription.id.rpartition(':')[2]}:{due.seq}",
            "type": "Notification",
            "subscriptionId": subscription.id,
            "notifiedAt": format_instant(self._clock.now()),
            "data": told if isinstance(told, list) or "features" in told else [told],
        }
        if subscription.accept == "application/ld+json":
            notification["@context"] = subscription.context_source
        return orjson.dumps(notification)


def _latest(due: list[DueNotification]) -> DueNotification:
    """Return one notification for several: what was last said of each entity."""
    told: dict[str, Any] = {}
    for one in due:
        data = orjson.loads(one.body)
        if not isinstance(data, list):
            return due[-1] if "features" in data else replace(due[-1], body=one.body)
        told |= {entity.get("id", one.entity): entity for entity in data}
    return replace(due[-1], body=orjson.dumps(list(told.values())))
