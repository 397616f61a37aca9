"""Looks ahead on groups of series, with fitted models kept between calls, handed out and taken back as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chengmai.forecast.fitting import FittedPanel, fit_panel
from chengmai.forecast.model import SECOND_US, Forecast, Panel, Series
from chengmai.forecast.problems import StateInvalid

Points = Sequence[tuple[int, float]]

STATE_VERSION = 2
WHY = ("first", "schedule", "drift", "group", "grid", "retry")
"""Why a group was fitted: it never was; it served its time; it erred far more than in its back-test; series or
companions joined or left; step, horizon or beginning of the history changed; nothing could be fitted before."""
_DRIFTED = 3.0
"""How many times its back-test error a model may err lately before it is fitted anew."""
_LONG = 4000
_PATIENCE = 7
"""A group that learnt from this many steps serves so many times as long: a day more changes little."""
_LATELY = 3
"""Origins that the look at drift judges, each a horizon before the one after it."""


@dataclass(frozen=True, eq=False)
class Kept:
    """A fitted panel, which series its columns are, what stands beside them, and why it was fitted."""

    columns: tuple[str, ...]
    fitted: FittedPanel
    beside: tuple[str, ...] = ()
    why: str = ""

    def to_state(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "version": STATE_VERSION,
            "columns": list(self.columns),
            "beside": list(self.beside),
            "why": self.why,
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
            fitted = FittedPanel.from_state(state["fitted"])
            names = tuple(state["columns"]), tuple(state["beside"])
            return cls(names[0], fitted, names[1], str(state["why"]))
        except (KeyError, TypeError, ValueError) as error:
            raise StateInvalid(
                f"{type(error).__name__}: {error}",
                fix="leave it: the model is fitted anew from history",
            ) from error


class Ahead:
    """Forecasts of groups of series, each group under its own key.

    `refit_every` is how many steps a fitted group serves before it is chosen and fitted anew, seven times as
    many where it learnt from a long history; one whose models err three times as much as in their back-test
    is fitted at once.
    """

    def __init__(self, *, refit_every: int) -> None:
        self._refit_every = refit_every
        self._kept: dict[str, Kept] = {}

    def forecasts(
        self,
        key: str,
        points: Mapping[str, Points],
        *,
        step_s: int,
        season_s: int,
        horizon: int,
        beside: Mapping[str, Mapping[str, Points]] | None = None,
    ) -> dict[str, Forecast]:
        """Return the forecast of each series of a group; series without points are left out.

        `beside` gives points of other quantities by name and series: each is seen beside the series of the same
        name, a quantity with one series beside all. None where they were not asked for (`wants_beside`).

        Raises `SeriesInvalid` when the step is not positive.
        """
        series = {name: Series.from_points(some, step_s) for name, some in points.items() if some}
        if not series:
            return {}
        columns = tuple(series)
        others = _beside(columns, beside or {}, step_s)
        panel, names = Panel.of(list(series.values())), tuple(others)
        if beside is None and self.wants_beside(key, panel.last_us):
            beside = {}
        if others:
            panel = panel.with_companions(list(others.values()))
        kept = self._kept.get(key)
        why = self._why_fit(kept, columns, None if beside is None else names, panel, horizon)
        if kept is None or why is not None:
            fitted = fit_panel(panel, horizon=horizon, season_s=season_s)
            kept = self._kept[key] = Kept(columns, fitted, names, why or "first")
        ahead = kept.fitted.look_ahead(panel)
        told = (replace(one, why_fitted=kept.why) for one in ahead)
        return dict(zip(columns, told, strict=True))

    def wants_beside(self, key: str, last_us: int) -> bool:
        """Return whether a group ending at an instant has use for other quantities beside it.

        That is when it is about to be fitted, and when a model in use looks at them.
        """
        kept = self._kept.get(key)
        return kept is None or kept.fitted.sees_companions or self.is_fit_due(key, last_us)

    def is_fit_due(self, key: str, last_us: int) -> bool:
        """Return whether a group ending at an instant has no model, or one that has served its time."""
        kept = self._kept.get(key)
        if kept is None:
            return True
        waited = (last_us - kept.fitted.trained_until_us) // (kept.fitted.step_s * SECOND_US)
        return waited >= self._patience(kept.fitted)

    def _patience(self, fitted: FittedPanel) -> int:
        """Return how many steps a group serves."""
        if not fitted.predictors:
            return 1
        learnt = (fitted.trained_until_us - fitted.start_us) // (fitted.step_s * SECOND_US)
        return self._refit_every * (_PATIENCE if learnt >= _LONG else 1)

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

    def _why_fit(
        self,
        kept: Kept | None,
        columns: tuple[str, ...],
        beside: tuple[str, ...] | None,
        panel: Panel,
        horizon: int,
    ) -> str | None:
        """Return why the group is to be fitted, a word of `WHY`; None when what is fitted still serves."""
        if kept is None:
            return "first"
        if kept.columns != columns or (beside is not None and kept.beside != beside):
            return "group"
        fitted = kept.fitted
        waited = (panel.last_us - fitted.trained_until_us) // (panel.step_s * SECOND_US)
        moved = fitted.horizon != horizon or fitted.step_s != panel.step_s
        if moved or waited < 0 or panel.start_us > fitted.trained_until_us:
            return "grid"
        if waited >= self._patience(fitted):
            return "schedule" if fitted.predictors else "retry"
        return "drift" if waited > 0 and has_drifted(fitted, panel) else None


def _beside(
    columns: Sequence[str], beside: Mapping[str, Mapping[str, Points]], step_s: int
) -> dict[str, list[Series | None]]:
    """Return the series of each other quantity that has any, one a column or None."""
    found = {}
    for name in sorted(beside):
        made = {
            area: Series.from_points(some, step_s) for area, some in beside[name].items() if some
        }
        alone = next(iter(made.values())) if len(made) == 1 else None
        row = [made.get(column, alone) for column in columns]
        if any(one is not None for one in row):
            found[name] = row
    return found


def has_drifted(fitted: FittedPanel, panel: Panel) -> bool:
    """Return whether the models err far more lately than in their back-test, over all series of the panel.

    That is: their mean absolute error over the last origins is more than three times that of the back-test.
    """
    seen = panel.since(fitted.start_us)
    values = seen.own
    rows = len(values) - fitted.horizon * np.arange(_LATELY, 0, -1)
    rows = rows[rows > 0].astype(np.int64)
    if not len(rows) or not fitted.predictors:
        return False
    actual = values[rows[:, None] + np.arange(fitted.horizon)]
    ahead = fitted.ahead_at(seen, rows)
    shares = []
    for column, verdict in enumerate(fitted.verdicts):
        if verdict.backtest is None or not verdict.backtest.mae > 0 or verdict.model not in ahead:
            continue
        errors = np.abs(actual - ahead[verdict.model])[:, :, column]
        if np.isfinite(errors).any():
            shares.append(float(np.nanmean(errors)) / verdict.backtest.mae)
    return bool(shares) and float(np.mean(shares)) > _DRIFTED
