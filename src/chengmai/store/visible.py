"""Which observations of some series can be seen: recent and sealed, corrected, without what was removed.

A row without number and body is a removal: it hides the observation of the same series and instant until
the sealer has dropped both. A recent row stands for its instant whatever the question is, so a correction
that falls out of a window takes what it corrects out of the window as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chengmai.history.model import Span
from chengmai.store.duckdb.kept import Sight
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.duckdb.taking import SECOND_US, Row, to_arrays
from chengmai.store.sqlite.register import Sought
from chengmai.store.sqlite.series import DELETED, RECENT, unpacked
from chengmai.store.sqlite.work import SqliteTx

_SEALED = "SELECT series, at_us, modified_us, seq, observed, num, body FROM past"
_RECENT_OF = f"{RECENT} WHERE owner IN (SELECT value FROM json_each(?)) ORDER BY seq"
_MOST_OWNERS = 500
"""Of more entities than this all that is recent is read, which is not much."""
EVER = Span(by="modifiedAt")
_SERIES_AT_ONCE = 50
_ROW_BYTES = 300
"""About what a row weighs in memory beside its body."""
Column: TypeAlias = tuple[Any, Any, int, int]
"""Instants that the span is about, in order, with their numbers; and the first and last place in time."""
_BY_INSTANT = ("observedAt", "deletedAt")
_WANTED = (
    "(SELECT unnest(?::INTEGER[]) AS wanted, unnest(?::BIGINT[]) AS hidden)"
    " ON series = wanted AND seq > hidden"
)


def visible_rows(
    tx: SqliteTx,
    sealed: SealedHistory,
    sought: Sought,
    span: Span,
    *,
    last_n: int | None = None,
    first_n: int | None = None,
) -> list[Row]:
    """Return the visible rows of some series in order of series and time.

    `last_n` or `first_n` keeps the newest or oldest so many of each series.
    """
    hidden = sought.hidden
    if not hidden:
        return []
    recent = recent_rows(tx, sought, span)

    def ask(sight: Sight) -> tuple[int, list[Row]]:
        if last_n is None and first_n is None:
            where, values = _sealed_sql(span)
            wanted, asked = _wanted(hidden)
            old = sight.cursor.execute(f"{_SEALED}{wanted}{where}", (*asked, *values)).fetchall()
        else:
            # A recent row may take the place of a sealed one, so that many more are read.
            most, order = (last_n, "DESC") if last_n is not None else (first_n or 0, "ASC")
            old = _ends(sight, hidden, span, most + len(recent), order)
        return sight.state.watermark, old

    watermark, old = sealed.look(ask)
    merged = {(row[0], row[1]): row for row in old}
    for row in recent:
        if row[3] > watermark and row[3] > hidden[row[0]]:
            merged[row[0], row[1]] = row
    ordered = [merged[key] for key in sorted(merged) if _covers(span, merged[key])]
    if last_n is not None:
        return _most(ordered[::-1], last_n)[::-1]
    return ordered if first_n is None else _most(ordered, first_n)


def _ends(sight: Sight, hidden: Mapping[int, int], span: Span, most: int, order: str) -> list[Row]:
    """Return the first `most` sealed rows of each series in an order of time.

    One question a series: so the engine looks only at those parts of the file that can hold the first ones.
    """
    where, values = _sealed_sql(span)
    one = (
        f"({_SEALED} WHERE series = ? AND seq > ?{where}"
        f" ORDER BY at_s {order}, at_us {order} LIMIT {int(most)})"
    )
    found: dict[int, list[Row]] = {}
    for number, seq in hidden.items():
        if isinstance(held := sight.held(number, ("ends", seq, span, most, order)), list):
            found[number] = held
    missing = [pair for pair in hidden.items() if pair[0] not in found]
    for begin in range(0, len(missing), _SERIES_AT_ONCE):
        some = missing[begin : begin + _SERIES_AT_ONCE]
        asked = [value for pair in some for value in (*pair, *values)]
        rows = sight.cursor.execute(" UNION ALL ".join([one] * len(some)), asked).fetchall()
        found |= {number: [] for number, _ in some}
        for row in rows:
            found[row[0]].append(row)
        for number, seq in some:
            held = found[number]
            size = sum(_ROW_BYTES + len(row[6] or "") for row in held)
            sight.hold(number, ("ends", seq, span, most, order), held, size)
    return [row for rows in found.values() for row in rows]


def is_any_visible(tx: SqliteTx, sealed: SealedHistory, sought: Sought) -> bool:
    """Return whether any of some series has a visible row, without reading them where that can be helped."""
    hidden = sought.hidden
    if not hidden:
        return False
    seen = [row for row in recent_rows(tx, sought, EVER) if row[3] > hidden[row[0]]]
    if any(_covers(EVER, row) for row in seen):
        return True
    if seen:
        # Removals may hide all there is: only looking tells.
        return bool(visible_rows(tx, sealed, sought, EVER))
    wanted, asked = _wanted(hidden)
    text = f"SELECT 1 FROM observation{wanted} LIMIT 1"
    return bool(sealed.look(lambda sight: sight.cursor.execute(text, asked).fetchall()))


def visible_numbers(
    tx: SqliteTx, sealed: SealedHistory, sought: Sought, span: Span
) -> tuple[Any, Any, Any]:
    """Return (series, at_us, value) arrays of the visible observed numbers of some series."""
    hidden = sought.hidden
    where, values = _sealed_sql(span)
    wanted = {
        "series": np.array(list(hidden), dtype=np.int32),
        "hidden": np.array(list(hidden.values()), dtype=np.int64),
    }
    recent = recent_rows(tx, sought, span)
    with sealed.snapshot() as cursor:
        watermark = sealed.sealed_seq(cursor)
        news = [row for row in recent if row[3] > watermark]
        cursor.register("wanted", wanted)
        cursor.register("recent", to_arrays(news))
        cursor.register("shown", to_arrays([row for row in news if _covers(span, row)]))
        found = cursor.execute(
            "WITH every AS ("
            " SELECT series, at_us, seq, num FROM shown WHERE NOT isnan(num) UNION ALL"
            f" SELECT series, at_us, seq, num FROM past WHERE num IS NOT NULL{where}"
            " AND series IN (SELECT series FROM wanted)"
            " AND (series, at_us) NOT IN (SELECT (series, at_us) FROM recent))"
            " SELECT every.series, at_us, num FROM every JOIN wanted USING (series)"
            " WHERE seq > hidden ORDER BY every.series, at_us",
            values,
        ).fetchnumpy()
    return (
        np.asarray(found["series"], dtype=np.int64),
        np.asarray(found["at_us"], dtype=np.int64),
        np.asarray(found["num"], dtype=np.float64),
    )


def visible_columns(
    tx: SqliteTx,
    sealed: SealedHistory,
    sought: Sought,
    span: Span,
    last_n: int | None = None,
) -> dict[int, Column | None]:
    """Return what `visible_rows` shows of each series as columns; None where there is more than numbers."""
    hidden = sought.hidden
    if not hidden:
        return {}
    recent = recent_rows(tx, sought, span)

    def ask(sight: Sight) -> dict[int, Column | None]:
        news = [row for row in recent if row[3] > sight.state.watermark]
        return columns_in(sight, news, hidden, span, last_n)

    return sealed.look(ask)


def columns_in(
    sight: Sight,
    recent: Sequence[Row],
    hidden: Mapping[int, int],
    span: Span,
    last_n: int | None = None,
) -> dict[int, Column | None]:
    """Return the columns of some series; `recent` are the rows above the watermark of what is seen."""
    old = _sealed_columns(sight, hidden, span)
    made: dict[int, Column | None] = {}
    for number in sorted(hidden):
        news = [row for row in recent if row[0] == number and row[3] > hidden[number]]
        columns = _merged(old[number], news, span) if news else old[number]
        begin = 0 if last_n is None else max(0, len(columns.at_us) - last_n)
        if len(columns.at_us):
            made[number] = None if columns.odd[begin:].any() else _column(columns, begin, span)
    return made


@dataclass(frozen=True, eq=False)
class _Columns:
    """Observations of one series in order of time."""

    at_us: NDArray[np.int64]
    modified_us: NDArray[np.int64]
    num: NDArray[np.float64]
    odd: NDArray[np.bool_]
    """Which are more than a number."""


def _sealed_columns(sight: Sight, hidden: Mapping[int, int], span: Span) -> dict[int, _Columns]:
    """Return the sealed observations of each series in a span, whether there are any or not."""
    made: dict[int, _Columns] = {}
    missing: dict[int, int] = {}
    for number, seq in hidden.items():
        held = sight.held(number, ("columns", seq, span))
        if isinstance(held, _Columns):
            made[number] = held
        else:
            missing[number] = seq
    if not missing:
        return made
    where, values = _sealed_sql(span)
    wanted, asked = _wanted(missing)
    found = sight.cursor.execute(f"{_COLUMNS}{wanted}{where}", (*asked, *values)).fetchnumpy()
    columns = [np.ma.filled(found[name], 0) for name in ("at_us", "modified_us", "num", "odd")]
    series = np.ma.filled(found["series"], 0)
    if len(missing) > 1:
        order = np.lexsort((columns[0], series))
    else:
        order = np.argsort(columns[0], kind="stable")
    series = series[order]
    for number, seq in missing.items():
        begin, end = np.searchsorted(series, [number, number + 1])
        made[number] = _Columns(*(column[order[begin:end]] for column in columns))
        sight.hold(number, ("columns", seq, span), made[number], 25 * int(end - begin))
    return made


def _column(columns: _Columns, begin: int, span: Span) -> Column:
    placed, values = columns.at_us[begin:], columns.num[begin:]
    at = placed
    if span.by not in _BY_INSTANT:
        at = columns.modified_us[begin:]
        order = np.argsort(at, kind="stable")
        at, values = at[order], values[order]
    return at, values, int(placed[0]), int(placed[-1])


_COLUMNS = (
    "SELECT series, at_s * 1000000 + sub_us AS at_us, at_s * 1000000 + sub_us + lag_us AS modified_us,"
    " num, body IS NOT NULL AS odd FROM observation"
)


def _merged(old: _Columns, news: Sequence[Row], span: Span) -> _Columns:
    """Return sealed columns with recent rows in their places, in order of time."""
    placed = _Columns(
        np.array([row[1] for row in news], np.int64),
        np.array([row[2] for row in news], np.int64),
        np.array([row[5] or 0.0 for row in news], np.float64),
        np.array([row[6] is not None for row in news], np.bool_),
    )
    shown = np.array([_covers(span, row) for row in news])
    kept = ~np.isin(old.at_us, placed.at_us)
    joined = [
        np.concatenate([getattr(old, name)[kept], getattr(placed, name)[shown]])
        for name in ("at_us", "modified_us", "num", "odd")
    ]
    order = np.argsort(joined[0], kind="stable")
    return _Columns(*(column[order] for column in joined))


def _wanted(hidden: Mapping[int, int]) -> tuple[str, tuple[object, ...]]:
    """Return the end of a statement that keeps what can be seen of some series, and what is bound in it."""
    marks = ", ".join("?" * len(hidden))
    hides = set(hidden.values())
    if len(hides) == 1:
        return f" WHERE series IN ({marks}) AND seq > ?", (*hidden, hides.pop())
    text = f" JOIN {_WANTED} WHERE series IN ({marks})"
    return text, (list(hidden), list(hidden.values()), *hidden)


def recent_rows(tx: SqliteTx, sought: Sought, span: Span) -> list[Row]:
    """Return the recent rows that may show or hide something in the span, the newest of each instant."""
    owners, hidden = sought.owners, sought.hidden
    if len(owners) > _MOST_OWNERS:
        changes = tx.db.execute(f"{RECENT} ORDER BY seq")
    else:
        changes = tx.db.execute(_RECENT_OF, (json.dumps(list(owners)),))
    begin, end = None, None
    if span.by in _BY_INSTANT:
        begin, end = span.start_us, span.end_us
    newest = {
        (row[0], row[1]): row
        for row in unpacked(changes.fetchall())
        if row[0] in hidden and (begin is None or row[1] >= begin) and (end is None or row[1] < end)
    }
    return list(newest.values())


def _sealed_sql(span: Span) -> tuple[str, list[int]]:
    """Return what narrows the sealed part to the span, and to the parts of the file that it can lie in."""
    if span.by not in _BY_INSTANT:
        return _range_sql("modified_us", span)
    where, values = _range_sql("at_us", span)
    if span.start_us is not None:
        where += " AND at_s >= ?"
        values.append(span.start_us // SECOND_US)
    if span.end_us is not None:
        where += " AND at_s <= ?"
        values.append(span.end_us // SECOND_US)
    if span.by == "observedAt":
        where += " AND observed"
    elif span.by == "deletedAt":
        where += f" AND starts_with(body, '{DELETED}')"
    return where, values


def _range_sql(column: str, span: Span) -> tuple[str, list[int]]:
    where = ""
    values: list[int] = []
    if span.start_us is not None:
        where += f" AND {column} >= ?"
        values.append(span.start_us)
    if span.end_us is not None:
        where += f" AND {column} < ?"
        values.append(span.end_us)
    return where, values


def _covers(span: Span, row: Row) -> bool:
    _, at_us, modified_us, _, observed, num, body = row
    if num is None and body is None:
        return False
    if span.by == "observedAt" and not observed:
        return False
    if span.by == "deletedAt" and not (body or "").startswith(DELETED):
        return False
    at = at_us if span.by in _BY_INSTANT else modified_us
    after = span.start_us is None or at >= span.start_us
    return after and (span.end_us is None or at < span.end_us)


def _most(rows: list[Row], n: int) -> list[Row]:
    kept: list[Row] = []
    count: dict[int, int] = {}
    for row in rows:
        count[row[0]] = count.get(row[0], 0) + 1
        if count[row[0]] <= n:
            kept.append(row)
    return kept
