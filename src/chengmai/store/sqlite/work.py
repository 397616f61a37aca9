"""Units of work over SQLite: one writer thread with group commit, a few reader threads.

All functions that wait when the writer is free share one transaction and one fsync; one that raises takes
nothing of the others with it. What they write waits in memory until the group ends or one of them looks at the
file (`rows`). Callers are answered after the commit.
Reasons: `docs/decisions/0006-rows-wait-for-their-group.md`.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import apsw
import structlog

from chengmai.kernel.clock import Clock, Instants
from chengmai.kernel.measures import Durations
from chengmai.kernel.problems import Unavailable
from chengmai.store.problems import StoreBusy, StoreFailed, StoreFull
from chengmai.store.sqlite.file import Place, connect, migrate
from chengmai.store.sqlite.memo import Memo
from chengmai.store.sqlite.rows import Insert, Row, Rows

T = TypeVar("T")
Outcome = tuple["_Job", Any, BaseException | None]

_BROKEN = (apsw.IOError, apsw.CorruptError, apsw.NotADBError)
MAX_GROUP = 256
MAX_GROUP_S = 0.008
"""No unit of work is added to a group that has worked this long, in CPU time: a busy machine must not make
commits smaller, and so dearer."""
AT_ONCE = 100
"""How many of many units of work wait together; the next ones wait behind whoever came in between."""
MAX_WAITING = 10_000
"""How many units of work may wait, a few seconds of work: whoever comes then is told to come again."""
MOST_DELAY_S = 0.3
"""How long the unit of work that was taken last may have waited before requests to write are turned away."""
_NO_LIMIT = -(10**9)
_STEPS = 80_000
"""Of the engine, in a read that holds up the event loop: about a millisecond."""
_log = structlog.get_logger(__name__)


class SqliteTx:
    """One transaction: the connection, its instant, and what to do after the commit."""

    __slots__ = ("_after", "_db", "_memo", "_now", "_rows")

    def __init__(
        self,
        db: apsw.Connection,
        now: datetime,
        memo: Memo | None = None,
        rows: Rows | None = None,
    ) -> None:
        self._db = db
        self._now = now
        self._memo = memo
        self._rows = rows
        self._after: list[Callable[[], None]] = []

    @property
    def now(self) -> datetime:
        return self._now

    @property
    def is_write(self) -> bool:
        """Whether this is the writer's, which remembers."""
        return self._memo is not None

    def after_commit(self, fn: Callable[[], None], /) -> None:
        self._after.append(fn)

    # Rows come back as whatever the columns hold: their types are the statement's affair.
    @property
    def db(self) -> Any:
        """Return the connection; what was written so far is in it."""
        return self._db if self._rows is None else self._rows.reach()

    @property
    def peek(self) -> Any:
        """Return the connection, for what is remembered once it is written: it cannot be waiting."""
        return self._db

    def insert(self, into: Insert, row: Row) -> None:
        """Write a row with the group; whoever asks `db` finds it."""
        if self._rows is None:
            into.write(self._db, [row])
        else:
            self._rows.add(into, row)

    def recall(self, key: Hashable) -> Any | None:
        """Return what a write remembered under `key`; None when nothing did, or in a read."""
        return None if self._memo is None else self._memo.recall(key)

    def remember(self, key: Hashable, value: Any, weight: int = 0) -> None:
        """Remember what is written here for later writes, provided that it is committed."""
        if self._memo is not None:
            self._memo.remember(key, value, weight)


class _Job:
    """Units of work that are answered together; `alone` when it is one that stands for itself."""

    __slots__ = ("after", "alone", "fns", "future", "loop", "since")

    def __init__(self, fns: Sequence[Callable[[SqliteTx], Any]], *, alone: bool) -> None:
        self.fns, self.alone = fns, alone
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.after: list[Callable[[], None]] = []
        self.since = time.monotonic()


class SqliteWork:
    """Runs units of work on one encrypted SQLite file; implements `kernel.work.BriefWork`."""

    def __init__(
        self,
        path: Path,
        key: str,
        clock: Clock,
        *,
        readers: int = 3,
        most_waiting: int = MAX_WAITING,
        most_delay_s: float = MOST_DELAY_S,
    ) -> None:
        self._path, self._key, self._clock = path, key, clock
        self._db = connect(path, key)
        self._place = Place(path)
        self.applied = migrate(self._db)
        self._waiting: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._most_waiting, self._asked, self._taken = most_waiting, 0, 0
        self._most_delay_s, self._waited_s = most_delay_s, 0.0
        self._broken: Unavailable | None = None
        self._memo = Memo()
        self._rows = Rows(self._db)
        self._instants = Instants(clock)
        self._local = threading.local()
        self._brief: apsw.Connection | None = None
        self._pauses = 0
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="sqlite-read")
        self._read_connections: list[apsw.Connection] = []
        self._thread = threading.Thread(target=self._run, name="sqlite-write", daemon=True)
        self._thread.start()
        self.durations = Durations()
        self.commits = 0
        self.written = 0

    @property
    def depth(self) -> int:
        """How many units of work wait to be written."""
        return self._asked - self._taken

    def check_room(self) -> None:
        """Raise `StoreBusy` while writes wait so long that no more should be begun with."""
        if self._waited_s > self._most_delay_s and self.depth:
            raise StoreBusy("too many writes are waiting", fix="try again in a second")

    async def write(self, fn: Callable[[SqliteTx], T], /) -> T:
        """Return what `fn(tx)` returns once it is on disk; raises `StoreBusy` when too many wait."""
        return await self._put(_Job((fn,), alone=True))  # type: ignore[no-any-return]

    async def write_all(self, fns: Sequence[Callable[[SqliteTx], T]], /) -> list[T | Exception]:
        """Return what each of `fns` returns or raised, once all is on disk; raises as `write` does."""
        results: list[T | Exception] = []
        for begin in range(0, len(fns), AT_ONCE):
            results += await self._put(_Job(fns[begin : begin + AT_ONCE], alone=False))
        return results

    def _put(self, job: _Job) -> asyncio.Future[Any]:
        if self._broken is not None:
            raise self._broken
        if self.depth >= self._most_waiting:
            raise StoreBusy("too many writes are waiting", fix="try again in a second")
        self._asked += len(job.fns)
        self._waiting.put(job)
        return job.future

    async def read(self, fn: Callable[[SqliteTx], T], /) -> T:
        """Return what `fn(tx)` returns over one committed snapshot."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, fn)

    async def glance(self, fn: Callable[[SqliteTx], T], /, *, asks_once: bool = False) -> T:
        """Return what `fn(tx)` returns, read at once on this thread; `asks_once` promises one statement.

        What takes too many steps, or finds the file busy, is read on another one.
        """
        db = self._brief
        if db is None:
            db = self._brief = connect(self._path, self._key, read_only=True)
            db.set_busy_timeout(0)
            self._read_connections.append(db)
            db.set_progress_handler(self._is_too_long, _STEPS // 10)
        try:
            return self._briefly(fn, db, begin=not asks_once)
        except (apsw.BusyError, apsw.InterruptError):
            return await self.read(fn)

    def _briefly(self, fn: Callable[[SqliteTx], T], db: apsw.Connection, *, begin: bool) -> T:
        self._pauses = 0
        try:
            return self._answered(fn, db, begin=begin)
        finally:
            # The steps of a statement are counted over all its runs: the budget that is used up may cut off
            # the ROLLBACK too, and a transaction left open would fail every read after it.
            self._pauses = _NO_LIMIT
            if not db.getautocommit():
                db.execute("ROLLBACK")

    def _is_too_long(self) -> bool:
        self._pauses += 1
        return self._pauses > 10

    def close(self) -> None:
        """Finish what waits, then close every connection."""
        self._waiting.put(None)
        self._thread.join()
        self._readers.shutdown(wait=True)
        for db in [*self._read_connections, self._db]:
            db.close()

    def _read(self, fn: Callable[[SqliteTx], T]) -> T:
        db = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = connect(self._path, self._key, read_only=True)
            self._read_connections.append(db)
        return self._answered(fn, db)

    def _answered(
        self, fn: Callable[[SqliteTx], T], db: apsw.Connection, *, begin: bool = True
    ) -> T:
        if begin:
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
            self._take(job)
            try:
                outcomes, stop = self._commit(group)
            except BaseException as error:  # the writer must not end while somebody waits for it
                self._broken = self._broken or StoreFailed(
                    f"the writer failed ({error!r})", fix="restart; nothing acknowledged was lost"
                )
                outcomes, stop = [(job, None, self._broken) for job in group], False
            self._answer(outcomes)
            if stop:
                return

    def _take(self, job: _Job) -> None:
        self._taken += len(job.fns)
        self._waited_s = time.monotonic() - job.since

    def _commit(self, group: list[_Job]) -> tuple[list[Outcome], bool]:
        """Return what became of the one job in `group` and of those that joined it, and whether to stop."""
        if self._broken is not None:
            return [(group[0], None, self._broken)], False
        job: _Job | None = group[0]
        stop = False
        since, units = time.thread_time(), 0
        began = time.monotonic()
        outcomes: list[Outcome] = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._memo.begin(int(self._db.pragma("data_version")))
            while job is not None:
                # An instant each: a change without one of its own is told apart from the next by it.
                outcomes.append(self._do(job))
                units += len(job.fns)
                job, stop = self._next(units, since)
                if job is not None:
                    group.append(job)
                    self._take(job)
            self._rows.end()
            self._place.check()
            self._db.execute("COMMIT")
        except BaseException as error:  # whatever it was, nobody may be told that it is saved
            self._memo.end(well=False)
            self._rows.drop()
            problem = self._storage_problem(error)
            if not self._db.getautocommit():
                with suppress(
                    apsw.Error
                ):  # the file may be gone; what was not committed is not there
                    self._db.execute("ROLLBACK")
            return [(job, None, problem) for job in group], stop
        self._memo.end(well=True)
        self.durations.note(time.monotonic() - began)
        self.commits += 1
        self.written += units
        return outcomes, stop

    def _next(self, taken: int, since: float) -> tuple[_Job | None, bool]:
        """Return who joins the group, if anybody, and whether it is the end of all."""
        if taken >= MAX_GROUP or time.thread_time() - since > MAX_GROUP_S:
            return None, False
        try:
            job = self._waiting.get_nowait()
        except queue.Empty:
            return None, False
        return job, job is None

    def _do(self, job: _Job) -> Outcome:
        done = [self._one(job, fn, self._instants.next()) for fn in job.fns]
        if not job.alone:
            return job, [result if error is None else error for result, error in done], None
        ((result, error),) = done
        return job, result, error

    def _one(
        self, job: _Job, fn: Callable[[SqliteTx], Any], now: datetime
    ) -> tuple[Any, Exception | None]:
        tx = SqliteTx(self._db, now, self._memo, self._rows)
        try:
            result = fn(tx)
        except (apsw.FullError, *_BROKEN):
            raise
        except Exception as error:
            self._rows.end_unit(well=False)
            self._memo.end_unit(well=False)
            return None, error
        self._rows.end_unit(well=True)
        self._memo.end_unit(well=True)
        job.after += tx._after
        return result, None

    def _storage_problem(self, error: BaseException) -> Unavailable:
        _log.error("store.commit_failed", path=str(self._path), error=repr(error))
        if isinstance(error, StoreFailed):
            self._broken = error
            return error
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
