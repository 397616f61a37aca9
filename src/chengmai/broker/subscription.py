"""A subscription: reading what a client sent (GS CIM 009 V1.9.1, clause 5.2.12), and what it then is.

What is not offered is refused by name: a filter that is accepted and not applied sends wrong notifications.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import orjson
import re2

from chengmai.broker.documents import entries, flag, member, number, text
from chengmai.broker.endpoint import Endpoint, read_notification
from chengmai.broker.problems import SubscriptionInvalid
from chengmai.kernel.instants import parse_us
from chengmai.kernel.problems import NotSupported
from chengmai.ngsild.contexts import CORE_URL, Context, ContextCompiler
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.geoq import GeoQuery, parse_geoq
from chengmai.ngsild.limits import check_limits
from chengmai.ngsild.linking import Join
from chengmai.ngsild.members import checked_uri
from chengmai.ngsild.projection import View
from chengmai.ngsild.q import Query, parse_q
from chengmai.ngsild.represent import Form
from chengmai.ngsild.select import Selector, matches_types, parse_scopes, parse_types

Key = tuple[str, str]
"""tenant, subscription id"""

COUNTERS = ("status", "timesSent", "timesFailed", "lastNotification", "lastSuccess", "lastFailure")
"""Members of `notification` that only the broker writes."""
MEMBERS = frozenset(
    {
        "@context",
        "id",
        "type",
        "subscriptionName",
        "description",
        "entities",
        "watchedAttributes",
        "notificationTrigger",
        "timeInterval",
        "q",
        "geoQ",
        "csf",
        "isActive",
        "notification",
        "expiresAt",
        "throttling",
        "temporalQ",
        "scopeQ",
        "lang",
        "datasetId",
        "jsonldContext",
        "createdAt",
        "modifiedAt",
        "localOnly",
        "splitEntities",
        "ngsildConformance",
    }
)
"""Members of a subscription (clause 5.2.12) that are kept; `status` is the broker's to say."""
_TRIGGERS = frozenset(
    {
        "entityCreated",
        "entityUpdated",
        "entityDeleted",
        "attributeCreated",
        "attributeUpdated",
        "attributeDeleted",
    }
)
DEFAULT_TRIGGERS = ("attributeCreated", "attributeUpdated")
"""What is told of where a subscription does not say."""
_NOT_OFFERED = ("temporalQ",)
_TELLING = (
    "@context",
    "jsonldContext",
    "lang",
    "datasetId",
    "watchedAttributes",
    "notificationTrigger",
)


@dataclass(frozen=True)
class EntityInfo:
    """One entry of `entities`: types, and an id or a pattern of ids."""

    types: Selector | None
    id: str | None
    id_pattern: Any | None

    def covers(self, entity: Entity) -> bool:
        """Return whether the entity is one of those meant."""
        if self.types is not None and not matches_types(self.types, entity["type"]):
            return False
        if self.id is not None:
            # An id takes precedence over a pattern (clause 5.2.33).
            return bool(self.id == entity["id"])
        return self.id_pattern is None or self.id_pattern.search(entity["id"]) is not None


@dataclass(frozen=True)
class Subscription:
    """A subscription, compiled; `document` is what the client gave, with what the broker keeps about it.

    `context` is that of the notifications. `interval_s` makes it periodic; `throttling_s` is the least
    number of seconds between two notifications.
    """

    key: Key
    document: dict[str, Any]
    context: Context
    entities: tuple[EntityInfo, ...]
    watched: frozenset[str]
    q: Query | None
    geoq: GeoQuery | None
    scopes: Selector | None
    triggers: frozenset[str]
    view: View
    form: Form
    sys_attrs: bool
    show_changes: bool
    join: Join | None
    join_level: int
    lang: str | None
    endpoint: Endpoint
    interval_s: float | None
    throttling_s: float | None
    active: bool
    expires_us: int | None

    @property
    def id(self) -> str:
        """Return the id of the subscription."""
        return self.key[1]

    @cached_property
    def telling(self) -> bytes:
        """Return what is the same for subscriptions that are told the same of a change."""
        parts = {name: self.document.get(name) for name in _TELLING}
        told = self.document["notification"]
        parts["notification"] = {
            name: value for name, value in told.items() if name not in (*COUNTERS, "endpoint")
        }
        return orjson.dumps([parts, self.accept])

    @property
    def accept(self) -> str:
        """Return the media type its receiver asked for."""
        return self.endpoint.accept

    @property
    def context_source(self) -> Any:
        """Return the `@context` that notifications carry."""
        return self.context.source or CORE_URL

    def is_due(self, now_us: int) -> bool:
        """Return whether it may notify at an instant."""
        return self.active and (self.expires_us is None or now_us < self.expires_us)


def compile_subscription(
    tenant: str, document: dict[str, Any], contexts: ContextCompiler
) -> Subscription:
    """Return the subscription of a document; raises `SubscriptionInvalid` or a problem of its parts."""
    check_limits(document)
    for name in _NOT_OFFERED:
        if name in document:
            raise NotSupported(f"subscriptions with {name}", param=name)
    told = _notification_context(document, contexts)
    # Names are read with the context of the request, notifications are written with jsonldContext.
    context = contexts.compile(document["@context"]) if "@context" in document else told
    entities = tuple(entity_info(info, context) for info in entries(document, "entities", dict))
    watched = entries(document, "watchedAttributes", str)
    if not entities and not watched:
        raise SubscriptionInvalid(
            "neither entities nor watchedAttributes is given",
            param="entities",
            fix="give at least one",
        )
    q, scopes, csf = text(document, "q"), text(document, "scopeQ"), text(document, "csf")
    if csf is not None:
        parse_q(unquote(csf), context)
    expires = text(document, "expiresAt")
    datasets = entries(document, "datasetId", str)
    return Subscription(
        key=(tenant, document["id"]),
        document=document,
        context=told,
        entities=entities,
        watched=frozenset(context.expand(name) for name in watched),
        q=parse_q(unquote(q), context) if q else None,
        geoq=_geoq(document, context),
        scopes=parse_scopes(scopes) if scopes else None,
        triggers=_triggers(document),
        lang=text(document, "lang"),
        active=flag(document, "isActive", default=True),
        expires_us=parse_us(expires, "expiresAt") if expires else None,
        **_pace(document),
        **_told_of(
            document.get("snapshot"),
            read_notification(
                member(document, "notification", dict), frozenset(datasets) or None, context
            ),
        ),
    )


def _told_of(snapshot: str | None, made: dict[str, Any]) -> dict[str, Any]:
    """Let notifications from within a snapshot say so (clause 6.3.22)."""
    if snapshot is None:
        return made
    endpoint: Endpoint = made["endpoint"]
    headers = (*endpoint.headers, ("NGSILD-Snapshot", snapshot))
    return {**made, "endpoint": replace(endpoint, headers=headers)}


def _notification_context(document: dict[str, Any], contexts: ContextCompiler) -> Context:
    named = document.get("jsonldContext")
    if isinstance(named, str):
        checked_uri(named, "jsonldContext")
    return contexts.compile(named or document.get("@context"))


def _pace(document: dict[str, Any]) -> dict[str, Any]:
    interval = number(document, "timeInterval", least=0.001)
    throttling = number(document, "throttling", least=0)
    if interval is not None:
        for name in ("throttling", "watchedAttributes"):
            if document.get(name) is not None:
                raise SubscriptionInvalid(
                    f"{name} does not go with timeInterval", param=name, fix="give one of the two"
                )
    return {"interval_s": interval, "throttling_s": throttling or None}


def _geoq(document: dict[str, Any], context: Context) -> GeoQuery | None:
    if document.get("geoQ") is None:
        return None
    geo = member(document, "geoQ", dict)
    coordinates = geo.get("coordinates")
    if not isinstance(coordinates, list | str):
        raise SubscriptionInvalid("geoQ has no coordinates", param="geoQ.coordinates")
    return parse_geoq(
        str(member(geo, "georel", str)),
        str(member(geo, "geometry", str)),
        coordinates,
        text(geo, "geoproperty"),
        context,
    )


def _triggers(document: dict[str, Any]) -> frozenset[str]:
    triggers = frozenset(entries(document, "notificationTrigger", str) or DEFAULT_TRIGGERS)
    if unknown := sorted(triggers - _TRIGGERS):
        raise SubscriptionInvalid(
            f"unknown trigger {unknown[0]!r}",
            param="notificationTrigger",
            fix="use " + ", ".join(sorted(_TRIGGERS)),
        )
    return triggers


def entity_info(info: dict[str, Any], context: Context) -> EntityInfo:
    """Return an entry of `entities` compiled (clauses 5.2.8, 5.2.33); raises `SubscriptionInvalid`."""
    types = text(info, "type")
    if types is None:
        raise SubscriptionInvalid("an entry of entities has no type", param="entities.type")
    pattern = text(info, "idPattern")
    compiled = None
    if pattern is not None:
        try:
            options = re2.Options()
            options.log_errors = False  # or it would write what anybody sends to the log
            compiled = re2.compile(pattern, options)
        except (re2.error, UnicodeError) as error:
            raise SubscriptionInvalid(f"idPattern: {error}", param="entities.idPattern") from None
    return EntityInfo(
        types=None if types == "*" else parse_types(types, context),
        id=text(info, "id"),
        id_pattern=compiled,
    )
