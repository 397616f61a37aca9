"""What a model is, and tier A: models that need no fit.

Models see a panel: rows are steps of time, columns are series that belong together (the areas of a sign, the
detectors of a road network), NaN where a reading is missing. One series is a panel of one column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from chengmai.forecast.model import Floats

Ints = npt.NDArray[np.int64]
EVERY = slice(None)


class Predictor(Protocol):
    """A fitted model. Its parameters are plain numbers and arrays: see `states`."""

    def at(self, panel: Floats, origins: Ints, columns: slice = EVERY) -> Floats:
        """Return origins x horizon x columns; row i is made from `panel[:origins[i]]` and nothing else.

        `panel` begins where the fitted one began, so that phases of the season stay in place.
        """
        ...

    def state(self) -> Mapping[str, Any]:
        """Return the parameters, from which `states.restore` makes the predictor again."""
        ...


class Forecaster(Protocol):
    """A model to be fitted. `fit` may be called with a shorter panel than its predictor later gets."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def fit(self, panel: Floats, horizon: int, season: int) -> Predictor | None:
        """Return a predictor, or None when the past is too short for this model; `season` in steps."""
        ...


def fit_predict(model: Forecaster, history: Floats, horizon: int, season: int) -> Floats | None:
    """Return the next `horizon` values of one series, or None when the model cannot say."""
    panel = history[:, None]
    predictor = model.fit(panel, horizon, season)
    if predictor is None:
        return None
    ahead: Floats = predictor.at(panel, np.array([len(panel)], dtype=np.int64))[0, :, 0]
    return ahead


@dataclass(frozen=True)
class Simple:
    """A predictor of tier A: which rule, over which period in steps."""

    rule: str
    horizon: int
    period: int
    cycles: int = 7

    def at(self, panel: Floats, origins: Ints, columns: slice = EVERY) -> Floats:
        seen = panel[:, columns]
        made = np.empty((len(origins), self.horizon, seen.shape[1]))
        for row, origin in enumerate(origins):
            made[row] = _RULES[self.rule](seen[:origin], self)
        return made

    def state(self) -> Mapping[str, Any]:
        return {
            "rule": self.rule,
            "horizon": self.horizon,
            "period": self.period,
            "cycles": self.cycles,
        }


@dataclass(frozen=True)
class SeasonalNaive:
    """The value one season ago; where that is missing, the same phase of the season before it."""

    name: str = "seasonal_naive"
    version: str = "1"

    def fit(self, panel: Floats, horizon: int, season: int) -> Predictor | None:
        return Simple("repeat", horizon, season) if len(panel) >= season else None


@dataclass(frozen=True)
class PhaseMean:
    """Mean of the same phase over the last `cycles` cycles: of the season, or of `period` steps."""

    name: str = "phase_mean"
    period: int | None = None
    cycles: int = 7
    version: str = "1"

    def fit(self, panel: Floats, horizon: int, season: int) -> Predictor | None:
        period = self.period or season
        return Simple("mean", horizon, period, self.cycles) if len(panel) >= 2 * period else None


@dataclass(frozen=True)
class Persistence:
    """The last value that is known, unchanged."""

    name: str = "persistence"
    version: str = "1"

    def fit(self, panel: Floats, horizon: int, season: int) -> Predictor | None:
        return Simple("last", horizon, season)


@dataclass(frozen=True)
class Drift:
    """The last value, moved on by the mean change of the last two seasons."""

    name: str = "drift"
    version: str = "1"

    def fit(self, panel: Floats, horizon: int, season: int) -> Predictor | None:
        return Simple("drift", horizon, season) if len(panel) >= 2 * season else None


@dataclass(frozen=True)
class FlatMedian:
    """The median of the past: the yardstick of a model that knows nothing."""

    name: str = "median"
    version: str = "1"

    def fit(self, panel: Floats, horizon: int, season: int) -> Predictor | None:
        return Simple("median", horizon, season)


def _repeat(past: Floats, how: Simple) -> Floats:
    out = np.full((how.horizon, past.shape[1]), np.nan)
    step = np.arange(how.horizon)
    source = len(past) + step - how.period * (1 + step // how.period)
    while np.isnan(out).any() and (source >= 0).any():
        usable = np.flatnonzero(source >= 0)
        out[usable] = np.where(np.isnan(out[usable]), past[source[usable]], out[usable])
        source = source - how.period
    return out


def _mean(past: Floats, how: Simple) -> Floats:
    cycles = min(how.cycles, len(past) // how.period)
    recent = past[len(past) - cycles * how.period :].reshape(cycles, how.period, past.shape[1])
    finite = np.isfinite(recent)
    count = finite.sum(axis=0)
    total = np.where(finite, recent, 0.0).sum(axis=0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    ahead: Floats = mean[np.arange(how.horizon) % how.period]
    return ahead


def _last(past: Floats, how: Simple) -> Floats:
    return np.tile(past[_last_known(past), np.arange(past.shape[1])], (how.horizon, 1))


def _drift(past: Floats, how: Simple) -> Floats:
    recent = past[-2 * how.period :]
    columns = np.arange(recent.shape[1])
    first = np.argmax(np.isfinite(recent), axis=0)
    last = _last_known(recent)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (recent[last, columns] - recent[first, columns]) / (last - first)
    ahead: Floats = recent[last, columns] + np.arange(1, how.horizon + 1)[:, None] * slope
    return ahead


def _median(past: Floats, how: Simple) -> Floats:
    middle = np.full(past.shape[1], np.nan)
    known = np.isfinite(past).any(axis=0)
    if known.any():
        middle[known] = np.nanmedian(past[:, known], axis=0)
    return np.tile(middle, (how.horizon, 1))


def _last_known(past: Floats) -> Ints:
    """Return the row of the last known value of each column; any row where there is none."""
    back: Ints = np.argmax(np.isfinite(past[::-1]), axis=0)
    return len(past) - 1 - back


_RULES = {"repeat": _repeat, "mean": _mean, "last": _last, "drift": _drift, "median": _median}
