"""Telling whoever asked what became of a snapshot (GS CIM 009 V1.9.1, clauses 5.3.4 and 5.16.6).

What is told is kept in the transaction of the change; delivery is that of all notifications. A notice outlives
its snapshot, and is given up after a day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import orjson
import structlog

from chengmai.broker.delivery import Delivery, Publisher, Receiver
from chengmai.broker.endpoint import Endpoint, read_endpoint
from chengmai.broker.letters import letter_id
from chengmai.broker.ports import DueNotification, Outbox
from chengmai.broker.problems import SubscriptionInvalid
from chengmai.broker.snapshots.model import Snapshot
from chengmai.broker.snapshots.problems import SnapshotInvalid
from chengmai.broker.subscription import Key
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import to_us
from chengmai.kernel.problems import NotSupported, TooLarge
from chengmai.kernel.work import BriefWork, Tx
from chengmai.ngsild.contexts import CORE_URL, Context

MOST_WAITING = 100
"""How many notices of a tenant may wait; with more, no snapshot with an endpoint begins."""
GIVEN_UP = timedelta(days=1)
_log = structlog.get_logger(__name__)
_RECEIVER = ("endpoint", "receiverInfo")
_TOLD = {
    "id": "snapshotId",
    "snapshotStatus": "snapshotStatus",
    "snapshotPriority": "snapshotPriority",
    "expiresAt": "expiresAt",
    "snapshotQueriesDetails": "snapshotQueriesDetails",
    # Table 5.3.4-1 has another name for it than table 5.2.41-2.
    "snapshotTemporalQueriesDetails": "temporalSnapshotQueriesDetails",
}


class NoticeStore(Outbox, Protocol):
    """Port: notices that are due, each with its receiver; they are kept by the space of their snapshot."""

    def add(self, tx: Any, made: Snapshot, to: bytes, body: bytes) -> DueNotification:
        """Note that a notice is due, and return it; `to` are the members that name its receiver."""
        ...

    def receiver(self, tx: Any, key: Key) -> dict[str, Any] | None:
        """Return who the newest notice of a snapshot is for; None when nothing is due."""
        ...

    def count(self, tx: Any, tenant: str) -> int:
        """Return how many notices of a tenant are due."""
        ...

    def end(self, tx: Any, before_us: int) -> list[Key]:
        """Drop the notices that became due before an instant, and return whose they were."""
        ...


@dataclass(frozen=True)
class Told:
    """Who is told of a snapshot: what delivery takes for a subscription."""

    key: Key
    endpoint: Endpoint
    context: Context
    throttling_s: float | None = None

    @property
    def id(self) -> str:
        """Return the id of the snapshot."""
        return self.key[1]

    @property
    def accept(self) -> str:
        """Return the media type of what is sent."""
        return self.endpoint.accept

    @property
    def context_source(self) -> str:
        """Return the `@context` of what is sent."""
        return CORE_URL


def receiver_of(members: Mapping[str, Any]) -> Endpoint | None:
    """Return where notices of a snapshot go, None when nobody is told; raises `SnapshotInvalid`."""
    given = {name: members[name] for name in _RECEIVER if name in members}
    if "endpoint" not in given:
        if given:
            raise SnapshotInvalid(
                "receiverInfo: there is no endpoint", param="receiverInfo", fix="give endpoint too"
            )
        return None
    info = {"receiverInfo": given["receiverInfo"]} if "receiverInfo" in given else {}
    try:
        return read_endpoint({"uri": given["endpoint"]} | info)
    except (SubscriptionInvalid, NotSupported) as problem:
        at = (problem.param or "").rpartition(".")[2]
        param = "receiverInfo" if at == "receiverInfo" else "endpoint"
        raise SnapshotInvalid(
            f"{param}: {problem.detail}",
            param=param,
            fix=problem.fix or "write an address, http://receiver.example/told",
        ) from None


class _Receivers:
    """The receivers in memory; implements `broker.delivery.Book`."""

    def __init__(self) -> None:
        self._by_key: dict[Key, Told] = {}
        self._wake: Callable[[Key, DueNotification], None] = lambda _key, _one: None
        self._changed: Callable[[Key], None] = lambda _key: None

    def on_due(self, wake: Callable[[Key, DueNotification], None]) -> None:
        self._wake = wake

    def on_change(self, changed: Callable[[Key], None]) -> None:
        self._changed = changed

    def get(self, key: Key) -> Told | None:
        return self._by_key.get(key)

    def add(self, one: Told) -> None:
        self._by_key[one.key] = one

    def wake(self, one: Told, due: DueNotification) -> None:
        """Say that something is due to a receiver, who may be new."""
        self.add(one)
        self._wake(one.key, due)

    def drop(self, key: Key) -> None:
        if self._by_key.pop(key, None) is not None:
            self._changed(key)


class _Letters:
    """Implements `broker.delivery.Letters` for snapshots."""

    def letter(self, subscription: Told, due: DueNotification) -> dict[str, Any]:
        return {
            "id": letter_id("SnapshotNotification", subscription.id, due),
            "type": "SnapshotNotification",
            **orjson.loads(due.body),
        }

    def merged(self, due: list[DueNotification]) -> DueNotification:
        """Return the first one; nothing that is told of snapshots is throttled."""
        return due[0]


class Telling:
    """Tells receivers what becomes of snapshots; `start` once, `stop` at the end."""

    def __init__(
        self,
        work: BriefWork[Tx],
        store: NoticeStore,
        core: Context,
        receiver: Receiver,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._work = work
        self._store = store
        self._core = core
        self._clock = clock
        self._book = _Receivers()
        self._delivery: Delivery[Told] = Delivery(
            work,
            store,
            self._book,
            _Letters(),
            receiver,
            publisher,
            clock,
            emptied=self._book.drop,
        )

    async def start(self) -> None:
        """Send what an earlier run left, then whatever becomes due."""

        def left(tx: Tx) -> list[tuple[Key, dict[str, Any] | None]]:
            keys = [(space, snapshot_id) for space, snapshot_id, _ in self._store.waiting(tx)]
            return [(key, self._store.receiver(tx, key)) for key in keys]

        for key, to in await self._work.read(left):
            if to is not None and (endpoint := receiver_of(to)) is not None:
                self._book.add(Told(key, endpoint, self._core))
        await self._delivery.start()

    async def stop(self) -> None:
        """Stop sending; what is due stays."""
        await self._delivery.stop()

    def check_room(self, tx: Tx, tenant: str, members: Mapping[str, Any]) -> None:
        """Raise `TooLarge` when somebody is to be told and too much waits to be told already."""
        if "endpoint" in members and self._store.count(tx, tenant) >= MOST_WAITING:
            raise TooLarge(
                f"{MOST_WAITING} notices of snapshots wait for their receivers",
                code="snapshot.notices",
                param="endpoint",
                fix="see that the receivers answer, or leave endpoint out",
            )

    def tell(self, tx: Tx, made: Snapshot) -> None:
        """Note that the receiver of a snapshot, if it has one, is to hear how it stands."""
        endpoint = receiver_of(made.document)
        if endpoint is None:
            return
        shown = made.shown()
        told = {name: shown[own] for own, name in _TOLD.items() if own in shown}
        to = {name: made.document[name] for name in _RECEIVER if name in made.document}
        due = self._store.add(tx, made, orjson.dumps(to), orjson.dumps(told))
        one = Told((made.space, made.id), endpoint, self._core)
        tx.after_commit(lambda: self._book.wake(one, due))

    async def round(self) -> None:
        """Give up what no receiver took for a day."""
        before_us = to_us(self._clock.now() - GIVEN_UP)
        if not await self._work.read(self._store.waiting):
            return
        for key in await self._work.write(lambda tx: self._store.end(tx, before_us)):
            _log.warning("snapshot.notice_given_up", id=key[1])
            self._book.drop(key)
