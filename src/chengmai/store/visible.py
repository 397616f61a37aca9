"""Which observations of some series can be seen: recent and sealed, corrected, without what was removed.

A row without number and body is a removal: it hides the observation of the same series and instant until
the sealer has dropped both. A recent row stands for its instant whatever the question is, so a correction
that falls out of a window takes what it corrects out of the window as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import duckdb
import numpy as np

from chengmai.history.model import Span
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.duckdb.taking import SECOND_US, Row, to_arrays
from chengmai.store.sqlite.series import DELETED
from chengmai.store.sqlite.work import SqliteTx

RECENT = "SELECT series, at_us, modified_us, seq, observed, num, body FROM observation"
_SEALED = "SELECT series, at_us, modified_us, seq, observed, num, body FROM past"
_RECENT_OF = f"{RECENT} WHERE series IN (SELECT value FROM json_each(?))"
EVER = Span(by="modifiedAt")
_SERIES_AT_ONCE = 50
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
    hidden: dict[int, int],
    span: Span,
    *,
    last_n: int | None = None,
    first_n: int | None = None,
) -> list[Row]:
    """Return the visible rows of some series in order of series and time.

    `hidden` is the `hidden_seq` of each series. `last_n` or `first_n` keeps the newest or oldest so many
    of each series.
    """
    if not hidden:
        return []
    recent = recent_rows(tx, hidden, span)
    where, values = _sealed_sql(span)
    with sealed.snapshot() as cursor:
        watermark = sealed.sealed_seq(cursor)
        if last_n is None and first_n is None:
            old = cursor.execute(
                f"{_SEALED} JOIN {_WANTED} WHERE series IN ({', '.join('?' * len(hidden))}){where}",
                (list(hidden), list(hidden.values()), *hidden, *values),
            ).fetchall()
        else:
            # A recent row may take the place of a sealed one, so that many more are read.
            most, order = (last_n, "DESC") if last_n is not None else (first_n or 0, "ASC")
            old = _ends(cursor, hidden, where, values, most + len(recent), order)
    merged = {(row[0], row[1]): row for row in old}
    for row in recent:
        if row[3] > watermark and row[3] > hidden[row[0]]:
            merged[row[0], row[1]] = row
    ordered = [merged[key] for key in sorted(merged) if _covers(span, merged[key])]
    if last_n is not None:
        return _most(ordered[::-1], last_n)[::-1]
    return ordered if first_n is None else _most(ordered, first_n)


def _ends(
    cursor: duckdb.DuckDBPyConnection,
    hidden: Mapping[int, int],
    where: str,
    values: Sequence[int],
    most: int,
    order: str,
) -> list[Row]:
    """Return the first `most` sealed rows of each series in an order of time.

    One question a series: so the engine looks only at those parts of the file that can hold the first ones.
    """
    one = (
        f"({_SEALED} WHERE series = ? AND seq > ?{where}"
        f" ORDER BY at_s {order}, at_us {order} LIMIT {int(most)})"
    )
    found: list[Row] = []
    series = list(hidden.items())
    for begin in range(0, len(series), _SERIES_AT_ONCE):
        some = series[begin : begin + _SERIES_AT_ONCE]
        asked = [value for pair in some for value in (*pair, *values)]
        found += cursor.execute(" UNION ALL ".join([one] * len(some)), asked).fetchall()
    return found


def is_any_visible(tx: SqliteTx, sealed: SealedHistory, hidden: dict[int, int]) -> bool:
    """Return whether any of some series has a visible row, without reading them where that can be helped."""
    if not hidden:
        return False
    recent = tx.db.execute(_RECENT_OF, (json.dumps(list(hidden)),)).fetchall()
    seen = [row for row in recent if row[3] > hidden[row[0]]]
    if any(_covers(EVER, row) for row in seen):
        return True
    if seen:
        # Removals may hide all there is: only looking tells.
        return bool(visible_rows(tx, sealed, hidden, EVER))
    with sealed.snapshot() as cursor:
        found = cursor.execute(
            f"SELECT 1 FROM past JOIN {_WANTED}"
            f" WHERE series IN ({', '.join('?' * len(hidden))}) LIMIT 1",
            (list(hidden), list(hidden.values()), *hidden),
        ).fetchall()
    return bool(found)


def visible_numbers(
    tx: SqliteTx, sealed: SealedHistory, hidden: dict[int, int], span: Span
) -> tuple[Any, Any, Any]:
    """Return (series, at_us, value) arrays of the visible observed numbers of some series."""
    where, values = _sealed_sql(span)
    wanted = {
        "series": np.array(list(hidden), dtype=np.int32),
        "hidden": np.array(list(hidden.values()), dtype=np.int64),
    }
    recent = recent_rows(tx, hidden, span)
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
    hidden: dict[int, int],
    span: Span,
    last_n: int | None = None,
) -> dict[int, Column | None]:
    """Return what `visible_rows` shows of each series as columns; None where there is more than numbers."""
    if not hidden:
        return {}
    recent = recent_rows(tx, hidden, span)
    with sealed.snapshot() as cursor:
        news = [row for row in recent if row[3] > sealed.sealed_seq(cursor)]
        return columns_in(cursor, news, hidden, span, last_n)


def columns_in(
    cursor: duckdb.DuckDBPyConnection,
    recent: Sequence[Row],
    hidden: Mapping[int, int],
    span: Span,
    last_n: int | None = None,
) -> dict[int, Column | None]:
    """Return the columns of some series as the cursor sees them; `recent` are the rows above its watermark."""
    where, values = _sealed_sql(span)
    found = cursor.execute(
        f"SELECT {_COLUMNS} FROM past JOIN {_WANTED}"
        f" WHERE series IN ({', '.join('?' * len(hidden))}){where}",
        (list(hidden), list(hidden.values()), *hidden, *values),
    ).fetchnumpy()
    news = [row for row in recent if row[0] in hidden and row[3] > hidden[row[0]]]
    columns = _merged({name: np.ma.filled(column, 0) for name, column in found.items()}, news, span)
    made: dict[int, Column | None] = {}
    if not len(columns["series"]):
        return made
    starts = np.flatnonzero(np.diff(columns["series"], prepend=-1))
    for begin, end in zip(starts, [*starts[1:], len(columns["series"])], strict=True):
        begin = begin if last_n is None else max(begin, end - last_n)
        number, odd = int(columns["series"][begin]), bool(columns["odd"][begin:end].any())
        made[number] = None if odd else _column(columns, slice(begin, end), span)
    return made


def _column(columns: dict[str, Any], of: slice, span: Span) -> Column:
    placed, values = columns["at_us"][of], columns["num"][of]
    at = placed
    if span.by not in _BY_INSTANT:
        at = columns["modified_us"][of]
        order = np.argsort(at, kind="stable")
        at, values = at[order], values[order]
    return at, values, int(placed[0]), int(placed[-1])


_COLUMNS = "series, at_us, modified_us, num, body IS NOT NULL AS odd"


def _merged(old: dict[str, Any], news: Sequence[Row], span: Span) -> dict[str, Any]:
    """Return sealed columns with recent rows in their places, in order of series and time."""
    if news:
        placed = {
            "series": np.array([row[0] for row in news], np.int64),
            "at_us": np.array([row[1] for row in news], np.int64),
            "modified_us": np.array([row[2] for row in news], np.int64),
            "num": np.array([row[5] or 0.0 for row in news], np.float64),
            "odd": np.array([row[6] is not None for row in news], np.bool_),
        }
        shown = np.array([_covers(span, row) for row in news])
        taken = {(row[0], row[1]) for row in news}
        kept = ~np.isin(old["at_us"], placed["at_us"])
        for place in np.flatnonzero(~kept).tolist():
            kept[place] = (int(old["series"][place]), int(old["at_us"][place])) not in taken
        old = {name: np.concatenate([old[name][kept], placed[name][shown]]) for name in placed}
    order = np.lexsort((old["at_us"], old["series"]))
    return {name: column[order] for name, column in old.items()}


def recent_rows(tx: SqliteTx, hidden: Mapping[int, int], span: Span) -> list[Row]:
    """Return the recent rows that may show or hide something in the span."""
    where = ""
    values: list[int] = []
    if span.by in _BY_INSTANT:
        where, values = _range_sql("at_us", span)
    rows: list[Row] = tx.db.execute(
        f"{_RECENT_OF}{where}", (json.dumps(list(hidden)), *values)
    ).fetchall()
    return rows


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
