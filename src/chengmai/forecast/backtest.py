"""Rolling-origin trials: at every origin a model sees what lies before it and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chengmai.forecast.forecasters import EVERY, Forecaster, Ints
from chengmai.forecast.model import Floats

BLOCKS = 4
"""How often models are refitted within a trial; between refits they only see newer values."""


@dataclass(frozen=True, eq=False)
class Trial:
    """What each model expected at each origin, beside what came: origins x horizon (x columns).

    NaN where a reading is missing or a model cannot say. Row `i` was made from the values before index
    `origins[i]`.
    """

    origins: Ints
    actual: Floats
    expected: dict[str, Floats]

    def part(self, rows: slice) -> Trial:
        """Return the trial over some of its origins."""
        return Trial(
            self.origins[rows],
            self.actual[rows],
            {name: made[rows] for name, made in self.expected.items()},
        )

    def column(self, column: int) -> Trial:
        """Return the trial of one series of the panel."""
        return Trial(
            self.origins,
            self.actual[:, :, column],
            {name: made[:, :, column] for name, made in self.expected.items()},
        )

    def errors(self, name: str) -> Floats:
        """Return actual minus expected."""
        errors: Floats = self.actual - self.expected[name]
        return errors


def run_trial(
    panel: Floats,
    models: Sequence[Forecaster],
    *,
    horizon: int,
    season: int,
    origins: Ints,
    blocks: int = BLOCKS,
    columns: slice = EVERY,
    companions: int = 0,
) -> Trial:
    """Return the trial of `models` at `origins` (ascending) of a panel.

    Models learn from all columns and are tried on `columns`; the panel ends with `companions` other quantities,
    which only models see that ask for them. One that cannot fit at the first origin takes no part.
    """
    own = panel[:, : panel.shape[1] // (1 + companions)]
    actual = own[origins[:, None] + np.arange(horizon)][:, :, columns]
    expected: dict[str, Floats] = {}
    for model in models:
        seen = seen_by(model, panel, own)
        times = min(blocks, getattr(model, "refits", blocks))
        made = _run_model(seen, model, origins, (horizon, season, times), columns)
        if made is not None:
            expected[model.name] = made
    return Trial(origins, actual, expected)


def seen_by(model: Forecaster, panel: Floats, own: Floats) -> Floats:
    """Return what a model learns from: the whole panel where it has use for companions, else the series."""
    return panel if getattr(model, "companions", 0) else own


def _run_model(
    panel: Floats,
    model: Forecaster,
    origins: Ints,
    lengths: tuple[int, int, int],
    columns: slice,
) -> Floats | None:
    horizon, season, blocks = lengths
    made = []
    for block in np.array_split(origins, min(blocks, len(origins))):
        predictor = model.fit(panel[: block[0]], horizon, season)
        if predictor is None:
            return None
        made.append(predictor.at(panel[: block[-1]], block, columns))
    return np.concatenate(made) if made else None


def origins_of(n: int, *, horizon: int, season: int, day: int, count: int) -> Ints:
    """Return at most `count` origins in the later part of `n` steps.

    They leave at least one season and a half to learn from, and step through the phases of the day so that
    no hour is left out.
    """
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
