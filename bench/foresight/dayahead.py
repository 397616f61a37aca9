"""24 hours ahead on Beijing air (six pollutants) and bike share: absolute error against naives.

Beside a pollutant stand the other five and the weather of its station, as they were; what they will be, nobody
is told. Everything in the model was chosen on the training part alone: on the last 30 % of it, after learning
from the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.foresight import data as recorded
from bench.foresight.report import Report
from chengmai.forecast import NetworkBlend, NetworkRidge, Panel
from chengmai.forecast.backtest import seen_by
from chengmai.forecast.forecasters import Forecaster, Ints, Simple
from chengmai.forecast.model import Floats

HORIZON, DAY, WEEK = 24, 24, 168
TRAINED = 0.7
STRIDE = 7
"""Hours between origins: with 24 it has no common factor, so every hour of the day is judged."""
_MODEL = NetworkBlend(NetworkRidge())


@dataclass(frozen=True, eq=False)
class Judged:
    """Origins after the training part, what came, and what the model and each naive expected."""

    origins: Ints
    actual: Floats
    expected: Floats
    naives: dict[str, Floats]
    chosen: Ints
    """The place of each series' model in `models`."""

    def errors(self, made: Floats) -> Floats:
        """Return the mean absolute error of each series, on points where all of them can be judged."""
        known = np.isfinite(self.actual)
        for one in self.naives.values():
            known &= np.isfinite(one)
        apart = np.where(known, np.abs(self.actual - made), 0.0)
        return np.asarray(apart.sum(axis=(0, 1)) / known.sum(axis=(0, 1)))


def groups(data: Path) -> dict[str, Panel]:
    """Return the panels that are judged, by name."""
    air, weather = recorded.beijing(data), recorded.beijing_weather(data)
    made = {}
    for name, values in air.items():
        others = [*(air[other] for other in air if other != name), *weather.values()]
        wide = np.concatenate([values, *others], axis=1)
        made[name] = Panel(wide, 0, 3600, companions=len(others))
    made["bike share"] = Panel(recorded.bike_share(data), 0, 3600)
    return made


def judged(panel: Panel) -> Judged:
    """Return the rest of a panel as seen after learning from its first 70 %, each series by its own model.

    That is the one with the least error on the last 30 % of the training part, after learning from the rest
    of it.
    """
    values = panel.own
    cut = int(TRAINED * len(values))
    trial = _made(panel, int(TRAINED * cut), cut)
    chosen = np.argmin([one for _, one in trial], axis=0)
    rest = _made(panel, cut, len(values))
    expected = np.stack([one for one, _ in rest])[chosen, :, :, np.arange(len(chosen))]
    origins = np.arange(cut, len(values) - HORIZON + 1, STRIDE, dtype=np.int64)
    rules = {"same hour last week": ("repeat", WEEK), "same hour yesterday": ("repeat", DAY)}
    naives = {
        name: Simple(rule, HORIZON, period).at(values, origins)
        for name, (rule, period) in {**rules, "last value": ("last", DAY)}.items()
    }
    actual = values[origins[:, None] + np.arange(HORIZON)]
    return Judged(origins, actual, np.moveaxis(expected, 0, -1), naives, chosen)


def _made(panel: Panel, cut: int, end: int) -> list[tuple[Floats, Floats]]:
    """Return what each model expects between two steps after learning from what is before, and its errors."""
    origins = np.arange(cut, end - HORIZON + 1, STRIDE, dtype=np.int64)
    actual = panel.own[origins[:, None] + np.arange(HORIZON)]
    found = []
    for model in models(panel.companions):
        seen = seen_by(model, panel.values, panel.own)
        fitted = model.fit(seen[:cut], HORIZON, WEEK)
        assert fitted is not None
        made = fitted.at(seen[:end], origins)
        found.append((made, np.asarray(np.nanmean(np.abs(actual - made), axis=(0, 1)))))
    return found


def models(companions: int) -> tuple[Forecaster, ...]:
    """Return what is chosen from for each series."""
    ridge = NetworkRidge(day=DAY)
    return ridge, NetworkBlend(NetworkRidge(day=DAY, companions=companions))


def run(data: Path) -> Report:
    """Judge one set of parameters on every panel; the best naive is chosen per series, with hindsight."""
    rows, gains, seasonal, picked = [], [], [], list[int]()
    for name, panel in groups(data).items():
        found = judged(panel)
        error = found.errors(found.expected)
        picked += found.chosen.tolist()
        naive = {key: found.errors(one) for key, one in found.naives.items()}
        best = np.min(list(naive.values()), axis=0)
        best_seasonal = np.minimum(naive["same hour last week"], naive["same hour yesterday"])
        gains += (1 - error / best).tolist()
        seasonal += (1 - error / best_seasonal).tolist()
        means = [f"{float(one.mean()):.4g}" for one in (error, *naive.values())]
        shares = [float((1 - error / one).mean()) for one in (best_seasonal, best)]
        rows.append([name, str(panel.own.shape[1]), *means, *(f"{share:.1%}" for share in shares)])
    for title, some in (
        ("best seasonal naive", seasonal),
        ("best naive, the last value too", gains),
    ):
        better, worse = np.mean(np.array(some) >= 0.15), np.mean(np.array(some) < -0.02)
        told = f"{better:.0%} of {len(some)} series at least 15 % better"
        rows.append([f"against the {title}", told, f"{worse:.0%} over 2 % worse", *[""] * 5])
    return Report(
        name="dayahead",
        title="A day ahead: Beijing air and bike share",
        about="Mean absolute error in the unit of the series, means over the stations, origins every 7 hours "
        "of the last 30 % of what is here, which took no part in any choice. Beside a pollutant stand the "
        "other five and the weather of its station as they were. Each series by ridge or blend, whichever "
        "erred less on the last 30 % of the training part. Last two columns: how much better than the "
        "best naive.",
        columns=(
            "panel",
            "series",
            "model",
            "last week",
            "yesterday",
            "last value",
            "over best seasonal naive",
            "over best naive",
        ),
        rows=rows,
        facts=tuple(
            (f"{one.name} {one.version}", f"for {picked.count(place)} series")
            for place, one in enumerate(models(0))
        ),
    )
