"""Runs all feeds side by side: a feed that fails is told, tried again later, and stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog

from chengmai.connect.intake import FeedSink
from chengmai.connect.ports import Connector
from chengmai.kernel.problems import Problem

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class FeedJob:
    """A feed to run: its id, its sink, and how to make a fresh connector for each attempt."""

    feed_id: str
    sink: FeedSink
    make: Callable[[], Connector]


class FeedRunner:
    """Starts, stops and restarts feeds. `sleep` waits real seconds; `check_every_s` is how often
    silence is looked for.
    """

    def __init__(
        self,
        jobs: Iterable[FeedJob],
        *,
        sleep: Sleep = asyncio.sleep,
        check_every_s: float = 5.0,
    ) -> None:
        self._jobs = {job.feed_id: job for job in jobs}
        self._sleep = sleep
        self._check_every_s = check_every_s
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Run all feeds until cancelled; then every feed has stopped."""
        try:
            for feed_id in self._jobs:
                self.start(feed_id)
            while True:
                await self._sleep(self._check_every_s)
                await self._look()
        finally:
            await asyncio.gather(*(self.stop(feed_id) for feed_id in list(self._tasks)))

    def running(self) -> list[str]:
        """Return the ids of the feeds whose connector runs or waits to be tried again."""
        return sorted(feed_id for feed_id, task in self._tasks.items() if not task.done())

    def start(self, feed_id: str) -> None:
        """Start a feed that does not run; one that runs is left alone."""
        task = self._tasks.get(feed_id)
        if task is None or task.done():
            job = self._jobs[feed_id]
            self._tasks[feed_id] = asyncio.create_task(self._keep(job), name=f"feed {feed_id}")

    async def stop(self, feed_id: str) -> None:
        """Stop a feed; what it handed over stays, and a start goes on from its cursor."""
        task = self._tasks.pop(feed_id, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def restart(self, feed_id: str) -> None:
        """Stop and start a feed."""
        await self.stop(feed_id)
        self.start(feed_id)

    async def _keep(self, job: FeedJob) -> None:
        """Run a feed until it ends; "failed" stays until readings come again."""
        wait_s = FIRST_WAIT_S
        await job.sink.tell(ended="")
        while True:
            handed = job.sink.handed
            try:
                await job.make().run(job.sink)
                await job.sink.tell(ended="finished")
                return
            except Exception as error:
                # A connector talks to the world outside; whatever it raises is that feed's failure only.
                await self._failed(job, error)
            if job.sink.handed > handed:
                wait_s = FIRST_WAIT_S
            await self._sleep(wait_s)
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)

    async def _failed(self, job: FeedJob, error: Exception) -> None:
        known = isinstance(error, Problem)
        log = structlog.get_logger("chengmai.connect")
        log.warning("feed failed", feed=job.feed_id, error=str(error), exc_info=not known)
        detail = str(error) or type(error).__name__
        if isinstance(error, Problem) and error.fix:
            detail = f"{detail} – {error.fix}"
        try:
            await job.sink.tell(ended="failed", detail=detail)
        except Problem as problem:
            log.warning("feed state not written", feed=job.feed_id, error=problem.detail)

    async def _look(self) -> None:
        log = structlog.get_logger("chengmai.connect")
        for feed_id in self.running():
            try:
                await self._jobs[feed_id].sink.tell()
            except Problem as problem:
                log.warning("feed state not written", feed=feed_id, error=problem.detail)
