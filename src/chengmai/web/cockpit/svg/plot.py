"""What a chart shows and where things lie in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chengmai.web.cockpit.svg.scale import Scale, Span
from chengmai.web.cockpit.views import BaselinePoint, ForecastPoint, Level, Point


@dataclass(frozen=True)
class Threshold:
    """A line to draw: its value, its level and its words."""

    value: float
    level: Level
    label: str


@dataclass(frozen=True)
class MarkLine:
    """Something that happened at `at` (until `until`); `label` is its number in the table beside the chart."""

    at: datetime
    until: datetime | None
    label: str


@dataclass(frozen=True)
class ChartData:
    """What the chart shows between `start` and `end`; `now` divides what was from what may be."""

    start: datetime
    end: datetime
    now: datetime
    points: tuple[Point, ...]
    baseline: tuple[BaselinePoint, ...] = ()
    forecast: tuple[ForecastPoint, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    other: tuple[Point, ...] = ()
    """Another period, laid over this one."""
    marks: tuple[MarkLine, ...] = ()
    doubtful_since: datetime | None = None
    """From when on the readings are those of a suspected sensor."""


@dataclass(frozen=True)
class Frame:
    """Width and height of the drawing and the plot's edges inside it, in pixels."""

    width: int
    height: int
    left: int = 52
    right: int = 12
    top: int = 14
    bottom: int = 30

    @property
    def x_end(self) -> int:
        return self.width - self.right

    @property
    def y_end(self) -> int:
        return self.height - self.bottom


WIDE = Frame(1140, 320)
NARROW = Frame(350, 260, left=42, right=6)


@dataclass(frozen=True)
class Plot:
    """Both scales of one drawing."""

    frame: Frame
    data: ChartData
    values: Span
    y: Scale

    def x(self, at: datetime) -> float:
        """Return the horizontal position of an instant."""
        share = (at - self.data.start) / (self.data.end - self.data.start)
        return self.frame.left + share * (self.frame.x_end - self.frame.left)


def value_span(data: ChartData) -> Span:
    """Return the range of values to draw.

    A threshold joins when it lies within one data range of the data; a far one would flatten the line.
    """
    values = [p.value for p in data.points if p.value is not None]
    values += [p.value for p in data.other if p.value is not None]
    values += [bound for p in data.baseline for bound in (p.low, p.high)]
    values += [bound for p in data.forecast for bound in (p.low, p.high)]
    if not values:
        values = [t.value for t in data.thresholds] or [0.0, 1.0]
    core = Span(min(values), max(values))
    reach = core.length or abs(core.low) or 1.0
    wide = Span(core.low - reach, core.high + reach)
    values += [t.value for t in data.thresholds if wide.holds(t.value)]
    return Span(min(values), max(values)).padded(0.06)
