"""Taking observations into the sealed history: what is there of the same series and instant gives way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import duckdb
import numpy as np
from numpy.typing import NDArray

from chengmai.store.duckdb.rollups import DAY_US, EPOCH_DAYS, roll_anew
from chengmai.store.duckdb.runs import add_run

Arrays: TypeAlias = dict[str, NDArray[Any]]
Row: TypeAlias = tuple[int, int, int, int, bool, float | None, str | None]
"""series, at_us, modified_us, seq, observed, num, body"""

COLUMNS = ("series", "at_us", "modified_us", "seq", "observed", "num", "body")
SECOND_US = 1_000_000
_TYPES: dict[str, Any] = {
    "series": np.int32,
    "at_us": np.int64,
    "modified_us": np.int64,
    "seq": np.int64,
    "observed": np.bool_,
    "num": np.float64,
    "body": object,
}
_MOST_STRETCHES = 24
_HOUR_S = 3600
_ADD = """
INSERT INTO observation SELECT ?, series, at_s, sub_us, lag_us, ?, observed,
  CASE WHEN isnan(num) THEN NULL ELSE num END, body FROM batch
  WHERE NOT (isnan(num) AND body IS NULL) ORDER BY series, at_s, sub_us
"""
"""A row without number and body is a removal: it takes away and leaves nothing."""


def to_arrays(rows: Sequence[Row]) -> Arrays:
    """Return rows as one array a column, NaN where there is no number."""
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in COLUMNS]
    arrays: Arrays = {}
    for name, column in zip(COLUMNS, columns, strict=True):
        if name == "num":
            column = tuple(np.nan if value is None else value for value in column)
        arrays[name] = np.array(column, dtype=_TYPES[name])
    return arrays


def take_in(cursor: duckdb.DuckDBPyConnection, arrays: Arrays, seq: int) -> None:
    """Write observations as one run; all carry `seq`, at or above the seq of each of them.

    What lies where only sums are kept is too old to be taken.
    """
    arrays = _young_enough(cursor, arrays)
    if not len(arrays["series"]):
        return
    at_s, sub_us = np.divmod(arrays["at_us"], SECOND_US)
    batch = {name: arrays[name] for name in ("series", "observed", "num", "body")}
    batch |= {"at_s": at_s, "sub_us": sub_us.astype(np.int32)}
    batch["lag_us"] = arrays["modified_us"] - arrays["at_us"]
    cursor.register("batch", batch)
    low, high = int(batch["series"].min()), int(batch["series"].max())
    for begin_s, end_s in stretches(at_s):
        cursor.execute(
            "DELETE FROM observation WHERE at_s BETWEEN ? AND ? AND series BETWEEN ? AND ?"
            " AND (series, at_s, sub_us) IN (SELECT (series, at_s, sub_us) FROM batch)",
            (begin_s, end_s, low, high),
        )
    number = add_run(cursor, len(at_s))
    cursor.execute(_ADD, (number, seq))
    cursor.unregister("batch")
    roll_anew(cursor, batch["series"], at_s)


def _young_enough(cursor: duckdb.DuckDBPyConnection, arrays: Arrays) -> Arrays:
    found = cursor.execute("SELECT series, before_day FROM let_go ORDER BY series").fetchnumpy()
    if not len(found["series"]) or not len(arrays["series"]):
        return arrays
    place = np.searchsorted(found["series"], arrays["series"]).clip(max=len(found["series"]) - 1)
    day = arrays["at_us"] // DAY_US + EPOCH_DAYS
    old = (found["series"][place] == arrays["series"]) & (day < found["before_day"][place])
    return {name: column[~old] for name, column in arrays.items()} if old.any() else arrays


def stretches(at_s: NDArray[np.int64], most: int = _MOST_STRETCHES) -> list[tuple[int, int]]:
    """Return at most so many stretches of time that cover some instants: one late reading among many
    new ones must not make all that lies between them be looked at."""
    hours = np.unique(at_s // _HOUR_S)
    gaps = np.diff(hours)
    wide = np.flatnonzero(gaps > 1)
    widest = wide[np.argsort(-gaps[wide], kind="stable")][: most - 1]
    cuts = np.sort(widest) + 1
    return [
        (int(part[0]) * _HOUR_S, (int(part[-1]) + 1) * _HOUR_S - 1)
        for part in np.split(hours, cuts)
    ]
