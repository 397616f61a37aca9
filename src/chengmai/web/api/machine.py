"""What the machine API works with, and what its parameters mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chengmai.broker.contexts import ContextShelf
from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.batches import DistributedBatches
from chengmai.broker.distribution.combining import Outcome
from chengmai.broker.distribution.discovering import DistributedDiscovery
from chengmai.broker.distribution.loops import via_entries
from chengmai.broker.distribution.past import DistributedPast
from chengmai.broker.distribution.past_writes import DistributedPastWrites
from chengmai.broker.distribution.reads import DistributedReads
from chengmai.broker.distribution.sources import Forwarder
from chengmai.broker.distribution.writes import DistributedWrites
from chengmai.broker.entity_maps import EntityMaps
from chengmai.broker.expiring import Expiring
from chengmai.broker.identity import SourceIdentity
from chengmai.broker.model import BatchOutcome
from chengmai.broker.registry.service import Registry
from chengmai.broker.registry.watched import SourceSubscription
from chengmai.broker.service import Broker
from chengmai.broker.snapshots.service import Snapshots
from chengmai.broker.subscribing import Subscribing
from chengmai.broker.subscription import Subscription
from chengmai.kernel.problems import Conflict, Problem
from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.web.api.http import Request, Response, json_response
from chengmai.web.api.planning import Plans
from chengmai.web.api.problems import problem_body
from chengmai.web.api.rendered import RenderedEntities


@dataclass(frozen=True)
class Machine:
    """The rooms behind the API, and how much of the past goes into one answer."""

    broker: Broker
    past_writes: DistributedPastWrites
    subscribing: Subscribing[Subscription]
    contexts: ContextCompiler
    shelf: ContextShelf
    forwarder: Forwarder
    expiring: Expiring
    registry: Registry
    watching: Subscribing[SourceSubscription]
    reads: DistributedReads
    discovery: DistributedDiscovery
    past: DistributedPast
    instances_per_page: int
    writes: DistributedWrites
    batches: DistributedBatches
    identity: SourceIdentity
    maps: EntityMaps
    snapshots: Snapshots
    rendered: RenderedEntities = field(default_factory=RenderedEntities)
    plans: Plans = field(default_factory=Plans)


def asked_by(request: Request, context: Context, **forwarded: str) -> Asked:
    """Return who asks and how, as distribution wants to know it; its warnings go with the answer."""
    return Asked(
        actor=request.actor,
        context=context,
        via=via_entries(request.headers.get("via", "")),
        local=request.flag("local"),
        forwarded=forwarded,
        warnings=request.warnings,
        headers=request.headers,
    )


def update_response(outcome: Outcome) -> Response:
    """Return 204 when everything was updated, else 207 with the UpdateResult (clause 5.2.18)."""
    refused = outcome.not_updated
    if not refused and not outcome.problems:
        return Response(204)
    return json_response(
        {
            "updated": outcome.updated,
            "notUpdated": [
                {"attributeName": one.name, "reason": one.reason}
                | ({} if one.registration is None else {"registrationId": one.registration})
                for one in refused
            ],
        },
        status=207,
    )


def entity_outcome_response(outcome: Outcome, entity_id: str | None, *, done: Response) -> Response:
    """Return `done` when every holder did its share, else 207 with the BatchOperationResult (clause 5.2.16).

    `entity_id` None: what was done concerns entities that are not known, as in a purge.
    Attributes that were refused make an UpdateResult, as long as nobody failed as a whole.
    """
    if not outcome.problems:
        return update_response(outcome) if outcome.not_updated else done
    errors = [_error(entity_id, problem) for problem in outcome.problems]
    errors += [
        _error(entity_id, Conflict(one.reason, param=one.name, registration=one.registration))
        for part in outcome.parts
        if part.problem is None
        for one in part.not_updated
    ]
    success = [entity_id] if outcome.is_done_somewhere and entity_id is not None else []
    return json_response({"success": success, "errors": errors}, status=207)


def batch_response(outcome: BatchOutcome, *, created_status: int = 201) -> Response:
    """Return 201 or 204 when all went well, else 207 with the BatchOperationResult (clause 5.2.16)."""
    if outcome.failed:
        return json_response(
            {
                "success": [*outcome.created, *outcome.updated],
                "errors": [_error(entity_id, problem) for entity_id, problem in outcome.failed],
            },
            status=207,
        )
    if outcome.created:
        return json_response(outcome.created, status=created_status)
    return Response(204)


def _error(entity_id: str | None, problem: Problem) -> dict[str, Any]:
    """Return a BatchEntityError (clause 5.2.17); it names the registration whose source failed."""
    made: dict[str, Any] = {} if entity_id is None else {"entityId": entity_id}
    made["error"] = problem_body(problem)
    if registration := problem.facts.get("registration"):
        made["registrationId"] = registration
    return made
