"""What a domain pack may say. Every file of a pack is one of these models; unknown keys are refused."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from chengmai.kernel.texts import Text
from chengmai.packs.chains import ChainLink, ChainSpec, Folding
from chengmai.packs.feeds import AnyFeed, FeedSpec, HttpFeed, MqttFeed, ReplayFeed, SimulateFeed
from chengmai.packs.forms import Duration, Slug, Spec
from chengmai.packs.pools import ExpectedMove, ExpectedPool, MoveSpec, PoolSpec, RouteSpec
from chengmai.packs.rules import ExpectedFiring, RuleSpec

Level = Literal["watch", "act"]
Grade = Literal["blue", "yellow", "orange", "red"]
"""The four colours of Chinese warnings, from the least to the most severe."""
Trust = Literal["S", "M", "C", "D"]
"""S standard seen · M from memory · C a city's choice · D our own design. M and C show as 待核验."""


__all__ = [
    "AnyFeed",
    "AttributeSpec",
    "Band",
    "CaseCategory",
    "CasesSpec",
    "ChainLink",
    "ChainSpec",
    "Duration",
    "EntitySpec",
    "Expectation",
    "ExpectedCase",
    "ExpectedFiring",
    "ExpectedMove",
    "ExpectedPool",
    "ExpectedVital",
    "FeedSpec",
    "Folding",
    "GivenReading",
    "Grade",
    "HttpFeed",
    "Level",
    "Limit",
    "MoveSpec",
    "MqttFeed",
    "Opens",
    "Pack",
    "PackInfo",
    "PoolSpec",
    "ReplayFeed",
    "ResponsibleUnit",
    "RouteSpec",
    "RuleSpec",
    "SimulateFeed",
    "Slug",
    "Spec",
    "TableColumn",
    "TableRow",
    "TableSpec",
    "Trust",
    "VitalSpec",
]


class AttributeSpec(Spec):
    """One attribute of an entity type: its kind, unit and plausible range (in that unit)."""

    title: Text
    kind: Literal["Property", "Relationship", "GeoProperty", "LanguageProperty"] = "Property"
    value: Literal["number", "text", "boolean"] = "number"
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    column: Slug | None = None
    """Name of the column in the SQL view: of numbers, and of texts that are `static`. Left out: the attribute's
    name in snake case."""
    static: bool = False
    """Known from the first reading on and not a time series (a capacity, a road class)."""


class EntitySpec(Spec):
    """entities/*.toml: an entity type and the SQL view over its history."""

    type: str
    title: Text
    view: Slug
    area_from: str = "areaServed"
    attributes: dict[str, AttributeSpec]


class Band(Spec):
    """One threshold: beyond it the sign is at `level`. Chosen by observation time.

    `from` and `until` are days of the city, first and last included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    level: Level
    grade: Grade | None = None
    """The colour of a warning where the source has four; it is told, and `level` is what counts."""
    above: float | None = None
    below: float | None = None
    inclusive: bool = False
    """Whether a value on the threshold is beyond it: a standard that says "reaches 50"."""
    clear: float | None = None
    """Hysteresis: the level ends only on the good side of this value. Left out: the threshold itself."""
    from_: date | None = Field(default=None, alias="from")
    until: date | None = None
    source: Text
    trust: Trust

    @model_validator(mode="after")
    def _one_side(self) -> Band:
        if (self.above is None) == (self.below is None):
            raise ValueError("give exactly one of 'above' and 'below'")
        bound = self.above if self.above is not None else self.below
        if self.clear is not None and bound is not None:
            good_side = self.clear <= bound if self.above is not None else self.clear >= bound
            if not good_side:
                raise ValueError("'clear' must lie on the good side of the threshold")
        return self


class TableColumn(Spec):
    """A column of a table: what it is, and its unit."""

    title: Text
    unit: str


class TableRow(Spec):
    """What holds for `name` from `from` to `until` (days of the city, both included)."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: str
    from_: date | None = Field(default=None, alias="from")
    until: date | None = None
    values: dict[Slug, float]
    """A value for every column of the table."""
    source: Text | None = None
    """Left out: the source of the table."""
    trust: Trust | None = None
    """Left out: the trust of the table."""


class TableSpec(Spec):
    """tables/*.toml: values of a standard by name and day, which a query joins like a view."""

    id: Slug
    title: Text
    columns: dict[Slug, TableColumn] = Field(min_length=1)
    source: Text
    trust: Trust
    rows: tuple[TableRow, ...] = Field(min_length=1)


class Opens(Spec):
    """What a crossing opens: a case of `category` when the sign reaches `at`, real or predicted."""

    category: Slug
    at: Level = "act"
    predicted: bool = False


class VitalSpec(Spec):
    """vitals/*.toml: one vital sign. `sql` gives (area, tick, value); see `docs/build/vitals.md`."""

    id: Slug
    title: Text
    unit: str
    decimals: int = 1
    sql: str
    step: Duration
    lookback: Duration = timedelta(0)
    season: Duration = timedelta(days=7)
    stale_after: Duration
    raise_after: int = Field(default=1, ge=1)
    clear_after: int = Field(default=1, ge=1)
    bands: tuple[Band, ...]
    opens: Opens | None = None
    about: Text
    definition: Text
    one_field: bool = False
    """Whether all areas see nearly the same (air temperature, grid frequency): then a value far from all others
    is its sensor's."""


class Limit(Spec):
    """A time limit in one of the four units of the trade (domain facts 2.5)."""

    amount: float = Field(gt=0)
    unit: Literal["urgent_hour", "natural_day", "work_hour", "work_day"]


class CaseCategory(Spec):
    """cases/*.toml, [[categories]]: who handles what, by when, and when it is done."""

    id: Slug
    title: Text
    responsible: Slug
    handle_within: Limit
    open_when: Text
    close_when: Text
    checklist: tuple[Text, ...] = ()
    source: Text
    trust: Trust


class ResponsibleUnit(Spec):
    """cases/*.toml, [[units]]: a unit that handles cases; `areas` empty means everywhere."""

    id: Slug
    title: Text
    areas: tuple[str, ...] = ()


class CasesSpec(Spec):
    """cases/*.toml as a whole."""

    units: tuple[ResponsibleUnit, ...] = ()
    categories: tuple[CaseCategory, ...] = ()


class GivenReading(Spec):
    """expect/*.toml, [[given]]: readings of one thing, or a file of them.

    `values` are in the declared units; `repeat` readings are given, `every` apart, the first at `at`.
    With `sample` the readings stand in a file of the pack, one JSON object of this form a line.
    """

    sample: str | None = None
    entity: str = ""
    id: str = ""
    area: str = ""
    at: AwareDatetime | None = None
    values: dict[str, float | str | bool] = Field(default_factory=dict)
    repeat: int = Field(default=1, ge=1, le=10_000)
    every: Duration = timedelta(hours=1)

    @model_validator(mode="after")
    def _whole(self) -> GivenReading:
        if self.sample is None and not (self.entity and self.id and self.area and self.at):
            raise ValueError("give 'entity', 'id', 'area', 'at' and 'values', or 'sample'")
        return self


class ExpectedVital(Spec):
    """expect/*.toml, [[vitals]]: at tick `at` the sign has this value (None: none) and level."""

    sign: Slug
    area: str
    at: AwareDatetime
    level: Literal["normal", "watch", "act", "unknown"]
    value: float | None = None
    tolerance: float = Field(default=0.01, ge=0)


class ExpectedCase(Spec):
    """expect/*.toml, [[cases]]: so many cases of a category are open in an area at the end."""

    category: Slug
    area: str
    count: int = Field(default=1, ge=0)


class Expectation(Spec):
    """expect/*.toml: given these readings, these vitals, cases, pools and firings of rules."""

    title: Text
    given: tuple[GivenReading, ...] = Field(min_length=1)
    vitals: tuple[ExpectedVital, ...] = ()
    cases: tuple[ExpectedCase, ...] = ()
    rules: tuple[ExpectedFiring, ...] = ()
    pools: tuple[ExpectedPool, ...] = ()


class PackInfo(Spec):
    """pack.toml."""

    id: Slug
    version: str
    title: Text
    about: Text
    owner: str
    licence: str
    standards: tuple[str, ...] = ()
    folding: Folding = Folding()


class Pack(Spec):
    """One domain pack, read and checked for form."""

    info: PackInfo
    folder: Path
    entities: tuple[EntitySpec, ...] = ()
    tables: tuple[TableSpec, ...] = ()
    feeds: tuple[AnyFeed, ...] = ()
    vitals: tuple[VitalSpec, ...] = ()
    pools: tuple[PoolSpec, ...] = ()
    cases: CasesSpec = CasesSpec()
    chains: tuple[ChainSpec, ...] = ()
    rules: tuple[RuleSpec, ...] = ()
    expectations: tuple[Expectation, ...] = ()

    @property
    def alarms(self) -> frozenset[str]:
        """The ids of what can give an alarm: vital signs and rules."""
        return frozenset((*(one.id for one in self.vitals), *(one.id for one in self.rules)))
