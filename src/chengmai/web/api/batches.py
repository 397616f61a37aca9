"""/entityOperations: many entities in one request, each with its own outcome (clause 6.14 to 6.17)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chengmai.broker.model import BatchOutcome
from chengmai.kernel.problems import Invalid, Problem, TooLarge
from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.expand import expand_entity
from chengmai.web.api.http import Request, Response
from chengmai.web.api.machine import Machine, batch_response, options
from chengmai.web.api.negotiation import JSON_LD, body_with_context

MOST_PER_BATCH = 10_000
Commit = Callable[[list[Entity]], Awaitable[BatchOutcome]]


async def create(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/create"""
    return await _run(
        machine, request, lambda entities: machine.broker.batch_create(request.actor, entities)
    )


async def upsert(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/upsert"""
    update = "update" in options(request)
    return await _run(
        machine,
        request,
        lambda entities: machine.broker.batch_upsert(request.actor, entities, update=update),
    )


async def update(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/update"""
    overwrite = "noOverwrite" not in options(request)
    return await _run(
        machine,
        request,
        lambda entities: machine.broker.batch_update(request.actor, entities, overwrite=overwrite),
        fragment=True,
    )


async def merge(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/merge"""
    return await _run(
        machine,
        request,
        lambda entities: machine.broker.batch_merge(request.actor, entities),
        fragment=True,
    )


async def delete(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/delete"""
    body, _ = body_with_context(request, machine.contexts)
    ids: list[str] = []
    refused: list[tuple[str, Problem]] = []
    for one in _list(body):
        try:
            ids.append(_id(one))
        except Invalid as problem:
            refused.append((_id_or_nothing(one), problem))
    outcome = await machine.broker.batch_delete(request.actor, ids)
    outcome.failed = [*refused, *outcome.failed]
    return batch_response(outcome)


async def _run(
    machine: Machine, request: Request, commit: Commit, *, fragment: bool = False
) -> Response:
    entities: list[Entity] = []
    refused: list[tuple[str, Problem]] = []
    for one, context in _each(request, machine.contexts):
        try:
            entity = expand_entity(one, context, fragment=fragment)
            entities.append({**entity, "id": _id(entity)})
        except Invalid as problem:
            refused.append((_id_or_nothing(one), problem))
    outcome = await commit(entities)
    outcome.failed = [*refused, *outcome.failed]
    return batch_response(outcome)


def _each(request: Request, contexts: ContextCompiler) -> list[tuple[Any, Context]]:
    body, context = body_with_context(request, contexts)
    found = []
    is_ld = request.headers.get("content-type", "").startswith(JSON_LD)
    for one in _list(body):
        if is_ld and isinstance(one, dict) and "@context" in one:
            own = {key: value for key, value in one.items() if key != "@context"}
            found.append((own, contexts.compile(one["@context"])))
        else:
            found.append((one, context))
    return found


def _list(body: Any) -> list[Any]:
    if not isinstance(body, list) or not body:
        raise Invalid("the body is no list, or an empty one", code="batch.empty", param="body")
    if len(body) > MOST_PER_BATCH:
        raise TooLarge(
            f"a batch takes at most {MOST_PER_BATCH} entities", code="batch.size", param="body"
        )
    return body


def _id(one: Any) -> str:
    entity_id = one.get("id") if isinstance(one, dict) else one
    if not isinstance(entity_id, str):
        raise Invalid("an entry of the batch has no id", code="entity.id", param="id")
    return entity_id


def _id_or_nothing(one: Any) -> str:
    return str(one.get("id", "")) if isinstance(one, dict) else ""
