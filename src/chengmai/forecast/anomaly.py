"""Streaming anomaly score of one series: causal, small, calibrated on itself.

Five parts look at a value: its seasonal residual, what an AR(1) of the residual leaves, the mean of the last
residuals (a level shift), how far the residual lies from any seen before, and how long the value has
not moved. Each part is divided by its own running 99.8 % quantile; the fused score raises an alarm
beyond its own running quantile. One threshold for a spike and a stuck sensor would fit neither.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from chengmai.kernel.texts import Text

Kind = Literal["high", "low", "stuck", "shift", "missing"]

_QUANTILE = 0.998
_WINDOW = 6
_NOVELTY_KEEP = 2000
_LEARN_RATE = 0.25
"""Weight of a new value in the profile of its phase: the last handful of seasons count."""
_STUCK_RATIO = 3.0
_STUCK_RUN = 6
"""A run of equal values three times as long as one run in 500, and of six steps at least."""
_WEIGHTS = {"residual": 1.0, "step": 0.7, "shift": 0.7, "novelty": 1.0, "stuck": 0.7}


@dataclass(frozen=True)
class Score:
    """How unusual a value is: above 1 means beyond what this series does one time in 500.

    `usual` is what the season led to expect; `run` how many steps the value has not moved or been missing.
    """

    score: float
    is_anomaly: bool
    kind: Kind | None
    usual: float | None
    run: int
    sentence: Text

    def to_json(self) -> dict[str, Any]:
        """Return the score as stored in the attribute `anomaly`."""
        return {
            "score": round(self.score, 3),
            "is_anomaly": self.is_anomaly,
            "kind": self.kind,
            "sentence": self.sentence.as_language_map(),
        }


@dataclass
class _Calibration:
    """The running 99.8 % quantile of a part: only its largest values need to be kept."""

    n: int = 0
    top: list[float] = field(default_factory=list)

    def learn(self, value: float) -> None:
        self.n += 1
        insort(self.top, value)
        if len(self.top) > int((1 - _QUANTILE) * self.n) + 1:
            del self.top[0]

    def ratio(self, value: float) -> float:
        """Return `value` relative to the quantile; zero while nothing is known."""
        reach = self.top[0] if self.top else 0.0
        if reach > 1e-12:
            return value / reach
        return 2.0 if self.n and value > 1e-12 else 0.0


@dataclass
class Detector:
    """Learns one series step by step. `score` looks without learning; `learn` moves on by one step.

    `season` is a number of steps; nothing is an anomaly before `probation` values have been learnt.
    Missing values (NaN) are told as `missing` once they last longer than is usual for the series.
    """

    season: int
    probation: int = 0
    _profile: dict[int, float] = field(default_factory=dict)
    _index: int = 0
    _known: int = 0
    _scale: float = 0.0
    _phi: tuple[float, float] = (0.0, 1e-9)
    _last: float = math.nan
    _last_residual: float = 0.0
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))
    _seen: list[float] = field(default_factory=list)
    _order: deque[float] = field(default_factory=deque)
    _flat: int = 0
    _gap: int = 0
    _longest_gap: int = 0
    _parts: dict[str, _Calibration] = field(
        default_factory=lambda: {name: _Calibration() for name in _WEIGHTS}
    )
    _fused: _Calibration = field(default_factory=_Calibration)

    def __post_init__(self) -> None:
        self.probation = self.probation or max(100, min(2 * self.season, 1000))

    def score(self, value: float) -> Score:
        """Return the score of the next value; the same call twice gives the same answer."""
        if not math.isfinite(value):
            return self._missing()
        parts = self._measure(value)
        ratios = {name: self._parts[name].ratio(part) for name, part in parts.items()}
        fused = self._fused.ratio(_fuse(ratios))
        ready = self._known >= self.probation
        kind = self._kind(value, ratios)
        # A sensor that stands still is dull in every other part, so this one may speak alone.
        if ratios["stuck"] >= _STUCK_RATIO and parts["stuck"] >= _STUCK_RUN:
            kind, fused = "stuck", max(fused, ratios["stuck"] / _STUCK_RATIO + 0.01)
        return _told(
            value, fused, ready and fused > 1.0, kind, self._usual(), self._run_with(value)
        )

    def learn(self, value: float) -> None:
        """Take in the value of the step (NaN when it is missing) and move to the next."""
        phase = self._index % self.season
        self._index += 1
        if not math.isfinite(value):
            self._gap += 1
            self._recent.clear()
            return
        self._longest_gap, self._gap = max(self._longest_gap, self._gap), 0
        if phase in self._profile and self._known >= self.season // 2:
            self._calibrate(value)
        self._learn_residual(value, phase)
        self._flat = self._run_with(value)
        self._last, self._known = value, self._known + 1

    def _calibrate(self, value: float) -> None:
        parts = self._measure(value)
        ratios = {name: self._parts[name].ratio(part) for name, part in parts.items()}
        if self._known >= self.probation // 2:
            self._fused.learn(_fuse(ratios))
        for name, part in parts.items():
            if name != "stuck":
                self._parts[name].learn(part)
        # Runs are learnt when they end, or a stuck sensor would set its own measure.
        if value != self._last and self._flat:
            self._parts["stuck"].learn(float(self._flat))

    def _learn_residual(self, value: float, phase: int) -> None:
        usual = self._profile.get(phase)
        if usual is None:
            self._profile[phase] = value
            return
        residual = value - usual
        top, bottom = self._phi
        self._phi = (
            0.995 * top + residual * self._last_residual,
            0.995 * bottom + self._last_residual**2,
        )
        rate = max(_LEARN_RATE / 10, 1 / (self._known + 1))
        self._scale += rate * (abs(residual) - self._scale)
        # Huber's clipping: an incident must not become the profile of its hour.
        limit = 4 * self._scale
        self._profile[phase] = usual + _LEARN_RATE * max(-limit, min(limit, residual))
        self._last_residual = residual
        self._recent.append(residual)
        insort(self._seen, residual)
        self._order.append(residual)
        if len(self._order) > _NOVELTY_KEEP:
            del self._seen[bisect_left(self._seen, self._order.popleft())]

    def _measure(self, value: float) -> dict[str, float]:
        scale = max(self._scale, 1e-9 * max(1.0, abs(value)))
        residual = value - self._usual_or(value)
        phi = max(-0.99, min(0.99, self._phi[0] / self._phi[1])) if self._phi[1] > 0 else 0.0
        recent = [*self._recent, residual][-_WINDOW:]
        mean = sum(recent) / len(recent) if len(recent) == _WINDOW else 0.0
        return {
            "residual": abs(residual) / scale,
            "step": abs(residual - phi * self._last_residual) / scale,
            "shift": abs(mean) / scale,
            "novelty": self._distance(residual) / scale,
            "stuck": float(self._run_with(value)),
        }

    def _distance(self, residual: float) -> float:
        """Return how far the residual lies from the nearest one seen."""
        if not self._seen:
            return 0.0
        at = bisect_left(self._seen, residual)
        beside = self._seen[max(0, at - 1) : at + 1]
        return min(abs(residual - other) for other in beside)

    def _usual(self) -> float | None:
        return self._profile.get(self._index % self.season)

    def _usual_or(self, value: float) -> float:
        usual = self._usual()
        return value if usual is None else usual

    def _run_with(self, value: float) -> int:
        return self._flat + 1 if value == self._last else 1

    def _kind(self, value: float, ratios: dict[str, float]) -> Kind:
        weighted = {name: _WEIGHTS[name] * math.log1p(ratio) for name, ratio in ratios.items()}
        strongest = max(weighted, key=lambda name: weighted[name])
        if strongest == "stuck":
            return "stuck"
        if strongest == "shift":
            return "shift"
        return "high" if value >= self._usual_or(value) else "low"

    def _missing(self) -> Score:
        run = self._gap + 1
        unusual = self._known >= self.probation and run > max(self._longest_gap, 2)
        score = run / max(self._longest_gap, 2)
        return _told(math.nan, score, unusual, "missing", self._usual(), run)


def _fuse(ratios: dict[str, float]) -> float:
    return sum(_WEIGHTS[name] * math.log1p(ratio) for name, ratio in ratios.items())


_SENTENCES: dict[str, Text] = {
    "high": Text(
        zh="{value} 明显高于本时段通常的 {usual}（异常度 {score}）。",
        en="{value} is far above the usual {usual} for this hour (score {score}).",
    ),
    "low": Text(
        zh="{value} 明显低于本时段通常的 {usual}（异常度 {score}）。",
        en="{value} is far below the usual {usual} for this hour (score {score}).",
    ),
    "stuck": Text(
        zh="数值 {value} 已连续 {run} 个时刻没有变化，传感器可能卡死（异常度 {score}）。",
        en="The value has stayed at {value} for {run} steps; the sensor may be stuck (score {score}).",
    ),
    "shift": Text(
        zh="近 6 个时刻整体偏离通常水平（现为 {value}，通常 {usual}，异常度 {score}）。",
        en="The last 6 steps lie off the usual level (now {value}, usually {usual}, score {score}).",
    ),
    "missing": Text(
        zh="已连续 {run} 个时刻没有读数，超过以往的缺测时长。",
        en="No reading for {run} steps, longer than any gap before.",
    ),
    "missing_briefly": Text(zh="已连续 {run} 个时刻没有读数。", en="No reading for {run} step(s)."),
    "ordinary": Text(
        zh="{value}，与本时段通常的 {usual} 相比没有异常（异常度 {score}）。",
        en="{value} is not unusual beside {usual} for this hour (score {score}).",
    ),
    "learning": Text(
        zh="{value}；本时段尚无可比的历史。",
        en="{value}; this hour has no past to compare with yet.",
    ),
}


def _told(
    value: float, score: float, unusual: bool, kind: Kind, usual: float | None, run: int
) -> Score:
    key: str = kind if unusual or kind == "missing" else "ordinary"
    if key == "ordinary" and usual is None:
        key = "learning"
    if key == "missing" and not unusual:
        key = "missing_briefly"
    text = _SENTENCES[key]
    sentence = text.format(
        value=f"{value:.4g}",
        usual="—" if usual is None else f"{usual:.4g}",
        score=f"{score:.2f}",
        run=run,
    )
    return Score(score, unusual, kind if unusual else None, usual, run, sentence)
