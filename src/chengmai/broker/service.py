"""Use cases on entities: load, decide with the pure rules of `ngsild`, commit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from chengmai.broker.finding import Finder, alone_of_type
from chengmai.broker.model import (
    ANY,
    BatchOutcome,
    EntityQuery,
    Found,
    Stored,
    StoredEntities,
    UpdateOutcome,
)
from chengmai.broker.ports import EntityStore
from chengmai.broker.problems import EntityExists, EntityNotFound, EntityPublished
from chengmai.broker.published import ClientCommit
from chengmai.broker.recent import Mark, Recent
from chengmai.broker.sheets import Laid, Sheets
from chengmai.broker.spaces import is_space
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_instant
from chengmai.kernel.problems import Conflict, Problem
from chengmai.kernel.together import Together
from chengmai.kernel.work import BriefWork, Tx
from chengmai.ngsild import patch
from chengmai.ngsild.entity import Entity, Instance

AT_ONCE = 500
"""How many entities are read in one go where many are asked for."""
Decide = Callable[[Entity, str], patch.PatchResult]


class Broker:
    """What clients do with entities. Every write is one transaction and answers after its commit."""

    def __init__(
        self,
        work: BriefWork[Tx],
        commit: ClientCommit,
        entities: EntityStore,
        sheets: Sheets | None = None,
        recent: Recent | None = None,
    ) -> None:
        self._work = work
        self._commit = commit
        self._entities = entities
        self._sheets = sheets
        self._recent = recent
        self._together = Together[Found]()
        self._finder = Finder(entities)

    async def create(self, actor: Actor, entity: Entity) -> None:
        """Create an entity (clause 5.6.1); raises `EntityExists`."""
        await self._work.write_brief(lambda tx: self._create(tx, actor, entity))

    async def retrieve(self, actor: Actor, entity_id: str) -> Entity:
        """Return an entity (clause 5.7.1); raises `EntityNotFound`."""
        found = await self._work.read(lambda tx: self._entities.get(tx, actor.tenant, entity_id))
        if found is None:
            raise EntityNotFound(entity_id)
        return found

    def mark(self, actor: Actor, entity_id: str) -> Mark | None:
        """Return what tells an entity as it is now from all others; None when it has to be read first."""
        return None if self._recent is None else self._recent.mark(actor.tenant, entity_id)

    async def show(self, actor: Actor, entity_id: str, query: EntityQuery) -> Found:
        """Return one entity as the view and the links of `query` show it; raises `EntityNotFound`.

        `which` of the query must match too. Nothing is shown of an entity of which nothing is left.
        """

        recent = self._recent
        at = None if recent is None else recent.now()

        def read(tx: Tx) -> Found:
            stored = self._entities.stored(tx, actor.tenant, entity_id)
            if stored is None:
                raise EntityNotFound(entity_id)
            found = StoredEntities([stored])
            if query.which is not ANY and not self._finder.fits(query, found[0]):
                raise EntityNotFound(entity_id)
            shown = self._finder.leaves(tx, actor.tenant, query, found)
            return Found(entities=found, shown=shown, total=None, more=False)

        if query.join is not None:
            return await self._work.read(read)
        shown = await self._work.glance(read, asks_once=True)
        if recent is not None and isinstance(shown.entities, StoredEntities):
            recent.note(at, actor.tenant, entity_id, shown.entities.rows[0])
        return shown

    async def query(self, actor: Actor, query: EntityQuery) -> Found:
        """Return a page of the entities that match (clause 5.7.2); raises `Invalid` on a bad pattern."""
        # The same question is the same object, as long as it is answered: the API works each out once.
        key = (actor.tenant, id(query))
        recent, at = self._recent, None
        if recent is not None:
            at = recent.now()
            if (known := recent.answer(actor.tenant, query)) is not None:
                return known

        async def read() -> Found:
            # What is counted may take long, and is then not asked for twice.
            if query.count and (found := await self._quick(actor, query)) is not None:
                return found
            return await self._work.read(lambda tx: self._finder.page(tx, actor.tenant, query))

        found = None
        if not query.count and not self._together.is_asked(key):
            found = await self._quick(actor, query)
        if found is None:
            found = await self._together.ask(key, read)
        if recent is not None:
            recent.keep(at, actor.tenant, query, found)
        return found

    async def _quick(self, actor: Actor, query: EntityQuery) -> Found | None:
        """Return what is found without another thread, None where that is not known beforehand."""
        if not self._finder.may_be_quick(query):
            return None
        return await self._work.glance(lambda tx: self._finder.quick_page(tx, actor.tenant, query))

    async def at_most(self, actor: Actor, query: EntityQuery) -> int:
        """Return a number that no more entities match than, found without reading them."""
        return await self._work.read(lambda tx: self._finder.most(tx, actor.tenant, query))

    async def all(self, actor: Actor, query: EntityQuery) -> AsyncIterator[list[Stored]]:
        """Yield what matches bit by bit, ordered by id, from `offset` on and up to `limit`.

        Each bit is of one instant, and no entity comes twice; what changes in between is seen as it is then.
        """
        after: str | None = ""
        skip, left = query.offset, query.limit
        while after is not None and left > 0:
            read = partial(
                self._finder.stretch, tenant=actor.tenant, query=query, after=after, most=AT_ONCE
            )
            found, after = await self._work.read(read)
            shown = found[skip : skip + left]
            skip, left = max(0, skip - len(found)), left - len(shown)
            if shown:
                yield shown

    async def laid(self, actor: Actor, query: EntityQuery) -> Laid | None:
        """Return what matches of one type, with what was shown of it; None where `all` is to be read."""
        type_iri = alone_of_type(query)
        if self._sheets is None or type_iri is None or is_space(actor.tenant):
            return None
        return await self._sheets.laid(actor.tenant, type_iri, query.geoq)

    async def purge(
        self, actor: Actor, query: EntityQuery, decide: Callable[[Entity], frozenset[str]] | None
    ) -> None:
        """Delete every entity that matches, or with `decide` the attributes it names (clause 5.6.21).

        What the platform publishes is left as it is; raises `EntityPublished` where nothing else matches.
        """

        def one(tx: Tx, entity: Entity) -> None:
            if decide is None:
                self._commit.remove(tx, actor.tenant, entity["id"], by=actor, note="purge")
            elif names := decide(entity):
                result = patch.without(entity, names, format_instant(tx.now))
                self._save(tx, actor, "entity.purge", entity, result)

        def purge(tx: Tx) -> None:
            left: list[EntityPublished] = []
            found = list(self._finder.matching(tx, actor.tenant, query))
            for entity in found:
                try:
                    one(tx, entity)
                except EntityPublished as problem:
                    left.append(problem)
            if left and len(left) == len(found):
                raise left[0]

        await self._work.write(purge)

    async def replace_attribute(
        self, actor: Actor, entity_id: str, attribute: str, instances: Sequence[Instance]
    ) -> None:
        """Replace an attribute that exists (clause 5.6.19); raises `AttributeMissing`."""

        def decide(entity: Entity, now: str) -> patch.PatchResult:
            return patch.replace_attribute(entity, attribute, instances, now)

        await self._change(actor, entity_id, "attribute.replace", decide)

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
        await self._work.write(lambda tx: self._delete(tx, actor, entity_id))

    async def batch_create(self, actor: Actor, entities: Sequence[Entity]) -> BatchOutcome:
        """Create each entity (clause 5.6.7)."""

        def one(entity: Entity, tx: Tx) -> bool:
            self._create(tx, actor, entity)
            return True

        return await self._batch(entities, one)

    async def batch_upsert(
        self, actor: Actor, entities: Sequence[Entity], *, update: bool = False
    ) -> BatchOutcome:
        """Create or replace each entity, or with `update` append to it (clause 5.6.8)."""

        def one(entity: Entity, tx: Tx) -> bool:
            return self._upsert(tx, actor, entity, update=update)

        return await self._batch(entities, one)

    async def batch_update(
        self, actor: Actor, entities: Sequence[Entity], *, overwrite: bool = True
    ) -> BatchOutcome:
        """Append to each entity, which must exist (clause 5.6.9)."""

        def one(entity: Entity, tx: Tx) -> bool | Problem:
            outcome = self._changed(
                tx,
                actor,
                entity["id"],
                "entity.append",
                lambda before, now: patch.append(before, entity, now, overwrite=overwrite),
            )
            if outcome.not_updated:
                # The rest is appended all the same (clause 5.6.3), so nothing is raised.
                name, reason = outcome.not_updated[0]
                return Conflict(f"{name}: {reason}", code="entity.not_updated", param=name)
            return False

        return await self._batch(entities, one)

    async def batch_merge(self, actor: Actor, entities: Sequence[Entity]) -> BatchOutcome:
        """Merge into each entity, which must exist (clause 5.6.20)."""

        def one(entity: Entity, tx: Tx) -> bool:
            self._changed(
                tx,
                actor,
                entity["id"],
                "entity.merge",
                lambda before, now: patch.merge(before, entity, now),
            )
            return False

        return await self._batch(entities, one)

    async def batch_delete(self, actor: Actor, ids: Sequence[str]) -> BatchOutcome:
        """Delete each entity (clause 5.6.10)."""

        def one(entity: Entity, tx: Tx) -> bool:
            self._delete(tx, actor, entity["id"])
            return False

        # The past of an entity goes with it, and may be long.
        return await self._batch([{"id": entity_id} for entity_id in ids], one, brief=False)

    async def types(self, actor: Actor) -> list[tuple[str, int]]:
        """Return (type IRI, number of entities)."""
        return await self._work.read(lambda tx: self._entities.types(tx, actor.tenant))

    async def attributes(self, actor: Actor) -> list[tuple[str, str, str]]:
        """Return every (type IRI, attribute IRI, kind) that occurs."""
        return await self._work.read(lambda tx: self._entities.attributes(tx, actor.tenant))

    async def attribute_count(self, actor: Actor, attribute: str) -> int:
        """Return how many instances of an attribute (expanded name) there are."""
        return await self._work.read(
            lambda tx: self._entities.attribute_count(tx, actor.tenant, attribute)
        )

    async def _batch(
        self,
        entities: Sequence[Entity],
        one: Callable[[Entity, Tx], bool | Problem],
        *,
        brief: bool = True,
    ) -> BatchOutcome:
        outcome = BatchOutcome()
        units = [partial(one, entity) for entity in entities]
        results = await self._work.write_all(units, brief=brief)
        for entity, result in zip(entities, results, strict=True):
            if isinstance(result, Problem):
                outcome.failed.append((entity["id"], result))
            elif isinstance(result, Exception):
                raise result
            else:
                (outcome.created if result else outcome.updated).append(entity["id"])
        return outcome

    def _create(self, tx: Tx, actor: Actor, entity: Entity) -> None:
        if self._entities.get(tx, actor.tenant, entity["id"]) is not None:
            raise EntityExists(entity["id"])
        self._commit.create(tx, entity, by=actor)

    def _delete(self, tx: Tx, actor: Actor, entity_id: str) -> None:
        if not self._commit.remove(tx, actor.tenant, entity_id, by=actor):
            raise EntityNotFound(entity_id)

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
        return await self._work.write_brief(
            lambda tx: self._changed(tx, actor, entity_id, action, decide)
        )

    def _changed(
        self, tx: Tx, actor: Actor, entity_id: str, action: str, decide: Decide
    ) -> UpdateOutcome:
        before = self._entities.get(tx, actor.tenant, entity_id)
        if before is None:
            raise EntityNotFound(entity_id)
        return self._save(tx, actor, action, before, decide(before, format_instant(tx.now)))

    def _save(
        self, tx: Tx, actor: Actor, action: str, before: Entity, result: patch.PatchResult
    ) -> UpdateOutcome:
        self._commit.save(tx, before, result, by=actor, action=action)
        return UpdateOutcome(updated=result.updated, not_updated=result.not_updated)
