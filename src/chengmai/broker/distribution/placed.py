"""What is kept of a subscription that was forwarded to a source, and the form it is forwarded in.

GS CIM 009 V1.9.1, clauses 5.8.1.4 and 4.3.6: the source gets what concerns it, under an id of its own, and
tells this broker instead of the subscriber. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from chengmai.broker.distribution.narrowing import QUERY
from chengmai.broker.naming import renamed
from chengmai.broker.registry.matching import Asked, Match
from chengmai.broker.registry.model import Mode, Registration
from chengmai.broker.subscription import Subscription
from chengmai.ngsild.contexts import Context

CREATE = "createSubscription"
WANTED, THERE, REFUSED, ENDING = "wanted", "there", "refused", "ending"
_AS_GIVEN = ("notificationTrigger", "timeInterval", "throttling", "expiresAt", "splitEntities")
_FILTERS = ("q", "geoQ", "scopeQ")


@dataclass(frozen=True)
class Placed:
    """A subscription at a source: its `id` there, the `secret` that its notifications come back under.

    `subscription` is the one here; `registration` the document of the source's; `digest` of all that the
    source was told. `via` are the brokers that the subscription came through.
    """

    tenant: str
    id: str
    secret: str
    subscription: str
    registration: dict[str, Any]
    digest: str
    via: list[str]
    state: str = WANTED
    attempts: int = 0

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what it is for: tenant, subscription, registration and content."""
        return self.tenant, self.subscription, str(self.registration["id"]), self.digest


class PlacedStore(Protocol):
    """Port: keeps what was forwarded."""

    def all(self, tx: Any) -> list[Placed]:
        """Return every one."""
        ...

    def put(self, tx: Any, one: Placed) -> None:
        """Create or replace one."""
        ...

    def remove(self, tx: Any, one: Placed) -> None:
        """Forget one."""
        ...


def match_of(subscription: Subscription, registration: Registration) -> list[Match | None]:
    """Return how each entry of `entities` (one for none) matches a source; () when it gets nothing."""
    if CREATE not in registration.operations or registration.mode is Mode.AUXILIARY:
        return []
    if subscription.interval_s is not None and not registration.operations.isdisjoint(QUERY):
        # It is asked at each interval, and what it has is told with the rest.
        return []
    watched = subscription.watched or None
    asked = [
        Asked(
            ids=None if info.id is None else [info.id],
            id_pattern=None if info.id_pattern is None else info.id_pattern.pattern,
            types=None if info.types is None else info.types.names,
            attributes=watched,
        )
        for info in subscription.entities
    ] or [Asked(None, None, None, watched)]
    found = [one.match(registration) for one in asked]
    return found if any(one is not None for one in found) else []


def reduced(
    subscription: Subscription,
    matches: Sequence[Match | None],
    own: Context,
    context: Context,
) -> dict[str, Any]:
    """Return the subscription as a source gets it, in the names of `context`; `own` are those it is in.

    Filters go along where the source can judge them: it has the whole entity and reads the same names. What
    of an entity is shown is decided here.
    """
    document = subscription.document
    made: dict[str, Any] = {"type": "Subscription"}
    if entries := document.get("entities"):
        made["entities"] = [
            one for one, match in zip(entries, matches, strict=True) if match is not None
        ]
    made |= {name: document[name] for name in _AS_GIVEN if document.get(name) is not None}
    found = [match for match in matches if match is not None]
    is_whole = all(match.attributes is None for match in found)
    if is_whole and own.url == context.url and not document.get("splitEntities"):
        made |= {name: document[name] for name in _FILTERS if document.get(name) is not None}
    if subscription.interval_s is None:
        watched = subscription.watched
        if not is_whole:
            watched = frozenset().union(
                *(match.attributes or subscription.watched for match in found)
            )
        if watched:
            made["watchedAttributes"] = sorted(watched)
    if context.url is not None:
        made["jsonldContext"] = context.url
    return renamed(made, lambda name: context.compact(name if ":" in name else own.expand(name)))


def digest_of(registration: Registration, body: dict[str, Any]) -> str:
    """Return what tells one content for one source from another."""
    to = [registration.endpoint, registration.source_tenant, registration.headers]
    told = [body, to, registration.context_url]
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()
