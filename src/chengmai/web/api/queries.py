"""Reading from /entities, and purging by query (clauses 6.4, 6.5 and 6.23)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson

from chengmai.broker.entity_maps import MOST_ENTITIES, Holders
from chengmai.broker.model import EntityQuery, Found, StoredEntities
from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import Invalid, NotFound
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.members import checked_name
from chengmai.web.api.asking import (
    MOST_PER_PAGE,
    entity_query,
    given_in_parameters,
    too_many,
)
from chengmai.web.api.entity_maps import confined, map_of
from chengmai.web.api.http import Request, Response, json_response
from chengmai.web.api.machine import Machine, asked_by, entity_outcome_response
from chengmai.web.api.negotiation import (
    GEO_JSON,
    JSON,
    accepted,
    body_with_context,
    context_link,
    entity_response,
    request_context,
    wants_context_in_body,
    written_response,
)
from chengmai.web.api.paging import page_links
from chengmai.web.api.planning import Plan, plan_of_given, plan_of_many, plan_of_one
from chengmai.web.api.querybody import given_in_body
from chengmai.web.api.showing import Showing


async def query(machine: Machine, request: Request) -> Response:
    """GET /entities"""
    media = accepted(request, geo=True)
    context = request_context(request, machine.contexts)
    return await _answer(machine, request, machine.plans.of(plan_of_many, request, context, media))


async def query_by_body(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/query"""
    media = accepted(request, geo=True)
    body, context = body_with_context(request, machine.contexts)
    given = given_in_body(body)
    for name in ("lang", "geometryProperty"):
        if isinstance(body.get(name), str):
            request.query.setdefault(name, body[name])
    return await _answer(machine, request, plan_of_given(given, request, context, media))


async def retrieve(machine: Machine, request: Request, entity_id: str) -> Response:
    """GET /entities/{id}"""
    media = accepted(request, geo=True)
    context = request_context(request, machine.contexts)
    plan = machine.plans.of(plan_of_one, request, context, media)
    asked = plan.asked
    if (known := _known(machine, request, entity_id, plan)) is not None:
        return known
    found = await machine.reads.show(asked_by(request, context), entity_id, asked)
    if asked.attributes and not any(name in found.entities[0] for name in asked.attributes):
        raise NotFound(
            f"{entity_id} has none of the attributes asked for", param="attrs", id=entity_id
        )
    if not found.shown:
        raise NotFound(
            f"nothing is left of {entity_id}", param="pick", fix="pick members that it has"
        )
    response = _shown(machine, request, found, plan.show, single=len(found.shown) == 1)
    if (use := await map_of(machine, request)) is None:
        return response
    return await use.told(machine, request, response, use.of_one(entity_id), many=False)


def _known(machine: Machine, request: Request, entity_id: str, plan: Plan) -> Response | None:
    """Return the answer to `retrieve` where the entity was shown so before and has not changed since."""
    if not plan.is_plain or "ngsild-entitymap" in request.headers:
        return None
    mark = machine.reads.mark(request.actor, entity_id, local=plan.is_local)
    part = None if mark is None else machine.rendered.part(plan.show.key, mark)
    return _joined([part], request, plan.show, single=True) if part else None


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


async def _answer(machine: Machine, request: Request, plan: Plan) -> Response:
    use = await map_of(machine, request)
    asked = confined(plan.asked, use)
    asker = asked_by(request, plan.show.context)
    asker.local |= plan.is_local
    if asked.limit > MOST_PER_PAGE:
        if use is None and machine.reads.is_alone(asker):
            return await _streamed(machine, request, asked, plan.show)
        raise too_many(f"limit must be {MOST_PER_PAGE} or less with other brokers or an entity map")
    found = await machine.reads.query(asker, asked, plan.filters)
    response = _shown(machine, request, found, plan.show, single=False)
    if found.total is not None and request.flag("count"):
        response.header("NGSILD-Results-Count", str(found.total))
    response.headers += plan.links(request, asked, more=found.more)
    if use is None:
        return response

    async def held() -> Holders:
        return await machine.reads.holders(asker, asked, plan.filters, most=MOST_ENTITIES + 1)

    return await use.told(machine, request, response, held, many=True, total=found.total)


def _shown(
    machine: Machine, request: Request, found: Found, show: Showing, *, single: bool
) -> Response:
    if isinstance(found.shown, StoredEntities) and request.method == "GET":
        return _of_parts(machine, request, found.shown, show, single=single)
    if show.media == GEO_JSON:
        whole = {one["id"]: one for one in found.entities}
        features = [show.feature(one, whole.get(one["id"])) for one in found.shown]
        document = features[0] if single else {"type": "FeatureCollection", "features": features}
        return _with_context(document, request, show.context)
    documents = [show.document(entity) for entity in found.shown]
    return entity_response(documents[0] if single else documents, show.context, show.media)


def _of_parts(
    machine: Machine, request: Request, shown: StoredEntities, show: Showing, *, single: bool
) -> Response:
    """Return the same answer as without remembered parts, from those that are remembered."""
    parts = machine.rendered.parts(show.key, shown.rows, show.part)
    return _joined(parts, request, show, single=single)


def _joined(parts: list[bytes], request: Request, show: Showing, *, single: bool) -> Response:
    context = show.context
    if show.media != GEO_JSON:
        return written_response(parts, context, show.media, single=single)
    if single and wants_context_in_body(request):
        return _with_context(orjson.loads(parts[0]), request, context)
    head, tail, headers = (b"", b"", [_link(context)]) if single else _around(request, context)
    return Response(200, head + b",".join(parts) + tail, [("Content-Type", GEO_JSON), *headers])


def _around(request: Request, context: Context) -> tuple[bytes, bytes, list[tuple[str, str]]]:
    """Return what stands before and after the features of a collection, and the headers it needs."""
    head, tail = b'{"type":"FeatureCollection","features":[', b"]}"
    if not wants_context_in_body(request):
        return head, tail, [_link(context)]
    return head, b'],"@context":' + orjson.dumps(context.echo) + b"}", []


async def _streamed(
    machine: Machine, request: Request, asked: EntityQuery, show: Showing
) -> Response:
    """Return more entities than a page holds, read and sent bit by bit: the map of a city in one answer."""
    actor, context, media = request.actor, show.context, show.media
    response = Response(200, headers=[("Content-Type", media)])
    head, tail = b"[", b"]"
    if media == GEO_JSON:
        head, tail, headers = _around(request, context)
        response.headers += headers
    elif media == JSON:
        response.headers.append(_link(context))
    laid = await machine.broker.laid(actor, asked)
    total: int | None
    if laid is not None:
        total, more = laid.total, laid.total > asked.offset + asked.limit
        parts = laid.parts(show.key, show.part, offset=asked.offset, limit=asked.limit)
    else:
        total = await _counted(machine, actor, asked)
        more = await machine.broker.at_most(actor, asked) > asked.offset + asked.limit
        parts = _read(machine, actor, asked, show)
    if asked.count:
        response.header("NGSILD-Results-Count", str(total))
    response.headers += page_links(request, asked, more=more, media=media)

    async def stream() -> AsyncIterator[bytes]:
        before = head
        async for some in parts:
            if some:
                yield before + b",".join(some)
                before = b","
        yield tail if before == b"," else head + tail

    response.stream = stream()
    return response


async def _counted(machine: Machine, actor: Actor, asked: EntityQuery) -> int | None:
    if not asked.count:
        return None
    return (await machine.broker.query(actor, replace(asked, limit=0))).total


async def _read(
    machine: Machine, actor: Actor, asked: EntityQuery, show: Showing
) -> AsyncIterator[list[bytes]]:
    async for rows in machine.broker.all(actor, asked):
        yield machine.rendered.parts(show.key, rows, show.part)


def _link(context: Context) -> tuple[str, str]:
    return "Link", context_link(context)


def _with_context(document: dict[str, Any], request: Request, context: Context) -> Response:
    if wants_context_in_body(request):
        document["@context"] = context.echo
        return json_response(document, content_type=GEO_JSON)
    return json_response(document, content_type=GEO_JSON).header("Link", context_link(context))
