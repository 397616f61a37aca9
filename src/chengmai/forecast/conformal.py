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

    Split conformal prediction with signed residuals, each tail (1 - level)/2, finite-sample rank
    ceil((n + 1)(1 - tail)) (Vovk et al. 2005; Lei et al. 2018, JASA 113, 2.2). Each step borrows the
    residuals of the steps beside it, of more of them where origins are few.
    """
    tail = (1 - level) / 2
    horizon = errors.shape[1]
    width = max(1, -(-(_SAMPLES // max(1, len(errors)) - 1) // 2))
    beside = np.arange(-width, width + 1)
    near = np.clip(np.arange(horizon)[None, :] + beside[:, None], 0, horizon - 1)
    twice = near == np.roll(near, 1, axis=0)
    pool = errors[:, near]
    pool[:, twice] = np.nan
    pool = np.sort(pool.reshape(len(errors) * len(beside), horizon, *errors.shape[2:]), axis=0)
    count = np.isfinite(pool).sum(axis=0)
    rank = np.minimum(count, np.ceil((count + 1) * (1 - tail)).astype(np.int64))
    high = np.take_along_axis(pool, np.maximum(rank - 1, 0)[None], axis=0)[0]
    low = np.take_along_axis(pool, np.maximum(count - rank, 0)[None], axis=0)[0]
    return low, high


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
