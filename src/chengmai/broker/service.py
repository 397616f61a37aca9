"""Use cases on entities: load, decide with the pure rules of `ngsild`, commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

import re2

from chengmai.broker.commit import CommitPath
from chengmai.broker.model import BatchOutcome, EntityQuery, Found, UpdateOutcome
from chengmai.broker.ports import Candidates, EntityStore
from chengmai.broker.problems import EntityExists, EntityNotFound
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_instant
from chengmai.kernel.problems import Invalid, Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild import geoq, patch, q
from chengmai.ngsild.entity import LOCATION, Entity, Instance
from chengmai.ngsild.select import matches_types

Decide = Callable[[Entity, str], patch.PatchResult]


class Broker:
    """What clients do with entities. Every write is one transaction and answers after its commit."""

    def __init__(self, work: Work[Tx], commit: CommitPath, entities: EntityStore) -> None:
        self._work = work
        self._commit = commit
        self._entities = entities

    async def create(self, actor: Actor, entity: Entity) -> None:
        """Create an entity (clause 5.6.1); raises `EntityExists`."""

        def create(tx: Tx) -> None:
            if self._entities.get(tx, actor.tenant, entity["id"]) is not None:
                raise EntityExists(entity["id"])
            self._commit.create(tx, entity, by=actor)

        await self._work.write(create)

    async def retrieve(self, actor: Actor, entity_id: str) -> Entity:
        """Return an entity (clause 5.7.1); raises `EntityNotFound`."""
        found = await self._work.read(lambda tx: self._entities.get(tx, actor.tenant, entity_id))
        if found is None:
            raise EntityNotFound(entity_id)
        return found

    async def query(self, actor: Actor, query: EntityQuery) -> Found:
        """Return a page of the entities that match (clause 5.7.2); raises `Invalid` on a bad pattern."""
        pattern = _pattern(query.id_pattern)
        return await self._work.read(lambda tx: self._page(tx, actor.tenant, query, pattern))

    async def append(
        self, actor: Actor, entity_id: str, fragment: Entity, *, overwrite: bool = True
    ) -> UpdateOutcome:
        """Append attributes (clause 5.6.3)."""
        return await self._change(
            actor,
            entity_id,
            "entity.append",
            lambda entity, now: patch.append(entity, fragment, now, overwrite=overwrite),
        )

    async def update(self, actor: Actor, entity_id: str, fragment: Entity) -> UpdateOutcome:
        """Update attributes that exist (clause 5.6.2)."""
        return await self._change(
            actor,
            entity_id,
            "entity.update",
            lambda entity, now: patch.update(entity, fragment, now),
        )

    async def merge(self, actor: Actor, entity_id: str, fragment: Entity) -> UpdateOutcome:
        """Merge a patch into an entity (clause 5.6.17)."""
        return await self._change(
            actor, entity_id, "entity.merge", lambda entity, now: patch.merge(entity, fragment, now)
        )

    async def replace(self, actor: Actor, entity_id: str, entity: Entity) -> UpdateOutcome:
        """Replace an entity as a whole (clause 5.6.18)."""
        return await self._change(
            actor, entity_id, "entity.replace", lambda old, now: patch.replace(old, entity, now)
        )

    async def update_attribute(
        self, actor: Actor, entity_id: str, attribute: str, instance: Instance
    ) -> None:
        """Update one attribute in part (clause 5.6.4); raises `AttributeMissing`."""
        await self._change(
            actor,
            entity_id,
            "attribute.update",
            lambda entity, now: patch.partial(entity, attribute, instance, now),
        )

    async def delete_attribute(
        self,
        actor: Actor,
        entity_id: str,
        attribute: str,
        *,
        dataset_id: str | None = None,
        delete_all: bool = False,
    ) -> None:
        """Delete an attribute or one of its instances (clause 5.6.5); raises `AttributeMissing`."""

        def decide(entity: Entity, now: str) -> patch.PatchResult:
            return patch.delete_attribute(entity, attribute, dataset_id, delete_all, now=now)

        await self._change(actor, entity_id, "attribute.delete", decide)

    async def delete(self, actor: Actor, entity_id: str) -> None:
        """Delete an entity and its history (clause 5.6.6); raises `EntityNotFound`."""

        def delete(tx: Tx) -> None:
            if not self._commit.remove(tx, actor.tenant, entity_id, by=actor):
                raise EntityNotFound(entity_id)

        await self._work.write(delete)

    async def batch_create(self, actor: Actor, entities: Sequence[Entity]) -> BatchOutcome:
        """Create each entity (clause 5.6.7)."""

        async def one(entity: Entity) -> bool:
            await self.create(actor, entity)
            return True

        return await self._batch(entities, one)

    async def batch_upsert(
        self, actor: Actor, entities: Sequence[Entity], *, update: bool = False
    ) -> BatchOutcome:
        """Create or replace each entity, or with `update` append to it (clause 5.6.8)."""

        async def one(entity: Entity) -> bool:
            return await self._work.write(lambda tx: self._upsert(tx, actor, entity, update=update))

        return await self._batch(entities, one)

    async def batch_update(
        self, actor: Actor, entities: Sequence[Entity], *, overwrite: bool = True
    ) -> BatchOutcome:
        """Append to each entity, which must exist (clause 5.6.9)."""

        async def one(entity: Entity) -> bool:
            await self.append(actor, entity["id"], entity, overwrite=overwrite)
            return False

        return await self._batch(entities, one)

    async def batch_merge(self, actor: Actor, entities: Sequence[Entity]) -> BatchOutcome:
        """Merge into each entity, which must exist (clause 5.6.20)."""

        async def one(entity: Entity) -> bool:
            await self.merge(actor, entity["id"], entity)
            return False

        return await self._batch(entities, one)

    async def batch_delete(self, actor: Actor, ids: Sequence[str]) -> BatchOutcome:
        """Delete each entity (clause 5.6.10)."""

        async def one(entity: Entity) -> bool:
            await self.delete(actor, entity["id"])
            return False

        return await self._batch([{"id": entity_id} for entity_id in ids], one)

    async def types(self, actor: Actor) -> list[tuple[str, int]]:
        """Return (type IRI, number of entities)."""
        return await self._work.read(lambda tx: self._entities.types(tx, actor.tenant))

    @staticmethod
    async def _batch(
        entities: Sequence[Entity], one: Callable[[Entity], Awaitable[bool]]
    ) -> BatchOutcome:
        outcome = BatchOutcome()
        results = await asyncio.gather(
            *(one(entity) for entity in entities), return_exceptions=True
        )
        for entity, result in zip(entities, results, strict=True):
            if isinstance(result, Problem):
                outcome.failed.append((entity["id"], result))
            elif isinstance(result, BaseException):
                raise result
            else:
                (outcome.created if result else outcome.updated).append(entity["id"])
        return outcome

    def _upsert(self, tx: Tx, actor: Actor, entity: Entity, *, update: bool) -> bool:
        before = self._entities.get(tx, actor.tenant, entity["id"])
        if before is None:
            self._commit.create(tx, entity, by=actor)
            return True
        now = format_instant(tx.now)
        decide = patch.append if update else patch.replace
        self._save(tx, actor, "entity.upsert", before, decide(before, entity, now))
        return False

    async def _change(
        self, actor: Actor, entity_id: str, action: str, decide: Decide
    ) -> UpdateOutcome:
        def change(tx: Tx) -> UpdateOutcome:
            before = self._entities.get(tx, actor.tenant, entity_id)
            if before is None:
                raise EntityNotFound(entity_id)
            result = decide(before, format_instant(tx.now))
            return self._save(tx, actor, action, before, result)

        return await self._work.write(change)

    def _save(
        self, tx: Tx, actor: Actor, action: str, before: Entity, result: patch.PatchResult
    ) -> UpdateOutcome:
        self._commit.save(tx, before, result, by=actor, action=action)
        return UpdateOutcome(updated=result.updated, not_updated=result.not_updated)

    def _page(self, tx: Tx, tenant: str, query: EntityQuery, pattern: object) -> Found:
        if _is_exact(query):
            return self._exact_page(tx, tenant, query)
        page: list[Entity] = []
        seen = 0
        for entity in self._matching(tx, tenant, query, pattern):
            seen += 1
            if query.offset < seen <= query.offset + query.limit:
                page.append(entity)
            if not query.count and seen > query.offset + query.limit:
                break
        return Found(
            entities=page,
            total=seen if query.count else None,
            more=seen > query.offset + query.limit,
        )

    def _exact_page(self, tx: Tx, tenant: str, query: EntityQuery) -> Found:
        """Return a page where the store needs no second judgement: it counts and skips by itself."""
        which = _candidates(query)
        wanted = query.limit if query.count else query.limit + 1
        found = list(
            self._entities.candidates(tx, tenant, which, limit=wanted, offset=query.offset)
        )
        total = self._entities.count(tx, tenant, which) if query.count else None
        more = len(found) > query.limit if total is None else total > query.offset + query.limit
        return Found(entities=found[: query.limit], total=total, more=more)

    def _matching(
        self, tx: Tx, tenant: str, query: EntityQuery, pattern: object
    ) -> Iterator[Entity]:
        for entity in self._entities.candidates(tx, tenant, _candidates(query)):
            if (
                (query.types is None or matches_types(query.types, entity["type"]))
                and (pattern is None or pattern.search(entity["id"]))  # type: ignore[attr-defined]
                and (not query.attributes or any(name in entity for name in query.attributes))
                and (query.q is None or q.matches(query.q, entity))
                and (query.geoq is None or geoq.matches(query.geoq, entity))
            ):
                yield entity


def _candidates(query: EntityQuery) -> Candidates:
    return Candidates(
        types=None if query.types is None else sorted(query.types.names),
        ids=query.ids,
        box=geoq.bbox(query.geoq)
        if query.geoq is not None and query.geoq.geoproperty == LOCATION
        else None,
    )


def _is_exact(query: EntityQuery) -> bool:
    """Return whether every candidate matches."""
    judged = (query.id_pattern, query.q, query.geoq, query.attributes or None)
    return all(one is None for one in judged) and (query.types is None or query.types.is_plain)


def _pattern(text: str | None) -> object:
    if text is None:
        return None
    try:
        return re2.compile(text)
    except re2.error as error:
        raise Invalid(
            f"idPattern is not a regular expression: {error}",
            code="query.id_pattern",
            param="idPattern",
            fix="use RE2 syntax (no look-around, no back-references)",
        ) from None
