"""What a report says: every number with its definition, its records and its day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import takewhile
from typing import Literal

from chengmai.assess.frameworks.model import Framework
from chengmai.assess.outlook.periods import Step
from chengmai.assess.outlook.trend import Trend
from chengmai.assess.panel.model import Point
from chengmai.kernel.texts import Text

Better = Literal["up", "down"]
Verdict = Literal["better", "worse", "level", "unknown"]
"""Against the median of the peers, or against the time before."""


@dataclass(frozen=True)
class Meaning:
    """What an indicator measures. Without `better` nobody says which way is good, and nothing is judged."""

    id: str
    title: Text
    unit: str
    better: Better | None
    formula: str
    source: str
    trust: str
    unit_en: str | None = None
    """The unit in English where that is not the same."""
    formula_en: str = ""

    def formula_in(self, lang: str) -> str:
        """Return how it is worked out in a language; in Chinese where there is no English."""
        return self.formula if lang.startswith("zh") or not self.formula_en else self.formula_en

    def unit_in(self, lang: str) -> str:
        """Return the unit in the words of a language."""
        return self.unit if lang.startswith("zh") or self.unit_en is None else self.unit_en


@dataclass(frozen=True)
class Subject:
    """A place, or a group of places of one level; `peers` are the places that it is compared with."""

    kind: Literal["place", "group"]
    code: str
    title: Text
    level: str
    members: frozenset[str]
    peers: frozenset[str]
    others: tuple[frozenset[str], ...] = ()
    """The other groups, by their places, where this is a group."""


@dataclass(frozen=True)
class Line:
    """One indicator of the subject.

    `value` is that of the last period: of a group the median over `count` places. `points` are its records
    (of a place; the first is the one that counts), `beside` what other sources say of the same day.
    """

    meaning: Meaning
    step: Step
    periods: tuple[int, ...]
    values: tuple[float, ...]
    counts: tuple[int, ...]
    on: date
    point: Point | None
    beside: tuple[Point, ...]
    median: float | None
    peers: int
    ahead_of: int
    against: Verdict
    course: Verdict
    trend: Trend | None
    peers_since: date | None = None
    """From when on the newest values of the peers count, where that is not the period of `value`."""

    @property
    def is_computed(self) -> bool:
        """Whether the platform worked it out itself, and its past is that of an entity of its own."""
        return self.peers_since is not None

    @property
    def value(self) -> float:
        return self.values[-1]

    @property
    def period(self) -> int:
        return self.periods[-1]

    @property
    def unbroken(self) -> int:
        """How many of the last periods have a value without a gap between them."""
        held = zip(reversed(self.periods), range(self.period, -1, -1), strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], held))

    @property
    def is_gap(self) -> bool:
        """Whether it is on the wrong side of the median of the peers."""
        return self.against == "worse"

    @property
    def is_urgent(self) -> bool:
        """Whether it lags and gets worse."""
        return self.is_gap and self.course == "worse"


@dataclass(frozen=True)
class Suggestion:
    """What would help: a line that lags, what to do, and what reaching the median would give."""

    line: Line
    advice: Text
    nodes: tuple[str, ...]
    gain: Decimal | None


@dataclass(frozen=True)
class Standing:
    """The score in the framework that holds: of a group the median of its places."""

    framework: Framework
    total: Decimal
    known: Decimal | None
    stage: Text | None
    rank: int
    of: int
    median: Decimal | None


@dataclass(frozen=True)
class Promise:
    """A forecast that was kept: made from the values until `based_on`, for the period that ends on `target`."""

    subject: str
    indicator: str
    made_on: date
    based_on: date
    target: date
    step: Step
    value: float
    low: float
    high: float
    covers: float
    model: str
    naive: float
    points: int
    entity_id: str = ""


@dataclass(frozen=True)
class Kept:
    """A promise, and what came: None while nothing has."""

    promise: Promise
    came: float | None = None
    came_on: date | None = None
    record: str = ""

    @property
    def error(self) -> float | None:
        return None if self.came is None else abs(self.came - self.promise.value)

    @property
    def naive_error(self) -> float | None:
        return None if self.came is None else abs(self.came - self.promise.naive)

    @property
    def is_inside(self) -> bool | None:
        """Whether what came lay in the interval."""
        if self.came is None:
            return None
        return self.promise.low <= self.came <= self.promise.high


@dataclass(frozen=True)
class Scores:
    """How good kept forecasts were; of errors relative to those of the last value, below 1 is better."""

    made: int
    scored: int
    inside: int
    promised: float
    beaten: int
    relative: float | None


@dataclass(frozen=True)
class Report:
    """The outlook of a subject on a day."""

    subject: Subject
    on: date
    lines: tuple[Line, ...]
    standing: Standing | None
    suggestions: tuple[Suggestion, ...]
    kept: tuple[Kept, ...] = ()
    scores: Scores | None = None
    sentences: tuple[Text, ...] = field(default=())
    is_example: bool = False
    """Whether it is about made-up values, not about the city's own records."""

    @property
    def gaps(self) -> list[Line]:
        """Return what lags: first what also gets worse, then by how many peers are ahead."""
        lagging = [line for line in self.lines if line.is_gap]
        return sorted(
            lagging, key=lambda one: (not one.is_urgent, -one.ahead_of / one.peers, one.meaning.id)
        )

    @property
    def is_compared(self) -> bool:
        """Whether any indicator has peers that it could be compared with."""
        return any(line.against != "unknown" for line in self.lines)

    def having(
        self, *, against: Verdict | None = None, course: Verdict | None = None
    ) -> list[Line]:
        """Return the lines with these verdicts."""
        return [
            line
            for line in self.lines
            if (against is None or line.against == against)
            and (course is None or line.course == course)
        ]


def scores_of(kept: Sequence[Kept]) -> Scores | None:
    """Return how good kept forecasts were; None where there are none."""
    if not kept:
        return None
    scored = [one for one in kept if one.came is not None]
    ratios = [(one.error or 0.0) / one.naive_error for one in scored if one.naive_error]
    return Scores(
        made=len(kept),
        scored=len(scored),
        inside=sum(bool(one.is_inside) for one in scored),
        promised=sum(one.promise.covers for one in scored) / len(scored) if scored else 0.0,
        beaten=sum((one.error or 0.0) < (one.naive_error or 0.0) for one in scored),
        relative=sorted(ratios)[len(ratios) // 2] if ratios else None,
    )
