"""/snapshots, and requests within a snapshot (clauses 5.16, 6.3.22, 6.36 to 6.38)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from chengmai.broker.snapshots.model import (
    ASKABLE,
    PastPlan,
    Plan,
    Plans,
    members_of,
)
from chengmai.broker.snapshots.problems import NotInSnapshot, SnapshotInvalid
from chengmai.broker.spaces import MOST_INSTANCES
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.members import checked_uri
from chengmai.ngsild.q import attributes_of, parse_q
from chengmai.web.api.asking import entity_query, filters_of
from chengmai.web.api.http import Request, Response, json_response
from chengmai.web.api.machine import Machine, asked_by
from chengmai.web.api.negotiation import accepted, body_with_context
from chengmai.web.api.problems import problem_body
from chengmai.web.api.querybody import given_in_body
from chengmai.web.api.temporal_ask import asked_by_body

HEADER = "NGSILD-Snapshot"
_PATH = "/ngsi-ld/v1/snapshots/"


async def create(machine: Machine, request: Request) -> Response:
    """POST /snapshots"""
    body, context = body_with_context(request, machine.contexts)
    members = members_of(body, is_new=True)
    plans = Plans(
        [_plan(one, request, context) for one in members.get("snapshotQueries", ())],
        [_past_plan(one, request, context) for one in members.get("snapshotTemporalQueries", ())],
    )
    asked = asked_by(request, context)
    # It outlives the request: what is told of sources goes into the snapshot.
    asked.warnings = []
    made = await machine.snapshots.create(asked, members, plans, problem_body)
    return _made(made)


async def purge(machine: Machine, request: Request) -> Response:
    """DELETE /snapshots"""
    if "q" not in request.query:
        raise SnapshotInvalid("q is missing", param="q", fix="write q=snapshotPriority<5")
    core = machine.contexts.core
    query = parse_q(request.query["q"], core)
    known = {core.expand(name) for name in ASKABLE}
    if others := sorted(set(attributes_of(query)) - known):
        raise SnapshotInvalid(
            f"q: {core.compact(others[0])} is no member of a Snapshot that can be asked for",
            param="q",
            fix="use " + ", ".join(ASKABLE),
        )
    await machine.snapshots.purge(request.actor, query, core)
    return Response(204)


async def retrieve(machine: Machine, request: Request, snapshot_id: str) -> Response:
    """GET /snapshots/{id}"""
    media = accepted(request)
    shown = await machine.snapshots.get(request.actor, checked_uri(snapshot_id, "id"))
    return json_response(shown, content_type=media)


async def change(machine: Machine, request: Request, snapshot_id: str) -> Response:
    """PATCH /snapshots/{id}"""
    media = accepted(request)
    checked_uri(snapshot_id, "id")
    body, _ = body_with_context(request, machine.contexts)
    members = members_of(body, is_new=False)
    shown = await machine.snapshots.change(request.actor, snapshot_id, members)
    return json_response(shown, content_type=media)


async def delete(machine: Machine, request: Request, snapshot_id: str) -> Response:
    """DELETE /snapshots/{id}"""
    await machine.snapshots.delete(request.actor, checked_uri(snapshot_id, "id"))
    return Response(204)


async def clone(machine: Machine, request: Request, snapshot_id: str) -> Response:
    """POST /snapshots/{id}/clone"""
    checked_uri(snapshot_id, "id")
    body, _ = body_with_context(request, machine.contexts)
    members = members_of(body, is_new=False)
    return _made(await machine.snapshots.clone(request.actor, snapshot_id, members))


async def enter(machine: Machine, request: Request, *, offered: bool) -> None:
    """Let a request that names a snapshot see and change nothing but that (clauses 5.5.15 and 6.3.22).

    Raises `NotInSnapshot` where that is not offered, and what `Snapshots.within` raises.
    """
    if not offered:
        raise NotInSnapshot(
            "this is not offered within a snapshot", param=HEADER, fix="leave the header out"
        )
    if "entityMap" in request.query or "ngsild-entitymap" in request.headers:
        raise NotInSnapshot(
            "there are no entity maps within a snapshot", param="entityMap", fix="leave it out"
        )
    request.snapshot = checked_uri(request.headers["ngsild-snapshot"], HEADER)
    request.actor = await machine.snapshots.within(request.actor, request.snapshot)


def _plan(one: Any, request: Request, context: Context) -> Plan:
    given = given_in_body(one)
    if given.join is not None or given.order_by:
        raise SnapshotInvalid(
            "snapshotQueries: join and ordering are for answers, not for what is kept",
            param="snapshotQueries",
            fix="leave them out, and ask for them within the snapshot",
        )
    return Plan(entity_query(given, request, context), filters_of(given, context))


def _past_plan(one: Any, request: Request, context: Context) -> PastPlan:
    asked = asked_by_body(request, one, context, page=MOST_INSTANCES)
    if asked.ask.window.methods:
        raise SnapshotInvalid(
            "snapshotTemporalQueries: aggregates are for answers, not for what is kept",
            param="snapshotTemporalQueries",
            fix="leave aggrParams out, and ask for them within the snapshot",
        )
    # All of it is read, so that a page over time is none here.
    ask = replace(asked.ask, page=None)
    return PastPlan(asked.query, ask, asked.filters, asked.keeps, asked.local)


def _made(snapshot_id: str) -> Response:
    return Response(201).header("Location", _PATH + quote(snapshot_id, safe=":"))
