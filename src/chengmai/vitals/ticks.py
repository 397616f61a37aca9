"""Ticks: the starts of the buckets into which a sign's step cuts time.

Steps below a day are cut from 1970 in UTC; a day and longer are cut at local midnight of the city (weeks on
Monday), because a city's day is its own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from chengmai.kernel.instants import from_us, to_us

DAY = timedelta(days=1)
_MONDAY = datetime(1970, 1, 5)  # noqa: DTZ001 - a local wall time, compared with local wall times only


def tick_of(at_us: int, step: timedelta, zone: ZoneInfo) -> int:
    """Return the start of the bucket that holds `at_us`, in µs."""
    if step < DAY:
        return at_us - at_us % _us(step)
    local = from_us(at_us).astimezone(zone).replace(tzinfo=None)
    start = _MONDAY + ((local - _MONDAY) // step) * step
    return to_us(start.replace(tzinfo=zone).astimezone(UTC))


def tick_before(tick_us: int, step: timedelta, zone: ZoneInfo, count: int = 1) -> int:
    """Return the tick `count` buckets before the tick `tick_us`."""
    for _ in range(count):
        tick_us = tick_of(tick_us - 1, step, zone)
    return tick_us


def tick_after(tick_us: int, step: timedelta, zone: ZoneInfo) -> int:
    """Return the tick that follows `tick_us`: where its bucket ends."""
    if step < DAY:
        return tick_us + _us(step)
    # Half a step further on, because a local day may be 23 or 25 hours long.
    return tick_of(tick_us + _us(step) + _us(DAY) // 2, step, zone)


def ticks_of(at_us: NDArray[np.int64], step: timedelta, zone: ZoneInfo) -> NDArray[np.int64]:
    """Return the tick of each instant."""
    if step < DAY:
        fine: NDArray[np.int64] = at_us - at_us % _us(step)
        return fine
    # Zones change their offset on the quarter of an hour at the finest.
    quarters, where = np.unique(at_us // 900_000_000, return_inverse=True)
    starts = [tick_of(int(quarter) * 900_000_000, step, zone) for quarter in quarters]
    return np.array(starts, dtype=np.int64)[where]


def _us(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
