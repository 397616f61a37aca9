"""Forecasts of short series: three to a few dozen points, one a period. Pure arithmetic on arrays.

Three models that suit so few points: the last value (naive), the last value and the mean change (drift), and
Holt's damped trend with fixed constants. Which one is used is decided by forecasts from every earlier point
(rolling origin), over the series itself and those of its peers; a model that is not better than the last value
by a fiftieth is not used. The interval is conformal: the error that so many of the past forecasts of this
horizon did not exceed. Of k errors none can promise more than k/(k+1), and less is said to be promised.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
HORIZON = 3
LEVEL = 0.8
FEWEST = 3
"""A forecast needs so many points without a gap before it."""
_ALPHA, _BETA, _PHI = 0.8, 0.2, 0.8
_BETTER = 0.98
_FIRST = 2


@dataclass(frozen=True)
class Step:
    """The forecast of one period: `covers` is the share of past errors that the interval held, 0 to 1."""

    ahead: int
    value: float
    naive: float
    low: float
    high: float
    covers: float


@dataclass(frozen=True)
class BackTest:
    """Errors of forecasts made from earlier points: mean absolute error of the model and of the last value."""

    count: int
    error: float
    naive_error: float


@dataclass(frozen=True)
class Trend:
    """A forecast with what it did in the past: on the series itself, and on all series it was chosen by."""

    model: str
    steps: tuple[Step, ...]
    own: BackTest
    all: BackTest
    series: int


def _naive(rows: Floats) -> tuple[Floats, Floats]:
    return rows, np.zeros_like(rows)


def _drift(rows: Floats) -> tuple[Floats, Floats]:
    counts = np.maximum(1, np.arange(rows.shape[1]))
    return rows, (rows - rows[:, :1]) / counts


def _damped(rows: Floats) -> tuple[Floats, Floats]:
    levels, slopes = np.empty_like(rows), np.empty_like(rows)
    level, slope = rows[:, 0], rows[:, 1] - rows[:, 0]
    levels[:, 0], slopes[:, 0] = level, slope
    for index in range(1, rows.shape[1]):
        before = level
        level = _ALPHA * rows[:, index] + (1 - _ALPHA) * (level + _PHI * slope)
        slope = _BETA * (level - before) + (1 - _BETA) * _PHI * slope
        levels[:, index], slopes[:, index] = level, slope
    return levels, slopes


_AHEAD = np.arange(1, HORIZON + 1)
MODELS: dict[str, tuple[Callable[[Floats], tuple[Floats, Floats]], Floats]] = {
    "naive": (_naive, np.zeros(HORIZON)),
    "drift": (_drift, _AHEAD.astype(np.float64)),
    "damped": (_damped, np.cumsum(_PHI**_AHEAD)),
}
"""Each gives level and slope after every point, and how many slopes are added for each step ahead."""


def forecasts(rows: Floats, model: str) -> Floats:
    """Return the forecasts of each row after its last point, one for each step ahead."""
    states, reach = MODELS[model]
    levels, slopes = states(rows)
    said: Floats = levels[:, -1:] + slopes[:, -1:] * reach
    return said


def back_test(rows: Floats, model: str) -> Floats:
    """Return errors, (row, origin, horizon): what came less what was forecast; NaN where nothing came.

    A forecast is made after two points, after three and so on, each from the points until then alone.
    """
    states, reach = MODELS[model]
    levels, slopes = states(rows)
    origins = rows.shape[1] - _FIRST
    errors = np.full((len(rows), max(0, origins), HORIZON), np.nan)
    for index in range(min(HORIZON, origins)):
        made = slice(_FIRST - 1, rows.shape[1] - index - 1)
        said = levels[:, made] + slopes[:, made] * reach[index]
        errors[:, : origins - index, index] = rows[:, _FIRST + index :] - said
    return errors


@dataclass(frozen=True)
class Series:
    """What is to be forecast: `own` holds the points without a gap, `peers` a row for each comparable series.

    Those end with the same period, NaN where one has no value. Values stay between floor and ceiling.
    """

    own: Floats
    peers: Floats
    floor: float | None = None
    ceiling: float | None = None


def trend(own: Floats, peers: Floats, floor: float | None, ceiling: float | None) -> Trend | None:
    """Return the forecast of one series; None of fewer than `FEWEST` points."""
    return trends([Series(own, peers, floor, ceiling)])[0]


def trends(asked: Sequence[Series]) -> list[Trend | None]:
    """Return the forecast of each series, as far ahead as there are past errors; None of too few points."""
    found: list[Trend | None] = [None] * len(asked)
    by_length: dict[int, list[int]] = {}
    for index, one in enumerate(asked):
        if len(one.own) >= FEWEST:
            by_length.setdefault(len(one.own), []).append(index)
    for length, indexes in by_length.items():
        together = _of_length(length, [asked[index] for index in indexes])
        for index, made in zip(indexes, together, strict=True):
            found[index] = made
    return found


@dataclass(frozen=True)
class _Errors:
    """Errors without sign, (row, origin, horizon), with their sums and numbers by row."""

    each: Floats
    sums: Floats
    counts: npt.NDArray[np.int64]

    def told(self, rows: slice) -> tuple[int, float]:
        """Return how many some rows have, and their mean."""
        count = int(self.counts[rows].sum())
        return count, float(self.sums[rows].sum()) / count if count else math.inf


def _of_length(length: int, asked: Sequence[Series]) -> list[Trend]:
    pools = [np.vstack([one.own[None, :], _last(one.peers, length)]) for one in asked]
    ends = np.cumsum([len(pool) for pool in pools]).tolist()
    rows = np.vstack(pools)
    errors = {name: _errors(rows, name) for name in MODELS}
    return [
        _trend(one, slice(begin, end), errors)
        for one, begin, end in zip(asked, [0, *ends[:-1]], ends, strict=True)
    ]


def _last(rows: Floats, length: int) -> Floats:
    return rows[:, -length:] if len(rows) else np.empty((0, length))


def _errors(rows: Floats, model: str) -> _Errors:
    each = np.abs(back_test(rows, model))
    known = ~np.isnan(each)
    return _Errors(each, np.where(known, each, 0.0).sum(axis=(1, 2)), known.sum(axis=(1, 2)))


def _trend(one: Series, rows: slice, errors: Mapping[str, _Errors]) -> Trend:
    chosen, naive = _chosen(errors, rows), errors["naive"]
    said, last = forecasts(one.own[None, :], chosen)[0], float(one.own[-1])
    steps = []
    for index in range(HORIZON):
        width, covers = _width(errors[chosen].each[rows, :, index])
        if width == math.inf:
            break
        value = _within(float(said[index]), one.floor, one.ceiling)
        low, high = (_within(value + sign * width, one.floor, one.ceiling) for sign in (-1, 1))
        steps.append(Step(index + 1, value, last, low, high, covers))
    others = slice(rows.start + 1, rows.stop)
    return Trend(
        chosen,
        tuple(steps),
        _told(errors[chosen], naive, slice(rows.start, rows.start + 1)),
        _told(errors[chosen], naive, rows),
        1 + int((naive.counts[others] > 0).sum()),
    )


def _chosen(errors: Mapping[str, _Errors], rows: slice) -> str:
    of = {name: found.told(rows)[1] for name, found in errors.items()}
    best = min(of, key=lambda name: of[name])
    return best if of[best] < _BETTER * of["naive"] else "naive"


def _width(errors: Floats) -> tuple[float, float]:
    """Return the error that `LEVEL` of the past ones did not exceed, and what share that promises."""
    found = np.sort(errors, axis=None)  # what is unknown comes last
    count = int(np.searchsorted(found, math.inf))
    if not count:
        return math.inf, 0.0
    place = min(count, math.ceil((count + 1) * LEVEL))
    return float(found[place - 1]), min(LEVEL, place / (count + 1))


def _told(errors: _Errors, of_naive: _Errors, rows: slice) -> BackTest:
    count, error = errors.told(rows)
    return BackTest(count, error, of_naive.told(rows)[1])


def _within(value: float, floor: float | None, ceiling: float | None) -> float:
    low = value if floor is None else max(floor, value)
    return low if ceiling is None else min(ceiling, low)
