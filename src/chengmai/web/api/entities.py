"""/entities: create, retrieve, query, update, append, merge, replace, delete (clauses 6.4 to 6.7)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.expand import expand_attribute, expand_entity, expand_fragment
from chengmai.ngsild.represent import compact_entity, to_feature_collection, to_geojson
from chengmai.web.api.http import Request, Response, json_response
from chengmai.web.api.machine import (
    Machine,
    entity_query,
    form,
    options,
    page_links,
    update_response,
    wants_sys_attrs,
)
from chengmai.web.api.negotiation import (
    GEO_JSON,
    accepted,
    body_with_context,
    context_link,
    entity_response,
    request_context,
)


def _view(request: Request, context: Context) -> dict[str, Any]:
    names = request.names("attrs")
    return {
        "form": form(request),
        "sys_attrs": wants_sys_attrs(request),
        "attrs": {context.expand(name) for name in names} if names else None,
        "lang": request.query.get("lang"),
    }


async def create(machine: Machine, request: Request) -> Response:
    """POST /entities"""
    body, context = body_with_context(request, machine.contexts)
    entity = expand_entity(body, context)
    await machine.broker.create(request.actor, entity)
    return Response(201).header("Location", f"/ngsi-ld/v1/entities/{quote(entity['id'], safe=':')}")


async def query(machine: Machine, request: Request) -> Response:
    """GET /entities"""
    media = accepted(request, geo=True)
    context = request_context(request, machine.contexts)
    asked = entity_query(request, context)
    found = await machine.broker.query(request.actor, asked)
    view = _view(request, context)
    if media == GEO_JSON:
        collection = to_feature_collection(found.entities, context, **view)
        response = json_response(collection, content_type=GEO_JSON)
        response.header("Link", context_link(context))
    else:
        documents = [compact_entity(entity, context, **view) for entity in found.entities]
        response = entity_response(documents, context, media)
    if found.total is not None:
        response.header("NGSILD-Results-Count", str(found.total))
    response.headers += page_links(request, asked, more=found.more)
    return response


async def retrieve(machine: Machine, request: Request, entity_id: str) -> Response:
    """GET /entities/{id}"""
    media = accepted(request, geo=True)
    context = request_context(request, machine.contexts)
    entity = await machine.broker.retrieve(request.actor, entity_id)
    view = _view(request, context)
    if media == GEO_JSON:
        response = json_response(to_geojson(entity, context, **view), content_type=GEO_JSON)
        return response.header("Link", context_link(context))
    return entity_response(compact_entity(entity, context, **view), context, media)


async def delete(machine: Machine, request: Request, entity_id: str) -> Response:
    """DELETE /entities/{id}"""
    await machine.broker.delete(request.actor, entity_id)
    return Response(204)


async def merge(machine: Machine, request: Request, entity_id: str) -> Response:
    """PATCH /entities/{id}"""
    body, context = body_with_context(request, machine.contexts, merge_patch=True)
    fragment = expand_fragment(body, context)
    _same_id(fragment, entity_id)
    return update_response(await machine.broker.merge(request.actor, entity_id, fragment), context)


async def replace(machine: Machine, request: Request, entity_id: str) -> Response:
    """PUT /entities/{id}"""
    body, context = body_with_context(request, machine.contexts)
    body = {"id": entity_id, **body} if isinstance(body, dict) else body
    entity = expand_entity(body, context)
    _same_id(entity, entity_id)
    return update_response(await machine.broker.replace(request.actor, entity_id, entity), context)


async def append(machine: Machine, request: Request, entity_id: str) -> Response:
    """POST /entities/{id}/attrs"""
    body, context = body_with_context(request, machine.contexts)
    fragment = expand_fragment(body, context, complete=True)
    outcome = await machine.broker.append(
        request.actor, entity_id, fragment, overwrite="noOverwrite" not in options(request)
    )
    return update_response(outcome, context)


async def update(machine: Machine, request: Request, entity_id: str) -> Response:
    """PATCH /entities/{id}/attrs"""
    body, context = body_with_context(request, machine.contexts)
    fragment = expand_fragment(body, context)
    return update_response(await machine.broker.update(request.actor, entity_id, fragment), context)


async def update_attribute(
    machine: Machine, request: Request, entity_id: str, attribute: str
) -> Response:
    """PATCH /entities/{id}/attrs/{attr}"""
    body, context = body_with_context(request, machine.contexts)
    instances = expand_attribute(attribute, body, context)
    if len(instances) != 1:
        raise Invalid("a partial update takes one instance", code="attribute.many", param=attribute)
    await machine.broker.update_attribute(
        request.actor, entity_id, context.expand(attribute), instances[0]
    )
    return Response(204)


async def delete_attribute(
    machine: Machine, request: Request, entity_id: str, attribute: str
) -> Response:
    """DELETE /entities/{id}/attrs/{attr}"""
    context = request_context(request, machine.contexts)
    await machine.broker.delete_attribute(
        request.actor,
        entity_id,
        attribute if attribute == "scope" else context.expand(attribute),
        dataset_id=request.query.get("datasetId"),
        delete_all=request.flag("deleteAll"),
    )
    return Response(204)


def _same_id(entity: Entity, entity_id: str) -> None:
    if entity.get("id", entity_id) != entity_id:
        raise Invalid(
            f"the body is about {entity['id']}, the path about {entity_id}",
            code="entity.id",
            param="id",
        )
