"""Streaming anomaly score of one series: causal, bounded, calibrated on itself.

Eight parts look at a value (`PARTS`): its distance to any value seen before, what season and autoregression
leave unexplained, how far the last six lie off, a level never seen, an activity never seen (over 24 steps and
over six), a run of equal values, a course of eight steps never seen. Each part is divided by its own running
99 % quantile (`parts.Tail`); the logarithms of one plus that ratio are added with fixed weights, twice:

- `score`: how unusual this value is, for every step. Beyond `UNUSUAL` it is an anomaly.
- `alarm`: what deserves a person's attention. Only a new maximum counts, and every alarm raises the bar for
  those that follow, so that a series cannot shout.

One parameter set for every series; nothing is fitted to labels at run time.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from math import log1p
from typing import Any, NamedTuple

from chengmai.forecast.parts import Nearest, Rolling, Shapes, Tail
from chengmai.forecast.season import Expected, Season
from chengmai.forecast.telling import Kind, sentence_of
from chengmai.kernel.texts import Text

PARTS: dict[str, tuple[float, float]] = {
    "novelty": (1.0, 1.5),
    "surprise": (0.0, 1.0),
    "shift": (0.5, 0.0),
    "level": (0.5, 0.0),
    "activity": (0.5, 0.5),
    "bustle": (0.0, 0.5),
    "stuck": (0.5, 2.0),
    "shape": (0.75, 0.25),
}
"""Weight of each part in the sum of the alarm and in that of the score."""
VERSION = "eight-parts-1"
"""Named in every stored state: a state of another version is not read."""
UNUSUAL = 1.0
ALARM = 0.55
_ALARM_CAP = 10.0
_SHARE = 0.01
_LONG = 24
_SHORT = 6
_STUCK_RATIO = 3.0
_STUCK_RUN = 6
"""A run of equal values three times as long as one run in a hundred, and of six steps at least."""
_WEIGHTS = tuple((name, in_alarm, in_score) for name, (in_alarm, in_score) in PARTS.items())
_ALARM_WEIGHT = sum(weight for weight, _ in PARTS.values())
_SCORE_WEIGHT = sum(weight for _, weight in PARTS.values())
_KINDS: dict[str, Kind] = {
    "shift": "shift",
    "level": "shift",
    "stuck": "stuck",
    "shape": "shape",
}


class Score(NamedTuple):
    """How unusual a value is. `alarm` is zero unless this step is one to tell (see the module).

    `usual` is what the season led to expect; `run` how many steps the value has not moved or been missing.
    """

    value: float
    score: float
    alarm: float
    is_anomaly: bool
    kind: Kind | None
    usual: float | None
    run: int

    @property
    def sentence(self) -> Text:
        """What is said of it, in both languages."""
        return sentence_of(
            self.value,
            score=self.score,
            kind=self.kind,
            is_missing=not math.isfinite(self.value),
            usual=self.usual,
            run=self.run,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the score as stored in the attribute `anomaly`."""
        return {
            "score": round(self.score, 3),
            "is_anomaly": self.is_anomaly,
            "kind": self.kind,
            "sentence": self.sentence.as_language_map(),
        }


_Parts = tuple[float, float, float, float, float, float, float, float]


class _Look(NamedTuple):
    """What is seen of one value before it is learnt."""

    parts: _Parts
    expected: Expected | None
    level: float | None
    move: float
    activity: float
    bustle: float | None


class _Sums(NamedTuple):
    alarm: float
    score: float
    strongest: str


@dataclass
class Bar:
    """How high an alarm must reach: beyond the maximum of a span, and higher the more alarms there were."""

    span: int
    patience: float
    mass: float = 0.0
    at: int = 0
    fading: float = 0.0
    maxima: deque[tuple[int, float]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.fading = math.exp(-1.0 / self.patience)

    def of(self, value: float) -> float:
        """Return the alarm of a value at the next step; zero when it is no new maximum."""
        first = self.at - self.span
        highest = 1e-9
        for step, kept in self.maxima:
            if step >= first:
                highest = kept
                break
        return value / (1.0 + self._mass_now()) if value > highest else 0.0

    def learn(self, value: float) -> None:
        """Take in the value of the step and move to the next."""
        alarm = self.of(value)
        self.mass = self._mass_now() + (alarm > ALARM)
        while self.maxima and self.maxima[0][0] < self.at - self.span:
            self.maxima.popleft()
        while self.maxima and self.maxima[-1][1] <= value:
            self.maxima.pop()
        self.maxima.append((self.at, value))
        self.at += 1

    def _mass_now(self) -> float:
        return self.mass * self.fading


@dataclass
class Detector:
    """Learns one series step by step. `score` looks without learning; `learn` moves on by one step.

    `season` and `day` are numbers of steps (`day` is the season when it is not given). Nothing is an anomaly
    before `probation` values have been learnt. Missing values (NaN) are told as `missing` once they last longer
    than is usual for the series, and stand for nothing else: no part learns from them.
    """

    season: int
    probation: int = 0
    day: int = 0

    def __post_init__(self) -> None:
        self.day = self.day or self.season
        self.probation = self.probation or max(100, min(2 * self.season, 1000))
        self._warm = max(20, int(0.3 * self.probation))
        self._known = 0
        self._season = Season(self.day, self.season)
        self._bar = Bar(max(1, int(0.5 * self.probation)), float(self.probation))
        self._tails = [Tail(_SHARE) for _ in PARTS]
        self._runs = Tail(0.002)
        self._values, self._surprises = Nearest(), Nearest()
        self._levels, self._activities, self._bustles = Nearest(), Nearest(), Nearest()
        self._level, self._moves = Rolling(_LONG), Rolling(_LONG)
        self._shift, self._short_moves = Rolling(_SHORT), Rolling(_SHORT)
        self._shape = Shapes(8, 1024)
        self._last, self._flat, self._size = math.nan, 0, 0.0
        self._gap, self._longest_gap = 0, 0

    def score(self, value: float) -> Score:
        """Return the score of the next value; the same call twice gives the same answer."""
        if not math.isfinite(value):
            return self._missing()
        look = self._look(value)
        return self._judged(value, self._sums(look.parts))

    def learn(self, value: float) -> None:
        """Take in the value of the step (NaN when it is missing) and move to the next."""
        if math.isfinite(value):
            look = self._look(value)
            self._take(value, look, self._sums(look.parts).alarm)
        else:
            self._gap += 1
            self._season.skip()

    def observe(self, value: float) -> Score:
        """Return the score of the next value and learn it: `score` and `learn` in one, at half the cost."""
        if not math.isfinite(value):
            score = self._missing()
            self.learn(value)
            return score
        look = self._look(value)
        sums = self._sums(look.parts)
        score = self._judged(value, sums)
        self._take(value, look, sums.alarm)
        return score

    def _judged(self, value: float, sums: _Sums) -> Score:
        score, strongest = sums.score, sums.strongest
        ready = self._known >= self.probation
        alarm = self._bar.of(sums.alarm) if ready else 0.0
        run = self._flat + 1 if value == self._last else 1
        usual = self._season.usual()
        kind = _KINDS.get(strongest) or ("low" if usual is not None and value < usual else "high")
        # A sensor that stands still is dull in every other part, so this one may speak alone.
        stuck = self._runs.ratio(run) if run >= _STUCK_RUN else 0.0
        if stuck >= _STUCK_RATIO:
            kind, score = "stuck", max(score, UNUSUAL * stuck / _STUCK_RATIO + 0.01)
        unusual = ready and (score > UNUSUAL or alarm > ALARM)
        return Score(value, score, alarm, unusual, kind if unusual else None, usual, run)

    def _sums(self, parts: _Parts) -> _Sums:
        for_alarm = score = most = 0.0
        strongest = "novelty"
        # Every value passes here for every part: a logarithm that counts for nothing is not taken.
        for part, tail, (name, in_alarm, in_score) in zip(
            parts, self._tails, _WEIGHTS, strict=True
        ):
            if part <= 0.0:
                continue
            ratio = tail.ratio(part)
            if in_score:
                told = in_score * log1p(ratio)
                score += told
                if told > most:
                    most, strongest = told, name
            if in_alarm:
                for_alarm += in_alarm * log1p(ratio if ratio < _ALARM_CAP else _ALARM_CAP)
        return _Sums(for_alarm / _ALARM_WEIGHT, score / _SCORE_WEIGHT, strongest)

    def _take(self, value: float, look: _Look, for_alarm: float) -> None:
        self._bar.learn(for_alarm)
        if self._known >= self._warm:
            for tail, part in zip(self._tails, look.parts, strict=True):
                tail.learn(part)
        self._longest_gap, self._gap = max(self._longest_gap, self._gap), 0
        self._learn_run(value)
        self._size += (abs(value) - self._size) / min(self._known + 1, 5000)
        self._known += 1
        if look.level is not None:
            self._levels.learn(look.level)
            self._activities.learn(look.activity)
        if look.bustle is not None:
            self._bustles.learn(look.bustle)
        self._level.learn(value)
        self._moves.learn(look.move)
        self._short_moves.learn(look.move)
        self._values.learn(value)
        if look.expected is not None:
            self._surprises.learn(look.expected.surprise)
            self._shift.learn(look.expected.residual)
        self._shape.learn(value)
        self._season.learn(value, look.expected)
        self._last = value

    def _learn_run(self, value: float) -> None:
        # Runs are learnt when they end, or a stuck sensor would set its own measure.
        if value == self._last:
            self._flat += 1
            return
        if self._flat:
            self._runs.learn(float(self._flat))
        self._flat = 1

    def _look(self, value: float) -> _Look:
        expected = self._season.of(value)
        level = self._level.of(value)
        move = abs(value - self._last) if self._known else 0.0
        floor = 1e-6 * (self._size + 1e-9)
        activity = math.log(max(self._moves.of(move) or 0.0, 0.0) + floor)
        short = self._short_moves.of(move)
        bustle = None if short is None else math.log(max(short, 0.0) + floor)
        shift = None if expected is None else self._shift.of(expected.residual)
        parts = (
            self._values.of(value),
            0.0 if expected is None else self._surprises.of(expected.surprise),
            0.0 if shift is None else abs(shift),
            0.0 if level is None else self._levels.of(level),
            0.0 if level is None else self._activities.of(activity),
            0.0 if bustle is None else self._bustles.of(bustle),
            float(self._flat) if value == self._last else 0.0,
            self._shape.of(value),
        )
        return _Look(parts, expected, level, move, activity, bustle)

    def _missing(self) -> Score:
        run = self._gap + 1
        limit = max(self._longest_gap, 2)
        unusual = self._known >= self.probation and run > limit
        kind: Kind | None = "missing" if unusual else None
        return Score(math.nan, run / limit, 0.0, unusual, kind, self._season.usual(), run)
