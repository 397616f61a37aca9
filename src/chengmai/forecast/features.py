"""What the network model sees of a panel at an origin: lags, season, profile, neighbours, phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chengmai.forecast.forecasters import Ints
from chengmai.forecast.gaps import filled
from chengmai.forecast.model import Floats

NEIGHBOUR_LAGS = (1, 2, 3, 6, 12, 24)
COMPANION_LAGS = (1, 3, 6, 12, 24)
MAX_FILLED = 0.25
"""Share of invented values above which a window teaches nothing."""
_FAR = 6.0
"""Spreads beyond which another series is no further off: a gauge that knows drizzle meets its first storm."""
_HINGES = (0.5, 1.0, 2.0)


@dataclass(frozen=True, eq=False)
class Layout:
    """Sizes: `lags` last values, `block` values one season before the targets (0 for none).

    `companions` is how many other quantities stand beside each series: features, never targets.
    """

    lags: int
    block: int
    horizon: int
    season: int
    day: int
    companions: int = 0

    @property
    def first(self) -> int:
        """The first origin that has all its features."""
        return max(self.lags, self.season if self.block else 0, NEIGHBOUR_LAGS[-1])


@dataclass(frozen=True, eq=False)
class Scales:
    """What a column is measured by, learnt from the training part only (all per column).

    `root` where the square root is modelled: counts and concentrations, whose spread grows with their level.
    """

    root: Floats
    middle: Floats
    mean: Floats
    spread: Floats
    high: Floats
    profile: Floats
    """Season x columns: what is usual at each phase, in the modelled unit."""


def modelled(panel: Floats, root: Floats) -> Floats:
    """Return the panel in the modelled unit."""
    rooted: Floats = np.where(root[None, :] > 0, np.sqrt(np.maximum(panel, 0.0)), panel)
    return rooted


def measured(values: Floats, root: Floats) -> Floats:
    """Return values (last axis: columns) of the modelled unit in the unit of the series."""
    squared: Floats = np.where(root > 0, np.maximum(values, 0.0) ** 2, values)
    return squared


@dataclass(frozen=True, eq=False)
class View:
    """A panel made ready: `known` with gaps, `whole` filled, both modelled; `usual` at every row and beyond.

    `apart` is how far each column is from its usual value, in its spread; `together` (rows x companions) the
    mean of that over the columns of a companion.
    """

    known: Floats
    whole: Floats
    usual: Floats
    apart: Floats
    together: Floats

    @classmethod
    def made(cls, known: Floats, whole: Floats, usual: Floats, scales: Scales, n: int) -> View:
        """Return the view of a panel that ends with `n` companions."""
        apart = (whole - usual[: len(whole)]) / scales.spread
        np.clip(apart, -_FAR, _FAR, out=apart)
        each = apart.reshape(len(apart), 1 + n, -1)
        return cls(known, whole, usual, apart, np.asarray(each[:, 1:].mean(axis=2)))

    @classmethod
    def of(cls, panel: Floats, scales: Scales, layout: Layout) -> View:
        """Return the view with the profile as it was learnt, of the columns that it was learnt for."""
        known = modelled(panel[:, : len(scales.root)], scales.root)
        rows = len(panel) + layout.horizon
        usual = scales.profile[np.arange(rows) % layout.season]
        whole = filled(known, layout.season, scales.middle)
        return cls.made(known, whole, usual, scales, layout.companions)


def own_rows(view: View, scales: Scales, layout: Layout, column: int, origins: Ints) -> Floats:
    """Return origins x features of one column, without its neighbours."""
    values, usual, spread = view.whole[:, column], view.usual[:, column], scales.spread[column]
    last = values[origins - 1][:, None]
    now = usual[origins - 1][:, None]
    ahead = origins[:, None] + np.arange(layout.horizon)
    apart = (last - now) / spread
    few = np.unique(np.linspace(0, layout.horizon - 1, 4).round().astype(int))
    level = (usual[ahead[:, few]] - scales.mean[column]) / spread
    parts: list[Any] = [
        (values[origins[:, None] + np.arange(-layout.lags, -1)] - last) / spread,
        (usual[ahead] - now) / spread,
        apart,
        (last - scales.mean[column]) / spread,
        level * apart,
        apart * np.abs(apart),
        *_bent((last - scales.high[column]) / spread, level),
        *_phases(origins, layout),
    ]
    if layout.block:
        before = origins[:, None] - layout.season + np.arange(layout.block)
        parts.append((values[before] - last) / spread)
    parts.append(np.ones((len(origins), 1)))
    return np.concatenate(parts, axis=1)


def _bent(over: Floats, level: Floats) -> list[Floats]:
    """Return what a line cannot say: congestion (far below the high) behaves otherwise than free flow."""
    bent = [np.asarray(np.minimum(over + hinge, 0.0)) for hinge in _HINGES]
    return [over * level, *bent]


def _phases(origins: Ints, layout: Layout) -> list[Floats]:
    """Return sine and cosine of the phase in the day (4 waves) and in the season (3)."""
    parts: list[Floats] = []
    for period, waves in ((layout.day, 4), (layout.season, 3)):
        if period > 2:
            turn = 2 * np.pi * (origins[:, None] % period) * np.arange(1, waves + 1) / period
            parts += [np.sin(turn), np.cos(turn)]
    return parts


def neighbour_rows(view: View, beside: Ints, origins: Ints) -> Floats:
    """Return origins x (lags x neighbours): how far each neighbour was from its usual value."""
    if not len(beside):
        return np.empty((len(origins), 0))
    at = origins[:, None] - np.array(NEIGHBOUR_LAGS)
    apart = view.apart[:, beside][at]
    return np.asarray(apart.reshape(len(origins), len(NEIGHBOUR_LAGS) * len(beside)))


def companion_rows(view: View, layout: Layout, column: int, origins: Ints) -> Floats:
    """Return what the companions of a column say: lately at its own place, everywhere, and over a day."""
    count = layout.companions
    if not count:
        return np.empty((len(origins), 0))
    at = origins[:, None] - np.array(COMPANION_LAGS)
    columns = view.apart.shape[1] // (1 + count)
    own = view.apart[:, columns + column :: columns]
    sums = np.concatenate([np.zeros((1, count)), np.cumsum(view.together, axis=0)])
    reach = COMPANION_LAGS[-1]
    day = (sums[origins] - sums[origins - reach]) / reach
    size = (len(origins), len(COMPANION_LAGS) * count)
    return np.concatenate([own[at].reshape(size), view.together[at].reshape(size), day], axis=1)


def profile_of(known: Floats, season: int, day: int) -> Floats:
    """Return season x columns: the mean of each phase, drawn towards the phase of the day, then the mean.

    Two to six samples a phase are noise; the daily shape is known from seven times as many.
    """
    sums, counts = _phase_sums(known, season)
    return _profile(sums, counts, _grand(known), season, day)


def profile_without(known: Floats, season: int, day: int) -> Floats:
    """Return rows x columns: the profile at each row, learnt without the cycle that holds the row.

    What a row itself taught must not stand among its features, or the model trusts the profile too much.
    """
    cycle = day or season
    grand = _grand(known)
    sums, counts = _phase_sums(known, season)
    out = np.empty_like(known)
    for start in range(0, len(known), cycle):
        rows = np.arange(start, min(start + cycle, len(known)))
        own = known[rows]
        finite = np.isfinite(own)
        less, fewer = sums.copy(), counts.copy()
        less[rows % season] -= np.where(finite, own, 0.0)
        fewer[rows % season] -= finite
        out[rows] = _profile(less, fewer, grand, season, day)[rows % season]
    return out


def _phase_sums(known: Floats, season: int) -> tuple[Floats, Floats]:
    cycles = -(-len(known) // season)
    padded = np.full((cycles * season, known.shape[1]), np.nan)
    padded[: len(known)] = known
    folded = padded.reshape(cycles, season, known.shape[1])
    finite = np.isfinite(folded)
    return np.where(finite, folded, 0.0).sum(axis=0), finite.sum(axis=0).astype(np.float64)


def _profile(sums: Floats, counts: Floats, grand: Floats, season: int, day: int) -> Floats:
    prior: Floats = np.broadcast_to(grand, sums.shape)
    if day and season % day == 0:
        shape = (season // day, day, sums.shape[1])
        total, count = sums.reshape(shape).sum(axis=0), counts.reshape(shape).sum(axis=0)
        prior = np.tile(_smooth((total + grand) / (count + 1.0)), (season // day, 1))
        return np.asarray((sums + 3.0 * prior) / (counts + 3.0))
    return _smooth((sums + prior) / (counts + 1.0))


def _smooth(profile: Floats) -> Floats:
    """Return the profile as a moving mean over about half an hour of a day either side."""
    width = len(profile) // 96
    if not width:
        return profile
    rolled = sum(np.roll(profile, by, axis=0) for by in range(-width, width + 1))
    return np.asarray(rolled / (2 * width + 1))


def _grand(known: Floats) -> Floats:
    finite = np.isfinite(known)
    return np.asarray(np.where(finite, known, 0.0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1))
