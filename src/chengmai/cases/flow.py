"""The flow of a case as data: which step leads from which state to which, who takes it, what it needs.

Source: the stages 上报 → 立案 → 派遣 → 处置 → 核查 → 结案 of GB/T 30428 (domain facts 2.4). A case is closed
only by a verification that passed, and never by the platform itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from chengmai.cases.model import LIVE, Case, State, Step

Needs = Literal["nothing", "reason", "result", "words"]

DESK = frozenset({"duty_officer", "manager"})
HANDLERS = frozenset({"worker", "partner", "manager"})
PLATFORM = frozenset({"system"})
REPORTERS = frozenset({"citizen", "worker", "partner", "duty_officer", "manager"})


@dataclass(frozen=True)
class Edge:
    """One way through the flow. `needs` says what the note must hold."""

    at: State | None
    step: Step
    to: State
    roles: frozenset[str]
    needs: Needs = "nothing"
    only_recovered: bool = False
    """Offered only while the vital sign of the case has recovered."""

    @property
    def moves(self) -> bool:
        """Whether the case goes to another state."""
        return self.at is not self.to


@dataclass(frozen=True)
class Flow:
    """A table of edges, at most one for a state and a step."""

    edges: tuple[Edge, ...]
    _by_start: dict[tuple[State | None, Step], Edge] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_start = {(edge.at, edge.step): edge for edge in self.edges}
        if len(by_start) != len(self.edges):
            raise ValueError("a state has two edges for one step")
        object.__setattr__(self, "_by_start", by_start)

    def edge(self, case: Case, step: Step) -> Edge | None:
        """Return the edge that `step` takes from where the case stands, or None."""
        edge = self._by_start.get((case.state, step))
        return edge if edge is not None and _is_open(edge, case) else None

    def first(self, step: Step) -> Edge:
        """Return the edge by which a case comes into being."""
        return self._by_start[(None, step)]

    def edges_from(self, case: Case) -> list[Edge]:
        """Return the edges the case can take now, those that move it first."""
        found = [edge for edge in self.edges if edge.at is case.state and _is_open(edge, case)]
        return sorted(found, key=lambda edge: not edge.moves)

    def steps_from(self, case: Case) -> list[Step]:
        """Return the steps that move the case on from where it stands."""
        return [edge.step for edge in self.edges_from(case) if edge.moves]


def _is_open(edge: Edge, case: Case) -> bool:
    return case.recovered or not edge.only_recovered


def _notes(step: Step, states: Iterable[State], roles: frozenset[str], needs: Needs) -> list[Edge]:
    return [Edge(state, step, state, roles, needs) for state in states]


FLOW = Flow(
    (
        Edge(None, Step.REPORT, State.REPORTED, REPORTERS),
        Edge(None, Step.OPEN, State.OPENED, PLATFORM),
        Edge(State.REPORTED, Step.OPEN, State.OPENED, DESK),
        Edge(State.REPORTED, Step.REJECT, State.REJECTED, DESK, "reason"),
        Edge(State.OPENED, Step.DISPATCH, State.DISPATCHED, DESK),
        Edge(State.OPENED, Step.RETURN, State.REPORTED, DESK, "reason"),
        Edge(State.OPENED, Step.HANDLE, State.HANDLED, DESK, "result", only_recovered=True),
        Edge(State.DISPATCHED, Step.HANDLE, State.HANDLED, HANDLERS, "result"),
        Edge(State.DISPATCHED, Step.RETURN, State.OPENED, HANDLERS, "reason"),
        Edge(State.HANDLED, Step.VERIFY_PASS, State.CLOSED, DESK),
        Edge(State.HANDLED, Step.VERIFY_FAIL, State.DISPATCHED, DESK, "reason"),
        Edge(State.CLOSED, Step.REOPEN, State.OPENED, DESK, "reason"),
        Edge(State.REJECTED, Step.REOPEN, State.REPORTED, DESK, "reason"),
        *_notes(Step.COMMENT, State, DESK | HANDLERS, "words"),
        *_notes(Step.ESCALATE, LIVE, DESK | PLATFORM, "words"),
        *_notes(Step.RECOVERED, LIVE, PLATFORM, "nothing"),
        *_notes(Step.PREDICTED_BECAME_REAL, LIVE, PLATFORM, "nothing"),
        *_notes(Step.CROSSED_AGAIN, LIVE, PLATFORM, "nothing"),
    )
)
