"""Aggregates of a column of numbers, the same to the last bit as `ngsild.aggregates` makes of its instances.

Sums are rounded once (`fsum`), whatever their order; what numpy does here has one right answer as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, isfinite, nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chengmai.kernel.instants import format_us

_SECOND = 1_000_000
_EXACT = 2.0**53
_Bounds = list[tuple[int, int]]


def folded(
    at_us: NDArray[np.int64],
    values: NDArray[np.float64],
    methods: Sequence[str],
    period: int,
    start: int | None,
    end: int | None,
) -> dict[str, list[list[Any]]]:
    """Return what `ngsild.aggregates.aggregate` returns of these numbers; `at_us` ascends."""
    if not len(at_us):
        return {method: [] for method in methods}
    last = int(at_us[-1]) if end is None else end
    # A zero has no sign where whole numbers are shown.
    return _folded(at_us, last, _Column(values + 0.0), _METHOD, methods, period, start)


def folded_sums(
    sums: Sums, methods: Sequence[str], period: int, start: int | None, end: int | None
) -> dict[str, list[list[Any]]]:
    """Return what `folded` returns of the numbers in the sums, each of which lies in one period.

    The deviation is reckoned from sums, and less exact for it; how many values differ is not known.
    """
    last = int(sums.last_us.max()) if end is None else end
    return _folded(sums.first_us, last, sums, _METHOD_OF_SUMS, methods, period, start)


def _folded(
    at_us: NDArray[np.int64],
    last: int,
    column: Any,
    known: Mapping[str, Callable[[Any], list[Any]]],
    methods: Sequence[str],
    period: int,
    start: int | None,
) -> dict[str, list[list[Any]]]:
    origin = int(at_us[0]) if start is None else start
    buckets = (at_us - origin) // period if period else np.zeros(len(at_us), np.int64)
    first = np.flatnonzero(np.diff(buckets, prepend=buckets[0] - 1))
    column.divide(buckets, first)
    since = origin + buckets[first] * period
    until = since + period if period else np.full(len(since), last)
    starts, ends = _texts(since), _texts(until)
    made = {}
    for method in methods:
        with np.errstate(all="ignore"):  # what no float can hold is left out below
            results = known[method](column)
        made[method] = [
            [result, begin, finish]
            for result, begin, finish in zip(results, starts, ends, strict=True)
            if isfinite(result)
        ]
    return made


class _Column:
    """Numbers, and at which of them each bucket begins."""

    def __init__(self, values: NDArray[np.float64]) -> None:
        self.values = values

    def divide(self, buckets: NDArray[np.int64], first: NDArray[np.int64]) -> None:
        """Take in which bucket each number is in, and where each begins."""
        self.buckets = buckets
        self.first = first
        self.counts = np.diff(first, append=len(self.values))

    def sums(self, values: NDArray[np.float64]) -> list[float]:
        """Return the sum of each bucket of some column, rounded once; nan where it has none."""
        if len(self.first) == len(values):
            return _listed(values)
        # Whole numbers whose sum a float holds are added without any rounding.
        if np.abs(values).sum() < _EXACT and not np.any(values % 1):
            return _listed(np.add.reduceat(values, self.first))
        listed = _listed(values)
        bounds = zip(self.first.tolist(), (self.first + self.counts).tolist(), strict=True)
        return [_sum(listed[begin:end]) for begin, end in bounds]

    def means(self) -> list[float]:
        """Return the mean of each bucket."""
        counts = self.counts.tolist()
        return [a / b for a, b in zip(self.sums(self.values), counts, strict=True)]


@dataclass
class Sums:
    """What stretches of time sum up to, in order of time; all arrays are of one length.

    `terms` and `squares` have several columns: what is in a row of them adds up exactly to the sum of the
    numbers, or of their squares.
    """

    first_us: NDArray[np.int64]
    last_us: NDArray[np.int64]
    n: NDArray[np.int64]
    least: NDArray[np.float64]
    greatest: NDArray[np.float64]
    terms: NDArray[np.float64]
    squares: NDArray[np.float64]

    def divide(self, _buckets: NDArray[np.int64], first: NDArray[np.int64]) -> None:
        """Take in where each bucket begins."""
        self.first = first
        self.counts: NDArray[np.int64] = np.add.reduceat(self.n, first)

    def sums(self, terms: NDArray[np.float64]) -> list[float]:
        """Return the sum of each bucket, rounded once."""
        bounds = np.append(self.first, len(terms)) * terms.shape[1]
        listed = _listed(terms.ravel())
        return [_sum(listed[begin:end]) for begin, end in pairwise(bounds.tolist())]

    def means(self) -> list[float]:
        """Return the mean of each bucket."""
        return [a / b for a, b in zip(self.sums(self.terms), self.counts.tolist(), strict=True)]

    def deviations(self) -> list[float]:
        """Return the deviation of each bucket, as far as sums tell it."""
        counts, squares = self.counts.tolist(), self.sums(self.squares)
        told = zip(squares, self.means(), counts, strict=True)
        return [sqrt(max(0.0, square / n - mean * mean)) for square, mean, n in told]


def _sum(values: list[float]) -> float:
    try:
        return fsum(values)
    except (OverflowError, ValueError):
        return float("nan")


def _listed(values: NDArray[Any]) -> list[Any]:
    made: list[Any] = values.tolist()
    return made


def _squares(column: _Column) -> list[float]:
    return column.sums(column.values * column.values)


def _deviations(column: _Column) -> list[float]:
    away = column.values - np.repeat(np.array(column.means()), column.counts)
    squares = column.sums(away * away)
    counts = column.counts.tolist()
    return [sqrt(a / b) for a, b in zip(squares, counts, strict=True)]


def _distinct(column: _Column) -> list[int]:
    order = np.lexsort((column.values, column.buckets))
    values, buckets = column.values[order], column.buckets[order]
    new = np.ones(len(values), np.int64)
    new[1:] = (np.diff(values) != 0) | (np.diff(buckets) != 0)
    return _listed(np.add.reduceat(new, column.first))


def _least(column: _Column) -> list[float]:
    return _listed(np.minimum.reduceat(column.values, column.first))


def _greatest(column: _Column) -> list[float]:
    return _listed(np.maximum.reduceat(column.values, column.first))


_METHOD: dict[str, Callable[[_Column], list[Any]]] = {
    "totalCount": lambda column: _listed(column.counts),
    "distinctCount": _distinct,
    "sum": lambda column: column.sums(column.values),
    "avg": lambda column: column.means(),
    "min": _least,
    "max": _greatest,
    "stddev": _deviations,
    "sumsq": _squares,
}
_METHOD_OF_SUMS: dict[str, Callable[[Sums], list[Any]]] = {
    "totalCount": lambda sums: _listed(sums.counts),
    "distinctCount": lambda sums: [nan] * len(sums.first),
    "sum": lambda sums: sums.sums(sums.terms),
    "avg": lambda sums: sums.means(),
    "min": lambda sums: _listed(np.minimum.reduceat(sums.least, sums.first)),
    "max": lambda sums: _listed(np.maximum.reduceat(sums.greatest, sums.first)),
    "stddev": lambda sums: sums.deviations(),
    "sumsq": lambda sums: sums.sums(sums.squares),
}


def _texts(us: NDArray[np.int64]) -> list[str]:
    if len(us) < 4 or np.any(us % _SECOND):
        return [format_us(one) for one in us.tolist()]
    seconds = (us // _SECOND).astype("datetime64[s]")
    return [f"{text}Z" for text in np.datetime_as_string(seconds).tolist()]
