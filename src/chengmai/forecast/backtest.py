"""Rolling-origin trials: at every origin a model sees what lies before it and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chengmai.forecast.forecasters import Forecaster, Predictor
from chengmai.forecast.model import Floats

_BLOCKS = 4
"""How often models are refitted within a trial; between refits they only see newer values."""


@dataclass(frozen=True, eq=False)
class Trial:
    """What each model expected at each origin (`origins` by `horizon`), beside what came.

    NaN where a reading is missing or a model cannot say. Row `i` was made from the values before index
    `origins[i]`.
    """

    origins: npt.NDArray[np.int64]
    actual: Floats
    expected: dict[str, Floats]

    def part(self, rows: slice) -> Trial:
        """Return the trial over some of its origins."""
        return Trial(
            self.origins[rows],
            self.actual[rows],
            {name: made[rows] for name, made in self.expected.items()},
        )

    def errors(self, name: str) -> Floats:
        """Return actual minus expected."""
        errors: Floats = self.actual - self.expected[name]
        return errors


def run_trial(
    values: Floats,
    models: Sequence[Forecaster],
    *,
    horizon: int,
    season: int,
    day: int,
    count: int,
) -> Trial:
    """Return the trial of `models` over at most `count` origins in the later part of `values`.

    The origins leave at least one season and a half to learn from, and step through the phases of the
    day so that no hour is left out. A model that cannot fit at the first origin takes no part.
    """
    origins = _origins(len(values), horizon=horizon, season=season, day=day, count=count)
    if not len(origins):
        return Trial(origins, np.empty((0, horizon)), {})
    actual = values[origins[:, None] + np.arange(horizon)[None, :]]
    expected: dict[str, Floats] = {}
    for model in models:
        made = _run_model(values, model, origins, horizon, season)
        if made is not None:
            expected[model.name] = made
    return Trial(origins, actual, expected)


def _run_model(
    values: Floats, model: Forecaster, origins: npt.NDArray[np.int64], horizon: int, season: int
) -> Floats | None:
    made = np.full((len(origins), horizon), np.nan)
    row = 0
    for block in np.array_split(origins, min(_BLOCKS, len(origins))):
        predictor: Predictor | None = model.fit(values[: block[0]], horizon, season)
        if predictor is None:
            return None
        for origin in block:
            made[row] = predictor(values[:origin])
            row += 1
    return made


def _origins(n: int, *, horizon: int, season: int, day: int, count: int) -> npt.NDArray[np.int64]:
    last = n - horizon
    first = max(season + season // 2, n - max(n // 2, 4 * season), 1)
    stride = max(1, -(-(last - first + 1) // count))
    while day > 1 and stride > 1 and np.gcd(stride, day) > 1:
        stride += 1
    return np.arange(last, first - 1, -stride, dtype=np.int64)[::-1]


def mean_abs(errors: Floats) -> float:
    """Return the mean absolute error over the finite ones, infinity when there is none."""
    finite = np.abs(errors[np.isfinite(errors)])
    return float(finite.mean()) if len(finite) else float("inf")
