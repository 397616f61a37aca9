"""Looking back and ahead for vital signs, with what has been learnt kept between calls.

Nothing is stored here: a detector is made again from history after a restart, and fitted models are handed
out as data to whoever stores them. Safe to call from worker threads; one lock a series.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chengmai.forecast.ahead import Ahead
from chengmai.forecast.anomaly import Detector
from chengmai.forecast.baseline import KindOf, usual
from chengmai.forecast.faults import Beside, FaultKind
from chengmai.forecast.model import DAY_S, SECOND_US, Floats
from chengmai.forecast.problems import StateInvalid

Points = Sequence[tuple[int, float]]
Load = Callable[[int, int], Points]
"""Returns the points of a series from an instant (included) to another (excluded), in µs."""

_MAX_STEPS = 6000
_SEASONS = 9
_FIT_SEASONS = 36
_MIN_STEPS = 200
_WARM_STEPS = 1200
"""Steps a detector learns from after a restart: enough to calibrate, cheap enough for hundreds."""


@dataclass
class _Memory:
    """What is known of one series: its values, and a detector that has learnt all but the last."""

    start_us: int
    values: list[float]
    detector: Detector
    lock: threading.Lock = field(default_factory=threading.Lock)


class Foresight:
    """Baseline, anomaly and forecast of many series, each under its own key.

    `refit_every` is how many steps a fitted model serves before it is chosen and fitted anew. With `kind_of`
    the baseline of a series whose season is a week knows holidays and days worked in exchange.
    """

    def __init__(self, *, refit_every: int = 24, kind_of: KindOf | None = None) -> None:
        self._memories: dict[str, _Memory] = {}
        self._judged: dict[str, tuple[int, dict[str, Any] | None]] = {}
        """By key: until when the memory reached that a verdict was over, and the verdict."""
        self._ahead = Ahead(refit_every=refit_every)
        self._kind_of = kind_of

    def span_s(self, step_s: int, season_s: int) -> int:
        """Return how many seconds of history the room likes to see."""
        steps = max(_MIN_STEPS, min(_MAX_STEPS, _SEASONS * max(1, season_s // step_s)))
        return int(steps * step_s)

    def look_back(
        self, key: str, load: Load, *, tick_us: int, value: float, step_s: int, season_s: int
    ) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """Return the baseline (None without enough past) and the anomaly score of `value` at `tick_us`.

        `load` is asked for the past when the key is new or its memory has a gap. The answer depends on
        values before the tick only; asking again for the same tick changes nothing.
        """
        step_us = step_s * SECOND_US
        memory = self._memories.get(key)
        if memory is None or tick_us < self._next_us(memory, step_us):
            memory = self._memories[key] = self._remember(load, tick_us, step_s, season_s)
        with memory.lock:
            self._catch_up(memory, load, tick_us, step_us)
            values = np.array(memory.values)
            band = usual(values, len(values), memory.start_us, step_s, season_s, self._kind_of)
            score = memory.detector.score(value)
        return (band.to_json() if band else None), score.to_json()

    def faults(
        self,
        keys: Mapping[str, str],
        due: Mapping[str, FaultKind | None],
        *,
        step_s: int,
        one_field: bool,
    ) -> dict[str, dict[str, Any] | None]:
        """Return what speaks against the sensors of a sign in the areas that are due, None where nothing does.

        `keys` are the keys of the sign in all its areas, which are judged beside each other at their
        last completed
        step; `due` names areas with the fault told before. Asked after `look_back`, which brings the
        memories up
        to date; asked again before another step is completed, the answer is the one given before.
        """
        step_us = step_s * SECOND_US
        known = {area: self._memories[key] for area, key in keys.items() if key in self._memories}
        ends = {area: self._next_us(memory, step_us) for area, memory in known.items()}
        new = [a for a in due if a in known and self._judged.get(keys[a], (0,))[0] != ends[a]]
        if new:
            beside = Beside(
                {area: (one.start_us, one.values) for area, one in known.items()},
                max(ends[area] for area in new),
                step_us,
            )
            for area in new:
                found = beside.verdict(
                    area, ends[area], day=DAY_S // step_s, one_field=one_field, held=due[area]
                )
                told = None if found is None else found.to_json()
                self._judged[keys[area]] = (ends[area], told)
        return {area: self._judged.get(keys[area], (0, None))[1] for area in due}

    def forecasts(
        self,
        key: str,
        points: Mapping[str, Points],
        *,
        step_s: int,
        season_s: int,
        horizon: int = 24,
        beside: Mapping[str, Mapping[str, Points]] | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Return the forecast of each series of a group, as stored in the entity `Forecast`.

        Series of a group (the areas of a sign) learn from each other, and from other quantities `beside` them
        (by name and area). Those without points are left out.
        """
        made = self._ahead.forecasts(
            key, points, step_s=step_s, season_s=season_s, horizon=horizon, beside=beside
        )
        return {name: one.to_json() for name, one in made.items()}

    def judge(
        self,
        points: Mapping[str, Points],
        *,
        step_s: int,
        season_s: int,
        horizon: int = 24,
        beside: Mapping[str, Mapping[str, Points]] | None = None,
    ) -> dict[str, dict[str, Any]]:
        """Return what `forecasts` does, fitted anew; nothing is kept."""
        made = Ahead(refit_every=1).forecasts(
            "judge",
            points,
            step_s=step_s,
            season_s=season_s,
            horizon=horizon,
            beside=beside,
        )
        return {name: one.to_json() for name, one in made.items()}

    def wants_beside(self, key: str, last_us: int) -> bool:
        """Return whether `forecasts` has use for other quantities beside a group that ends at an instant."""
        return self._ahead.wants_beside(key, last_us)

    def is_fit_due(self, key: str, last_us: int) -> bool:
        """Return whether `forecasts` will fit a group that ends at an instant, unless it drifts before."""
        return self._ahead.is_fit_due(key, last_us)

    def fit_span_s(self, step_s: int, season_s: int) -> int:
        """Return how many seconds of history a fit likes to see."""
        most = min(_MAX_STEPS, _FIT_SEASONS * max(1, season_s // step_s))
        return max(self.span_s(step_s, season_s), int(most * step_s))

    def trained_us(self, key: str) -> int | None:
        """Return until when the history reached that a group was fitted to; None before it was."""
        return self._ahead.trained_us(key)

    def model_state(self, key: str) -> dict[str, Any] | None:
        """Return the fitted models of a group as JSON holds them: parameters and versions."""
        return self._ahead.state(key)

    def restore_model(self, key: str, state: Mapping[str, Any]) -> bool:
        """Take back what `model_state` gave; return False when it cannot be read and is fitted anew."""
        try:
            self._ahead.restore(key, state)
        except StateInvalid:
            return False
        return True

    def _remember(self, load: Load, tick_us: int, step_s: int, season_s: int) -> _Memory:
        step_us = step_s * SECOND_US
        steps = self.span_s(step_s, season_s) // step_s
        start = tick_us - steps * step_us
        values = _grid(load(start, tick_us), start, steps, step_us)
        known = np.flatnonzero(np.isfinite(values))
        first = int(known[0]) if len(known) else steps
        start, values = start + first * step_us, values[first:]
        season = max(1, round(season_s / step_s))
        detector = Detector(season=season, day=_day(season, step_s))
        for value in values[-max(_WARM_STEPS, 3 * season) :].tolist():
            detector.learn(value)
        return _Memory(start, values.tolist(), detector)

    def _next_us(self, memory: _Memory, step_us: int) -> int:
        return memory.start_us + len(memory.values) * step_us

    def _catch_up(self, memory: _Memory, load: Load, tick_us: int, step_us: int) -> None:
        """Learn the steps that were completed since the last call."""
        following = self._next_us(memory, step_us)
        steps = (tick_us - following) // step_us
        if steps <= 0:
            return
        for value in _grid(load(following, tick_us), following, steps, step_us).tolist():
            memory.detector.learn(value)
            memory.values.append(value)
        surplus = len(memory.values) - _MAX_STEPS
        if surplus > 0:
            del memory.values[:surplus]
            memory.start_us += surplus * step_us


def _day(season: int, step_s: int) -> int:
    """Return the steps of a day where days make up the season, else the season."""
    day = DAY_S // step_s
    return day if day > 1 and season % day == 0 else season


def _grid(points: Points, start_us: int, steps: int, step_us: int) -> Floats:
    values = np.full(steps, np.nan)
    for us, value in points:
        index = round((us - start_us) / step_us)
        if 0 <= index < steps:
            values[index] = value
    return values
