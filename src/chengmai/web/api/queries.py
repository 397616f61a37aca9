"""Reading from /entities, and purging by query (clauses 6.4, 6.5 and 6.23)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from chengmai.broker.entity_maps import MOST_ENTITIES, Holders
from chengmai.broker.model import EntityQuery, Found, Stored, StoredEntities
from chengmai.kernel.problems import Invalid, NotFound
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import LOCATION, Entity
from chengmai.ngsild.members import checked_name
from chengmai.ngsild.projection import View
from chengmai.ngsild.q import parse_q
from chengmai.ngsild.represent import compact_entity, to_geojson
from chengmai.web.api.asking import (
    MOST_PER_PAGE,
    Given,
    entity_query,
    filters_of,
    given_in_parameters,
    one_entity,
    too_many,
)
from chengmai.web.api.entity_maps import confined, map_of
from chengmai.web.api.http import Request, Response, json_response
from chengmai.web.api.machine import (
    Machine,
    asked_by,
    checked_view_options,
    entity_outcome_response,
    form,
    page_links,
    wants_sys_attrs,
)
from chengmai.web.api.negotiation import (
    GEO_JSON,
    JSON,
    JSON_LD,
    accepted,
    body_with_context,
    context_link,
    entity_response,
    request_context,
    wants_context_in_body,
    written_response,
)
from chengmai.web.api.querybody import given_in_body


async def query(machine: Machine, request: Request) -> Response:
    """GET /entities"""
    media = accepted(request, geo=True)
    context = request_context(request, machine.contexts)
    if "csf" in request.query:
        parse_q(request.query["csf"], context)
    return await _answer(machine, request, given_in_parameters(request), context, media)


async def query_by_body(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/query"""
    media = accepted(request, geo=True)
    body, context = body_with_context(request, machine.contexts)
    given = given_in_body(body)
    for name in ("lang", "geometryProperty"):
        if isinstance(body.get(name), str):
            request.query.setdefault(name, body[name])
    return await _answer(machine, request, given, context, media)


async def retrieve(machine: Machine, request: Request, entity_id: str) -> Response:
    """GET /entities/{id}"""
    media = accepted(request, geo=True)
    context = request_context(request, machine.contexts)
    checked_view_options(request)
    _check_geometry(request, media)
    asked = _for_media(one_entity(given_in_parameters(request), context), media)
    found = await machine.reads.show(asked_by(request, context), entity_id, asked)
    if asked.attributes and not any(name in found.entities[0] for name in asked.attributes):
        raise NotFound(
            f"{entity_id} has none of the attributes asked for", param="attrs", id=entity_id
        )
    if not found.shown:
        raise NotFound(
            f"nothing is left of {entity_id}", param="pick", fix="pick members that it has"
        )
    one = len(found.shown) == 1
    response = _shown(machine, request, found, context, media, single=one)
    if (use := await map_of(machine, request)) is None:
        return response
    return await use.told(machine, request, response, use.of_one(entity_id), many=False)


async def purge(machine: Machine, request: Request) -> Response:
    """DELETE /entities"""
    context = request_context(request, machine.contexts)
    given = given_in_parameters(request)
    keep, drop = request.names("keep"), request.names("drop")
    if keep and drop:
        raise Invalid("keep and drop do not go together", code="purge.both", param="drop")
    asked = replace(entity_query(given, request, context), limit=0)
    named = frozenset(
        name if name == "scope" else context.expand(checked_name(name, "keep"))
        for name in (*keep, *drop)
    )

    def doomed(entity: Entity) -> frozenset[str]:
        names = frozenset(key for key in entity if ":" in key or key == "scope")
        return names - named if keep else names & named

    outcome = await machine.writes.purge(
        asked_by(request, context, **_handed_on(request)),
        asked,
        doomed if named else None,
        names=_attributes_meant(asked, frozenset() if keep else named),
    )
    return entity_outcome_response(outcome, None, done=Response(204))


def _handed_on(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.query.items() if name != "local"}


def _attributes_meant(query: EntityQuery, dropped: frozenset[str]) -> frozenset[str] | None:
    """Return the attributes that a purge is about, None for all."""
    return dropped - {"scope"} or frozenset(query.attributes) or None


async def _answer(
    machine: Machine, request: Request, given: Given, context: Context, media: str
) -> Response:
    checked_view_options(request, "count")
    _check_geometry(request, media)
    use = await map_of(machine, request)
    asked = confined(_for_media(entity_query(given, request, context), media), use)
    asker, filters = asked_by(request, context), filters_of(given, context)
    asker.local |= given.local
    if asked.limit > MOST_PER_PAGE:
        if use is None and machine.reads.is_alone(asker):
            return await _streamed(machine, request, asked, context, media)
        raise too_many(f"limit must be {MOST_PER_PAGE} or less with other brokers or an entity map")
    found = await machine.reads.query(asker, asked, filters)
    response = _shown(machine, request, found, context, media, single=False)
    if found.total is not None and request.flag("count"):
        response.header("NGSILD-Results-Count", str(found.total))
    response.headers += page_links(request, asked, more=found.more, media=media)
    if use is None:
        return response

    async def held() -> Holders:
        return await machine.reads.holders(asker, asked, filters, most=MOST_ENTITIES + 1)

    return await use.told(machine, request, response, held, many=True, total=found.total)


def _check_geometry(request: Request, media: str) -> None:
    if "geometryProperty" in request.query and media != GEO_JSON:
        raise Invalid(
            "geometryProperty is for GeoJSON answers",
            code="query.geometry_property",
            param="geometryProperty",
            fix=f"accept {GEO_JSON}",
        )


def _for_media(asked: EntityQuery, media: str) -> EntityQuery:
    """Return the query with `id` among what is shown where the media type cannot do without it."""
    if media != GEO_JSON or asked.view.shows_everything:
        return asked
    pick, omit = asked.view.pick, asked.view.omit
    if pick is not None:
        pick = {**pick, "id": None}
    if omit is not None:
        omit = {name: below for name, below in omit.items() if name != "id"}
    return replace(asked, view=replace(asked.view, pick=pick, omit=omit))


def _view_options(request: Request) -> dict[str, Any]:
    return {
        "form": form(request),
        "sys_attrs": wants_sys_attrs(request),
        "lang": request.query.get("lang"),
    }


_VIEW = ("lang", "pick", "omit", "attrs", "datasetId", "geometryProperty")


def _shown(
    machine: Machine,
    request: Request,
    found: Found,
    context: Context,
    media: str,
    *,
    single: bool,
) -> Response:
    if isinstance(found.shown, StoredEntities) and request.method == "GET":
        return _of_parts(machine, request, found.shown, context, media, single=single)
    view = _view_options(request)
    if media == GEO_JSON:
        return _geo_json(request, found, context, view, single=single)
    documents = [compact_entity(entity, context, **view) for entity in found.shown]
    return entity_response(documents[0] if single else documents, context, media)


def _of_parts(
    machine: Machine,
    request: Request,
    shown: StoredEntities,
    context: Context,
    media: str,
    *,
    single: bool,
) -> Response:
    """Return the same answer as without remembered parts, from those that are remembered."""
    parts = _parts(machine, request, shown.view, context, media)(shown.rows)
    if media != GEO_JSON:
        return written_response(parts, context, media, single=single)
    if single and wants_context_in_body(request):
        return _with_context(orjson.loads(parts[0]), request, context)
    head, tail, headers = (b"", b"", [_link(context)]) if single else _around(request, context)
    return Response(200, head + b",".join(parts) + tail, [("Content-Type", GEO_JSON), *headers])


def _parts(
    machine: Machine, request: Request, view: View, context: Context, media: str
) -> Callable[[Sequence[Stored]], list[bytes]]:
    """Return what shows stored entities as this request asks, each as bytes."""
    geometry = _geometry_property(request, context) if media == GEO_JSON else None
    options = _view_options(request)

    def render(doc: bytes) -> bytes:
        whole = orjson.loads(doc)
        entity = view.of(whole)
        if not entity:
            return b""
        if geometry is not None:
            whole_of = {whole["id"]: whole}
            return orjson.dumps(_feature(entity, whole_of, context, geometry, request, options))
        made = compact_entity(entity, context, **options)
        return orjson.dumps({**made, "@context": context.echo} if media == JSON_LD else made)

    asked = tuple(request.query.get(name) for name in _VIEW)
    key = (context, media, options["form"], options["sys_attrs"], *asked)
    return lambda rows: machine.rendered.parts(key, rows, render)


def _around(request: Request, context: Context) -> tuple[bytes, bytes, list[tuple[str, str]]]:
    """Return what stands before and after the features of a collection, and the headers it needs."""
    head, tail = b'{"type":"FeatureCollection","features":[', b"]}"
    if not wants_context_in_body(request):
        return head, tail, [_link(context)]
    return head, b'],"@context":' + orjson.dumps(context.echo) + b"}", []


async def _streamed(
    machine: Machine, request: Request, asked: EntityQuery, context: Context, media: str
) -> Response:
    """Return more entities than a page holds, read and sent bit by bit: the map of a city in one answer."""
    actor = request.actor
    response = Response(200, headers=[("Content-Type", media)])
    head, tail = b"[", b"]"
    if media == GEO_JSON:
        head, tail, headers = _around(request, context)
        response.headers += headers
    elif media == JSON:
        response.headers.append(_link(context))
    if asked.count:
        counted = await machine.broker.query(actor, replace(asked, limit=0))
        response.header("NGSILD-Results-Count", str(counted.total))
    more = await machine.broker.at_most(actor, asked) > asked.offset + asked.limit
    response.headers += page_links(request, asked, more=more, media=media)
    show = _parts(machine, request, asked.view, context, media)

    async def stream() -> AsyncIterator[bytes]:
        before = head
        async for rows in machine.broker.all(actor, asked):
            if parts := show(rows):
                yield before + b",".join(parts)
                before = b","
        yield tail if before == b"," else head + tail

    response.stream = stream()
    return response


def _link(context: Context) -> tuple[str, str]:
    return "Link", context_link(context)


def _geometry_property(request: Request, context: Context) -> str:
    name = request.query.get("geometryProperty")
    return LOCATION if name is None else context.expand(checked_name(name, "geometryProperty"))


def _geo_json(
    request: Request, found: Found, context: Context, view: dict[str, Any], *, single: bool
) -> Response:
    iri = _geometry_property(request, context)
    whole = {one["id"]: one for one in found.entities}
    features = [_feature(one, whole, context, iri, request, view) for one in found.shown]
    document = features[0] if single else {"type": "FeatureCollection", "features": features}
    return _with_context(document, request, context)


def _feature(
    entity: Entity,
    whole: dict[str, Entity],
    context: Context,
    iri: str,
    request: Request,
    view: dict[str, Any],
) -> dict[str, Any]:
    datasets: Sequence[str] = request.names("datasetId")
    dataset = datasets[0] if datasets and datasets[0] != "@none" else None
    return to_geojson(
        entity,
        context,
        geometry_property=iri,
        dataset_id=dataset,
        geometry_of=whole.get(entity["id"]),
        **view,
    )


def _with_context(document: dict[str, Any], request: Request, context: Context) -> Response:
    if wants_context_in_body(request):
        document["@context"] = context.echo
        return json_response(document, content_type=GEO_JSON)
    return json_response(document, content_type=GEO_JSON).header("Link", context_link(context))
