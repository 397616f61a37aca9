"""A subscription: reading what a client sent (GS CIM 009 V1.9.1, clause 5.2.12), and what it then is.

What is not offered is refused by name: a filter that is accepted and not applied sends wrong notifications.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import re2

from chengmai.broker.problems import SubscriptionInvalid
from chengmai.kernel.instants import parse_us
from chengmai.kernel.problems import NotSupported
from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.geoq import GeoQuery, parse_geoq
from chengmai.ngsild.limits import check_limits
from chengmai.ngsild.q import Query, parse_q
from chengmai.ngsild.represent import Form
from chengmai.ngsild.select import Selector, matches_types, parse_types

Key = tuple[str, str]
"""tenant, subscription id"""

COUNTERS = ("status", "timesSent", "timesFailed", "lastNotification", "lastSuccess", "lastFailure")
"""Members of `notification` that only the broker writes."""
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
_DEFAULT_TRIGGERS = ("attributeCreated", "attributeUpdated")
_FORMS: dict[str, Form] = {
    "normalized": "normalized",
    "concise": "concise",
    "keyValues": "simplified",
    "simplified": "simplified",
}
_NOT_OFFERED = ("timeInterval", "throttling", "scopeQ", "temporalQ", "csf", "datasetId", "lang")
_NOT_OFFERED_TO_TELL = ("showChanges", "pick", "omit", "join", "joinLevel")
_ACCEPTS = ("application/json", "application/ld+json")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OWN_HEADERS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection"}
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
        if self.id is not None and self.id != entity["id"]:
            return False
        return self.id_pattern is None or self.id_pattern.search(entity["id"]) is not None


@dataclass(frozen=True)
class Subscription:
    """A subscription, compiled; `document` is what the client gave, with what the broker keeps about it."""

    key: Key
    document: dict[str, Any]
    context: Context
    entities: tuple[EntityInfo, ...]
    watched: frozenset[str]
    q: Query | None
    geoq: GeoQuery | None
    triggers: frozenset[str]
    attributes: frozenset[str] | None
    form: Form
    sys_attrs: bool
    endpoint: str
    receiver_info: tuple[tuple[str, str], ...]
    accept: str
    active: bool
    expires_us: int | None

    @property
    def id(self) -> str:
        """Return the id of the subscription."""
        return self.key[1]

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
    context = contexts.compile(document.get("jsonldContext") or document.get("@context"))
    given = _entries(document, "entities", dict)
    entities = tuple(_entity_info(info, context) for info in given)
    watched = _entries(document, "watchedAttributes", str)
    if not entities and not watched:
        raise SubscriptionInvalid(
            "neither entities nor watchedAttributes is given",
            param="entities",
            fix="give at least one",
        )
    q, expires = _text(document, "q"), _text(document, "expiresAt")
    return Subscription(
        key=(tenant, document["id"]),
        document=document,
        context=context,
        entities=entities,
        watched=frozenset(context.expand(name) for name in watched),
        q=parse_q(q, context) if q else None,
        geoq=_geoq(document, context),
        triggers=_triggers(document),
        active=_flag(document, "isActive", default=True),
        expires_us=parse_us(expires, "expiresAt") if expires else None,
        **_notification(document, context),
    )


def _notification(document: dict[str, Any], context: Context) -> dict[str, Any]:
    notification = _member(document, "notification", dict)
    for name in _NOT_OFFERED_TO_TELL:
        if name in notification:
            raise NotSupported(f"notifications with {name}", param=f"notification.{name}")
    endpoint = _member(notification, "endpoint", dict)
    uri = _checked_uri(str(_member(endpoint, "uri", str)))
    form = _FORMS.get(_text(notification, "format") or "normalized")
    if form is None:
        raise SubscriptionInvalid(
            "unknown format", param="notification.format", fix="use " + ", ".join(_FORMS)
        )
    accept = _text(endpoint, "accept") or _ACCEPTS[0]
    if accept not in _ACCEPTS:
        raise NotSupported(
            f"notifications as {accept!r}",
            param="notification.endpoint.accept",
            fix="use " + " or ".join(_ACCEPTS),
        )
    attributes = _entries(notification, "attributes", str)
    return {
        "attributes": frozenset(map(context.expand, attributes)) if attributes else None,
        "form": form,
        "sys_attrs": _flag(notification, "sysAttrs", default=False),
        "endpoint": uri,
        "receiver_info": tuple(map(_header, _entries(endpoint, "receiverInfo", dict))),
        "accept": accept,
    }


def _checked_uri(uri: str) -> str:
    param = "notification.endpoint.uri"
    if not uri.startswith(("http://", "https://")):
        raise NotSupported(f"notifications to {uri!r:.80}", param=param, fix="use http(s)")
    try:
        parts = urlsplit(uri)
        good = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or not (uri.isascii() and uri.isprintable()) or " " in uri:
        raise SubscriptionInvalid(f"{uri!r:.80} is no address", param=param)
    return uri


def _header(info: dict[str, Any]) -> tuple[str, str]:
    key, value = info.get("key"), info.get("value")
    good = isinstance(key, str) and _HEADER.fullmatch(key) and key.lower() not in _OWN_HEADERS
    if not good or not isinstance(value, str) or not (value.isascii() and value.isprintable()):
        raise SubscriptionInvalid(
            "an entry of receiverInfo is no header that can be sent",
            param="notification.endpoint.receiverInfo",
            fix='write {"key": "X-Name", "value": "printable ASCII"}',
        )
    return str(key), value


def _geoq(document: dict[str, Any], context: Context) -> GeoQuery | None:
    if document.get("geoQ") is None:
        return None
    geo = _member(document, "geoQ", dict)
    coordinates = geo.get("coordinates")
    if not isinstance(coordinates, list | str):
        raise SubscriptionInvalid("geoQ has no coordinates", param="geoQ.coordinates")
    return parse_geoq(
        str(_member(geo, "georel", str)),
        str(_member(geo, "geometry", str)),
        coordinates,
        _text(geo, "geoproperty"),
        context,
    )


def _triggers(document: dict[str, Any]) -> frozenset[str]:
    triggers = frozenset(_entries(document, "notificationTrigger", str) or _DEFAULT_TRIGGERS)
    if unknown := sorted(triggers - _TRIGGERS):
        raise SubscriptionInvalid(
            f"unknown trigger {unknown[0]!r}",
            param="notificationTrigger",
            fix="use " + ", ".join(sorted(_TRIGGERS)),
        )
    return triggers


def _entity_info(info: dict[str, Any], context: Context) -> EntityInfo:
    types = _text(info, "type")
    if types is None:
        raise SubscriptionInvalid("an entry of entities has no type", param="entities.type")
    pattern = _text(info, "idPattern")
    compiled = None
    if pattern is not None:
        try:
            compiled = re2.compile(pattern)
        except re2.error as error:
            raise SubscriptionInvalid(f"idPattern: {error}", param="entities.idPattern") from None
    return EntityInfo(
        types=None if types == "*" else parse_types(types, context),
        id=_text(info, "id"),
        id_pattern=compiled,
    )


def _member(document: dict[str, Any], name: str, kind: type) -> Any:
    value = document.get(name)
    if not isinstance(value, kind):
        raise SubscriptionInvalid(f"{name} is missing or is no {kind.__name__}", param=name)
    return value


def _text(document: dict[str, Any], name: str) -> str | None:
    if document.get(name) is None:
        return None
    return str(_member(document, name, str))


def _flag(document: dict[str, Any], name: str, *, default: bool) -> bool:
    return default if document.get(name) is None else bool(_member(document, name, bool))


def _entries(document: dict[str, Any], name: str, kind: type) -> list[Any]:
    if document.get(name) is None:
        return []
    found: list[Any] = _member(document, name, list)
    if not all(isinstance(one, kind) for one in found):
        raise SubscriptionInvalid(f"an entry of {name} is no {kind.__name__}", param=name)
    return found
