"""Closed-form ridge regression, by sums of products so that rows can be many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chengmai.forecast.model import Floats

LEAST_ROWS = 30


@dataclass(eq=False)
class Products:
    """Z'WZ and Z'WT of the rows added so far, and how many these were."""

    gram: Floats
    rhs: Floats
    rows: float = 0.0

    @classmethod
    def empty(cls, features: int, targets: int) -> Products:
        return cls(np.zeros((features, features)), np.zeros((features, targets)))

    def add(self, z: Floats, t: Floats, weights: Floats | None = None) -> None:
        """Add rows of features and complete targets, each with its weight."""
        heavy = z if weights is None else z * weights[:, None]
        self.gram += heavy.T @ z
        self.rhs += heavy.T @ t
        self.rows += len(z) if weights is None else float(weights.sum())

    def plus(self, other: Products) -> Products:
        return Products(self.gram + other.gram, self.rhs + other.rhs, self.rows + other.rows)

    def solve(self, penalty: Floats, prior: Floats | None = None) -> Floats:
        """Return argmin |t - zW|^2 + penalty . |W - prior|^2 (Hoerl & Kennard 1970); `penalty` a feature.

        Without a prior the weights are drawn towards nothing.
        """
        towards = 0.0 if prior is None else prior
        rest = self.rhs if prior is None else np.asarray(self.rhs - self.gram @ prior)
        solved = np.linalg.solve(self.gram + np.diag(penalty + 1e-9), rest)
        return np.asarray(towards + solved, dtype=np.float64)


def robust_weights(errors: Floats) -> Floats:
    """Return what each row weighs so that least squares come near to least absolute errors, mean 1.

    One over the mean absolute error of the row, bounded below at a fifth of the median (iteratively
    reweighted least squares, Schlossmacher 1973).
    """
    size = np.abs(errors).mean(axis=1)
    middle = float(np.median(size)) if len(size) else 0.0
    if middle <= 0:
        return np.ones(len(size))
    weights = 1.0 / np.maximum(size, 0.2 * middle)
    shares: Floats = weights / weights.mean()
    return shares
