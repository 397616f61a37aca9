"""Finds what a SensorThings request asks for: entities as they are, observations in the past."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from chengmai.broker.model import ANY, EntityQuery, Found, Stored, StoredEntities, Which
from chengmai.broker.problems import EntityNotFound
from chengmai.broker.temporal import TemporalAsk, TemporalFound
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import parse_us
from chengmai.kernel.problems import Invalid, TooLarge
from chengmai.ngsild.entity import Entity, Instance, name_iri
from chengmai.ngsild.problems import AttributeMissing
from chengmai.ngsild.select import Selector
from chengmai.ngsild.temporal import TemporalQuery
from chengmai.web.sta.asking import Options, Term
from chengmai.web.sta.resources import observed

MOST_LOOKED_AT = 20_000
"""Entities that are looked at for one answer."""
MOST_OBSERVATIONS = 10_000
"""Observations that are looked at for one answer."""
_TIME = ("phenomenonTime", "resultTime")


class Entities(Protocol):
    """Port: entities as they are now."""

    async def retrieve(self, actor: Actor, entity_id: str) -> Entity: ...

    async def query(self, actor: Actor, query: EntityQuery) -> Found: ...

    def all(self, actor: Actor, query: EntityQuery) -> AsyncIterator[list[Stored]]: ...


class Past(Protocol):
    """Port: what entities were."""

    async def retrieve(self, actor: Actor, entity_id: str, ask: TemporalAsk) -> TemporalFound: ...


@dataclass(frozen=True)
class Page:
    """Part of what was asked for; `total` when it was to be counted."""

    found: list[Any]
    total: int | None
    more: bool


class SensorView:
    """What a city shows as SensorThings; tenants and rights are those of `actor`."""

    def __init__(self, entities: Entities, past: Past) -> None:
        self._entities = entities
        self._past = past

    async def entity(self, actor: Actor, entity_id: str) -> Entity:
        """Return one entity; raises `EntityNotFound`."""
        return await self._entities.retrieve(actor, entity_id)

    async def entities(self, actor: Actor, options: Options) -> Page:
        """Return a page of entities by id; `terms` are of the entity's type and id, nothing else."""
        query = EntityQuery(
            which=_which(options.terms),
            limit=options.top,
            offset=options.skip,
            count=options.count,
        )
        found = await self._entities.query(actor, query)
        return Page(list(found.entities), found.total, found.more)

    async def each(self, actor: Actor, terms: tuple[Term, ...]) -> AsyncIterator[Entity]:
        """Yield the entities of a type or id, by id; raises `TooLarge` when there are too many to look at."""
        seen = 0
        query = EntityQuery(which=_which(terms), limit=MOST_LOOKED_AT + 1)
        async for rows in self._entities.all(actor, query):
            for entity in StoredEntities(rows):
                seen += 1
                if seen > MOST_LOOKED_AT:
                    raise TooLarge(
                        f"more than {MOST_LOOKED_AT} entities would have to be looked at",
                        param="$filter",
                        fix="name a type: $filter=description eq 'AirQualityObserved'",
                    )
                yield entity

    async def observations(
        self, actor: Actor, entity: Entity, attribute: str, options: Options
    ) -> Page:
        """Return a page of the instances of an attribute, the newest first unless told otherwise."""
        newest = observed(entity).get(attribute)
        if newest is None:
            raise EntityNotFound(entity["id"])
        upwards = options.order is not None and not options.order[1]
        if options.order is not None and options.order[0] not in _TIME:
            raise Invalid(
                "$orderby: observations are ordered by phenomenonTime",
                code="sta.option",
                param="$orderby",
                fix="write phenomenonTime desc",
            )
        window, rest = window_of(options.terms)
        wanted = options.skip + options.top + 1
        if wanted == 2 and not (upwards or options.terms or options.count):
            return Page([newest][: options.top], None, False)  # the one that stands
        whole = bool(rest) or options.count
        count = MOST_OBSERVATIONS + 1 if whole else wanted
        found = await self._told(actor, entity["id"], attribute, window, count, upwards=upwards)
        if whole and len(found) > MOST_OBSERVATIONS:
            raise TooLarge(
                f"more than {MOST_OBSERVATIONS} observations would have to be looked at",
                param="$filter",
                fix="narrow phenomenonTime",
            )
        kept = [one for one in found if all(term.holds(_shown(one)) for term in rest)]
        page = list(islice(kept, options.skip, options.skip + options.top))
        total = len(kept) if options.count else None
        return Page(page, total, len(kept) > options.skip + options.top)

    async def _told(
        self,
        actor: Actor,
        entity_id: str,
        attribute: str,
        window: TemporalQuery,
        count: int,
        *,
        upwards: bool,
    ) -> list[Instance]:
        if count > MOST_OBSERVATIONS + 1:
            raise TooLarge(
                f"$skip leads beyond {MOST_OBSERVATIONS} observations",
                param="$skip",
                fix="go on with a filter on phenomenonTime",
            )
        last = None if upwards else count
        asked = TemporalQuery(window.timerel, window.start_us, window.end_us, last_n=last)
        ask = TemporalAsk(asked, [attribute], page=count if upwards else None)
        try:
            found = await self._past.retrieve(actor, entity_id, ask)
        except (AttributeMissing, EntityNotFound):
            return []
        series = found.entities[0][1].get(attribute, []) if found.entities else []
        told = [one for one in series if "datasetId" not in one and "observedAt" in one]
        told.sort(key=lambda one: parse_us(one["observedAt"]), reverse=not upwards)
        return told[:count]


def window_of(terms: tuple[Term, ...]) -> tuple[TemporalQuery, tuple[Term, ...]]:
    """Return the window that conditions on the time make, and the other conditions."""
    start: int | None = None
    end: int | None = None
    rest: list[Term] = []
    for term in terms:
        if term.path not in _TIME or term.op not in ("eq", "gt", "ge", "lt", "le"):
            rest.append(term)
            continue
        at = parse_us(str(term.value), "$filter")
        if term.op in ("eq", "gt", "ge"):
            low = at + (term.op == "gt")
            start = low if start is None else max(start, low)
        if term.op in ("eq", "lt", "le"):
            high = at + (term.op != "lt")
            end = high if end is None else min(end, high)
    kind = {(True, True): "between", (True, False): "after", (False, True): "before"}
    timerel = kind.get((start is not None, end is not None))
    return TemporalQuery(timerel, start, end), tuple(rest)


def _shown(instance: Instance) -> dict[str, Any]:
    return {"result": instance.get("value"), "phenomenonTime": instance.get("observedAt")}


def _which(terms: tuple[Term, ...]) -> list[Which] | tuple[Which, ...]:
    """Return the entities that conditions on type and id leave; other conditions are judged elsewhere."""
    types = [t.value for t in terms if t.path == "description" and t.op == "eq"]
    ids = [t.value for t in terms if t.path in ("@iot.id", "id") and t.op == "eq"]
    if not types and not ids:
        return tuple(ANY)
    named = frozenset(one if ":" in one else name_iri(one) for one in map(str, types))
    return [Which(types=Selector((named,)) if types else None, ids=[str(i) for i in ids] or None)]
