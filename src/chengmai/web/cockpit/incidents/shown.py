"""What the screens of incidents show, and the port they ask: frozen values without behaviour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from chengmai.kernel.actors import Actor
from chengmai.kernel.texts import Text
from chengmai.web.cockpit.views import (
    CaseRow,
    ForecastPoint,
    Level,
    LogLine,
    Position,
    VitalCard,
    VitalHistory,
)

AHEAD = timedelta(hours=2)
"""How far the room of an incident looks ahead."""


@dataclass(frozen=True)
class IncidentRow:
    """An incident as a line. `standing` of its `members` are not over; `reason` is that of the worst of
    them."""

    id: str
    number: str
    title: Text
    nature: Literal["event", "fault"]
    state: str
    state_label: Text
    level: Level
    since: datetime
    ended_at: datetime | None
    areas: tuple[str, ...]
    members: int
    standing: int
    is_expected: bool
    version: int
    reason: Text
    cases: tuple[str, ...] = ()


@dataclass(frozen=True)
class IncidentMember:
    """One alarm of an incident, with its curve and what is expected of it in the next two hours.

    `ahead` is empty where no forecast beats the naive one; then the usual range of `card` is all that is known.
    """

    vital_id: str
    """The vital sign, or the firing of a rule."""
    title: Text
    area: str
    role: Literal["cause", "effect", "member"]
    kind: Literal["real", "predicted", "fault"]
    level: Level
    since: datetime
    until: datetime | None
    reason: Text
    times: int
    case_id: str | None = None
    card: VitalCard | None = None
    history: VitalHistory | None = None
    ahead: tuple[ForecastPoint, ...] = ()
    interval: float = 0.8


@dataclass(frozen=True)
class Choice:
    """A decision that the actor may take now, with the reasons to choose from."""

    step: str
    label: Text
    reasons: tuple[tuple[str, Text], ...]


@dataclass(frozen=True)
class IncidentDetail:
    """The room of an incident. `others` are those it may be merged into; `undo` what can be taken back."""

    row: IncidentRow
    because: tuple[Text, ...]
    members: tuple[IncidentMember, ...]
    log: tuple[LogLine, ...]
    cases: tuple[CaseRow, ...] = ()
    nearby: tuple[CaseRow, ...] = ()
    choices: tuple[Choice, ...] = ()
    others: tuple[tuple[str, str, Text], ...] = ()
    undo: Text | None = None
    may_note: bool = False
    merged_into: str | None = None
    positions: tuple[Position, ...] = ()


@dataclass(frozen=True)
class IncidentFilter:
    state: str = "open"
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class IncidentList:
    rows: tuple[IncidentRow, ...]
    total: int
    states: tuple[tuple[str, Text], ...]


@dataclass(frozen=True)
class IncidentOrder:
    """What a person asks of an incident; the same `key` a second time changes nothing."""

    step: str
    reason: str
    note: str
    key: str
    version: int
    other: str = ""
    members: tuple[str, ...] = ()
    level: str = "act"


@dataclass(frozen=True)
class WorkItem:
    """A place in the queue: an incident with its waiting cases, if any, or a case that stands alone."""

    incident: IncidentRow | None
    cases: tuple[CaseRow, ...]


@dataclass(frozen=True)
class WorkList:
    """What waits for the actor, the most urgent first, and what the alarm budget holds back.

    `used` of `budget` new alarms of the last hour were shown; both are None for whoever has no budget.
    """

    items: tuple[WorkItem, ...]
    total: int
    held: tuple[WorkItem, ...] = ()
    used: int | None = None
    budget: int | None = None
    open_incidents: int = 0


@dataclass(frozen=True)
class AlarmReview:
    """How the alarms of the last seven days went; shares are of person-hours in which anything was shown."""

    days: float
    alarms: int
    incidents: int
    shown: int
    held: int
    held_now: int
    act_shown: int
    person_hours: int
    mean: float
    most: int
    above_acceptable: float
    above_manageable: float
    acceptable: int
    manageable: int
    budget: int


class IncidentDesk(Protocol):
    """Port: incidents as people see them. Raises problems of `kernel.problems`, never anything else."""

    async def list(self, actor: Actor, filters: IncidentFilter) -> IncidentList:
        """Return incidents in a state, the newest first."""
        ...

    async def one(self, actor: Actor, incident_id: str) -> IncidentDetail:
        """Return one incident with what this actor may decide now; raises `NotFound`."""
        ...

    async def decide(self, actor: Actor, incident_id: str, order: IncidentOrder) -> None:
        """Carry out an order, once for each key; raises `Conflict`, `Invalid` or `Forbidden`."""
        ...

    async def worklist(self, actor: Actor, limit: int) -> WorkList:
        """Return what waits for the actor; a duty officer's alarm budget is applied and counted."""
        ...

    async def review(self, actor: Actor) -> AlarmReview:
        """Return how the alarms of the last seven days went."""
        ...


def waiting_level(item: WorkItem) -> Level:
    """Return the level of a place in the queue: the worst of the incident and its cases."""
    order: Sequence[Level] = ("act", "watch", "unknown", "normal")
    levels = [case.level for case in item.cases]
    if item.incident is not None:
        levels.append(item.incident.level)
    return min(levels, key=order.index, default="normal")
