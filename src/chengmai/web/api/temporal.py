"""/temporal/entities: entities over time (clauses 5.6.11–5.6.16, 5.7.3, 5.7.4; bindings 6.18–6.24)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from chengmai.broker.entity_maps import MOST_ENTITIES, Holders
from chengmai.broker.model import EntityQuery
from chengmai.broker.temporal import TemporalFound
from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.evolution import expand_evolution
from chengmai.ngsild.expand import expand_attribute
from chengmai.ngsild.members import checked_name, checked_uri
from chengmai.ngsild.problems import AttributeMissing
from chengmai.ngsild.temporal_view import compact_evolution
from chengmai.web.api.entity_maps import confined_over_time, map_of
from chengmai.web.api.http import InvalidRequest, Request, Response
from chengmai.web.api.machine import Machine, asked_by, entity_outcome_response, update_response
from chengmai.web.api.negotiation import (
    accepted,
    body_with_context,
    entity_response,
    request_context,
)
from chengmai.web.api.paging import page_links
from chengmai.web.api.temporal_ask import Asked, asked_by_body, asked_of_many, asked_of_one


async def create(machine: Machine, request: Request) -> Response:
    """POST /temporal/entities"""
    body, context = body_with_context(request, machine.contexts)
    _not_empty(body)
    told = expand_evolution(body, context)
    entity_id = told.head["id"]
    outcome, is_new = await machine.past_writes.tell(asked_by(request, context), told)
    done = Response(204)
    if is_new:
        location = f"/ngsi-ld/v1/temporal/entities/{quote(entity_id, safe=':')}"
        done = Response(201).header("Location", location)
    return entity_outcome_response(outcome, entity_id, done=done)


async def query(machine: Machine, request: Request) -> Response:
    """GET /temporal/entities"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    asked = asked_of_many(request, context, page=machine.instances_per_page)
    return await _answer(machine, request, asked, context, media)


async def query_by_post(machine: Machine, request: Request) -> Response:
    """POST /temporal/entityOperations/query"""
    media = accepted(request)
    body, context = body_with_context(request, machine.contexts)
    asked = asked_by_body(request, body, context, page=machine.instances_per_page)
    return await _answer(machine, request, asked, context, media)


async def retrieve(machine: Machine, request: Request, entity_id: str) -> Response:
    """GET /temporal/entities/{id}"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    asked = asked_of_one(request, context, page=machine.instances_per_page)
    checked_uri(entity_id, "id")
    asker = asked_by(request, context)
    found = await machine.past.retrieve(asker, entity_id, asked.ask, asked.filters)
    (document,) = _documents(found, asked, context)
    if not document:
        raise AttributeMissing(
            "nothing is left of the entity", param="omit", fix="pick more, or omit less"
        )
    response = _ranged(entity_response(document, context, media), found)
    if (use := await map_of(machine, request)) is None:
        return response
    return await use.told(machine, request, response, use.of_one(entity_id), many=False)


async def delete(machine: Machine, request: Request, entity_id: str) -> Response:
    """DELETE /temporal/entities/{id}"""
    checked_uri(entity_id, "id")
    context = request_context(request, machine.contexts)
    outcome = await machine.past_writes.delete(asked_by(request, context), entity_id)
    return entity_outcome_response(outcome, entity_id, done=Response(204))


async def append(machine: Machine, request: Request, entity_id: str) -> Response:
    """POST /temporal/entities/{id}/attrs"""
    checked_uri(entity_id, "id")
    body, context = body_with_context(request, machine.contexts)
    _not_empty(body)
    told = expand_evolution(body, context, fragment=True)
    return update_response(
        await machine.past_writes.append(asked_by(request, context), entity_id, told)
    )


async def delete_attribute(
    machine: Machine, request: Request, entity_id: str, attribute: str
) -> Response:
    """DELETE /temporal/entities/{id}/attrs/{attr}"""
    checked_uri(entity_id, "id")
    context = request_context(request, machine.contexts)
    dataset_id: str | None = request.query.get("datasetId") or "@none"
    if request.flag("deleteAll"):
        dataset_id = None
    elif dataset_id != "@none":
        checked_uri(dataset_id, "datasetId")
    name = _attribute(attribute, context)
    outcome = await machine.past_writes.delete_attribute(
        asked_by(request, context), entity_id, name, dataset_id
    )
    return update_response(outcome)


async def change_instance(
    machine: Machine, request: Request, entity_id: str, attribute: str, instance_id: str
) -> Response:
    """PATCH /temporal/entities/{id}/attrs/{attr}/{instanceId}"""
    checked_uri(entity_id, "id")
    body, context = body_with_context(request, machine.contexts, merge_patch=True)
    _not_empty(body)
    if isinstance(body, dict) and set(body) == {attribute}:
        # Both spellings are in use: the instance itself, or the instance under its attribute.
        body = body[attribute]
    name = _attribute(attribute, context)
    checked_uri(instance_id, "instanceId")
    given = expand_attribute(attribute, body, context, temporal=True)
    if len(given) != 1:
        raise Invalid("one instance is changed at a time", code="attribute.many", param=attribute)
    outcome = await machine.past_writes.change_instance(
        asked_by(request, context), entity_id, name, instance_id, given[0]
    )
    return update_response(outcome)


async def delete_instance(
    machine: Machine, request: Request, entity_id: str, attribute: str, instance_id: str
) -> Response:
    """DELETE /temporal/entities/{id}/attrs/{attr}/{instanceId}"""
    checked_uri(entity_id, "id")
    context = request_context(request, machine.contexts)
    name = _attribute(attribute, context)
    checked_uri(instance_id, "instanceId")
    outcome = await machine.past_writes.change_instance(
        asked_by(request, context), entity_id, name, instance_id, None
    )
    return update_response(outcome)


async def _answer(
    machine: Machine, request: Request, asked: Asked, context: Context, media: str
) -> Response:
    use = await map_of(machine, request)
    query = confined_over_time(asked.query, use)
    asker = asked_by(request, context)
    asker.local |= asked.local
    found = await machine.past.query(asker, query, asked.ask, asked.filters)
    response = entity_response(_documents(found, asked, context), context, media)
    if found.total is not None and request.flag("count"):
        response.header("NGSILD-Results-Count", str(found.total))
    page = EntityQuery(limit=asked.query.limit, offset=asked.query.offset)
    response.headers += page_links(request, page, more=found.more, media=media)
    response = _ranged(response, found)
    if use is None:
        return response

    async def held() -> Holders:
        most = MOST_ENTITIES + 1
        return await machine.past.holders(asker, query, asked.ask, asked.filters, most=most)

    return await use.told(machine, request, response, held, many=True, total=found.total)


def _documents(found: TemporalFound, asked: Asked, context: Context) -> list[dict[str, Any]]:
    return [
        compact_evolution(
            entity,
            series,
            context,
            asked.ask.window,
            asked.form,
            sys_attrs=asked.sys_attrs,
            keeps=asked.keeps,
            lang=asked.lang,
        )
        for entity, series in found.entities
    ]


def _ranged(response: Response, found: TemporalFound) -> Response:
    if found.cut is not None:
        response.status = 206
        response.header("Content-Range", found.cut.content_range)
    return response


def _not_empty(body: Any) -> None:
    if body == {}:
        raise InvalidRequest("the body says nothing", param="body", fix="send a JSON object")


def _attribute(name: str, context: Context) -> str:
    return name if name == "scope" else context.expand(checked_name(name, "attrId"))
