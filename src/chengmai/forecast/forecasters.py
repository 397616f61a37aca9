"""Tier A: models that need no fit. Each sees the history up to the origin and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from chengmai.forecast.model import Floats

Predictor = Callable[[Floats], Floats]
"""Maps a history that begins where the fitted one began to the next `horizon` values."""


class Forecaster(Protocol):
    """A model of one series. `fit` may be called with a shorter history than its predictor later gets."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def fit(self, history: Floats, horizon: int, season: int) -> Predictor | None:
        """Return a predictor, or None when the history is too short for this model.

        `history` may hold NaN; `season` is a number of steps.
        """
        ...


def fit_predict(model: Forecaster, history: Floats, horizon: int, season: int) -> Floats | None:
    """Return the next `horizon` values as `model` expects them, or None when it cannot say."""
    predictor = model.fit(history, horizon, season)
    return None if predictor is None else predictor(history)


@dataclass(frozen=True)
class SeasonalNaive:
    """The value one season ago; where that is missing, the same phase of the season before it."""

    name: str = "seasonal_naive"
    version: str = "1"

    def fit(self, history: Floats, horizon: int, season: int) -> Predictor | None:
        if len(history) < season:
            return None

        def predict(past: Floats) -> Floats:
            out = np.full(horizon, np.nan)
            target = len(past) + np.arange(horizon)
            source = target - season * (1 + (target - len(past)) // season)
            while np.isnan(out).any() and (source >= 0).any():
                usable = np.isnan(out) & (source >= 0)
                out[usable] = past[source[usable]]
                source = source - season
            return out

        return predict


@dataclass(frozen=True)
class PhaseMean:
    """Mean of the same phase over the last `cycles` cycles: of the season, or of `period` steps."""

    name: str = "phase_mean"
    period: int | None = None
    cycles: int = 7
    version: str = "1"

    def fit(self, history: Floats, horizon: int, season: int) -> Predictor | None:
        period = self.period or season
        if len(history) < 2 * period:
            return None

        def predict(past: Floats) -> Floats:
            cycles = min(self.cycles, len(past) // period)
            recent = past[len(past) - cycles * period :].reshape(cycles, period)
            return np.resize(_mean(recent), horizon)

        return predict


@dataclass(frozen=True)
class Persistence:
    """The last value that is known, unchanged."""

    name: str = "persistence"
    version: str = "1"

    def fit(self, history: Floats, horizon: int, season: int) -> Predictor | None:
        def predict(past: Floats) -> Floats:
            known = past[np.isfinite(past)]
            return np.full(horizon, known[-1] if len(known) else np.nan)

        return predict


@dataclass(frozen=True)
class Drift:
    """The last value, moved on by the mean change of the last two seasons."""

    name: str = "drift"
    version: str = "1"

    def fit(self, history: Floats, horizon: int, season: int) -> Predictor | None:
        if len(history) < 2 * season:
            return None

        def predict(past: Floats) -> Floats:
            known = np.flatnonzero(np.isfinite(past[-2 * season :])) + len(past) - 2 * season
            if len(known) < 2:
                return np.full(horizon, np.nan)
            first, last = known[0], known[-1]
            slope = (past[last] - past[first]) / (last - first)
            drifted: Floats = past[last] + slope * np.arange(1, horizon + 1)
            return drifted

        return predict


@dataclass(frozen=True)
class FlatMedian:
    """The median of the history: the yardstick of a model that knows nothing."""

    name: str = "median"
    version: str = "1"

    def fit(self, history: Floats, horizon: int, season: int) -> Predictor | None:
        def predict(past: Floats) -> Floats:
            known = past[np.isfinite(past)]
            return np.full(horizon, np.median(known) if len(known) else np.nan)

        return predict


def _mean(rows: Floats) -> Floats:
    """Return the mean of each column over its finite values, NaN where there is none."""
    finite = np.isfinite(rows)
    count = finite.sum(axis=0)
    total = np.where(finite, rows, 0.0).sum(axis=0)
    mean: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean
