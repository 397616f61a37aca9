"""Judging readings as they arrive: late ones and those out of order in their place, what was told only once.

`State` is what is kept of one entity for one rule. Readings of the last `late_us` stay in `trail`; with each
that arrives the trail is counted anew from `base`, and what came out is compared with what was told. So the
same readings lead to the same episodes in whatever order they come. Pure: the instant is an argument.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from chengmai.rules.counting import Counters, Episode, Reading, Timing, episodes, taken

MOST_TRAIL = 64
"""Readings that are counted anew with each that arrives; of a fast sensor, fewer than `late_us` would keep."""
MOST_SEEN = 20
_FOR_EVER = float("inf")

Turn = Literal["fired", "recovered", "resumed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Told:
    """An episode that was told, under the id of its firing."""

    start_us: int
    end_us: int | None
    firing: str


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told of a firing: `at_us` is when it became true; `is_over`: it ended before it was known.

    `resumed` says that a late reading undid the recovery, `withdrawn` that it undid the firing.
    """

    turn: Turn
    at_us: int
    firing: str
    is_over: bool = False


class State(NamedTuple):
    """What is kept: counters up to `floor_us`, the readings after it, and what was told that may still change.

    `seen` are the last readings for people, each `[instant, {attribute: value}, holds]`; `dropped` counts
    readings that came too late to be judged.
    """

    base: Counters = Counters()
    floor_us: int | None = None
    trail: tuple[Reading, ...] = ()
    told: tuple[Told, ...] = ()
    seen: tuple[tuple[int, dict[str, Any], bool], ...] = ()
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """The state after a reading, what is to be told, and when time alone will have something to say."""

    state: State
    news: tuple[News, ...]
    due_us: int | None
    counters: Counters


def judged(
    state: State,
    timing: Timing,
    reading: Reading | None,
    now_us: int,
    values: dict[str, Any] | None = None,
    name: Callable[[int], str] = str,
) -> Judged:
    """Return what a reading (None: time alone) makes of a state at `now_us`.

    `values` are what is shown of the reading; `name` gives the id of a firing by the instant it begins at.
    """
    if reading is not None:
        state = _with(state, reading, values or {})
    counters, found = episodes(state.trail, timing, now_us, state.base)
    told, news = _compared(state.told, found, name)
    state = _settled(state._replace(told=told), timing)
    return Judged(state, tuple(news), counters.due_us(timing), counters)


def _with(state: State, reading: Reading, values: dict[str, Any]) -> State:
    if state.floor_us is not None and reading.at_us <= state.floor_us:
        return state._replace(dropped=state.dropped + 1)
    at = bisect_left(state.trail, reading.at_us, key=lambda one: one.at_us)
    corrects = at < len(state.trail) and state.trail[at].at_us == reading.at_us
    trail = (*state.trail[:at], reading, *state.trail[at + corrects :])
    kept = [one for one in state.seen if one[0] != reading.at_us]
    seen = sorted([*kept, (reading.at_us, values, reading.holds)], key=lambda one: one[0])
    return state._replace(trail=trail, seen=tuple(seen[-MOST_SEEN:]))


def _settled(state: State, timing: Timing) -> State:
    """Return the state with readings that are old enough counted for good."""
    if not state.trail:
        return state
    floor = state.trail[-1].at_us - timing.late_us
    base, keep = state.base, 0
    while keep < len(state.trail):
        first = state.trail[keep]
        if first.at_us > floor and len(state.trail) - keep <= MOST_TRAIL:
            break
        base, _ = taken(base, timing, first)
        keep += 1
    if keep == 0:
        return state
    floor_us = state.trail[keep - 1].at_us
    told = tuple(one for one in state.told if one.end_us is None or one.end_us > floor_us)
    return state._replace(base=base, floor_us=floor_us, trail=state.trail[keep:], told=told)


def _compared(
    told: tuple[Told, ...], found: list[Episode], name: Callable[[int], str]
) -> tuple[tuple[Told, ...], list[News]]:
    news: list[News] = []
    left = list(told)
    kept: list[Told] = []
    for episode in found:
        known = next((one for one in left if _overlap(one, episode)), None)
        if known is None:
            firing = _unused(name(episode.start_us), {one.firing for one in (*told, *kept)})
            is_over = episode.end_us is not None
            news.append(News("fired", episode.start_us, firing, is_over))
            if episode.end_us is not None:
                news.append(News("recovered", episode.end_us, firing, is_over))
            kept.append(Told(episode.start_us, episode.end_us, firing))
            continue
        left.remove(known)
        if known.end_us is None and episode.end_us is not None:
            news.append(News("recovered", episode.end_us, known.firing))
        elif known.end_us is not None and episode.end_us is None:
            news.append(News("resumed", known.end_us, known.firing))
        kept.append(Told(episode.start_us, episode.end_us, known.firing))
    news += [News("withdrawn", one.start_us, one.firing, one.end_us is not None) for one in left]
    return tuple(kept), news


def _unused(name: str, used: set[str]) -> str:
    """Return a name that no other firing has; a late reading may have moved the beginning of one."""
    number, found = 1, name
    while found in used:
        number += 1
        found = f"{name}-{number}"
    return found


def _overlap(one: Told, other: Episode) -> bool:
    one_end = _FOR_EVER if one.end_us is None else one.end_us
    other_end = _FOR_EVER if other.end_us is None else other.end_us
    return one.start_us <= other_end and other.start_us <= one_end


def state_json(state: State) -> dict[str, Any]:
    """Return a state as plain JSON."""
    return {
        "base": state.base._asdict(),
        "floor_us": state.floor_us,
        "trail": [list(one) for one in state.trail],
        "told": [[one.start_us, one.end_us, one.firing] for one in state.told],
        "seen": [list(one) for one in state.seen],
        "dropped": state.dropped,
    }


def state_of(kept: dict[str, Any] | None) -> State:
    """Return the state that `state_json` wrote; a fresh one for None."""
    if kept is None:
        return State()
    base = kept["base"]
    return State(
        base=Counters(**base | {"hits": tuple(base["hits"])}),
        floor_us=kept["floor_us"],
        trail=tuple(Reading(*one) for one in kept["trail"]),
        told=tuple(Told(*one) for one in kept["told"]),
        seen=tuple((one[0], one[1], one[2]) for one in kept["seen"]),
        dropped=kept["dropped"],
    )
