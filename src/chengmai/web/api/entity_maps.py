"""/entityMaps, and queries that make or use a map (clauses 5.5.14, 5.14, 6.32, 6.34, 6.35)."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote, unquote

from chengmai.broker.entity_maps import LOCAL, MOST_ENTITIES, EntityMap, Holders
from chengmai.broker.finding import id_pattern
from chengmai.broker.model import EntityQuery, Which
from chengmai.broker.problems import EntityMapInvalid
from chengmai.broker.subscription import EntityInfo
from chengmai.broker.temporal import EvolutionQuery
from chengmai.kernel.ids import urn
from chengmai.kernel.instants import parse_duration, parse_us
from chengmai.ngsild.members import NULL, checked_instant, checked_uri
from chengmai.web.api.asking import entity_query, filters_of, given_in_parameters
from chengmai.web.api.http import Request, Response, json_response
from chengmai.web.api.machine import Machine, asked_by
from chengmai.web.api.negotiation import accepted, body_with_context, request_context
from chengmai.web.api.temporal_ask import asked_of_many

HEADER = "NGSILD-EntityMap"
_PATH = "/ngsi-ld/v1/entityMaps/"
Held = Callable[[], Awaitable[Holders]]
"""Who holds each entity that the query finds."""


class MapUse:
    """The map of one query: used, or made beside the answer."""

    def __init__(self, kept: EntityMap | None, location: str) -> None:
        self.kept = kept
        self.location = location

    @property
    def ids(self) -> list[str] | None:
        """Return the ids that the answer is confined to; None for no confinement."""
        return None if self.kept is None else list(self.kept.holders)

    def of_one(self, entity_id: str) -> Held:
        """Return what tells the holders of an entity that was asked for by its id."""

        async def held() -> Holders:
            return {entity_id: [LOCAL]} if self.kept is None else self.kept.holders

        return held

    async def told(
        self,
        machine: Machine,
        request: Request,
        response: Response,
        held: Held,
        *,
        many: bool,
        total: int | None = None,
    ) -> Response:
        """Return the answer with the map it is of; a new map makes the answer to a query a 201.

        A map that was used loses what no longer fits: `total` says how many of its entities still do.
        """
        if self.kept is not None:
            if many and total != len(self.kept.holders):
                await machine.maps.keep(request.actor, self.kept.id, list(await held()))
            return response.header(HEADER, self.location)
        made = await _made(machine, request, await held())
        if many and response.status == 200:
            response.status = 201
        return response.header(HEADER, _PATH + quote(made.id, safe=":"))


async def map_of(machine: Machine, request: Request) -> MapUse | None:
    """Return the map that a query is to use or to make; None when it asks for neither (clause 5.5.14)."""
    _lifetime(request)
    location = request.headers.get("ngsild-entitymap")
    if location:
        map_id = unquote(location.strip().rpartition("/")[2])
        return MapUse(await machine.maps.find(request.actor, map_id), location)
    return MapUse(None, "") if request.flag("entityMap") else None


def confined(query: EntityQuery, use: MapUse | None) -> EntityQuery:
    """Return a query that finds nothing outside the map that it uses."""
    if use is None or use.ids is None:
        return query
    return replace(query, which=[_among(one, use.ids) for one in query.which], count=True)


def confined_over_time(query: EvolutionQuery, use: MapUse | None) -> EvolutionQuery:
    """Return a query over time that finds nothing outside the map that it uses."""
    if use is None or use.ids is None:
        return query
    infos = query.entities or [EntityInfo(None, None, None)]
    among = [replace(one, id=i) for one in infos for i in use.ids if one.id in (None, i)]
    return replace(query, entities=among or [EntityInfo(None, NULL, None)], count=True)


def _among(which: Which, ids: Sequence[str]) -> Which:
    if which.ids is not None:
        return replace(which, ids=[one for one in which.ids if one in frozenset(ids)])
    # An id takes the place of a pattern (clause 5.2.8), so the pattern is judged here.
    if which.id_pattern is not None:
        pattern = id_pattern(which.id_pattern)
        ids = [one for one in ids if pattern.search(one) is not None]
    return replace(which, ids=ids)


async def create(machine: Machine, request: Request) -> Response:
    """GET /entityMaps"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    given = given_in_parameters(request)
    asked, filters = entity_query(given, request, context), filters_of(given, context)
    asker = asked_by(request, context)
    held = await machine.reads.holders(asker, asked, filters, most=MOST_ENTITIES + 1)
    return _created(await _made(machine, request, held), media)


async def create_over_time(machine: Machine, request: Request) -> Response:
    """GET /temporal/entityMaps"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    asked = asked_of_many(request, context, page=machine.instances_per_page)
    held = await machine.past.holders(
        asked_by(request, context), asked.query, asked.ask, asked.filters, most=MOST_ENTITIES + 1
    )
    return _created(await _made(machine, request, held), media)


async def retrieve(machine: Machine, request: Request, map_id: str) -> Response:
    """GET /entityMaps/{id}"""
    media = accepted(request)
    kept = await machine.maps.get(request.actor, checked_uri(map_id, "id"))
    return json_response(kept.document(), content_type=media)


async def change(machine: Machine, request: Request, map_id: str) -> Response:
    """PATCH /entityMaps/{id}"""
    checked_uri(map_id, "id")
    body, _ = body_with_context(request, machine.contexts, merge_patch=True)
    if not isinstance(body, dict) or body.get("type", "EntityMap") != "EntityMap":
        raise EntityMapInvalid(
            "the body is no EntityMap", param="body", fix='send {"expiresAt": …}'
        )
    # Everything else of a map is the broker's to say (table 5.2.39-1).
    if "expiresAt" not in body:
        await machine.maps.get(request.actor, map_id)
        return Response(204)
    expires_us = parse_us(checked_instant(body["expiresAt"], "expiresAt"))
    await machine.maps.end_at(request.actor, map_id, expires_us)
    return Response(204)


async def delete(machine: Machine, request: Request, map_id: str) -> Response:
    """DELETE /entityMaps/{id}"""
    await machine.maps.delete(request.actor, checked_uri(map_id, "id"))
    return Response(204)


async def _made(machine: Machine, request: Request, holders: Holders) -> EntityMap:
    map_id = urn("EntityMap", secrets.token_hex(12))
    return await machine.maps.create(request.actor, map_id, holders, _lifetime(request))


def _created(made: EntityMap, media: str) -> Response:
    response = json_response(made.document(), status=201, content_type=media)
    return response.header(HEADER, _PATH + quote(made.id, safe=":"))


def _lifetime(request: Request) -> timedelta | None:
    text = request.query.get("entityMapLifetime")
    return None if text is None else parse_duration(text, "entityMapLifetime")
