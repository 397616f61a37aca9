"""Looking back: where the value usually lies at this hour of the week (or phase of any season).

With a calendar a step is compared with steps of the same kind of day: the Wednesday of a holiday week is no
Wednesday, and a Saturday worked in exchange (调休) is a working day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chengmai.forecast.model import Floats, short

Ints = npt.NDArray[np.int64]
KindOf = Callable[[int], str]
"""The kind of the day at an instant in µs: `workday`, `rest` or `holiday`."""

QUANTILES = (0.10, 0.50, 0.90)
CYCLES = 8
"""Seasons looked back on: enough for a quantile, few enough to follow the year."""
MIN_SAMPLES = 4
_DAY_S = 86_400
_WEEK_S = 7 * _DAY_S


@dataclass(frozen=True)
class Band:
    """The 10, 50 and 90 % quantiles of `n` earlier values of the same phase.

    `like` is the kind of day that they were chosen by where a calendar was given: `holiday` stands for earlier
    holidays, `rest` for days of rest (also for a holiday that has too few before it).
    """

    low: float
    mid: float
    high: float
    n: int
    like: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the band as stored in the attribute `baseline`."""
        return {
            "low": short(self.low),
            "mid": short(self.mid),
            "high": short(self.high),
            "n": self.n,
        } | ({"like": self.like} if self.like else {})


@dataclass(frozen=True)
class Kinds:
    """The kind of day of each step of a series that begins at `start_us`; days are asked for once."""

    start_us: int
    step_us: int
    kind_of: KindOf
    day: int
    """Steps of a day, at least one."""

    def at(self, index: int) -> str:
        """Return the kind of the day of a step."""
        return self.kind_of(self.start_us + index * self.step_us)


def band_like(values: Floats, index: int, season: int, kinds: Kinds) -> Band | None:
    """Return the usual band for the value at `index` among earlier steps of the same kind of day and hour.

    On the same weekday first; where too few of those are of the kind, at the same hour of any day of the kind,
    the latest first, within as many seasons. A holiday with too few holidays before it is taken for a day of
    rest. None below four samples.
    """
    wanted = kinds.at(index)
    for like in (wanted, "rest") if wanted == "holiday" else (wanted,):
        weekly = index - np.arange(1, CYCLES + 1, dtype=np.int64) * season
        daily = index - np.arange(1, CYCLES * season // kinds.day + 1, dtype=np.int64) * kinds.day
        for source, most in ((weekly, CYCLES), (daily, CYCLES)):
            samples = _samples(values, index, source, like, kinds, most)
            if len(samples) >= MIN_SAMPLES:
                low, mid, high = (float(q) for q in np.quantile(samples, QUANTILES))
                return Band(low, mid, high, len(samples), like)
    return None


def _samples(
    values: Floats, index: int, source: Ints, like: str, kinds: Kinds, most: int
) -> list[float]:
    found: list[float] = []
    for one in source.tolist():
        if 0 <= one < min(index, len(values)) and np.isfinite(values[one]):
            if kinds.at(one) == like:
                found.append(float(values[one]))
            if len(found) == most:
                break
    return found


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


def usual(
    values: Floats,
    index: int,
    start_us: int,
    step_s: int,
    season_s: int,
    kind_of: KindOf | None = None,
) -> Band | None:
    """Return the usual band for the value at `index` of a series that begins at `start_us`.

    Where the season is whole weeks of steps of at most a day and a calendar is given, by kind of day; else, and
    where that finds too little, by the phase of the season alone.
    """
    season = max(1, round(season_s / step_s))
    if kind_of is not None and season_s % _WEEK_S == 0 and _DAY_S % step_s == 0:
        kinds = Kinds(start_us, step_s * 1_000_000, kind_of, _DAY_S // step_s)
        band = band_like(values, index, season, kinds)
        if band is not None:
            return band
    return band_before(values, index, season)
