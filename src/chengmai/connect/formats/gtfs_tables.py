"""The tables of a GTFS zip: as rows, each bad one told, and to DuckDB where there may be millions of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from chengmai.connect.formats.archives import Archive
from chengmai.connect.formats.ports import Broken, Item
from chengmai.connect.problems import SourceFailed
from chengmai.connect.tables import CsvTable, Mark, Row

_HEADER_LIMIT = 65536


def table(archive: Archive, name: str, folder: Path, *, needed: Sequence[str]) -> CsvTable | None:
    """Return a table of the zip, None when it is not there; raises `Broken` without the columns `needed`."""
    path = archive.unpack(name, folder)
    if path is None:
        return None
    made = CsvTable(path, strict=True)
    columns = header_of(path)
    missing = [column for column in needed if column not in columns]
    if missing:
        raise Broken(f"{name} has no column {', '.join(missing)}", sample=",".join(columns))
    return made


def must(made: CsvTable | None, name: str) -> CsvTable:
    """Return a table that has to be there; raises `Broken`."""
    if made is None:
        raise Broken(f"the zip holds no {name}")
    return made


def header_of(path: Path) -> list[str]:
    """Return the names of the columns of a table."""
    with path.open("rb") as file:
        text = file.readline(_HEADER_LIMIT).decode("utf-8", "replace").removeprefix("\ufeff")
    return [name.strip() for name in next(csv.reader([text.rstrip("\r\n")]), [])]


def rows(made: CsvTable) -> Iterator[Row]:
    """Yield the rows of a table; raises `Broken` when it cannot be read at all."""
    try:
        yield from made.rows(Mark())
    except SourceFailed as problem:
        raise Broken(problem.detail) from problem


def item_of(row: Row) -> Item:
    """Return a row as it stands."""
    return Item(row.where, row.record, row.fault)


def count(made: CsvTable, column: str) -> dict[str, int]:
    """Return how many rows have each value of `column`."""
    counts: dict[str, int] = {}
    for row in rows(made):
        if row.record is not None:
            name = str(row.record[column])
            counts[name] = counts.get(name, 0) + 1
    return counts


def engine(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB of our own, in `path` or in memory, with bounded memory on one core."""
    return duckdb.connect(
        str(path) if path else ":memory:", config={"memory_limit": "512MB", "threads": "1"}
    )


def ask(db: duckdb.DuckDBPyConnection, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Return the answer to `sql`; raises `Broken` when the tables cannot be read."""
    try:
        return db.execute(sql, [str(v) if isinstance(v, Path) else v for v in values]).fetchall()
    except duckdb.Error as error:
        raise Broken(f"the tables cannot be read: {error}"[:500]) from error


def scan(path: Path) -> str:
    """Return SQL that reads a table, every column as text; its one parameter is the path."""
    columns = ", ".join(
        f"'{name.replace(chr(39), chr(39) * 2)}': 'VARCHAR'" for name in header_of(path)
    )
    return (
        "read_csv(?, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
        f" ignore_errors = true, null_padding = true, columns = {{{columns}}})"
    )


def seconds(column: str) -> str:
    """Return SQL for the seconds of a GTFS time `H:MM:SS` in `column`, which may lie beyond 24:00:00."""
    part = f"split_part(trim({column}), ':', {{}})"
    hours, minutes, rest = (f"try_cast({part.format(n)} AS INTEGER)" for n in (1, 2, 3))
    return f"({hours} * 3600 + {minutes} * 60 + {rest})"
