"""Intervals of nominal 80 %: how much of what came they held, per set, at the near and at the far steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.foresight import data as recorded
from bench.foresight import dayahead, etth1, losloop
from bench.foresight.report import Report
from chengmai.forecast import NetworkRidge, SharedRidge
from chengmai.forecast.conformal import LEVEL, rolling_tails
from chengmai.forecast.forecasters import Forecaster, Ints
from chengmai.forecast.model import Floats


def run(data: Path) -> Report:
    """Walk through the rest of every set: each origin has the interval that earlier errors gave it."""
    rows = [
        [name, *covered(found.actual - found.expected, found.origins)]
        for name, values in dayahead.groups(data).items()
        for found in [dayahead.judged(values)]
    ]
    ett, los, ili = recorded.ett(data), recorded.los_loop(data), recorded.influenza(data)
    twelve = 12 * etth1.MONTH
    rows.append(["ETTh1, 96 hours", *_set(ett, SharedRidge(day=24), (twelve, 96, 24, 12))])
    network = NetworkRidge()
    rows.append(
        ["Los-loop", *_set(los, network, (int(0.8 * len(los)), losloop.HORIZON, losloop.DAY, 1))]
    )
    rows.append(["influenza, 8 weeks", *_set(ili, network, (int(0.5 * len(ili)), 8, 52, 1))])
    return Report(
        name="intervals",
        title="Intervals",
        about=f"Share of values inside the interval of nominal {LEVEL:.0%}, over all series and origins of the "
        "part that taught nothing, and how much wider it is than that of the whole rest, known with hindsight.",
        columns=("set", "all steps", "first quarter", "last quarter", "width over hindsight"),
        rows=rows,
        facts=(("seed", "none"),),
    )


def covered(errors: Floats, origins: Ints) -> list[str]:
    """Return the shares inside, from the first origin on that has an interval."""
    (low, high), _ = rolling_tails(errors, origins, int(origins[-1]) + 1)
    judged = np.isfinite(errors) & np.isfinite(low)
    inside = (errors >= low) & (errors <= high) & judged
    steps = errors.shape[1]
    parts = (slice(None), slice(0, max(1, steps // 4)), slice(steps - max(1, steps // 4), None))
    shares = [inside[:, part].sum() / judged[:, part].sum() for part in parts]
    plain = np.nanquantile(errors, 0.9, axis=0) - np.nanquantile(errors, 0.1, axis=0)
    wide = np.nanmean(np.where(judged, high - low, np.nan), axis=0)
    return [*(f"{share:.1%}" for share in shares), f"{float(np.nanmean(wide / plain)):.2f}"]


def _set(values: Floats, model: Forecaster, how: tuple[int, int, int, int]) -> list[str]:
    cut, horizon, season, stride = how
    fitted = model.fit(values[:cut], horizon, season)
    assert fitted is not None
    origins = np.arange(cut, len(values) - horizon + 1, stride, dtype=np.int64)
    actual = values[origins[:, None] + np.arange(horizon)]
    return covered(actual - fitted.at(values, origins), origins)
