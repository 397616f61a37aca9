"""Intervals from a model's own errors: split conformal by step, with a bounded correction for what came last.

Arrays are origins x horizon, with further axes (columns) after them; errors are actual minus expected.
"""

from __future__ import annotations

import numpy as np

from chengmai.forecast.forecasters import Ints
from chengmai.forecast.model import Floats

LEVEL = 0.8
_WINDOW = 72
"""Origins whose errors still count: enough for a quantile, few enough to follow a change of regime."""
_HORIZONS = 24
"""Horizons that these origins reach back at least: errors of forecasts that overlap say much the same."""
_SAMPLES = 40
_FEWEST = 8
_PACE = 0.1
_BOUND = float(np.log(1.5))
"""The correction stays between two thirds and one and a half of the plain width."""


def tails_of(errors: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return for each step what to add to the median for the low and the high end.

    Split conformal prediction with signed residuals, each tail (1 - level)/2 (Vovk et al. 2005; Lei et al.
    2018, JASA 113, 2.2). Each step borrows the residuals of the steps beside it, of more of them where origins
    are few. The finite-sample correction, (1 - tail)(1 + 1/n), counts by n as many residuals as they are worth:
    those of steps and origins side by side repeat each other, and n of them reach less far into the tail than
    n that know nothing of one another. Between two ranks the end is interpolated (Hyndman and Fan 1996, type
    6).
    """
    tail = (1 - level) / 2
    horizon = errors.shape[1]
    width = max(1, -(-(_SAMPLES // max(1, len(errors)) - 1) // 2))
    beside = np.arange(-width, width + 1)
    near = np.clip(np.arange(horizon)[None, :] + beside[:, None], 0, horizon - 1)
    twice = np.zeros(near.shape, dtype=np.bool_)
    twice[1:] = near[1:] == near[:-1]
    pool = errors[:, near]
    pool[:, twice] = np.nan
    ranked = np.sort(pool.reshape(len(errors) * len(beside), horizon, *errors.shape[2:]), axis=0)
    count = np.isfinite(ranked).sum(axis=0)
    low, high = _ends(ranked, count, count * (1 - tail))
    return _ends(ranked, count, count * (1 - tail) * (1 + 1 / _worth(pool, low, high)))


def _ends(ranked: Floats, count: Ints, rank: Floats) -> tuple[Floats, Floats]:
    """Return the values at a rank from below and from above, between two of them interpolated."""
    return _at(ranked, count, count + 1 - rank), _at(ranked, count, rank)


def _at(ranked: Floats, count: Ints, rank: Floats) -> Floats:
    last = np.maximum(count, 1)
    below = np.clip(np.floor(rank).astype(np.int64), 1, last)
    share = np.clip(rank - below, 0.0, 1.0)
    first = np.take_along_axis(ranked, (below - 1)[None], axis=0)[0]
    second = np.take_along_axis(ranked, (np.minimum(below + 1, last) - 1)[None], axis=0)[0]
    made: Floats = first + share * (second - first)
    return made


def _worth(pool: Floats, low: Floats, high: Floats) -> Floats:
    """Return how many independent residuals a pool (origins x beside x horizon) is worth, by column.

    By the variance of the share outside: that of independent ones is p(1 - p)/n. What goes together is seen
    between the steps of an origin, and between origins up to the first lag at which nothing goes together
    (initial positive sequence, Geyer 1992).
    """
    known = np.isfinite(pool).sum(axis=1)
    there = known > 0
    # As many as there are on the average of the steps.
    origins = np.maximum(there.sum(axis=(0, 1)) / there.shape[1], 1.0)
    single, together = np.zeros(origins.shape), np.zeros((len(pool), *origins.shape))
    for outside in (pool < low, pool > high):
        share = outside.sum(axis=1) / np.maximum(known, 1)
        mean = share.sum(axis=(0, 1)) / np.maximum(there.sum(axis=(0, 1)), 1)
        single += mean * (1 - mean)
        together += _products(np.where(there, share - mean, 0.0))
    together /= np.maximum(_products(there.astype(np.float64)), 1.0)
    lag = np.arange(len(pool)).reshape(-1, *(1 for _ in origins.shape))
    goes_on = np.logical_and.accumulate((together > 0) & (lag <= len(pool) // 2), axis=0)
    weight = np.where(lag > 0, 2 * np.maximum(1 - lag / origins, 0.0), 1.0)
    spread = np.sum(together * goes_on * weight, axis=0)
    most = np.maximum(np.isfinite(pool).sum(axis=(0, 1)).max(axis=0), 1)
    made = single * origins / np.maximum(spread, 1e-12)
    return np.asarray(np.where(spread > 0, np.clip(made, 1.0, most), most))


def _products(values: Floats) -> Floats:
    """Return the sum of products of values so many rows apart, over all steps; rows are lags from none on."""
    padded = 2 * len(values)
    power = np.abs(np.fft.rfft(values, padded, axis=0)) ** 2
    made: Floats = np.fft.irfft(power.sum(axis=1), padded, axis=0)[: len(values)]
    return made


def rolling_tails(
    errors: Floats, origins: Ints, until: int, level: float = LEVEL
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return the tails that each origin would have had, and those for an origin at `until`.

    An origin knows the errors of earlier ones only when their last target lies before it. NaN where fewer
    than eight are known. The width follows the share that was missed lately (adaptive conformal
    inference, Gibbs & Candes 2021, on the logarithm of the width) within its bounds.
    """
    horizon = errors.shape[1]
    low, high = np.full_like(errors, np.nan), np.full_like(errors, np.nan)
    stretch = np.zeros(errors.shape[2:])
    told = 0
    for row in range(len(errors)):
        known = int(np.searchsorted(origins, origins[row] - horizon, side="right"))
        stretch, told = _follow(stretch, errors, low, high, (told, known), level)
        if known >= _FEWEST:
            begin = _begin(origins, int(origins[row]), known, horizon)
            low[row], high[row] = _stretched(errors[begin:known], stretch, level)
    known = int(np.searchsorted(origins, until - horizon, side="right"))
    stretch, _ = _follow(stretch, errors, low, high, (told, known), level)
    begin = _begin(origins, until, known, horizon)
    return (low, high), _stretched(errors[begin:known], stretch, level)


def _begin(origins: Ints, at: int, known: int, horizon: int) -> int:
    """Return the first of the origins whose errors count at an instant."""
    far = int(np.searchsorted(origins, at - (_HORIZONS + 1) * horizon))
    return max(0, min(known - _WINDOW, far))


def _stretched(errors: Floats, stretch: Floats, level: float) -> tuple[Floats, Floats]:
    low, high = tails_of(errors, level)
    middle, half = (low + high) / 2, (high - low) / 2 * np.exp(stretch)
    return middle - half, middle + half


def _follow(
    stretch: Floats,
    errors: Floats,
    low: Floats,
    high: Floats,
    rows: tuple[int, int],
    level: float,
) -> tuple[Floats, int]:
    """Return the correction after the errors of `rows` became known."""
    for row in range(*rows):
        judged = np.isfinite(errors[row]) & np.isfinite(low[row])
        outside = judged & ((errors[row] < low[row]) | (errors[row] > high[row]))
        count = judged.sum(axis=0)
        share = np.where(count > 0, outside.sum(axis=0) / np.maximum(count, 1), 1 - level)
        stretch = np.clip(stretch + _PACE * (share - (1 - level)), -_BOUND, _BOUND)
    return stretch, rows[1]
