"""Turns a recording into a live feed: the past first, then each record when the city's clock reaches it.

The cursor – the shift, and how far the replay has come in unrolled recording time – is committed with the
readings, so that a killed replay goes on without loss and without repeating.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chengmai.connect.mapping import Mapper
from chengmai.connect.ports import Pace, Sink
from chengmai.connect.reading import Reading, Reject
from chengmai.connect.recorded import Recorded, index
from chengmai.connect.shift import DAY, Shift, days_to_now
from chengmai.connect.tables import Row, open_tables, read_side_table
from chengmai.connect.times import TimeReader
from chengmai.packs.feeds import ReplayFeed
from chengmai.packs.model import EntitySpec

BLOCK_VALUES = 20_000
"""About how many values one block of backfill holds."""
BATCH_READINGS = 500
"""After how many readings a live batch is committed."""


@dataclass
class _Position:
    """Where the replay is: all rows at or before `until` are committed, and `taken` of those after it.

    `goal` is where the past ends and the live part begins. Times are unrolled wall times.
    """

    days: timedelta
    until: datetime
    goal: datetime
    taken: int = 0

    def as_cursor(self) -> dict[str, Any]:
        return {
            "days": self.days / DAY,
            "until": self.until.isoformat(),
            "goal": self.goal.isoformat(),
            "taken": self.taken,
        }

    @classmethod
    def of(cls, cursor: dict[str, Any]) -> _Position:
        return cls(
            days=timedelta(days=cursor["days"]),
            until=datetime.fromisoformat(cursor["until"]),
            goal=datetime.fromisoformat(cursor["goal"]),
            taken=cursor["taken"],
        )


Due = tuple[datetime, Row]


class ReplayConnector:
    """Replays the files of `feed` below `folder` in the city's zone.

    `machine_now` gives the machine's instant (nothing recorded is later); `pace` is the city's time.
    """

    def __init__(
        self,
        feed: ReplayFeed,
        entity: EntitySpec,
        folder: Path,
        *,
        zone: ZoneInfo,
        pace: Pace,
        machine_now: Callable[[], datetime],
    ) -> None:
        self._feed = feed
        self._entity = entity
        self._folder = folder
        self._zone = zone
        self._pace = pace
        self._machine_now = machine_now

    async def run(self, sink: Sink) -> None:
        """Backfill, then stream; raises `SourceMissing` or `SourceFailed`. Ends only when cancelled."""
        recorded, mapper = await asyncio.to_thread(self._open)
        cursor = await sink.cursor()
        position = _Position.of(cursor) if cursor else self._start(recorded)
        run = _Run(self._feed, recorded, mapper, position, Shift(position.days, self._zone))
        await run.backfill(sink, self._pace)
        await run.stream(sink, self._pace)

    def _open(self) -> tuple[Recorded, Mapper]:
        feed = self._feed
        times = TimeReader(feed.time)
        tables = open_tables(self._folder, feed.source)
        recorded = index(tables, times, feed.period, self._machine_now())
        join = feed.map.join
        side = read_side_table(self._folder / join.file, join.key) if join else None
        missing = frozenset(text.strip() for text in feed.source.missing)
        return recorded, Mapper(feed.map, times, self._entity, missing=missing, side=side)

    def _start(self, recorded: Recorded) -> _Position:
        wall = self._pace.now().astimezone(self._zone).replace(tzinfo=None)
        days = days_to_now(recorded.span, wall)
        goal = wall - days
        return _Position(days, goal - self._feed.source.backfill, goal)


class _Run:
    """One run of a replay from a position on."""

    def __init__(
        self,
        feed: ReplayFeed,
        recorded: Recorded,
        mapper: Mapper,
        position: _Position,
        shift: Shift,
    ) -> None:
        self._feed = feed
        self._recorded = recorded
        self._mapper = mapper
        self._position = position
        self._shift = shift
        self._window = _window_of(feed, recorded)

    async def backfill(self, sink: Sink, pace: Pace) -> None:
        """Bring in the past, block by block; a block that was brought in before changes nothing."""
        place = self._position
        while place.until < place.goal:
            until = min(place.until + self._window, place.goal)
            due = await asyncio.to_thread(self._between, place.until, until)
            readings, rejects = await asyncio.to_thread(self._mapped, due, pace.now())
            block_id = f"{self._feed.id}:{place.days.days}:{place.until.isoformat()}"
            place.until = until
            await sink.backfill(block_id, readings, rejects, place.as_cursor())

    async def stream(self, sink: Sink, pace: Pace) -> None:
        """Hand over each row when the city's clock reaches it."""
        place = self._position
        loaded = place.until
        waiting: list[Due] = []
        skip = place.taken
        while True:
            while not waiting:
                await self._wait_for(loaded, pace)
                ahead = loaded + self._window
                found = await asyncio.to_thread(self._between, loaded, ahead)
                waiting, skip = found[skip:], max(0, skip - len(found))
                loaded = ahead
            await self._wait_for(waiting[0][0], pace)
            now = self._shift.unrolled(pace.now())
            count = bisect_right(waiting, now, key=lambda pair: pair[0])
            await self._hand_over(waiting[:count], sink, pace)
            del waiting[:count]

    async def _wait_for(self, unrolled: datetime, pace: Pace) -> None:
        while (rest := self._shift.instant(unrolled) - pace.now()) > timedelta(0):
            await pace.wait(rest)

    async def _hand_over(self, due: list[Due], sink: Sink, pace: Pace) -> None:
        place = self._position
        readings: list[Reading] = []
        rejects: list[Reject] = []
        for number, (at, row) in enumerate(due, 1):
            more, refused = self._mapped([(at, row)], pace.now())
            readings += more
            rejects += refused
            place.taken += 1
            if number == len(due) or due[number][0] > at:
                place.until, place.taken = at, 0
            if len(readings) >= BATCH_READINGS or number == len(due):
                await sink.accept(readings, rejects, place.as_cursor())
                readings, rejects = [], []

    def _between(self, after: datetime, until: datetime) -> list[Due]:
        found: list[Due] = []
        for low, high, ahead in self._recorded.span.loops(after, until):
            found += [(at + ahead, row) for at, row in self._recorded.between(low, high)]
        return found

    def _mapped(self, due: list[Due], now: datetime) -> tuple[list[Reading], list[Reject]]:
        readings: list[Reading] = []
        rejects: list[Reject] = []
        for unrolled, row in due:
            if row.record is None:
                fault = row.fault
                if fault is not None:
                    rejects.append(Reject(fault.code, row.where, fault.detail, fault.sample, now))
                continue
            at = self._shift.instant(unrolled)
            for made in self._mapper.readings(row.record, row.where, now, observed=at):
                if isinstance(made, Reading):
                    readings.append(made)
                else:
                    rejects.append(made)
        return readings, rejects


def _window_of(feed: ReplayFeed, recorded: Recorded) -> timedelta:
    """Return how much recording time holds about `BLOCK_VALUES` values: from one period to a cycle."""
    per_row = recorded.width if feed.map.unpivot else len(feed.map.attributes)
    values = max(1, recorded.rows * per_row)
    length = recorded.span.length * min(1.0, BLOCK_VALUES / values)
    return min(recorded.span.cycle, max(feed.period, length))
