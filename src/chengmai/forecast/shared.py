"""Long horizons and many series: ridge maps that all series of a panel share.

An equal-weight mean of members: a long and a short look-back, each under three normalisations (minus the last
value, minus the mean, mean and standard deviation) and as a sparse map shared by the phases of the day. Equal
weights, because members picked on validation data did worse when measured. No profile and no phase enters, so
the map fits any series of the same kind, also one that it was not taught.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from chengmai.forecast.forecasters import EVERY, Ints, Predictor
from chengmai.forecast.gaps import filled, middles
from chengmai.forecast.model import Floats

Singles = npt.NDArray[np.float32]
_DAYS = (14, 30)
_LONGEST = 720
_FLOOR = 0.1
"""Least spread of a window, as a share of the usual: a flat window would blow up its neighbours."""
_CHUNK = 4096


@dataclass(frozen=True)
class SharedRidge:
    """The model; `day` is the number of steps of a day, or of the season when that is no longer.

    `most_rows` windows are learnt from, taken evenly from all series; `penalty` is the ridge as a share of
    the mean feature energy.
    """

    day: int
    penalty: float = 0.5
    sparse_penalty: float = 0.01
    most_rows: int = 60_000
    name: str = "shared_ridge"
    version: str = "1"

    def fit(self, panel: Floats, horizon: int, season: int) -> Predictor | None:
        backs = self._lookbacks(len(panel), horizon, panel.shape[1])
        if not backs or not np.isfinite(panel).any():
            return None
        spread = _spread(panel)
        middle = middles(panel)
        whole = (filled(panel, season, middle) / spread).astype(np.float32)
        known = np.isfinite(panel)
        maps = tuple(self._taught(whole, known, back, horizon) for back in backs)
        return Shared(horizon, season, self.day, middle, spread, maps)

    def _lookbacks(self, rows: int, horizon: int, columns: int) -> list[int]:
        """Return which look-backs the past can teach: windows enough for their unknowns."""
        backs = []
        for days in _DAYS:
            back = min(days * self.day, _LONGEST - _LONGEST % self.day)
            windows = rows - back - horizon + 1
            if back and windows >= max(horizon, back // 4) and windows * columns >= 2 * back:
                backs.append(back)
        return sorted(set(backs))

    def _taught(
        self, whole: Singles, known: npt.NDArray[np.bool_], back: int, horizon: int
    ) -> SharedMap:
        x, y = _windows(whole, known, back, horizon, self.most_rows)
        last, mean = x[:, -1:], x.mean(axis=1, keepdims=True)
        spread = np.maximum(x.std(axis=1, keepdims=True), _FLOOR)
        eye = np.eye(back, dtype=np.float32)
        minus_last, minus_mean = eye.copy(), eye - np.float32(1 / back)
        minus_last[-1, :] -= 1.0
        to_last = np.zeros((back, horizon), dtype=np.float32)
        to_last[-1, :] = 1.0
        to_mean = np.full((back, horizon), 1 / back, dtype=np.float32)
        straight = (
            minus_last @ self._solve(x - last, y - last)
            + to_last
            + minus_mean @ self._solve(x - mean, y - mean)
            + to_mean
            + minus_mean @ self._sparse(x - mean, y - mean)
            + to_mean
        )
        scaled = self._solve((x - mean) / spread, (y - mean) / spread)
        return SharedMap(back, (straight / 4).astype(np.float32), (scaled / 4).astype(np.float32))

    def _solve(self, z: Singles, t: Singles, penalty: float | None = None) -> Singles:
        gram = (z.T @ z).astype(np.float64)
        share = self.penalty if penalty is None else penalty
        size = share * float(np.trace(gram)) / len(gram) + 1e-9
        rhs = (z.T @ t).astype(np.float64)
        return np.linalg.solve(gram + size * np.eye(len(gram)), rhs).astype(np.float32)

    def _sparse(self, z: Singles, t: Singles) -> Singles:
        """Return the map from days to days that every phase shares, as one large map.

        Its features are the same phase of each day, plain and as a mean over a quarter of a day either
        side (after Lin et al. 2024, SparseTSF).
        """
        day, (back, horizon) = self.day, (z.shape[1], t.shape[1])
        whole_days, ahead = back // day, -(-horizon // day)
        smooth = _smoother(back, day // 4)
        stride = max(1, len(z) // max(1, self.most_rows // (4 * day)))
        z, t = z[::stride], t[::stride]
        soft = z @ smooth
        features = np.concatenate(
            [
                one[:, back - whole_days * day :].reshape(len(z), whole_days, day)
                for one in (z, soft)
            ],
            axis=1,
        )
        reach = np.full((len(t), ahead * day), np.nan, dtype=np.float32)
        reach[:, :horizon] = t
        targets = reach.reshape(len(t), ahead, day)
        flat = features.transpose(0, 2, 1).reshape(-1, 2 * whole_days)
        goal = targets.transpose(0, 2, 1).reshape(-1, ahead)
        use = np.isfinite(goal).all(axis=1)
        enough = use.sum() >= flat.shape[1]
        solved = self._solve(flat[use], goal[use], self.sparse_penalty) if enough else None
        dense = np.zeros((2, back, ahead * day), dtype=np.float32)
        if solved is not None:
            for phase in range(day):
                rows = back - whole_days * day + phase + day * np.arange(whole_days)
                for part in range(2):
                    some = solved[part * whole_days : (part + 1) * whole_days]
                    dense[part][np.ix_(rows, phase + day * np.arange(ahead))] = some
        both: Singles = (dense[0] + smooth @ dense[1])[:, :horizon]
        return both


@dataclass(frozen=True, eq=False)
class SharedMap:
    """All members of one look-back: their linear ones together, and the one that divides by the spread."""

    back: int
    straight: Singles
    scaled: Singles

    def ahead(self, windows: Singles) -> Singles:
        """Return what follows windows of `back` values, each horizon long."""
        mean = windows.mean(axis=1, keepdims=True)
        spread = np.maximum(windows.std(axis=1, keepdims=True), _FLOOR)
        scaled = ((windows - mean) / spread) @ self.scaled * spread + mean / 4
        made: Singles = windows @ self.straight + scaled
        return made


@dataclass(frozen=True, eq=False)
class Shared:
    """The fitted model; a column that was not taught is measured by its own spread in the window."""

    horizon: int
    season: int
    day: int
    middle: Floats
    spread: Floats
    maps: tuple[SharedMap, ...]

    @property
    def back(self) -> int:
        return max(one.back for one in self.maps)

    def at(self, panel: Floats, origins: Ints, columns: slice = EVERY) -> Floats:
        made = np.full((len(origins), self.horizon, panel[:1, columns].shape[1]), np.nan)
        able = np.flatnonzero(origins >= self.back)
        if not len(able):
            return made
        begin = int(origins[able].min()) - self.back
        # What is filled may look back one season more than the windows do.
        begin = max(0, begin - self.season)
        seen = filled(panel[begin:, columns], self.season, self.middle[columns])
        spread = self.spread[columns]
        for row in able:
            end = int(origins[row]) - begin
            windows = (seen[end - self.back : end] / spread).T.astype(np.float32)
            made[row] = self.follow(windows).T * spread
        return made

    def follow(self, windows: Singles) -> Singles:
        """Return what follows each window (windows x at least `back` steps, in units of the spread)."""
        made = np.zeros((len(windows), self.horizon), dtype=np.float32)
        for start in range(0, len(windows), _CHUNK):
            some = windows[start : start + _CHUNK]
            for one in self.maps:
                made[start : start + _CHUNK] += one.ahead(some[:, -one.back :])
        return (made / len(self.maps)).astype(np.float32)

    def state(self) -> Mapping[str, Any]:
        return {
            "horizon": self.horizon,
            "season": self.season,
            "day": self.day,
            "middle": self.middle,
            "spread": self.spread,
            "maps": [vars(one) for one in self.maps],
        }


def _spread(panel: Floats) -> Floats:
    finite = np.isfinite(panel)
    count = np.maximum(finite.sum(axis=0), 1)
    mean = np.where(finite, panel, 0.0).sum(axis=0) / count
    spread = np.sqrt((np.where(finite, panel - mean, 0.0) ** 2).sum(axis=0) / count)
    return np.asarray(np.where(spread > 1e-12, spread, 1.0))


def _windows(
    whole: Singles, known: npt.NDArray[np.bool_], back: int, horizon: int, most: int
) -> tuple[Singles, Singles]:
    """Return windows and what followed them, evenly from all columns; only where what followed is known."""
    rows, columns = whole.shape
    count = rows - back - horizon + 1
    stride = max(1, round(count * columns / most))
    gone = np.concatenate([np.zeros((1, columns)), np.cumsum(~known, axis=0)])
    picked = np.arange(0, count * columns, stride)
    # One column after the other, each from another start: a stride of days would see one hour only.
    column, start = picked // count, picked % count
    whole_targets = gone[start + back + horizon, column] == gone[start + back, column]
    lost = gone[start + back, column] - gone[start, column]
    use = whole_targets & (lost <= 0.25 * back)
    column, start = column[use], start[use]
    x = np.lib.stride_tricks.sliding_window_view(whole, back, axis=0)[start, column]
    y = np.lib.stride_tricks.sliding_window_view(whole, horizon, axis=0)[start + back, column]
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def _smoother(back: int, width: int) -> Singles:
    """Return the matrix that takes a moving mean of `width` steps either side, shorter at the ends."""
    at = np.arange(back)
    near = np.abs(at[:, None] - at[None, :]) <= width
    mean: Singles = (near / near.sum(axis=0, keepdims=True)).astype(np.float32)
    return mean
