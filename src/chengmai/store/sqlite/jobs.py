"""Units of work on their way through the writer: jobs answered together, groups that share a commit."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from chengmai.kernel.problems import Unavailable
from chengmai.store.sqlite.transaction import SqliteTx

Unit = Callable[[SqliteTx], Any]
_log = structlog.get_logger(__name__)


class Job:
    """Units of work that are answered together; `alone` when it is one that stands for itself."""

    __slots__ = ("after", "alone", "brief", "error", "future", "loop", "results", "since", "units")

    def __init__(self, units: Sequence[Unit], *, alone: bool, brief: bool) -> None:
        self.units, self.alone, self.brief = units, alone, brief
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.after: list[Callable[[], None]] = []
        self.results: list[Any] = []
        """What each unit that was run returned, or the exception that it raised."""
        self.since = time.monotonic()
        self.error: Exception | None = None
        """The newest of those."""

    @property
    def is_done(self) -> bool:
        """Whether every unit was run."""
        return len(self.results) == len(self.units)


class Group:
    """The jobs of one transaction: every one that took part, and those that have more to do."""

    __slots__ = ("began", "error", "jobs", "loop", "turns", "unfinished", "units")

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.began = time.monotonic()
        self.loop = loop
        self.turns = 0
        self.jobs: dict[Job, None] = {}
        self.unfinished: deque[Job] = deque()
        self.units = 0
        self.error: BaseException | None = None
        """What stopped it, if anything did."""


class Answer:
    """What a job is told after a commit, or after it failed (`problem`)."""

    __slots__ = ("after", "is_last", "job", "problem")

    def __init__(self, job: Job, problem: Unavailable | None) -> None:
        self.job, self.problem = job, problem
        self.is_last = problem is not None or job.is_done
        self.after, job.after = job.after, []

    def give(self) -> None:
        """Do what is to be done after the commit, and answer; on the loop of the job."""
        future, results = self.job.future, self.job.results
        if self.problem is None:
            for fn in self.after:
                try:
                    fn()
                except Exception:
                    _log.exception("store.after_commit_failed")
        if not self.is_last or future.done():
            return
        if self.problem is not None:
            future.set_exception(self.problem)
        elif not self.job.alone:
            future.set_result(results)
        elif self.job.error is not None:
            future.set_exception(self.job.error)
        else:
            future.set_result(results[0])
