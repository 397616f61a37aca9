"""All subscriptions in memory: finding those a change is due to, and what they are told.

The book's parts are tuples that are replaced when a subscription changes, so that the writer thread reads
them without a lock. It is filled from the store at start and after every committed change to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import orjson

from chengmai.broker.subscription import Key, Subscription
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.geoq import matches as near_enough
from chengmai.ngsild.q import matches as holds
from chengmai.ngsild.represent import compact_entity

_Shelf = tuple[str, str | None]
"""tenant, type IRI; None holds the subscriptions that no type finds"""


class SubscriptionBook:
    """Every subscription of every tenant, found by the types it is about."""

    def __init__(self) -> None:
        self._by_key: dict[Key, Subscription] = {}
        self._shelves: dict[_Shelf, tuple[Subscription, ...]] = {}
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
        self._by_key[subscription.key] = subscription
        for shelf in _shelves_of(subscription):
            self._shelves[shelf] = (*self._shelves.get(shelf, ()), subscription)

    def drop(self, key: Key) -> None:
        """Take a subscription out, if it is there."""
        known = self._by_key.pop(key, None)
        if known is None:
            return
        for shelf in _shelves_of(known):
            self._shelves[shelf] = tuple(s for s in self._shelves[shelf] if s.key != key)

    def get(self, key: Key) -> Subscription | None:
        """Return a subscription, or None."""
        return self._by_key.get(key)

    def matching(
        self,
        tenant: str,
        before: Entity | None,
        after: Entity | None,
        names: Sequence[str],
        now_us: int,
    ) -> Iterator[Subscription]:
        """Yield the subscriptions to which a change of `names` is due at an instant (clause 5.8.6)."""
        entity = after if after is not None else before
        assert entity is not None
        found = [
            one
            for type_iri in (*entity["type"], None)
            for one in self._shelves.get((tenant, type_iri), ())
        ]
        if not found:
            return
        happened = _happened(before, after, names)
        for one in {one.key: one for one in found}.values():
            if (
                one.is_due(now_us)
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
            types = [subscription.context.compact(t) for t in entity["type"]]
            gone = {"id": entity["id"], "type": types[0] if len(types) == 1 else types}
            return orjson.dumps(gone)
        return orjson.dumps(
            compact_entity(
                entity,
                subscription.context,
                form=subscription.form,
                sys_attrs=subscription.sys_attrs,
                attrs=subscription.attributes,
            )
        )


def _shelves_of(subscription: Subscription) -> set[_Shelf]:
    tenant = subscription.key[0]
    shelves: set[_Shelf] = set()
    for info in subscription.entities:
        types = [None] if info.types is None else info.types.names
        shelves |= {(tenant, type_iri) for type_iri in types}
    return shelves or {(tenant, None)}


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
