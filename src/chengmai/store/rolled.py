"""Aggregates of a long past from its roll-ups, and from numbers where there are none.

Hours (or days) that lie wholly in the window and in one period come from roll-ups; the ends of the window, what
is not rolled up yet, and hours that a recent row touches come from the numbers. The result is the same to the
last bit. Where only sums are left of a series, what cannot be told from them exactly is told as well as it can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chengmai.history.model import Span
from chengmai.ngsild.temporal import TemporalQuery
from chengmai.store.duckdb.kept import Sight
from chengmai.store.duckdb.rollups import (
    DAY_S,
    EPOCH_S,
    HOUR_S,
)
from chengmai.store.duckdb.taking import SECOND_US, Row
from chengmai.store.folding import Sums, folded_sums
from chengmai.store.visible import Column, columns_in

_EXACT = frozenset({"totalCount", "sum", "avg", "min", "max", "sumsq"})
_NEEDS_SUM = frozenset({"sum", "avg", "stddev"})
_NEEDS_SQUARES = frozenset({"sumsq", "stddev"})
_MOST_TOUCHED = 24
_LEAST_HOURS = 24
"""What is shorter is read as fast number by number."""
_HALF = 2**53
_NEVER = 10**7
"""A day beyond all others."""


def _terms(whole: str, part: str, one: str) -> str:
    """Return four columns that add up exactly to a sum; `one` makes of a number what is summed."""
    low, high = one.format("least"), one.format("greatest")
    return (
        f"CASE WHEN n > 2 THEN CAST({whole} // {_HALF} AS DOUBLE) * {float(_HALF)} ELSE {low} END"
        f" AS {whole}_high,"
        f"CASE WHEN n > 2 THEN CAST({whole} % {_HALF} AS DOUBLE) WHEN n = 2 THEN {high} ELSE 0 END"
        f" AS {whole}_low,"
        f"CASE WHEN n > 2 THEN CAST({part} // {_HALF} AS DOUBLE) * {2.0**-27} ELSE 0 END"
        f" AS {part}_high,"
        f"CASE WHEN n > 2 THEN CAST({part} % {_HALF} AS DOUBLE) * {2.0**-80} ELSE 0 END"
        f" AS {part}_low"
    )


def _no_terms(name: str) -> str:
    return ", ".join(f"0.0 AS no_{name}_{n}" for n in range(4))


_READ = "SELECT series, slot, n, odd, exact, square_exact, first_us, last_us, least, greatest, "
_SUMS = _terms("whole", "part", "{}")
_SQUARES = _terms("square_whole", "square_part", "({0} * {0})")


def _read(methods: Sequence[str]) -> str:
    """Return what is read of roll-ups for some methods; exact sums are many columns, and dear to plan."""
    asked = set(methods)
    sums = _SUMS if asked & _NEEDS_SUM else _no_terms("sum")
    return f"{_READ}{sums}, {_SQUARES if asked & _NEEDS_SQUARES else _no_terms('square')}"


@dataclass(frozen=True)
class Plan:
    """Which slots of a table of roll-ups lie in a window: [first, end) of `unit_us` each, from the year 1."""

    window: TemporalQuery
    table: str
    unit_us: int
    first: int
    end: int

    @property
    def span(self) -> Span:
        """Return the time that the slots take up."""
        return Span(self.begin_us(self.first), self.begin_us(self.end))

    def begin_us(self, slot: int) -> int:
        """Return when a slot begins."""
        return slot * self.unit_us - EPOCH_S * SECOND_US

    def slot_of(self, at_us: int) -> int:
        """Return the slot of an instant."""
        return (at_us + EPOCH_S * SECOND_US) // self.unit_us

    def gaps(self, touched: Sequence[int]) -> list[Span]:
        """Return the stretches of the window that no roll-up tells of, and the slots that are touched."""
        start, begin = self.window.start_us, self.begin_us(self.first)
        spans = [] if start is None or start == begin else [Span(start, begin)]
        spans += [Span(self.begin_us(slot), self.begin_us(slot + 1)) for slot in touched]
        if self.window.end_us != (end := self.begin_us(self.end)):
            spans.append(Span(end, self.window.end_us))
        return spans


def plan_of(window: TemporalQuery, upto_day: int) -> Plan | None:
    """Return how roll-ups answer a window, None where they do not."""
    if window.timeproperty != "observedAt" or window.last_n is not None or not window.methods:
        return None
    day_us, hour_us = DAY_S * SECOND_US, HOUR_S * SECOND_US
    start, period = window.start_us, window.period_us
    if period and start is not None and not (period % day_us or start % day_us):
        table, unit, per_day = "daily", day_us, 1
    elif not period or not (period % hour_us or (start or 0) % hour_us):
        table, unit, per_day = "hourly", hour_us, 24
    else:
        return None
    made = Plan(window, table, unit, 0, upto_day * per_day)
    if start is not None:
        made = replace(made, first=max(0, -(-(start + EPOCH_S * SECOND_US) // unit)))
    if window.end_us is not None:
        made = replace(made, end=min(made.end, made.slot_of(window.end_us)))
    return made if (made.end - made.first) * unit >= _LEAST_HOURS * hour_us else None


def may_be_rolled(window: TemporalQuery) -> bool:
    """Return whether roll-ups can answer a window at all, once its days are over."""
    return plan_of(window, _NEVER) is not None


def rolled(
    sight: Sight,
    recent: Sequence[Row],
    hidden: Mapping[int, int],
    window: TemporalQuery,
) -> dict[int, tuple[dict[str, list[list[Any]]], int, int]]:
    """Return (aggregates, first, last instant) of those of some series of which roll-ups tell.

    `recent` are the rows above the watermark of what is seen.
    """
    plan = plan_of(window, sight.state.rolled_upto)
    if plan is None:
        return {}
    only_sums = _only_sums(sight, hidden, plan)
    asked = {
        number: seq
        for number, seq in hidden.items()
        if _EXACT.issuperset(window.methods) or number in only_sums
    }
    if not asked:
        return {}
    told = _rolled_rows(sight, list(asked), plan)
    made = {}
    for number, seq in asked.items():
        rows = told[number]
        mine = [row for row in recent if row[0] == number and row[3] > seq]
        sums = _sums_of(sight, plan, {number: seq}, rows, mine, exact=number not in only_sums)
        if sums is not None:
            results = folded_sums(
                sums, window.methods, window.period_us, window.start_us, window.end_us
            )
            made[number] = results, int(sums.first_us[0]), int(sums.last_us.max())
    return made


_Rows: TypeAlias = list[NDArray[Any]]
"""Columns of the roll-ups of one series, in order of time."""


def _rolled_rows(sight: Sight, series: Sequence[int], plan: Plan) -> dict[int, _Rows]:
    """Return the roll-ups of each series in the slots of a plan."""
    read = _read(plan.window.methods)
    key = (read, plan.table, plan.first, plan.end)
    made: dict[int, _Rows] = {}
    for number in series:
        if isinstance(held := sight.held(number, key), list):
            made[number] = held
    if missing := [number for number in series if number not in made]:
        found = sight.cursor.execute(
            f"{read} FROM {plan.table} WHERE series IN ({', '.join('?' * len(missing))})"
            " AND slot >= ? AND slot < ? ORDER BY series, slot",
            (*missing, plan.first, plan.end),
        ).fetchnumpy()
        columns = [np.ma.filled(column, 0) for column in found.values()]
        for number in missing:
            begin, end = np.searchsorted(columns[0], [number, number + 1])
            made[number] = [column[begin:end].copy() for column in columns]
            sight.hold(number, key, made[number], sum(one.nbytes for one in made[number]))
    return made


def _only_sums(sight: Sight, hidden: Mapping[int, int], plan: Plan) -> frozenset[int]:
    """Return of which series the window reaches where only sums are left."""
    if not sight.state.has_let_go:
        return frozenset()
    found = sight.cursor.execute(
        f"SELECT series FROM let_go WHERE before_day > ? AND series IN ({', '.join('?' * len(hidden))})",
        (plan.first * plan.unit_us // (DAY_S * SECOND_US), *hidden),
    ).fetchall()
    return frozenset(row[0] for row in found)


def _sums_of(
    sight: Sight,
    plan: Plan,
    series: Mapping[int, int],
    rows: Sequence[NDArray[Any]],
    recent: Sequence[Row],
    *,
    exact: bool,
) -> Sums | None:
    """Return what a series sums up to; None when only its observations tell."""
    slot = rows[1]
    inside = {plan.slot_of(row[1]) for row in recent}
    touched = sorted(one for one in inside if plan.first <= one < plan.end)
    kept = ~np.isin(slot, touched)
    if len(touched) > _MOST_TOUCHED or rows[3][kept].any():
        return None
    if not kept.any() or (exact and not _are_exact(plan.window, rows, kept)):
        return None
    if not touched and not _is_whole(plan, int(rows[6][0])):
        return None
    parts = [_of_rows([column[kept] for column in rows])]
    for span in plan.gaps(touched):
        found = columns_in(sight, recent, series, span)
        for column in found.values():
            if column is None:
                return None
            parts.append(_of_numbers(column))
    sums = _joined(parts)
    return sums if _is_whole(plan, int(sums.first_us[0])) else None


def _is_whole(plan: Plan, first_us: int) -> bool:
    """Return whether each slot lies in one period: without a begin, periods count from the first instant."""
    window = plan.window
    return not window.period_us or window.start_us is not None or first_us % plan.unit_us == 0


def _are_exact(
    window: TemporalQuery, rows: Sequence[NDArray[Any]], kept: NDArray[np.bool_]
) -> bool:
    asked = set(window.methods)
    sums = not asked & _NEEDS_SUM or bool(rows[4][kept].all())
    return sums and (not asked & _NEEDS_SQUARES or bool(rows[5][kept].all()))


def _of_rows(rows: Sequence[NDArray[Any]]) -> Sums:
    return Sums(
        first_us=rows[6],
        last_us=rows[7],
        n=rows[2].astype(np.int64),
        least=rows[8],
        greatest=rows[9],
        terms=np.stack(rows[10:14], axis=1).astype(np.float64),
        squares=np.stack(rows[14:18], axis=1).astype(np.float64),
    )


def _of_numbers(column: Column) -> Sums:
    at_us, values, _, _ = column
    values = values + 0.0
    alone = np.zeros((len(values), 4))
    alone[:, 0] = values
    with np.errstate(all="ignore"):
        squares = alone * alone
    return Sums(at_us, at_us, np.ones(len(values), np.int64), values, values, alone, squares)


def _joined(parts: Sequence[Sums]) -> Sums:
    names = tuple(Sums.__dataclass_fields__)
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    order = np.argsort(columns["first_us"], kind="stable")
    return Sums(**{name: column[order] for name, column in columns.items()})
