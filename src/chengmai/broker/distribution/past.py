"""Evolutions wherever they are kept (GS CIM 009 V1.9.1, clauses 5.7.3 and 5.7.4).

Sources are asked for the same window; what they and this broker have of it is joined, and windows, last
instances and aggregates are those of what was joined. A holder that answers with a page over time (206) limits
the whole answer to the time that its page covers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.gathering import LOCAL, Gatherer, Holders, wanted
from chengmai.broker.distribution.merging import Fragment, merged, merged_series
from chengmai.broker.distribution.narrowing import (
    Filters,
    admits,
    attributes_needed,
    attributes_of_entity,
    past_questions,
    past_retrieval,
)
from chengmai.broker.distribution.past_asking import PastSources, Told
from chengmai.broker.model import EntityQuery, Which
from chengmai.broker.problems import EntityNotFound
from chengmai.broker.registry.matching import Match
from chengmai.broker.registry.model import Mode
from chengmai.broker.subscription import EntityInfo
from chengmai.broker.temporal import (
    EvolutionQuery,
    TemporalAsk,
    TemporalBroker,
    TemporalFound,
    check_most,
    instances_in,
)
from chengmai.kernel.instants import parse_us
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.evolution import Cut, Series, paged
from chengmai.ngsild.problems import AttributeMissing
from chengmai.ngsild.temporal import TemporalQuery

_RETRIEVE = ("retrieveTemporal", "queryTemporal")
_QUERY = ("queryTemporal",)
_HERE = Mode.INCLUSIVE
_NOBODY = "urn:ngsi-ld:null"


@dataclass(frozen=True)
class _Part:
    """What one holder tells of an entity; `mode` is that of its registration."""

    told: Told
    mode: Mode = _HERE


class DistributedPast:
    """What clients read of the past, here and at context sources."""

    def __init__(self, temporal: TemporalBroker, gatherer: Gatherer) -> None:
        self._temporal = temporal
        self._gatherer = gatherer
        self._sources = PastSources(gatherer)

    async def retrieve(
        self, asked: Asked, entity_id: str, ask: TemporalAsk, filters: Filters
    ) -> TemporalFound:
        """Return the evolution of an entity (clause 5.7.3).

        Raises `EntityNotFound` or `AttributeMissing` when no holder has it.
        """
        if self._gatherer.is_alone(asked):
            return await self._temporal.retrieve(asked.actor, entity_id, ask)
        query = EntityQuery(which=[Which(ids=[entity_id])], attributes=_names(ask))
        matches = self._concerned(asked, _RETRIEVE, query, ask, filters)
        if not matches:
            return await self._temporal.retrieve(asked.actor, entity_id, ask)
        there = await self._sources.ask(
            asked, matches, ask, filters, lambda match: past_retrieval(match, entity_id, query)
        )
        found = await self._joined(asked, [entity_id], there, matches, ask)
        if not found.entities:
            # Nobody has it: the local answer says what is missing.
            return await self._temporal.retrieve(asked.actor, entity_id, ask)
        return found

    async def query(
        self, asked: Asked, query: EvolutionQuery, ask: TemporalAsk, filters: Filters
    ) -> TemporalFound:
        """Return a page of the evolutions that match in the window at one holder at least (5.7.4)."""
        matches = self._sources_of(asked, query, ask, filters)
        if not matches:
            return await self._temporal.query(asked.actor, query, ask)
        there = await self._there(asked, query, ask, filters, matches)
        end = query.offset + query.limit
        local = await self._matching_here(asked, replace(query, limit=end + 1), ask)
        every = _ordered(query, [*there, *(entity["id"] for entity, _ in local.entities)])
        found = await self._joined(asked, every[query.offset : end], there, matches, ask)
        total = None
        if local.total is not None:
            total = local.total + len(there) - await self._both(asked, query, ask, there)
        return replace(found, total=total, more=len(every) > end)

    async def holders(
        self,
        asked: Asked,
        query: EvolutionQuery,
        ask: TemporalAsk,
        filters: Filters,
        *,
        most: int,
        among: Holders | None = None,
    ) -> dict[str, tuple[str, ...]]:
        """Return who holds each evolution that matches, in order; of more than `most` the first ones.

        With `among` only those of a map are looked for, each at who holds it.
        """
        if among is not None:
            query = _confined(query, list(among))
        matches = wanted(self._sources_of(asked, query, ask, filters), among)
        there = await self._there(asked, query, ask, filters, matches)
        local = await self._matching_here(asked, replace(query, limit=most), ask)
        here = {entity["id"] for entity, _ in local.entities}
        return {
            one: (
                *(match.registration.id for match, _ in there.get(one, ())),
                *([LOCAL] if one in here else []),
            )
            for one in _ordered(query, [*there, *here])[:most]
        }

    async def page_among(
        self,
        asked: Asked,
        query: EvolutionQuery,
        ask: TemporalAsk,
        filters: Filters,
        among: Holders,
    ) -> TemporalFound:
        """Return a page of the evolutions of a map (clause 5.5.9.3); what no longer matches is left out."""
        every, end = list(among), query.offset + query.limit
        ids = every[query.offset : end]
        confined = replace(_confined(query, ids), limit=len(ids))
        sources = self._sources_of(asked, confined, ask, filters)
        matches = wanted(sources, {one: among[one] for one in ids})
        there = await self._there(asked, confined, ask, filters, matches)
        local = await self._matching_here(asked, confined, ask)
        here = {entity["id"] for entity, _ in local.entities}
        alive = [one for one in ids if one in there or one in here]
        found = await self._joined(asked, alive, there, matches, ask)
        return replace(found, total=len(every) if query.count else None, more=len(every) > end)

    def _sources_of(
        self, asked: Asked, query: EvolutionQuery, ask: TemporalAsk, filters: Filters
    ) -> list[Match]:
        if self._gatherer.is_alone(asked):
            return []
        return self._concerned(asked, _QUERY, _handed(query, ask), ask, filters)

    async def _there(
        self,
        asked: Asked,
        query: EvolutionQuery,
        ask: TemporalAsk,
        filters: Filters,
        matches: Sequence[Match],
    ) -> dict[str, list[tuple[Match, Told]]]:
        handed = _handed(query, ask)
        found = await self._sources.ask(
            asked, matches, ask, filters, lambda match: past_questions(match, handed, filters)
        )
        infos = query.entities or [EntityInfo(None, None, None)]
        return {
            one: told
            for one, told in found.items()
            if any(info.covers(its.head) for _, its in told for info in infos)
        }

    async def _matching_here(
        self, asked: Asked, query: EvolutionQuery, ask: TemporalAsk
    ) -> TemporalFound:
        # Which ones match is asked here, not what they hold.
        return await self._temporal.query(
            asked.actor, replace(query, offset=0), replace(ask, page=1)
        )

    def _concerned(
        self,
        asked: Asked,
        operations: Sequence[str],
        query: EntityQuery,
        ask: TemporalAsk,
        filters: Filters,
    ) -> list[Match]:
        ids = [one for which in query.which for one in which.ids or ()]
        types = [which.types for which in query.which]
        found = self._gatherer.concerned(
            asked,
            operations,
            ids=ids if all(which.ids is not None for which in query.which) else None,
            types=None
            if None in types
            else {name for one in types if one is not None for name in one.names},
            attributes=attributes_needed(query),
            datasets=ask.datasets,
        )
        return [
            match
            for match in found
            if admits(filters.csf, match, self._gatherer.core) and _may_have(match, ask.window)
        ]

    async def _both(
        self,
        asked: Asked,
        query: EvolutionQuery,
        ask: TemporalAsk,
        there: dict[str, list[tuple[Match, Told]]],
    ) -> int:
        """Return how many of the entities of sources match here as well, so that none counts twice."""
        again = replace(_confined(query, list(there)), limit=0, count=True)
        return (await self._matching_here(asked, again, ask)).total or 0

    async def _joined(
        self,
        asked: Asked,
        ids: Sequence[str],
        there: dict[str, list[tuple[Match, Told]]],
        matches: Sequence[Match],
        ask: TemporalAsk,
    ) -> TemporalFound:
        here = await self._all_here(asked, ids, matches, ask)
        parts = {
            one: [
                *([] if local is None else [_Part(local)]),
                *(
                    _Part(_unclaimed(told, match, matches), match.registration.mode)
                    for match, told in there.get(one, ())
                ),
            ]
            for one, local in zip(ids, here, strict=True)
        }
        cuts = [part.told.cut for found in parts.values() for part in found]
        edge = _edge([cut for cut in cuts if cut is not None], ask.window)
        entities = [_one(found, ask, edge) for found in parts.values() if found]
        return TemporalFound(entities, cut=_cut(entities, ask, edge))

    async def _all_here(
        self, asked: Asked, ids: Sequence[str], matches: Sequence[Match], ask: TemporalAsk
    ) -> Sequence[Told | None]:
        if ask.most is None:
            return await asyncio.gather(*(self._here(asked, one, matches, ask) for one in ids))
        # One after the other, so that no more is held than may be.
        held, count = [], 0
        for one in ids:
            told = await self._here(asked, one, matches, ask)
            count += 0 if told is None else instances_in(told.series)
            check_most(count, ask.most)
            held.append(told)
        return held

    async def _here(
        self, asked: Asked, entity_id: str, matches: Sequence[Match], ask: TemporalAsk
    ) -> Told | None:
        # Instances, not what they add up to: others have some of them.
        ask = replace(ask, window=replace(ask.window, methods=()))
        try:
            found = await self._temporal.retrieve(asked.actor, entity_id, ask)
        except (EntityNotFound, AttributeMissing):
            return None
        ((head, series),) = found.entities
        for match in matches:
            if match.registration.mode.is_proxied:
                names = attributes_of_entity(match, head)
                if names is None:
                    return None
                series = {name: its for name, its in series.items() if name not in names}
        return Told(head, series, found.cut) if series else None


def _handed(query: EvolutionQuery, ask: TemporalAsk) -> EntityQuery:
    return EntityQuery(
        which=[_which(info) for info in query.entities] or [Which()],
        q=query.q,
        geoq=query.geoq,
        attributes=_names(ask),
    )


def _confined(query: EvolutionQuery, ids: Sequence[str]) -> EvolutionQuery:
    """Return the query with nothing but `ids` to be found."""
    infos = [
        replace(info, id=one)
        for one in ids
        for info in query.entities or [EntityInfo(None, None, None)]
        if info.id in (None, one)
    ]
    return replace(query, entities=infos or [EntityInfo(None, _NOBODY, None)])


def _ordered(query: EvolutionQuery, ids: Sequence[str]) -> list[str]:
    return sorted(set(ids), reverse=query.descending)


def _one(parts: Sequence[_Part], ask: TemporalAsk, edge: int | None) -> tuple[Entity, Series]:
    by = ask.window.timeproperty
    heads = [_head(part) for part in parts]
    main = [part.told.series for part in parts if part.mode is not Mode.AUXILIARY]
    series = merged_series(main, by)
    helped = [part.told.series for part in parts if part.mode is Mode.AUXILIARY]
    more = merged_series(helped, by)
    series |= {name: found for name, found in more.items() if name not in series}
    window = ask.window
    chosen = {name: window.selected(found) for name, found in series.items()}
    return merged(heads), {name: _within(found, window, edge) for name, found in chosen.items()}


def _unclaimed(told: Told, match: Match, matches: Sequence[Match]) -> Told:
    """Return what counts of what a source tells: without what another one alone holds (4.3.6.3)."""
    claimed: frozenset[str] = frozenset()
    for other in matches:
        if other is not match and other.registration.mode is Mode.EXCLUSIVE:
            claimed |= attributes_of_entity(other, told.head) or frozenset()
    series = {name: found for name, found in told.series.items() if name not in claimed}
    return Told(told.head, series, told.cut)


def _head(part: _Part) -> Fragment:
    head = {key: value for key, value in part.told.head.items() if ":" not in key}
    return Fragment(head, part.mode is Mode.AUXILIARY)


def _within(found: list[Entity], window: TemporalQuery, edge: int | None) -> list[Entity]:
    if edge is None:
        return found
    if window.last_n is None:
        return [one for one in found if parse_us(one[window.timeproperty]) <= edge]
    return [one for one in found if parse_us(one[window.timeproperty]) >= edge]


def _edge(cuts: Sequence[Cut], window: TemporalQuery) -> int | None:
    """Return how far all holders have told their part; None when all have told everything."""
    if not cuts:
        return None
    choose = min if window.last_n is None else max
    return choose(cut.end_us for cut in cuts)


def _cut(entities: list[tuple[Entity, Series]], ask: TemporalAsk, edge: int | None) -> Cut | None:
    if ask.page is None:
        return None
    window = ask.window
    made = paged({head["id"]: series for head, series in entities}, window, ask.page)
    if made is not None or edge is None:
        return made
    start = window.start_us if window.last_n is None else window.end_us
    return Cut(edge if start is None else start, edge, window.last_n)


def _may_have(match: Match, window: TemporalQuery) -> bool:
    """Return whether a source may hold something in the window, by the intervals it is registered with."""
    observed = window.timeproperty == "observedAt"
    held = match.registration.observation if observed else match.registration.management
    if held is None:
        return True
    ends_before = (
        held.end_us is not None and window.start_us is not None and held.end_us < window.start_us
    )
    return not ends_before and (window.end_us is None or held.start_us < window.end_us)


def _which(info: EntityInfo) -> Which:
    pattern = None if info.id_pattern is None else str(info.id_pattern.pattern)
    return Which(info.types, None if info.id is None else [info.id], pattern)


def _names(ask: TemporalAsk) -> tuple[str, ...]:
    return tuple(ask.attributes or ())
