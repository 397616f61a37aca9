"""Runs the checked query of a sign over readings, in an in-memory DuckDB that can reach nothing else."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
from numpy.typing import NDArray

from chengmai.kernel.instants import to_us
from chengmai.packs.model import TableSpec
from chengmai.vitals.ports import ViewRows
from chengmai.vitals.problems import EvaluationFailed
from chengmai.vitals.sql import CheckedSql
from chengmai.vitals.ticks import ticks_of

_DAY = timedelta(days=1)
_FEW_TEXTS = 500
"""Texts that are cheaper to choose from than to join."""
_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 31)
"""What a row of a table holds from and until when it says nothing."""


class DuckAnalysis:
    """Implements `vitals.ports.Analysis`. One connection a call, so calls may run side by side.

    They share one engine, which costs ten times as much to make as a connection to it. It is locked before
    it sees a query, and what a call registers is seen by its own connection only. A query that needs more
    than `memory_limit` or more than `timeout_s` seconds fails alone.
    """

    def __init__(
        self, *, memory_limit: str = "512MB", threads: int = 2, timeout_s: float = 30.0
    ) -> None:
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "threads": threads,
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
        }
        self._timeout_s = timeout_s
        self._making = threading.Lock()
        self._engine: Any = None

    def evaluate(
        self,
        checked: CheckedSql,
        views: Sequence[ViewRows],
        *,
        start_us: int,
        end_us: int,
        step: timedelta,
        zone: ZoneInfo,
        tables: Sequence[TableSpec] = (),
    ) -> list[tuple[str, int, float]]:
        with self._connection() as db:
            _make_all(db, checked, views, tables, step, zone)
            found = self._run(db, checked.sql_for("duckdb"), ("value",), start_us, end_us)
        return _one_each(found)

    def shares(
        self,
        checked: CheckedSql,
        views: Sequence[ViewRows],
        *,
        start_us: int,
        end_us: int,
        zone: ZoneInfo,
        tables: Sequence[TableSpec] = (),
    ) -> list[tuple[str, int, float, float]]:
        """Return (area, day in µs, numerator, denominator) in [start, end) of the query of an indicator.

        Raises what `evaluate` does, but for several rows of a day.
        """
        columns = ("numerator", "denominator")
        with self._connection() as db:
            _make_all(db, checked, views, tables, _DAY, zone)
            return self._run(db, checked.sql_for("duckdb"), columns, start_us, end_us)

    def _connection(self) -> Any:
        with self._making:
            if self._engine is None:
                engine = duckdb.connect(":memory:", config=self._config)
                engine.execute(
                    "SET python_enable_replacements = false; SET enable_external_access = false;"
                    " SET lock_configuration = true"
                )
                self._engine = engine
            return self._engine.cursor()

    def _run(
        self, db: Any, sql: str, columns: Sequence[str], start_us: int, end_us: int
    ) -> list[Any]:
        numbers = [f"CAST({column} AS DOUBLE)" for column in columns]
        stop = threading.Timer(self._timeout_s, db.interrupt)
        stop.start()
        try:
            found: list[Any] = db.execute(
                "SELECT CAST(area AS VARCHAR), epoch_us(CAST(tick AS TIMESTAMP)), "
                f"{', '.join(numbers)} FROM ({sql}) WHERE area IS NOT NULL"
                f" AND {' AND '.join(f'isfinite({number})' for number in numbers)}"
                " AND tick >= make_timestamp(CAST(? AS BIGINT)) AND tick < make_timestamp(CAST(? AS BIGINT))"
                " ORDER BY 1, 2",
                [start_us, end_us],
            ).fetchall()
        except duckdb.Error as error:
            said = str(error).splitlines()[0]
            raise EvaluationFailed(
                f"the query failed: {said}",
                param="sql",
                fix="correct the query, or make it read less",
            ) from error
        finally:
            stop.cancel()
        return found


def _make_all(
    db: Any,
    checked: CheckedSql,
    views: Sequence[ViewRows],
    tables: Sequence[TableSpec],
    step: timedelta,
    zone: ZoneInfo,
) -> None:
    for number, view in enumerate(views):
        _make_view(db, number, view, step, zone, checked.names_entities)
    for table in tables:
        _make_table(db, table, zone)


def _make_view(
    db: Any, number: int, view: ViewRows, step: timedelta, zone: ZoneInfo, names_entities: bool
) -> None:
    """Make the view of an entity type: one row an entity and instant, one column an attribute."""
    rows = view.rows
    entity = np.asarray(rows.entity, dtype=np.int32)
    table: dict[str, Any] = {
        "entity": entity,
        "at": np.asarray(rows.at_us, dtype=np.int64),
        "tick": ticks_of(np.asarray(rows.at_us, dtype=np.int64), step, zone),
    }
    columns = {"at": "make_timestamp(r.at)", "tick": "make_timestamp(r.tick)"}
    for i, (column, values) in enumerate(rows.values.items()):
        columns[column] = _number(table, f"value_{i}", np.asarray(values, dtype=np.float64))
    texts = {"area": list(rows.areas)}
    for i, (column, known) in enumerate(view.constants.items()):
        if column in view.texts:
            texts[column] = [str(known.get(one) or "") for one in rows.entities]
        else:
            given = np.array([known.get(one, np.nan) for one in rows.entities], dtype=np.float64)
            columns[column] = _number(table, f"constant_{i}", given[entity])
    joined: dict[str, list[str]] = {}
    for i, (column, words) in enumerate(texts.items()):
        if names_entities or (chosen := _chosen(table, f"text_{i}", words, entity)) is None:
            joined[f"text_{i}"] = words
            chosen = f"nullif(e.text_{i}, '')"
        columns[column] = chosen
    source = f"_rows_{number} r"
    if names_entities or joined:
        columns["entity"] = "e.id"
        source += f" JOIN _entities_{number} e ON e.number = r.entity"
        db.register(f"_entities_{number}", _entities(rows.entities, joined))
    db.register(f"_rows_{number}", table)
    shown = ", ".join(f"{value} AS {_quoted(column)}" for column, value in columns.items())
    db.execute(f"CREATE TEMP VIEW {_quoted(view.view)} AS SELECT {shown} FROM {source}")


def _number(table: dict[str, Any], name: str, values: NDArray[np.float64]) -> str:
    """Put a column into a table and return the expression for it; a NaN is nothing.

    DuckDB takes a NaN for a number, greater than any other.
    """
    table[name] = values
    value = f"r.{name}"
    return (
        f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END" if np.isnan(values).any() else value
    )


def _chosen(
    table: dict[str, Any], name: str, words: Sequence[str], entity: NDArray[np.int32]
) -> str | None:
    """Return the expression for a text of the entity without a join; None when there are too many texts."""
    known = sorted({word for word in words if word})
    if len(known) > _FEW_TEXTS or any("\0" in word for word in known):
        return None
    # Counted from one; what lies outside of a list is NULL.
    place = {word: i for i, word in enumerate(known, 1)}
    table[name] = np.array([place.get(word, 0) for word in words], dtype=np.int32)[entity]
    listed = ", ".join("'" + word.replace("'", "''") + "'" for word in known)
    return f"CAST([{listed}] AS VARCHAR[])[r.{name}]"


def _make_table(db: Any, table: TableSpec, zone: ZoneInfo) -> None:
    """Make a table of a pack: one row a name and span of days, from local midnight to local midnight."""
    rows = table.rows
    made: dict[str, Any] = {
        "name": _texts([row.name for row in rows]),
        "since": np.array([_midnight(row.from_, zone, _FIRST) for row in rows], dtype=np.int64),
        "until": np.array(
            [_midnight(row.until and row.until + _DAY, zone, _LAST) for row in rows], dtype=np.int64
        ),
    }
    columns = ""
    for i, column in enumerate(table.columns):
        made[f"value_{i}"] = np.array([row.values[column] for row in rows], dtype=np.float64)
        columns += f", value_{i} AS {_quoted(column)}"
    db.register(f"_table_{table.id}", made)
    db.execute(
        f"CREATE TEMP VIEW {_quoted(table.id)} AS SELECT name, make_timestamp(since) AS since,"
        f" make_timestamp(until) AS until{columns} FROM {_quoted(f'_table_{table.id}')}"
    )


def _midnight(day: date | None, zone: ZoneInfo, otherwise: date) -> int:
    start = datetime.combine(day or otherwise, time(), zone if day else UTC)
    return to_us(start.astimezone(UTC))


def _entities(entities: Sequence[str], texts: dict[str, list[str]]) -> dict[str, Any]:
    table = {name: _texts(words) for name, words in texts.items()}
    numbers = np.arange(len(entities), dtype=np.int32)
    return table | {"number": numbers, "id": _texts(entities)}


def _texts(words: Sequence[str]) -> Any:
    # Without a type of its own an empty object array would come out as a column of integers.
    return np.array(list(words), dtype=object) if len(words) else np.array([], dtype="U1")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _one_each(found: list[tuple[str, int, float]]) -> list[tuple[str, int, float]]:
    for before, after in pairwise(found):
        if before[:2] == after[:2]:
            raise EvaluationFailed(
                f"the query gives more than one value for area {before[0]!r} at one tick",
                param="sql",
                fix="aggregate and GROUP BY area, tick",
            )
    return found
