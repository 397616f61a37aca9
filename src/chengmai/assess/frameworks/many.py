"""Totals of thousands of places at once: to the cent what `scoring.score` gives one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from chengmai.assess.figures import two_decimals
from chengmai.assess.frameworks.model import Framework, Node, marks
from chengmai.assess.frameworks.scoring import marks_apart, points

_NEAR = 1e-6
"""How near to a half a product of floats must be for it to be worked out in decimals."""
V = TypeVar("V")
Floats = npt.NDArray[np.float64]
Cents = npt.NDArray[np.int64]


class Lazily(Mapping[str, V]):
    """What is worked out of a place when somebody asks for it, and then kept."""

    def __init__(self, codes: Sequence[str], make: Callable[[str], V]) -> None:
        self._codes, self._make = dict.fromkeys(codes), make
        self._made: dict[str, V] = {}

    def __getitem__(self, code: str) -> V:
        if code not in self._codes:
            raise KeyError(code)
        if code not in self._made:
            self._made[code] = self._make(code)
        return self._made[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._codes)

    def __len__(self) -> int:
        return len(self._codes)


def totals(framework: Framework, indicators: Sequence[str], wide: Floats) -> list[Decimal]:
    """Return the total of each row of `wide`, whose columns are `indicators`; NaN is unknown."""
    worth, column = marks(framework), {name: index for index, name in enumerate(indicators)}
    gained = np.zeros(len(wide), dtype=np.int64)
    for leaf in framework.leaves():
        if (index := column.get(leaf.indicator or "")) is None:
            continue
        values = wide[:, index]
        if leaf.is_apart:
            gained += (1 if leaf.bonus else -1) * _apart(leaf, values)
        else:
            gained += _reached(leaf, worth[leaf.id], values)
    return [Decimal(int(cents)).scaleb(-2) for cents in np.maximum(gained, 0)]


def _reached(leaf: Node, worth: Decimal, values: Floats) -> Cents:
    with np.errstate(invalid="ignore"):
        share = np.clip((values - leaf.zero_at) / (leaf.full_at - leaf.zero_at) * 100, 0.0, 100.0)
    share = np.where(np.isnan(values), 0.0, share)
    product = float(worth) * share
    cents = np.floor(product + 0.5).astype(np.int64)
    for row in np.flatnonzero(np.abs(product - np.floor(product) - 0.5) < _NEAR).tolist():
        exact = worth * Decimal(repr(points(leaf, float(values[row])))) / 100
        cents[row] = _cents(two_decimals(exact))
    return cents


def _apart(leaf: Node, values: Floats) -> Cents:
    return np.array(
        [0 if value != value else _cents(marks_apart(leaf, value)) for value in values.tolist()],
        dtype=np.int64,
    )


def _cents(amount: Decimal) -> int:
    return int(amount.scaleb(2).to_integral_value(rounding=ROUND_HALF_UP))
