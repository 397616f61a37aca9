"""Use cases on subscriptions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import structlog

from chengmai.broker.ports import SubscriptionStore, Tally
from chengmai.broker.problems import SubscriptionExists, SubscriptionInvalid, SubscriptionNotFound
from chengmai.broker.subscription import (
    COUNTERS,
    DEFAULT_TRIGGERS,
    Key,
    Subscription,
    compile_subscription,
)
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_instant, from_us, parse_instant
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import ContextCompiler
from chengmai.trust.ports import Audit

_log = structlog.get_logger(__name__)


class Kept(Protocol):
    """What is kept of a subscription, whatever it is about."""

    @property
    def key(self) -> Key:
        """Return tenant and id."""
        ...

    @property
    def id(self) -> str:
        """Return the id of the subscription."""
        ...

    @property
    def document(self) -> dict[str, Any]:
        """Return what is kept of it."""
        ...


K = TypeVar("K", bound=Kept)
K_contra = TypeVar("K_contra", bound=Kept, contravariant=True)


class Book(Protocol[K_contra]):
    """Port: the subscriptions in memory."""

    def add(self, subscription: K_contra) -> None:
        """Add or replace a subscription."""
        ...

    def drop(self, key: Key) -> None:
        """Take a subscription out, if it is there."""
        ...


async def _at_once() -> None:
    return


def _nothing(_tx: Tx, _subscription: Any) -> None:
    return


@dataclass(frozen=True)
class Kind(Generic[K]):
    """What subscriptions are about: how a document is read, and what follows when one begins or changes.

    `defaults` are members shown where a document does not say; periodic ones have none.
    """

    name: str
    compile: Callable[[str, dict[str, Any], ContextCompiler], K]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    begun: Callable[[Tx, K], None] = _nothing


TO_ENTITIES: Kind[Subscription] = Kind(
    "subscription", compile_subscription, {"notificationTrigger": list(DEFAULT_TRIGGERS)}
)


class Subscribing(Generic[K]):
    """Creates, changes and ends subscriptions; the book in memory follows each commit."""

    def __init__(
        self,
        work: Work[Tx],
        store: SubscriptionStore,
        book: Book[K],
        audit: Audit,
        contexts: ContextCompiler,
        kind: Kind[K],
    ) -> None:
        self._work = work
        self._store = store
        self._book = book
        self._audit = audit
        self._contexts = contexts
        self._kind = kind
        self._settle: Callable[[], Awaitable[None]] = _at_once

    def on_look(self, settle: Callable[[], Awaitable[None]]) -> None:
        """Wait for `settle` before counters are shown."""
        self._settle = settle

    async def load(self) -> int:
        """Fill the book from the store; return how many subscriptions there are.

        One that cannot be read any more (its context is gone, say) is told in the log and left out.
        """
        rows = await self._work.read(self._store.all)
        for tenant, document in rows:
            try:
                self._book.add(self._compile(tenant, document))
            except Problem as problem:
                _log.warning("subscription.left_out", id=document["id"], why=problem.detail)
        return len(rows)

    async def create(self, actor: Actor, document: dict[str, Any]) -> None:
        """Create a subscription (clause 5.8.1); raises `SubscriptionExists` and problems of its parts."""
        compiled = self._compile(actor.tenant, document)

        def create(tx: Tx) -> None:
            if self._store.get(tx, actor.tenant, document["id"]) is not None:
                raise SubscriptionExists(document["id"])
            _check_end(document, tx.now)
            self._put(tx, actor, compiled, "create")

        await self._work.write(create)

    async def change(self, actor: Actor, subscription_id: str, fragment: dict[str, Any]) -> None:
        """Change members of a subscription (clause 5.8.2); a null removes one."""

        def change(tx: Tx) -> None:
            document = self._store.get(tx, actor.tenant, subscription_id)
            if document is None:
                raise SubscriptionNotFound(subscription_id)
            _check_end(fragment, tx.now)
            compiled = self._compile(actor.tenant, _changed(document, fragment))
            self._put(tx, actor, compiled, "update")

        await self._work.write(change)

    async def get(self, actor: Actor, subscription_id: str) -> dict[str, Any]:
        """Return a subscription with its counters (clause 5.8.3); raises `SubscriptionNotFound`."""

        def get(tx: Tx) -> dict[str, Any] | None:
            document = self._store.get(tx, actor.tenant, subscription_id)
            return None if document is None else self._shown(tx, actor.tenant, document)

        await self._settle()
        found = await self._work.read(get)
        if found is None:
            raise SubscriptionNotFound(subscription_id)
        return found

    async def list(self, actor: Actor) -> list[dict[str, Any]]:
        """Return the subscriptions of the actor's tenant, ordered by id (clause 5.8.4)."""

        def every(tx: Tx) -> list[dict[str, Any]]:
            rows = self._store.all(tx)
            return [self._shown(tx, t, document) for t, document in rows if t == actor.tenant]

        await self._settle()
        return await self._work.read(every)

    async def delete(self, actor: Actor, subscription_id: str) -> None:
        """End a subscription (clause 5.8.5); what is still due to it is dropped."""

        def delete(tx: Tx) -> None:
            if not self._store.remove(tx, actor.tenant, subscription_id):
                raise SubscriptionNotFound(subscription_id)
            self._audit.line(tx, actor, f"{self._kind.name}.delete", subscription_id, {})
            tx.after_commit(lambda: self._book.drop((actor.tenant, subscription_id)))

        await self._work.write(delete)

    def end_all(self, tx: Tx, tenant: str) -> None:
        """End the subscriptions of a tenant, and say nothing of it in the audit trail."""
        for holder, document in self._store.all(tx):
            if holder == tenant:
                self._store.remove(tx, tenant, document["id"])
                tx.after_commit(partial(self._book.drop, (tenant, document["id"])))

    def _compile(self, tenant: str, document: dict[str, Any]) -> K:
        return self._kind.compile(tenant, document, self._contexts)

    def _put(self, tx: Tx, actor: Actor, compiled: K, action: str) -> None:
        self._store.put(tx, actor.tenant, compiled.document)
        self._audit.line(tx, actor, f"{self._kind.name}.{action}", compiled.id, {})
        tx.after_commit(lambda: self._book.add(compiled))
        self._kind.begun(tx, compiled)

    def _shown(self, tx: Tx, tenant: str, document: dict[str, Any]) -> dict[str, Any]:
        if "timeInterval" not in document:
            document = {**self._kind.defaults, **document}
        if (tally := self._store.tally(tx, tenant, document["id"])) is not None:
            document = {**document, "notification": _counted(document["notification"], tally)}
        return {**document, "status": _status(document, tx.now)}


def _changed(document: dict[str, Any], fragment: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the members of the fragment; the broker's counters stay as they are."""
    if fragment.get("type", "Subscription") != "Subscription":
        raise SubscriptionInvalid("a subscription cannot become anything else", param="type")
    merged = {**document, **fragment, "id": document["id"], "type": "Subscription"}
    if isinstance(told := fragment.get("notification"), dict):
        old = document["notification"]
        new = {name: value for name, value in told.items() if name not in COUNTERS}
        merged["notification"] = new | {name: old[name] for name in COUNTERS if name in old}
    return {name: value for name, value in merged.items() if value is not None}


def _counted(notification: dict[str, Any], tally: Tally) -> dict[str, Any]:
    """Return `notification` of a document with its counters; what an older version counted is in it already."""
    made = dict(notification)
    made["timesSent"] = made.get("timesSent", 0) + tally.sent
    if failed := made.get("timesFailed", 0) + tally.failed:
        made["timesFailed"] = failed
    made["lastNotification"] = format_instant(from_us(tally.last_us))
    for name, at_us in (("lastSuccess", tally.success_us), ("lastFailure", tally.failure_us)):
        if at_us is not None:
            made[name] = format_instant(from_us(at_us))
    return made | {"status": "ok" if tally.is_ok else "failed"}


def _status(document: dict[str, Any], now: datetime) -> str:
    if "expiresAt" in document and parse_instant(document["expiresAt"]) <= now:
        return "expired"
    return "active" if document.get("isActive", True) else "paused"


def _check_end(given: dict[str, Any], now: datetime) -> None:
    """Raise `SubscriptionInvalid` when a subscription would have ended already (clauses 5.8.1, 5.8.2)."""
    expires_at = given.get("expiresAt")
    if expires_at is not None and parse_instant(expires_at, "expiresAt") <= now:
        raise SubscriptionInvalid(
            "it lies in the past",
            param="expiresAt",
            fix="name a later instant, or delete it instead",
        )
