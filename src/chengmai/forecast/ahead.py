"""Looks ahead on groups of series, with fitted models kept between calls, handed out and taken back as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chengmai.forecast.fitting import FittedPanel, fit_panel
from chengmai.forecast.model import SECOND_US, Forecast, Panel, Series
from chengmai.forecast.problems import StateInvalid

Points = Sequence[tuple[int, float]]

STATE_VERSION = 1
_DRIFTED = 3.0
"""How many times its back-test error a model may err lately before it is fitted anew."""
_LATELY = 3
"""Origins that the look at drift judges, each a horizon before the one after it."""


@dataclass(frozen=True, eq=False)
class Kept:
    """A fitted panel and which series its columns are."""

    columns: tuple[str, ...]
    fitted: FittedPanel

    def to_state(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "version": STATE_VERSION,
            "columns": list(self.columns),
            "fitted": self.fitted.to_state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Kept:
        """Return what `to_state` wrote; raises `StateInvalid` for another version or a broken state."""
        if state.get("version") != STATE_VERSION:
            raise StateInvalid(
                f"stored by version {state.get('version')!r} of this room, read by {STATE_VERSION}",
                fix="leave it: the model is fitted anew from history",
            )
        try:
            return cls(tuple(state["columns"]), FittedPanel.from_state(state["fitted"]))
        except (KeyError, TypeError, ValueError) as error:
            raise StateInvalid(
                f"{type(error).__name__}: {error}",
                fix="leave it: the model is fitted anew from history",
            ) from error


class Ahead:
    """Forecasts of groups of series, each group under its own key.

    `refit_every` is how many steps a fitted group serves before it is chosen and fitted anew; one whose
    models err three times as much as in their back-test is fitted at once.
    """

    def __init__(self, *, refit_every: int) -> None:
        self._refit_every = refit_every
        self._kept: dict[str, Kept] = {}

    def forecasts(
        self, key: str, points: Mapping[str, Points], *, step_s: int, season_s: int, horizon: int
    ) -> dict[str, Forecast]:
        """Return the forecast of each series of a group; series without points are left out.

        Raises `SeriesInvalid` when the step is not positive.
        """
        series = {name: Series.from_points(some, step_s) for name, some in points.items() if some}
        if not series:
            return {}
        panel, columns = Panel.of(list(series.values())), tuple(series)
        kept = self._kept.get(key)
        if kept is None or kept.columns != columns or self._is_due(kept.fitted, panel, horizon):
            fitted = fit_panel(panel, horizon=horizon, season_s=season_s)
            kept = self._kept[key] = Kept(columns, fitted)
        return dict(zip(columns, kept.fitted.look_ahead(panel), strict=True))

    def state(self, key: str) -> dict[str, Any] | None:
        """Return the fitted group as JSON holds it; None when there is none."""
        kept = self._kept.get(key)
        return kept.to_state() if kept else None

    def trained_us(self, key: str) -> int | None:
        """Return until when the history reached that the group was fitted to."""
        kept = self._kept.get(key)
        return kept.fitted.trained_until_us if kept else None

    def restore(self, key: str, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave; raises `StateInvalid` and keeps nothing when it cannot be read."""
        self._kept[key] = Kept.from_state(state)

    def _is_due(self, fitted: FittedPanel, panel: Panel, horizon: int) -> bool:
        waited = (panel.last_us - fitted.trained_until_us) // (panel.step_s * SECOND_US)
        patience = self._refit_every if fitted.predictors else 1
        stale = waited >= patience or waited < 0 or fitted.horizon != horizon
        return (
            stale
            or panel.start_us > fitted.trained_until_us
            or fitted.step_s != panel.step_s
            or (waited > 0 and has_drifted(fitted, panel))
        )


def has_drifted(fitted: FittedPanel, panel: Panel) -> bool:
    """Return whether the models err far more lately than in their back-test, over all series of the panel.

    That is: their mean absolute error over the last origins is more than three times that of the back-test.
    """
    values = panel.since(fitted.start_us).values
    rows = len(values) - fitted.horizon * np.arange(_LATELY, 0, -1)
    rows = rows[rows > 0].astype(np.int64)
    if not len(rows) or not fitted.predictors:
        return False
    actual = values[rows[:, None] + np.arange(fitted.horizon)]
    ahead = {name: one.at(values, rows) for name, one in fitted.predictors.items()}
    shares = []
    for column, verdict in enumerate(fitted.verdicts):
        if verdict.backtest is None or not verdict.backtest.mae > 0 or verdict.model not in ahead:
            continue
        errors = np.abs(actual - ahead[verdict.model])[:, :, column]
        if np.isfinite(errors).any():
            shares.append(float(np.nanmean(errors)) / verdict.backtest.mae)
    return bool(shares) and float(np.mean(shares)) > _DRIFTED
