"""Sorted runs, merged in bounded steps.

Each sealing is a run: sorted by series and time in itself. Were there nothing but small runs, one day of one
series would lie all over the file. So runs of one level that have become many are written anew as one run of
the next, until a run is as large as one step may be. Arrival follows time well enough for a run to be a
stretch of time too; what came late is found by the bounds that DuckDB keeps of every part of a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

FAN = 16
"""Runs of one level that make one of the next."""
MOST = 4_000_000
"""Observations of one run: what a step reads, sorts and writes."""


@dataclass(frozen=True)
class Run:
    """`held` observations, sorted; `level` says how often they were written anew."""

    id: int
    level: int
    held: int


def due(runs: Sequence[Run], *, fan: int = FAN, most: int = MOST) -> list[Run]:
    """Return the runs to make one of now, none when all is well.

    The oldest of the lowest level that has `fan` of them, as many as make `most` together.
    """
    by_level: dict[int, list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.id):
        if run.held <= most // 2:
            by_level.setdefault(run.level, []).append(run)
    for _, found in sorted(by_level.items()):
        if len(found) >= fan:
            return _as_many(found[:fan], most)
    return []


def _as_many(runs: Sequence[Run], most: int) -> list[Run]:
    taken: list[Run] = []
    held = 0
    for run in runs:
        if held + run.held > most:
            break
        taken.append(run)
        held += run.held
    return taken


def read_runs(cursor: duckdb.DuckDBPyConnection) -> list[Run]:
    """Return all runs."""
    return [Run(*row) for row in cursor.execute("SELECT id, level, held FROM run").fetchall()]


def add_run(cursor: duckdb.DuckDBPyConnection, held: int, level: int = 0) -> int:
    """Return the number of a new run of `held` observations."""
    ((number,),) = cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM run").fetchall()
    cursor.execute("INSERT INTO run VALUES (?, ?, ?)", (number, level, held))
    return int(number)


def merge(cursor: duckdb.DuckDBPyConnection, runs: Sequence[Run], sealed_seq: int) -> None:
    """Write some runs anew as one.

    A seq only tells what was recorded before a deletion from what came after. Deletions up to the watermark
    are done, later ones are about all that is sealed: so the whole run may carry it, which costs no room.
    """
    level = max(run.level for run in runs) + 1
    number = add_run(cursor, sum(run.held for run in runs), level)
    ids = [run.id for run in runs]
    these = f"run BETWEEN {min(ids)} AND {max(ids)} AND run IN ({', '.join(map(str, ids))})"
    cursor.execute(
        f"INSERT INTO observation SELECT {number}, series, at_s, sub_us, lag_us,"
        f" greatest(seq, {sealed_seq}), observed, num, body FROM observation WHERE {these}"
        " ORDER BY series, at_s, sub_us"
    )
    cursor.execute(f"DELETE FROM observation WHERE {these}")
    cursor.execute(f"DELETE FROM run WHERE id IN ({', '.join(map(str, ids))})")


def recount(cursor: duckdb.DuckDBPyConnection) -> None:
    """Count anew what the runs hold, after something was let go."""
    cursor.execute(
        "UPDATE run SET held = coalesce(found.held, 0) FROM"
        " (SELECT id, (SELECT count(*) FROM observation WHERE run = id) AS held FROM run) found"
        " WHERE run.id = found.id"
    )
    cursor.execute("DELETE FROM run WHERE held = 0")
