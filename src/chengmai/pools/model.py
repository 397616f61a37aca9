"""What a pool is: its members and how they were used, what is suggested for them, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from chengmai.kernel.texts import Text
from chengmai.packs.model import EntitySpec, Pack
from chengmai.packs.pools import PoolSpec


@dataclass(frozen=True)
class Pool:
    """A pool of a pack, with the entity type of its members."""

    pack: str
    spec: PoolSpec
    entity: EntitySpec

    @property
    def key(self) -> str:
        return f"{self.pack}/{self.spec.id}"

    @property
    def step_us(self) -> int:
        return int(self.spec.step.total_seconds() * 1_000_000)

    @property
    def hours(self) -> float:
        """The length of a step in hours."""
        return self.spec.step.total_seconds() / 3600

    @property
    def window(self) -> int:
        """How many steps a suggestion looks ahead."""
        return int(self.spec.horizon / self.spec.step)


def pools_of(packs: Sequence[Pack]) -> list[Pool]:
    """Return the pools of all packs; one whose entity type is not declared is left out, `pack check` tells."""
    return [
        Pool(pack.info.id, spec, entity)
        for pack in packs
        for spec in pack.pools
        for entity in pack.entities
        if entity.type == spec.entity
    ]


@dataclass(frozen=True)
class Hour:
    """One step of one member: means over the step, in units; `idle` and `shortage` in unit-hours.

    Demand is what is used and what waits. Usable is the capacity less the reserve; demand beyond it is
    shortage, usable units that nobody asks for are idle.
    """

    used: float
    waiting: float
    capacity: float
    idle: float
    shortage: float

    @property
    def demand(self) -> float:
        return self.used + self.waiting


@dataclass(frozen=True)
class Member:
    """A member of a pool: who it is, where, and its steps by tick in µs, in order."""

    id: str
    name: Text
    area: str
    place: tuple[float, float] | None
    hours: Mapping[int, Hour]


@dataclass(frozen=True)
class Ahead:
    """What is expected of a member in one step to come.

    `basis` says from what: a `forecast` with skill, the `baseline` (the same hour of earlier weeks), or
    `unknown` where there is too little past for either; then there are no numbers.
    """

    at_us: int
    low: float
    median: float
    high: float
    naive: float | None


Basis = Literal["forecast", "baseline", "unknown"]


@dataclass(frozen=True)
class Outlook:
    """The steps to come of one series, from what they are known, and how good that is."""

    basis: Basis
    steps: tuple[Ahead, ...]
    because: Text
    model: str = ""
    backtest: Mapping[str, Any] | None = None


Why = Literal["moves", "unknown", "no_shortage", "no_help", "not_worth", "no_answer", "open"]
"""What comes of looking ahead: moves, or why there are none."""


class State(StrEnum):
    """Where a suggestion stands. All but `proposed` are final."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    CHANGED = "changed"
    REFUSED = "refused"
    LAPSED = "lapsed"


TAKEN = frozenset({State.ACCEPTED, State.CHANGED})


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Move(Frozen):
    """One move. `most` is how many units it could have at most with the others as they are.

    `saves` is the shortage, in unit-hours, that would be expected without this move and is not with it;
    `begins` is the step of the window from which it helps, `cost` of one unit.
    """

    n: int
    source: str
    target: str
    source_name: Text
    target_name: Text
    source_area: str
    target_area: str
    units: int
    suggested: int
    most: int
    cost: float
    begins: int
    saves: float
    why: Text
    binds: Text
    location: dict[str, Any] | None = None
    case: str | None = None
    done_at: datetime | None = None
    """When its case was handled; None before, and when it has to be done again."""


class Limits(Frozen):
    """What amounts are possible: whole lots, so much a move, and what each member can give or "
    "needs at most."""

    kind: Literal["use", "capacity"]
    reserve: float
    hours: float
    lot: int
    most: int | None
    moves: int
    spare: dict[str, int]
    needs: dict[str, int]


class Expected(Frozen):
    """A step of a member as it was expected without any move."""

    at: datetime
    low: float
    median: float
    high: float
    capacity: float


class Against(Frozen):
    """The shortage that was to be expected without the moves, in unit-hours, by one way of knowing it.

    `low` to `high` holds it with a probability of 80 % (nominal); `weeks` is how many earlier weeks it is
    made of, none for a forecast.
    """

    way: Literal["forecast", "same_hours"]
    expected: float
    low: float
    high: float
    weeks: int = 0


Verdict = Literal["less", "more", "not_shown", "not_measurable", "not_carried_out"]


class Effect(Frozen):
    """What came of an accepted suggestion: actual shortage of the members touched, against what was expected.

    `saved` is expected less actual, with its interval; positive is good.
    """

    measured_at: datetime
    verdict: Verdict
    actual: float | None
    saved: float | None
    low: float | None
    high: float | None
    against: tuple[Against, ...]
    carried_out: int
    moves: int
    covered: float
    sentence: Text


class Suggestion(Frozen):
    """A suggestion to move units, what was decided on it and what came of it.

    `before` and `after` are the shortage expected without and with the moves in [`start`, `end`), in
    unit-hours, `cost` what the moves cost in the same. `expected` holds what was expected of each member
    touched, and `basis` from what that was known. `is_best` is False when the time was up before the solver
    had shown that nothing is better.
    """

    tenant: str
    id: str
    pack: str
    pool: str
    made_at: datetime
    start: datetime
    end: datetime
    decide_by: datetime
    state: State = State.PROPOSED
    moves: tuple[Move, ...]
    before: float
    after: float
    cost: float
    expected: dict[str, tuple[Expected, ...]]
    basis: dict[str, Basis]
    limits: Limits
    solver: str
    is_best: bool
    gap: float
    summary: Text
    decided_by: str = ""
    decided_name: str = ""
    decided_at: datetime | None = None
    reason: str = ""
    key: str = ""
    effect: Effect | None = None

    @property
    def touched(self) -> tuple[str, ...]:
        """The members that a move leads from or to, in order of their ids."""
        return tuple(sorted({one for move in self.moves for one in (move.source, move.target)}))


@dataclass(frozen=True)
class Look:
    """A pool as it was looked at: its members' past, what is expected, and what comes of that."""

    pool: Pool
    at_us: int
    """The end of the last whole step."""
    members: tuple[Member, ...]
    outlooks: Mapping[str, Outlook]
    """By member id; under the empty text that of all members together."""
    why: Why = "unknown"
    sentence: Text = field(default_factory=lambda: Text(zh="尚未计算。", en="Not worked out yet."))
    plan: Suggestion | None = None
