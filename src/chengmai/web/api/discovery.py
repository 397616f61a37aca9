"""/types: what kinds of entities there are (clause 6.25)."""

from __future__ import annotations

from chengmai.kernel.problems import NotFound
from chengmai.ngsild.entity import name_iri
from chengmai.web.api.http import Request, Response, json_response
from chengmai.web.api.machine import Machine
from chengmai.web.api.negotiation import accepted, request_context


async def types(machine: Machine, request: Request) -> Response:
    """GET /types"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    found = await machine.broker.types(request.actor)
    names = [context.compact(iri) for iri, _ in found]
    body = {"id": "urn:ngsi-ld:EntityTypeList:all", "type": "EntityTypeList", "typeList": names}
    return json_response(body, content_type=media)


async def type_details(machine: Machine, request: Request, name: str) -> Response:
    """GET /types/{type}"""
    media = accepted(request)
    iri = request_context(request, machine.contexts).expand(name)
    for found, count in await machine.broker.types(request.actor):
        if found == iri:
            body = {"id": iri, "type": "EntityTypeInfo", "typeName": name, "entityCount": count}
            return json_response(body, content_type=media)
    raise NotFound(f"there is no entity of type {name}", param="type", known=name_iri(name))
