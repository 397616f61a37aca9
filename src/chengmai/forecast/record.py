"""Forecasts as they were made, against what came: error, naive error and coverage by horizon. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chengmai.kernel.instants import parse_us

HORIZONS = ((1, 1), (2, 6), (7, 12), (13, 24))
"""Steps ahead that are judged together, first and last included."""


@dataclass(frozen=True)
class Tally:
    """Points judged: how many, their absolute errors, those of the naive on the same points, how many held.

    `size` is the sum of the absolute values that came: errors are shares of it.
    """

    points: int = 0
    error: float = 0.0
    naive_error: float = 0.0
    size: float = 0.0
    inside: int = 0

    def plus(self, other: Tally) -> Tally:
        """Return both together."""
        return Tally(
            self.points + other.points,
            self.error + other.error,
            self.naive_error + other.naive_error,
            self.size + other.size,
            self.inside + other.inside,
        )

    @property
    def mae(self) -> float | None:
        """Return the mean absolute error."""
        return self.error / self.points if self.points else None

    @property
    def naive_mae(self) -> float | None:
        """Return the mean absolute error of the seasonal naive on the same points."""
        return self.naive_error / self.points if self.points else None

    @property
    def share(self) -> float | None:
        """Return the error as a share of what came; None where that is nothing."""
        return self.error / self.size if self.size else None

    @property
    def naive_share(self) -> float | None:
        """Return the naive's error as a share of what came."""
        return self.naive_error / self.size if self.size else None

    @property
    def skill(self) -> float | None:
        """Return 1 - error / naive error; None where the naive made no error."""
        return 1 - self.error / self.naive_error if self.naive_error else None

    @property
    def coverage(self) -> float | None:
        """Return the share of points inside the interval."""
        return self.inside / self.points if self.points else None


@dataclass(frozen=True)
class Version:
    """One fit: the model that was chosen, its parameters' digest, and from which origin on it was used."""

    model: str
    version: str
    params: str
    trained: str
    first_origin: str
    shown: bool
    why: str = ""
    """Why it was fitted, a word of `ahead.WHY`; nothing in what was stored before reasons were."""


@dataclass(frozen=True)
class Record:
    """What the forecasts of one series have been worth."""

    forecasts: int
    level: float | None
    by_horizon: tuple[Tally, ...]
    versions: tuple[Version, ...]
    """The newest first."""
    unshown: int = 0
    """How many of the forecasts were not shown as such."""

    @property
    def total(self) -> Tally:
        """Return all horizons together."""
        made = Tally()
        for tally in self.by_horizon:
            made = made.plus(tally)
        return made


@dataclass
class _Making:
    tallies: list[Tally] = field(default_factory=lambda: [Tally() for _ in HORIZONS])
    versions: list[Version] = field(default_factory=list)
    forecasts: int = 0
    unshown: int = 0
    level: float | None = None


def record_of(forecasts: Iterable[Mapping[str, Any]], actual: Mapping[int, float]) -> Record:
    """Return the record of stored forecasts of one series, oldest first, against what came.

    Only points are judged whose value came and for which the naive had an answer. A forecast made again from
    the same origin replaces the one before.
    """
    latest: dict[str, Mapping[str, Any]] = {}
    for one in forecasts:
        latest[one["origin"]] = one
    making = _Making()
    for origin in sorted(latest):
        _add(making, latest[origin], actual)
    return Record(
        making.forecasts,
        making.level,
        tuple(making.tallies),
        tuple(reversed(making.versions)),
        making.unshown,
    )


def _add(making: _Making, forecast: Mapping[str, Any], actual: Mapping[int, float]) -> None:
    making.forecasts += 1
    making.unshown += not forecast["shown"]
    making.level = forecast["level"]
    fit = (forecast["model"], forecast["version"], forecast["params"], forecast.get("trained", ""))
    last = making.versions[-1] if making.versions else None
    if last is None or (last.model, last.version, last.params, last.trained) != fit:
        why = str(forecast.get("why_fitted", ""))
        making.versions.append(Version(*fit, forecast["origin"], bool(forecast["shown"]), why))
    for number, (first, end) in enumerate(HORIZONS):
        found = _judged(forecast["points"][first - 1 : end], actual)
        making.tallies[number] = making.tallies[number].plus(found)


def _judged(points: Sequence[Mapping[str, Any]], actual: Mapping[int, float]) -> Tally:
    made = Tally()
    for point in points:
        came = actual.get(parse_us(point["at"]))
        if came is None or point["median"] is None or point["naive"] is None:
            continue
        low, high = point["low"], point["high"]
        held = low is not None and high is not None and low <= came <= high
        made = made.plus(
            Tally(1, abs(came - point["median"]), abs(came - point["naive"]), abs(came), int(held))
        )
    return made
