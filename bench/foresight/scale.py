"""Ten thousand hourly series, 168 steps ahead, with intervals: seconds to fit and to forecast."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from bench.foresight.report import Report
from chengmai.forecast import SharedRidge
from chengmai.forecast.conformal import tails_of
from chengmai.forecast.forecasters import Simple
from chengmai.forecast.model import Floats

SERIES, HOURS, HORIZON = 10_000, 8 * 168, 168
SEED = 7
_SOME = 500
_ORIGINS, _APART = 24, 17
"""Origins of the interval, as few as the product asks for (`rules.MIN_ORIGINS`), at all hours of the day."""


def made_up(seed: int = SEED, series: int = SERIES) -> Floats:
    """Return hours x series: daily and weekly shapes of their own, wandering weather, noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(HOURS)[:, None]
    day = np.sin(2 * np.pi * (t / 24 + rng.random(series))) * rng.gamma(2.0, 3.0, series)
    week = np.sin(2 * np.pi * (t / 168 + rng.random(series))) * rng.gamma(2.0, 1.0, series)
    noise = rng.normal(size=(HOURS, series))
    weather = np.zeros_like(noise)
    for hour in range(1, HOURS):
        weather[hour] = 0.9 * weather[hour - 1] + noise[hour]
    return np.asarray(50 + day + week + weather + rng.normal(size=noise.shape))


def run(data: Path) -> Report:
    """Fit on all but the last week, set each series' interval by earlier origins, forecast that week."""
    del data  # a measurement of speed on made-up series
    values = made_up()
    cut = HOURS - HORIZON
    wall, cpu = time.perf_counter(), time.process_time()
    past = values[:cut]
    fitted = SharedRidge(day=24).fit(past, HORIZON, 168)
    assert fitted is not None
    origins = cut - HORIZON - _APART * np.arange(_ORIGINS, dtype=np.int64)[::-1]
    tails = []
    for start in range(0, SERIES, _SOME):
        some = slice(start, start + _SOME)
        actual = past[origins[:, None] + np.arange(HORIZON)][:, :, some]
        tails.append(tails_of(actual - fitted.at(past, origins, some)))
    fit = (time.perf_counter() - wall, time.process_time() - cpu)
    wall, cpu = time.perf_counter(), time.process_time()
    median = fitted.at(past, np.array([cut], dtype=np.int64))[0]
    low = median + np.concatenate([one for one, _ in tails], axis=1)
    high = median + np.concatenate([one for _, one in tails], axis=1)
    ahead = (time.perf_counter() - wall, time.process_time() - cpu)
    naive = Simple("repeat", HORIZON, 168).at(past, np.array([cut], dtype=np.int64))[0]
    held = ((values[cut:] >= low) & (values[cut:] <= high)).mean()
    errors = [float(np.abs(values[cut:] - one).mean()) for one in (median, naive)]
    return Report(
        name="scale",
        title="Ten thousand series",
        about=f"{SERIES:,} made-up hourly series of {HOURS} hours, {HORIZON} steps ahead, with intervals.",
        columns=("what", "seconds", "CPU seconds"),
        rows=[
            ["fit and set intervals", *(f"{one:.1f}" for one in fit)],
            ["forecast", *(f"{one:.1f}" for one in ahead)],
            ["mean absolute error, seasonal naive beside it", *(f"{one:.2f}" for one in errors)],
            ["share inside the interval of 80 %", f"{held:.1%}", ""],
        ],
        facts=(
            ("model", f"{SharedRidge(day=24).name} {SharedRidge(day=24).version}"),
            ("seed", str(SEED)),
        ),
    )
