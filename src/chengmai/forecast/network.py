"""Tier B and its network form: a ridge map per series, drawn towards one that all series of the panel share.

Features are the series' own lags, its profile now and at the targets, its last season, and how far the
neighbours, and other quantities at the same places, were from what is usual for them (`features`). Pooled
first, then fitted per series with the pooled map as prior: a road network of four days would overfit 200 maps
of its own, and one map for all is too stiff.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chengmai.forecast.features import (
    COMPANION_LAGS,
    MAX_FILLED,
    NEIGHBOUR_LAGS,
    Layout,
    Scales,
    View,
    companion_rows,
    measured,
    modelled,
    neighbour_rows,
    own_rows,
    profile_of,
    profile_without,
)
from chengmai.forecast.forecasters import EVERY, Ints, Predictor
from chengmai.forecast.gaps import filled, middles
from chengmai.forecast.model import Bools, Floats
from chengmai.forecast.solving import LEAST_ROWS, Products, robust_weights

_LONGEST = 72
_FEWEST_NEIGHBOURS = 2
_SEASONS = 8
"""Seasons of history from which on the values a season ago are worth the origins of the first one."""


@dataclass(frozen=True)
class NetworkRidge:
    """The model; `day` is the number of steps of a day when that is a shorter season, else 0.

    `neighbours` most correlated columns are looked at (none when 0). `companions` is how many other quantities
    the panel ends with, each with as many columns as there are series: what they were is looked at, what they
    will be is not foreseen. `robust` aims at the absolute error and models the square root of what is never
    negative; otherwise the squared error of the plain value. `prior_rows` is how many rows of its own a series
    needs to weigh as much as the pooled map.
    """

    day: int = 0
    neighbours: int = 16
    robust: bool = True
    lags: int = 48
    penalty: float = 0.005
    prior_rows: float = 8000.0
    companions: int = 0
    name: str = "ridge"
    version: str = "3"

    def fit(self, panel: Floats, horizon: int, season: int) -> Predictor | None:
        lesson = self.lesson(panel, horizon, season)
        return None if lesson is None else lesson.network()

    def lesson(self, panel: Floats, horizon: int, season: int) -> Lesson | None:
        """Return what a panel teaches; None when it is too short, or the horizon too long."""
        lags = min(self.lags, max(8, len(panel) // 20), max(12, 2 * horizon))
        has_block = season > max(lags, self.day) and len(panel) >= _SEASONS * season
        block = min(horizon, season) if has_block else 0
        layout = Layout(lags, block, horizon, season, self.day, self.companions)
        origins = np.arange(layout.first, len(panel) - horizon + 1, dtype=np.int64)
        columns = panel.shape[1] // (1 + self.companions)
        if horizon > _LONGEST or len(origins) < max(40, lags):
            return None
        if not np.isfinite(panel[:, :columns]).any():
            return None
        scales = _scales(self, panel, layout)
        known = modelled(panel, scales.root)
        usual = profile_without(known, season, self.day)
        tail = scales.profile[np.arange(len(panel), len(panel) + horizon) % season]
        whole = filled(known, season, scales.middle)
        ahead = np.concatenate([usual, tail])
        view = View.made(known, whole, ahead, scales, self.companions)
        beside = _beside((known - usual)[:, :columns], self.neighbours)
        return Lesson(self, layout, scales, view, beside, origins)


@dataclass(frozen=True, eq=False)
class Network:
    """The fitted model: for each column its neighbours (columns x count) and features x horizon weights."""

    layout: Layout
    scales: Scales
    beside: Ints
    weights: Floats

    @property
    def companions(self) -> int:
        return self.layout.companions

    def at(self, panel: Floats, origins: Ints, columns: slice = EVERY) -> Floats:
        return ahead_by(self, panel, origins, columns, lambda column, z: z @ self.weights[column])

    def state(self) -> Mapping[str, Any]:
        return {
            "layout": vars(self.layout),
            "scales": vars(self.scales),
            "beside": self.beside,
            "weights": self.weights,
        }


def ahead_by(
    fitted: Network,
    panel: Floats,
    origins: Ints,
    columns: slice,
    says: Callable[[int, Floats], Floats],
) -> Floats:
    """Return what follows each origin when `says` gives (column, features) -> steps from the last value."""
    view = View.of(panel, fitted.scales, fitted.layout)
    chosen = np.arange(len(fitted.beside))[columns]
    made = np.full((len(origins), fitted.layout.horizon, len(chosen)), np.nan)
    able = np.flatnonzero(origins >= fitted.layout.first)
    for place, column in enumerate(chosen):
        beside = fitted.beside[column]
        z = rows_at(view, fitted.scales, fitted.layout, beside, column, origins[able])
        last = view.whole[origins[able] - 1, column][:, None]
        ahead = says(column, z) * fitted.scales.spread[column] + last
        made[able, :, place] = measured(ahead, fitted.scales.root[column])
    return made


def _scales(model: NetworkRidge, panel: Floats, layout: Layout) -> Scales:
    finite = np.isfinite(panel)
    least = np.where(finite, panel, np.inf).min(axis=0)
    root = np.where((least >= 0) & np.isfinite(least) & model.robust, 1.0, 0.0)
    known = modelled(panel, root)
    count = np.maximum(finite.sum(axis=0), 1)
    mean = np.where(finite, known, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(finite, known - mean, 0.0) ** 2).sum(axis=0) / count)
    high = np.zeros(panel.shape[1])
    some = finite.any(axis=0)
    high[some] = np.nanquantile(known[:, some], 0.85, axis=0)
    return Scales(
        root=root,
        middle=middles(known),
        mean=mean,
        # A column that never moved is measured by one: its errors are then nothing.
        spread=np.where(spread > 1e-9, spread, 1.0),
        high=high,
        profile=profile_of(known, layout.season, layout.day),
    )


def _beside(apart: Floats, count: int) -> Ints:
    """Return for each column those whose distance from the usual goes most along with its own."""
    columns = apart.shape[1]
    count = min(count, columns - 1)
    if count < _FEWEST_NEIGHBOURS:
        return np.empty((columns, 0), dtype=np.int64)
    known = np.where(np.isfinite(apart), apart, 0.0)
    size = np.sqrt((known**2).sum(axis=0))
    alike = np.abs(known.T @ known) / np.maximum(np.outer(size, size), 1e-12)
    np.fill_diagonal(alike, -1.0)
    return np.argsort(-alike, axis=1, kind="stable")[:, :count].astype(np.int64)


def rows_at(
    view: View, scales: Scales, layout: Layout, beside: Ints, column: int, origins: Ints
) -> Floats:
    """Return origins x features of one column; the bias is the last of its own."""
    own = own_rows(view, scales, layout, column, origins)
    others = neighbour_rows(view, beside, origins), companion_rows(view, layout, column, origins)
    return np.concatenate([own, *others], axis=1)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a panel teaches: features and targets of each column at the origins."""

    model: NetworkRidge
    layout: Layout
    scales: Scales
    view: View
    beside: Ints
    origins: Ints

    def network(self) -> Network | None:
        """Return the fitted maps; None when no column has enough complete rows."""
        weights = self._weights()
        if weights is None:
            return None
        return Network(self.layout, self.scales, self.beside, weights)

    def _weights(self) -> Floats | None:
        """Return columns x features x horizon."""
        pooled, prior = self._round(None)
        if pooled is None or prior is None:
            return None
        if self.model.robust:
            for _ in range(2):
                again, own = self._round(prior)
                if again is not None and own is not None:
                    pooled, prior = again, own
        assert isinstance(pooled, list)
        return np.stack([self._own(one, prior) for one in pooled]).astype(np.float32)

    def _round(self, prior: Floats | None) -> tuple[list[Products] | None, Floats | None]:
        """Return each column's products, rows weighed by the errors of `prior`, and the pooled map."""
        each: list[Products] = []
        for column in range(len(self.beside)):
            z, t, missing = self.rows(column)
            if prior is not None:
                t = np.where(missing, z @ prior, t)
            products = Products.empty(z.shape[1], self.layout.horizon)
            if len(z):
                products.add(z, t, None if prior is None else robust_weights(t - z @ prior))
            each.append(products)
        total = each[0]
        for one in each[1:]:
            total = total.plus(one)
        if total.rows < LEAST_ROWS:
            return None, None
        share = np.diag(total.gram).copy()
        return each, total.solve(self._penalty(share))

    def _penalty(self, diagonal: Floats) -> Floats:
        """Return the penalty of each feature: a share of its own energy, none for the bias."""
        penalty: Floats = self.model.penalty * np.maximum(diagonal, 1e-6 * diagonal.max())
        penalty[self._bias()] = 0.0
        return penalty

    def _bias(self) -> int:
        others = len(NEIGHBOUR_LAGS) * int(self.beside.shape[1])
        return -1 - others - (2 * len(COMPANION_LAGS) + 1) * self.layout.companions

    def _own(self, products: Products, pooled: Floats) -> Floats:
        if len(self.beside) == 1 or products.rows < LEAST_ROWS:
            return pooled
        energy = np.diag(products.gram) / products.rows
        return products.solve(self.model.prior_rows * np.maximum(energy, 1e-6), pooled)

    def rows(self, column: int) -> tuple[Floats, Floats, Bools]:
        """Return features, targets and where these are missing, of origins whose windows are mostly known.

        Where readings are missing here and there, rows with some unknown targets are taken too; these
        become what the model itself expects, which teaches nothing (Dempster et al. 1977).
        """
        missing = np.isnan(self.view.known[:, column])
        gone = np.concatenate([[0], np.cumsum(missing)])
        lags, horizon = self.layout.lags, self.layout.horizon
        lost = gone[self.origins] - gone[self.origins - lags]
        absent = gone[self.origins + horizon] - gone[self.origins]
        use = self.origins[(lost <= MAX_FILLED * lags) & (absent == 0)]
        if len(use) < 0.3 * len(self.origins):
            use = self.origins[(lost <= 0.5 * lags) & (absent <= MAX_FILLED * horizon)]
        z = rows_at(self.view, self.scales, self.layout, self.beside[column], column, use)
        targets = use[:, None] + np.arange(horizon)
        last = self.view.whole[use - 1, column][:, None]
        t = (self.view.whole[targets, column] - last) / self.scales.spread[column]
        return z, t, missing[targets]
