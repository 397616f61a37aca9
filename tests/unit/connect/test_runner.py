from __future__ import annotations

import asyncio
from collections.abc import Callable

from chengmai.connect.health import feed_id
from chengmai.connect.intake import Intake
from chengmai.connect.ports import Connector, Sink
from chengmai.connect.problems import SourceFailed
from chengmai.connect.runner import FeedJob, FeedRunner
from chengmai.ngsild.entity import value_of
from tests.unit.connect.builders import SYSTEM, MemoryCity, a_feed, a_reading, an_entity


class Scripted:
    """A connector whose attempts end as `script` says: an exception, `None` for an end, or "hang"."""

    def __init__(self, script: list[Exception | str | None], station: str = "one") -> None:
        self.script = script
        self.station = station
        self.attempts = 0

    async def run(self, sink: Sink) -> None:
        self.attempts += 1
        step = self.script.pop(0) if self.script else "hang"
        if isinstance(step, Exception):
            raise step
        if step == "hang":
            await sink.accept([a_reading(station=self.station)], [])
            await asyncio.Event().wait()


class Naps:
    """Sleeps no real time and remembers for how long it was asked to."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await asyncio.sleep(0)


def a_job(city: MemoryCity, name: str, connector: Connector) -> FeedJob:
    sink = Intake(city, city, city, city, by=SYSTEM).sink("air", a_feed(id=name), an_entity())
    return FeedJob(name, sink, lambda: connector)


def state(city: MemoryCity, name: str) -> str:
    return str(value_of(city.entities[feed_id("air", name)], "feedState"))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0)


async def run_while(runner: FeedRunner, holds: Callable[[], bool]) -> None:
    running = asyncio.create_task(runner.run())
    try:
        await until(holds)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_failing_feed_is_tried_again_and_stops_no_other() -> None:
    city, naps = MemoryCity(), Naps()
    failing = Scripted([SourceFailed("no broker"), ValueError("a bug"), SourceFailed("no broker")])
    jobs = [a_job(city, "bad", failing), a_job(city, "good", Scripted([], "two"))]
    runner = FeedRunner(jobs, sleep=naps, check_every_s=0.25)
    await run_while(runner, lambda: failing.attempts == 4 and state(city, "bad") == "live")
    assert [s for s in naps.asked if s != 0.25] == [1.0, 2.0, 4.0]
    assert state(city, "good") == "live"


async def test_a_source_that_ends_is_finished_and_not_run_again() -> None:
    city = MemoryCity()
    ended = Scripted([None])
    runner = FeedRunner([a_job(city, "short", ended)], sleep=Naps())
    await run_while(runner, lambda: runner.running() == [] and "short" in city.feeds)
    assert (ended.attempts, state(city, "short")) == (1, "finished")


async def test_a_feed_can_be_stopped_and_started_again() -> None:
    city = MemoryCity()
    connector = Scripted([])
    runner = FeedRunner([a_job(city, "one", connector)], sleep=Naps())
    runner.start("one")
    await until(lambda: connector.attempts == 1)
    await runner.stop("one")
    assert runner.running() == []
    await runner.restart("one")
    await until(lambda: connector.attempts == 2)
    await runner.stop("one")
