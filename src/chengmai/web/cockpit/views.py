"""What a screen shows: frozen values without behaviour.

Instants are aware UTC datetimes; the screens turn them into the city's zone. A name that people read is a
`Text`. `unit` is the symbol (`km/h`), not the Rec 20 code. Coordinates are (longitude, latitude) in WGS 84.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from chengmai.kernel.texts import Text
from chengmai.web.cockpit.records import AuditFilter as AuditFilter
from chengmai.web.cockpit.records import AuditLineView as AuditLineView
from chengmai.web.cockpit.records import AuditPage as AuditPage
from chengmai.web.cockpit.records import Session as Session

Level = Literal["normal", "watch", "act", "unknown"]
Light = Literal["green", "yellow", "red"]
"""Deadline light: yellow with 20 % of the limit or less remaining, red when overdue."""
FeedState = Literal["waiting", "live", "late", "silent", "finished", "failed", "off"]
Truth = Literal["live", "replayed", "simulated"]
Trust = Literal["S", "M", "C", "D"]
Position = tuple[float, float]


@dataclass(frozen=True)
class CityBanner:
    """The city as every page names it. `rate` is city seconds in a real second (1 in a real city)."""

    city: Text
    zone: str
    now: datetime
    truth: Truth = "live"
    rate: float = 1.0


@dataclass(frozen=True)
class BaseMap:
    """GeoJSON features with `properties`: `kind`, `name:zh`, `name:en`.

    Kinds: district, park, water, river, road, rail. `approval` (审图号) is printed beside the attribution.
    """

    features: tuple[dict[str, Any], ...] = ()
    attribution: Text | None = None
    approval: str | None = None


@dataclass(frozen=True)
class Point:
    """One value of a series; None is a gap that was observed to be one."""

    at: datetime
    value: float | None


@dataclass(frozen=True)
class VitalCard:
    """One vital sign of one area now."""

    id: str
    title: Text
    pack: str
    pack_title: Text
    area: str
    level: Level
    value: float | None
    unit: str
    observed_at: datetime | None
    since: datetime | None
    reason: Text
    decimals: int = 1
    expected_low: float | None = None
    expected_high: float | None = None
    recent: tuple[Point, ...] = ()
    position: Position | None = None
    case_id: str | None = None


@dataclass(frozen=True)
class BandView:
    """One threshold. `in_force` says whether it is the one that counts at the present instant."""

    level: Literal["watch", "act"]
    above: float | None
    below: float | None
    source: Text
    trust: Trust
    clear: float | None = None
    grade: Literal["blue", "yellow", "orange", "red"] | None = None
    inclusive: bool = False
    from_date: date | None = None
    until_date: date | None = None
    in_force: bool = True


@dataclass(frozen=True)
class ForecastPoint:
    at: datetime
    median: float
    low: float
    high: float
    naive: float | None = None


@dataclass(frozen=True)
class ForecastView:
    """A look ahead with its proof. `shown` is False when it does not beat the seasonal-naive one.

    `mae` and `naive_mae` in the sign's unit, over the same back-test; `skill` = 1 − mae / naive_mae;
    `coverage` is the share of the back-test inside the interval, `interval` the share promised.
    """

    model: str
    version: str
    origin: datetime
    step: timedelta
    interval: float
    points: tuple[ForecastPoint, ...]
    shown: bool
    because: Text
    mae: float | None = None
    naive_mae: float | None = None
    skill: float | None = None
    coverage: float | None = None
    origins: int | None = None


@dataclass(frozen=True)
class FaultView:
    """What speaks against the sensors of a sign; `case_id` is the case of its data quality."""

    kind: str
    since: datetime
    sentence: Text
    case_id: str | None = None


@dataclass(frozen=True)
class VitalDetail:
    """One vital sign with what it is made of."""

    card: VitalCard
    about: Text
    definition: Text
    sql: str
    step: timedelta
    stale_after: timedelta
    bands: tuple[BandView, ...]
    forecast: ForecastView | None = None
    anomaly: Text | None = None
    fault: FaultView | None = None
    case: CaseRow | None = None
    may_open_case: bool = False
    feeds: tuple[FeedRef, ...] = ()


@dataclass(frozen=True)
class BaselinePoint:
    at: datetime
    low: float
    mid: float
    high: float


@dataclass(frozen=True)
class VitalHistory:
    start: datetime
    end: datetime
    points: tuple[Point, ...]
    baseline: tuple[BaselinePoint, ...] = ()


@dataclass(frozen=True)
class StepChoice:
    """A step the actor may take now. `target` names the receiver, e.g. the unit a case is sent to."""

    step: str
    label: Text
    needs_note: bool = False
    target: Text | None = None


@dataclass(frozen=True)
class StepOrder:
    """A step to take. The same `key` a second time changes nothing; `version` is the one that was seen."""

    step: str
    note: str
    key: str
    version: int


@dataclass(frozen=True)
class CaseRow:
    """A case as a line; `reason` says in a sentence why it exists.

    `due_at` is the deadline of the present stage, `next_step` the step proposed.
    """

    id: str
    number: str
    title: Text
    category: Text
    state: str
    state_label: Text
    kind: Literal["real", "predicted", "person"]
    level: Level
    area: str
    opened_at: datetime
    version: int
    unit: Text | None = None
    due_at: datetime | None = None
    light: Light = "green"
    next_step: StepChoice | None = None
    recovered: bool = False
    closed: bool = False
    vital_id: str | None = None
    sensor_id: str | None = None
    firing_id: str | None = None
    position: Position | None = None
    reason: Text | None = None


@dataclass(frozen=True)
class CaseFilter:
    """`open_only` leaves out closed cases; `needs_person` keeps those that wait for somebody."""

    needs_person: bool = False
    open_only: bool = True
    state: str | None = None
    level: str | None = None
    area: str | None = None
    text: str | None = None
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class CaseList:
    """`total` counts all that the filter leaves; `states` are the ones to filter by."""

    rows: tuple[CaseRow, ...]
    total: int
    states: tuple[tuple[str, Text], ...] = ()


@dataclass(frozen=True)
class EvidenceReading:
    at: datetime
    value: float | None
    unit: str = ""
    note: str = ""


@dataclass(frozen=True)
class CaseDetail:
    """A case with everything that is known about it. `decimals` rounds the readings."""

    row: CaseRow
    reason: Text
    steps: tuple[StepChoice, ...]
    evidence: tuple[EvidenceReading, ...] = ()
    decimals: int = 1
    description: str = ""
    checklist: tuple[Text, ...] = ()
    open_when: Text | None = None
    close_when: Text | None = None
    limit: Text | None = None
    source: Text | None = None
    trust: Trust = "D"


@dataclass(frozen=True)
class LogLine:
    """One line of the append-only log. `automatic` when the platform did it."""

    at: datetime
    label: Text
    by: str
    note: str = ""
    detail: Text | None = None
    automatic: bool = False


@dataclass(frozen=True)
class CategoryChoice:
    id: str
    title: Text
    group: Text | None = None


@dataclass(frozen=True)
class Report:
    """What a person reports. The same `key` a second time gives the same case."""

    category: str
    area: str
    description: str
    key: str
    position: Position | None = None


@dataclass(frozen=True)
class FeedRef:
    id: str
    name: Text
    state: FeedState


@dataclass(frozen=True)
class RejectSample:
    """A refused record. `where` names line or topic, `sample` is its beginning as received."""

    at: datetime
    code: str
    where: str
    detail: str
    sample: str


@dataclass(frozen=True)
class FeedView:
    """A feed's health. `lag_s`: seconds between observation and arrival of the newest reading."""

    id: str
    name: Text
    connector: str
    state: FeedState
    last_seen: datetime | None
    received: int
    accepted: int
    rejected: int
    reject_reasons: tuple[tuple[str, int], ...] = ()
    last_rejects: tuple[RejectSample, ...] = ()
    lag_s: float | None = None
    simulated: bool = False
    note: Text | None = None
    period: timedelta | None = None


@dataclass(frozen=True)
class AbnormalPlace:
    """Something on the map: a vital sign or a case, to be opened by its id."""

    kind: Literal["vital", "case"]
    id: str
    title: Text
    area: str
    level: Level
    position: Position


@dataclass(frozen=True)
class HandoverLine:
    at: datetime
    text: Text
    kind: Literal["vital", "case", "feed"] | None = None
    id: str | None = None


@dataclass(frozen=True)
class Handover:
    """What changed since `since`: counts, and the lines worth telling, newest first."""

    since: datetime
    opened: int
    closed: int
    worsened: int
    recovered: int
    lines: tuple[HandoverLine, ...] = ()


@dataclass(frozen=True)
class SearchHit:
    kind: Literal["vital", "case", "feed"]
    id: str
    title: Text
    detail: str
    level: Level | None = None


@dataclass(frozen=True)
class LiveEvent:
    """News: `id` orders events of one server run, `topic` is vitals, cases, feeds or reload."""

    id: str
    topic: str
    data: dict[str, Any] = field(default_factory=dict)
