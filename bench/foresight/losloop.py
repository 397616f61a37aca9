"""Speeds of 207 detectors, five minutes a step: 80/20, one hour ahead, RMSE at 15, 30, 45 and 60 minutes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from bench.foresight import data as recorded
from bench.foresight.report import Report
from chengmai.forecast import NetworkBlend, NetworkRidge
from chengmai.forecast.forecasters import Simple
from chengmai.forecast.model import Floats

HORIZON = 12
STEPS = (2, 5, 8, 11)
DAY = 288


def run(data: Path) -> Report:
    """Train on the first 80 % of what is here and judge every origin of the rest."""
    values = recorded.los_loop(data)
    cut = int(0.8 * len(values))
    ridge = NetworkRidge(robust=False)
    model = NetworkBlend(ridge)
    started = time.perf_counter()
    fitted = model.fit(values[:cut], HORIZON, DAY)
    took = time.perf_counter() - started
    assert fitted is not None
    origins = np.arange(cut, len(values) - HORIZON + 1, dtype=np.int64)
    actual = values[origins[:, None] + np.arange(HORIZON)]
    straight = ridge.fit(values[:cut], HORIZON, DAY)
    alone = NetworkRidge(robust=False, neighbours=0).fit(values[:cut], HORIZON, DAY)
    assert straight is not None
    assert alone is not None
    made = {
        f"{model.name} {model.version}": fitted.at(values, origins),
        f"{ridge.name} {ridge.version} alone": straight.at(values, origins),
        "the ridge without neighbours": alone.at(values, origins),
        "persistence (naive)": Simple("last", HORIZON, DAY).at(values, origins),
        "same time yesterday": Simple("repeat", HORIZON, DAY).at(values, origins),
    }
    return Report(
        name="losloop",
        title="Los-loop, a road network an hour ahead",
        about="RMSE in mph over all detectors and origins of the last fifth of what is here (the published "
        "last fifth of the week is not; there persistence has 5.54/6.70/7.63/8.46). That fifth took no part in "
        "any choice: all were made on the last fifth, and on another piece, of the part before it.",
        columns=("model", "15 min", "30 min", "45 min", "60 min"),
        rows=[[name, *rmse(actual - one)] for name, one in made.items()],
        facts=(
            ("fit", f"{took:.1f} s"),
            ("steps", f"{cut} + {len(values) - cut}"),
            ("seeds", str(model.seeds)),
        ),
    )


def rmse(errors: Floats) -> list[str]:
    """Return the root of the mean squared error at the four steps."""
    return [f"{float(np.sqrt((errors[:, step] ** 2).mean())):.2f}" for step in STEPS]
