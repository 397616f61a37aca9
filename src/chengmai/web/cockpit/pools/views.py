"""What the screens of pools show: frozen values; shares are of one, hours are unit-hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chengmai.kernel.actors import Actor
from chengmai.kernel.texts import Text
from chengmai.web.cockpit.views import ForecastPoint, Point


@dataclass(frozen=True)
class PoolSums:
    """Use over the last step, means of units; idle and short unit-hours of the last seven days.

    `read` of `of` steps of members had a reading in those seven days.
    """

    used: float
    waiting: float
    capacity: float
    utilisation: float | None
    idle_week: float
    short_week: float
    read: int
    of: int


@dataclass(frozen=True)
class PoolCard:
    """A pool in the list. `why` is what comes of looking ahead, `open_suggestion` whether one waits."""

    pack: str
    pack_title: Text
    pool: str
    title: Text
    unit: Text
    at: datetime
    sums: PoolSums
    why: str
    sentence: Text
    open_suggestion: bool


@dataclass(frozen=True)
class Ahead:
    """What is expected of a series: from what that is known, its points, and the errors of the "
    "back-test."""

    basis: str
    because: Text
    points: tuple[ForecastPoint, ...]
    model: str = ""
    mae: float | None = None
    naive_mae: float | None = None


@dataclass(frozen=True)
class MemberView:
    """A member of a pool. `expected_shortage` is that of the window at the median, in unit-hours."""

    id: str
    name: Text
    area: str
    sums: PoolSums
    ahead: Ahead | None


@dataclass(frozen=True)
class MoveView:
    n: int
    source: Text
    target: Text
    units: int
    suggested: int
    most: int
    lot: int
    saves: float
    why: Text
    binds: Text
    case_id: str | None
    done_at: datetime | None


@dataclass(frozen=True)
class EffectView:
    verdict: str
    sentence: Text
    actual: float | None
    saved: float | None
    low: float | None
    high: float | None
    way: str
    weeks: int
    measured_at: datetime


@dataclass(frozen=True)
class SuggestionView:
    id: str
    state: str
    made_at: datetime
    start: datetime
    end: datetime
    decide_by: datetime
    summary: Text
    before: float
    after: float
    cost: float
    moves: tuple[MoveView, ...]
    is_best: bool
    solver: str
    decided_by: str
    decided_at: datetime | None
    reason: str
    effect: EffectView | None
    may_decide: bool


@dataclass(frozen=True)
class PoolDetail:
    """One pool with everything its page shows. `week` maps (weekday, hour) to utilisation, Monday is 0."""

    card: PoolCard
    about: Text
    source: Text
    trust: str
    reserve: float
    horizon_h: float
    member_type: str
    member_title: Text
    members: tuple[MemberView, ...]
    areas: tuple[tuple[str, PoolSums], ...]
    demand: tuple[Point, ...]
    ahead: Ahead | None
    week: Mapping[tuple[int, int], float]
    queries: tuple[tuple[str, str], ...]
    suggestions: tuple[SuggestionView, ...]


@dataclass(frozen=True)
class DecisionOrder:
    """What a person decides: `amounts` maps the number of a move to its units."""

    decision: str
    reason: str
    amounts: Mapping[int, int]
    key: str


class PoolDesk(Protocol):
    """Port: pools, as the screens see them. Every method takes the actor who looks."""

    async def pools(self, actor: Actor) -> Sequence[PoolCard]:
        """Return every pool that was looked at since the start, in any order."""
        ...

    async def awaited(self, actor: Actor) -> Sequence[Text]:
        """Return the titles of pools that are being looked at for the first time."""
        ...

    async def pool(self, actor: Actor, pack: str, name: str) -> PoolDetail:
        """Return one pool; raises `NotFound`."""
        ...

    async def decide(self, actor: Actor, suggestion_id: str, order: DecisionOrder) -> None:
        """Decide on a suggestion; raises `NotFound`, `Conflict`, `Invalid` or `Forbidden`."""
        ...
