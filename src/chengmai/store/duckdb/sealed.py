"""The sealed part of the history: one DuckDB file of runs, each sorted by series and time.

What is sealed is told by a watermark: every recent observation with `seq <= sealed_seq` is in this file.
The watermark moves in the same transaction as the rows, so a crash between sealing and the removal of the
recent rows is seen, and mended, at the next start. The tables are in `schema`, the runs in `runs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, local
from typing import TypeVar

import duckdb

from chengmai.kernel.problems import Unavailable
from chengmai.store.duckdb.kept import Kept, Sight, State
from chengmai.store.duckdb.leaving import Cuts, drop, let_go
from chengmai.store.duckdb.rollups import MOST_ROLLED, roll
from chengmai.store.duckdb.runs import FAN, MOST, due, merge, read_runs
from chengmai.store.duckdb.schema import prepare
from chengmai.store.duckdb.taking import Arrays, Row, take_in, to_arrays
from chengmai.store.problems import StoreFailed, StoreFull, StoreInUse, StoreUnreadable

T = TypeVar("T")


def _unreadable(path: Path, error: Exception) -> StoreUnreadable:
    return StoreUnreadable(
        f"{path}: {error}",
        fix="nothing was changed; restore the file from the same backup as the state file",
    )


def _write_problem(error: duckdb.Error) -> Unavailable:
    if "No space left" in str(error):
        return StoreFull(
            "no space is left on the device for the sealed history",
            fix="free space; what was not sealed is kept in the state file",
        )
    return StoreFailed(
        f"the sealed history could not be written: {error}",
        fix="check the disk and restart; what was not sealed is kept in the state file",
    )


class SealedHistory:
    """The sealed observations of every tenant; a cursor a call, so any thread may call."""

    def __init__(self, path: Path, *, memory_limit: str = "1GB", threads: int = 2) -> None:
        self._path = path
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "threads": threads,
        }
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._is_closed = False
        self._opening = Lock()
        self._writing = Lock()
        self._kept = Kept()
        self._noting = Lock()
        self._commits = 0
        """Twice the number of commits; odd while one is under way."""
        self._local = local()
        self._cursors: list[duckdb.DuckDBPyConnection] = []
        self.changes = 0
        """How often something came or went that was not recent before: blocks of the past, what is too old."""

    @property
    def _db(self) -> duckdb.DuckDBPyConnection:
        """The database, opened when it is first needed: DuckDB lets only one process in at a time,
        and a command that reads the present must work beside a running city."""
        with self._opening:
            if self._is_closed:
                raise StoreFailed("the sealed history is closed", fix="open it again")
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> duckdb.DuckDBPyConnection:
        try:
            db = duckdb.connect(str(self._path), config=self._config)
            prepare(db)
        except duckdb.IOException as error:
            if "lock" in str(error):
                raise StoreInUse(
                    f"{self._path} is in use by another process",
                    fix="stop the city that runs on this data, or use another folder",
                ) from error
            raise _unreadable(self._path, error) from error
        except duckdb.Error as error:
            raise _unreadable(self._path, error) from error
        return db

    def close(self) -> None:
        """Close the database if it was opened, after what is being written; it is not opened again.

        A step that was under way when the city stopped may come to its writing only now, on its thread.
        """
        with self._writing, self._opening:
            self._is_closed = True
            self._kept.end()
            for cursor in self._cursors:
                cursor.close()  # each holds the file
            if self._opened is not None:
                self._opened.close()

    @contextmanager
    def snapshot(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor that sees one committed state."""
        cursor = self._db.cursor()
        try:
            cursor.execute("BEGIN")
            yield cursor
        finally:
            cursor.close()

    def look(self, ask: Callable[[Sight], T]) -> T:
        """Return what `ask` makes of one committed state; it may be asked twice.

        While nothing changes every statement sees the same state, without a transaction around them.
        """
        state = self._kept.state
        if state is not None:
            made = ask(Sight(self._own_cursor(), state, self._kept))
            if self._kept.state is state:
                return made
        with self.snapshot() as cursor:
            changes = self._commits
            state = State.read(cursor)
            made = ask(Sight(cursor, state))
        if changes % 2 == 0:
            with self._noting:
                if self._commits == changes and self._kept.state is None:
                    self._kept.begin(state)
        return made

    def _own_cursor(self) -> duckdb.DuckDBPyConnection:
        """Return the cursor of this thread; making one costs as much as a small question."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._local.cursor = self._db.cursor()
            self._cursors.append(cursor)
        return cursor

    @contextmanager
    def _change(self, touched: Iterable[int] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor whose changes are committed together; raises `StoreFull` or `StoreFailed`.

        `touched` are the series that change, None: any may.
        """
        with self._writing:
            cursor = self._db.cursor()
            try:
                cursor.execute("BEGIN")
                yield cursor
                with self._noting:
                    self._commits += 1
                    self._kept.end()
                try:
                    cursor.execute("COMMIT")
                finally:
                    self._kept.forget(touched)
                    self._commits += 1
            except duckdb.Error as error:
                raise _write_problem(error) from error
            finally:
                cursor.close()

    @staticmethod
    def sealed_seq(cursor: duckdb.DuckDBPyConnection) -> int:
        """Return the watermark."""
        # Read to the end: DuckDB refuses other work on a connection with an unfinished result.
        ((found,),) = cursor.execute("SELECT max(sealed_seq) FROM watermark").fetchall()
        return int(found)

    def watermark(self) -> int:
        """Return the watermark as it stands now."""
        return self.look(lambda sight: sight.state.watermark)

    def seal(self, rows: Sequence[Row], upto: int, dropped: Sequence[tuple[int, int]]) -> None:
        """Take in recent rows with `seq <= upto`, correcting what is here; drop (series, seq) and below."""
        with self._change({row[0] for row in rows}.union(one for one, _ in dropped)) as cursor:
            drop(cursor, dropped)
            take_in(cursor, to_arrays(rows), upto)
            cursor.execute("UPDATE watermark SET sealed_seq = ?", (upto,))

    def let_go(self, kept: Cuts, rolled: Cuts) -> int:
        """Remove observations older than `kept` and sums older than `rolled`; return how many observations."""
        with self._change() as cursor:
            removed = let_go(cursor, kept, rolled)
        self.changes += bool(removed)
        return removed

    def merge(self, *, fan: int = FAN, most: int = MOST) -> bool:
        """Make one sorted run of some; return False when there was nothing to do.

        Who reads is not held up; who seals waits for the step to end.
        """
        with self._change() as cursor:
            if not (runs := due(read_runs(cursor), fan=fan, most=most)):
                return False
            merge(cursor, runs, self.sealed_seq(cursor))
        return True

    def roll(self, before_day: int, *, most: int = MOST_ROLLED) -> bool:
        """Roll up some of the days before a day; return False when all are."""
        with self._change() as cursor:
            return roll(cursor, before_day, most=most)

    def import_block(self, tenant: str, block_id: str, arrays: Arrays, seq: int) -> bool:
        """Take in a block of the past once, as if recorded at `seq`; return False when it is here already."""
        with self._change() as cursor:
            if self.has_block(cursor, tenant, block_id):
                return False
            take_in(cursor, arrays, seq)
            recorded_us = int(arrays["modified_us"].max()) if len(arrays["modified_us"]) else None
            cursor.execute("INSERT INTO block VALUES (?, ?, ?)", (tenant, block_id, recorded_us))
        self.changes += 1
        return True

    @staticmethod
    def has_block(cursor: duckdb.DuckDBPyConnection, tenant: str, block_id: str) -> bool:
        """Return whether the block was imported."""
        found = cursor.execute(
            "SELECT 1 FROM block WHERE tenant = ? AND id = ?", (tenant, block_id)
        )
        return bool(found.fetchall())
