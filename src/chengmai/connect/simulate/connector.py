"""The simulated city as a feed: the past first, then each step when the city's clock reaches it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from chengmai.connect.ports import Pace, Sink
from chengmai.connect.problems import SourceMissing
from chengmai.connect.reading import Reading, Static
from chengmai.connect.simulate.city import SimulatedCity
from chengmai.connect.simulate.orders import Order, Orders, obeyed
from chengmai.kernel.ids import urn
from chengmai.kernel.instants import format_instant, parse_instant
from chengmai.packs.feeds import SimulateFeed

BLOCK_READINGS = 5_000
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


class SimulateConnector:
    """Gives the readings of one generator of `city`, one a `feed.period`.

    From when it is set going, not in the past before that, the city does what `orders` tell it.
    """

    def __init__(
        self, feed: SimulateFeed, city: SimulatedCity, pace: Pace, orders: Orders | None = None
    ) -> None:
        try:
            self._things, self._signal = city.generator(feed.source.generator)
        except KeyError:
            raise SourceMissing(
                f"the simulated city has no generator {feed.source.generator!r}",
                param="source.generator",
            ) from None
        self._feed = feed
        self._pace = pace
        self._orders = orders
        self._seed = city.seed
        self._statics = {
            thing.id: Static(
                area=thing.district.name,
                name=thing.name,
                location={"type": "Point", "coordinates": list(thing.place)},
            )
            for thing in self._things
        }

    async def run(self, sink: Sink) -> None:
        """Backfill, then stream until cancelled; goes on from the committed cursor."""
        cursor = await sink.cursor()
        if cursor is None:
            now = self._pace.now()
            cursor = self._cursor(
                self._step_at(now - self._feed.source.backfill), self._step_at(now)
            )
        until, goal = parse_instant(cursor["until"]), parse_instant(cursor["goal"])
        until = await self._backfill(sink, until, goal)
        while True:
            await self._wait_for(until + self._feed.period)
            start, until = until, min(self._step_at(self._pace.now()), until + self._block())
            told = await self._orders(self._feed.entity, start) if self._orders else ()
            readings = await asyncio.to_thread(self._readings, start, until, told)
            await sink.accept(readings, [], self._cursor(until, goal))

    async def _backfill(self, sink: Sink, until: datetime, goal: datetime) -> datetime:
        while until < goal:
            start, until = until, min(goal, until + self._block())
            readings = await asyncio.to_thread(self._readings, start, until)
            block_id = f"{self._feed.id}:{format_instant(start)}"
            await sink.backfill(block_id, readings, [], self._cursor(until, goal))
        return until

    async def _wait_for(self, at: datetime) -> None:
        while (rest := at - self._pace.now()) > timedelta(0):
            await self._pace.wait(rest)

    def _block(self) -> timedelta:
        return self._feed.period * max(1, BLOCK_READINGS // len(self._things))

    def _step_at(self, at: datetime) -> datetime:
        """Return the last step at or before `at`; steps are counted from a Monday."""
        return _MONDAY + self._feed.period * ((at - _MONDAY) // self._feed.period)

    def _readings(
        self, after: datetime, until: datetime, orders: Sequence[Order] = ()
    ) -> list[Reading]:
        return [reading for at in self._steps(after, until) for reading in self._at(at, orders)]

    def _steps(self, after: datetime, until: datetime) -> Iterator[datetime]:
        at = after + self._feed.period
        while at <= until:
            yield at
            at += self._feed.period

    def _at(self, at: datetime, orders: Sequence[Order]) -> Iterator[Reading]:
        kind = self._feed.entity
        told = {
            urn(kind, thing.id): (thing, values)
            for thing in self._things
            if (values := self._signal(thing, at)) is not None
        }
        plain = {entity_id: values for entity_id, (_, values) in told.items()}
        made = obeyed(plain, orders, at, self._seed) if orders else plain
        for entity_id, (thing, _) in told.items():
            yield Reading(entity_id, kind, at, made[entity_id], self._statics[thing.id])

    def _cursor(self, until: datetime, goal: datetime) -> dict[str, Any]:
        return {"until": format_instant(until), "goal": format_instant(goal)}
