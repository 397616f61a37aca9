"""Units of work over SQLite: one writer with group commit, a few reader threads.

All functions that wait when the writer is free share one transaction and one fsync; one that raises takes
nothing of the others with it. What they write waits in memory until the group ends or one of them looks at the
file (`rows`). Callers are answered after the commit. How groups are made: `writer`.
Reasons: `docs/decisions/0006-rows-wait-for-their-group.md`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw
import structlog

from chengmai.kernel.clock import Clock
from chengmai.kernel.measures import Durations
from chengmai.store.problems import StoreFailed
from chengmai.store.sqlite.checkpoints import Checkpoints
from chengmai.store.sqlite.file import connect, migrate
from chengmai.store.sqlite.jobs import Job
from chengmai.store.sqlite.tide import Tide
from chengmai.store.sqlite.transaction import SqliteTx as SqliteTx
from chengmai.store.sqlite.writer import BROKEN, MAX_WAITING, MOST_DELAY_S, Writer

T = TypeVar("T")

_NO_LIMIT = -(10**9)
_STEPS = 80_000
"""Of the engine, in a read that holds up the event loop: about a millisecond."""
_log = structlog.get_logger(__name__)


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
        self.applied = migrate(self._db)
        self.tide = Tide(path)
        checkpoints = Checkpoints(self._db, lambda: connect(path, key))
        self._writer = Writer(
            self._db,
            path,
            clock,
            checkpoints,
            self.tide,
            most_waiting=most_waiting,
            most_delay_s=most_delay_s,
        )
        self._local = threading.local()
        self._brief: apsw.Connection | None = None
        self._pauses = 0
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="sqlite-read")
        self._read_connections: list[apsw.Connection] = []

    @property
    def depth(self) -> int:
        """How many units of work are not yet written."""
        return self._writer.depth

    def check_room(self) -> None:
        """Raise `StoreBusy` while writes wait so long that no more should be begun with."""
        self._writer.check_room()

    @property
    def commits(self) -> int:
        """How many groups were written."""
        return self._writer.commits

    @property
    def written(self) -> int:
        """How many units of work were written."""
        return self._writer.written

    @property
    def durations(self) -> Durations:
        """How long groups took, from the first statement to the disk."""
        return self._writer.durations

    async def write(self, fn: Callable[[SqliteTx], T], /) -> T:
        """Return what `fn(tx)` returns once it is on disk; raises `StoreBusy` when too many wait."""
        return await self._writer.put(Job((fn,), alone=True, brief=False))  # type: ignore[no-any-return]

    async def elsewhere(self) -> int:
        """Return a number that is another one after another process, such as a command, has written.

        PRAGMA data_version of the connection that writes; it may also change without any such write.
        """
        return await self.write(lambda tx: int(tx.db.execute("PRAGMA data_version").fetchone()[0]))

    async def write_brief(self, fn: Callable[[SqliteTx], T], /) -> T:
        """Return what `write` does, for a few look-ups by key: it runs on the event loop."""
        return await self._writer.put(Job((fn,), alone=True, brief=True))  # type: ignore[no-any-return]

    async def write_all(
        self, fns: Sequence[Callable[[SqliteTx], T]], /, *, brief: bool = True
    ) -> list[T | Exception]:
        """Return what each of `fns` returns or raised, once all is on disk; raises as `write` does."""
        if not fns:
            return []
        return await self._writer.put(Job(fns, alone=False, brief=brief))  # type: ignore[no-any-return]

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
        self._writer.close()
        self._readers.shutdown(wait=True)
        for db in [*self._read_connections, self._db]:
            db.close()
        self.tide.close()

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
        except BROKEN as error:
            _log.error("store.read_failed", path=str(self._path), error=repr(error))
            raise StoreFailed(
                f"a part of the file cannot be read ({type(error).__name__})",
                fix="restore the folder from a backup; nothing wrong was given out",
            ) from error
        finally:
            if not db.getautocommit():
                db.execute("ROLLBACK")
