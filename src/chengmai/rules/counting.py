"""Counting: when a condition that must hold several times, or for a while, has done so, and when it is over.

A reading says at an instant whether the condition holds and whether the recovery does. It speaks until the
next reading, or for `silent_us` at most: from then on nothing is known, and nothing unknown is taken for
holding or for recovered.

An idle rule fires
    with `within_us`, at a reading where the condition holds, and did at `count` readings of (t - within, t];
    with `for_us`, as soon as the condition has held for that long without a break;
    else at the first reading where the condition holds.
A rule that fired recovers as soon as the recovery has held for `recovers_us` without a break, counted from
readings after the firing; then only readings after the recovery count for the next firing.

Pure: no clock, no store. `Counters` are bounded and are all that must be kept of the past.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Reading(NamedTuple):
    """What an entity said at an instant."""

    at_us: int
    holds: bool
    recovers: bool


@dataclass(frozen=True, slots=True)
class Timing:
    """The lengths of a rule in microseconds; None for `silent_us` says that a reading speaks until the next."""

    count: int = 1
    within_us: int | None = None
    for_us: int = 0
    recovers_us: int = 0
    silent_us: int | None = None
    late_us: int = 0


class Episode(NamedTuple):
    """A stretch from a firing to the recovery; `end_us` is None while it lasts."""

    start_us: int
    end_us: int | None = None


class Counters(NamedTuple):
    """What is known after some readings, in order of time.

    `fired_us` is None while idle. `run_us` is since when the condition (idle) or the recovery (fired) has held
    without a break, None when it does not. `hits` are the instants that count toward `count`. Only readings
    after `turned_us`, the last firing or recovery, count for the next.
    """

    fired_us: int | None = None
    turned_us: int | None = None
    run_us: int | None = None
    last_us: int | None = None
    hits: tuple[int, ...] = ()

    def due_us(self, timing: Timing) -> int | None:
        """Return when something happens if no reading comes, or None."""
        if self.run_us is None or self.last_us is None:
            return None
        due = self.run_us + (timing.for_us if self.fired_us is None else timing.recovers_us)
        speaks_until = None if timing.silent_us is None else self.last_us + timing.silent_us
        return due if speaks_until is None or due <= speaks_until else None


def elapsed(counters: Counters, timing: Timing, now_us: int) -> tuple[Counters, Episode | None]:
    """Return the counters as time alone has made them by `now_us`, and the episode that began or ended."""
    due = counters.due_us(timing)
    if due is not None and due <= now_us:
        return _turned(counters, due)
    silent = timing.silent_us
    if (
        silent is not None
        and counters.run_us is not None
        and counters.last_us is not None
        and counters.last_us + silent < now_us
    ):
        return counters._replace(run_us=None), None
    return counters, None


def taken(
    counters: Counters, timing: Timing, reading: Reading
) -> tuple[Counters, tuple[Episode, ...]]:
    """Return the counters after `reading`, which is not before the last, and what began or ended."""
    counters, before = elapsed(counters, timing, reading.at_us)
    counters = counters._replace(last_us=reading.at_us)
    now = None
    if counters.turned_us is None or reading.at_us > counters.turned_us:
        judged = _idle if counters.fired_us is None else _fired
        counters, now = judged(counters, timing, reading)
    return counters, tuple(one for one in (before, now) if one is not None)


def _idle(counters: Counters, timing: Timing, reading: Reading) -> tuple[Counters, Episode | None]:
    if not reading.holds:
        return (counters if counters.run_us is None else counters._replace(run_us=None)), None
    if timing.for_us:
        run = reading.at_us if counters.run_us is None else counters.run_us
        return counters._replace(run_us=run), None
    if timing.within_us is not None:
        start = reading.at_us - timing.within_us
        hits = (*(hit for hit in counters.hits if hit > start), reading.at_us)[-timing.count :]
        if len(hits) < timing.count:
            return counters._replace(hits=hits), None
    return _turned(counters, reading.at_us)


def _fired(counters: Counters, timing: Timing, reading: Reading) -> tuple[Counters, Episode | None]:
    if not reading.recovers:
        return (counters if counters.run_us is None else counters._replace(run_us=None)), None
    if timing.recovers_us == 0:
        return _turned(counters, reading.at_us)
    run = reading.at_us if counters.run_us is None else counters.run_us
    return counters._replace(run_us=run), None


def _turned(counters: Counters, at_us: int) -> tuple[Counters, Episode]:
    if counters.fired_us is None:
        return Counters(at_us, at_us, None, counters.last_us), Episode(at_us)
    return Counters(None, at_us, None, counters.last_us), Episode(counters.fired_us, at_us)


FRESH = Counters()


def episodes(
    readings: Iterable[Reading],
    timing: Timing,
    now_us: int,
    counters: Counters = FRESH,
) -> tuple[Counters, list[Episode]]:
    """Return the counters at `now_us` and every episode, after readings in order of time.

    An episode that `counters` are within comes first.
    """
    found = [] if counters.fired_us is None else [Episode(counters.fired_us)]
    for reading in readings:
        counters, turns = taken(counters, timing, reading)
        for turn in turns:
            _note(found, turn)
    # A firing by time alone may be followed by nothing more: only readings recover.
    counters, turn_now = elapsed(counters, timing, now_us)
    if turn_now is not None:
        _note(found, turn_now)
    return counters, found


def _note(found: list[Episode], turn: Episode) -> None:
    if turn.end_us is None:
        found.append(turn)
    else:
        found[-1] = turn
