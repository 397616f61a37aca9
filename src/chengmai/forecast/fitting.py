"""From a history to a forecaster in use: trial, choice, interval, verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chengmai.forecast import rules
from chengmai.forecast.backtest import run_trial
from chengmai.forecast.forecasters import (
    Drift,
    FlatMedian,
    Forecaster,
    Persistence,
    PhaseMean,
    Predictor,
    SeasonalNaive,
)
from chengmai.forecast.model import DAY_S, Backtest, Floats, Forecast, Series
from chengmai.forecast.ridge import RidgeEnsemble
from chengmai.kernel.texts import Text

_ORIGINS = 96
"""Origins of a trial: the first 60 % choose and calibrate, the rest only judge."""
_CHOOSING = 0.6


@dataclass(frozen=True, eq=False)
class Fitted:
    """A chosen model with its interval and its back-test, ready to look ahead from later origins.

    `start_us` is where the history began that it learnt from; what it looks at must begin there too.
    """

    start_us: int
    trained_until_us: int
    horizon: int
    season: int
    model: Forecaster
    naive: Predictor
    predictor: Predictor | None
    tails: tuple[Floats, Floats]
    floor: float
    backtest: Backtest | None
    shown: bool
    because: Text

    def look_ahead(self, series: Series) -> Forecast:
        """Return what is expected after the last value of `series`."""
        nothing = np.full(self.horizon, np.nan)
        median = nothing if self.predictor is None else self.predictor(series.values)
        low, high = median + self.tails[0], median + self.tails[1]
        params = {
            "model": self.model.name,
            "version": self.model.version,
            "trained": [self.start_us, self.trained_until_us],
            "horizon": self.horizon,
            "season": self.season,
        }
        return Forecast(
            origin_us=series.last_us,
            step_s=series.step_s,
            season_s=self.season * series.step_s,
            median=np.maximum(median, self.floor),
            low=np.maximum(low, self.floor),
            high=np.maximum(high, self.floor),
            naive=self.naive(series.values) if len(series.values) >= self.season else nothing,
            level=rules.LEVEL,
            model=self.model.name,
            version=self.model.version,
            params=rules.digest(params),
            backtest=self.backtest,
            shown=self.shown and bool(np.isfinite(median).all()),
            because=self.because,
        )


def candidates(day: int) -> tuple[Forecaster, ...]:
    """Return the models on trial; `day` is the steps of a day when that is a shorter season, else 0."""
    daily = (PhaseMean("day_mean", period=day),) if day else ()
    return (
        SeasonalNaive(),
        PhaseMean(),
        *daily,
        Persistence(),
        Drift(),
        FlatMedian(),
        RidgeEnsemble(day=day),
    )


def fit(
    series: Series,
    *,
    horizon: int = 24,
    season_s: float,
    models: Sequence[Forecaster] | None = None,
) -> Fitted:
    """Return the forecaster chosen for `series`: the one with the least error, never worse than naive.

    A past too short for the season is judged by the season of a day, where that is shorter. Less than two
    seasons and a horizon of history give one that shows nothing and says why.
    """
    season = series.steps(season_s)
    day = series.steps(DAY_S)
    day = day if 1 < day < season else 0
    values = series.values
    known = int(np.isfinite(values).sum())
    if day and not _is_enough(len(values), known, season, horizon):
        # A past of some days cannot show a week, but it can show a day.
        season, day = day, 0
    need = 2 * season + horizon
    if not _is_enough(len(values), known, season, horizon):
        return _unfitted(series, horizon, season, rules.too_short(min(len(values), known), need))
    models = models or candidates(day)
    trial = run_trial(values, models, horizon=horizon, season=season, day=day, count=_ORIGINS)
    if len(trial.origins) < rules.MIN_ORIGINS:
        more = need + rules.MIN_ORIGINS - len(trial.origins)
        return _unfitted(series, horizon, season, rules.too_short(len(values), more))
    cut = int(len(trial.origins) * _CHOOSING)
    # The first held-out origin whose targets lie beyond everything the choice has seen.
    held = int(np.searchsorted(trial.origins, trial.origins[cut - 1] + horizon))
    held = min(max(held, cut), len(trial.origins) - 8)
    choosing, judging = trial.part(slice(0, cut)), trial.part(slice(held, None))
    name = rules.choose_model(choosing)
    model = next(m for m in models if m.name == name)
    predictor = model.fit(values, horizon, season)
    backtest = rules.judge(judging, name, choosing)
    shown, because = rules.decide_shown(backtest, model=name, knows=rules.beats_flat(judging, name))
    finite = values[np.isfinite(values)]
    return Fitted(
        start_us=series.start_us,
        trained_until_us=series.last_us,
        horizon=horizon,
        season=season,
        model=model,
        naive=_naive(horizon, season),
        predictor=predictor,
        tails=rules.conformal_tails(trial.errors(name)),
        # A quantity that has never been negative is not expected to become so.
        floor=0.0 if finite.min() >= 0 else -np.inf,
        backtest=backtest,
        shown=shown,
        because=because,
    )


def _is_enough(length: int, known: int, season: int, horizon: int) -> bool:
    need = 2 * season + horizon
    return length >= need and known >= need // 2


def _unfitted(series: Series, horizon: int, season: int, because: Text) -> Fitted:
    nothing = np.full(horizon, np.nan)
    return Fitted(
        start_us=series.start_us,
        trained_until_us=series.last_us,
        horizon=horizon,
        season=season,
        model=SeasonalNaive(),
        naive=_naive(horizon, season),
        predictor=None,
        tails=(nothing, nothing),
        floor=-np.inf,
        backtest=None,
        shown=False,
        because=because,
    )


def _naive(horizon: int, season: int) -> Predictor:
    predictor = SeasonalNaive().fit(np.zeros(season), horizon, season)
    assert predictor is not None
    return predictor
