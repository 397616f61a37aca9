"""Retrieving and querying entities wherever they are held (GS CIM 009 V1.9.1, clauses 5.7.1 and 5.7.2).

Sources are asked first, then one transaction merges their parts with what is here, judges the filters on the
merged entities, counts and pages. Without a registration that is concerned, `Broker` answers alone.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.gathering import LOCAL, Gathered, Gatherer, Holders, wanted
from chengmai.broker.distribution.linked import Linked
from chengmai.broker.distribution.narrowing import (
    QUERY,
    RETRIEVE,
    Filters,
    admits,
    attributes_needed,
    ids_asked,
    is_split,
    questions,
    retrieval,
    types_asked,
)
from chengmai.broker.finding import Finder, holds
from chengmai.broker.model import EntityQuery, Found, Which
from chengmai.broker.ports import EntityStore
from chengmai.broker.problems import EntityNotFound
from chengmai.broker.recent import Mark
from chengmai.broker.registry.matching import Match
from chengmai.broker.service import Broker
from chengmai.kernel.actors import Actor
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.linking import Lookup, joined
from chengmai.ngsild.problems import QueryInvalid
from chengmai.ngsild.qparse import links_of


class DistributedReads:
    """What clients read of entities, here and at context sources."""

    def __init__(
        self, broker: Broker, work: Work[Tx], entities: EntityStore, gatherer: Gatherer
    ) -> None:
        self._broker = broker
        self._work = work
        self._entities = entities
        self._finder = Finder(entities)
        self._gatherer = gatherer
        self._linked = Linked(work, entities, gatherer)

    async def show(self, asked: Asked, entity_id: str, query: EntityQuery) -> Found:
        """Return one entity as the view and the links of `query` show it (clause 5.7.1).

        Raises `EntityNotFound` when neither this broker nor a source has it.
        """
        if self._gatherer.is_alone(asked):
            return await self._broker.show(asked.actor, entity_id, query)
        matches = self._concerned(asked, replace(query, which=_only(query, entity_id)), RETRIEVE)
        if not matches and query.join is None:
            return await self._broker.show(asked.actor, entity_id, query)
        gathered = await self._gatherer.gather(
            asked, matches, lambda match: retrieval(match, entity_id, query)
        )

        def read(tx: Tx) -> Entity | None:
            local = gathered.here(self._entities.get(tx, asked.actor.tenant, entity_id))
            return gathered.whole(entity_id, local)

        whole = await self._work.read(read)
        if whole is None or not self._finder.fits(query, whole):
            raise EntityNotFound(entity_id)
        shown = await self._shown(asked, query, [whole])
        return Found(entities=[whole], shown=shown, total=None, more=False)

    def mark(self, actor: Actor, entity_id: str, *, local: bool) -> Mark | None:
        """Return what tells an entity as it is now from all others, if it is known and nobody else is asked."""
        if not self._gatherer.is_local(actor, local=local):
            return None
        return self._broker.mark(actor, entity_id)

    def is_alone(self, asked: Asked) -> bool:
        """Return whether a request concerns this broker alone, whatever it is about."""
        return self._gatherer.is_alone(asked)

    async def query(self, asked: Asked, query: EntityQuery, filters: Filters) -> Found:
        """Return a page of what matches here and at sources (clause 5.7.2).

        Raises `QueryInvalid` when an order is asked for of what is distributed (clause 4.23.1).
        """
        if self._gatherer.is_alone(asked):
            return await self._broker.query(asked.actor, query)
        matches = self._sources_of(asked, query, filters)
        links = query.join is not None or _follows_links(query)
        if not matches and (not links or query.order is not None):
            # Linked entities may be elsewhere; what has an order is of this broker alone.
            return await self._broker.query(asked.actor, query)
        gathered = await self._gathered(asked, query, filters, matches)

        def read(tx: Tx, lookup: Lookup) -> tuple[list[Entity], int]:
            page: list[Entity] = []
            seen, end = 0, query.offset + query.limit
            for entity in self._stream(tx, asked, query, gathered, lookup):
                seen += 1
                if query.offset < seen <= end:
                    page.append(entity)
                if not query.count and seen > end:
                    break
            return page, seen

        page, seen = await self._linked.judged(asked, query, read)
        return Found(
            entities=page,
            shown=await self._shown(asked, query, page),
            total=seen if query.count else None,
            more=seen > query.offset + query.limit,
        )

    async def linked(self, asked: Asked, query: EntityQuery, entities: Sequence[Entity]) -> Lookup:
        """Return what finds each entity that `entities` link to, as deep as `query` joins."""
        return await self._linked.lookup(asked, query, entities)

    async def holders(
        self,
        asked: Asked,
        query: EntityQuery,
        filters: Filters,
        *,
        most: int,
        among: Holders | None = None,
    ) -> dict[str, tuple[str, ...]]:
        """Return who holds each entity that matches, ordered by id; of more than `most` the first ones.

        With `among` only those of a map are looked for, each at who holds it.
        """
        if among is not None:
            if not among:
                return {}
            query = _confined(query, list(among))
        matches = wanted(self._sources_of(asked, query, filters), among)
        gathered = await self._gathered(asked, query, filters, matches)

        def read(tx: Tx, lookup: Lookup) -> dict[str, tuple[str, ...]]:
            made: dict[str, tuple[str, ...]] = {}
            for entity in self._stream(tx, asked, query, gathered, lookup):
                entity_id = entity["id"]
                held = gathered.holders(entity_id)
                if not held or self._here(tx, asked, gathered, entity_id) is not None:
                    held = (*held, LOCAL)
                made[entity_id] = held
                if len(made) >= most:
                    break
            return made

        return await self._linked.judged(asked, query, read)

    async def page_among(
        self, asked: Asked, query: EntityQuery, filters: Filters, among: Holders
    ) -> Found:
        """Return a page of the entities of a map (clause 5.5.9.3), each asked only of who holds it.

        What does not match any more is left out; `total` counts the map.
        """
        every = list(among)
        ids = every[query.offset : query.offset + query.limit]
        narrowed = _confined(query, ids)
        sources = self._sources_of(asked, narrowed, filters) if ids else []
        matches = wanted(sources, {one: among[one] for one in ids})
        gathered = await self._gathered(asked, narrowed, filters, matches)

        def read(tx: Tx, lookup: Lookup) -> list[Entity]:
            found = (gathered.whole(one, self._here(tx, asked, gathered, one)) for one in ids)
            return [one for one in found if one is not None and self._fits(query, one, lookup)]

        page = await self._linked.judged(asked, query, read)
        return Found(
            entities=page,
            shown=await self._shown(asked, query, page),
            total=len(every) if query.count else None,
            more=len(every) > query.offset + query.limit,
        )

    def _concerned(
        self, asked: Asked, query: EntityQuery, operations: Sequence[str]
    ) -> list[Match]:
        patterns = {one.id_pattern for one in query.which}
        return self._gatherer.concerned(
            asked,
            operations,
            ids=ids_asked(query),
            id_pattern=patterns.pop() if len(patterns) == 1 else None,
            types=types_asked(query),
            attributes=attributes_needed(query),
            datasets=query.view.datasets,
        )

    def _sources_of(self, asked: Asked, query: EntityQuery, filters: Filters) -> list[Match]:
        matches = [
            match
            for match in self._concerned(asked, query, QUERY)
            if admits(filters.csf, match, self._gatherer.core)
        ]
        if matches and query.order is not None:
            raise QueryInvalid(
                "what comes from several brokers has no order",
                param="orderBy",
                fix="add local=true, or leave orderBy out",
            )
        return matches

    async def _gathered(
        self, asked: Asked, query: EntityQuery, filters: Filters, matches: list[Match]
    ) -> Gathered:
        # Whoever holds an entity need not see what it links to.
        split = is_split(filters, matches) or _follows_links(query)
        return await self._gatherer.gather(
            asked, matches, lambda match: questions(match, query, filters, split=split)
        )

    def _stream(
        self, tx: Tx, asked: Asked, query: EntityQuery, gathered: Gathered, lookup: Lookup
    ) -> Iterator[Entity]:
        """Yield what matches, ordered by id: what only this broker has, and what sources have as well."""
        follows = _follows_links(query)
        # What is here alone is judged by what it links to elsewhere.
        own = replace(query, q=None) if follows else query

        def alone() -> Iterator[Entity]:
            for local in self._finder.matching(tx, asked.actor.tenant, own):
                kept = None if local["id"] in gathered.held else gathered.here(local)
                if kept is None:
                    continue
                if (kept is local and not follows) or self._fits(query, kept, lookup):
                    yield kept

        def together() -> Iterator[Entity]:
            for entity_id in sorted(gathered.held):
                local = self._here(tx, asked, gathered, entity_id)
                whole = gathered.whole(entity_id, local)
                if whole is not None and self._fits(query, whole, lookup):
                    yield whole

        return heapq.merge(alone(), together(), key=lambda entity: str(entity["id"]))

    def _here(self, tx: Tx, asked: Asked, gathered: Gathered, entity_id: str) -> Entity | None:
        return gathered.here(self._entities.get(tx, asked.actor.tenant, entity_id))

    def _fits(self, query: EntityQuery, entity: Entity, lookup: Lookup) -> bool:
        return self._finder.fits(query, entity) and holds(query, entity, lookup)

    async def _shown(
        self, asked: Asked, query: EntityQuery, entities: list[Entity]
    ) -> list[Entity]:
        if query.join is None and query.view.shows_everything:
            return list(entities)
        lookup = await self._linked.lookup(asked, query, entities)
        return joined(
            entities, query.view, query.join, query.join_level, lookup, query.contained_by
        )


def _follows_links(query: EntityQuery) -> bool:
    return query.q is not None and links_of(query.q) > 0


def _confined(query: EntityQuery, ids: Sequence[str]) -> EntityQuery:
    """Return the query with nothing but `ids` to be found."""
    which = [
        replace(one, ids=[i for i in ids if one.ids is None or i in one.ids]) for one in query.which
    ]
    return replace(query, which=which)


def _only(query: EntityQuery, entity_id: str) -> list[Which]:
    return [replace(one, ids=[entity_id], id_pattern=None) for one in query.which]
