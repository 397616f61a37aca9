"""Tier B and its network form: a ridge map per series, drawn towards one that all series of the panel share.

Features are the series' own lags, its profile now and at the targets, its last season, and how far the
neighbours were from what is usual for them (`features`). Pooled first, then fitted per series with the pooled
map as prior: a road network of four days would overfit 200 maps of its own, and one map for all is too stiff.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chengmai.forecast.features import (
    MAX_FILLED,
    NEIGHBOUR_LAGS,
    Layout,
    Scales,
    View,
    measured,
    modelled,
    neighbour_rows,
    own_rows,
    profile_of,
    profile_without,
)
from chengmai.forecast.forecasters import EVERY, Ints, Predictor
from chengmai.forecast.gaps import filled, middles
from chengmai.forecast.model import Floats
from chengmai.forecast.solving import LEAST_ROWS, Products, robust_weights

_LONGEST = 72
_FEWEST_NEIGHBOURS = 2


@dataclass(frozen=True)
class NetworkRidge:
    """The model; `day` is the number of steps of a day when that is a shorter season, else 0.

    `neighbours` most correlated columns are looked at (none when 0). `robust` aims at the absolute error and
    models the square root of what is never negative; otherwise the squared error of the plain value.
    `prior_rows` is how many rows of its own a series needs to weigh as much as the pooled map.
    """

    day: int = 0
    neighbours: int = 8
    robust: bool = True
    lags: int = 48
    penalty: float = 0.005
    prior_rows: float = 4000.0
    name: str = "ridge"
    version: str = "2"

    def fit(self, panel: Floats, horizon: int, season: int) -> Predictor | None:
        lags = min(self.lags, max(8, len(panel) // 20))
        block = horizon if season > lags and season > self.day else 0
        layout = Layout(lags, min(block, season), horizon, season, self.day)
        origins = np.arange(layout.first, len(panel) - horizon + 1, dtype=np.int64)
        if horizon > _LONGEST or len(origins) < max(40, lags) or not np.isfinite(panel).any():
            return None
        scales = _scales(self, panel, layout)
        known = modelled(panel, scales.root)
        usual = profile_without(known, season, self.day)
        tail = scales.profile[np.arange(len(panel), len(panel) + horizon) % season]
        whole = filled(known, season, scales.middle)
        view = View(known, whole, np.concatenate([usual, tail]))
        beside = _beside(known - usual, self.neighbours)
        weights = _Teacher(self, layout, scales, view, beside, origins).weights()
        return None if weights is None else Network(layout, scales, beside, weights)


@dataclass(frozen=True, eq=False)
class Network:
    """The fitted model: for each column its neighbours (columns x count) and features x horizon weights."""

    layout: Layout
    scales: Scales
    beside: Ints
    weights: Floats

    def at(self, panel: Floats, origins: Ints, columns: slice = EVERY) -> Floats:
        view = View.of(panel, self.scales, self.layout)
        chosen = np.arange(panel.shape[1])[columns]
        made = np.full((len(origins), self.layout.horizon, len(chosen)), np.nan)
        able = np.flatnonzero(origins >= self.layout.first)
        for place, column in enumerate(chosen):
            z = _rows(view, self.scales, self.layout, self.beside[column], column, origins[able])
            last = view.whole[origins[able] - 1, column][:, None]
            ahead = z @ self.weights[column] * self.scales.spread[column] + last
            made[able, :, place] = measured(ahead, self.scales.root[column])
        return made

    def state(self) -> Mapping[str, Any]:
        return {
            "layout": vars(self.layout),
            "scales": vars(self.scales),
            "beside": self.beside,
            "weights": self.weights,
        }


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


def _rows(
    view: View, scales: Scales, layout: Layout, beside: Ints, column: int, origins: Ints
) -> Floats:
    own = own_rows(view, scales, layout, column, origins)
    return np.concatenate([own, neighbour_rows(view, scales, beside, origins)], axis=1)


@dataclass(frozen=True, eq=False)
class _Teacher:
    model: NetworkRidge
    layout: Layout
    scales: Scales
    view: View
    beside: Ints
    origins: Ints

    def weights(self) -> Floats | None:
        """Return columns x features x horizon; None when no column has enough complete rows."""
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
            z, t = self._taught(column, prior)
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
        return -1 - int(self.beside.shape[1]) * len(NEIGHBOUR_LAGS)

    def _own(self, products: Products, pooled: Floats) -> Floats:
        if len(self.beside) == 1 or products.rows < LEAST_ROWS:
            return pooled
        energy = np.diag(products.gram) / products.rows
        return products.solve(self.model.prior_rows * np.maximum(energy, 1e-6), pooled)

    def _taught(self, column: int, prior: Floats | None) -> tuple[Floats, Floats]:
        """Return features and targets of the origins whose targets are known and windows mostly are.

        Where readings are missing here and there, rows with some unknown targets are taken too; these
        become what the model itself expects (`prior`), which teaches nothing (Dempster et al. 1977).
        """
        missing = np.isnan(self.view.known[:, column])
        gone = np.concatenate([[0], np.cumsum(missing)])
        lags, horizon = self.layout.lags, self.layout.horizon
        lost = gone[self.origins] - gone[self.origins - lags]
        absent = gone[self.origins + horizon] - gone[self.origins]
        use = self.origins[(lost <= MAX_FILLED * lags) & (absent == 0)]
        if len(use) < 0.3 * len(self.origins):
            use = self.origins[(lost <= 0.5 * lags) & (absent <= MAX_FILLED * horizon)]
        z = _rows(self.view, self.scales, self.layout, self.beside[column], column, use)
        ahead = self.view.whole[use[:, None] + np.arange(horizon), column]
        last = self.view.whole[use - 1, column][:, None]
        t = (ahead - last) / self.scales.spread[column]
        if prior is not None:
            t = np.where(missing[use[:, None] + np.arange(horizon)], z @ prior, t)
        return z, t
