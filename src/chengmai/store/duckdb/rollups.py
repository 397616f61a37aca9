"""Roll-ups: what an hour and a day of a series sum up to, so that a long past is not read number by number.

Whole days (UTC) are rolled once they are over. From then on every row agrees with the observations sealed: what
comes late, corrects or removes rolls its hours anew in the same transaction. Sums are kept exactly, as whole
numbers: those of `x` in units of 1 and of 2^-80. So any of them put together and rounded once are what the
numbers themselves would give. Where a number does not fit into that, the row says that it is not exact.

Hours and days are counted from the year 1, so that none is below 0, where `//` would round the wrong way.
"""

from __future__ import annotations

import duckdb
import numpy as np
from numpy.typing import NDArray

HOUR_S = 3600
DAY_S = 86_400
EPOCH_S = 719_162 * DAY_S
"""From the year 1 to 1970."""
DAY_US = DAY_S * 1_000_000
EPOCH_DAYS = EPOCH_S // DAY_S
MOST_ROLLED = 4_000_000
"""Observations in one step, unless one day has more."""
_SCALE = 2.0**80
_HUGE = 1e30


def _whole(x: str) -> str:
    return f"sum(CASE WHEN abs({x}) < {_HUGE} THEN CAST(trunc({x}) AS HUGEINT) END)"


def _part(x: str) -> str:
    return (
        f"sum(CASE WHEN abs({x}) < {_HUGE} THEN CAST(({x} - trunc({x})) * {_SCALE} AS HUGEINT) END)"
    )


def _fits(x: str) -> str:
    return (
        f"coalesce(bool_and(abs({x}) < {_HUGE} AND trunc({x} * {_SCALE}) = {x} * {_SCALE}), true)"
    )


def _of_many(told: str) -> str:
    # One or two numbers are told by the least and the greatest.
    return f"CASE WHEN count(num) > 2 THEN {told} END"


_NUMBER = "CASE WHEN body IS NULL THEN num END"
_ROLL = f"""
INSERT INTO hourly SELECT series, (at_s + {EPOCH_S}) // {HOUR_S} AS slot, count(num), bool_or(odd),
  min(at_s * 1000000 + sub_us), max(at_s * 1000000 + sub_us), min(num), max(num),
  {_of_many(_whole("num"))}, {_of_many(_part("num"))},
  {_of_many(_whole("square"))}, {_of_many(_part("square"))}, {_fits("num")}, {_fits("square")}
FROM (SELECT series, at_s, sub_us, {_NUMBER} + 0.0 AS num, {_NUMBER} * {_NUMBER} AS square,
  body IS NOT NULL AS odd FROM observation WHERE observed AND at_s >= ? AND at_s < ?) told
"""
_GROUPED = " GROUP BY 1, 2 ORDER BY 1, 2"


def _regained(name: str, x: str) -> str:
    """Return the sum of a column of hours, those of one or two numbers included."""
    made = (
        "CAST(trunc({0}) AS HUGEINT)"
        if name.endswith("whole")
        else (f"CAST(({{0}} - trunc({{0}})) * {_SCALE} AS HUGEINT)")
    )
    low, high = (made.format(x.format(column)) for column in ("least", "greatest"))
    few = f"CASE n WHEN 1 THEN {low} WHEN 2 THEN {low} + {high} END"
    safe = f"CASE WHEN greatest(abs(least), abs(greatest)) < 1e15 THEN {few} END"
    return f"CASE WHEN sum(n) > 2 THEN sum(coalesce({name}, {safe})) END"


_ROLL_DAYS = f"""
INSERT INTO daily SELECT series, slot // 24 AS slot, sum(n), bool_or(odd), min(first_us), max(last_us),
  min(least), max(greatest), {_regained("whole", "{0}")}, {_regained("part", "{0}")},
  {_regained("square_whole", "({0} * {0})")}, {_regained("square_part", "({0} * {0})")},
  bool_and(exact AND (n > 2 OR greatest(abs(least), abs(greatest)) < 1e15)),
  bool_and(square_exact AND (n > 2 OR greatest(abs(least), abs(greatest)) < 1e15))
FROM hourly
"""


def rolled_upto(cursor: duckdb.DuckDBPyConnection) -> int:
    """Return the first day that is not rolled."""
    ((upto,),) = cursor.execute("SELECT max(upto) FROM rolled").fetchall()
    return int(upto)


def roll(cursor: duckdb.DuckDBPyConnection, target: int, *, most: int = MOST_ROLLED) -> bool:
    """Roll some of the days before `target` that are not; return False when there was none."""
    since = rolled_upto(cursor)
    if since >= target:
        return False
    days = cursor.execute(
        f"SELECT (at_s + {EPOCH_S}) // {DAY_S}, count(*) FROM observation"
        " WHERE at_s >= ? AND at_s < ? GROUP BY 1 ORDER BY 1",
        (_begin_s(since), _begin_s(target)),
    ).fetchall()
    upto, held = target, 0
    for day, count in days:
        if held and held + count > most:
            upto = day
            break
        held += count
    cursor.execute(_ROLL + _GROUPED, (_begin_s(since), _begin_s(upto)))
    cursor.execute(f"{_ROLL_DAYS} WHERE slot >= ? AND slot < ? {_GROUPED}", (since * 24, upto * 24))
    cursor.execute("UPDATE rolled SET upto = ?", (upto,))
    return True


def roll_anew(
    cursor: duckdb.DuckDBPyConnection, series: NDArray[np.int32], at_s: NDArray[np.int64]
) -> None:
    """Roll the hours anew in which something of a series changed, as far as their days are rolled."""
    late = at_s < _begin_s(rolled_upto(cursor))
    if not late.any():
        return
    pairs = np.unique(
        np.stack([series[late].astype(np.int64), (at_s[late] + EPOCH_S) // HOUR_S]), axis=1
    )
    cursor.register("hours", {"series": pairs[0], "slot": pairs[1]})
    days = np.unique(np.stack([pairs[0], pairs[1] // 24]), axis=1)
    cursor.register("days", {"series": days[0], "slot": days[1]})
    for table, changed in (("hourly", "hours"), ("daily", "days")):
        cursor.execute(
            f"DELETE FROM {table} USING {changed}"
            f" WHERE {table}.series = {changed}.series AND {table}.slot = {changed}.slot"
        )
    for begin, end in _stretches(days[1]):
        cursor.execute(
            f"{_ROLL} WHERE (series, (at_s + {EPOCH_S}) // {HOUR_S}) IN (SELECT (series, slot) FROM hours)"
            f" {_GROUPED}",
            (_begin_s(begin), _begin_s(end)),
        )
    cursor.execute(
        f"{_ROLL_DAYS} WHERE slot >= ? AND slot < ?"
        f" AND (series, slot // 24) IN (SELECT (series, slot) FROM days) {_GROUPED}",
        (int(days[1].min()) * 24, int(days[1].max() + 1) * 24),
    )
    cursor.unregister("hours")
    cursor.unregister("days")


def _begin_s(day: int) -> int:
    return day * DAY_S - EPOCH_S


def _stretches(days: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return stretches [begin, end) of days that follow each other, where they are few, else one."""
    apart = np.unique(days)
    parts = np.split(apart, np.flatnonzero(np.diff(apart) > 1) + 1)
    if len(parts) > 24:
        parts = [apart]
    return [(int(part[0]), int(part[-1]) + 1) for part in parts]
