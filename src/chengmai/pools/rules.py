"""Pure rules of pools: sums of use, the week by hour, and what is usual at an hour. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from chengmai.kernel.instants import from_us
from chengmai.pools.model import Hour, Member

WEEKS = 8
"""Earlier weeks that a baseline looks at."""
LEAST = 4
"""Values below which a baseline is none."""
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class Usual:
    """The 10, 50 and 90 % quantiles of earlier values at the same hour of the week."""

    low: float
    mid: float
    high: float
    n: int


@dataclass(frozen=True)
class Sum:
    """The use of members over a span: mean units, and idle and short unit-hours.

    `steps` counts the steps of members that had a reading, of `of` that there were; `utilisation` is used over
    capacity, None without any.
    """

    used: float
    waiting: float
    capacity: float
    idle: float
    shortage: float
    steps: int
    of: int

    @property
    def utilisation(self) -> float | None:
        return self.used / self.capacity if self.capacity > 0 else None


def shortage_of(demand: float, capacity: float, reserve: float) -> float:
    """Return the units short of demand: what is asked for beyond the capacity less the reserve."""
    return max(0.0, demand - (1 - reserve) * capacity)


def idle_of(demand: float, capacity: float, reserve: float) -> float:
    """Return the usable units that nobody asks for."""
    return max(0.0, (1 - reserve) * capacity - demand)


def sum_of(members: Sequence[Member], start_us: int, end_us: int, step_us: int) -> Sum:
    """Return the use of members in [start, end): means of units over the steps, sums of unit-hours."""
    by_tick: dict[int, list[Hour]] = {}
    for member in members:
        for tick, hour in member.hours.items():
            if start_us <= tick < end_us:
                by_tick.setdefault(tick, []).append(hour)
    hours = [hour for some in by_tick.values() for hour in some]
    ticks = max(1, len(by_tick))
    return Sum(
        used=sum(hour.used for hour in hours) / ticks,
        waiting=sum(hour.waiting for hour in hours) / ticks,
        capacity=sum(hour.capacity for hour in hours) / ticks,
        idle=sum(hour.idle for hour in hours),
        shortage=sum(hour.shortage for hour in hours),
        steps=len(hours),
        of=len(members) * max(0, (end_us - start_us) // step_us),
    )


def week_of(members: Sequence[Member], zone: ZoneInfo) -> dict[tuple[int, int], float]:
    """Return utilisation by (weekday, hour) on the clock of the city; Monday is 0, empty hours "
    "are left out."""
    used: dict[tuple[int, int], float] = {}
    there: dict[tuple[int, int], float] = {}
    for member in members:
        for tick, hour in member.hours.items():
            local = from_us(tick).astimezone(zone)
            slot = (local.weekday(), local.hour)
            used[slot] = used.get(slot, 0.0) + hour.used
            there[slot] = there.get(slot, 0.0) + hour.capacity
    return {slot: used[slot] / there[slot] for slot in sorted(used) if there[slot] > 0}


def total_of(members: Sequence[Member]) -> dict[int, float]:
    """Return the demand of all members together, for the ticks at which every one of them was read."""
    if not members:
        return {}
    common = set(members[0].hours).intersection(*(member.hours for member in members[1:]))
    return {tick: sum(m.hours[tick].demand for m in members) for tick in sorted(common)}


def usual_at(
    values: Mapping[int, float], at_us: int, *, season_us: int, step_us: int, before_us: int
) -> Usual | None:
    """Return what was usual at the phase of `at_us`, from values before `before_us`; None with too few.

    With few seasons on record the steps beside the phase help out, as in the room that looks back.
    """
    first = min(values, default=at_us)
    for width in (0, 1, 2):
        found = [
            values[tick]
            for season in _seasons(at_us, season_us, first)
            for beside in range(-width, width + 1)
            if (tick := season + beside * step_us) < before_us and tick in values
        ]
        if len(found) >= LEAST:
            low, mid, high = (float(q) for q in np.quantile(found, QUANTILES))
            return Usual(low, mid, high, len(found))
    return None


def _seasons(at_us: int, season_us: int, first_us: int) -> Iterable[int]:
    return (
        at_us - number * season_us
        for number in range(1, WEEKS + 1)
        if at_us - number * season_us >= first_us - season_us
    )
