"""Delivery: what the outbox holds goes out, at least once and in order for each subscription.

One task a subscription, so that a slow or dead receiver delays nobody else. A row leaves the outbox only
after its receiver answered 2xx; a notification that is sent again carries the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

import orjson
import structlog

from chengmai.broker.endpoint import Endpoint
from chengmai.broker.ports import DueNotification, Outbox
from chengmai.broker.subscription import Key
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import format_instant, to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import CORE_URL, Context

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


class Subscribed(Protocol):
    """What delivery knows of a subscription, whatever it is about."""

    @property
    def key(self) -> Key:
        """Return tenant and id."""
        ...

    @property
    def id(self) -> str:
        """Return the id of the subscription."""
        ...

    @property
    def endpoint(self) -> Endpoint:
        """Return where notifications go."""
        ...

    @property
    def accept(self) -> str:
        """Return the media type its receiver asked for."""
        ...

    @property
    def context(self) -> Context:
        """Return the context of the notifications."""
        ...

    @property
    def context_source(self) -> Any:
        """Return the `@context` that notifications carry."""
        ...

    @property
    def throttling_s(self) -> float | None:
        """Return the least number of seconds between two notifications."""
        ...


S = TypeVar("S", bound=Subscribed)
S_co = TypeVar("S_co", bound=Subscribed, covariant=True)
S_contra = TypeVar("S_contra", bound=Subscribed, contravariant=True)


class Book(Protocol[S_co]):
    """Port: the subscriptions in memory."""

    def on_due(self, wake: Callable[[Key], None]) -> None:
        """Call `wake(key)` whenever something became due."""
        ...

    def get(self, key: Key) -> S_co | None:
        """Return a subscription, or None."""
        ...


class Outcomes(Protocol[S_contra]):
    """Port: keeps what became of deliveries."""

    async def note_delivery(
        self, subscription: S_contra, *, upto: int | None, failure: str | None, again: bool
    ) -> None:
        """Drop what was delivered up to `upto`, and count; one sent `again` has been counted."""
        ...


class Letters(Protocol[S_contra]):
    """What a notification says; one for each kind of subscription."""

    def letter(self, subscription: S_contra, due: DueNotification) -> dict[str, Any]:
        """Return the notification, without its instant and its context."""
        ...

    def merged(self, due: list[DueNotification]) -> DueNotification:
        """Return one notification for the first ones of several; its number is that of the last merged."""
        ...


class Delivery(Generic[S]):
    """Empties the outbox; `start` once, `stop` at the end."""

    def __init__(
        self,
        work: Work[Tx],
        store: Outbox,
        book: Book[S],
        outcomes: Outcomes[S],
        letters: Letters[S],
        receiver: Receiver,
        publisher: Publisher,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._work = work
        self._store = store
        self._book = book
        self._outcomes = outcomes
        self._letters = letters
        self._receiver = receiver
        self._publisher = publisher
        self._sent_us: dict[Key, int] = {}
        self._failed: dict[Key, int] = {}
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
                self._failed.pop(key, None)
                return
            if wait := self._too_early_s(subscription):
                await self._sleep(wait)
                continue
            due = await self._work.read(lambda tx: self._store.due(tx, *key, _PAGE))
            if not due:
                return
            if subscription.throttling_s:
                due = [self._letters.merged(due)]
            for one in due:
                if not await self._deliver(subscription, one):
                    cooldown = subscription.endpoint.cooldown_s
                    await self._sleep(pause if cooldown is None else max(cooldown, pause))
                    pause = min(pause * 2, _LONGEST_PAUSE_S)
                    break
                pause = _FIRST_PAUSE_S

    def _too_early_s(self, subscription: S) -> float:
        """Return how many seconds a throttled subscription has to wait still."""
        last = self._sent_us.get(subscription.key)
        if not subscription.throttling_s or last is None:
            return 0.0
        passed_s = (to_us(self._clock.now()) - last) / 1e6
        return max(0.0, subscription.throttling_s - passed_s)

    async def _deliver(self, subscription: S, due: DueNotification) -> bool:
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
        again = self._failed.pop(subscription.key, None) == due.seq
        if failure is not None:
            self._failed[subscription.key] = due.seq
        try:
            await self._outcomes.note_delivery(
                subscription, upto=upto, failure=failure, again=again
            )
        except Problem as problem:
            # Not noted is not delivered: it goes out again later, with the same id.
            _log.warning("notification.not_noted", subscription=subscription.id, why=problem.detail)
            return False
        return failure is None

    async def _send(self, subscription: S, body: bytes) -> None:
        endpoint, headers = subscription.endpoint, self._headers(subscription)
        if endpoint.is_mqtt:
            await self._publisher.publish(
                endpoint.uri, headers, body, endpoint.notifier, timeout_s=endpoint.timeout_s
            )
        else:
            await self._receiver.send(endpoint.uri, headers, body, timeout_s=endpoint.timeout_s)

    @staticmethod
    def _headers(subscription: Subscribed) -> dict[str, str]:
        headers = {"Content-Type": subscription.accept, **dict(subscription.endpoint.headers)}
        if subscription.accept != "application/ld+json":
            headers["Link"] = (
                f'<{subscription.context.url or CORE_URL}>; rel="http://www.w3.org/ns/json-ld#context";'
                ' type="application/ld+json"'
            )
        return headers

    def _body(self, subscription: S, due: DueNotification) -> bytes:
        notification = self._letters.letter(subscription, due)
        notification["notifiedAt"] = format_instant(self._clock.now())
        if subscription.accept == "application/ld+json":
            notification["@context"] = subscription.context_source
        return orjson.dumps(notification)
