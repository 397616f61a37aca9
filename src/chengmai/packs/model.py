"""What a domain pack may say. Every file of a pack is one of these models; unknown keys are refused."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from chengmai.kernel.instants import parse_duration
from chengmai.kernel.texts import Text

Duration = Annotated[
    timedelta, BeforeValidator(lambda v: parse_duration(v) if isinstance(v, str) else v)
]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
Level = Literal["watch", "act"]
Trust = Literal["S", "M", "C", "D"]
"""S standard seen · M from memory · C a city's choice · D our own design. M and C show as 待核验."""


class Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AttributeSpec(Spec):
    """One attribute of an entity type: its kind, unit and plausible range (in that unit)."""

    title: Text
    kind: Literal["Property", "Relationship", "GeoProperty", "LanguageProperty"] = "Property"
    value: Literal["number", "text", "boolean"] = "number"
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    column: Slug | None = None
    """Name of the column in the SQL view; numbers only. Left out: the attribute's name in snake case."""
    static: bool = False
    """Known from the first reading on and not a time series (a capacity, a road class)."""


class EntitySpec(Spec):
    """entities/*.toml: an entity type and the SQL view over its history."""

    type: str
    title: Text
    view: Slug
    area_from: str = "areaServed"
    attributes: dict[str, AttributeSpec]


class FeedSpec(Spec):
    """feeds/*.toml: where readings come from. `source`, `map` … are read by the connector named."""

    id: Slug
    title: Text
    connector: Literal["replay", "simulate", "mqtt", "http"]
    entity: str
    period: Duration
    """How often a reading is due; silence of three periods makes the feed late, of ten silent."""
    source: dict[str, Any] = {}
    time: dict[str, Any] = {}
    map: dict[str, Any] = {}
    note: Text | None = None
    licence: str | None = None


class Band(Spec):
    """One threshold: beyond it the sign is at `level`. Chosen by observation time (`from_`, `until`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    level: Level
    above: float | None = None
    below: float | None = None
    clear: float | None = None
    """Hysteresis: the level ends only on the good side of this value. Left out: the threshold itself."""
    from_: date | None = Field(default=None, alias="from")
    until: date | None = None
    source: str
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
    source: str
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


class Expectation(Spec):
    """expect/*.toml: given these readings, these vitals and cases."""

    title: Text
    given: tuple[dict[str, Any], ...]
    vitals: tuple[dict[str, Any], ...] = ()
    cases: tuple[dict[str, Any], ...] = ()


class PackInfo(Spec):
    """pack.toml."""

    id: Slug
    version: str
    title: Text
    about: Text
    owner: str
    licence: str
    standards: tuple[str, ...] = ()


class Pack(Spec):
    """One domain pack, read and checked for form."""

    info: PackInfo
    folder: Path
    entities: tuple[EntitySpec, ...] = ()
    feeds: tuple[FeedSpec, ...] = ()
    vitals: tuple[VitalSpec, ...] = ()
    cases: CasesSpec = CasesSpec()
    expectations: tuple[Expectation, ...] = ()
