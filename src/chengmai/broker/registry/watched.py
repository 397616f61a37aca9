"""A subscription to registrations: what it is about, and the book of all of them (clauses 5.2.12 and 5.11)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chengmai.broker.documents import member, text
from chengmai.broker.endpoint import Endpoint
from chengmai.broker.ports import DueNotification
from chengmai.broker.problems import SubscriptionInvalid
from chengmai.broker.registry.discovery import Discovery, fits
from chengmai.broker.registry.matching import Asked
from chengmai.broker.registry.model import Registration
from chengmai.broker.subscription import EntityInfo, Key, Subscription, compile_subscription
from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.q import parse_q
from chengmai.ngsild.temporal import TemporalQuery, parse_temporal

_OF_SOURCES = ("temporalQ", "csf")
_IGNORED = ("notificationTrigger",)
"""What says nothing here (clause 5.2.12)."""


@dataclass(frozen=True)
class SourceSubscription:
    """A subscription to registrations, compiled. `base` is what it has in common with others.

    A registration is meant when it fits `conditions` and one of `asked`.
    """

    base: Subscription
    conditions: Discovery
    asked: tuple[Asked, ...]

    @property
    def key(self) -> Key:
        """Return tenant and id."""
        return self.base.key

    @property
    def id(self) -> str:
        """Return the id of the subscription."""
        return self.base.id

    @property
    def document(self) -> dict[str, Any]:
        """Return what the client gave."""
        return self.base.document

    @property
    def endpoint(self) -> Endpoint:
        """Return where notifications go."""
        return self.base.endpoint

    @property
    def accept(self) -> str:
        """Return the media type its receiver asked for."""
        return self.base.accept

    @property
    def context(self) -> Context:
        """Return the context of the notifications."""
        return self.base.context

    @property
    def context_source(self) -> Any:
        """Return the `@context` that notifications carry."""
        return self.base.context_source

    @property
    def throttling_s(self) -> float | None:
        """Return the least number of seconds between two notifications."""
        return self.base.throttling_s

    @property
    def interval_s(self) -> float | None:
        """Return how often it is told, where it is periodic."""
        return self.base.interval_s

    def is_due(self, now_us: int) -> bool:
        """Return whether it may notify at an instant."""
        return self.base.is_due(now_us)

    def parts_of(self, registration: Registration, core: Context) -> tuple[int, ...]:
        """Return which entries of a registration's `information` are meant; () when it is not."""
        if not fits(self.conditions, registration, core):
            return ()
        matches = [match for one in self.asked if (match := one.match(registration)) is not None]
        return tuple(sorted({at for match in matches for at in match.positions}))


def compile_source_subscription(
    tenant: str, document: dict[str, Any], contexts: ContextCompiler
) -> SourceSubscription:
    """Return the subscription of a document; raises `SubscriptionInvalid` or a problem of its parts."""
    shared = {k: v for k, v in document.items() if k not in (*_OF_SOURCES, *_IGNORED)}
    base = replace(compile_subscription(tenant, shared, contexts), document=document)
    names = contexts.compile(document["@context"]) if "@context" in document else base.context
    csf = text(document, "csf")
    filters = (base.q, None if csf is None else parse_q(csf, names))
    return SourceSubscription(
        base=base,
        conditions=Discovery(
            filters=tuple(one for one in filters if one is not None),
            scopes=base.scopes,
            geoq=base.geoq,
            window=_window(document),
        ),
        asked=tuple(_asked(info, base) for info in base.entities or (None,)),
    )


def _asked(info: EntityInfo | None, base: Subscription) -> Asked:
    watched = base.watched or None
    if info is None:
        return Asked(None, None, None, watched)
    return Asked(
        ids=None if info.id is None else [info.id],
        id_pattern=None if info.id_pattern is None else info.id_pattern.pattern,
        types=None if info.types is None else info.types.names,
        attributes=watched,
    )


def _window(document: dict[str, Any]) -> TemporalQuery | None:
    if document.get("temporalQ") is None:
        return None
    given = member(document, "temporalQ", dict)
    if not all(isinstance(value, str) for value in given.values()):
        raise SubscriptionInvalid("a member of temporalQ is no text", param="temporalQ")
    window = parse_temporal(given)
    if window.timerel is None:
        raise SubscriptionInvalid(
            "temporalQ has no timerel",
            param="temporalQ.timerel",
            fix="say before, after or between",
        )
    return window


class WatchBook:
    """Every subscription to registrations, of every tenant; follows each commit."""

    def __init__(self) -> None:
        self._by_key: dict[Key, SourceSubscription] = {}
        self._wake: Callable[[Key, DueNotification], None] = lambda _key, _one: None
        self._listeners: list[Callable[[Key], None]] = []

    def on_due(self, wake: Callable[[Key, DueNotification], None]) -> None:
        """Call `wake(key, one)` on the event loop whenever something became due to a subscription."""
        self._wake = wake

    def on_change(self, changed: Callable[[Key], None]) -> None:
        """Call `changed(key)` on the event loop whenever a subscription came, changed or went."""
        self._listeners.append(changed)

    def _changed(self, key: Key) -> None:
        for told in self._listeners:
            told(key)

    def every(self) -> Sequence[SourceSubscription]:
        """Return all subscriptions."""
        return list(self._by_key.values())

    def wake(self, key: Key, one: DueNotification) -> None:
        """Say that something is due."""
        self._wake(key, one)

    def add(self, subscription: SourceSubscription) -> None:
        """Add or replace a subscription."""
        self._by_key[subscription.key] = subscription
        self._changed(subscription.key)

    def drop(self, key: Key) -> None:
        """Take a subscription out, if it is there."""
        if self._by_key.pop(key, None) is not None:
            self._changed(key)

    def get(self, key: Key) -> SourceSubscription | None:
        """Return a subscription, or None."""
        return self._by_key.get(key)
