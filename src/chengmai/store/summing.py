"""Aggregates made where the history lies: columns of numbers are folded, all else goes through instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from chengmai.history.model import Span
from chengmai.ngsild.aggregates import aggregate
from chengmai.ngsild.entity import Instance
from chengmai.ngsild.temporal import TemporalQuery
from chengmai.store.duckdb.kept import Sight
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.folding import folded
from chengmai.store.rolled import may_be_rolled, rolled
from chengmai.store.sqlite.register import Entry, Sought
from chengmai.store.sqlite.series import instance_of
from chengmai.store.sqlite.work import SqliteTx
from chengmai.store.visible import recent_rows, visible_columns, visible_rows

_Summary: TypeAlias = tuple[int, int, str, Instance]
"""First and last instant, attribute, and the summary itself."""


def summed(
    tx: SqliteTx,
    sealed: SealedHistory,
    about: Mapping[int, Entry],
    window: TemporalQuery,
    most: int,
) -> dict[str, list[Instance]] | None:
    """Return the summaries of some series by attribute; None when one must be read and exceeds `most`."""
    span = Span(window.start_us, window.end_us, window.timeproperty)
    sought = Sought.of(about.values())
    made: dict[int, _Summary] = {}
    for number, (results, first, last) in _rolled(tx, sealed, sought, span, window).items():
        made[number] = first, last, *_told(about[number], results)
    left = sought.only(about.keys() - made.keys())
    columns = visible_columns(tx, sealed, left, span, window.last_n)
    for number, column in columns.items():
        if column is None:
            one = _read(tx, sealed, number, about[number], window, most)
            if one is None:
                return None
        else:
            one = _folded(column, about[number], window)
        made[number] = one
    return _in_order(
        [made[number] for number in sorted(made)], newest_first=window.last_n is not None
    )


def _rolled(
    tx: SqliteTx,
    sealed: SealedHistory,
    sought: Sought,
    span: Span,
    window: TemporalQuery,
) -> dict[int, tuple[dict[str, list[list[Any]]], int, int]]:
    """Return what roll-ups tell of some series; what is to be dropped from a series is in them still."""
    hidden = sought.hidden
    if not hidden or not may_be_rolled(window):
        return {}
    marks = ", ".join("?" * len(hidden))
    dropped = tx.db.execute(
        f"SELECT series FROM history_drop WHERE series IN ({marks})", tuple(hidden)
    ).fetchall()
    trusted = sought.only(hidden.keys() - {number for (number,) in dropped})
    recent = recent_rows(tx, trusted, span)

    def ask(sight: Sight) -> dict[int, tuple[dict[str, list[list[Any]]], int, int]]:
        news = [row for row in recent if row[3] > sight.state.watermark]
        return rolled(sight, news, trusted.hidden, window)

    return sealed.look(ask)


def _folded(column: tuple[Any, Any, int, int], about: Entry, window: TemporalQuery) -> _Summary:
    at_us, values, first, last = column
    results = folded(
        at_us, values, window.methods, window.period_us, window.start_us, window.end_us
    )
    return first, last, *_told(about, results)


def _read(
    tx: SqliteTx,
    sealed: SealedHistory,
    number: int,
    about: Entry,
    window: TemporalQuery,
    most: int,
) -> _Summary | None:
    span = Span(window.start_us, window.end_us, window.timeproperty)
    rows = visible_rows(
        tx, sealed, Sought.of([about]), span, last_n=window.last_n, first_n=most + 1
    )
    if len(rows) > most:
        return None
    told = []
    for _, at_us, modified_us, _, observed, num, body in rows:
        series = (number, about.kind, about.unit)
        told.append(instance_of(series, about.dataset, at_us, modified_us, observed, num, body))
    results = aggregate(
        told,
        window.methods,
        window.period_us,
        window.start_us,
        window.end_us,
        timeproperty=window.timeproperty,
    )
    first = told[0] if window.last_n is None else told[-1]
    summary = _summary(first["type"], about.dataset, results)
    return rows[0][1], rows[-1][1], about.attribute, summary


def _told(about: Entry, results: dict[str, list[list[Any]]]) -> tuple[str, Instance]:
    return about.attribute, _summary(about.kind, about.dataset, results)


def _summary(kind: str, dataset: str, results: dict[str, list[list[Any]]]) -> Instance:
    made: Instance = {"type": kind}
    if dataset:
        made["datasetId"] = dataset
    return made | {"aggregates": results}


def _in_order(made: list[_Summary], *, newest_first: bool) -> dict[str, list[Instance]]:
    """Return the summaries of each attribute as they follow from their instances in order of time."""
    if newest_first:
        ordered = sorted(made, key=lambda one: one[1])[::-1]
    else:
        ordered = sorted(made, key=lambda one: one[0])
    found: dict[str, list[Instance]] = {}
    for _, _, attribute, _ in made:
        found.setdefault(attribute, [])
    for _, _, attribute, summary in ordered:
        found[attribute].append(summary)
    return found
