"""Sets of numbers that are given out one after the other, as bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class NumberSet:
    """A growing set of numbers of series."""

    def __init__(self) -> None:
        self._are_in = np.zeros(0, dtype=np.bool_)

    def has(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return of each number whether it is in the set."""
        self._reach(numbers)
        return self._are_in[numbers]

    def add(self, numbers: NDArray[np.int64]) -> None:
        """Put some into the set."""
        self._reach(numbers)
        self._are_in[numbers] = True

    def add_below(self, number: int) -> None:
        """Put all smaller ones into the set."""
        if number > 0:
            self._reach(np.array([number]))
            self._are_in[:number] = True

    def _reach(self, numbers: NDArray[np.int64]) -> None:
        short = int(numbers.max(initial=-1)) + 1 - len(self._are_in)
        if short > 0:
            more = np.zeros(max(short, len(self._are_in) // 2), dtype=np.bool_)
            self._are_in = np.concatenate([self._are_in, more])
