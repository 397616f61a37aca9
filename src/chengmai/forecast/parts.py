"""What the detector is made of: small causal measures of one series, each bounded in memory.

Every measure has `of(value)`, which looks without learning, and `learn(value)`, which moves on by one step.
What came later can never change what was said before.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

_HALF_LIFE = 20_000
_CAP = 100.0
_KEEP = 4096


@dataclass
class Tail:
    """The running upper quantile of a measure: its `share` of largest values, and no more, is kept.

    After 20,000 values every second one is forgotten, so that the measure follows the years and stays small.
    """

    share: float
    n: int = 0
    top: list[float] = field(default_factory=list)

    def learn(self, value: float) -> None:
        """Take in one value."""
        n, top = self.n + 1, self.top
        self.n = n
        if len(top) <= self.share * n:
            insort(top, value)
        elif value > top[0]:
            insort(top, value)
            del top[0]
        if n >= _HALF_LIFE:
            self.n, self.top = n // 2, top[::2]

    def ratio(self, value: float) -> float:
        """Return the value as a multiple of the quantile, a hundred at most; zero while nothing is known."""
        top = self.top
        if top and (reach := top[0]) > 1e-12:
            ratio = value / reach
            return ratio if ratio < _CAP else _CAP
        return 2.0 if self.n and value > 1e-12 else 0.0


@dataclass
class Nearest:
    """The distance to the nearest value ever seen (of the last 4,096)."""

    order: deque[float] = field(default_factory=deque)
    seen: list[float] = field(default_factory=list)

    def of(self, value: float) -> float:
        """Return the distance; zero when nothing was seen."""
        seen = self.seen
        if not seen:
            return 0.0
        at = bisect_left(seen, value)
        if at == len(seen):
            return value - seen[-1]
        above = seen[at] - value
        if at == 0:
            return above
        below = value - seen[at - 1]
        return above if above < below else below

    def learn(self, value: float) -> None:
        """Take in one value."""
        seen, order = self.seen, self.order
        insort(seen, value)
        order.append(value)
        if len(order) > _KEEP:
            del seen[bisect_left(seen, order.popleft())]


class Shapes:
    """The distance of the last `length` values to the nearest such window before: a course never seen.

    Manhattan distance, levels not removed (a left discord). Windows that overlap the last one by more than
    half do not count; `keep` windows are kept.
    """

    SCRATCH = frozenset({"_gaps", "_sums"})
    """What is written anew at every value, and no part of what was learnt."""

    def __init__(self, length: int, keep: int) -> None:
        self.length, self.keep = length, keep
        self._lag = length // 2
        self._span = length + self._lag
        self._buffer = np.zeros(8 * self._span, dtype=np.float32)
        self._at = 0
        self._windows: npt.NDArray[np.float32] = np.zeros((length, keep), dtype=np.float32)
        self._gaps = np.zeros_like(self._windows)
        self._sums = np.zeros(keep, dtype=np.float32)
        self._stored = 0
        self._n = 0
        self._offset = 0.0

    def of(self, value: float) -> float:
        """Return the distance of the window that would end with this value."""
        count = min(self._stored, self.keep)
        if count == 0:
            return 0.0
        self._buffer[self._at] = value - self._offset
        window = self._buffer[self._at - self.length + 1 : self._at + 1]
        # In place: a new array at every value would cost as much as the sums.
        windows, gaps, sums = self._windows, self._gaps, self._sums
        if count < self.keep:
            windows, gaps, sums = windows[:, :count], gaps[:, :count], sums[:count]
        np.subtract(windows, window[:, None], out=gaps)
        np.abs(gaps, out=gaps)
        np.add.reduce(gaps, axis=0, out=sums)
        return float(np.minimum.reduce(sums))

    def learn(self, value: float) -> None:
        """Take in one value."""
        if self._n == 0:
            # Small numbers keep their digits in 32 bits.
            self._offset = value
        self._buffer[self._at] = value - self._offset
        self._n += 1
        if self._n >= self._span:
            end = self._at - self._lag + 1
            self._windows[:, self._stored % self.keep] = self._buffer[end - self.length : end]
            self._stored += 1
        self._at += 1
        if self._at == len(self._buffer):
            self._buffer[: self._span] = self._buffer[-self._span :]
            self._at = self._span


@dataclass
class Rolling:
    """The mean of the last `size` values."""

    size: int
    values: deque[float] = field(default_factory=deque)
    total: float = 0.0

    def of(self, value: float) -> float | None:
        """Return the mean with this value as the last; None while there are too few."""
        values, size = self.values, self.size
        known = len(values)
        if known == size:
            return (self.total - values[0] + value) / size
        return (self.total + value) / size if known == size - 1 else None

    def learn(self, value: float) -> None:
        """Take in one value."""
        values = self.values
        values.append(value)
        self.total += value
        if len(values) > self.size:
            self.total -= values.popleft()
