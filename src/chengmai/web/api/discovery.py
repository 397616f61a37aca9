"""/types and /attributes: what kinds of entities and attributes there are (clauses 5.7.5 to 5.7.10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chengmai.kernel.ids import urn
from chengmai.kernel.problems import NotFound
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.members import checked_name
from chengmai.web.api.http import Request, Response
from chengmai.web.api.machine import Machine, asked_by
from chengmai.web.api.negotiation import accepted, entity_response, request_context


async def types(machine: Machine, request: Request) -> Response:
    """GET /types"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    asked = asked_by(request, context)
    if not request.flag("details"):
        listed = _short(await machine.discovery.types(asked), context)
        body: Any = {"id": urn("EntityTypeList", "all"), "type": "EntityTypeList"}
        return entity_response({**body, "typeList": listed}, context, media)
    found = await machine.discovery.type_details(asked)
    body = [
        {
            "id": iri,
            "type": "EntityType",
            "typeName": context.compact(iri),
            "attributeNames": _short(attributes, context),
        }
        for iri, attributes in found.items()
    ]
    return entity_response(body, context, media)


async def type_details(machine: Machine, request: Request, name: str) -> Response:
    """GET /types/{type}"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    asked = asked_by(request, context)
    iri = context.expand(checked_name(name, "type"))
    found = await machine.discovery.type_info(asked, iri)
    if found is None:
        raise NotFound(f"there is no entity of type {name}", param="type", known=iri)
    body = {
        "id": iri,
        "type": "EntityTypeInfo",
        "typeName": context.compact(iri),
        "entityCount": found.count,
        "attributeDetails": [
            {
                "id": attribute,
                "type": "Attribute",
                "attributeName": context.compact(attribute),
                "attributeTypes": sorted(kinds),
            }
            for attribute, kinds in sorted(found.attributes.items())
        ],
    }
    return entity_response(body, context, media)


async def attributes(machine: Machine, request: Request) -> Response:
    """GET /attributes"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    asked = asked_by(request, context)
    if not request.flag("details"):
        listed = _short(await machine.discovery.attributes(asked), context)
        body: Any = {"id": urn("AttributeList", "all"), "type": "AttributeList"}
        return entity_response({**body, "attributeList": listed}, context, media)
    found = await machine.discovery.attribute_details(asked)
    body = [
        {
            "id": iri,
            "type": "Attribute",
            "attributeName": context.compact(iri),
            "typeNames": _short(names, context),
        }
        for iri, names in found.items()
    ]
    return entity_response(body, context, media)


async def attribute_details(machine: Machine, request: Request, name: str) -> Response:
    """GET /attributes/{attribute}"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    asked = asked_by(request, context)
    iri = context.expand(checked_name(name, "attribute"))
    found = await machine.discovery.attribute_info(asked, iri)
    if found is None:
        raise NotFound(f"no entity has the attribute {name}", param="attribute", known=iri)
    body = {
        "id": iri,
        "type": "Attribute",
        "attributeName": context.compact(iri),
        "attributeCount": found.count,
        "attributeTypes": sorted(found.kinds),
        "typeNames": _short(sorted(found.types), context),
    }
    return entity_response(body, context, media)


def _short(names: Iterable[str], context: Context) -> list[str]:
    return [context.compact(name) for name in names]
