"""All subscriptions in memory: finding those a change is due to, and what they are told.

What a change looks at are shelves (`shelves`) whose parts are replaced when a subscription changes, so that the
writer thread reads them without a lock. The book is filled from the store at start and after every committed
change to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from chengmai.broker.ports import DueNotification
from chengmai.broker.shelves import Change as FileChange
from chengmai.broker.shelves import Shelf, file
from chengmai.broker.subscription import Key, Subscription
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.geoq import matches as near_enough
from chengmai.ngsild.linking import Lookup
from chengmai.ngsild.q import matches as holds
from chengmai.ngsild.select import matches_scopes

_Place = tuple[str, str | None]
"""tenant, type IRI; None is for the subscriptions that no type finds"""


class SubscriptionBook:
    """Every subscription of every tenant, found by the types it is about."""

    def __init__(self) -> None:
        self._by_key: dict[Key, Subscription] = {}
        self._shelves: dict[_Place, Shelf] = {}
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

    def every(self) -> list[Subscription]:
        """Return all subscriptions."""
        return list(self._by_key.values())

    def wake(self, key: Key, one: DueNotification) -> None:
        """Say that something is due."""
        self._wake(key, one)

    def add(self, subscription: Subscription) -> None:
        """Add or replace a subscription."""
        self._take_out(subscription.key)
        self._by_key[subscription.key] = subscription
        self._file(subscription, lambda filed: (*filed, subscription))
        self._changed(subscription.key)

    def drop(self, key: Key) -> None:
        """Take a subscription out, if it is there."""
        if self._take_out(key):
            self._changed(key)

    def _take_out(self, key: Key) -> bool:
        known = self._by_key.pop(key, None)
        if known is not None:
            self._file(known, lambda filed: tuple(one for one in filed if one.key != key))
        return known is not None

    def _file(self, subscription: Subscription, change: FileChange) -> None:
        tenant = subscription.key[0]
        for info in subscription.entities or (None,):
            types = (None,) if info is None or info.types is None else info.types.names
            for type_iri in types:
                shelf = self._shelves.setdefault((tenant, type_iri), Shelf())
                file(shelf, info, subscription, change)

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
        lookup: Lookup | None = None,
    ) -> Iterator[Subscription]:
        """Yield the subscriptions to which a change of `names` is due at an instant (clause 5.8.6)."""
        entity = after if after is not None else before
        assert entity is not None
        found: dict[Key, Subscription] = {}
        for type_iri in (*entity["type"], None):
            shelf = self._shelves.get((tenant, type_iri))
            if shelf is not None:
                for filed in shelf.candidates(entity, names):
                    for one in filed:
                        found[one.key] = one
        if not found:
            return
        happened = _happened(before, after, names)
        for one in found.values():
            if not one.is_due(now_us) or one.interval_s is not None:
                continue
            seen = names if not one.watched else [name for name in names if name in one.watched]
            if one.watched:
                if not seen:
                    continue
                of_watched = _happened(before, after, seen)
            else:
                of_watched = happened
            if not one.triggers.isdisjoint(of_watched) and self.selects(one, entity, lookup):
                yield one

    @staticmethod
    def selects(one: Subscription, entity: Entity, lookup: Lookup | None = None) -> bool:
        """Return whether an entity is one that a subscription is about; `lookup` finds linked entities."""
        for info in one.entities:
            if info.covers(entity):
                break
        else:
            if one.entities:
                return False
        return (
            (one.q is None or holds(one.q, entity, lookup))
            and (one.geoq is None or near_enough(one.geoq, entity))
            and (one.scopes is None or matches_scopes(one.scopes, entity.get("scope", ())))
        )


def _happened(before: Entity | None, after: Entity | None, names: Sequence[str]) -> set[str]:
    if after is None:
        return {"entityDeleted", "attributeDeleted"}
    if before is None:
        return {"entityCreated", "attributeCreated"}
    found = {"entityUpdated"}
    for name in names:
        old, new = _datasets(before, name), _datasets(after, name)
        if new - old:
            found.add("attributeCreated")
        if old - new:
            found.add("attributeDeleted")
        if old & new and before.get(name) != after.get(name):
            found.add("attributeUpdated")
    return found


def _datasets(entity: Entity, name: str) -> set[str | None]:
    if ":" not in name:
        return {None} if name in entity else set()
    return {one.get("datasetId") for one in entity.get(name, ())}
