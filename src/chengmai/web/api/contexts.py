"""/jsonldContexts: contexts that the city hosts and caches (clauses 6.29 and 6.30)."""

from __future__ import annotations

from chengmai.broker.contexts import PATH, Kind
from chengmai.kernel.problems import Invalid
from chengmai.web.api.http import (
    InvalidRequest,
    Request,
    Response,
    UnsupportedMediaType,
    json_response,
)
from chengmai.web.api.machine import Machine
from chengmai.web.api.negotiation import JSON, JSON_LD, accepted


async def add(machine: Machine, request: Request) -> Response:
    """POST /jsonldContexts"""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in (JSON, JSON_LD):
        raise UnsupportedMediaType(
            f"content type {media!r} is not taken", param="Content-Type", fix=f"send {JSON}"
        )
    body = request.json()
    if not isinstance(body, dict) or "@context" not in body:
        raise InvalidRequest(
            "the body holds no @context", param="@context", fix='send {"@context": {…}}'
        )
    local_id = await machine.shelf.add(request.actor, body)
    return Response(201).header("Location", PATH + local_id)


async def query(machine: Machine, request: Request) -> Response:
    """GET /jsonldContexts"""
    accepted(request)
    details = request.flag("details")
    name = request.query.get("kind")
    if name is not None and name not in list(Kind):
        raise Invalid(
            f"kind={name!r:.40} is not known",
            code="context.kind",
            param="kind",
            fix="use " + ", ".join(Kind),
        )
    found = machine.shelf.list(request.actor, None if name is None else Kind(name))
    if details:
        return json_response([one.details(request.base) for one in found])
    return json_response([one.address(request.base) for one in found])


async def retrieve(machine: Machine, request: Request, name: str) -> Response:
    """GET /jsonldContexts/{id}"""
    accepted(request)
    if request.flag("details"):
        return json_response(machine.shelf.describe(request.actor, name, request.base))
    return json_response(machine.shelf.serve(request.actor, name).body)


async def delete(machine: Machine, request: Request, name: str) -> Response:
    """DELETE /jsonldContexts/{id}"""
    if request.flag("reload"):
        await machine.shelf.reload(request.actor, name)
    else:
        await machine.shelf.delete(request.actor, name)
    return Response(204)
