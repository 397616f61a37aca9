"""Delivery: what the outbox holds goes out, at least once and, for each subscription, in order per entity.

A few tasks a subscription, so that a slow or dead receiver delays nobody else. What became due is handed over
in memory; the outbox is read only for what an earlier run left and what is too much to hold. A row leaves the
outbox only after its receiver answered 2xx; a notification that is sent again carries the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

import orjson
import structlog

from chengmai.broker.endpoint import Endpoint
from chengmai.broker.lanes import Lane
from chengmai.broker.outcomes import Outcomes
from chengmai.broker.ports import DueNotification, Outbox
from chengmai.broker.problems import OutboxFull
from chengmai.broker.subscription import Key
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import format_instant, to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import BriefWork, Tx
from chengmai.ngsild.contexts import CORE_URL, Context

_log = structlog.get_logger(__name__)
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0
_PAGE = 100
MOST_HELD = 20_000
"""Notifications in memory; what else is due waits in the outbox alone."""
MOST_DUE = 500_000
"""Notifications in the outbox, half a gigabyte or so."""
_AT_ONCE = 8
"""Notifications of a subscription that are on their way at once, each of another entity."""


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

    def on_due(self, wake: Callable[[Key, DueNotification], None]) -> None:
        """Call `wake(key, one)` on the event loop whenever something became due, in order."""
        ...

    def on_change(self, changed: Callable[[Key], None]) -> None:
        """Call `changed(key)` whenever a subscription came, changed or went."""
        ...

    def get(self, key: Key) -> S_co | None:
        """Return a subscription, or None."""
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
        work: BriefWork[Tx],
        store: Outbox,
        book: Book[S],
        letters: Letters[S],
        receiver: Receiver,
        publisher: Publisher,
        clock: Clock,
        emptied: Callable[[Key], None] = lambda _key: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        most_held: int = MOST_HELD,
        most_due: int = MOST_DUE,
    ) -> None:
        self._work = work
        self._store = store
        self._book = book
        self._outcomes = Outcomes(work, store, self._left)
        self._letters = letters
        self._receiver = receiver
        self._publisher = publisher
        self._clock = clock
        self._emptied = emptied
        self._sleep = sleep
        self._most_held, self._most_due = most_held, most_due
        self._lanes: dict[Key, Lane] = {}
        self._sent_us: dict[Key, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._depth = self._held = 0
        self._stopping = False

    @property
    def depth(self) -> int:
        """How many notifications are due and not delivered."""
        return self._depth

    def check_room(self) -> None:
        """Raise `OutboxFull` when so much is due that no change may make more of it due."""
        if self._depth >= self._most_due:
            raise OutboxFull(self._depth)

    async def start(self) -> None:
        """Send what an earlier run left, then whatever becomes due."""
        self._book.on_due(self._wake)
        self._book.on_change(self._changed)
        for tenant, subscription_id, due in await self._work.read(self._store.waiting):
            key = (tenant, subscription_id)
            self._lanes[key] = Lane(due)
            self._depth += due
            self._spread(key, self._lanes[key])

    async def stop(self) -> None:
        """Stop sending; what is due stays in the outbox."""
        self._stopping = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._outcomes.end()

    async def settle(self) -> None:
        """Return when what became of deliveries so far is written, as far as it can be."""
        await self._outcomes.settle()

    def _wake(self, key: Key, one: DueNotification) -> None:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane()
        self._depth += 1
        self._held += lane.came(one, has_room=self._held < self._most_held)
        self._spread(key, lane)

    def _changed(self, key: Key) -> None:
        """Forget what is due to a subscription that is gone."""
        if self._book.get(key) is None:
            self._sent_us.pop(key, None)
            lane = self._lanes.pop(key, None)
            if lane is not None:
                self._depth -= lane.due
                self._held -= len(lane.ready)
                lane.gone, lane.more = True, False
                lane.ready.clear()

    def _left(self, key: Key, rows: int) -> None:
        """Take note that so many rows have left the outbox."""
        lane = self._lanes.get(key)
        if lane is None:
            return
        lane.due -= rows
        self._depth -= rows
        if not (lane.due or lane.workers or lane.ready or lane.more):
            del self._lanes[key]
            self._emptied(key)

    def _spread(self, key: Key, lane: Lane) -> None:
        """Set one more going on a lane where there is something to do that nobody does."""
        if self._stopping or (lane.workers and (lane.failing or not lane.has_next())):
            return
        subscription = self._book.get(key)
        if subscription is None or lane.workers >= _at_once(subscription):
            return
        lane.workers += 1
        task = asyncio.get_running_loop().create_task(self._serve(key, lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, key: Key, lane: Lane) -> None:
        pause, probing = _FIRST_PAUSE_S, False
        try:
            while (subscription := self._book.get(key)) is not None and not lane.gone:
                if lane.failing and not probing:
                    return
                if wait := self._too_early_s(subscription):
                    await self._sleep(wait)
                    continue
                if not lane.ready and lane.more and not lane.filling:
                    await self._fill(key, lane)
                rows, one = self._next(subscription, lane)
                if one is None:
                    if lane.more and not lane.ready and not lane.filling:
                        continue
                    return
                self._spread(key, lane)
                if await self._deliver(subscription, lane, rows, one):
                    pause, probing, lane.failing = (
                        _FIRST_PAUSE_S,
                        False,
                        lane.failing and not probing,
                    )
                    continue
                if lane.failing and not probing:
                    return
                lane.failing = probing = True
                cooldown = subscription.endpoint.cooldown_s
                await self._sleep(pause if cooldown is None else max(cooldown, pause))
                pause = min(pause * 2, _LONGEST_PAUSE_S)
        finally:
            lane.workers -= 1
            if probing:
                lane.failing = False

    def _next(
        self, subscription: S, lane: Lane
    ) -> tuple[list[DueNotification], DueNotification | None]:
        """Return the rows that are sent next, and as what."""
        if not subscription.throttling_s:
            one = lane.take()
            self._held -= one is not None
            return ([] if one is None else [one]), one
        first = lane.first_ones()
        if not first:
            return [], None
        merged = self._letters.merged(first)
        rows = [row for row in first if row.seq <= merged.seq]
        lane.take_upto(merged.seq)
        self._held -= len(rows)
        return rows, replace(merged, entity="")

    async def _fill(self, key: Key, lane: Lane) -> None:
        lane.filling, lane.missed = True, False
        try:
            page = await self._work.read(
                lambda tx: self._store.due(tx, *key, _PAGE, after=lane.known)
            )
        except Problem as problem:
            _log.warning("outbox.not_read", subscription=key[1], why=problem.detail)
            await self._sleep(_FIRST_PAUSE_S)
            return
        finally:
            lane.filling = False
        if not lane.gone:
            self._held += len(page)
            lane.came_page(page, is_full=len(page) == _PAGE)

    def _too_early_s(self, subscription: S) -> float:
        """Return how many seconds a throttled subscription has to wait still."""
        if not subscription.throttling_s:
            return 0.0
        last = self._sent_us.get(subscription.key)
        if last is None:
            return 0.0
        passed_s = (to_us(self._clock.now()) - last) / 1e6
        return max(0.0, subscription.throttling_s - passed_s)

    async def _deliver(
        self, subscription: S, lane: Lane, rows: list[DueNotification], one: DueNotification
    ) -> bool:
        failure: str | None = None
        is_over = False
        try:
            await self._send(subscription, self._body(subscription, one))
            is_over = True
        except Problem as problem:
            failure = problem.detail
        except Exception as error:
            # Whatever a receiver makes of it, its subscription must not fall silent.
            failure = f"{type(error).__name__}: {error}"
        finally:
            if not is_over and not lane.gone:
                self._held += len(rows)
                lane.back(one.entity, rows)
        at_us = to_us(self._clock.now())
        again = one.seq in lane.failed
        if subscription.throttling_s:
            self._sent_us[subscription.key] = at_us
        if failure is None:
            lane.done(one.entity)
            lane.failed.discard(one.seq)
        else:
            lane.failed.add(one.seq)
            _log.warning(
                "notification.failed", subscription=subscription.id, seq=one.seq, why=failure
            )
        seqs = tuple(row.seq for row in rows)
        self._outcomes.note(subscription.key, seqs, at_us, failed=failure is not None, again=again)
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


def _at_once(subscription: Subscribed) -> int:
    return 1 if subscription.throttling_s or subscription.endpoint.is_mqtt else _AT_ONCE
