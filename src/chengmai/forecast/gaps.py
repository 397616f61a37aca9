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
    for column in np.flatnonzero(~np.isfinite(panel).all(axis=0)):
        values = out[:, column]
        for i in np.flatnonzero(~np.isfinite(values)):
            if i >= season:
                values[i] = values[i - season]
            else:
                values[i] = values[i - 1] if i else middle[column]
    return out


def middles(panel: Floats) -> Floats:
    """Return the median of each column over what is known, 0 where nothing is."""
    middle = np.zeros(panel.shape[1])
    known = np.isfinite(panel).any(axis=0)
    if known.any():
        middle[known] = np.nanmedian(panel[:, known], axis=0)
    return middle
