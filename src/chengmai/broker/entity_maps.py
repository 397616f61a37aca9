"""Entity maps: what a query found, kept so that its pages are of one set (GS CIM 009 V1.9.1, 5.5.9.3, 5.14).

A map belongs to a tenant and ends by itself. It holds ids and who holds each entity, never content: whoever
uses it asks for the entities anew, with the filters of the query, and what no longer fits leaves the map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from chengmai.broker.problems import EntityMapNotFound
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_us, to_us
from chengmai.kernel.problems import TooLarge
from chengmai.kernel.work import Tx, Work
from chengmai.trust.ports import Audit

LOCAL = "@none"
"""Stands for this broker among the holders of an entity (clause 5.2.39)."""
MOST_ENTITIES = 10_000
MOST_MAPS = 1_000
"""That a tenant has at a time."""
LIFETIME = timedelta(hours=1)
LONGEST = timedelta(days=1)

Holders = Mapping[str, Sequence[str]]
"""Entity id to who holds it: ids of registrations, and `LOCAL`."""


@dataclass(frozen=True)
class EntityMap:
    """A map as it is kept."""

    tenant: str
    id: str
    expires_us: int
    holders: Holders

    def document(self) -> dict[str, Any]:
        """Return the EntityMap of clause 5.2.39."""
        return {
            "id": self.id,
            "type": "EntityMap",
            "expiresAt": format_us(self.expires_us),
            "entityMap": {one: list(held) for one, held in self.holders.items()},
        }


class EntityMapStore(Protocol):
    """Port: maps of every tenant."""

    def get(self, tx: Any, tenant: str, map_id: str) -> EntityMap | None:
        """Return a map, expired or not; None when there is none."""
        ...

    def put(self, tx: Any, kept: EntityMap) -> None:
        """Create or replace a map."""
        ...

    def remove(self, tx: Any, tenant: str, map_id: str) -> None:
        """Delete a map, if it is there."""
        ...

    def sweep(self, tx: Any, now_us: int) -> None:
        """Delete the maps of every tenant that expired."""
        ...

    def count(self, tx: Any, tenant: str) -> int:
        """Return how many maps a tenant has."""
        ...


class EntityMaps:
    """Use cases on entity maps."""

    def __init__(self, work: Work[Tx], store: EntityMapStore, audit: Audit) -> None:
        self._work = work
        self._store = store
        self._audit = audit

    async def create(
        self, actor: Actor, map_id: str, holders: Holders, lifetime: timedelta | None = None
    ) -> EntityMap:
        """Keep a map for `lifetime`, an hour unless told and a day at most (clauses 5.14.4, 5.14.5).

        Raises `TooLarge` when it holds too many entities or the tenant has too many maps.
        """
        if len(holders) > MOST_ENTITIES:
            raise TooLarge(
                f"more than {MOST_ENTITIES} entities match",
                code="entity_map.size",
                param="entityMap",
                fix="narrow the query",
            )

        def create(tx: Tx) -> EntityMap:
            self._store.sweep(tx, to_us(tx.now))
            if self._store.count(tx, actor.tenant) >= MOST_MAPS:
                raise TooLarge(
                    f"there are {MOST_MAPS} entity maps already",
                    code="entity_map.many",
                    param="entityMap",
                    fix="delete some, or ask for shorter lifetimes",
                )
            length = min(LIFETIME if lifetime is None else lifetime, LONGEST)
            made = EntityMap(actor.tenant, map_id, to_us(tx.now + length), holders)
            self._store.put(tx, made)
            self._audit.line(tx, actor, "entity_map.create", map_id, {"entities": len(holders)})
            return made

        return await self._work.write(create)

    async def find(self, actor: Actor, map_id: str) -> EntityMap | None:
        """Return a map that has not expired, or None."""

        def find(tx: Tx) -> EntityMap | None:
            return self._alive(tx, actor.tenant, map_id)

        return await self._work.read(find)

    async def get(self, actor: Actor, map_id: str) -> EntityMap:
        """Return a map (clause 5.14.1); raises `EntityMapNotFound`."""
        found = await self.find(actor, map_id)
        if found is None:
            raise EntityMapNotFound(map_id)
        return found

    async def end_at(self, actor: Actor, map_id: str, expires_us: int) -> None:
        """Let a map end at another instant, a day from now at most (clause 5.14.2)."""

        def change(tx: Tx) -> None:
            kept = self._checked(tx, actor, map_id)
            latest = to_us(tx.now + LONGEST)
            self._store.put(tx, replace(kept, expires_us=min(expires_us, latest)))
            self._audit.line(tx, actor, "entity_map.update", map_id, {})

        await self._work.write(change)

    async def delete(self, actor: Actor, map_id: str) -> None:
        """Delete a map (clause 5.14.3); raises `EntityMapNotFound`."""

        def delete(tx: Tx) -> None:
            self._checked(tx, actor, map_id)
            self._store.remove(tx, actor.tenant, map_id)
            self._audit.line(tx, actor, "entity_map.delete", map_id, {})

        await self._work.write(delete)

    async def keep(self, actor: Actor, map_id: str, entity_ids: Sequence[str]) -> None:
        """Leave in a map only these of its entities: the others fit the query no more (clause 5.5.9.3)."""
        kept_ids = frozenset(entity_ids)

        def prune(tx: Tx) -> None:
            kept = self._alive(tx, actor.tenant, map_id)
            if kept is not None and not kept_ids.issuperset(kept.holders):
                left = {one: held for one, held in kept.holders.items() if one in kept_ids}
                self._store.put(tx, replace(kept, holders=left))

        await self._work.write(prune)

    def _checked(self, tx: Tx, actor: Actor, map_id: str) -> EntityMap:
        kept = self._alive(tx, actor.tenant, map_id)
        if kept is None:
            raise EntityMapNotFound(map_id)
        return kept

    def _alive(self, tx: Tx, tenant: str, map_id: str) -> EntityMap | None:
        kept = self._store.get(tx, tenant, map_id)
        return kept if kept is not None and kept.expires_us > to_us(tx.now) else None
