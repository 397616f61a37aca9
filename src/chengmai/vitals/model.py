"""What a vital sign is: its definition bound to the model, its state, and what people see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from chengmai.kernel.texts import Text
from chengmai.packs.model import Grade, TableSpec, VitalSpec
from chengmai.vitals.sql import CheckedSql

Level = Literal["normal", "watch", "act", "unknown"]
LEVEL_RANK: dict[Level, int] = {"unknown": -1, "normal": 0, "watch": 1, "act": 2}
LEVEL_WORDS: dict[Level, Text] = {
    "normal": Text(zh="正常", en="normal"),
    "watch": Text(zh="关注", en="watch"),
    "act": Text(zh="处置", en="act"),
    "unknown": Text(zh="未知", en="unknown"),
}
GRADE_WORDS: dict[Grade, Text] = {
    "blue": Text(zh="蓝色", en="blue"),
    "yellow": Text(zh="黄色", en="yellow"),
    "orange": Text(zh="橙色", en="orange"),
    "red": Text(zh="红色", en="red"),
}
Side = Literal["above", "below"]


@dataclass(frozen=True)
class Source:
    """A view that a sign reads: the entity type behind it and the attribute behind each column."""

    view: str
    entity_type: str
    area_from: str
    columns: Mapping[str, str]
    """Column to attribute IRI, time series."""
    constants: Mapping[str, str]
    """Column to attribute IRI, attributes that do not change."""
    texts: frozenset[str] = frozenset()
    """Those of `constants` that hold texts."""


@dataclass(frozen=True)
class Sign:
    """A vital sign of a pack, its query checked and bound to the model."""

    pack: str
    spec: VitalSpec
    checked: CheckedSql
    sources: tuple[Source, ...]
    tables: tuple[TableSpec, ...] = ()

    @property
    def key(self) -> str:
        """`pack/sign`, unique in a city."""
        return f"{self.pack}/{self.spec.id}"


@dataclass(frozen=True)
class Standing:
    """The level after some tick, with the counts of the debounce.

    `rising` counts consecutive ticks beyond a threshold that have not raised the level yet, `falling` those
    on the good side that have not cleared it; `fall_to` is the worst level seen while falling.
    """

    level: Level
    since_us: int | None = None
    side: Side | None = None
    rising: int = 0
    falling: int = 0
    fall_to: Level = "normal"


@dataclass(frozen=True)
class Prediction:
    """Whether a predicted crossing would be news: told once, armed again after it stayed away."""

    armed: bool = True
    misses: int = 0


@dataclass(frozen=True)
class State:
    """Everything the evaluation remembers of one sign in one area.

    The last ticks stay open in `trail`: a reading that comes late or is corrected replaces its tick and the
    level is worked out again from `base`, so the same readings give the same level in whatever order
    they came. Ticks before `floor_us` are closed. `told` is the level last announced.
    """

    base: Standing = Standing("unknown")
    trail: tuple[tuple[int, float], ...] = ()
    floor_us: int | None = None
    told: Level = "unknown"
    known: Level | None = None
    """The level last announced that was not unknown."""
    prediction: Prediction = Prediction()


@dataclass(frozen=True)
class Crossing:
    """The level went from `previous` to `level`."""

    previous: Level
    level: Level


@dataclass(frozen=True)
class Failure:
    """A sign that could not be evaluated, and why."""

    sign: str
    detail: str


@dataclass(frozen=True)
class Quality:
    """How well a sign can be looked ahead from in an area: its forecast with the back-test behind it."""

    sign: str
    area: str
    forecast: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a pass over one sign wrote, and how many crossings it told."""

    changed: tuple[str, ...] = ()
    crossings: int = 0


@dataclass(frozen=True)
class TickReport:
    """What one pass over the signs did. `changed` holds the ids of the vital signs that were written."""

    evaluated: int = 0
    changed: tuple[str, ...] = ()
    crossings: int = 0
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class BandView:
    """A threshold as people see it; `in_force` on the day of the reading."""

    level: Level
    grade: Grade | None
    above: float | None
    below: float | None
    inclusive: bool
    clear: float | None
    from_on: str | None
    until_on: str | None
    source: Text
    trust: str
    verified: bool
    in_force: bool


@dataclass(frozen=True)
class VitalView:
    """A vital sign as people see it. Instants are ISO texts; `stale` means there is no live reading."""

    id: str
    pack: str
    sign: str
    title: Text
    about: Text
    definition: Text
    area: str
    value: float | None
    unit: str
    unit_code: str
    decimals: int
    level: Level
    since: str | None
    at: str | None
    stale: bool
    reason: Text
    step_s: int
    location: dict[str, Any] | None = None
    baseline: dict[str, Any] | None = None
    anomaly: dict[str, Any] | None = None
    fault: dict[str, Any] | None = None
    """What speaks against the sensors, with `kind` (None: nothing), `since` and `sentence`."""
    bands: tuple[BandView, ...] = field(default=())
    forecast: dict[str, Any] | None = None
    expected_level: Level | None = None
    expected_at: str | None = None
