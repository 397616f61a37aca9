"""Taking things out of the sealed history: what was deleted, and what became too old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from chengmai.store.duckdb.rollups import DAY_S, DAY_US, EPOCH_DAYS, HOUR_S, roll_anew
from chengmai.store.duckdb.runs import recount

_DAY = f"((before_day - {EPOCH_DAYS}) * {DAY_S})"


@dataclass(frozen=True)
class Cuts:
    """The first day to keep: one for each of `series`, and `others` for all other series (None: all of it).

    Days are counted from the year 1, as those of roll-ups are.
    """

    series: NDArray[np.int32]
    before_day: NDArray[np.int32]
    others: int | None = None

    @property
    def newest(self) -> int | None:
        """Return the last of the days, None when nothing is cut."""
        days = [*self.before_day.tolist(), *([] if self.others is None else [self.others])]
        return max(days, default=None)


def day_of(at_us: int) -> int:
    """Return the day of an instant."""
    return at_us // DAY_US + EPOCH_DAYS


def drop(cursor: duckdb.DuckDBPyConnection, dropped: Sequence[tuple[int, int]]) -> None:
    """Remove (series, seq) and below, with the sums that they were in."""
    if not dropped:
        return
    series, seq = (np.array(column, dtype=np.int64) for column in zip(*dropped, strict=True))
    cursor.register("gone", {"series": series, "upto": seq})
    cursor.execute(
        "DELETE FROM observation USING gone WHERE observation.series = gone.series AND seq <= upto"
    )
    for table in ("hourly", "daily", "let_go"):
        cursor.execute(f"DELETE FROM {table} WHERE series IN (SELECT series FROM gone)")
    left = cursor.execute(
        f"SELECT DISTINCT series, at_s - at_s % {HOUR_S} AS at_s FROM observation"
        " WHERE series IN (SELECT series FROM gone)"
    ).fetchnumpy()
    cursor.unregister("gone")
    roll_anew(cursor, left["series"], left["at_s"])


def let_go(cursor: duckdb.DuckDBPyConnection, kept: Cuts, rolled: Cuts) -> int:
    """Remove observations older than `kept` and sums older than `rolled`; return how many observations."""
    gone = _cut(cursor, "observation", f"at_s < {_DAY}", kept)
    if gone:
        recount(cursor)
    _cut(cursor, "hourly", "slot < before_day * 24", rolled)
    _cut(cursor, "daily", "slot < before_day", rolled)
    if gone:
        _remember(cursor, kept)
    return gone


def _cut(cursor: duckdb.DuckDBPyConnection, table: str, old: str, cuts: Cuts) -> int:
    cursor.register("named", {"series": cuts.series, "before_day": cuts.before_day})
    ((gone,),) = cursor.execute(
        f"DELETE FROM {table} USING named WHERE {table}.series = named.series AND {old}"
    ).fetchall()
    if cuts.others is not None:
        ((more,),) = cursor.execute(
            f"DELETE FROM {table} WHERE {old.replace('before_day', str(cuts.others))}"
            " AND series NOT IN (SELECT series FROM named)"
        ).fetchall()
        gone += more
    cursor.unregister("named")
    return int(gone)


def _remember(cursor: duckdb.DuckDBPyConnection, kept: Cuts) -> None:
    """Note for each series of which only sums are kept before a day, up to which."""
    cursor.register("named", {"series": kept.series, "before_day": kept.before_day})
    others = -1 if kept.others is None else kept.others
    found = cursor.execute(
        "SELECT series, max(before_day) AS before_day FROM (SELECT * FROM let_go UNION ALL"
        " SELECT daily.series, coalesce(before_day, ?) FROM daily LEFT JOIN named USING (series)"
        " WHERE slot < coalesce(before_day, ?)) told GROUP BY series",
        (others, others),
    ).fetchnumpy()
    cursor.unregister("named")
    cursor.execute("DELETE FROM let_go")
    cursor.register("noted", {name: np.asarray(column) for name, column in found.items()})
    cursor.execute("INSERT INTO let_go SELECT series, before_day FROM noted")
    cursor.unregister("noted")
