"""Filling gaps for features only. A filled value never counts in an error and never stays a target."""

from __future__ import annotations

import numpy as np

from chengmai.forecast.model import Floats


def filled(panel: Floats, season: int, middle: Floats) -> Floats:
    """Return the panel with each gap filled by its own past.

    A gap takes the value one season earlier, else the value before it, else (at the very beginning) the
    `middle` of its column. Nothing later than the gap is looked at.
    """
    out = panel.copy()
    some = np.flatnonzero(~np.isfinite(panel).all(axis=0))
    if not len(some):
        return out
    gappy = out[:, some]
    first = gappy[:season]
    known = np.isfinite(first)
    last = np.maximum.accumulate(np.where(known, np.arange(len(first))[:, None], -1), axis=0)
    before = np.take_along_axis(first, np.maximum(last, 0), axis=0)
    gappy[:season] = np.where(last < 0, middle[some], before)
    for start in range(season, len(gappy), season):
        block = gappy[start : start + season]
        earlier = gappy[start - season : start][: len(block)]
        gappy[start : start + season] = np.where(np.isfinite(block), block, earlier)
    out[:, some] = gappy
    return out


def middles(panel: Floats) -> Floats:
    """Return the median of each column over what is known, 0 where nothing is."""
    middle = np.zeros(panel.shape[1])
    known = np.isfinite(panel).any(axis=0)
    if known.any():
        middle[known] = np.nanmedian(panel[:, known], axis=0)
    return middle
