"""/info/sourceIdentity (clauses 5.15.1 and 6.33)."""

from __future__ import annotations

from chengmai.web.api.http import Request, Response
from chengmai.web.api.machine import Machine
from chengmai.web.api.negotiation import accepted, entity_response, request_context


async def retrieve(machine: Machine, request: Request) -> Response:
    """GET /info/sourceIdentity"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    return entity_response(machine.identity.of(request.actor.tenant), context, media)
