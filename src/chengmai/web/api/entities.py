"""Writing to /entities: create, update, append, merge, replace, delete (clauses 6.4 to 6.7)."""

from __future__ import annotations

from urllib.parse import quote

from chengmai.kernel.problems import Invalid, NotFound
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.expand import expand_attribute, expand_entity, expand_fragment
from chengmai.ngsild.members import checked_instant
from chengmai.ngsild.select import matches_types, parse_types
from chengmai.web.api.http import InvalidRequest, Request, Response
from chengmai.web.api.machine import Machine, form, options, update_response
from chengmai.web.api.negotiation import body_with_context, request_context


async def create(machine: Machine, request: Request) -> Response:
    """POST /entities"""
    body, context = body_with_context(request, machine.contexts)
    if not isinstance(body, dict):
        raise InvalidRequest("the body is no JSON object", param="body", fix="send one entity")
    entity = expand_entity(body, context)
    await machine.broker.create(request.actor, entity)
    return Response(201).header("Location", f"/ngsi-ld/v1/entities/{quote(entity['id'], safe=':')}")


async def delete(machine: Machine, request: Request, entity_id: str) -> Response:
    """DELETE /entities/{id}"""
    context = request_context(request, machine.contexts)
    await _check_type(machine, request, entity_id, context)
    await machine.broker.delete(request.actor, entity_id)
    return Response(204)


async def merge(machine: Machine, request: Request, entity_id: str) -> Response:
    """PATCH /entities/{id}"""
    body, context = body_with_context(request, machine.contexts, merge_patch=True)
    await _check_type(machine, request, entity_id, context)
    fragment = expand_fragment(body, context, simplified=form(request) == "simplified")
    _same_id(fragment, entity_id)
    fragment |= _how_to_merge(request)
    return update_response(await machine.broker.merge(request.actor, entity_id, fragment))


async def replace(machine: Machine, request: Request, entity_id: str) -> Response:
    """PUT /entities/{id}"""
    body, context = body_with_context(request, machine.contexts)
    await _check_type(machine, request, entity_id, context)
    body = {"id": entity_id, **body} if isinstance(body, dict) else body
    entity = expand_entity(body, context)
    _same_id(entity, entity_id)
    return update_response(await machine.broker.replace(request.actor, entity_id, entity))


async def append(machine: Machine, request: Request, entity_id: str) -> Response:
    """POST /entities/{id}/attrs"""
    body, context = body_with_context(request, machine.contexts)
    await _check_type(machine, request, entity_id, context)
    fragment = expand_fragment(body, context, complete=True)
    outcome = await machine.broker.append(
        request.actor, entity_id, fragment, overwrite="noOverwrite" not in options(request)
    )
    return update_response(outcome)


async def update(machine: Machine, request: Request, entity_id: str) -> Response:
    """PATCH /entities/{id}/attrs"""
    body, context = body_with_context(request, machine.contexts)
    await _check_type(machine, request, entity_id, context)
    fragment = expand_fragment(body, context)
    return update_response(await machine.broker.update(request.actor, entity_id, fragment))


async def replace_attribute(
    machine: Machine, request: Request, entity_id: str, attribute: str
) -> Response:
    """PUT /entities/{id}/attrs/{attr}"""
    if attribute == "scope":
        raise Invalid("scope is replaced with the entity", code="attribute.scope", param="scope")
    body, context = body_with_context(request, machine.contexts)
    await _check_type(machine, request, entity_id, context)
    instances = expand_attribute(attribute, body, context, fragment=False)
    name = context.expand(attribute)
    await machine.broker.replace_attribute(request.actor, entity_id, name, instances)
    return Response(204)


async def update_attribute(
    machine: Machine, request: Request, entity_id: str, attribute: str
) -> Response:
    """PATCH /entities/{id}/attrs/{attr}"""
    body, context = body_with_context(request, machine.contexts, merge_patch=True)
    await _check_type(machine, request, entity_id, context)
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
    await _check_type(machine, request, entity_id, context)
    await machine.broker.delete_attribute(
        request.actor,
        entity_id,
        attribute if attribute == "scope" else context.expand(attribute),
        dataset_id=request.query.get("datasetId"),
        delete_all=request.flag("deleteAll"),
    )
    return Response(204)


async def _check_type(machine: Machine, request: Request, entity_id: str, context: Context) -> None:
    """Raise `NotFound` when the entity is not of the type that the request names (clause 5.6.2)."""
    if "type" not in request.query:
        return
    wanted = parse_types(request.query["type"], context)
    entity = await machine.broker.retrieve(request.actor, entity_id)
    if not matches_types(wanted, entity["type"]):
        raise NotFound(f"{entity_id} is not of the type asked for", param="type", id=entity_id)


def _how_to_merge(request: Request) -> dict[str, str]:
    """Return the members of a fragment that say how it is merged (clause 5.6.17.3)."""
    made = {}
    if (at := request.query.get("observedAt")) is not None:
        made["observedAt"] = checked_instant(at, "observedAt")
    if lang := request.query.get("lang"):
        made["lang"] = lang
    return made


def _same_id(entity: Entity, entity_id: str) -> None:
    if entity.get("id", entity_id) != entity_id:
        raise Invalid(
            f"the body is about {entity['id']}, the path about {entity_id}",
            code="entity.id",
            param="id",
        )
