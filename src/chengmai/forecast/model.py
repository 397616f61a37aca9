"""What the room speaks of: a series on a regular grid, a back-test, a forecast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chengmai.forecast.problems import SeriesInvalid
from chengmai.kernel.instants import format_us
from chengmai.kernel.texts import Text

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SECOND_US = 1_000_000
DAY_S = 86_400


@dataclass(frozen=True, eq=False)
class Series:
    """Values at `start_us`, `start_us + step`, …; NaN where a reading is missing."""

    values: Floats
    start_us: int
    step_s: int

    @classmethod
    def from_points(cls, points: Iterable[tuple[int, float]], step_s: int) -> Series:
        """Return the series through `(instant in µs, value)` points, gaps as NaN; newest point wins.

        Raises `SeriesInvalid` when there is no point or the step is not positive.
        """
        pairs = list(points)
        if not pairs or step_s <= 0:
            raise SeriesInvalid(
                "a series needs a positive step and at least one point",
                fix="record at least one value before asking for a forecast",
            )
        at = np.array([us for us, _ in pairs], dtype=np.int64)
        start = int(at.min())
        # Rounding, because local days are 23 or 25 hours long twice a year.
        index = np.rint((at - start) / (step_s * SECOND_US)).astype(np.int64)
        values = np.full(int(index.max()) + 1, np.nan)
        values[index] = np.array([value for _, value in pairs], dtype=np.float64)
        return cls(values, start, step_s)

    @property
    def last_us(self) -> int:
        """The instant of the last value."""
        return self.at_us(len(self.values) - 1)

    def at_us(self, index: int) -> int:
        """Return the instant of the value at `index` (which may lie beyond the end)."""
        return self.start_us + index * self.step_s * SECOND_US

    def steps(self, length_s: float) -> int:
        """Return how many steps a length of seconds is, at least one."""
        return max(1, round(length_s / self.step_s))


@dataclass(frozen=True, eq=False)
class Panel:
    """Series that belong together on one grid: rows are steps, columns series; NaN where nothing was read.

    Behind the series stand `companions` other quantities, each with as many columns: what they were helps to
    foresee the series, and what they will be is not foreseen.
    """

    values: Floats
    start_us: int
    step_s: int
    companions: int = 0

    @classmethod
    def of(cls, series: Sequence[Series]) -> Panel:
        """Return the panel of series with the same step; it begins with the first and ends with the last."""
        step_s = series[0].step_s
        start = min(one.start_us for one in series)
        shifts = [round((one.start_us - start) / (step_s * SECOND_US)) for one in series]
        rows = max(shift + len(one.values) for shift, one in zip(shifts, series, strict=True))
        values = np.full((rows, len(series)), np.nan)
        for column, (shift, one) in enumerate(zip(shifts, series, strict=True)):
            values[shift : shift + len(one.values), column] = one.values
        return cls(values, start, step_s)

    @property
    def own(self) -> Floats:
        """The series without their companions."""
        return self.values[:, : self.values.shape[1] // (1 + self.companions)]

    def with_companions(self, others: Sequence[Sequence[Series | None]]) -> Panel:
        """Return the panel with other quantities behind it: for each, one series a column or None.

        What lies outside the rows of the panel is left out.
        """
        rows, count = self.own.shape
        values = np.full((rows, count * len(others)), np.nan)
        for place, one in enumerate(some for many in others for some in many):
            if one is not None:
                shift = round((one.start_us - self.start_us) / (self.step_s * SECOND_US))
                first, last = max(0, shift), min(rows, shift + len(one.values))
                if first < last:
                    values[first:last, place] = one.values[first - shift : last - shift]
        wide = np.concatenate([self.own, values], axis=1)
        return Panel(wide, self.start_us, self.step_s, len(others))

    @property
    def last_us(self) -> int:
        """The instant of the last row."""
        return self.start_us + (len(self.values) - 1) * self.step_s * SECOND_US

    def since(self, start_us: int) -> Panel:
        """Return the panel as if it began at `start_us`, so that phases stay where a model learnt them."""
        shift = round((start_us - self.start_us) / (self.step_s * SECOND_US))
        if shift >= 0:
            return Panel(self.values[shift:], start_us, self.step_s, self.companions)
        ahead = np.full((-shift, self.values.shape[1]), np.nan)
        whole = np.concatenate([ahead, self.values])
        return Panel(whole, start_us, self.step_s, self.companions)

    def steps(self, length_s: float) -> int:
        """Return how many steps a length of seconds is, at least one."""
        return max(1, round(length_s / self.step_s))


@dataclass(frozen=True)
class Backtest:
    """Error on origins that took no part in choosing the model or its interval.

    `mae` and `naive_mae` are mean absolute errors of the model and of the seasonal naive on the same
    points, in the unit of the series; `skill` is 1 - mae/naive_mae; `coverage` is the share of
    held-out points inside the interval; `origins` how many origins, `horizon` how many steps each.
    """

    mae: float
    naive_mae: float
    skill: float
    coverage: float
    origins: int
    horizon: int

    def to_json(self) -> dict[str, Any]:
        """Return the back-test as stored."""
        return {
            "mae": short(self.mae),
            "naive_mae": short(self.naive_mae),
            "skill": short(self.skill),
            "coverage": short(self.coverage),
            "origins": self.origins,
            "horizon": self.horizon,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Backtest:
        """Return the back-test that was stored; what was not finite is NaN."""
        found: dict[str, Any] = {k: float("nan") if v is None else v for k, v in kept.items()}
        return cls(**found)


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is expected after `origin_us`: step `i` (from 0) is at `origin_us + (i + 1) * step`.

    `low` to `high` holds the value with probability `level`; `naive` is the seasonal naive beside it.
    When `shown` is false the forecast has no skill and people see the baseline; `because` says why.
    """

    origin_us: int
    step_s: int
    season_s: int
    median: Floats
    low: Floats
    high: Floats
    naive: Floats
    level: float
    model: str
    version: str
    params: str
    backtest: Backtest | None
    shown: bool
    because: Text
    trained_us: int = 0
    """Until when the history reached that the model was fitted to."""
    why_fitted: str = ""
    """Why the model was fitted when it was: a word of `ahead.WHY`, nothing when nobody asked."""

    def to_json(self) -> dict[str, Any]:
        """Return the forecast as stored in the entity `Forecast`."""
        columns = zip(self.median, self.low, self.high, self.naive, strict=True)
        points = [
            {
                "at": format_us(self.origin_us + (i + 1) * self.step_s * SECOND_US),
                "median": short(median),
                "low": short(low),
                "high": short(high),
                "naive": short(naive),
            }
            for i, (median, low, high, naive) in enumerate(columns)
        ]
        return {
            "model": self.model,
            "version": self.version,
            "params": self.params,
            "trained": format_us(self.trained_us),
            "why_fitted": self.why_fitted,
            "origin": format_us(self.origin_us),
            "step_s": self.step_s,
            "season_s": self.season_s,
            "level": self.level,
            "points": points,
            "backtest": self.backtest.to_json() if self.backtest else None,
            "shown": self.shown,
            "because": self.because.as_language_map(),
        }


def short(value: float) -> float | None:
    """Return the value with six significant digits; None for a value that is not finite."""
    return float(f"{value:.6g}") if np.isfinite(value) else None
