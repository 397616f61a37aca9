"""Forecasts of short series: three to a few dozen points, one a period. Pure arithmetic on arrays.

Three models that suit so few points: the last value (naive), the last value and the mean change (drift), and
Holt's damped trend with fixed constants. Which one is used is decided by forecasts from every earlier point
(rolling origin), over the series itself and those of its peers; a model that is not better than the last value
by a fiftieth is not used. The interval is conformal: the error that so many of the past forecasts of this
horizon did not exceed. Of k errors none can promise more than k/(k+1), and less is said to be promised.
"""

from __future__ import annotations

import math
from collections.abc import Callable
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


def trend(own: Floats, peers: Floats, floor: float | None, ceiling: float | None) -> Trend | None:
    """Return the forecast of a series; None of fewer than `FEWEST` points.

    `own` holds the points without a gap; `peers` a row for each comparable series, ending with the same period,
    NaN where one has no value. Values stay between floor and ceiling. It goes as far as there are past errors.
    """
    if len(own) < FEWEST:
        return None
    row = own[None, :]
    pool = np.vstack([row, peers[:, -len(own) :]]) if len(peers) else row
    errors = {name: back_test(pool, name) for name in MODELS}
    known = ~np.isnan(errors["naive"][1:]).all(axis=(1, 2))
    chosen = _chosen(errors)
    mine = {name: back_test(row, name) for name in (chosen, "naive")}
    said, last = forecasts(row, chosen)[0], float(own[-1])
    steps = []
    for index in range(HORIZON):
        width, covers = _width(errors[chosen][:, :, index])
        if width == math.inf:
            break
        value = _within(float(said[index]), floor, ceiling)
        low, high = (_within(value + sign * width, floor, ceiling) for sign in (-1, 1))
        steps.append(Step(index + 1, value, last, low, high, covers))
    return Trend(
        chosen,
        tuple(steps),
        _told(mine[chosen], mine["naive"]),
        _told(errors[chosen], errors["naive"]),
        1 + int(known.sum()),
    )


def _chosen(errors: dict[str, Floats]) -> str:
    of = {name: _mean(np.abs(found)) for name, found in errors.items()}
    best = min(of, key=lambda name: of[name])
    return best if of[best] < _BETTER * of["naive"] else "naive"


def _width(errors: Floats) -> tuple[float, float]:
    """Return the error that `LEVEL` of the past ones did not exceed, and what share that promises."""
    found = np.sort(np.abs(errors[~np.isnan(errors)]))
    if not len(found):
        return math.inf, 0.0
    place = min(len(found), math.ceil((len(found) + 1) * LEVEL))
    return float(found[place - 1]), min(LEVEL, place / (len(found) + 1))


def _told(errors: Floats, of_naive: Floats) -> BackTest:
    known = ~np.isnan(errors)
    return BackTest(int(known.sum()), _mean(np.abs(errors)), _mean(np.abs(of_naive)))


def _mean(found: Floats) -> float:
    known = found[~np.isnan(found)]
    return float(known.mean()) if len(known) else math.inf


def _within(value: float, floor: float | None, ceiling: float | None) -> float:
    low = value if floor is None else max(floor, value)
    return low if ceiling is None else min(ceiling, low)
