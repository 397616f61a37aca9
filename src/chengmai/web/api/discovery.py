"""/types and /attributes: what kinds of entities and attributes there are (clauses 5.7.5 to 5.7.10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chengmai.kernel.ids import urn
from chengmai.kernel.problems import NotFound
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.members import checked_name
from chengmai.web.api.http import Request, Response
from chengmai.web.api.machine import Machine
from chengmai.web.api.negotiation import accepted, entity_response, request_context

Occurrence = tuple[str, str, str]
"""type IRI, attribute IRI, kind"""


async def types(machine: Machine, request: Request) -> Response:
    """GET /types"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    names = [iri for iri, _ in await machine.broker.types(request.actor)]
    if not request.flag("details"):
        listed = [context.compact(iri) for iri in names]
        body: Any = {"id": urn("EntityTypeList", "all"), "type": "EntityTypeList"}
        return entity_response({**body, "typeList": listed}, context, media)
    found = await machine.broker.attributes(request.actor)
    body = [
        {
            "id": iri,
            "type": "EntityType",
            "typeName": context.compact(iri),
            "attributeNames": _short((a for t, a, _ in found if t == iri), context),
        }
        for iri in names
    ]
    return entity_response(body, context, media)


async def type_details(machine: Machine, request: Request, name: str) -> Response:
    """GET /types/{type}"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    iri = context.expand(checked_name(name, "type"))
    counts = dict(await machine.broker.types(request.actor))
    if iri not in counts:
        raise NotFound(f"there is no entity of type {name}", param="type", known=iri)
    found = [one for one in await machine.broker.attributes(request.actor) if one[0] == iri]
    body = {
        "id": iri,
        "type": "EntityTypeInfo",
        "typeName": context.compact(iri),
        "entityCount": counts[iri],
        "attributeDetails": [
            {
                "id": attribute,
                "type": "Attribute",
                "attributeName": context.compact(attribute),
                "attributeTypes": _kinds(found, attribute),
            }
            for attribute in dict.fromkeys(a for _, a, _ in found)
        ],
    }
    return entity_response(body, context, media)


async def attributes(machine: Machine, request: Request) -> Response:
    """GET /attributes"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    found = await machine.broker.attributes(request.actor)
    names = sorted({attribute for _, attribute, _ in found})
    if not request.flag("details"):
        listed = [context.compact(iri) for iri in names]
        body: Any = {"id": urn("AttributeList", "all"), "type": "AttributeList"}
        return entity_response({**body, "attributeList": listed}, context, media)
    body = [
        {
            "id": iri,
            "type": "Attribute",
            "attributeName": context.compact(iri),
            "typeNames": _short((t for t, a, _ in found if a == iri), context),
        }
        for iri in names
    ]
    return entity_response(body, context, media)


async def attribute_details(machine: Machine, request: Request, name: str) -> Response:
    """GET /attributes/{attribute}"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    iri = context.expand(checked_name(name, "attribute"))
    found = [one for one in await machine.broker.attributes(request.actor) if one[1] == iri]
    if not found:
        raise NotFound(f"no entity has the attribute {name}", param="attribute", known=iri)
    body = {
        "id": iri,
        "type": "Attribute",
        "attributeName": context.compact(iri),
        "attributeCount": await machine.broker.attribute_count(request.actor, iri),
        "attributeTypes": _kinds(found, iri),
        "typeNames": _short((t for t, _, _ in found), context),
    }
    return entity_response(body, context, media)


def _kinds(found: Iterable[Occurrence], attribute: str) -> list[str]:
    return sorted({kind for _, name, kind in found if name == attribute})


def _short(names: Iterable[str], context: Context) -> list[str]:
    return [context.compact(name) for name in dict.fromkeys(names)]
