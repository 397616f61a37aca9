"""Subscriptions: reading them, finding those a change is due to, and what they are told.

The book is kept in memory and replaced as a whole when a subscription changes, so that the writer thread
reads it without a lock. It is filled from the store at start and after every committed change to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import re2

from chengmai.broker.problems import SubscriptionInvalid
from chengmai.kernel.problems import NotSupported
from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.geoq import GeoQuery, parse_geoq
from chengmai.ngsild.geoq import matches as near_enough
from chengmai.ngsild.q import Query, parse_q
from chengmai.ngsild.q import matches as holds
from chengmai.ngsild.represent import Form, compact_entity
from chengmai.ngsild.select import Selector, matches_types, parse_types

Key = tuple[str, str]
"""tenant, subscription id"""

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
_DEFAULT_TRIGGERS = frozenset({"attributeCreated", "attributeUpdated"})
_FORMS: dict[str, Form] = {
    "normalized": "normalized",
    "concise": "concise",
    "keyValues": "simplified",
    "simplified": "simplified",
}


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

    @property
    def id(self) -> str:
        """Return the id of the subscription."""
        return self.key[1]

    @property
    def active(self) -> bool:
        """Return whether it may notify."""
        return bool(self.document.get("isActive", True))


def compile_subscription(
    tenant: str, document: dict[str, Any], contexts: ContextCompiler
) -> Subscription:
    """Return the subscription of a document; raises `SubscriptionInvalid` or a problem of its parts."""
    context = contexts.compile(document.get("jsonldContext") or document.get("@context"))
    notification = _member(document, "notification", dict)
    endpoint = _member(notification, "endpoint", dict)
    uri = str(_member(endpoint, "uri", str))
    if not uri.startswith(("http://", "https://")):
        raise NotSupported(
            f"notifications to {uri!r}", param="notification.endpoint.uri", fix="use http(s)"
        )
    for unsupported in ("timeInterval", "scopeQ"):
        if unsupported in document:
            raise NotSupported(f"subscriptions with {unsupported}", param=unsupported)
    entities = tuple(_entity_info(info, context) for info in document.get("entities", []))
    watched = document.get("watchedAttributes", [])
    if not entities and not watched:
        raise SubscriptionInvalid(
            "neither entities nor watchedAttributes is given",
            param="entities",
            fix="give at least one",
        )
    triggers = frozenset(document.get("notificationTrigger", _DEFAULT_TRIGGERS))
    if unknown := triggers - _TRIGGERS:
        raise SubscriptionInvalid(
            f"unknown trigger {sorted(unknown)[0]!r}", param="notificationTrigger"
        )
    form = _FORMS.get(notification.get("format", "normalized"))
    if form is None:
        raise SubscriptionInvalid("unknown format", param="notification.format")
    geo = document.get("geoQ")
    attributes = notification.get("attributes")
    return Subscription(
        key=(tenant, document["id"]),
        document=document,
        context=context,
        entities=entities,
        watched=frozenset(context.expand(name) for name in watched),
        q=parse_q(document["q"], context) if document.get("q") else None,
        geoq=parse_geoq(
            geo.get("georel", ""),
            geo.get("geometry", ""),
            geo.get("coordinates"),
            geo.get("geoproperty"),
            context,
        )
        if geo
        else None,
        triggers=triggers,
        attributes=None if attributes is None else frozenset(map(context.expand, attributes)),
        form=form,
        sys_attrs=bool(notification.get("sysAttrs", False)),
        endpoint=uri,
        receiver_info=tuple((i["key"], i["value"]) for i in endpoint.get("receiverInfo", [])),
        accept=endpoint.get("accept", "application/json"),
    )


def _member(document: dict[str, Any], name: str, kind: type) -> Any:
    value = document.get(name)
    if not isinstance(value, kind):
        raise SubscriptionInvalid(f"{name} is missing or is no {kind.__name__}", param=name)
    return value


def _entity_info(info: dict[str, Any], context: Context) -> EntityInfo:
    if not isinstance(info, dict) or "type" not in info:
        raise SubscriptionInvalid("an entry of entities has no type", param="entities.type")
    pattern = None
    if "idPattern" in info:
        try:
            pattern = re2.compile(info["idPattern"])
        except re2.error as error:
            raise SubscriptionInvalid(f"idPattern: {error}", param="entities.idPattern") from None
    types = None if info["type"] == "*" else parse_types(info["type"], context)
    return EntityInfo(types=types, id=info.get("id"), id_pattern=pattern)


class SubscriptionBook:
    """Every subscription of every tenant, in memory."""

    def __init__(self) -> None:
        self._by_tenant: dict[str, tuple[Subscription, ...]] = {}
        self._wake: Callable[[Key], None] = lambda _key: None

    def on_due(self, wake: Callable[[Key], None]) -> None:
        """Call `wake(key)` on the event loop whenever something became due to a subscription."""
        self._wake = wake

    def wake(self, key: Key) -> None:
        """Say that something is due."""
        self._wake(key)

    def add(self, subscription: Subscription) -> None:
        """Add or replace a subscription."""
        self.drop(subscription.key)
        tenant = subscription.key[0]
        self._by_tenant[tenant] = (*self._by_tenant.get(tenant, ()), subscription)

    def drop(self, key: Key) -> None:
        """Take a subscription out, if it is there."""
        kept = tuple(s for s in self._by_tenant.get(key[0], ()) if s.key != key)
        self._by_tenant[key[0]] = kept

    def get(self, key: Key) -> Subscription | None:
        """Return a subscription, or None."""
        return next((s for s in self._by_tenant.get(key[0], ()) if s.key == key), None)

    def all(self) -> Iterator[Subscription]:
        """Yield every subscription."""
        for subscriptions in list(self._by_tenant.values()):
            yield from subscriptions

    def matching(
        self, tenant: str, before: Entity | None, after: Entity | None, names: Sequence[str]
    ) -> Iterator[Subscription]:
        """Yield the active subscriptions to which a change of `names` is due (clause 5.8.6)."""
        subscriptions = self._by_tenant.get(tenant, ())
        if not subscriptions:
            return
        happened = _happened(before, after, names)
        entity = after if after is not None else before
        assert entity is not None
        for one in subscriptions:
            if (
                one.active
                and not one.triggers.isdisjoint(happened)
                and (not one.watched or not one.watched.isdisjoint(names))
                and (not one.entities or any(info.covers(entity) for info in one.entities))
                and (one.q is None or holds(one.q, entity))
                and (one.geoq is None or near_enough(one.geoq, entity))
            ):
                yield one

    @staticmethod
    def body(subscription: Subscription, entity: Entity, *, deleted: bool = False) -> bytes:
        """Return the entity as the receiver wants it, as JSON."""
        if deleted:
            return orjson.dumps(
                {
                    "id": entity["id"],
                    "type": [subscription.context.compact(t) for t in entity["type"]],
                }
            )
        return orjson.dumps(
            compact_entity(
                entity,
                subscription.context,
                form=subscription.form,
                sys_attrs=subscription.sys_attrs,
                attrs=None if subscription.attributes is None else set(subscription.attributes),
            )
        )


def _happened(before: Entity | None, after: Entity | None, names: Sequence[str]) -> set[str]:
    if after is None:
        return {"entityDeleted", "attributeDeleted"}
    if before is None:
        return {"entityCreated", "attributeCreated"}
    found = {"entityUpdated"}
    for name in names:
        if name not in before:
            found.add("attributeCreated")
        elif name not in after:
            found.add("attributeDeleted")
        else:
            found.add("attributeUpdated")
    return found
