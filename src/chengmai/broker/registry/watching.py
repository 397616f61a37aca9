"""Telling who subscribed to registrations (GS CIM 009 V1.9.1, clauses 5.3.2 and 5.11.7).

What is told is decided and kept in the transaction of the change; delivery is that of all notifications.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Any

import orjson

from chengmai.broker.letters import letter_id
from chengmai.broker.ports import DueNotification, SubscriptionStore
from chengmai.broker.registry.model import Registration, compile_registration, shown_defaults
from chengmai.broker.registry.ports import RegistrationStore
from chengmai.broker.registry.showing import compacted, relevant, without, without_system
from chengmai.broker.registry.watched import (
    SourceSubscription,
    WatchBook,
    compile_source_subscription,
)
from chengmai.kernel.instants import to_us
from chengmai.kernel.work import Tx
from chengmai.ngsild.contexts import ContextCompiler

MOST_SOURCES = 1000
"""That one notification tells of."""


class Reason(StrEnum):
    """Why somebody is told (clause 5.3.2)."""

    NEWLY = "newlyMatching"
    UPDATED = "updated"
    NO_LONGER = "noLongerMatching"


class Watcher:
    """Writes to the outbox what subscriptions to registrations are to be told."""

    def __init__(
        self,
        outbox: SubscriptionStore,
        book: WatchBook,
        registrations: RegistrationStore,
        contexts: ContextCompiler,
    ) -> None:
        self._outbox = outbox
        self._book = book
        self._registrations = registrations
        self._contexts = contexts

    def changed(
        self, tx: Tx, tenant: str, before: Registration | None, after: Registration | None
    ) -> None:
        """Tell of a change of one registration, from what it was to what it is."""
        core, now_us = self._contexts.core, to_us(tx.now)
        for one in self._subscriptions(tx, tenant):
            if not one.is_due(now_us) or one.interval_s is not None:
                continue
            was = () if before is None else one.parts_of(before, core)
            now = () if after is None else one.parts_of(after, core)
            if after is not None and now:
                reason = Reason.UPDATED if was else Reason.NEWLY
                self._tell(tx, one, reason, [_item(one, after, now)])
            elif was:
                last = after or before
                assert last is not None
                parts = was if after is None else tuple(range(len(last.information)))
                self._tell(tx, one, Reason.NO_LONGER, [_item(one, last, parts)])

    def begun(self, tx: Tx, subscription: SourceSubscription) -> None:
        """Tell a subscription that is new, or was changed, of all that matches now."""
        if subscription.is_due(to_us(tx.now)) and (items := self._matching(tx, subscription)):
            self._tell(tx, subscription, Reason.NEWLY, items)

    def compose(self, tx: Tx, subscription: SourceSubscription) -> bytes | None:
        """Return what a periodic subscription is told of; None when nothing matches."""
        items = self._matching(tx, subscription)
        return _body(Reason.NEWLY, items) if items else None

    def _matching(self, tx: Tx, subscription: SourceSubscription) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        tenant, now_us = subscription.key[0], to_us(tx.now)
        for holder, document in self._registrations.all(tx):
            if holder != tenant or len(found) == MOST_SOURCES:
                continue
            one = compile_registration(tenant, document, self._contexts)
            parts = subscription.parts_of(one, self._contexts.core)
            if parts and one.is_live(now_us):
                found.append(_item(subscription, one, parts))
        return found

    def _subscriptions(self, tx: Tx, tenant: str) -> Iterator[SourceSubscription]:
        # The store, not the book alone: another change may stand in this very commit.
        for holder, document in self._outbox.all(tx):
            if holder == tenant:
                known = self._book.get((tenant, document["id"]))
                yield known or compile_source_subscription(tenant, document, self._contexts)

    def _tell(
        self, tx: Tx, one: SourceSubscription, reason: Reason, items: list[dict[str, Any]]
    ) -> None:
        about = items[0]["id"] if len(items) == 1 else ""
        due = self._outbox.add_due(tx, *one.key, about, _body(reason, items))
        tx.after_commit(lambda: self._book.wake(one.key, due))


class SourceLetters:
    """Implements `broker.delivery.Letters` for subscriptions to registrations."""

    def letter(self, subscription: SourceSubscription, due: DueNotification) -> dict[str, Any]:
        return {
            "id": letter_id("ContextSourceNotification", subscription.id, due),
            "type": "ContextSourceNotification",
            "subscriptionId": subscription.id,
            **orjson.loads(due.body),
        }

    def merged(self, due: list[DueNotification]) -> DueNotification:
        """Return the first ones that have the same reason as one: what was last said of each source."""
        first, last = orjson.loads(due[0].body), due[0]
        items = {item["id"]: item for item in first["data"]}
        for one in due[1:]:
            told = orjson.loads(one.body)
            if told["triggerReason"] != first["triggerReason"]:
                break
            items |= {item["id"]: item for item in told["data"]}
            last = one
        return replace(last, body=_body(Reason(first["triggerReason"]), list(items.values())))


def _item(
    subscription: SourceSubscription, registration: Registration, parts: tuple[int, ...]
) -> dict[str, Any]:
    # What opens the source's door is nobody's business who only wants to know that it is there.
    told = without(relevant(registration.document, parts), "contextSourceInfo")
    shown = {**shown_defaults(registration), **told}
    if not subscription.base.sys_attrs:
        shown = without_system(shown)
    made = compacted(shown, subscription.context)
    for part in made["information"]:
        for info in part.get("entities", ()):
            # A receiver finds types in one form, whether a source has one or several (clause 5.2.8).
            if isinstance(info.get("type"), str):
                info["type"] = [info["type"]]
    return made


def _body(reason: Reason, items: list[dict[str, Any]]) -> bytes:
    return orjson.dumps({"triggerReason": reason.value, "data": items})
