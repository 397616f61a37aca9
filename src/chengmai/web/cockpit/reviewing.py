"""What the pages that look back need from the rooms behind them: one protocol, and what it answers with.

The pure values of `vitals.lookback`, `vitals.thresholds` and `forecast.record` are shown as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from chengmai.forecast.record import Record
from chengmai.kernel.actors import Actor
from chengmai.kernel.texts import Text
from chengmai.vitals.lookback.explaining import Explanation
from chengmai.vitals.lookback.likeness import Likeness
from chengmai.vitals.lookback.periods import Length, Versus
from chengmai.vitals.lookback.service import Review
from chengmai.vitals.thresholds.model import Change
from chengmai.vitals.thresholds.service import Order
from chengmai.vitals.thresholds.trying import Trial
from chengmai.web.cockpit.views import (
    BaselinePoint,
    CaseRow,
    FeedView,
    ForecastView,
    VitalCard,
    VitalDetail,
)


@dataclass(frozen=True)
class LookedBack:
    """A sign with its review; `names` are what the entities that explain it are called."""

    vital: VitalDetail
    review: Review
    baseline: tuple[BaselinePoint, ...]
    names: Mapping[str, Text]
    may_note: bool


@dataclass(frozen=True)
class Cause:
    """What explains how a sign of a domain differs from its like, the most first."""

    card: VitalCard
    likeness: Likeness
    by_area: Explanation | None
    by_hour: Explanation | None
    by_entity: Explanation | None
    names: Mapping[str, Text]


@dataclass(frozen=True)
class Silent:
    """A source that has shown nothing for longer than its sign may be silent."""

    id: str
    name: Text
    area: str
    last_at: datetime | None


@dataclass(frozen=True)
class Standing:
    """A sign of an area: its forecast as it is, and what the stored ones have been worth."""

    card: VitalCard
    forecast: ForecastView | None
    trained: datetime | None
    record: Record | None
    why_fitted: str = ""


@dataclass(frozen=True)
class Domain:
    """A domain: everything that its page shows. `details` has one sign of each kind, for its thresholds."""

    pack: str
    title: Text
    about: Text
    cards: tuple[VitalCard, ...]
    causes: tuple[Cause, ...]
    cases: tuple[CaseRow, ...]
    feeds: tuple[FeedView, ...]
    silent: tuple[Silent, ...]
    silent_total: int
    standings: tuple[Standing, ...]
    details: tuple[VitalDetail, ...]


@dataclass(frozen=True)
class ChangeLine:
    """A change of a threshold with the name and the unit of its sign, and what the viewer may do to it."""

    change: Change
    title: Text
    unit: str
    decimals: int
    may_decide: bool
    may_withdraw: bool


class Reviewing(Protocol):
    """Port: looking back, and changing thresholds. Raises problems of `kernel.problems` and nothing else."""

    async def look_back(
        self, actor: Actor, vital_id: str, length: Length, on: date, versus: Versus
    ) -> LookedBack:
        """Return a sign looked back on; raises `NotFound`."""
        ...

    async def note(self, actor: Actor, vital_id: str, words: str, at: datetime) -> str:
        """Keep a note on the curve of a sign and return its id."""
        ...

    async def domain(self, actor: Actor, pack: str) -> Domain:
        """Return a domain; raises `NotFound`."""
        ...

    async def standings(
        self, actor: Actor, pack: str | None = None, vital_id: str | None = None
    ) -> Sequence[Standing]:
        """Return the forecasts of all signs (of a domain, or one) with their records where they are few."""
        ...

    async def changes(self, actor: Actor) -> Sequence[ChangeLine]:
        """Return all changes of thresholds, the newest first."""
        ...

    async def change(self, actor: Actor, change_id: str) -> ChangeLine:
        """Return one change; raises `NotFound`."""
        ...

    async def sign_of(self, actor: Actor, vital_id: str) -> tuple[VitalDetail, Mapping[str, Any]]:
        """Return a sign, and the names of the thresholds that may be changed with their present band."""
        ...

    async def trial(self, actor: Actor, order: Order) -> Trial:
        """Return what an order would have meant; keeps nothing."""
        ...

    async def propose(self, actor: Actor, order: Order) -> str:
        """Keep a proposal and return its id."""
        ...

    async def decide(self, actor: Actor, change_id: str, verdict: str, note: str) -> None:
        """Approve, refuse or withdraw a change."""
        ...
