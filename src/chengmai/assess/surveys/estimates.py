"""What a sample says of everybody: shares and means with a 95 % interval. Pure.

- Share: Wilson's score interval (Wilson 1927) at an effective size of the sample.
- Mean: Student's t interval over the standard error.
- Finite population: the variance is that of drawing without replacement (Cochran, *Sampling Techniques*,
  1977, chapters 2 and 5). Who asks everybody has no error of sampling.
- Strata with weights W = N_h / N: the estimate is Σ W·p, its variance Σ W²·v. The effective size of a share
  is p(1 − p) / variance (Korn and Graubard 1998), and never more than 1 / Σ (W² / n_h) (Kish 1965), so that
  a stratum in which all answer alike does not feign certainty.

An interval speaks of chance alone. It says nothing of people who chose themselves to answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054
"""Of the standard normal distribution, for 95 %."""
_STEPS = 200
_TINY = 1e-300


@dataclass(frozen=True)
class Counted:
    """Answers of one stratum: how many gave each number of points; `population` is how many live there."""

    population: int | None
    counts: Mapping[float, int]

    @property
    def n(self) -> int:
        return sum(self.counts.values())

    @property
    def mean(self) -> float:
        return sum(points * count for points, count in self.counts.items()) / self.n

    @property
    def variance(self) -> float | None:
        """Of the sample, with n − 1; None for a single answer."""
        if self.n < 2:
            return None
        mean = self.mean
        return sum(c * (points - mean) ** 2 for points, c in self.counts.items()) / (self.n - 1)


@dataclass(frozen=True)
class Estimate:
    """An estimate in points (0…100) with its 95 % interval, of `n` answers; `method` names the formula."""

    value: float
    low: float
    high: float
    n: int
    population: int | None
    method: str

    @property
    def width(self) -> float:
        """Half of the interval, in points."""
        return (self.high - self.low) / 2


def estimate(
    strata: Sequence[Counted], *, is_share: bool, population: int | None = None
) -> Estimate | None:
    """Return the estimate of strata with answers, or None without any.

    With several strata that all say their population they are weighted by it, those without an answer left
    out; else all answers count alike, out of `population`. `is_share`: the only points are 0 and 100.
    """
    answered = [one for one in strata if one.n]
    if not answered:
        return None
    if all(one.population is not None for one in strata):
        population = sum(one.population or 0 for one in strata)
    elif len(strata) > 1:
        answered = [_pooled(answered, population)]
    shares = _weights(answered)
    value = sum(w * one.mean for w, one in zip(shares, answered, strict=True))
    n = sum(one.n for one in answered)
    kind = "stratified " if len(answered) > 1 else ""
    if is_share:
        low, high = wilson(value / 100, _effective(answered, shares, value / 100))
        # Dividing and multiplying by a hundred may not come back to the very same number.
        low, high = min(value, low * 100), max(value, high * 100)
        return Estimate(value, low, high, n, population, f"{kind}Wilson")
    half = _half_of_mean(answered, shares)
    return Estimate(
        value, max(0.0, value - half), min(100.0, value + half), n, population, f"{kind}t"
    )


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % score interval of a share of 0…1 found in `n` answers; `n` may be an effective size."""
    p = min(1.0, max(0.0, share))
    if math.isinf(n):
        return p, p
    spread = 1 + Z95 * Z95 / n
    middle = (p + Z95 * Z95 / (2 * n)) / spread
    half = Z95 * math.sqrt(p * (1 - p) / n + Z95 * Z95 / (4 * n * n)) / spread
    return min(p, max(0.0, middle - half)), max(p, min(1.0, middle + half))


def corrected(n: int, population: int | None) -> float:
    """Return the size of a sample from an endless population that tells as much; infinite for a census."""
    if population is None:
        return n
    if n >= population:
        return math.inf
    return n * (population - 1) / (population - n)


def _weights(strata: Sequence[Counted]) -> list[float]:
    if len(strata) == 1:
        return [1.0]
    whole = sum(one.population or 0 for one in strata)
    return [(one.population or 0) / whole for one in strata]


def _pooled(strata: Sequence[Counted], population: int | None) -> Counted:
    counts: dict[float, int] = {}
    for one in strata:
        for points, count in one.counts.items():
            counts[points] = counts.get(points, 0) + count
    return Counted(population, counts)


def _effective(strata: Sequence[Counted], shares: Sequence[float], p: float) -> float:
    sizes = [corrected(one.n, one.population) for one in strata]
    inverse = sum(w * w / size for w, size in zip(shares, sizes, strict=True))
    kish = math.inf if inverse == 0 else 1 / inverse
    if len(strata) == 1:
        return kish
    variance = sum(
        w * w * one.mean / 100 * (1 - one.mean / 100) / size
        for w, one, size in zip(shares, strata, sizes, strict=True)
    )
    return kish if variance <= 0 else min(kish, p * (1 - p) / variance)


def _half_of_mean(strata: Sequence[Counted], shares: Sequence[float]) -> float:
    pooled = _pooled(strata, None).variance
    if pooled is None:
        return 100.0
    variance = 0.0
    for w, one in zip(shares, strata, strict=True):
        own = one.variance
        rest = 1.0 if one.population is None else max(0.0, 1 - one.n / one.population)
        variance += w * w * rest * (pooled if own is None else own) / one.n
    freedom = max(1, sum(one.n for one in strata) - len(strata))
    return student(freedom) * math.sqrt(variance)


def student(freedom: int) -> float:
    """Return the two-sided 95 % quantile of Student's t with `freedom` degrees of freedom (12.706 for 1)."""
    low, high = 0.0, 13.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        beyond = _incomplete_beta(freedom / (freedom + middle * middle), freedom / 2, 0.5)
        low, high = (middle, high) if beyond > 0.05 else (low, middle)
        if high - low < 1e-10:
            break
    return (low + high) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function, by its continued fraction (Lentz)."""
    if x <= 0 or x >= 1:
        return min(1.0, max(0.0, x))
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _STEPS):
        for top in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / _away(1 + top * d), _away(1 + top / c)
            found *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return front * found / a


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
