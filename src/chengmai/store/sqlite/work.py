"""Units of work over SQLite: one writer thread with group commit, a few reader threads.

All functions that wait when the writer is free share one transaction and one fsync; each runs in its own
savepoint, so one that raises takes nothing of the others with it. Callers are answered after the commit.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import apsw
import structlog

from chengmai.kernel.clock import Clock
from chengmai.kernel.problems import Unavailable
from chengmai.store.problems import StoreBusy, StoreFailed, StoreFull
from chengmai.store.sqlite.file import connect, migrate
from chengmai.store.sqlite.memo import Memo

T = TypeVar("T")
Outcome = tuple["_Job", Any, BaseException | None]

_BROKEN = (apsw.IOError, apsw.CorruptError, apsw.NotADBError)
MAX_GROUP = 256
_TICK = timedelta(microseconds=1)
MAX_WAITING = 20_000
_BUSY_MS = 10_000
_log = structlog.get_logger(__name__)


class SqliteTx:
    """One transaction: the connection, its instant, and what to do after the commit."""

    __slots__ = ("_after", "_memo", "_now", "db")

    def __init__(self, db: apsw.Connection, now: datetime, memo: Memo | None = None) -> None:
        # Rows come back as whatever the columns hold: their types are the statement's affair.
        self.db: Any = db
        self._now = now
        self._memo = memo
        self._after: list[Callable[[], None]] = []

    @property
    def now(self) -> datetime:
        return self._now

    def after_commit(self, fn: Callable[[], None], /) -> None:
        self._after.append(fn)

    def recall(self, key: Hashable) -> Any | None:
        """Return what a write remembered under `key`; None when nothing did, or in a read."""
        return None if self._memo is None else self._memo.recall(key)

    def remember(self, key: Hashable, value: Any) -> None:
        """Remember what is written here for later writes, provided that it is committed."""
        if self._memo is not None:
            self._memo.remember(key, value)


class _Job:
    __slots__ = ("after", "fn", "future", "loop")

    def __init__(
        self,
        fn: Callable[[SqliteTx], Any],
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[Any],
    ) -> None:
        self.fn = fn
        self.loop = loop
        self.future = future
        self.after: list[Callable[[], None]] = []


class SqliteWork:
    """Runs units of work on one encrypted SQLite file; implements `kernel.work.BriefWork`."""

    def __init__(self, path: Path, key: str, clock: Clock, *, readers: int = 3) -> None:
        self._path, self._key, self._clock = path, key, clock
        self._db = connect(path, key)
        self.applied = migrate(self._db)
        self._waiting: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._broken: Unavailable | None = None
        self._memo = Memo()
        self._local = threading.local()
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="sqlite-read")
        self._read_connections: list[apsw.Connection] = []
        self._thread = threading.Thread(target=self._run, name="sqlite-write", daemon=True)
        self._thread.start()
        self.commits = 0
        self.written = 0

    @property
    def depth(self) -> int:
        """How many units of work wait to be written."""
        return self._waiting.qsize()

    async def write(self, fn: Callable[[SqliteTx], T], /) -> T:
        """Return what `fn(tx)` returns once it is on disk; raises `StoreBusy` when too many wait."""
        if self._broken is not None:
            raise self._broken
        if self._waiting.qsize() >= MAX_WAITING:
            raise StoreBusy("too many writes are waiting", fix="try again in a second")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.put(_Job(fn, loop, future))
        return await future

    async def read(self, fn: Callable[[SqliteTx], T], /) -> T:
        """Return what `fn(tx)` returns over one committed snapshot."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, fn)

    async def glance(self, fn: Callable[[SqliteTx], T], /) -> T:
        """Return what `fn(tx)` returns, read at once on this thread; on another one when the file is busy."""
        try:
            return self._read(fn, busy_ms=0)
        except apsw.BusyError:
            return await self.read(fn)

    def close(self) -> None:
        """Finish what waits, then close every connection."""
        self._waiting.put(None)
        self._thread.join()
        self._readers.shutdown(wait=True)
        for db in [*self._read_connections, self._db]:
            db.close()

    def _read(self, fn: Callable[[SqliteTx], T], busy_ms: int = _BUSY_MS) -> T:
        db = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = connect(self._path, self._key, read_only=True)
            db.set_busy_timeout(busy_ms)
            self._read_connections.append(db)
        db.execute("BEGIN")
        try:
            return fn(SqliteTx(db, self._clock.now()))
        except _BROKEN as error:
            _log.error("store.read_failed", path=str(self._path), error=repr(error))
            raise StoreFailed(
                f"a part of the file cannot be read ({type(error).__name__})",
                fix="restore the folder from a backup; nothing wrong was given out",
            ) from error
        finally:
            if not db.getautocommit():
                db.execute("ROLLBACK")

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None:
            group = [job]
            stop = False
            while len(group) < MAX_GROUP:
                try:
                    more = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    stop = True
                    break
                group.append(more)
            self._answer(self._commit(group))
            if stop:
                return

    def _commit(self, group: list[_Job]) -> list[Outcome]:
        if self._broken is not None:
            return [(job, None, self._broken) for job in group]
        now = self._clock.now()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._memo.begin(int(self._db.pragma("data_version")))
            # An instant each: a change that carries none of its own is told apart from the next by it.
            outcomes = [self._one(job, now + n * _TICK) for n, job in enumerate(group)]
            self._db.execute("COMMIT")
        except BaseException as error:  # whatever it was, nobody may be told that it is saved
            self._memo.end(well=False)
            problem = self._storage_problem(error)
            if not self._db.getautocommit():
                self._db.execute("ROLLBACK")
            return [(job, None, problem) for job in group]
        self._memo.end(well=True)
        self.commits += 1
        self.written += len(group)
        return outcomes

    def _one(self, job: _Job, now: datetime) -> Outcome:
        tx = SqliteTx(self._db, now, self._memo)
        self._db.execute("SAVEPOINT work")
        try:
            result = job.fn(tx)
        except (apsw.FullError, *_BROKEN):
            raise
        except BaseException as error:
            self._db.execute("ROLLBACK TO work")
            self._db.execute("RELEASE work")
            self._memo.end_unit(well=False)
            return job, None, error
        self._db.execute("RELEASE work")
        self._memo.end_unit(well=True)
        job.after = tx._after
        return job, result, None

    def _storage_problem(self, error: BaseException) -> Unavailable:
        _log.error("store.commit_failed", path=str(self._path), error=repr(error))
        if isinstance(error, apsw.FullError):
            return StoreFull(
                "no space is left on the device", fix="free space; nothing was half-written"
            )
        problem = StoreFailed(
            f"the disk reported an error while writing ({type(error).__name__})",
            fix="check the disk and restart; nothing acknowledged was lost",
        )
        # After a failed fsync nobody knows what the disk holds: never retry in this process.
        if isinstance(error, _BROKEN):
            self._broken = problem
        return problem

    @staticmethod
    def _answer(outcomes: list[Outcome]) -> None:
        loops = {job.loop for job, _, _ in outcomes}
        for loop in loops:
            mine = [outcome for outcome in outcomes if outcome[0].loop is loop]
            try:
                loop.call_soon_threadsafe(_resolve, mine)
            except RuntimeError:  # the loop is closed: nobody waits any more
                _log.warning("store.nobody_waits", answers=len(mine))


def _resolve(outcomes: list[Outcome]) -> None:
    for job, result, error in outcomes:
        if error is None:
            for fn in job.after:
                try:
                    fn()
                except Exception:
                    _log.exception("store.after_commit_failed")
        if job.future.done():
            continue
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)
