"""Pure rules of a case. No clock, no store: everything arrives as an argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chengmai.cases.flow import FLOW, Edge, Flow
from chengmai.cases.model import SENSOR_FAULT, UNSORTED, Case, CaseView, Kind, State, Step
from chengmai.cases.problems import (
    ReasonMissing,
    ResultMissing,
    StepNotPossible,
    StepNotYours,
    WordsMissing,
)
from chengmai.cases.working_time import Calendar, Due, Urgency, due_at, remaining, urgency
from chengmai.kernel.actors import Actor
from chengmai.kernel.events import SensorSuspected, VitalCrossed
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text
from chengmai.packs.model import CaseCategory, Limit, ResponsibleUnit

ACCEPT_WITHIN = Limit(amount=0.25, unit="urgent_hour")
DISPATCH_WITHIN = Limit(amount=0.25, unit="urgent_hour")
VERIFY_WITHIN = Limit(amount=2, unit="urgent_hour")
"""Stage limits, continuous (domain facts 2.5; trust S: one city's configuration, yours may differ)."""

MOST_EVIDENCE = 200
LEVEL_RANK = {"normal": 0, "watch": 1, "act": 2}
_MISSING = {"reason": ReasonMissing, "result": ResultMissing, "words": WordsMissing}


@dataclass(frozen=True)
class Move:
    """An allowed step: where it leads and in which role the actor takes it."""

    to: State
    role: str


@dataclass(frozen=True)
class OpenCase:
    """A crossing opens a case of this category."""

    category: CaseCategory
    kind: Kind
    level: str


@dataclass(frozen=True)
class NoteOnCase:
    """A crossing adds a line to the open case and changes these members of it."""

    step: Step
    changes: dict[str, Any]


@dataclass(frozen=True)
class Nothing:
    """A crossing changes nothing; `why` says so to whoever asks."""

    why: str


Decision = OpenCase | NoteOnCase | Nothing


def next_state(case: Case, step: Step, by: Actor, note: str = "", flow: Flow = FLOW) -> Move:
    """Return where `step` by `by` leads, or say why it is not possible.

    Raises `StepNotPossible`, `StepNotYours`, `ReasonMissing`, `ResultMissing` or `WordsMissing`.
    """
    edge = flow.edge(case, step)
    if edge is None:
        raise StepNotPossible(case.state, step, possible=flow.steps_from(case))
    return _take(edge, by, note)


def first_state(step: Step, by: Actor, flow: Flow = FLOW) -> Move:
    """Return where a new case begins that `by` brings in with `step`; raises `StepNotYours`."""
    return _take(flow.first(step), by, "")


def possible_steps(case: Case, by: Actor, flow: Flow = FLOW) -> list[Step]:
    """Return the steps `by` can take now, those that move the case first."""
    return [edge.step for edge in flow.edges_from(case) if by.has_role(*edge.roles)]


def limit_of(state: State, handle_within: Limit) -> Limit | None:
    """Return the time limit of the stage that a case in `state` is in; None when it has ended."""
    return {
        State.REPORTED: ACCEPT_WITHIN,
        State.OPENED: DISPATCH_WITHIN,
        State.DISPATCHED: handle_within,
        State.HANDLED: VERIFY_WITHIN,
    }.get(state)


def deadline(state: State, handle_within: Limit, since: datetime, calendar: Calendar) -> Due | None:
    """Return when the stage that began at `since` must be over; None when the case has ended."""
    limit = limit_of(state, handle_within)
    return None if limit is None else due_at(since, limit, calendar)


def new_case(
    tenant: str, number: str, category: CaseCategory, area: str, unit: ResponsibleUnit, at: datetime
) -> Case:
    """Return a case of `category` that no step has touched yet."""
    return Case(
        tenant=tenant,
        id=urn("CityCase", number),
        number=number,
        title=category.title,
        category=category.id,
        state=State.REPORTED,
        kind="person",
        level="watch",
        area=area,
        unit=unit.id,
        unit_title=unit.title,
        handle_within=category.handle_within,
        reported_at=at,
        stage_since=at,
    )


def entered(case: Case, state: State, at: datetime, calendar: Calendar) -> Case:
    """Return the case as it enters `state` at `at`: the deadline of the new stage begins."""
    due = deadline(state, case.handle_within, at, calendar)
    first_opening = state is State.OPENED and case.opened_at is None
    return case.model_copy(
        update={
            "state": state,
            "stage_since": at,
            "due_at": due.at if due else None,
            "due_certain": due.certain if due else True,
            "ended_at": None if due else at,
            "opened_at": at if first_opening else case.opened_at,
        }
    )


def moved(
    case: Case,
    step: Step,
    to: State,
    *,
    at: datetime,
    calendar: Calendar,
    unit: ResponsibleUnit | None = None,
) -> Case:
    """Return the case after `step` led it to `to`, one version on; `unit` takes it over if given."""
    changes: dict[str, Any] = {"version": case.version + 1}
    if unit is not None:
        changes |= {"unit": unit.id, "unit_title": unit.title}
    if step is Step.VERIFY_FAIL:
        changes["rework"] = case.rework + 1
    after = entered(case, to, at, calendar) if to is not case.state else case
    return after.model_copy(update=changes)


def lateness(case: Case, at: datetime) -> dict[str, Any]:
    """Return what the log keeps of the stage that a step at `at` ends; later appeals never change it."""
    if case.due_at is None:
        return {}
    return {"due_at": case.due_at.isoformat(), "late": at > case.due_at}


def view(case: Case, now: datetime, calendar: Calendar) -> CaseView:
    """Return the case with its deadline as it looks at `now`."""
    limit = limit_of(case.state, case.handle_within)
    if case.due_at is None or limit is None:
        return CaseView(case, now, Urgency.NONE, None)
    light = urgency(now, case.due_at, limit, calendar)
    return CaseView(case, now, light, remaining(now, case.due_at, limit.unit, calendar))


def route(category: CaseCategory, area: str, units: Sequence[ResponsibleUnit]) -> ResponsibleUnit:
    """Return who handles a case of `category` in `area`.

    First the unit the category names that serves the area, then the one that serves everywhere, then any
    unit of that name; a name that no pack explains still routes, since a case must reach somebody.
    """
    named = [unit for unit in units if unit.id == category.responsible]
    serving = [unit for unit in named if area in unit.areas]
    everywhere = [unit for unit in named if not unit.areas]
    for unit in [*serving, *everywhere, *named]:
        return unit
    nobody = Text(
        zh=f"{category.responsible}（未登记）", en=f"{category.responsible} (not registered)"
    )
    return ResponsibleUnit(id=category.responsible, title=nobody)


def open_from_crossing(
    crossing: VitalCrossed, category: CaseCategory | None, open_case: Case | None
) -> Decision:
    """Return what a crossing does: open a case, add a line to the open one, or nothing.

    A vital sign has at most one live case; while it lives, further crossings are lines in its log. Nothing
    here ever closes a case: a recovery asks people to verify.
    """
    if crossing.fault is not None and (open_case is None or crossing.kind == "recovered"):
        return Nothing("the sensor is suspected: its case of data quality tells")
    if open_case is not None:
        return _on_open_case(crossing, open_case)
    if crossing.kind == "recovered":
        return Nothing("no case of this vital sign is open")
    if crossing.category is None:
        return Nothing("the vital sign opens no case at this level")
    if LEVEL_RANK.get(crossing.level, 0) == 0:
        return Nothing(f"the level is {crossing.level}")
    kind: Kind = "predicted" if crossing.kind == "predicted" else "real"
    return OpenCase(category or UNSORTED, kind, crossing.level)


def on_suspicion(suspicion: SensorSuspected, open_case: Case | None) -> Decision:
    """Return what a suspected sensor does: open a case of data quality, or add a line to the open one.

    Silence opens none of its own: the sign says that it is unknown, and most often a whole feed is silent.
    """
    if suspicion.fault == "silent":
        return Nothing("a silent sensor is told by its sign and its feed")
    if not suspicion.begun:
        if open_case is None or open_case.recovered:
            return Nothing("no case of this sensor waits")
        return NoteOnCase(Step.RECOVERED, {"recovered": True})
    if open_case is None:
        return OpenCase(SENSOR_FAULT, "real", "watch")
    return NoteOnCase(Step.CROSSED_AGAIN, {"recovered": False})


def on_doubtful_crossing(crossing: VitalCrossed, open_case: Case | None) -> Decision:
    """Return what a crossing of a suspected sensor does to the case of its data quality."""
    rank = LEVEL_RANK.get(crossing.level, 0)
    if crossing.kind == "recovered" or open_case is None or rank == 0:
        return Nothing("a doubtful value is neither a crossing nor a recovery")
    if rank <= LEVEL_RANK.get(open_case.level, 0):
        return Nothing("the case stands at this level")
    return NoteOnCase(Step.ESCALATE, {"level": crossing.level})


def _on_open_case(crossing: VitalCrossed, case: Case) -> Decision:
    rank, stands = LEVEL_RANK.get(crossing.level, 0), LEVEL_RANK.get(case.level, 0)
    if crossing.kind == "recovered":
        if case.recovered:
            return Nothing("the case knows already that the vital sign recovered")
        return NoteOnCase(Step.RECOVERED, {"recovered": True})
    if crossing.kind == "predicted":
        if case.kind == "predicted" and rank > stands:
            return NoteOnCase(Step.ESCALATE, {"level": crossing.level, "recovered": False})
        return Nothing("the open case stands at this level or is real already")
    if rank == 0:
        return Nothing(f"the level is {crossing.level}, and only a recovery says that it is over")
    level = crossing.level if rank > stands else case.level
    back: dict[str, Any] = {"level": level, "recovered": False}
    if case.kind == "predicted":
        return NoteOnCase(Step.PREDICTED_BECAME_REAL, back | {"kind": "real"})
    if rank > stands:
        return NoteOnCase(Step.ESCALATE, back)
    # After a silence the level comes back from unknown: that is no new crossing.
    if case.recovered or rank > LEVEL_RANK.get(crossing.previous_level, rank):
        return NoteOnCase(Step.CROSSED_AGAIN, back)
    return Nothing("nothing that the case does not know")


def joined_evidence(
    known: Sequence[dict[str, Any]], readings: Sequence[dict[str, Any]]
) -> tuple[dict[str, Any], ...]:
    """Return `known` and the new ones of `readings`, the oldest dropped beyond `MOST_EVIDENCE`."""
    joined = [*known, *(reading for reading in readings if reading not in known)]
    return tuple(joined[-MOST_EVIDENCE:])


def _take(edge: Edge, by: Actor, note: str) -> Move:
    mine = sorted(edge.roles & by.roles)
    if not mine:
        raise StepNotYours(edge.step, needs=edge.roles)
    # What the platform says stands in the facts of its line, in both languages.
    if edge.needs != "nothing" and not note and mine != ["system"]:
        raise _MISSING[edge.needs](edge.step)
    return Move(edge.to, mine[0])
