"""What a series does at this hour, and what its last values add to that: one step ahead, step by step."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

_DAY_RATE = 0.1
_WEEK_RATE = 0.15
"""Weight of a new value in the profile of its hour, and of its hour of the week beside it."""
_FORGET = 0.9995
_PRIOR = 100.0
_CLIP = 4.0
_SETTLED = 50
_FRESH = (_PRIOR, 0.0, 0.0, _PRIOR, 0.0, _PRIOR)
"""The gains at the beginning: the upper half of a symmetric matrix, row by row."""


class Expected(NamedTuple):
    """What was expected of a value, and how far it lies from that.

    `usual` is what the season led to expect; `residual` the distance from it in mean absolute residuals;
    `surprise` what the last values left unexplained, in the unit of the series, and `surprise_scale` its
    usual size.
    """

    usual: float
    residual: float
    surprise: float
    surprise_scale: float


@dataclass
class Season:
    """A profile by phase of the day and of the whole season, and an autoregression of what it leaves.

    The profile is an exponential mean with Huber's clipping, so that an incident does not become the profile of
    its hour. The autoregression (lags one, two and a day) is recursive least squares with forgetting (Haykin,
    "Adaptive Filter Theory", ch. 9).
    """

    day: int
    season: int
    index: int = 0
    known: int = 0
    scale: float = 0.0
    surprise_scale: float = 0.0
    days: dict[int, float] = field(default_factory=dict)
    weeks: dict[int, float] = field(default_factory=dict)
    hours: dict[int, float] = field(default_factory=dict)
    lags: deque[float] = field(default_factory=deque)
    weights: tuple[float, float, float] = (0.5, 0.0, 0.0)
    gains: tuple[float, float, float, float, float, float] = _FRESH

    def usual(self) -> float | None:
        """Return what the next step usually brings; None when this hour was never seen."""
        base = self.days.get(self.index % self.day)
        return None if base is None else base + self.weeks.get(self.index % self.season, 0.0)

    def of(self, value: float) -> Expected | None:
        """Return what was expected of the next value; None when its hour was never seen."""
        usual = self.usual()
        if usual is None:
            return None
        residual = value - usual
        surprise = residual - self._foretold()
        hour = self.hours.get(self.index % self.day)
        scale = self.surprise_scale
        if hour is not None and scale > 0:
            scale = 0.5 * (scale + hour)
        size = abs(value)
        floor = 1e-9 * size if size > 1.0 else 1e-9
        return Expected(
            usual,
            residual / (self.scale if self.scale > floor else floor),
            surprise,
            scale if scale > floor else floor,
        )

    def learn(self, value: float, expected: Expected | None) -> None:
        """Take in the value of the step, with what `of` said of it, and move to the next."""
        phase = self.index % self.day
        if expected is None:
            self.days[phase] = value
            self._step(0.0)
            return
        residual, surprise = value - expected.usual, expected.surprise
        self.known += 1
        settled = self.known > _SETTLED
        within = _clipped(surprise, _CLIP * self.surprise_scale, settled)
        if self.scale > 0:
            self._adapt(within)
        rate = max(0.001, 1 / self.known)
        self.scale += rate * (_clipped(abs(residual), 6 * self.scale, settled) - self.scale)
        self.surprise_scale += rate * (
            _clipped(abs(surprise), 6 * self.surprise_scale, settled) - self.surprise_scale
        )
        hour = self.hours.get(phase, abs(within))
        self.hours[phase] = hour + 0.1 * (abs(within) - hour)
        within = _clipped(residual, _CLIP * self.scale, settled)
        self.days[phase] += _DAY_RATE * within
        week = self.index % self.season
        self.weeks[week] = self.weeks.get(week, 0.0) + _WEEK_RATE * within
        self._step(residual)

    def skip(self) -> None:
        """Move on over a step without value."""
        self._step(0.0)

    def _step(self, residual: float) -> None:
        self.index += 1
        self.lags.append(residual)
        if len(self.lags) > self.day:
            self.lags.popleft()

    def _inputs(self) -> tuple[float, float, float]:
        lags = self.lags
        n = len(lags)
        return (
            lags[-1] if n else 0.0,
            lags[-2] if n > 1 else 0.0,
            lags[0] if n == self.day else 0.0,
        )

    def _foretold(self) -> float:
        (a, b, c), (one, two, day) = self._inputs(), self.weights
        return one * a + two * b + day * c

    def _adapt(self, surprise: float) -> None:
        a, b, c = self._inputs()
        scale = self.scale
        a, b, c = a / scale, b / scale, c / scale
        aa, ab, ac, bb, bc, cc = self.gains
        along_a, along_b, along_c = (
            aa * a + ab * b + ac * c,
            ab * a + bb * b + bc * c,
            ac * a + bc * b + cc * c,
        )
        size = _FORGET + a * along_a + b * along_b + c * along_c
        error = surprise / scale / size
        one, two, day = self.weights
        self.weights = (one + along_a * error, two + along_b * error, day + along_c * error)
        # Inputs that stand still would let the gains grow without end.
        if aa + bb + cc > 100 * _PRIOR:
            self.gains = _FRESH
            return
        self.gains = (
            (aa - along_a * along_a / size) / _FORGET,
            (ab - along_a * along_b / size) / _FORGET,
            (ac - along_a * along_c / size) / _FORGET,
            (bb - along_b * along_b / size) / _FORGET,
            (bc - along_b * along_c / size) / _FORGET,
            (cc - along_c * along_c / size) / _FORGET,
        )


def _clipped(value: float, limit: float, settled: bool) -> float:
    if not settled or limit <= 0 or -limit <= value <= limit:
        return value
    return limit if value > 0 else -limit
