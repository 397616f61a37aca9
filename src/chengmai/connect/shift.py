"""Recording time and city time. Pure.

A replay keeps the clock on the wall: what was recorded at 08:00 is shown at 08:00, some whole number of
days later. Whole weeks keep the day of the week; a recording of a year or more also keeps its season; one
shorter than a week can keep neither and is shifted by whole days. When a recording ends it starts over,
again a whole number of days (weeks, years) back. Unrolled time is recording time that goes on past that
end without jumping back; it is what a cursor counts in.

All wall times here are naive on purpose: they are readings of a clock on a wall, not instants.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
YEAR_DAYS = 365.2425
SEASONAL = timedelta(days=364)
_TICK = timedelta(microseconds=1)


def years(count: int) -> timedelta:
    """Return the whole number of weeks nearest to `count` years: same weekday, same season ± 3.5 days."""
    return 7 * DAY * round(count * YEAR_DAYS / 7)


@dataclass(frozen=True)
class Recording:
    """The stretch of wall time a recording covers; `period` is the time from one record to the next."""

    first: datetime
    last: datetime
    period: timedelta

    @property
    def length(self) -> timedelta:
        """How long the recording lasts, its last record included."""
        return self.last - self.first + self.period

    @property
    def cycle(self) -> timedelta:
        """After how long it starts over: whole years, else whole weeks, else whole days; at least one day."""
        if self.length >= SEASONAL:
            count = math.floor(self.length / timedelta(days=YEAR_DAYS)) + 1
            return years(count) if years(count) <= self.length else years(count - 1)
        if self.length >= WEEK:
            return WEEK * math.floor(self.length / WEEK)
        return max(DAY, DAY * math.floor(self.length / DAY))

    def loops(
        self, after: datetime, until: datetime
    ) -> Iterator[tuple[datetime, datetime, timedelta]]:
        """Yield (after, until, ahead): unrolled (after, until] in stretches of recording time.

        A record at wall time t of a stretch stands at unrolled time t + `ahead`. Only a recording that
        keeps its season is also laid before its own beginning.
        """
        number = self._loop_of(after + _TICK)
        while after < until:
            ahead = number * self.cycle
            end = min(until, self._end_of(number))
            if end > after and (number >= 0 or self.length >= SEASONAL):
                yield after - ahead, end - ahead, ahead
            after = max(after, end)
            number += 1

    def _loop_of(self, at: datetime) -> int:
        if at < self.first:
            return -math.ceil((self.first - at) / self.cycle)
        return max(0, math.ceil((at - self.last) / self.cycle))

    def _end_of(self, number: int) -> datetime:
        if number < 0:
            return self.first - _TICK + (number + 1) * self.cycle
        return self.last + number * self.cycle


def days_to_now(recording: Recording, now: datetime) -> timedelta:
    """Return the shift that puts the latest suitable part of the recording at wall time `now`.

    Everything before that part can be history: the cursor is as late as the rules above allow.
    """
    behind = now - recording.last
    if behind <= timedelta(0):
        return timedelta(0)
    if recording.length >= SEASONAL:
        count = max(0, math.floor(behind / timedelta(days=YEAR_DAYS)) - 1)
        while years(count) < behind:
            count += 1
        return years(count)
    step = WEEK if recording.length >= WEEK else DAY
    return step * math.ceil(behind / step)


@dataclass(frozen=True)
class Shift:
    """Between the city's instants and unrolled recording time: `days` apart on the wall of `zone`."""

    days: timedelta
    zone: ZoneInfo

    def unrolled(self, at: datetime) -> datetime:
        """Return the unrolled wall time that is shown at the instant `at`."""
        return at.astimezone(self.zone).replace(tzinfo=None) - self.days

    def instant(self, unrolled: datetime) -> datetime:
        """Return the instant at which unrolled wall time is shown."""
        return (unrolled + self.days).replace(tzinfo=self.zone).astimezone(UTC)
