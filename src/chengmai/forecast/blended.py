"""Tier C: the equal mean of the network ridge and small neural networks that see the same features.

One network serves all series of the panel, each measured by its own spread. The ridge is straight and knows
each series; the networks bend and know what all have in common; their mean beats each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chengmai.forecast.features import Scales
from chengmai.forecast.forecasters import EVERY, Ints, Predictor
from chengmai.forecast.model import Floats
from chengmai.forecast.network import Lesson, Network, NetworkRidge, ahead_by
from chengmai.forecast.perceptron import Perceptron, Singles, taught

_FEWEST = 3_000
"""Rows below which a network learns the noise."""
_NAMED = 16
"""Series up to which each has a feature of its own."""
_FAR = 6.0


@dataclass(frozen=True)
class NetworkBlend:
    """The model: `ridge` says what is seen and which error counts; `seeds` one network each.

    `most_rows` rows teach the networks, taken evenly from all series.
    """

    ridge: NetworkRidge
    seeds: tuple[int, ...] = (0, 1)
    most_rows: int = 200_000
    name: str = "blend"
    version: str = "1"
    refits: int = 1
    """How often a trial may fit it; the others may be fitted for every block of origins."""

    @property
    def companions(self) -> int:
        return self.ridge.companions

    def fit(self, panel: Floats, horizon: int, season: int) -> Predictor | None:
        if panel.size < _FEWEST * (1 + self.companions):
            return None
        lesson = self.ridge.lesson(panel, horizon, season)
        network = None if lesson is None else lesson.network()
        if lesson is None or network is None:
            return None
        x, y, heavy = self._rows(lesson)
        if len(x) < _FEWEST:
            return None
        middle, spread = x.mean(axis=0), x.std(axis=0) + np.float32(1e-3)
        seen = _seen(x, middle, spread)
        weights = None if self.ridge.robust else heavy
        nets = tuple(taught(seen, y, weights, seed) for seed in self.seeds)
        return Blended(network, nets, middle, spread)

    def _rows(self, lesson: Lesson) -> tuple[Singles, Singles, Singles]:
        """Return features, targets (NaN where unknown) and weights of rows from all columns."""
        columns = len(lesson.beside)
        stride = max(1, -(-len(lesson.origins) * columns // self.most_rows))
        parts: list[tuple[Floats, Floats, Floats]] = []
        for column in range(columns):
            z, t, missing = lesson.rows(column)
            some = slice(column % stride, None, stride)
            t = np.where(missing, np.nan, t)[some]
            heavy = np.full(len(t), lesson.scales.spread[column] ** 2)
            parts.append((_named(z[some], lesson.scales, column, columns), t, heavy))
        x, y, heavy = (np.concatenate(one).astype(np.float32) for one in zip(*parts, strict=True))
        return x, y, heavy / max(float(heavy.mean()), 1e-12) if len(heavy) else heavy


@dataclass(frozen=True, eq=False)
class Blended:
    """The fitted model: the ridge maps, the networks, and what their features are measured by."""

    network: Network
    nets: tuple[Perceptron, ...]
    middle: Singles
    spread: Singles

    @property
    def companions(self) -> int:
        return self.network.companions

    def at(self, panel: Floats, origins: Ints, columns: slice = EVERY) -> Floats:
        count, scales = len(self.network.beside), self.network.scales

        def mean(column: int, z: Floats) -> Floats:
            x = _named(z, scales, column, count).astype(np.float32)
            x = _seen(x, self.middle, self.spread)
            total = z @ self.network.weights[column]
            for net in self.nets:
                total = total + net.ahead(x)
            return np.asarray(total / (1 + len(self.nets)))

        return ahead_by(self.network, panel, origins, columns, mean)

    def state(self) -> Mapping[str, Any]:
        return {
            "network": self.network.state(),
            "nets": [net.state() for net in self.nets],
            "middle": self.middle,
            "spread": self.spread,
        }


def _named(z: Floats, scales: Scales, column: int, columns: int) -> Floats:
    """Return features with what tells a series from the others: its scale, and itself where they are few."""
    usual = float(scales.spread[:columns].mean())
    told = [scales.spread[column] / usual, scales.mean[column] / scales.spread[column]]
    if columns <= _NAMED:
        told += [float(column == one) for one in range(columns)]
    return np.concatenate([z, np.tile(told, (len(z), 1))], axis=1)


def _seen(x: Singles, middle: Singles, spread: Singles) -> Singles:
    """Return features in their own spreads; what is far beyond all that taught is held back."""
    near: Singles = np.clip((x - middle) / spread, -_FAR, _FAR)
    return near
