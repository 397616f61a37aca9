"""/temporal/entities: an entity over time (clauses 5.7.3 and 6.19)."""

from __future__ import annotations

from typing import Any

from chengmai.history.model import Span
from chengmai.kernel.problems import NotSupported, TooLarge
from chengmai.ngsild.entity import Instance
from chengmai.ngsild.represent import TemporalForm, compact_temporal
from chengmai.ngsild.temporal import TemporalQuery, aggregate, parse_temporal
from chengmai.web.api.http import Request, Response
from chengmai.web.api.machine import Machine, options, wants_sys_attrs
from chengmai.web.api.negotiation import accepted, entity_response, request_context

MOST_INSTANCES = 100_000


async def retrieve(machine: Machine, request: Request, entity_id: str) -> Response:
    """GET /temporal/entities/{id}"""
    media = accepted(request)
    context = request_context(request, machine.contexts)
    query = parse_temporal(request.query)
    entity = await machine.broker.retrieve(request.actor, entity_id)
    names = [context.expand(name) for name in request.names("attrs")] or None
    series = await machine.history.evolution(
        request.actor.tenant, entity_id, attributes=names, span=_span(query), last_n=query.last_n
    )
    if (count := sum(map(len, series.values()))) > MOST_INSTANCES:
        raise TooLarge(
            f"{count} instances match, more than {MOST_INSTANCES}",
            code="temporal.too_many",
            param="timerel",
            fix="narrow the window, name attrs, or ask for lastN or aggregates",
        )
    form = _form(request, query)
    if form == "aggregatedValues":
        series = {name: _aggregated(found, query) for name, found in series.items()}
    elif query.last_n is not None:
        series = {name: found[::-1] for name, found in series.items()}
    document = compact_temporal(
        entity_id,
        entity["type"],
        series,
        context,
        form,
        wants_sys_attrs(request),
        timeproperty=query.timeproperty,
    )
    return entity_response(document, context, media)


def _form(request: Request, query: TemporalQuery) -> TemporalForm:
    asked = options(request) | {request.query.get("format", "")}
    if query.methods:
        return "aggregatedValues"
    return "temporalValues" if "temporalValues" in asked else "normalized"


def _span(query: TemporalQuery) -> Span:
    if query.timeproperty not in ("observedAt", "modifiedAt", "createdAt"):
        raise NotSupported(f"queries by {query.timeproperty}", param="timeproperty")
    return Span(query.start_us, query.end_us, query.timeproperty)  # type: ignore[arg-type]


def _aggregated(instances: list[Instance], query: TemporalQuery) -> list[dict[str, Any]]:
    datasets: dict[str | None, list[Instance]] = {}
    for instance in instances:
        datasets.setdefault(instance.get("datasetId"), []).append(instance)
    made = []
    for dataset, found in datasets.items():
        one: dict[str, Any] = {"type": found[0]["type"]}
        if dataset is not None:
            one["datasetId"] = dataset
        made.append(
            one
            | aggregate(
                found,
                query.methods,
                query.period_us,
                query.start_us,
                query.end_us,
                timeproperty=query.timeproperty,
            )
        )
    return made
