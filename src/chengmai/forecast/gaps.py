"""Filling gaps for features only. A filled value is never a target and never counts in an error."""

from __future__ import annotations

import numpy as np

from chengmai.forecast.model import Floats


def filled(history: Floats, season: int) -> Floats:
    """Return the history with each gap filled by its own past.

    A gap takes the value one season earlier, else the value before it, else (at the very beginning) the
    median. Only earlier values are used, except that median: everything given lies before the origin.
    """
    missing = np.flatnonzero(~np.isfinite(history))
    if not len(missing):
        return history
    known = history[np.isfinite(history)]
    middle = float(np.median(known)) if len(known) else 0.0
    out = history.copy()
    for i in missing:
        if i >= season:
            out[i] = out[i - season]
        else:
            out[i] = out[i - 1] if i else middle
    return out
