"""Looking back: where the value usually lies at this hour of the week (or phase of any season)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chengmai.forecast.model import Floats, short

QUANTILES = (0.10, 0.50, 0.90)
CYCLES = 8
"""Seasons looked back on: enough for a quantile, few enough to follow the year."""
MIN_SAMPLES = 4


@dataclass(frozen=True)
class Band:
    """The 10, 50 and 90 % quantiles of `n` earlier values of the same phase."""

    low: float
    mid: float
    high: float
    n: int

    def to_json(self) -> dict[str, Any]:
        """Return the band as stored in the attribute `baseline`."""
        return {
            "low": short(self.low),
            "mid": short(self.mid),
            "high": short(self.high),
            "n": self.n,
        }


def band_before(values: Floats, index: int, season: int) -> Band | None:
    """Return the usual band for the value at `index`, from earlier seasons only.

    `index` may lie at or beyond the end of `values`; nothing at or after it is looked at. With few
    seasons on record the steps beside the phase help out. None below four samples: that is no baseline.
    """
    cycles = np.arange(1, CYCLES + 1) * season
    for width in (0, 1, 2):
        beside = np.arange(-width, width + 1)
        source = (index - cycles[:, None] + beside[None, :]).ravel()
        source = source[(source >= 0) & (source < min(index, len(values)))]
        samples = values[source]
        samples = samples[np.isfinite(samples)]
        if len(samples) >= MIN_SAMPLES:
            low, mid, high = (float(q) for q in np.quantile(samples, QUANTILES))
            return Band(low, mid, high, len(samples))
    return None


def bands_ahead(values: Floats, horizon: int, season: int) -> list[Band | None]:
    """Return the usual band of each of the next `horizon` steps."""
    return [band_before(values, len(values) + step, season) for step in range(horizon)]
