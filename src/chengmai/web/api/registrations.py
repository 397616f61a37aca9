"""/csourceRegistrations (GS CIM 009 V1.9.1, clauses 6.8 and 6.9)."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote

from chengmai.broker.model import EntityQuery
from chengmai.broker.registry.discovery import Discovery
from chengmai.broker.registry.documents import TYPE
from chengmai.broker.registry.showing import compacted, without, without_system
from chengmai.kernel.ids import urn
from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.members import checked_uri
from chengmai.ngsild.q import parse_q
from chengmai.ngsild.temporal import parse_temporal
from chengmai.trust.policy import may
from chengmai.web.api.asking import any_query, given_in_parameters
from chengmai.web.api.http import InvalidRequest, Request, Response
from chengmai.web.api.machine import Machine
from chengmai.web.api.negotiation import (
    accepted,
    body_with_context,
    entity_response,
    request_context,
)
from chengmai.web.api.options import options, wants_sys_attrs
from chengmai.web.api.paging import list_links

_PATH = "/ngsi-ld/v1/csourceRegistrations/"


async def create(machine: Machine, request: Request) -> Response:
    """POST /csourceRegistrations"""
    body, context = body_with_context(request, machine.contexts)
    if isinstance(body, dict):
        body.setdefault("id", urn(TYPE, secrets.token_hex(12)))
    made = await machine.registry.create(request.actor, body, context)
    return Response(201).header("Location", _PATH + quote(made, safe=":"))


async def query(machine: Machine, request: Request) -> Response:
    """GET /csourceRegistrations"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    _check_options(request)
    asked = any_query(given_in_parameters(request), request, context)
    discovery = _discovery(request, asked, context)
    found = machine.registry.discover(request.actor, discovery)
    page = found[asked.offset : asked.offset + asked.limit]
    shown = [_shown(request, machine.registry.shown(one), context) for one in page]
    response = entity_response(shown, context, media)
    more = len(found) > asked.offset + asked.limit
    response.headers += list_links(request, asked, more=more)
    if asked.count:
        response.header("NGSILD-Results-Count", str(len(found)))
    return response


async def retrieve(machine: Machine, request: Request, registration_id: str) -> Response:
    """GET /csourceRegistrations/{id}"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    _check_options(request)
    found = machine.registry.get(request.actor, checked_uri(registration_id, "id"))
    return entity_response(_shown(request, found, context), context, media)


async def change(machine: Machine, request: Request, registration_id: str) -> Response:
    """PATCH /csourceRegistrations/{id}"""
    checked_uri(registration_id, "id")
    body, context = body_with_context(request, machine.contexts, merge_patch=True)
    await machine.registry.change(request.actor, registration_id, body, context)
    return Response(204)


async def delete(machine: Machine, request: Request, registration_id: str) -> Response:
    """DELETE /csourceRegistrations/{id}"""
    await machine.registry.delete(request.actor, checked_uri(registration_id, "id"))
    return Response(204)


def _discovery(request: Request, asked: EntityQuery, context: Context) -> Discovery:
    """Return what the parameters ask for; raises `Invalid` when they ask for nothing (clause 5.10.2.4)."""
    which = asked.which[0]
    csf = request.query.get("csf")
    conditions = [asked.q, None if csf is None else parse_q(csf, context)]
    made = Discovery(
        types=which.types,
        ids=which.ids,
        id_pattern=which.id_pattern,
        attributes=asked.attributes or None,
        filters=tuple(one for one in conditions if one is not None),
        scopes=asked.scopes,
        geoq=asked.geoq,
        window=_window(request),
    )
    if made == Discovery() and request.query.get("type") != "*":
        raise Invalid(
            "the query names nothing to look for",
            code="query.empty",
            param="type",
            fix="give at least one of type, attrs, id, idPattern, q, csf, scopeQ, georel or timerel",
        )
    return made


def _window(request: Request) -> Any:
    window = parse_temporal(request.query)
    return None if window.timerel is None else window


def _check_options(request: Request) -> None:
    if unknown := sorted(options(request) - {"sysAttrs"}):
        raise InvalidRequest(
            f"options={unknown[0]!r:.60} is not known", param="options", fix="use sysAttrs"
        )


def _shown(request: Request, document: dict[str, Any], context: Context) -> dict[str, Any]:
    if not may(request.actor, "registrations.manage"):
        # Keys that open the source's door may stand there.
        document = without(document, "contextSourceInfo")
    made = compacted(document, context)
    return made if wants_sys_attrs(request) else without_system(made)
