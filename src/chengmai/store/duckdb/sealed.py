"""The sealed part of the history: one DuckDB file, sorted by series and time.

What is sealed is told by a watermark: every recent observation with `seq <= sealed_seq` is in this file.
The watermark moves in the same transaction as the rows, so a crash between sealing and the removal of the
recent rows is seen, and mended, at the next start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias

import duckdb
import numpy as np
from numpy.typing import NDArray

from chengmai.kernel.problems import Unavailable
from chengmai.store.problems import StoreFailed, StoreFull, StoreInUse, StoreUnreadable

Arrays: TypeAlias = dict[str, NDArray[Any]]
Row: TypeAlias = tuple[int, int, int, int, bool, float | None, str | None]
"""series, at_us, modified_us, seq, observed, num, body"""

COLUMNS = ("series", "at_us", "modified_us", "seq", "observed", "num", "body")
_TYPES: dict[str, Any] = {
    "series": np.int32,
    "at_us": np.int64,
    "modified_us": np.int64,
    "seq": np.int64,
    "observed": np.bool_,
    "num": np.float64,
    "body": object,
}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS observation (
  series INTEGER NOT NULL, at_us BIGINT NOT NULL, modified_us BIGINT NOT NULL, seq BIGINT NOT NULL,
  observed BOOLEAN NOT NULL, num DOUBLE, body VARCHAR);
CREATE TABLE IF NOT EXISTS watermark (sealed_seq BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS block (tenant VARCHAR NOT NULL, id VARCHAR NOT NULL);
INSERT INTO watermark SELECT -1 WHERE NOT EXISTS (SELECT 1 FROM watermark);
"""


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


def to_arrays(rows: Sequence[Row]) -> Arrays:
    """Return rows as one array a column, NaN where there is no number."""
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in COLUMNS]
    arrays: Arrays = {}
    for name, column in zip(COLUMNS, columns, strict=True):
        if name == "num":
            column = tuple(np.nan if value is None else value for value in column)
        arrays[name] = np.array(column, dtype=_TYPES[name])
    return arrays


class SealedHistory:
    """The sealed observations of every tenant; a cursor a call, so any thread may call."""

    def __init__(self, path: Path, *, memory_limit: str = "1GB", threads: int = 2) -> None:
        self._path = path
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "threads": threads,
        }
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._opening = Lock()
        self._writing = Lock()

    @property
    def _db(self) -> duckdb.DuckDBPyConnection:
        """The database, opened when it is first needed: DuckDB lets only one process in at a time,
        and a command that reads the present must work beside a running city."""
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> duckdb.DuckDBPyConnection:
        try:
            db = duckdb.connect(str(self._path), config=self._config)
            db.execute(_SCHEMA)
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
        """Close the database if it was opened."""
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

    @contextmanager
    def _change(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor whose changes are committed together; raises `StoreFull` or `StoreFailed`."""
        with self._writing:
            cursor = self._db.cursor()
            try:
                cursor.execute("BEGIN")
                yield cursor
                cursor.execute("COMMIT")
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
        with self.snapshot() as cursor:
            return self.sealed_seq(cursor)

    def seal(self, rows: Sequence[Row], upto: int, dropped: Sequence[tuple[int, int]]) -> None:
        """Take in recent rows with `seq <= upto`, correcting what is here; drop (series, seq) and below."""
        with self._change() as cursor:
            for series, hidden in dropped:
                cursor.execute(
                    "DELETE FROM observation WHERE series = ? AND seq <= ?", (series, hidden)
                )
            self._insert(cursor, to_arrays(rows))
            cursor.execute("UPDATE watermark SET sealed_seq = ?", (upto,))

    def drop_before(
        self, series: NDArray[np.int32], before_us: NDArray[np.int64], others_us: int | None
    ) -> int:
        """Remove what lies before an instant: one for each of `series`, and one for all others where given.

        Return how many observations were removed.
        """
        with self._change() as cursor:
            cursor.register("named", {"series": series, "before_us": before_us})
            ((gone,),) = cursor.execute(
                "DELETE FROM observation USING named"
                " WHERE observation.series = named.series AND at_us < before_us"
            ).fetchall()
            if others_us is not None:
                ((more,),) = cursor.execute(
                    "DELETE FROM observation WHERE at_us < ?"
                    " AND series NOT IN (SELECT series FROM named)",
                    (others_us,),
                ).fetchall()
                gone += more
            cursor.unregister("named")
        return int(gone)

    def import_block(self, tenant: str, block_id: str, arrays: Arrays) -> bool:
        """Take in a block of the past once; return False when it is here already."""
        with self._change() as cursor:
            if self.has_block(cursor, tenant, block_id):
                return False
            self._insert(cursor, arrays)
            cursor.execute("INSERT INTO block VALUES (?, ?)", (tenant, block_id))
        return True

    @staticmethod
    def has_block(cursor: duckdb.DuckDBPyConnection, tenant: str, block_id: str) -> bool:
        """Return whether the block was imported."""
        found = cursor.execute(
            "SELECT 1 FROM block WHERE tenant = ? AND id = ?", (tenant, block_id)
        )
        return bool(found.fetchall())

    @staticmethod
    def _insert(cursor: duckdb.DuckDBPyConnection, batch: Arrays) -> None:
        if not len(batch["series"]):
            return
        cursor.register("batch", batch)
        bounds = (
            int(batch["at_us"].min()),
            int(batch["at_us"].max()),
            int(batch["series"].min()),
            int(batch["series"].max()),
        )
        cursor.execute(
            "DELETE FROM observation WHERE at_us BETWEEN ? AND ? AND series BETWEEN ? AND ?"
            " AND (series, at_us) IN (SELECT (series, at_us) FROM batch)",
            bounds,
        )
        cursor.execute(
            "INSERT INTO observation SELECT series, at_us, modified_us, seq, observed,"
            " CASE WHEN isnan(num) THEN NULL ELSE num END, body FROM batch"
            # A row without number and body is a removal: it takes away and leaves nothing.
            " WHERE NOT (isnan(num) AND body IS NULL) ORDER BY series, at_us"
        )
        cursor.unregister("batch")
