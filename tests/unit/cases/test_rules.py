from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chengmai.cases import State, Step
from chengmai.cases.flow import FLOW, Edge, Flow
from chengmai.cases.model import ENDED, UNSORTED, Case
from chengmai.cases.problems import (
    ReasonMissing,
    ResultMissing,
    StepNotPossible,
    StepNotYours,
    WordsMissing,
)
from chengmai.cases.rules import (
    MOST_EVIDENCE,
    Decision,
    NoteOnCase,
    Nothing,
    OpenCase,
    deadline,
    entered,
    joined_evidence,
    lateness,
    moved,
    next_state,
    open_from_crossing,
    possible_steps,
    route,
    view,
)
from chengmai.cases.working_time import Urgency
from chengmai.kernel.actors import system
from tests.unit.cases.builders import (
    MONDAY,
    PLAIN,
    VITAL,
    a_case,
    a_category,
    a_crossing,
    a_unit,
    an_actor,
    local,
)

EVERY_ROLE = an_actor("duty_officer", "manager", "worker", "partner", "citizen")


def test_a_step_lists_the_possible_steps_when_it_is_not_possible() -> None:
    with pytest.raises(StepNotPossible) as problem:
        next_state(a_case(State.CLOSED), Step.DISPATCH, an_actor("duty_officer"))
    assert problem.value.possible == ["reopen"]


def test_a_step_of_another_role_says_whose_it_is() -> None:
    with pytest.raises(StepNotYours) as problem:
        next_state(a_case(State.OPENED), Step.DISPATCH, an_actor("worker"))
    assert problem.value.needs == ["duty_officer", "manager"]


@pytest.mark.parametrize(
    ("state", "step", "problem"),
    [
        (State.REPORTED, Step.REJECT, ReasonMissing),
        (State.OPENED, Step.RETURN, ReasonMissing),
        (State.DISPATCHED, Step.RETURN, ReasonMissing),
        (State.DISPATCHED, Step.HANDLE, ResultMissing),
        (State.HANDLED, Step.VERIFY_FAIL, ReasonMissing),
        (State.CLOSED, Step.REOPEN, ReasonMissing),
        (State.CLOSED, Step.COMMENT, WordsMissing),
        (State.OPENED, Step.ESCALATE, WordsMissing),
    ],
)
def test_a_step_without_the_words_it_needs_is_refused(
    state: State, step: Step, problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        next_state(a_case(state), step, EVERY_ROLE)
    assert next_state(a_case(state), step, EVERY_ROLE, note="because").to in State


@pytest.mark.parametrize(
    ("state", "step", "to"),
    [
        (State.REPORTED, Step.OPEN, State.OPENED),
        (State.REPORTED, Step.REJECT, State.REJECTED),
        (State.OPENED, Step.DISPATCH, State.DISPATCHED),
        (State.OPENED, Step.RETURN, State.REPORTED),
        (State.DISPATCHED, Step.HANDLE, State.HANDLED),
        (State.DISPATCHED, Step.RETURN, State.OPENED),
        (State.HANDLED, Step.VERIFY_PASS, State.CLOSED),
        (State.HANDLED, Step.VERIFY_FAIL, State.DISPATCHED),
        (State.CLOSED, Step.REOPEN, State.OPENED),
        (State.REJECTED, Step.REOPEN, State.REPORTED),
    ],
)
def test_each_step_leads_where_the_flow_says(state: State, step: Step, to: State) -> None:
    assert next_state(a_case(state), step, EVERY_ROLE, note="words").to is to


def test_the_platform_closes_nothing() -> None:
    closing = [edge for edge in FLOW.edges if edge.to in ENDED and edge.moves]
    assert closing
    assert not any("system" in edge.roles for edge in closing)


def test_every_state_can_be_reached_and_every_live_state_can_be_left() -> None:
    assert {edge.to for edge in FLOW.edges} == set(State)
    assert {edge.at for edge in FLOW.edges if edge.moves and edge.at} == set(State)


def test_a_flow_with_two_edges_for_one_step_is_refused() -> None:
    edge = Edge(State.OPENED, Step.DISPATCH, State.DISPATCHED, frozenset({"worker"}))
    with pytest.raises(ValueError, match="two edges"):
        Flow((edge, edge))


def test_an_opened_case_goes_straight_to_verification_only_once_its_vital_recovered() -> None:
    desk = an_actor("duty_officer")
    with pytest.raises(StepNotPossible) as problem:
        next_state(a_case(State.OPENED), Step.HANDLE, desk, note="it passed")
    assert problem.value.possible == ["dispatch", "return"]
    recovered = a_case(State.OPENED, recovered=True)
    assert next_state(recovered, Step.HANDLE, desk, note="it passed").to is State.HANDLED


def test_possible_steps_are_those_of_the_actor_s_roles_and_moves_come_first() -> None:
    case = a_case(State.DISPATCHED)
    assert possible_steps(case, an_actor("worker")) == [Step.HANDLE, Step.RETURN, Step.COMMENT]
    assert possible_steps(case, an_actor("duty_officer")) == [Step.COMMENT, Step.ESCALATE]
    assert possible_steps(case, an_actor("citizen")) == []
    assert possible_steps(case, an_actor()) == []


@pytest.mark.parametrize(
    ("state", "minutes"), [(State.REPORTED, 15), (State.OPENED, 15), (State.HANDLED, 120)]
)
def test_desk_stages_have_their_limits_day_and_night(state: State, minutes: int) -> None:
    night = local("2026-11-28T03:00")
    due = deadline(state, a_category().handle_within, night, PLAIN)
    assert due is not None
    assert due.at == night + timedelta(minutes=minutes)


def test_handling_is_due_within_the_limit_of_the_category_in_working_time() -> None:
    case = moved(
        a_case(State.OPENED),
        Step.DISPATCH,
        State.DISPATCHED,
        at=local("2026-11-27T11:00"),
        calendar=PLAIN,
    )
    assert case.due_at == local("2026-11-30T11:00")


def test_nothing_is_due_on_a_case_that_has_ended_and_it_keeps_when() -> None:
    case = entered(a_case(State.HANDLED), State.CLOSED, MONDAY, PLAIN)
    assert (case.due_at, case.ended_at, case.has_ended) == (None, MONDAY, True)
    seen = view(case, MONDAY + timedelta(days=400), PLAIN)
    assert (seen.urgency, seen.remaining, seen.is_overdue) == (Urgency.NONE, None, False)


def test_rework_is_counted() -> None:
    case = moved(
        a_case(State.HANDLED), Step.VERIFY_FAIL, State.DISPATCHED, at=MONDAY, calendar=PLAIN
    )
    assert case.rework == 1


def test_a_note_moves_neither_the_stage_nor_its_deadline() -> None:
    before = a_case(State.OPENED)
    after = moved(
        before, Step.COMMENT, State.OPENED, at=MONDAY + timedelta(hours=1), calendar=PLAIN
    )
    assert after == before.model_copy(update={"version": before.version + 1})


def test_the_log_keeps_whether_a_stage_was_late() -> None:
    case = a_case(State.OPENED)
    assert lateness(case, MONDAY + timedelta(minutes=15))["late"] is False
    assert lateness(case, MONDAY + timedelta(minutes=16))["late"] is True


def test_a_case_goes_to_the_unit_that_serves_its_area() -> None:
    everywhere, here = a_unit("epb"), a_unit("epb", "Haidian")
    assert route(a_category(), "Haidian", [everywhere, here]) == here
    assert route(a_category(), "Dongcheng", [here, everywhere]) == everywhere
    assert route(a_category(), "Dongcheng", [here]) == here
    assert route(a_category(), "Dongcheng", []).id == "epb"


# Crossings


def decide(open_case: Case | None = None, kind: str = "real", **crossing: Any) -> Decision:
    return open_from_crossing(a_crossing(kind, **crossing), a_category(), open_case)


@pytest.mark.parametrize("kind", ["real", "predicted"])
def test_a_crossing_opens_a_case(kind: str) -> None:
    decision = decide(kind=kind)
    assert isinstance(decision, OpenCase)
    assert (decision.kind, decision.level) == (kind, "act")


@pytest.mark.parametrize(
    "crossing",
    [
        {"kind": "recovered", "level": "normal"},
        {"category": None},
        {"level": "unknown"},
        {"level": "normal"},
    ],
)
def test_no_case_is_opened_without_a_reason_for_one(crossing: dict[str, Any]) -> None:
    assert isinstance(decide(**crossing), Nothing)


def test_a_category_that_no_pack_has_still_opens_a_case() -> None:
    decision = open_from_crossing(a_crossing(category="ghost"), None, None)
    assert isinstance(decision, OpenCase)
    assert decision.category is UNSORTED


@pytest.mark.parametrize("kind", ["real", "predicted", "recovered"])
@pytest.mark.parametrize("level", ["normal", "watch", "act", "unknown"])
@pytest.mark.parametrize("stands", ["watch", "act"])
@pytest.mark.parametrize("was", ["real", "predicted"])
@pytest.mark.parametrize("recovered", [True, False])
def test_a_live_case_is_never_joined_by_a_second_one(
    kind: str, level: str, stands: str, was: str, recovered: bool
) -> None:
    case = a_case(kind=was, level=stands, vital=VITAL, recovered=recovered)
    decision = decide(case, kind, level=level)
    assert not isinstance(decision, OpenCase)
    if isinstance(decision, NoteOnCase):
        assert next_state(case, decision.step, system("cases")).to is case.state


@pytest.mark.parametrize(
    ("case", "crossing", "step", "changes"),
    [
        (
            {"kind": "real", "level": "watch"},
            {"kind": "real", "level": "act", "previous_level": "watch"},
            Step.ESCALATE,
            {"level": "act", "recovered": False},
        ),
        (
            {"kind": "predicted", "level": "act"},
            {"kind": "real", "level": "watch"},
            Step.PREDICTED_BECAME_REAL,
            {"level": "act", "kind": "real", "recovered": False},
        ),
        (
            {"kind": "predicted", "level": "watch"},
            {"kind": "predicted", "level": "act"},
            Step.ESCALATE,
            {"level": "act", "recovered": False},
        ),
        (
            {"kind": "real", "level": "act"},
            {"kind": "recovered", "level": "normal", "previous_level": "act"},
            Step.RECOVERED,
            {"recovered": True},
        ),
        (
            {"kind": "real", "level": "act", "recovered": True},
            {"kind": "real", "level": "act"},
            Step.CROSSED_AGAIN,
            {"level": "act", "recovered": False},
        ),
    ],
)
def test_a_crossing_on_a_live_case_becomes_a_line_in_its_log(
    case: dict[str, Any], crossing: dict[str, Any], step: Step, changes: dict[str, Any]
) -> None:
    assert decide(a_case(vital=VITAL, **case), **crossing) == NoteOnCase(step, changes)


@pytest.mark.parametrize(
    ("case", "crossing"),
    [
        ({"kind": "real"}, {"kind": "predicted", "level": "act"}),
        ({"kind": "predicted"}, {"kind": "predicted", "level": "act"}),
        ({"kind": "real", "recovered": True}, {"kind": "recovered", "level": "normal"}),
        ({"kind": "real"}, {"kind": "real", "level": "watch", "previous_level": "act"}),
        ({"kind": "real"}, {"kind": "real", "level": "unknown", "previous_level": "act"}),
        ({"kind": "real"}, {"kind": "real", "level": "act", "previous_level": "unknown"}),
    ],
)
def test_a_crossing_that_adds_nothing_writes_nothing(
    case: dict[str, Any], crossing: dict[str, Any]
) -> None:
    assert isinstance(decide(a_case(vital=VITAL, level="act", **case), **crossing), Nothing)


def test_evidence_is_joined_without_doubles_and_stays_bounded() -> None:
    readings = [{"value": n} for n in range(MOST_EVIDENCE + 10)]
    joined = joined_evidence(readings[:150], readings[100:])
    assert joined == tuple(readings[10:])
