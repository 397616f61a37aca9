"""What is known of places and of what they build. Frozen; days are calendar days of the place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from chengmai.assess.reasons import COUNTRY, Said
from chengmai.kernel.texts import Text

Level = Literal[
    "provincial",
    "sub_provincial",
    "prefecture",
    "county",
    "district",
    "town",
    "park",
    "community",
]
LEVELS: tuple[Level, ...] = (
    "provincial",
    "sub_provincial",
    "prefecture",
    "county",
    "district",
    "town",
    "park",
    "community",
)
State = Literal["none", "planned", "building", "operating", "stopped"]
"""Where a programme, or a place with all its programmes, stands on a day."""
STATES: tuple[State, ...] = ("operating", "building", "planned", "stopped", "none")
Domain = Literal[
    "transport", "health", "government", "environment", "energy", "education", "community", "safety",
    "economy", "other",
]  # fmt: skip
Trust = Literal["S", "M", "C", "D"]


def _none_of_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


CODE = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,31}$"
Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=CODE)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
OptionalLine = Annotated[Line | None, BeforeValidator(_none_of_blank)]
OptionalDay = Annotated[date | None, BeforeValidator(_none_of_blank)]
OptionalCode = Annotated[Code | None, BeforeValidator(_none_of_blank)]
Country = Annotated[str, StringConstraints(strip_whitespace=True, pattern=COUNTRY)]
OptionalCountry = Annotated[Country | None, BeforeValidator(_none_of_blank)]
OptionalNumber = Annotated[
    Annotated[float, Field(allow_inf_nan=False)] | None, BeforeValidator(_none_of_blank)
]


class Record(BaseModel):
    """What all records have: nothing unknown is taken, nothing changes afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Named(Record):
    """What is called something in both languages."""

    zh: Line
    en: Line

    @property
    def title(self) -> Text:
        return Text(zh=self.zh, en=self.en)


class Source(Record):
    """Who says so, and of which day it is."""

    name: Line
    dated: date


class Standing(Record):
    """What a place is from `valid_from` on, until the day before `valid_until`; None is without an end."""

    name: Text
    level: Level
    kind: Line
    parent: OptionalCode = None
    valid_from: OptionalDay = None
    valid_until: OptionalDay = None

    def holds(self, day: date) -> bool:
        """Return whether this was so on `day`."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_until is None or day < self.valid_until)


class Place(Record):
    """A place by its code (GB/T 2260, or what another country uses) with all it ever was."""

    code: Code
    standings: Annotated[tuple[Standing, ...], Field(min_length=1, max_length=50)]
    successor: OptionalCode = None
    """The place that took over when the last standing ended."""
    country: OptionalCountry = None
    """Of a topmost place: its country (ISO 3166-1 alpha-2). What lies below it is of the same country."""

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Self:
        ordered = sorted(self.standings, key=lambda one: one.valid_from or date.min)
        for before, after in pairwise(ordered):
            if before.valid_until is None or before.valid_until > (after.valid_from or date.min):
                day = after.valid_from or after.valid_until
                raise Said(
                    f"{self.code} 在 {day} 同时有两个隶属期；先给前一个填写截止日",
                    f"two standings of {self.code} hold on {day}; give the earlier one an end",
                )
        for one in ordered:
            if one.valid_until and one.valid_from and one.valid_until <= one.valid_from:
                raise Said(
                    f"{self.code} 的截止日不晚于起始日",
                    f"a standing of {self.code} ends before it begins",
                )
        return self

    def on(self, day: date) -> Standing | None:
        """Return what the place was on `day`, or None when there was no such place."""
        return next((one for one in self.standings if one.holds(day)), None)


class _OfPlace(Record):
    id: Code
    place: Code
    title: Line
    source: Line
    source_date: date
    """Of which day the source is."""


class Programme(_OfPlace):
    """What a place sets out to do. It counts as being built from `started_on` until `stopped_on`."""

    scheme: OptionalLine = None
    """The national or provincial programme that it belongs to, for example a pilot."""
    planned_on: OptionalDay = None
    started_on: OptionalDay = None
    operating_on: OptionalDay = None
    stopped_on: OptionalDay = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [self.planned_on, self.started_on, self.operating_on, self.stopped_on]
        given = [day for day in days if day is not None]
        if not given:
            raise Said(
                "计划至少要有规划日或开工日",
                "a programme needs at least the day on which it was planned or started",
            )
        if given != sorted(given):
            raise Said(
                "规划、开工、运行、停止的日期须依次排列",
                "planned, started, operating and stopped must follow each other",
            )
        return self

    def state(self, day: date) -> State:
        """Return where the programme stands on `day`."""
        steps: tuple[tuple[date | None, State], ...] = (
            (self.stopped_on, "stopped"),
            (self.operating_on, "operating"),
            (self.started_on, "building"),
            (self.planned_on, "planned"),
        )
        return next((state for begun, state in steps if begun is not None and begun <= day), "none")


class _OfProgramme(Record):
    id: Code
    programme: Code
    source: Line
    source_date: date


class Plan(_OfProgramme):
    """A plan with its document: number, title or address."""

    title: Line
    document: Line
    adopted_on: date


UNITS: dict[str, Decimal] = {
    "yuan": Decimal(1),
    "10k_yuan": Decimal(10_000),
    "100m_yuan": Decimal(100_000_000),
}
"""Yuan in each unit of money that records come in: 元, 万元, 亿元."""


class Investment(_OfProgramme):
    """An amount of money; `yuan` is the same in every unit, exactly."""

    kind: Literal["planned", "arrived", "spent"]
    amount: Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=6)]
    unit: Literal["yuan", "10k_yuan", "100m_yuan"]
    finance: Literal["public", "enterprise", "bank", "bond", "other"]
    on: date

    @property
    def yuan(self) -> Decimal:
        return self.amount * UNITS[self.unit]


class Project(_OfProgramme):
    """A project of a programme."""

    title: Line
    domain: Domain
    begun_on: date
    finished_on: OptionalDay = None


class Result(_OfProgramme):
    """What changed: baseline and present value with the evidence. Without a baseline nothing is claimed."""

    title: Line
    domain: Domain
    unit: Line
    better: Literal["up", "down"]
    baseline: OptionalNumber = None
    baseline_on: OptionalDay = None
    value: Annotated[float, Field(allow_inf_nan=False)]
    value_on: date
    evidence: Line

    @property
    def verdict(self) -> Literal["better", "worse", "same", "no_baseline"]:
        """Return what may be said of it."""
        if self.baseline is None or self.baseline_on is None:
            return "no_baseline"
        gain = (self.value - self.baseline) * (1 if self.better == "up" else -1)
        return "better" if gain > 0 else "worse" if gain < 0 else "same"


DOUBTS = ("self_selected", "strata_missing", "too_small", "too_wide")
"""What can be said against the result of a survey."""


class IndicatorValue(Record):
    """The value of an indicator at a place on a day, entered with its evidence."""

    id: Code
    place: Code
    indicator: Code
    on: date
    value: Annotated[float, Field(allow_inf_nan=False)]
    numerator: OptionalNumber = None
    denominator: OptionalNumber = None
    sample: Annotated[
        Annotated[int, Field(gt=0, le=2_000_000_000)] | None, BeforeValidator(_none_of_blank)
    ] = None
    """How many people answered, where it is the result of a survey in percent."""
    low: OptionalNumber = None
    high: OptionalNumber = None
    """The 95 % interval of an estimate; with `sample` alone it is that of a share (Wilson)."""
    survey: OptionalCode = None
    doubt: OptionalLine = None
    """Why an estimate is not scored where no framework says otherwise: of `DOUBTS`, with blanks between."""
    evidence: Line
    source: Line
    source_date: date

    @property
    def doubts(self) -> frozenset[str]:
        """Why an estimate is not scored; empty where nothing is said against it."""
        return frozenset((self.doubt or "").split())

    @model_validator(mode="after")
    def _within(self) -> Self:
        if unknown := self.doubts - set(DOUBTS):
            raise Said(
                f"{sorted(unknown)[0]} 不是疑点，可用：{'、'.join(DOUBTS)}",
                f"{sorted(unknown)[0]} is no doubt of: {', '.join(DOUBTS)}",
            )
        if (self.low is None) != (self.high is None):
            raise Said("区间要么有两端，要么都不填", "an interval has both ends or none")
        low, high = self.low, self.high
        if low is not None and high is not None and not low <= self.value <= high:
            raise Said("数值在区间之外", "the value lies outside its interval")
        return self


class CheckResult(Record):
    """What a security check found at a place on a day. What was not looked at has no result."""

    id: Code
    place: Code
    check: Code
    on: date
    outcome: Literal["pass", "fail", "not_applicable"]
    evidence: Line
    source: Line
    source_date: date


class ReportedFigure(Record):
    """A number that somebody published. It is shown as it was said, and never mixed with a computed one."""

    id: Code
    topic: Code
    """Figures of one topic are shown beside each other."""
    title_zh: Line
    title_en: Line
    definition_zh: Line
    definition_en: Line
    value: OptionalNumber = None
    items: OptionalLine = None
    """Codes of places, separated by blanks, where the figure is a set of places."""
    unit: Literal["places", "%", "yuan", "set"]
    is_at_least: bool = False
    numerator: OptionalNumber = None
    denominator: OptionalNumber = None
    on: date
    source: Line
    source_date: date

    @model_validator(mode="after")
    def _something(self) -> Self:
        if (self.items is None) == (self.value is None):
            raise Said("数值与地方集合二者填一", "a figure has either a value or items")
        return self
