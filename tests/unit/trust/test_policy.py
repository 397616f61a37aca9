from __future__ import annotations

import pytest

from chengmai.cases import FLOW, Step
from chengmai.kernel.problems import Forbidden, Unauthenticated
from chengmai.trust import ACTIONS, ASSIGNABLE_ROLES, allow, may
from chengmai.trust.policy import ROLES
from chengmai.trust.problems import ActionNotAllowed, ActionUnknown
from tests.unit.trust.builders import an_actor

# One line an action, one column a role, in the order of COLUMNS: written by hand, and not from the table.
COLUMNS = (
    "admin",
    "duty_officer",
    "manager",
    "worker",
    "partner",
    "auditor",
    "citizen",
    "system",
    "public",
)
MATRIX = """
accounts.manage                   x . . . . . . . .
admin                             x . . . . . . . .
assess.manage                     x . x . . . . x .
assess.read                       x x x x x x . x .
audit.read                        . . . . . x . . .
cases.read                        x x x x x x . x .
cases.report                      . x x x x . x . .
cases.step.comment                . x x x x . . . .
cases.step.crossed_again          . . . . . . . x .
cases.step.dispatch               . x x . . . . . .
cases.step.escalate               . x x . . . . x .
cases.step.handle                 . x x x x . . . .
cases.step.open                   . x x . . . . x .
cases.step.predicted_became_real  . . . . . . . x .
cases.step.recovered              . . . . . . . x .
cases.step.reject                 . x x . . . . . .
cases.step.reopen                 . x x . . . . . .
cases.step.return                 . x x x x . . . .
cases.step.verify_fail            . x x . . . . . .
cases.step.verify_pass            . x x . . . . . .
commands.approve                  . x . . . . . . .
contexts.manage                   x . x . . . . x .
entities.delete                   x . x . . . . x .
entities.read                     x x x x x x . x .
entities.write                    x . x . x . . x .
feeds.read                        x x x x x x . x .
incidents.decide                  . x x . . . . . .
incidents.read                    x x x x x x . x .
metrics.read                      x . . . . x . . .
pools.decide                      . x x . . . . . .
pools.read                        x x x x x x . x .
registrations.manage              x . x . . . . x .
registrations.read                x . x . x x . x .
registrations.watch               x . x . x . . x .
rules.edit                        . . x . . . . . .
rules.read                        x x x x x x . x .
rules.try                         . x x . . . . x .
snapshots.manage                  x . x . . . . x .
subscriptions.manage              x . x . x . . x .
surveys.answer                    . . . . . . . . x
temporal.read                     x x x x x x . x .
thresholds.approve                . . x . . . . . .
thresholds.propose                . x x . . . . . .
vitals.note                       . x x . . . . . .
vitals.read                       x x x x x x x x .
"""
CELLS = [
    (action, role, mark == "x")
    for action, *marks in (line.split() for line in MATRIX.strip().splitlines())
    for role, mark in zip(COLUMNS, marks, strict=True)
]


@pytest.mark.parametrize(("action", "role", "allowed"), CELLS)
def test_a_role_may_do_what_the_matrix_says_and_nothing_else(
    action: str, role: str, allowed: bool
) -> None:
    assert may(an_actor(role), action) is allowed


def test_the_matrix_is_complete() -> None:
    assert {action for action, _, _ in CELLS} == ACTIONS
    assert set(COLUMNS) == ROLES == ASSIGNABLE_ROLES | {"system", "public"}


@pytest.mark.parametrize("role", COLUMNS)
@pytest.mark.parametrize("action", ["", "cases.step.close", "entities.", "Admin", "*"])
def test_an_action_nobody_declared_is_denied_to_everybody(role: str, action: str) -> None:
    assert not may(an_actor(role), action)
    with pytest.raises(ActionUnknown):
        allow(an_actor(role), action)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_an_unknown_role_no_role_and_nobody_are_denied(action: str) -> None:
    for actor in (an_actor("root"), an_actor()):
        assert not may(actor, action)
        with pytest.raises(Forbidden):
            allow(actor, action)
    assert not may(None, action)
    with pytest.raises(Unauthenticated):
        allow(None, action)


def test_who_is_refused_learns_which_roles_may() -> None:
    with pytest.raises(ActionNotAllowed) as problem:
        allow(an_actor("worker"), "cases.step.dispatch")
    assert problem.value.facts["needs"] == ["duty_officer", "manager"]


def test_several_roles_add_up() -> None:
    allow(an_actor("worker", "auditor"), "audit.read")
    allow(an_actor("worker", "auditor"), "cases.step.handle")


@pytest.mark.parametrize("role", COLUMNS)
@pytest.mark.parametrize("step", Step)
def test_the_permissions_agree_with_the_flow_of_cases(role: str, step: Step) -> None:
    action = "cases.report" if step is Step.REPORT else f"cases.step.{step}"
    in_flow = any(role in edge.roles for edge in FLOW.edges if edge.step is step)
    assert may(an_actor(role), action) is in_flow
