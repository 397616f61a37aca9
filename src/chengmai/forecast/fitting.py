"""From a panel of histories to forecasters in use: trial, choice for each series, interval, verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chengmai.forecast import rules
from chengmai.forecast.backtest import BLOCKS, Trial, origins_of, run_trial, seen_by
from chengmai.forecast.blended import NetworkBlend
from chengmai.forecast.conformal import LEVEL, rolling_tails
from chengmai.forecast.forecasters import (
    Drift,
    FlatMedian,
    Forecaster,
    Ints,
    Persistence,
    PhaseMean,
    Predictor,
    SeasonalNaive,
    Simple,
)
from chengmai.forecast.model import DAY_S, Backtest, Floats, Forecast, Panel, Series
from chengmai.forecast.network import NetworkRidge
from chengmai.forecast.shared import SharedRidge
from chengmai.forecast.states import read, restore, state_of, stored
from chengmai.kernel.texts import Text

ORIGINS = 96
"""Origins of a trial: the first 60 % choose the model, the rest only judge."""
_CHOOSING = 0.6
COMPANIONS_FROM = 4000
"""Steps of history from which on companions are seen: in fewer they teach chance, and forecasts get worse."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What was decided for one series: model, interval, back-test, and whether it may be shown."""

    model: str
    version: str
    tails: tuple[Floats, Floats]
    floor: float
    backtest: Backtest | None
    shown: bool
    because: Text

    def to_state(self) -> dict[str, Any]:
        """Return the verdict as JSON holds it."""
        return {
            "model": self.model,
            "version": self.version,
            "tails": stored(self.tails),
            "floor": None if np.isinf(self.floor) else self.floor,
            "backtest": self.backtest.to_json() if self.backtest else None,
            "shown": self.shown,
            "because": self.because.as_language_map(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Verdict:
        """Return the verdict that `to_state` wrote."""
        low, high = read(state["tails"])
        return cls(
            model=state["model"],
            version=state["version"],
            tails=(low, high),
            floor=-np.inf if state["floor"] is None else state["floor"],
            backtest=Backtest.from_json(state["backtest"]) if state["backtest"] else None,
            shown=state["shown"],
            because=Text(**state["because"]),
        )


@dataclass(frozen=True, eq=False)
class FittedPanel:
    """Chosen models with their intervals and back-tests, ready to look ahead from later origins.

    `start_us` is where the history began that was learnt from; what is looked at is laid onto that grid.
    `predictors` holds the models that were chosen for at least one series.
    """

    start_us: int
    trained_until_us: int
    step_s: int
    horizon: int
    season: int
    predictors: Mapping[str, Predictor]
    verdicts: tuple[Verdict, ...]
    companions: int = 0

    @property
    def sees_companions(self) -> bool:
        """Whether a model in use looks at the companions."""
        return any(getattr(one, "companions", 0) for one in self.predictors.values())

    def look_ahead(self, panel: Panel) -> tuple[Forecast, ...]:
        """Return what is expected of each series after the last row of `panel`."""
        panel = panel.since(self.start_us)
        origin = np.array([len(panel.values)], dtype=np.int64)
        ahead = {name: one[0] for name, one in self.ahead_at(panel, origin).items()}
        naive = Simple("repeat", self.horizon, self.season).at(panel.own, origin)[0]
        nothing = np.full_like(naive, np.nan)
        return tuple(
            self._forecast(panel, one, ahead.get(one.model, nothing)[:, column], naive[:, column])
            for column, one in enumerate(self.verdicts)
        )

    def ahead_at(self, panel: Panel, origins: Ints) -> dict[str, Floats]:
        """Return what each model in use expects at origins of a panel that begins where this one did."""
        every = slice(0, len(self.verdicts))
        return {n: one.at(panel.values, origins, every) for n, one in self.predictors.items()}

    def _forecast(self, panel: Panel, verdict: Verdict, median: Floats, naive: Floats) -> Forecast:
        params = {
            "model": verdict.model,
            "version": verdict.version,
            "trained": [self.start_us, self.trained_until_us],
            "horizon": self.horizon,
            "season": self.season,
            "companions": self.companions,
        }
        low, high = median + verdict.tails[0], median + verdict.tails[1]
        return Forecast(
            origin_us=panel.last_us,
            step_s=panel.step_s,
            season_s=self.season * panel.step_s,
            median=np.maximum(median, verdict.floor),
            low=np.maximum(np.minimum(low, median), verdict.floor),
            high=np.maximum(np.maximum(high, median), verdict.floor),
            naive=naive,
            level=LEVEL,
            model=verdict.model,
            version=verdict.version,
            params=rules.digest(params),
            backtest=verdict.backtest,
            shown=verdict.shown and bool(np.isfinite(median).all()),
            because=verdict.because,
            trained_us=self.trained_until_us,
        )

    def to_state(self) -> dict[str, Any]:
        """Return everything as JSON holds it; `from_state` gives the same figures."""
        return {
            "start_us": self.start_us,
            "trained_until_us": self.trained_until_us,
            "step_s": self.step_s,
            "horizon": self.horizon,
            "season": self.season,
            "companions": self.companions,
            "predictors": {name: state_of(one) for name, one in self.predictors.items()},
            "verdicts": [one.to_state() for one in self.verdicts],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> FittedPanel:
        """Return what `to_state` wrote; raises `StateInvalid` when a model cannot be read back."""
        made = {name: restore(one) for name, one in state["predictors"].items()}
        verdicts = tuple(Verdict.from_state(one) for one in state["verdicts"])
        return cls(**{**state, "predictors": made, "verdicts": verdicts})


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted panel of one series."""

    panel: FittedPanel

    @property
    def season(self) -> int:
        return self.panel.season

    @property
    def verdict(self) -> Verdict:
        return self.panel.verdicts[0]

    @property
    def backtest(self) -> Backtest | None:
        return self.verdict.backtest

    @property
    def shown(self) -> bool:
        return self.verdict.shown

    @property
    def because(self) -> Text:
        return self.verdict.because

    def look_ahead(self, series: Series) -> Forecast:
        """Return what is expected after the last value of `series`."""
        return self.panel.look_ahead(Panel.of([series]))[0]


def candidates(day: int, season: int, companions: int = 0) -> tuple[Forecaster, ...]:
    """Return the models on trial; `day` is the steps of a day when that is a shorter season, else 0.

    The blend sees the `companions` that the panel ends with, the ridge alone does not.
    """
    daily = (PhaseMean("day_mean", period=day),) if day else ()
    return (
        SeasonalNaive(),
        PhaseMean(),
        *daily,
        Persistence(),
        Drift(),
        FlatMedian(),
        NetworkRidge(day=day),
        NetworkBlend(NetworkRidge(day=day, companions=companions)),
        SharedRidge(day=day or season),
    )


def fit(
    series: Series,
    *,
    horizon: int = 24,
    season_s: float,
    models: Sequence[Forecaster] | None = None,
) -> Fitted:
    """Return the forecaster chosen for one series; see `fit_panel`."""
    panel = Panel.of([series])
    return Fitted(fit_panel(panel, horizon=horizon, season_s=season_s, models=models))


def fit_panel(
    panel: Panel,
    *,
    horizon: int = 24,
    season_s: float,
    models: Sequence[Forecaster] | None = None,
    origins: int = ORIGINS,
    blocks: int = BLOCKS,
) -> FittedPanel:
    """Return the forecasters chosen for series that belong together: for each the one with the least error.

    Never worse than the seasonal naive on the origins that choose. A past too short for the season is judged
    by the season of a day, where that is shorter. Less than two seasons and a horizon of history give a series
    a verdict that shows nothing and says why. Companions are left aside in a short past, where they mislead.
    """
    if panel.companions and len(panel.values) < COMPANIONS_FROM:
        panel = Panel(panel.own, panel.start_us, panel.step_s)
    season, day = _season(panel, horizon, season_s)
    need = 2 * season + horizon
    known = np.isfinite(panel.own).sum(axis=0)
    lengths = _lengths(panel.own)
    fit_ = [c for c in range(len(known)) if _is_enough(lengths[c], known[c], season, horizon)]
    missing = {
        c: _no_verdict(horizon, rules.too_short(int(min(lengths[c], known[c])), need))
        for c in range(len(known))
        if c not in set(fit_)
    }
    places = origins_of(len(panel.values), horizon=horizon, season=season, day=day, count=origins)
    if not fit_ or len(places) < min(rules.MIN_ORIGINS, origins):
        more = need + rules.MIN_ORIGINS - len(places)
        told = rules.too_short(len(panel.values), more)
        none = [missing.get(c) or _no_verdict(horizon, told) for c in range(len(known))]
        return _fitted(panel, horizon, season, {}, none)
    models = models or candidates(day, season, panel.companions)
    verdicts = dict(missing)
    trial = run_trial(
        panel.values,
        models,
        horizon=horizon,
        season=season,
        origins=places,
        blocks=blocks,
        companions=panel.companions,
    )
    for column in fit_:
        verdicts[column] = _verdict(trial.column(column), models, panel.values[:, column])
    chosen = {verdict.model for verdict in verdicts.values() if verdict.backtest}
    made = {
        model.name: model.fit(seen_by(model, panel.values, panel.own), horizon, season)
        for model in models
        if model.name in chosen
    }
    kept = {name: one for name, one in made.items() if one is not None}
    return _fitted(panel, horizon, season, kept, [verdicts[c] for c in range(len(known))])


def _season(panel: Panel, horizon: int, season_s: float) -> tuple[int, int]:
    """Return the season and the day within it (0 for none) that the history is long enough for."""
    season, day = panel.steps(season_s), panel.steps(DAY_S)
    day = day if 1 < day < season else 0
    known = int(np.isfinite(panel.own).sum(axis=0).max())
    if day and not _is_enough(len(panel.values), known, season, horizon):
        # A past of some days cannot show a week, but it can show a day.
        return day, 0
    return season, day


def _verdict(trial: Trial, models: Sequence[Forecaster], values: Floats) -> Verdict:
    horizon = trial.actual.shape[1]
    cut = int(len(trial.origins) * _CHOOSING)
    # The first held-out origin whose targets lie beyond everything the choice has seen.
    held = int(np.searchsorted(trial.origins, trial.origins[cut - 1] + horizon))
    held = min(max(held, cut), len(trial.origins) - min(8, len(trial.origins) // 2))
    choosing, judging = trial.part(slice(0, cut)), trial.part(slice(held, None))
    name = rules.choose_model(choosing)
    before, after = rolling_tails(trial.errors(name), trial.origins, len(values))
    backtest = rules.judge(judging, name, (before[0][held:], before[1][held:]))
    shown, because = rules.decide_shown(backtest, model=name, knows=rules.beats_flat(judging, name))
    return Verdict(
        model=name,
        version=next(model.version for model in models if model.name == name),
        tails=after,
        # A quantity that has never been negative is not expected to become so.
        floor=0.0 if np.nanmin(values) >= 0 else -np.inf,
        backtest=backtest,
        shown=shown,
        because=because,
    )


def _is_enough(length: int, known: int, season: int, horizon: int) -> bool:
    need = 2 * season + horizon
    return length >= need and known >= need // 2


def _lengths(values: Floats) -> list[int]:
    """Return for each column how many rows there are from its first known value."""
    finite = np.isfinite(values)
    first = np.where(finite.any(axis=0), finite.argmax(axis=0), len(values))
    return [int(one) for one in len(values) - first]


def _no_verdict(horizon: int, because: Text) -> Verdict:
    nothing = np.full(horizon, np.nan)
    naive = SeasonalNaive()
    return Verdict(
        naive.name, naive.version, (nothing, nothing), -np.inf, None, shown=False, because=because
    )


def _fitted(
    panel: Panel,
    horizon: int,
    season: int,
    predictors: Mapping[str, Predictor],
    verdicts: Sequence[Verdict],
) -> FittedPanel:
    return FittedPanel(
        start_us=panel.start_us,
        trained_until_us=panel.last_us,
        step_s=panel.step_s,
        horizon=horizon,
        season=season,
        predictors=predictors,
        verdicts=tuple(verdicts),
        companions=panel.companions,
    )
