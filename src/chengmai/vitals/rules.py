"""The state of a vital sign, tick by tick. Pure: no clock, no store.

Hysteresis, debounce, staleness and escalation follow domain facts 3.10: N in a row before it is raised, told
once until it ends, ended only beyond the clearing value, missing data is a state of its own and never
a recovery, up at once and down after a while.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from chengmai.packs.model import Band, VitalSpec
from chengmai.vitals.bands import Edge, Verdict, bands_at, level_by
from chengmai.vitals.model import LEVEL_RANK, Crossing, Level, Prediction, Standing, State

OPEN_TICKS = 3
"""Ticks that stay open for late and corrected readings: the running bucket and the two before it."""
REARM_AFTER = 3
"""Forecasts in a row without the crossing after which a predicted one would be news again."""

_MOST_INSTANTS = 100


@dataclass(frozen=True)
class Rule:
    """What decides the level of a sign: its bands by day, and how many ticks in a row it takes."""

    bands: tuple[Band, ...]
    raise_after: int
    clear_after: int
    zone: ZoneInfo

    _forced: dict[int, tuple[tuple[Band, ...], tuple[Edge, ...]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """The bands in force at the instants that were asked for last: all areas have the same ticks."""

    @classmethod
    def of(cls, spec: VitalSpec, zone: ZoneInfo) -> Rule:
        """Return the rule of a sign in a city."""
        return cls(spec.bands, spec.raise_after, spec.clear_after, zone)

    def in_force(self, at_us: int) -> tuple[Band, ...]:
        """Return the bands in force at an observation."""
        return self._at(at_us)[0]

    def verdict(self, at_us: int, value: float, standing: Standing) -> Verdict:
        """Return the level of a value for a sign that stands as it does."""
        return level_by(value, self._at(at_us)[1], held=standing.level, side=standing.side)

    def _at(self, at_us: int) -> tuple[tuple[Band, ...], tuple[Edge, ...]]:
        found = self._forced.get(at_us)
        if found is None:
            if len(self._forced) >= _MOST_INSTANTS:
                self._forced.clear()
            bands = bands_at(self.bands, at_us, self.zone)
            found = self._forced[at_us] = (bands, tuple(Edge.of(band) for band in bands))
        return found


def advance(standing: Standing, tick_us: int, value: float, rule: Rule) -> Standing:
    """Return the standing after one tick.

    From unknown the level is what the value says, at once. From normal it takes `raise_after` ticks in a row,
    down from any level `clear_after`; from watch to act it takes none.
    """
    verdict = rule.verdict(tick_us, value, standing)
    level, side = verdict.level, verdict.side
    if standing.level == "unknown":
        return Standing(level, tick_us, side)
    if level == standing.level:
        if side == standing.side and not standing.rising and not standing.falling:
            return standing
        return Standing(level, standing.since_us, side)
    if LEVEL_RANK[level] > LEVEL_RANK[standing.level]:
        if standing.level == "normal" and standing.rising + 1 < rule.raise_after:
            return Standing(standing.level, standing.since_us, rising=standing.rising + 1)
        return Standing(level, tick_us, side)
    return _fall(standing, tick_us, level, rule)


def _fall(standing: Standing, tick_us: int, level: Level, rule: Rule) -> Standing:
    worst = level
    if standing.falling and LEVEL_RANK[standing.fall_to] > LEVEL_RANK[level]:
        worst = standing.fall_to
    if standing.falling + 1 >= rule.clear_after:
        side = standing.side if worst != "normal" else None
        return Standing(worst, tick_us, side)
    return replace(standing, rising=0, falling=standing.falling + 1, fall_to=worst)


def standing_of(state: State, rule: Rule) -> Standing:
    """Return how the sign stands after all its ticks."""
    standing = state.base
    for tick_us, value in state.trail:
        standing = advance(standing, tick_us, value, rule)
    return standing


def take(state: State, tick_us: int, value: float, rule: Rule) -> State:
    """Return the state with the value of a tick, new or corrected; a closed tick changes nothing."""
    if state.floor_us is not None and tick_us < state.floor_us:
        return state
    if (tick_us, value) in state.trail:
        return state
    trail = sorted({**dict(state.trail), tick_us: value}.items())
    base, floor = state.base, state.floor_us
    while len(trail) > OPEN_TICKS:
        closed, settled = trail.pop(0)
        base, floor = advance(base, closed, settled, rule), closed + 1
    return replace(state, base=base, trail=tuple(trail), floor_us=floor)


def go_silent(state: State, at_us: int) -> State:
    """Return the state of a sign whose readings are too old: unknown, never normal.

    The last tick stays open, so that a reading within the same bucket brings the sign back.
    """
    if state.base.level == "unknown" and not state.trail:
        return state
    floor = state.trail[-1][0] if state.trail else state.floor_us
    return replace(state, base=Standing("unknown", at_us), trail=(), floor_us=floor)


def tell(state: State, rule: Rule) -> tuple[State, Crossing | None]:
    """Return the state with its level announced, and the crossing if that is news."""
    return tell_of(state, standing_of(state, rule))


def tell_of(state: State, standing: Standing) -> tuple[State, Crossing | None]:
    """Return what `tell` does of a state that stands as it does."""
    level = standing.level
    if level == state.told:
        return state, None
    known = state.known if level == "unknown" else level
    return replace(state, told=level, known=known), Crossing(state.told, level)


def step(state: State, tick_us: int, value: float, rule: Rule) -> tuple[State, Crossing | None]:
    """Return the state after a tick, and the crossing if there is one; the same tick twice is once."""
    return tell(take(state, tick_us, value, rule), rule)


def replay(ticks: Iterable[tuple[int, float]], rule: Rule) -> State:
    """Return the state after a past of ticks in order, with nothing announced yet."""
    state = State()
    base, trail = state.base, list(ticks)
    for tick_us, value in trail[:-OPEN_TICKS]:
        base = advance(base, tick_us, value, rule)
    floor = trail[-OPEN_TICKS - 1][0] + 1 if len(trail) > OPEN_TICKS else None
    return replace(state, base=base, trail=tuple(trail[-OPEN_TICKS:]), floor_us=floor)


def is_stale(
    *, newest_us: int | None, tick_end_us: int | None, now_us: int, stale_after_us: int
) -> bool:
    """Return whether the last reading, or the end of the last tick with a value, is too long ago."""
    if newest_us is None or tick_end_us is None:
        return True
    return now_us - min(newest_us, tick_end_us) > stale_after_us


def event_kind(crossing: Crossing, known: Level | None, opens_at: Level) -> str | None:
    """Return what kind of news a crossing is: `real`, `recovered`, or None when it is none.

    `known` is the level before it, disregarding silence. At or above `opens_at` it is real; below it,
    recovered, when the sign had been there. Silence ends nothing and starts nothing.
    """
    if crossing.level == "unknown":
        return None
    if LEVEL_RANK[crossing.level] >= LEVEL_RANK[opens_at]:
        return "real"
    if known is not None and LEVEL_RANK[known] >= LEVEL_RANK[opens_at]:
        return "recovered"
    return None


def foresee(memory: Prediction, *, expected: bool) -> tuple[Prediction, bool]:
    """Return the memory after one more forecast, and whether its crossing is news."""
    if expected:
        return Prediction(armed=False), memory.armed
    misses = memory.misses + 1
    return Prediction(memory.armed or misses >= REARM_AFTER, min(misses, REARM_AFTER)), False
