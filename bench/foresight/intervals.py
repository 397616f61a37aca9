"""Intervals of nominal 80 %: how much of what came they held, per set, at the near and at the far steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.foresight import data as recorded
from bench.foresight import dayahead, etth1, losloop, scale
from bench.foresight.report import Report
from chengmai.forecast import NetworkBlend, NetworkRidge, SharedRidge
from chengmai.forecast.conformal import LEVEL, rolling_tails
from chengmai.forecast.forecasters import Forecaster, Ints
from chengmai.forecast.model import Floats


def run(data: Path) -> Report:
    """Walk through the rest of every set: each origin has the interval that earlier errors gave it."""
    found = dict(_sets(data))
    rows = [[name, *covered(*walked)] for name, walked in found.items()]
    for name in ("NO2", "bike share"):
        rows.append([f"{name}, errors doubled half-way", *_after_a_change(*found[name])])
    return Report(
        name="intervals",
        title="Intervals",
        about=f"Share of values inside the interval of nominal {LEVEL:.0%}, over all series and origins of the "
        "part that taught nothing; the steps and the series with the least and the greatest share; and how "
        "much wider it is than that of the whole rest, known with hindsight. Last rows: from the middle of the "
        "rest on every error is twice as large; the share in the 48 origins after that, and from the 96th on.",
        columns=("set", "all", "by step", "by series", "width over hindsight"),
        rows=rows,
        facts=(("seed", str(scale.SEED)),),
    )


def _sets(data: Path) -> Iterator[tuple[str, tuple[Floats, Ints]]]:
    for name, panel in dayahead.groups(data).items():
        one = dayahead.judged(panel)
        yield name, (one.actual - one.expected, one.origins)
    ett, los, ili = recorded.ett(data), recorded.los_loop(data), recorded.influenza(data)
    network, shared = NetworkBlend(NetworkRidge()), SharedRidge(day=24)
    yield "ETTh1, 96 hours", _walked(ett, shared, (12 * etth1.MONTH, 96, 24, 12))
    yield "Los-loop", _walked(los, network, (int(0.8 * len(los)), losloop.HORIZON, losloop.DAY, 1))
    yield "influenza, 8 weeks", _walked(ili, network.ridge, (int(0.5 * len(ili)), 8, 52, 1))
    made = scale.made_up(series=200)
    yield "made-up series, 24 hours", _walked(made, shared, (scale.HOURS // 2, 24, 168, 5))


def covered(errors: Floats, origins: Ints) -> list[str]:
    """Return the shares inside, from the first origin on that has an interval."""
    inside, judged, width = _inside(errors, origins)
    by_step = inside.sum(axis=(0, 2)) / judged.sum(axis=(0, 2))
    by_series = inside.sum(axis=(0, 1)) / judged.sum(axis=(0, 1))
    plain = np.nanquantile(errors, 0.9, axis=0) - np.nanquantile(errors, 0.1, axis=0)
    return [
        f"{inside.sum() / judged.sum():.1%}",
        *(f"{part.min():.0%} to {part.max():.0%}" for part in (by_step, by_series)),
        f"{float(np.nanmean(width / plain)):.2f}",
    ]


def _inside(errors: Floats, origins: Ints) -> tuple[Floats, Floats, Floats]:
    (low, high), _ = rolling_tails(errors, origins, int(origins[-1]) + 1)
    judged = np.isfinite(errors) & np.isfinite(low)
    inside = ((errors >= low) & (errors <= high) & judged).astype(np.float64)
    return (
        inside,
        judged.astype(np.float64),
        np.asarray(np.nanmean(np.where(judged, high - low, np.nan), axis=0)),
    )


def _after_a_change(errors: Floats, origins: Ints) -> list[str]:
    half = len(errors) // 2
    changed = np.concatenate([errors[:half], 2 * errors[half:]])
    inside, judged, _ = _inside(changed, origins)
    parts = (slice(half, half + 48), slice(half + 96, None))
    early, late = (inside[part].sum() / judged[part].sum() for part in parts)
    return [f"{early:.1%}, then {late:.1%}", "", "", ""]


def _walked(
    values: Floats, model: Forecaster, how: tuple[int, int, int, int]
) -> tuple[Floats, Ints]:
    """Return errors and origins of the rest after a cut; `how` is cut, horizon, season, stride."""
    cut, horizon, season, stride = how
    fitted = model.fit(values[:cut], horizon, season)
    assert fitted is not None
    origins = np.arange(cut, len(values) - horizon + 1, stride, dtype=np.int64)
    actual = values[origins[:, None] + np.arange(horizon)]
    return actual - fitted.at(values, origins), origins
