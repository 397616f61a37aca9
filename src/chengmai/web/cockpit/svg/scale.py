"""Scales and ticks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

Scale = Callable[[float], float]

_STEPS = (
    *(timedelta(minutes=minutes) for minutes in (15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 3, 6, 12)),
    *(timedelta(days=days) for days in (1, 2, 7, 14, 28)),
)


@dataclass(frozen=True)
class Span:
    """A closed range of numbers."""

    low: float
    high: float

    @property
    def length(self) -> float:
        return self.high - self.low

    def holds(self, value: float) -> bool:
        """Return whether `value` lies within, ends included."""
        return self.low <= value <= self.high

    def padded(self, share: float) -> Span:
        """Return the span widened by `share` of its length on each side; a point becomes a span."""
        pad = self.length * share or abs(self.low) * 0.1 or 1.0
        return Span(self.low - pad, self.high + pad)


def linear(of: Span, start: float, end: float) -> Scale:
    """Return the function that maps `of` onto `start … end`."""
    factor = (end - start) / of.length if of.length else 0.0
    return lambda value: start + (value - of.low) * factor


def ticks(span: Span, about: int) -> tuple[list[float], int]:
    """Return round values within `span`, about so many, and how many decimals they need.

    Steps are 1, 2 or 5 times a power of ten.
    """
    if span.length <= 0 or not math.isfinite(span.length):
        return [span.low], 0
    raw = span.length / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999999)
    first = math.ceil(span.low / step - 1e-9)
    last = math.floor(span.high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [index * step for index in range(first, last + 1)], decimals


def time_ticks(
    start: datetime, end: datetime, zone: ZoneInfo, at_most: int
) -> tuple[list[datetime], timedelta]:
    """Return round local instants within the range, at most so many, and the step between them.

    Hours are counted from local midnight, so that ticks stay on round hours across a clock change.
    """
    step = next((s for s in _STEPS if (end - start) / s <= at_most), _STEPS[-1])
    day = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[datetime] = []
    if step >= timedelta(days=1):
        while day <= end:
            if day >= start:
                found.append(day)
            day += step  # wall-clock arithmetic: an aware local datetime keeps its hour
        return found, step
    while day <= end:
        found += [
            at for n in range(timedelta(days=1) // step) if start <= (at := day + step * n) <= end
        ]
        day += timedelta(days=1)
    return found, step
