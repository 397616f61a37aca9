"""What the machine API works with, and what its parameters mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chengmai.broker.model import BatchOutcome, EntityQuery, UpdateOutcome
from chengmai.broker.service import Broker
from chengmai.broker.subscribing import Subscribing
from chengmai.history.service import HistoryService
from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.geoq import GeoQuery, parse_geoq
from chengmai.ngsild.q import parse_q
from chengmai.ngsild.select import parse_types
from chengmai.web.api.http import InvalidRequest, Request, Response, json_response
from chengmai.web.api.problems import problem_body

MOST_PER_PAGE = 1000
_FORMS = {
    "normalized": "normalized",
    "concise": "concise",
    "keyValues": "simplified",
    "simplified": "simplified",
}


@dataclass(frozen=True)
class Machine:
    """The rooms behind the API."""

    broker: Broker
    history: HistoryService
    subscribing: Subscribing
    contexts: ContextCompiler


def options(request: Request) -> set[str]:
    """Return the `options` of a request as a set."""
    return set(request.names("options"))


def form(request: Request) -> Any:
    """Return the representation asked for: normalized, concise or simplified (clause 6.3.7)."""
    asked = request.query.get("format") or next((o for o in _FORMS if o in options(request)), None)
    if asked is None:
        return "normalized"
    if asked not in _FORMS:
        raise InvalidRequest(
            f"format={asked!r} is not known",
            param="format",
            fix="use normalized, concise or simplified",
        )
    return _FORMS[asked]


def wants_sys_attrs(request: Request) -> bool:
    """Return whether system attributes are asked for."""
    return "sysAttrs" in options(request)


def entity_query(request: Request, context: Context) -> EntityQuery:
    """Return the query that the parameters of GET /entities make; raises `Invalid`."""
    query = request.query
    attributes = [context.expand(name) for name in request.names("attrs")]
    types = query.get("type")
    made = EntityQuery(
        types=None if types in (None, "*") else parse_types(types, context),
        ids=request.names("id") or None,
        id_pattern=query.get("idPattern"),
        q=parse_q(query["q"], context) if "q" in query else None,
        geoq=geo_query(request, context),
        attributes=attributes,
        limit=request.number("limit", 20, least=0, most=MOST_PER_PAGE),
        offset=request.number("offset", 0, least=0, most=10**9),
        count=request.flag("count"),
    )
    if not any((types, made.ids, made.id_pattern, made.q, made.geoq, attributes)):
        raise Invalid(
            "the query names nothing",
            code="query.empty",
            param="type",
            fix="give at least one of type, id, idPattern, attrs, q or georel",
        )
    if made.limit == 0 and not made.count:
        raise Invalid(
            "limit=0 asks for nothing", code="query.number", param="limit", fix="add count=true"
        )
    return made


def geo_query(request: Request, context: Context) -> GeoQuery | None:
    """Return the geo-query of the parameters, or None; raises `Invalid` when it is incomplete."""
    query = request.query
    given = [name for name in ("georel", "geometry", "coordinates") if name in query]
    if not given:
        return None
    if len(given) < 3:
        raise Invalid(
            "a geo-query needs georel, geometry and coordinates",
            code="query.geo",
            param=given[0],
            fix="give all three",
        )
    return parse_geoq(
        query["georel"], query["geometry"], query["coordinates"], query.get("geoproperty"), context
    )


def page_links(request: Request, query: EntityQuery, *, more: bool) -> list[tuple[str, str]]:
    """Return Link headers to the next and previous page (clause 6.3.10)."""
    links = []
    for relation, offset in (
        ("next", query.offset + query.limit),
        ("prev", query.offset - query.limit),
    ):
        wanted = more if relation == "next" else query.offset > 0
        if wanted and query.limit:
            parts = [p for p in request.raw_query.split("&") if p and not p.startswith("offset=")]
            target = "&".join([*parts, f"offset={max(offset, 0)}"])
            links.append(("Link", f'<{request.path}?{target}>; rel="{relation}"'))
    return links


def update_response(outcome: UpdateOutcome, context: Context) -> Response:
    """Return 204 when everything was updated, else 207 with the UpdateResult (clause 5.2.18)."""
    if not outcome.not_updated:
        return Response(204)
    return json_response(
        {
            "updated": [context.compact(name) for name in outcome.updated],
            "notUpdated": [
                {"attributeName": context.compact(name), "reason": reason}
                for name, reason in outcome.not_updated
            ],
        },
        status=207,
    )


def batch_response(outcome: BatchOutcome, *, created_status: int = 201) -> Response:
    """Return 201 or 204 when all went well, else 207 with the BatchOperationResult (clause 5.2.16)."""
    if outcome.failed:
        return json_response(
            {
                "success": [*outcome.created, *outcome.updated],
                "errors": [
                    {"entityId": entity_id, "error": problem_body(problem)}
                    for entity_id, problem in outcome.failed
                ],
            },
            status=207,
        )
    if outcome.created:
        return json_response(outcome.created, status=created_status)
    return Response(204)
