"""The scoring of the Numenta Anomaly Benchmark, written from its published formula.

Lavin & Ahmad (2015), "Evaluating Real-Time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark",
section III, standard profile. One threshold for the whole corpus. The first detection inside a window counts,
by how early it is; every detection outside costs, by how far it lies behind the window before it; a window
without detection costs one. 0 is a detector that says nothing, 100 one that is right at the first instant.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chengmai.forecast.model import Floats

FALSE_POSITIVE = 0.11
"""Weight of a false alarm in the standard profile; true positives and misses weigh one."""
PROBATION = 0.15
_PROBATION_ROWS = 5000


@dataclass(frozen=True, eq=False)
class Scored:
    """A file: its scores row by row, and its windows as (first row, last row)."""

    name: str
    scores: Floats
    windows: Sequence[tuple[int, int]]

    @property
    def probation(self) -> int:
        """Rows at the beginning that are not judged."""
        return probation_rows(len(self.scores))


def probation_rows(rows: int) -> int:
    """Return how many rows are not judged: 15 % of the file, counted to 5,000 rows at most."""
    return math.floor(PROBATION * min(rows, _PROBATION_ROWS))


def sigmoid(position: float) -> float:
    """Return the worth of a detection at a relative position: -1 at the window's start, 0 at its end.

    2 / (1 + e^(5 y)) - 1 (equation 1); beyond three windows' lengths nothing but the full cost is left.
    """
    return -1.0 if position > 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def weights_of(file: Scored) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return what a detection at each row is worth, and the window each row lies in (-1 for none)."""
    worth = np.empty(len(file.scores))
    inside = np.full(len(file.scores), -1, dtype=np.int64)
    best = sigmoid(-1.0)
    for number, (first, last) in enumerate(file.windows):
        inside[first : last + 1] = number
    before: tuple[int, int] | None = None
    for row, number in enumerate(inside.tolist()):
        if number >= 0:
            first, last = file.windows[number]
            worth[row] = sigmoid(-(last - row + 1) / (last - first + 1)) / best
            before = file.windows[number]
        elif before is None:
            worth[row] = -FALSE_POSITIVE
        else:
            far = (row - before[1]) / max(1, before[1] - before[0])
            worth[row] = sigmoid(far) * FALSE_POSITIVE
    worth[: file.probation] = 0.0
    return worth, inside


def raw_score(file: Scored, threshold: float) -> float:
    """Return the file's sum at a threshold: detections' worth, less one for every window missed."""
    worth, inside = weights_of(file)
    return _raw(file, worth, inside, threshold)


def _raw(
    file: Scored,
    worth: Floats,
    inside: np.ndarray[tuple[int], np.dtype[np.int64]],
    threshold: float,
) -> float:
    detected = file.scores >= threshold
    detected[: file.probation] = False
    total = float(worth[detected & (inside < 0)].sum())
    for number in range(len(file.windows)):
        hits = np.flatnonzero(detected & (inside == number))
        total += float(worth[hits].max()) if len(hits) else -1.0
    return total


def normalised(raw: float, windows: int) -> float:
    """Return the score between the null detector's (every window missed) and the perfect one's."""
    return 100.0 * (raw + windows) / (2.0 * windows)


class Corpus:
    """Files scored together. `raw[t]` of a file at each of the candidate thresholds is worked out once."""

    def __init__(self, files: Iterable[Scored], thresholds: Sequence[float]) -> None:
        self.files, self.thresholds = list(files), list(thresholds)
        self._raw: Mapping[str, Floats] = {file.name: self._sweep(file) for file in self.files}

    def _sweep(self, file: Scored) -> Floats:
        worth, inside = weights_of(file)
        return np.array([_raw(file, worth, inside, at) for at in self.thresholds])

    def windows(self, names: Iterable[str]) -> int:
        """Return how many windows the named files have."""
        asked = set(names)
        return sum(len(file.windows) for file in self.files if file.name in asked)

    def totals(self, names: Iterable[str]) -> Floats:
        """Return the raw sum of the named files at each threshold."""
        total: Floats = np.sum([self._raw[name] for name in names], axis=0)
        return total

    def best(self, names: Sequence[str]) -> int:
        """Return which threshold is the best for the named files (the benchmark's own way of choosing)."""
        return int(self.totals(names).argmax())
