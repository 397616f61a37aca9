"""Long horizons on ETTh1: 12/4/4 months, standardised by the training part, MSE over all channels."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from bench.foresight import data as recorded
from bench.foresight.report import Report
from chengmai.forecast import SharedRidge
from chengmai.forecast.forecasters import Ints, Predictor, Simple
from chengmai.forecast.model import Floats

HORIZONS = (96, 192, 336, 720)
MONTH = 30 * 24
_SPLITS = (
    ("train 12, judge the 4 after (validation)", 12, 16),
    ("train 8, judge the 4 after", 8, 12),
)


def run(data: Path) -> Report:
    """Judge all windows of the test months 17 to 20 where they are there, else of two rolling splits before.

    Nothing is chosen here: one set of parameters serves every horizon and split.
    """
    values = recorded.ett(data)
    splits = [one for one in _SPLITS if len(values) >= one[2] * MONTH]
    if len(values) >= 20 * MONTH:
        splits = [("train 12, judge months 17 to 20 (test)", 12, 20)]
    if not splits:
        raise SystemExit(f"{data}: {len(values)} hours; 12 months of 30 days are needed at least")
    rows: list[list[str]] = []
    for title, trained, until in splits:
        found = [split(values, trained * MONTH, until * MONTH, h) for h in HORIZONS]
        shown = [[f"{one[i]:.3f}" for one in found] for i in range(2)]
        means = [float(np.mean([one[i] for one in found])) for i in range(2)]
        seconds = sum(one[2] for one in found)
        rows.append(
            [title, *shown[0], f"**{means[0]:.3f}**", f"{means[1]:.3f}", f"{seconds:.0f} s"]
        )
    return Report(
        name="etth1",
        title="ETTh1, long horizons",
        about="MSE on standardised values, all windows, all channels. The months of the published test part "
        "are judged where the file holds them (a row says so); they were not there when this was written.",
        columns=("split (months)", *map(str, HORIZONS), "mean", "daily naive", "fit and predict"),
        rows=rows,
        facts=(
            ("model", f"{SharedRidge(day=24).name} {SharedRidge(day=24).version}"),
            ("seed", "none"),
        ),
    )


def split(values: Floats, trained: int, until: int, horizon: int) -> tuple[float, float, float]:
    """Return the MSE of the model and of the daily naive, and the seconds they took."""
    started = time.perf_counter()
    taught = values[:trained]
    spread = taught.std(axis=0)
    z = (values[:until] - taught.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    model = SharedRidge(day=24).fit(z[:trained], horizon, 24)
    assert model is not None
    origins = np.arange(until - 4 * MONTH, until - horizon + 1, dtype=np.int64)
    errors = [_mse(z, one, origins) for one in (model, Simple("repeat", horizon, 24))]
    return errors[0], errors[1], time.perf_counter() - started


def _mse(z: Floats, model: Predictor, origins: Ints) -> float:
    total, count = 0.0, 0
    for some in np.array_split(origins, max(1, len(origins) // 256)):
        actual = z[some[:, None] + np.arange(model.at(z, some[:1]).shape[1])]
        total += float(((model.at(z, some) - actual) ** 2).sum())
        count += actual.size
    return total / count
