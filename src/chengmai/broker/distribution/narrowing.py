"""What one source is asked for a query: no more than it is registered for, and no more than is wanted.

GS CIM 009 V1.9.1, clauses 4.3.6.1, 5.7.1.4 and 5.7.2.4. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import orjson

from chengmai.broker.model import EntityQuery, Which
from chengmai.broker.registry.discovery import portrait_of
from chengmai.broker.registry.matching import Match
from chengmai.broker.registry.model import EntityInfo
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.q import Query, attributes_of, matches

RETRIEVE = ("retrieveEntity", "queryEntity", "queryBatch")
QUERY = ("queryEntity", "queryBatch")
"""Operations of a source that can answer, the best first (table 4.20-1)."""
_SINGLY = 50


@dataclass(frozen=True)
class Filters:
    """The filters of a query as the client wrote them, with the names of `context`, to be handed on.

    `geo` holds georel, geometry, coordinates and geoproperty. `csf` chooses among sources, by the
    properties that describe them. `split` says whether an entity may be in parts at several holders;
    None leaves it to what is registered.
    """

    context: Context | None = None
    q: str | None = None
    expand_values: tuple[str, ...] = ()
    scope_q: str | None = None
    geo: dict[str, Any] = field(default_factory=dict)
    csf: Query | None = None
    split: bool | None = None

    def told_in(self, context: Context) -> Filters:
        """Return what of it can be told with the names of `context`."""
        if self.context is None or self.context.key == context.key:
            return self
        geo = {} if "geoproperty" in self.geo else self.geo
        return replace(self, q=None, expand_values=(), geo=geo)


@dataclass(frozen=True)
class Question:
    """One request to a source; functions of it are given the context whose names the source is told."""

    method: str
    path: str | Callable[[Context], str]
    parameters: Callable[[Context], dict[str, str]]
    body: Callable[[Context], Any] | None = None
    pages: bool = True


@dataclass(frozen=True)
class _Part:
    """Entities by type (alternatives of names that must all be there), and by id or pattern."""

    types: tuple[frozenset[str], ...] | None
    ids: tuple[str, ...] | None
    pattern: str | None


def types_asked(query: EntityQuery) -> frozenset[str] | None:
    """Return every type that a query mentions; None when one of its selectors means any."""
    found: set[str] = set()
    for one in query.which:
        if one.types is None:
            return None
        found |= one.types.names
    return frozenset(found)


def ids_asked(query: EntityQuery) -> list[str] | None:
    """Return every id that a query mentions; None when one of its selectors means any."""
    found: list[str] = []
    for one in query.which:
        if one.ids is None:
            return None
        found += one.ids
    return found


def attributes_needed(query: EntityQuery) -> frozenset[str] | None:
    """Return the attributes that the answer and its filters need; None means all."""
    if not query.attributes:
        return None
    wanted = {name for name in query.attributes if ":" in name}
    if query.q is not None:
        wanted |= attributes_of(query.q)
    if query.geoq is not None:
        wanted.add(query.geoq.geoproperty)
    return frozenset(wanted)


def is_split(filters: Filters, matches: Iterable[Match]) -> bool:
    """Return whether filters can be judged only once the parts of an entity are together (5.7.2.4)."""
    if filters.split is not None:
        return filters.split
    return any(match.attributes is not None for match in matches)


def admits(csf: Query | None, match: Match, core: Context) -> bool:
    """Return whether a source is one of those that a context source filter chooses (clause 4.9)."""
    return csf is None or matches(csf, portrait_of(match.registration, core))


def retrieval(match: Match, entity_id: str, query: EntityQuery) -> list[Question]:
    """Return what a source is asked for one entity."""
    if "retrieveEntity" not in match.registration.operations:
        which = [Which(types=one.types, ids=[entity_id]) for one in query.which]
        asked = EntityQuery(which=which, attributes=query.attributes)
        return questions(match, asked, Filters(), split=True)

    def parameters(context: Context) -> dict[str, str]:
        return _attrs(match, query, context) | {"options": "sysAttrs"}

    return [Question("GET", f"/entities/{quote(entity_id, safe=':')}", parameters, pages=False)]


def questions(match: Match, query: EntityQuery, filters: Filters, *, split: bool) -> list[Question]:
    """Return what a source is asked for a query; with `split` without the filters (5.7.2.4)."""
    parts = _parts(match, query)
    handed = Filters() if split else filters
    operations = match.registration.operations
    if "queryBatch" in operations and (len(parts) > 1 or "queryEntity" not in operations):
        return [_by_body(match, query, parts, handed)] if parts else []
    return [_by_parameters(match, query, part, handed) for part in parts]


def past_retrieval(match: Match, entity_id: str, query: EntityQuery) -> list[Question]:
    """Return what a source is asked for the evolution of one entity (clause 5.7.3)."""
    if "retrieveTemporal" in match.registration.operations:
        path = f"/temporal/entities/{quote(entity_id, safe=':')}"
        return [Question("GET", path, lambda context: _attrs(match, query, context), pages=False)]
    asked = replace(query, which=[Which(ids=[entity_id])])
    return past_questions(match, asked, Filters())


def past_questions(match: Match, query: EntityQuery, filters: Filters) -> list[Question]:
    """Return what a source is asked for evolutions (clause 5.7.4); windows in time are added to it."""
    return [
        replace(_by_parameters(match, query, part, filters), path="/temporal/entities")
        for part in _parts(match, query)
    ]


def contributed(match: Match, entity: Entity | None) -> Entity | None:
    """Return what of an answered entity the source is registered for; None when it is nothing."""
    if entity is None:
        return None
    allowed = attributes_told(match, entity)
    if allowed is None:
        return entity
    kept = {key: value for key, value in entity.items() if ":" not in key or key in allowed}
    return kept if any(":" in key for key in kept) else None


def attributes_told(match: Match, entity: Entity) -> frozenset[str] | None:
    """Return the attributes that a source may tell of an entity that it answered with; None means all.

    A pattern that was asked for and one that is registered are taken to meet (clause 5.12).
    """
    return attributes_of_entity(match, entity) or attributes_of_entity(
        match, entity, by_pattern=False
    )


def attributes_of_entity(
    match: Match, entity: Entity, *, by_pattern: bool = True
) -> frozenset[str] | None:
    """Return the attributes that a source is registered for with an entity; None means all.

    Without `by_pattern` patterns of ids are not looked at.
    """
    found: frozenset[str] = frozenset()
    for part in match.information:
        if not part.entities or any(_covers(one, entity, by_pattern) for one in part.entities):
            if not part.attributes:
                return None
            found |= part.attributes
    return found


def _covers(info: EntityInfo, entity: Entity, by_pattern: bool) -> bool:
    if info.types and info.types.isdisjoint(entity["type"]):
        return False
    if info.id is not None:
        return bool(info.id == entity["id"])
    if info.pattern is None or not by_pattern:
        return True
    return info.pattern.search(entity["id"]) is not None


def _parts(match: Match, query: EntityQuery) -> list[_Part]:
    found = (_narrowed(one, match.entities) for one in query.which)
    return list(dict.fromkeys(part for part in found if part is not None))


def _narrowed(which: Which, infos: Sequence[EntityInfo]) -> _Part | None:
    types = None if which.types is None else which.types.alternatives
    ids = None if which.ids is None else tuple(which.ids)
    if ids == ():
        return None
    if not infos:
        return _Part(types, ids, None if ids else which.id_pattern)
    if all(info.types for info in infos):
        registered = frozenset().union(*(info.types for info in infos))
        if types is None:
            types = tuple(frozenset({name}) for name in sorted(registered))
        else:
            types = tuple(one for one in types if not one.isdisjoint(registered))
    if ids is not None:
        ids = tuple(one for one in ids if any(_has_id(info, one) for info in infos))
    elif all(info.id is not None for info in infos):
        ids = tuple(dict.fromkeys(info.id for info in infos if info.id is not None))
    if types == () or ids == ():
        return None
    pattern = which.id_pattern
    if pattern is None and len(infos) == 1:
        pattern = infos[0].pattern_text
    return _Part(types, ids, None if ids is not None else pattern)


def _has_id(info: EntityInfo, entity_id: str) -> bool:
    if info.id is not None:
        return info.id == entity_id
    return info.pattern is None or info.pattern.search(entity_id) is not None


def _by_parameters(match: Match, query: EntityQuery, part: _Part, given: Filters) -> Question:
    def parameters(context: Context) -> dict[str, str]:
        filters = given.told_in(context)
        made = _attrs(match, query, context)
        if part.types is not None:
            made["type"] = _selector(part.types, context)
        if part.ids is not None:
            made["id"] = ",".join(part.ids)
        if part.pattern is not None:
            made["idPattern"] = part.pattern
        made |= {name: _text(value) for name, value in filters.geo.items()}
        if filters.q is not None:
            made["q"] = filters.q
        if filters.expand_values:
            made["expandValues"] = ",".join(filters.expand_values)
        if filters.scope_q is not None:
            made["scopeQ"] = filters.scope_q
        if not made.keys() & {"type", "attrs", "q", "georel", "scopeQ"}:
            made["type"] = "*"
        return made | {"options": "sysAttrs"}

    return Question("GET", "/entities", parameters)


def _by_body(match: Match, query: EntityQuery, parts: Sequence[_Part], given: Filters) -> Question:
    def body(context: Context) -> dict[str, Any]:
        filters = given.told_in(context)
        made: dict[str, Any] = {
            "type": "Query",
            "entities": [one for part in parts for one in _selectors(part, context)],
        }
        if attrs := _attrs(match, query, context):
            made["attrs"] = attrs["attrs"].split(",")
        if filters.geo:
            made["geoQ"] = {name: _json(name, value) for name, value in filters.geo.items()}
        if filters.q is not None:
            made["q"] = filters.q
        if filters.expand_values:
            made["expandValues"] = list(filters.expand_values)
        if filters.scope_q is not None:
            made["scopeQ"] = filters.scope_q
        return made

    return Question(
        "POST", "/entityOperations/query", lambda _context: {"options": "sysAttrs"}, body
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _json(name: str, value: Any) -> Any:
    return orjson.loads(value) if name == "coordinates" and isinstance(value, str) else value


def _selectors(part: _Part, context: Context) -> list[dict[str, Any]]:
    one = {"type": "*" if part.types is None else _selector(part.types, context)}
    if part.ids is None:
        return [one if part.pattern is None else {**one, "idPattern": part.pattern}]
    if len(part.ids) <= _SINGLY:
        return [{**one, "id": entity_id} for entity_id in part.ids]
    return [{**one, "id": list(part.ids)}]


def _selector(alternatives: Sequence[frozenset[str]], context: Context) -> str:
    made = []
    for one in alternatives:
        names = [context.compact(name) for name in sorted(one)]
        made.append(names[0] if len(names) == 1 else f"({';'.join(names)})")
    return ",".join(made)


def _attrs(match: Match, query: EntityQuery, context: Context) -> dict[str, str]:
    names = match.attributes
    wanted = attributes_needed(query)
    if wanted is not None:
        names = wanted if names is None else names & wanted
    if not names:
        return {}
    return {"attrs": ",".join(sorted(context.compact(name) for name in names))}
