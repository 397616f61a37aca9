"""How an indicator is worked out here, and what came of it. Definitions are data (`data/live.toml`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from chengmai.assess.catalogue import Indicator
from chengmai.kernel.texts import Text
from chengmai.packs.forms import Duration, Spec

Grade = Literal["A", "B", "C", "D"]
State = Literal["computed", "no_data", "not_held"]
"""Computed; could be, but a part of it is missing; the platform holds no such data."""
Period = Literal["now", "P1D", "P7D", "P30D", "year"]
DAYS: Mapping[str, int] = {"P1D": 1, "P7D": 7, "P30D": 30}


class Amount(Spec):
    """A number over the newest state of entities: how many of `type` match `q`, or the sum of attributes.

    `live` counts only entities whose attribute of that name was observed within `fresh` of the definition.
    """

    type: str = ""
    """Left out: the type of the definition."""
    q: str | None = None
    but: str | None = None
    """Entities that match this do not count."""
    sum: tuple[str, ...] = ()
    """Attributes to sum; one with `-` before it is taken off."""
    live: str | None = None


class _Definition(Spec):
    how: Text
    """How it is worked out here, in words."""
    approximates: Text | None = None
    """In which respect that is not what the source of the indicator says."""
    scale: float = 1
    fresh: Duration = timedelta(days=1)
    """How old the newest reading of an entity may be for it to count as up to date."""

    @property
    def period(self) -> Period:
        return "now"


class OfSign(_Definition):
    """A vital sign as it is now: mean or sum over its areas, or the share of areas at most at a value."""

    kind: Literal["sign"]
    pack: str
    sign: str
    take: Literal["mean", "sum"] = "mean"
    at_most: float | None = None


class OfReadings(_Definition):
    """Recorded readings of a period: a query, or sums of two columns of a view where both were read.

    The query gives area, tick (a day of the city), numerator and denominator.
    """

    kind: Literal["readings"]
    since: Period
    sql: str = ""
    view: str = ""
    numerator: str = ""
    denominator: str = ""
    denominator_is: Literal["sum", "latest"] = "sum"
    """`latest`: something that is there (customers), not something that happens."""

    @property
    def period(self) -> Period:
        return self.since

    @property
    def query(self) -> str:
        """The query that is run."""
        if self.sql:
            return self.sql
        up, down = self.numerator, self.denominator
        return (
            f"SELECT area, tick, sum({up}) AS numerator, sum({down}) AS denominator FROM {self.view}"
            f" WHERE {up} IS NOT NULL AND {down} IS NOT NULL GROUP BY area, tick"
        )

    @model_validator(mode="after")
    def _one_way(self) -> OfReadings:
        if bool(self.sql) == bool(self.view and self.numerator and self.denominator):
            raise ValueError("give either 'sql', or 'view', 'numerator' and 'denominator'")
        return self


class OfEntities(_Definition):
    """Two amounts over the newest state of entities."""

    kind: Literal["entities"]
    type: str
    numerator: Amount
    denominator: Amount


class Part(Spec):
    """One of the parts of a score: a share of 0 … 1."""

    title: Text
    numerator: Amount
    denominator: Amount


class OfParts(_Definition):
    """The mean of several shares of entities, each of the same weight."""

    kind: Literal["parts"]
    parts: Annotated[tuple[Part, ...], Field(min_length=1)]


class OfCases(_Definition):
    """Cases of the past 30 days: those for which a named condition holds (`cases.CONDITIONS`)."""

    kind: Literal["cases"]
    numerator: str
    denominator: str = ""
    people: Amount | None = None
    """What the numerator is divided by in place of cases."""
    pack: str | None = None
    """Only cases whose category is of this pack."""

    @property
    def period(self) -> Period:
        return "P30D"


class OfRegistry(_Definition):
    """Records of the registry: a named measure (`registry.MEASURES`)."""

    kind: Literal["registry"]
    measure: str


class OfChain(_Definition):
    """Lines of the audit chain that hold, of all lines."""

    kind: Literal["chain"]


class OfOutages(_Definition):
    """The reliability of supply from the mean time without it, which is another indicator."""

    kind: Literal["reliability"]
    of: str

    @property
    def period(self) -> Period:
        return "year"


Definition = Annotated[
    OfSign | OfReadings | OfEntities | OfParts | OfCases | OfRegistry | OfChain | OfOutages,
    Field(discriminator="kind"),
]


@dataclass(frozen=True)
class Measured:
    """What a calculation found. `denominator` is None where the value is the numerator itself.

    `known` are the entities that should have contributed, of which `entities` did; `fresh` of those are up to
    date. `since` is the oldest of what was used where a period was asked for. `links` name lists of what
    cannot be named one by one.
    """

    numerator: float
    denominator: float | None
    entities: Sequence[str] = ()
    known: int = 0
    fresh: int = 0
    since_us: int | None = None
    areas: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    days: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """Numerator and denominator of each day, by its start in µs, where the parts of a period add up."""
    parts: Sequence[tuple[Text, float]] = ()
    links: Sequence[str] = ()


@dataclass(frozen=True)
class Quality:
    """How good the data behind a value are: shares of 0 … 1, and the grade that the least of them gives."""

    complete: float
    fresh: float
    covered: float
    grade: Grade


@dataclass(frozen=True)
class Live:
    """An indicator with what the platform says of it. `because` says why there is no value."""

    indicator: Indicator
    state: State
    computed_at: str
    how: Text | None = None
    approximates: Text | None = None
    because: Text | None = None
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    period: tuple[str, str] | None = None
    """From when until when, in UTC; None for a state of the moment."""
    quality: Quality | None = None
    entity_count: int = 0
    entities: tuple[str, ...] = ()
    """The first of them; `links` list all."""
    links: tuple[str, ...] = ()
    areas: tuple[tuple[str, float], ...] = ()
    days: tuple[tuple[date, float], ...] = ()
    parts: tuple[tuple[Text, float], ...] = ()

    @property
    def is_computed(self) -> bool:
        return self.state == "computed"
