"""What a case is: its states, its steps, one record, one line of its log, and how people see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from chengmai.cases.working_time import Urgency
from chengmai.kernel.texts import Text
from chengmai.packs.model import CaseCategory, Limit

T = TypeVar("T")
Kind = Literal["real", "predicted", "person"]
"""What a case came from: a crossing, an expected crossing, or a person's report."""


class State(StrEnum):
    """Where a case stands (the outer stages of GB/T 30428; domain facts 2.4)."""

    REPORTED = "reported"
    OPENED = "opened"
    DISPATCHED = "dispatched"
    HANDLED = "handled"
    CLOSED = "closed"
    REJECTED = "rejected"


ENDED = frozenset({State.CLOSED, State.REJECTED})
LIVE = tuple(state for state in State if state not in ENDED)


@dataclass(frozen=True)
class CaseLoad:
    """How much work there is: cases now, and what was done since an instant.

    `overdue` are live cases past the deadline of their stage that nobody has handled; `in_time` are those of
    `handled` whose handling ended by its deadline. `days` is how much of that time there were cases on record,
    at least one: a mean day of a city that began yesterday is not a thirtieth of a month.
    """

    live: int
    overdue: int
    opened: int
    handled: int
    in_time: int
    days: float


class Step(StrEnum):
    """What is done to a case. The last five say something about it and do not move it."""

    REPORT = "report"
    OPEN = "open"
    REJECT = "reject"
    DISPATCH = "dispatch"
    RETURN = "return"
    HANDLE = "handle"
    VERIFY_PASS = "verify_pass"  # noqa: S105 - a step, not a secret
    VERIFY_FAIL = "verify_fail"
    REOPEN = "reopen"
    COMMENT = "comment"
    ESCALATE = "escalate"
    RECOVERED = "recovered"
    PREDICTED_BECAME_REAL = "predicted_became_real"
    CROSSED_AGAIN = "crossed_again"


class Case(BaseModel):
    """One case as it stands. `version` is the number of its last log line.

    `handle_within` is fixed when the case begins: a later change of the pack does not move a running
    deadline. `due_at` is the deadline of the present stage, None once the case has ended; `due_certain` is
    False when it rests on holidays that are not announced yet.
    """

    model_config = ConfigDict(frozen=True)

    tenant: str
    id: str
    number: str
    title: Text
    description: str = ""
    reason: Text | None = None
    """What the vital sign said last; None for a case that no vital sign is behind."""
    category: str
    state: State
    kind: Kind
    level: str
    vital: str | None = None
    sensor: str | None = None
    """The vital sign whose sensor is suspected: a case of data quality, beside which the sign may have
    its own."""
    rule: str | None = None
    """The rule that opened it, `firing` the last one of its firings on `about`, an entity."""
    firing: str | None = None
    about: str | None = None
    area: str = ""
    location: dict[str, Any] | None = None
    unit: str
    unit_title: Text
    handle_within: Limit
    reported_at: datetime
    opened_at: datetime | None = None
    stage_since: datetime
    due_at: datetime | None = None
    due_certain: bool = True
    ended_at: datetime | None = None
    recovered: bool = False
    rework: int = 0
    evidence: tuple[dict[str, Any], ...] = ()
    version: int = 0

    @property
    def cause(self) -> str | None:
        """Return what a case is about, of which it has one that lives at most; None for a person's report."""
        return self.vital or (cause_of(self.rule, self.about) if self.rule and self.about else None)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is due on it."""
        return self.state in ENDED


def cause_of(rule: str, about: str) -> str:
    """Return what all firings of a rule on an entity have in common."""
    return f"{rule} {about}"


class LogLine(BaseModel):
    """One line of the log, never changed. `n` counts from 1; `from_state` is None on the first line.

    `facts` keep what was known at that moment, among them `due_at` and `late` of the stage that ended.
    """

    model_config = ConfigDict(frozen=True)

    tenant: str
    case_id: str
    n: int
    at: datetime
    by_id: str
    by_name: str
    by_role: str
    step: Step
    from_state: State | None
    to_state: State
    note: str = ""
    facts: dict[str, Any] = {}
    key: str | None = None


@dataclass(frozen=True)
class CaseView:
    """A case with its deadline as it looks at `at`; overdue is computed, never stored."""

    case: Case
    at: datetime
    urgency: Urgency
    remaining: timedelta | None
    """What is left in the time of the stage's limit (work hours for a work limit); negative when late."""

    @property
    def is_overdue(self) -> bool:
        return self.urgency is Urgency.RED


@dataclass(frozen=True)
class SeenVital:
    """A vital sign as a person saw it who opens a case about it; `evidence` are its latest readings."""

    vital: str
    title: Text
    category: str | None
    area: str
    level: str
    reason: Text
    location: dict[str, Any] | None = None
    evidence: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list: `total` counts all of it."""

    items: list[T]
    total: int
    limit: int
    offset: int


UNSORTED = CaseCategory(
    id="unsorted",
    title=Text(zh="待分类", en="Unsorted"),
    responsible="duty",
    handle_within=Limit(amount=1, unit="natural_day"),
    open_when=Text(
        zh="体征所指的类别不在任何已装的包里",
        en="The category that the vital sign names is in no pack that is loaded",
    ),
    close_when=Text(zh="值班人员已确认处置", en="The duty officer has confirmed what was done"),
    source=Text(
        zh="本项目设计：缺少类别的越限也必须有人处理",
        en="own design: a crossing whose category is missing must still reach a person",
    ),
    trust="D",
)

SENSOR_FAULT = CaseCategory(
    id="sensor_fault",
    title=Text(zh="数据质量：传感器可疑", en="Data quality: a sensor is suspected"),
    responsible="duty",
    handle_within=Limit(amount=1, unit="work_day"),
    open_when=Text(
        zh="体征的读数卡死、漂移或与邻区不符",
        en="The readings behind a vital sign are stuck, drift, or do not fit the other areas",
    ),
    close_when=Text(
        zh="传感器已检查；读数可信，或已更换、停用",
        en="The sensor was looked at; its readings are trusted, or it was replaced or taken out",
    ),
    checklist=(
        Text(zh="与现场或另一台设备比对", en="Compare with the site or with another device"),
        Text(zh="查供电、通信与标定", en="Look at power, communication and calibration"),
    ),
    source=Text(
        zh="本项目设计：可疑的读数是数据质量问题，不是城市事件",
        en="own design: doubtful readings are a matter of data quality, not an event of the city",
    ),
    trust="D",
)
"""The category of a suspected sensor where no pack has one of that name."""
