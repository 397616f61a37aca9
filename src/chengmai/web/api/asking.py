"""What a query asks for: from parameters (clause 6.4.3.2) or from a Query body (clause 5.2.23)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from chengmai.broker.distribution.narrowing import Filters
from chengmai.broker.model import ANY, EntityQuery, Which
from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.geoq import GeoQuery, parse_geoq
from chengmai.ngsild.linking import Join
from chengmai.ngsild.members import checked_dataset, checked_name, checked_uri
from chengmai.ngsild.ordering import Ordering, parse_ordering
from chengmai.ngsild.problems import TooManyResults
from chengmai.ngsild.projection import (
    ENTITY_MEMBERS,
    MAX_LINK_LEVEL,
    View,
    check_apart,
    parse_projection,
)
from chengmai.ngsild.q import attributes_of, parse_q
from chengmai.ngsild.qparse import links_of
from chengmai.ngsild.select import parse_scopes, parse_types
from chengmai.web.api.http import Request

MOST_PER_PAGE = 1000
MOST_STREAMED = 100_000
"""The highest limit of a query that has no order and follows no links; such an answer is streamed."""
_JOINS: dict[str, Join | None] = {"inline": "inline", "flat": "flat", "@none": None}


@dataclass(frozen=True)
class Given:
    """The parts of a query as texts, wherever they came from; `names` of lists are not yet expanded."""

    which: tuple[dict[str, str], ...] = ()
    attrs: tuple[str, ...] = ()
    pick: str | None = None
    omit: str | None = None
    datasets: tuple[str, ...] = ()
    q: str | None = None
    expand_values: tuple[str, ...] = ()
    json_keys: tuple[str, ...] = ()
    scope_q: str | None = None
    geo: dict[str, Any] | None = None
    order_by: tuple[str, ...] = ()
    origin: Any = None
    collation: str | None = None
    join: str | None = None
    join_level: int | None = None
    contained_by: tuple[str, ...] = ()
    local: bool = False
    local_is_given: bool = False
    csf: str | None = None
    split: bool | None = None


_NOTHING = Given()
_PLAIN = EntityQuery()


def given_in_parameters(request: Request) -> Given:
    """Return what the parameters of a request say; raises `Invalid`."""
    if not request.query:
        return _NOTHING
    query = request.query
    names: tuple[str, ...] = ("id", "type", "idPattern")
    selector = {name: query[name] for name in names if name in query}
    level = query.get("joinLevel")
    return Given(
        which=(selector,) if selector else (),
        attrs=tuple(request.names("attrs")),
        pick=query.get("pick"),
        omit=query.get("omit"),
        datasets=tuple(request.names("datasetId")),
        q=query.get("q"),
        expand_values=tuple(request.names("expandValues")),
        json_keys=tuple(request.names("jsonKeys")),
        scope_q=query.get("scopeQ"),
        geo={k: query[k] for k in ("georel", "geometry", "coordinates") if k in query}
        | ({"geoproperty": query["geoproperty"]} if "geoproperty" in query else {}),
        order_by=tuple(request.names("orderBy")),
        origin=_origin(query.get("orderFrom"), query.get("geometry")),
        collation=query.get("collation"),
        join=query.get("join"),
        join_level=None if level is None else request.number("joinLevel", 1, least=1, most=10),
        contained_by=tuple(request.names("containedBy")),
        local=request.flag("local"),
        local_is_given="local" in query,
        csf=query.get("csf"),
        split=request.flag("splitEntities") if "splitEntities" in query else None,
    )


def entity_query(given: Given, request: Request, context: Context) -> EntityQuery:
    """Return the query over many entities; raises `Invalid` when it names nothing to look for."""
    made = any_query(given, request, context)
    _check_names_something(given, made)
    return made


def any_query(given: Given, request: Request, context: Context) -> EntityQuery:
    """Return the query, whatever it names; raises `Invalid` when its parts do not fit together."""
    made = EntityQuery(
        which=tuple(_which(one, context) for one in given.which) or ANY,
        q=_q(given, context),
        scopes=parse_scopes(given.scope_q) if given.scope_q is not None else None,
        geoq=_geo_query(given.geo, context),
        attributes=_attributes(given, context),
        order=_ordering(given, context),
        limit=request.number("limit", 20, least=0, most=_most(given, request)),
        offset=request.number("offset", 0, least=0, most=10**9),
        count=request.flag("count"),
        **_shown(given, context),
    )
    if made.q is not None and links_of(made.q) > (made.join_level if made.join else 0):
        raise Invalid(
            "q follows more links than join and joinLevel ask for",
            code="query.join",
            param="q",
            fix="add join=inline and a joinLevel as deep as the braces",
        )
    if made.limit == 0 and not made.count:
        raise Invalid(
            "limit=0 asks for nothing", code="query.number", param="limit", fix="add count=true"
        )
    return made


def one_entity(given: Given, context: Context) -> EntityQuery:
    """Return how one entity is shown, and of which types it must be (clause 5.7.1)."""
    if given is _NOTHING:
        return _PLAIN
    types = [{"type": one["type"]} for one in given.which if "type" in one]
    return EntityQuery(
        which=tuple(_which(one, context) for one in types) or ANY,
        attributes=_attributes(given, context),
        **_shown(given, context),
    )


def filters_of(given: Given, context: Context) -> Filters:
    """Return the filters of a query as they are handed on; raises `QueryInvalid` on a bad `csf`."""
    return Filters(
        context=context,
        q=given.q,
        expand_values=given.expand_values,
        scope_q=given.scope_q,
        geo=given.geo if given.geo and "georel" in given.geo else {},
        csf=None if given.csf is None else parse_q(given.csf, context),
        split=given.split,
    )


def _check_names_something(given: Given, made: EntityQuery) -> None:
    wildcard = any(one.get("type") == "*" for one in given.which)
    if wildcard and given.local_is_given and not given.local:
        raise Invalid(
            "type=* is for local queries", code="query.local", param="local", fix="leave local out"
        )
    named = any(one.types for one in made.which) or wildcard or given.local
    asks = made.q is not None and bool(attributes_of(made.q))
    if named or asks or made.geoq or made.attributes or made.scopes or given.pick:
        return
    raise Invalid(
        "the query names nothing to look for",
        code="query.empty",
        param="type",
        fix="give at least one of type, attrs, pick, q, scopeQ or georel, or local=true",
    )


def _most(given: Given, request: Request) -> int:
    # What is neither sorted nor joined is read and sent bit by bit, however much it is.
    plain = request.method == "GET" and not given.order_by and given.join is None
    return MOST_STREAMED if plain else MOST_PER_PAGE


def too_many(why: str) -> TooManyResults:
    """Return the problem of a limit that is too high for what is asked."""
    return TooManyResults(why, code="query.number", param="limit", fix="ask for pages")


def _which(one: dict[str, str], context: Context) -> Which:
    types, ids = one.get("type"), one.get("id")
    listed = [part.strip() for part in ids.split(",") if part.strip()] if ids is not None else None
    if ids is not None and not listed:
        raise Invalid("id is empty", code="query.id", param="id")
    return Which(
        types=None if types in (None, "*") else parse_types(types, context),
        ids=None if listed is None else [checked_uri(part, "id") for part in listed],
        id_pattern=one.get("idPattern"),
    )


def _attributes(given: Given, context: Context) -> tuple[str, ...]:
    for name in given.attrs:
        if name in ENTITY_MEMBERS - {"scope"}:
            raise Invalid(
                f"{name} is no attribute", code="query.attrs", param="attrs", fix="use pick"
            )
    return tuple(
        name if name == "scope" else context.expand(checked_name(name, "attrs"))
        for name in given.attrs
    )


def _q(given: Given, context: Context) -> Any:
    check_json_keys(given.json_keys, given.expand_values)
    if given.q is None:
        return None
    return parse_q(given.q, context, expand_values=given.expand_values)


def check_json_keys(json_keys: Sequence[str], expanded: Sequence[str]) -> None:
    """Raise `Invalid` when values are to stay as they are and to be expanded (clause 5.2.23).

    Nothing else is to be done: no value in `q` is expanded that `expandValues` does not name.
    """
    for name in json_keys:
        checked_name(name, "jsonKeys")
        if name in expanded:
            raise Invalid(
                f"values of {name} are to be expanded and to stay as they are",
                code="query.json_keys",
                param="jsonKeys",
                fix="name it in expandValues or in jsonKeys",
            )


def _shown(given: Given, context: Context) -> dict[str, Any]:
    if given.attrs and (given.pick is not None or given.omit is not None):
        raise Invalid("attrs does not go with pick or omit", code="query.view", param="attrs")
    pick = None if given.pick is None else parse_projection(given.pick, context, "pick")
    omit = None if given.omit is None else parse_projection(given.omit, context, "omit")
    check_apart(pick, omit)
    attrs = _attributes(given, context)
    view = View(
        pick=pick,
        omit=omit,
        attrs=frozenset(attrs) if attrs else None,
        datasets=frozenset(map(checked_dataset, given.datasets)) if given.datasets else None,
    )
    join, level = _join(given)
    if view.depth > (level if join else 0):
        raise Invalid(
            "pick or omit goes on in more linked entities than join and joinLevel ask for",
            code="query.view",
            param="pick" if given.pick else "omit",
            fix="add join=inline and a joinLevel as deep as the braces",
        )
    return {"view": view, "join": join, "join_level": level, "contained_by": given.contained_by}


def _join(given: Given) -> tuple[Join | None, int]:
    if given.join is not None and given.join not in _JOINS:
        raise Invalid(
            f"join={given.join!r:.40} is not known",
            code="query.join",
            param="join",
            fix="use inline, flat or @none",
        )
    level = 1 if given.join_level is None else given.join_level
    if not 1 <= level <= MAX_LINK_LEVEL:
        raise Invalid(
            f"joinLevel is from 1 to {MAX_LINK_LEVEL}", code="query.join", param="joinLevel"
        )
    return (None if given.join is None else _JOINS[given.join]), level


def _ordering(given: Given, context: Context) -> Ordering | None:
    if not given.order_by and given.collation is None:
        return None
    return parse_ordering(given.order_by, context, origin=given.origin, collation=given.collation)


def _origin(coordinates: str | None, geometry: str | None) -> dict[str, Any] | None:
    if coordinates is None:
        return None
    try:
        return {"type": geometry or "Point", "coordinates": orjson.loads(coordinates)}
    except orjson.JSONDecodeError:
        raise Invalid(
            "orderFrom is no JSON list",
            code="query.order",
            param="orderFrom",
            fix="write [116.39,39.91]",
        ) from None


def _geo_query(geo: dict[str, Any] | None, context: Context) -> GeoQuery | None:
    if not geo or set(geo) == {"geometry"}:  # which may belong to an order by distance alone
        return None
    missing = [name for name in ("georel", "geometry", "coordinates") if name not in geo]
    if missing:
        raise Invalid(
            "a geo-query needs georel, geometry and coordinates",
            code="query.geo",
            param=next(iter(geo)),
            fix="give all three",
        )
    return parse_geoq(
        geo["georel"], geo["geometry"], geo["coordinates"], geo.get("geoproperty"), context
    )
