"""Writing to /entities: create, update, append, merge, replace, delete (clauses 6.4 to 6.7)."""

from __future__ import annotations

from urllib.parse import quote

from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.expand import expand_attribute, expand_entity, expand_fragment
from chengmai.ngsild.members import checked_dataset, checked_instant
from chengmai.ngsild.select import Selector, parse_types
from chengmai.web.api.http import InvalidRequest, Request, Response
from chengmai.web.api.machine import Machine, asked_by, entity_outcome_response, update_response
from chengmai.web.api.negotiation import body_with_context, request_context
from chengmai.web.api.options import checked_options, form

_FORMS_OF_MERGE = ("normalized", "concise", "keyValues", "simplified")


async def create(machine: Machine, request: Request) -> Response:
    """POST /entities"""
    body, context = body_with_context(request, machine.contexts)
    if not isinstance(body, dict):
        raise InvalidRequest("the body is no JSON object", param="body", fix="send one entity")
    entity = expand_entity(body, context)
    outcome = await machine.writes.create(asked_by(request, context), entity)
    location = f"/ngsi-ld/v1/entities/{quote(entity['id'], safe=':')}"
    done = Response(201).header("Location", location)
    return entity_outcome_response(outcome, entity["id"], done=done)


async def delete(machine: Machine, request: Request, entity_id: str) -> Response:
    """DELETE /entities/{id}"""
    context = request_context(request, machine.contexts)
    outcome = await machine.writes.delete(
        asked_by(request, context), entity_id, types=_types(request, context)
    )
    return entity_outcome_response(outcome, entity_id, done=Response(204))


async def merge(machine: Machine, request: Request, entity_id: str) -> Response:
    """PATCH /entities/{id}"""
    body, context = body_with_context(request, machine.contexts, merge_patch=True)
    checked_options(request, *_FORMS_OF_MERGE)
    is_plain = form(request) == "simplified"
    fragment = expand_fragment(body, context, simplified=is_plain, merging=True)
    _same_id(fragment, entity_id)
    outcome = await machine.writes.merge(
        asked_by(request, context),
        entity_id,
        fragment | _how_to_merge(request),
        types=_types(request, context),
        plain={context.expand(name): value for name, value in body.items()} if is_plain else None,
    )
    return entity_outcome_response(outcome, entity_id, done=Response(204))


async def replace(machine: Machine, request: Request, entity_id: str) -> Response:
    """PUT /entities/{id}"""
    body, context = body_with_context(request, machine.contexts)
    body = {"id": entity_id, **body} if isinstance(body, dict) else body
    entity = expand_entity(body, context)
    _same_id(entity, entity_id)
    outcome = await machine.writes.replace(
        asked_by(request, context), entity_id, entity, types=_types(request, context)
    )
    return entity_outcome_response(outcome, entity_id, done=Response(204))


async def append(machine: Machine, request: Request, entity_id: str) -> Response:
    """POST /entities/{id}/attrs"""
    body, context = body_with_context(request, machine.contexts)
    given = checked_options(request, "noOverwrite")
    fragment = expand_fragment(body, context, complete=True)
    outcome = await machine.writes.append(
        asked_by(request, context),
        entity_id,
        fragment,
        overwrite="noOverwrite" not in given,
        types=_types(request, context),
    )
    return update_response(outcome)


async def update(machine: Machine, request: Request, entity_id: str) -> Response:
    """PATCH /entities/{id}/attrs"""
    body, context = body_with_context(request, machine.contexts)
    fragment = expand_fragment(body, context)
    outcome = await machine.writes.update(
        asked_by(request, context), entity_id, fragment, types=_types(request, context)
    )
    return update_response(outcome)


async def replace_attribute(
    machine: Machine, request: Request, entity_id: str, attribute: str
) -> Response:
    """PUT /entities/{id}/attrs/{attr}"""
    if attribute == "scope":
        raise Invalid("scope is replaced with the entity", code="attribute.scope", param="scope")
    body, context = body_with_context(request, machine.contexts)
    if isinstance(body, dict) and list(body) == [attribute]:
        # An attribute under its own name can mean nothing else: a whole one has a type or a value member.
        body = body[attribute]
    instances = expand_attribute(attribute, body, context, fragment=False)
    outcome = await machine.writes.replace_attribute(
        asked_by(request, context),
        entity_id,
        context.expand(attribute),
        instances,
        types=_types(request, context),
    )
    return update_response(outcome)


async def update_attribute(
    machine: Machine, request: Request, entity_id: str, attribute: str
) -> Response:
    """PATCH /entities/{id}/attrs/{attr}"""
    if attribute == "scope":
        raise Invalid("scope has no parts to update", code="attribute.scope", param="scope")
    body, context = body_with_context(request, machine.contexts, merge_patch=True)
    instances = expand_attribute(attribute, body, context)
    if len(instances) != 1:
        raise Invalid("a partial update takes one instance", code="attribute.many", param=attribute)
    outcome = await machine.writes.update_attribute(
        asked_by(request, context),
        entity_id,
        context.expand(attribute),
        instances[0],
        types=_types(request, context),
    )
    return update_response(outcome)


async def delete_attribute(
    machine: Machine, request: Request, entity_id: str, attribute: str
) -> Response:
    """DELETE /entities/{id}/attrs/{attr}"""
    context = request_context(request, machine.contexts)
    if "datasetId" in request.query:
        checked_dataset(request.query["datasetId"])
    outcome = await machine.writes.delete_attribute(
        asked_by(request, context),
        entity_id,
        attribute if attribute == "scope" else context.expand(attribute),
        dataset_id=request.query.get("datasetId"),
        delete_all=request.flag("deleteAll"),
        types=_types(request, context),
    )
    return update_response(outcome)


def _types(request: Request, context: Context) -> Selector | None:
    """Return the type selector that the request names (clause 4.17)."""
    text = request.query.get("type")
    return None if text is None else parse_types(text, context)


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
