"""/entityOperations: many entities in one request, each with its own outcome (clause 6.14 to 6.17)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.model import BatchOutcome
from chengmai.kernel.problems import Invalid, Problem, TooLarge
from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.entity import VALUE_MEMBER, Entity
from chengmai.ngsild.expand import expand_entity, expand_fragment
from chengmai.ngsild.problems import ContextNotAvailable, ContextWanted
from chengmai.web.api.http import InvalidRequest, Request, Response
from chengmai.web.api.machine import Machine, asked_by, batch_response
from chengmai.web.api.negotiation import JSON_LD, body_with_context
from chengmai.web.api.options import checked_options

MOST_PER_BATCH = 10_000
_IN_A_ROW = 50
Expand = Callable[[Any, Context], Entity]
Commit = Callable[[Asked, list[Entity]], Awaitable[BatchOutcome]]


async def create(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/create"""
    return await _run(machine, request, machine.batches.create)


async def upsert(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/upsert"""
    given = checked_options(request, "update", "replace")
    if len(given) > 1:
        raise InvalidRequest("update and replace do not go together", param="options")
    update = "update" in given
    return await _run(
        machine,
        request,
        lambda asked, entities: machine.batches.upsert(asked, entities, update=update),
    )


async def update(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/update"""
    overwrite = "noOverwrite" not in checked_options(request, "noOverwrite")
    return await _run(
        machine,
        request,
        lambda asked, entities: machine.batches.update(asked, entities, overwrite=overwrite),
        expand=_appended,
    )


async def merge(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/merge"""
    return await _run(machine, request, machine.batches.merge, expand=_merged)


async def delete(machine: Machine, request: Request) -> Response:
    """POST /entityOperations/delete"""
    body, context = body_with_context(request, machine.contexts)
    ids: list[str] = []
    refused: list[tuple[str, Problem]] = []
    for one in _list(body):
        try:
            ids.append(_id(one))
        except Invalid as problem:
            refused.append((_id_or_nothing(one), problem))
    outcome = await machine.batches.delete(asked_by(request, context), ids)
    outcome.failed = [*refused, *outcome.failed]
    return batch_response(outcome)


async def _run(
    machine: Machine, request: Request, commit: Commit, *, expand: Expand = expand_entity
) -> Response:
    entities: list[Entity] = []
    contexts: dict[str, Context] = {}
    refused: list[tuple[str, Problem]] = []
    body, context = _batch(request, machine.contexts)
    for place, one in enumerate(body):
        if place % _IN_A_ROW == _IN_A_ROW - 1:
            await asyncio.sleep(0)  # others get their turn
        try:
            own, its_context = _with_context(one, request, context, machine.contexts)
            entity = expand(own, its_context)
            entities.append({**entity, "id": _id(entity)})
            contexts[its_context.key] = its_context
        except ContextWanted:
            raise
        except (Invalid, ContextNotAvailable) as problem:
            refused.append((_id_or_nothing(one), problem))
    # Entries with contexts of their own are forwarded with full names, which every context leaves alone.
    shared = next(iter(contexts.values())) if len(contexts) == 1 else machine.contexts.core
    outcome = await commit(asked_by(request, shared), entities)
    outcome.failed = [*refused, *outcome.failed]
    return batch_response(outcome)


def _appended(body: Any, context: Context) -> Entity:
    return expand_fragment(body, context, complete=True)


def _merged(body: Any, context: Context) -> Entity:
    # JSON-LD drops a JSON null, so that it cannot ask for anything; urn:ngsi-ld:null does (clause 4.5.0).
    for name, value in body.items() if isinstance(body, dict) else ():
        if not isinstance(value, dict):
            continue
        if any(value.get(member, "") is None for member in VALUE_MEMBER.values()):
            raise Invalid(
                f"{name}: null cannot be the value",
                code="entity.null",
                param=name,
                fix="write urn:ngsi-ld:null to remove it",
            )
    return expand_entity(body, context, fragment=True, merging=True)


def _batch(request: Request, contexts: ContextCompiler) -> tuple[list[Any], Context]:
    body, context = body_with_context(request, contexts)
    return _list(body), context


def _with_context(
    one: Any, request: Request, context: Context, contexts: ContextCompiler
) -> tuple[Any, Context]:
    """Return an entry without its context, and the context that holds for it (clause 5.5.5).

    Every entry of `application/ld+json` brings its own; in `application/json` none does.
    """
    is_ld = request.headers.get("content-type", "").startswith(JSON_LD)
    if not isinstance(one, dict) or is_ld is not ("@context" in one):
        why = "has no @context" if is_ld else "has an @context, and the request is application/json"
        raise Invalid(f"the entry {why}", code="batch.context", param="@context")
    if not is_ld:
        return one, context
    own = {key: value for key, value in one.items() if key != "@context"}
    return own, contexts.use(one["@context"])


def _list(body: Any) -> list[Any]:
    if not isinstance(body, list) or not body:
        raise Invalid("the body is no list, or an empty one", code="batch.empty", param="body")
    if None in body:
        raise Invalid("an entry is null", code="batch.null", param="body")
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
