"""Tier B: an equal-weight mean of closed-form ridge maps under several normalisations.

One map gives all steps of the horizon at once from the last `lags` values and from the values one day and
one season before the targets. Equal weights, because members picked on validation did worse when measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chengmai.forecast.forecasters import Predictor
from chengmai.forecast.gaps import filled
from chengmai.forecast.model import Floats

Ints = npt.NDArray[np.int64]
Norm = Callable[[Floats, int], tuple[Floats, Floats]]
"""Returns centre and scale of each row of features whose first `lags` columns are the last values."""

_MAX_FILLED = 0.25
"""Share of invented values above which a window teaches nothing."""


@dataclass(frozen=True)
class RidgeEnsemble:
    """The ensemble; `day` is the number of steps of a day when that is a shorter season, else 0.

    `penalty` is the ridge as a share of the mean feature energy; `lags` the number of last values seen.
    """

    day: int = 0
    lags: int = 24
    penalty: float = 0.1
    name: str = "ridge"
    version: str = "1"

    def fit(self, history: Floats, horizon: int, season: int) -> Predictor | None:
        layout = _layout(self, len(history), horizon, season)
        if layout is None:
            return None
        members = []
        for norm, profiled in _MEMBERS:
            profile = _profile(history, season, self.day) if profiled else np.zeros(season)
            solved = _solve(history, layout, horizon, profile, norm, self.penalty)
            if solved is None:
                return None
            members.append((norm, profile, *solved))

        def predict(past: Floats) -> Floats:
            whole = filled(past, season)
            total = np.zeros(horizon)
            for norm, profile, weights, floor in members:
                flat = whole - profile[np.arange(len(whole)) % season]
                row = flat[len(whole) + layout.offsets][None, :]
                centre, scale = norm(row, layout.lags)
                scale = np.maximum(scale, floor)
                z = _with_bias((row - centre) / scale)
                ahead = (len(whole) + np.arange(horizon)) % season
                total += (z @ weights)[0] * scale[0, 0] + centre[0, 0] + profile[ahead]
            return total / len(members)

        return predict


@dataclass(frozen=True)
class _Layout:
    offsets: Ints
    """Where each feature lies, relative to the first target (all negative)."""
    lags: int
    first: int
    """The first index that has all its features."""


def _layout(model: RidgeEnsemble, n: int, horizon: int, season: int) -> _Layout | None:
    lags = min(model.lags, max(8, n // 10))
    offsets = [np.arange(-lags, 0)]
    for period in (model.day, season):
        if period > lags:
            offsets.append(np.arange(min(horizon, period)) - period)
    every = np.unique(np.concatenate(offsets[1:])) if len(offsets) > 1 else np.empty(0, np.int64)
    # The last values stay in front: the normalisations look at them only.
    joined = np.concatenate([offsets[0], every[every < -lags]]).astype(np.int64)
    first = int(-joined.min())
    if n - first - horizon < max(40, len(joined) // 2):
        return None
    return _Layout(joined, lags, first)


def _solve(
    history: Floats, layout: _Layout, horizon: int, profile: Floats, norm: Norm, penalty: float
) -> tuple[Floats, float] | None:
    season = len(profile)
    flat = history - profile[np.arange(len(history)) % season]
    whole = filled(history, season) - profile[np.arange(len(history)) % season]
    at = np.arange(layout.first, len(history) - horizon + 1)
    index = at[:, None] + layout.offsets[None, :]
    usable = np.isnan(history)[index].mean(axis=1) <= _MAX_FILLED
    at, x = at[usable], whole[index[usable]]
    y = flat[at[:, None] + np.arange(horizon)[None, :]]
    if len(at) < 30:
        return None
    centre, scale = norm(x, layout.lags)
    # A flat window would blow up its neighbours; a tenth of the usual spread is the least allowed.
    floor = max(0.1 * float(np.median(scale)), 1e-9)
    scale = np.maximum(scale, floor)
    weights = _ridge(_with_bias((x - centre) / scale), (y - centre) / scale, penalty)
    return None if weights is None else (weights, floor)


def _ridge(z: Floats, t: Floats, penalty: float) -> Floats | None:
    """Return ridge weights, one column a step; a missing target drops its row from its own step only."""
    known = np.isfinite(t)
    if known.sum(axis=0).min() < 30:
        return None
    gram, rhs = z.T @ z, z.T @ np.where(known, t, 0.0)
    size = penalty * float(np.trace(gram)) / len(gram) + 1e-9
    ridge = size * np.eye(len(gram))
    ridge[-1, -1] = 1e-9  # the bias is not shrunk
    if known.all():
        solved: Floats = np.asarray(np.linalg.solve(gram + ridge, rhs), dtype=np.float64)
        return solved
    weights = np.empty_like(rhs)
    for step in range(t.shape[1]):
        lost = z[~known[:, step]]
        weights[:, step] = np.linalg.solve(gram + ridge - lost.T @ lost, rhs[:, step])
    return weights


def _profile(history: Floats, season: int, day: int) -> Floats:
    """Return the mean of each phase of the season, drawn towards the phase of the day (or the mean).

    Two to six samples a phase are noise; the daily shape is known from seven times as many.
    """
    known = history[np.isfinite(history)]
    prior: Floats = np.full(season, float(known.mean()) if len(known) else 0.0)
    if day and season % day == 0:
        prior = np.tile(_phase_mean(history, day, prior[:day], 1.0), season // day)
    return _phase_mean(history, season, prior, 3.0)


def _phase_mean(history: Floats, period: int, prior: Floats, weight: float) -> Floats:
    finite = np.isfinite(history)
    phase = np.arange(len(history))[finite] % period
    total = np.bincount(phase, weights=history[finite], minlength=period)
    count = np.bincount(phase, minlength=period)
    mean: Floats = (total + weight * prior) / (count + weight)
    return mean


def _with_bias(z: Floats) -> Floats:
    return np.concatenate([z, np.ones((len(z), 1))], axis=1)


def _minus_last(x: Floats, lags: int) -> tuple[Floats, Floats]:
    return x[:, lags - 1 : lags], np.ones((len(x), 1))


def _minus_mean(x: Floats, lags: int) -> tuple[Floats, Floats]:
    return x[:, :lags].mean(axis=1, keepdims=True), np.ones((len(x), 1))


def _standard(x: Floats, lags: int) -> tuple[Floats, Floats]:
    spread = x[:, :lags].std(axis=1, keepdims=True)
    return x[:, :lags].mean(axis=1, keepdims=True), spread


_MEMBERS: tuple[tuple[Norm, bool], ...] = (
    (_minus_last, False),
    (_minus_mean, False),
    (_standard, False),
    (_minus_last, True),
    (_minus_mean, True),
)
