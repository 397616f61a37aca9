"""/subscriptions (clauses 6.10 and 6.11), and what those to registrations have in common with them."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote

from chengmai.broker.distribution.loops import via_entries
from chengmai.broker.model import EntityQuery
from chengmai.broker.naming import renamed
from chengmai.broker.problems import SubscriptionInvalid
from chengmai.broker.subscribing import Subscribing
from chengmai.broker.subscription import COUNTERS, MEMBERS
from chengmai.kernel.ids import urn
from chengmai.kernel.problems import TooLarge
from chengmai.ngsild.contexts import CORE_URL, Context
from chengmai.ngsild.members import checked_uri
from chengmai.web.api.http import Request, Response, json_response
from chengmai.web.api.machine import Machine
from chengmai.web.api.negotiation import (
    JSON,
    accepted,
    body_with_context,
    context_link,
    link_context,
    request_context,
)
from chengmai.web.api.paging import list_links

MOST_WITHIN = 100
"""Subscriptions within one snapshot."""


async def create(machine: Machine, request: Request) -> Response:
    """POST /subscriptions"""
    return await create_in(
        machine.subscribing, "subscriptions", machine, request, shows_context=True
    )


async def query(machine: Machine, request: Request) -> Response:
    """GET /subscriptions"""
    return await query_in(machine.subscribing, machine, request)


async def retrieve(machine: Machine, request: Request, subscription_id: str) -> Response:
    """GET /subscriptions/{id}"""
    return await retrieve_in(machine.subscribing, machine, request, subscription_id)


async def change(machine: Machine, request: Request, subscription_id: str) -> Response:
    """PATCH /subscriptions/{id}"""
    return await change_in(machine.subscribing, machine, request, subscription_id)


async def delete(machine: Machine, request: Request, subscription_id: str) -> Response:
    """DELETE /subscriptions/{id}"""
    return await delete_in(machine.subscribing, request, subscription_id)


async def create_in(
    service: Subscribing[Any],
    path: str,
    machine: Machine,
    request: Request,
    *,
    shows_context: bool,
) -> Response:
    """Return the answer to a request to create a subscription of a kind.

    With `shows_context` the context of its notifications is a member that is shown.
    """
    body, context = body_with_context(request, machine.contexts)
    document = _checked(body)
    document.setdefault("id", urn("Subscription", secrets.token_hex(12)))
    source = await context_url(machine, request, context)
    if document.get("jsonldContext", source) != source or not shows_context:
        # Names are read with the request's context, notifications written with the one named.
        document["@context"] = source
    if shows_context:
        document.setdefault("jsonldContext", source)
        if via := via_entries(request.headers.get("via", "")):
            # It is never forwarded to where it came from, now or later.
            document["via"] = list(via)
    if request.flag("local"):
        document["localOnly"] = True
    if request.snapshot is not None:
        if len(await service.list(request.actor)) >= MOST_WITHIN:
            raise TooLarge(
                f"there are {MOST_WITHIN} subscriptions within the snapshot",
                code="snapshot.subscriptions",
                fix="end some",
            )
        document["snapshot"] = request.snapshot
    await service.create(request.actor, document)
    location = f"/ngsi-ld/v1/{path}/{quote(document['id'], safe=':')}"
    return Response(201).header("Location", location)


async def context_url(machine: Machine, request: Request, context: Context) -> str:
    """Return the URL of a request's context; one that has none of its own is kept (clause 5.8.1)."""
    if context.source is None or context.url is not None:
        return context.url or CORE_URL
    return await machine.shelf.implicit(request.asker, context.source, request.base)


async def query_in(service: Subscribing[Any], machine: Machine, request: Request) -> Response:
    """Return a page of the subscriptions of a kind."""
    media = accepted(request)
    limit = request.number("limit", 20, least=0, most=1000)
    offset = request.number("offset", 0, least=0, most=10**9)
    found = await service.list(request.actor)
    page = [_shown(machine, request, one, media) for one in found[offset : offset + limit]]
    response = json_response(page, content_type=media)
    more = len(found) > offset + limit
    response.headers += list_links(request, EntityQuery(limit=limit, offset=offset), more=more)
    if request.flag("count"):
        response.header("NGSILD-Results-Count", str(len(found)))
    if media == JSON:
        response.header("Link", context_link(request_context(request, machine.contexts)))
    return response


async def retrieve_in(
    service: Subscribing[Any], machine: Machine, request: Request, subscription_id: str
) -> Response:
    """Return a subscription of a kind."""
    media = accepted(request)
    checked_uri(subscription_id, "id")
    document = await service.get(request.actor, subscription_id)
    response = json_response(_shown(machine, request, document, media), content_type=media)
    if media == JSON:
        response.header("Link", context_link(request_context(request, machine.contexts)))
    return response


async def change_in(
    service: Subscribing[Any], machine: Machine, request: Request, subscription_id: str
) -> Response:
    """Return the answer to a request to change a subscription of a kind."""
    checked_uri(subscription_id, "id")
    body, context = body_with_context(request, machine.contexts, merge_patch=True)
    if not isinstance(body, dict):
        raise SubscriptionInvalid("the body is no object", param="body")
    body = {name: value for name, value in body.items() if name in MEMBERS}
    await service.change(request.actor, subscription_id, renamed(body, context.expand))
    return Response(204)


async def delete_in(service: Subscribing[Any], request: Request, subscription_id: str) -> Response:
    """Return the answer to a request to end a subscription of a kind."""
    checked_uri(subscription_id, "id")
    await service.delete(request.actor, subscription_id)
    return Response(204)


def _shown(
    machine: Machine, request: Request, document: dict[str, Any], media: str
) -> dict[str, Any]:
    """Return a subscription with its names in the context asked for; in JSON-LD its own is the default."""
    given = document.get("@context") or document["jsonldContext"]
    document = {k: v for k, v in document.items() if k not in ("@context", "via", "snapshot")}
    if media != JSON and link_context(request) is None:
        return {**document, "@context": given}
    own, asked = machine.contexts.compile(given), request_context(request, machine.contexts)
    shown = renamed(document, lambda name: asked.compact(own.expand(name)))
    return shown if media == JSON else {**shown, "@context": asked.source or CORE_URL}


def _checked(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or body.get("type") != "Subscription":
        raise SubscriptionInvalid(
            "the body is no Subscription",
            param="type",
            fix='send an object with "type": "Subscription"',
        )
    document = {name: value for name, value in body.items() if name in MEMBERS}
    if "id" in document and not (isinstance(document["id"], str) and ":" in document["id"]):
        raise SubscriptionInvalid("the id is no URI", param="id")
    notification = document.get("notification")
    if isinstance(notification, dict):
        # Counters are the broker's; a client's copy of them is left out.
        document["notification"] = {k: v for k, v in notification.items() if k not in COUNTERS}
    return document
