"""What contributed how much to a change. Pure; the contributions add up to the change.

A sum, a mean and a ratio each have a decomposition of their own; any other formula is explained by exchanging
the readings of one part after the other. For means and ratios a part may contribute by its own value (`own`) or
by its weight among the others (`mix`): a station that shows the same as before still lowers the mean when it is
a clean one and the dirty ones fall silent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["sum", "mean", "ratio", "formula"]


@dataclass(frozen=True)
class Amount:
    """What a part brings: its total (of a ratio: the numerator) and its weight (the denominator)."""

    total: float
    weight: float = 1.0

    @property
    def value(self) -> float | None:
        """Return the part's own value, None where it has no weight."""
        return self.total / self.weight if self.weight else None


NOTHING = Amount(0.0, 0.0)


@dataclass(frozen=True)
class Share:
    """What one part contributed: `own` by its value, `mix` by its weight. `before`, `after`: its own values."""

    key: str
    before: float | None
    after: float | None
    own: float
    mix: float = 0.0

    @property
    def total(self) -> float:
        """Return the whole contribution, in the unit of the sign."""
        return self.own + self.mix


@dataclass(frozen=True)
class Explanation:
    """A change from `before` to `after`, and what contributed to it, the most first."""

    kind: Kind
    before: float
    after: float
    shares: tuple[Share, ...]

    @property
    def change(self) -> float:
        """Return how much it changed."""
        return self.after - self.before


def explain_sum(before: Mapping[str, float], after: Mapping[str, float]) -> Explanation:
    """Return the change of a sum by part; a part that is not there counts as nothing."""
    keys = sorted({*before, *after})
    shares = [
        Share(key, before.get(key), after.get(key), after.get(key, 0.0) - before.get(key, 0.0))
        for key in keys
    ]
    return _whole("sum", math.fsum(before.values()), math.fsum(after.values()), shares)


def explain_mean(before: Mapping[str, Amount], after: Mapping[str, Amount]) -> Explanation | None:
    """Return the change of a mean by part; None when one side has no weight at all.

    With w the share of a part in the weights, m its own mean and M the mean of the whole, bars for the middle
    of before and after: own = w̄·Δm, mix = (m̄ − M̄)·Δw (Kitagawa, JASA 50 (1955), 1168; symmetric form). A
    part that is there on one side only has no Δm.
    """
    old, new = _total(before), _total(after)
    if not old.weight or not new.weight:
        return None
    first, last = old.total / old.weight, new.total / new.weight
    middle = (first + last) / 2
    shares = []
    for key in sorted({*before, *after}):
        a, b = before.get(key, NOTHING), after.get(key, NOTHING)
        w0, w1 = a.weight / old.weight, b.weight / new.weight
        known = [m for m in (a.value, b.value) if m is not None]
        if not known:
            continue
        own = (w0 + w1) / 2 * (known[-1] - known[0])
        mix = ((known[0] + known[-1]) / 2 - middle) * (w1 - w0)
        shares.append(Share(key, a.value, b.value, own, mix))
    return _whole("mean", first, last, shares)


def explain_ratio(
    before: Mapping[str, Amount], after: Mapping[str, Amount], factor: float = 1.0
) -> Explanation | None:
    """Return the change of factor·ΣA/ΣB by part; None when ΣB is nothing on one side.

    With R the ratio: own = ½(1/B₀ + 1/B₁)·ΔA, mix = −½(R₀/B₁ + R₁/B₀)·ΔB. No part is divided by its own weight,
    so parts that only add to the numerator, or only to the denominator, are explained as well.
    """
    old, new = _total(before), _total(after)
    if not old.weight or not new.weight:
        return None
    first, last = old.total / old.weight, new.total / new.weight
    per = (1 / old.weight + 1 / new.weight) / 2
    by_weight = -(first / new.weight + last / old.weight) / 2
    shares = []
    for key in sorted({*before, *after}):
        a, b = before.get(key, NOTHING), after.get(key, NOTHING)
        own = factor * per * (b.total - a.total)
        mix = factor * by_weight * (b.weight - a.weight)
        shares.append(Share(key, _times(factor, a.value), _times(factor, b.value), own, mix))
    return _whole("ratio", factor * first, factor * last, shares)


def explain_by_exchange(
    keys: Sequence[str], evaluate: Callable[[frozenset[str]], float | None]
) -> Explanation | None:
    """Return the change of any formula by part; None when the formula gives nothing on the way.

    `evaluate(some)` gives the value with the parts in `some` as they are after and all others as before. Parts
    are exchanged one by one, in order and in reverse, and each contributes the mean of the two steps.
    """
    first, last = evaluate(frozenset()), evaluate(frozenset(keys))
    if first is None or last is None:
        return None
    steps = dict.fromkeys(keys, 0.0)
    for order in (list(keys), list(reversed(keys))):
        value, done = first, frozenset[str]()
        for key in order:
            done |= {key}
            following = last if len(done) == len(keys) else evaluate(done)
            if following is None:
                return None
            steps[key] += (following - value) / 2
            value = following
    shares = [Share(key, None, None, step) for key, step in steps.items()]
    return _whole("formula", first, last, shares)


def _whole(kind: Kind, before: float, after: float, shares: Sequence[Share]) -> Explanation:
    """Return the explanation; what rounding left over goes to the largest contribution."""
    ranked = sorted(shares, key=lambda share: (-abs(share.total), share.key))
    if ranked:
        left = (after - before) - math.fsum(part for s in ranked for part in (s.own, s.mix))
        ranked[0] = replace(ranked[0], own=ranked[0].own + left)
    return Explanation(kind, before, after, tuple(ranked))


def _total(parts: Mapping[str, Amount]) -> Amount:
    return Amount(
        math.fsum(part.total for part in parts.values()),
        math.fsum(part.weight for part in parts.values()),
    )


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value
