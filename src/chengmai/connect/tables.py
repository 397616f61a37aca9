"""Rows of a table in a file – CSV, NDJSON, Parquet – streamed, in bounded memory, from any position.

A row that cannot be read is a row with a `fault`; it never ends the table. A line longer than 1 MiB is
skipped piece by piece, so that a line of any length costs no memory.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import duckdb

from chengmai.connect.mapping import flatten
from chengmai.connect.problems import SourceFailed, SourceMissing
from chengmai.connect.reading import shorten
from chengmai.connect.times import ROW
from chengmai.packs.feeds import ReplaySource
from chengmai.packs.sources import MIB

LINE_LIMIT = MIB
_PIECE = 64 * 1024


@dataclass(frozen=True)
class Fault:
    """Why a row cannot be read: a reject code, what was found, and the beginning of the row."""

    code: str
    detail: str
    sample: str


@dataclass(frozen=True)
class Row:
    """Row `number` (from 0, without the header) of a table; it begins at `offset`, in the table's own count."""

    where: str
    number: int
    offset: int
    record: dict[str, Any] | None
    fault: Fault | None = None


@dataclass(frozen=True)
class Mark:
    """A position to read from: the row number and the table's own offset of that row."""

    number: int = 0
    offset: int = 0


class Table(Protocol):
    """Port: rows in the order of the file, from a mark that an earlier row gave."""

    @property
    def path(self) -> Path: ...

    def rows(self, mark: Mark) -> Iterator[Row]: ...


def open_tables(folder: Path, source: ReplaySource) -> list[Table]:
    """Return the tables that `source.files` names below `folder`; raises `SourceMissing` when none is there."""
    paths = sorted({path for glob in source.files for path in folder.glob(glob) if path.is_file()})
    if not paths:
        raise SourceMissing(
            f"no file matches {', '.join(source.files)} below {folder}",
            param="source.files",
            fix="put the recording there, or start the demo with DATA=<its folder>",
        )
    return [_table(path, source) for path in paths]


def read_side_table(path: Path, key: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a small CSV by their column `key`; raises `SourceMissing`."""
    if not path.is_file():
        raise SourceMissing(f"the side table {path} is missing", param="map.join.file")
    records = [row.record for row in CsvTable(path).rows(Mark()) if row.record is not None]
    return {
        str(record[key]): {name: value for name, value in record.items() if name != ROW}
        for record in records
        if key in record
    }


def _table(path: Path, source: ReplaySource) -> Table:
    kind = source.format or {".csv": "csv", ".parquet": "parquet"}.get(path.suffix, "ndjson")
    if kind == "csv":
        return CsvTable(path, source.delimiter)
    return ParquetTable(path) if kind == "parquet" else NdjsonTable(path)


@dataclass(frozen=True)
class CsvTable:
    """A CSV file with a header; one line is one row (a line break inside quotes is a fault)."""

    path: Path
    delimiter: str = ","
    encoding: str = "utf-8"
    strict: bool = False
    """Whether a line that is not text in `encoding` is a fault; else what cannot be read becomes U+FFFD."""
    skip: int = 0
    """Lines before the header."""

    def rows(self, mark: Mark) -> Iterator[Row]:
        with self.path.open("rb") as file:
            for _ in range(self.skip):
                _line(file)
            header_line = _line(file)
            if header_line is None:
                raise SourceFailed(f"the header of {self.path.name} is longer than 1 MiB")
            told = header_line.decode(self.encoding, errors="replace").removeprefix("\ufeff")
            header = (
                [name.strip() for name in self._fields(told)] if self.strict else self._fields(told)
            )
            if mark.offset:
                file.seek(mark.offset)
            for number, offset, line in _lines(file, mark.number):
                yield self._row(number, offset, line, header)

    def _row(self, number: int, offset: int, line: bytes | None, header: list[str]) -> Row:
        where = f"{self.path.name}:{number + 2 + self.skip}"
        if line is None:
            return Row(where, number, offset, None, _TOO_LONG)
        text = line.decode(self.encoding, errors="replace")
        if self.strict and "\ufffd" in text:
            fault = Fault("bad_text", f"not text in {self.encoding}", shorten(text))
            return Row(where, number, offset, None, fault)
        try:
            fields = self._fields(text)
        except csv.Error as error:
            fault = Fault("bad_row", f"not valid CSV: {error}", shorten(text))
            return Row(where, number, offset, None, fault)
        if len(fields) != len(header):
            detail = f"{len(fields)} columns where the header has {len(header)}"
            return Row(where, number, offset, None, Fault("bad_row", detail, shorten(text)))
        record: dict[str, Any] = dict(zip(header, fields, strict=True))
        record[ROW] = number
        return Row(where, number, offset, record)

    def _fields(self, text: str) -> list[str]:
        if '"' not in text:
            return text.split(self.delimiter)
        return next(csv.reader([text], delimiter=self.delimiter, strict=True), [])


@dataclass(frozen=True)
class NdjsonTable:
    """A file of one JSON object a line; nested members become columns `a.b`."""

    path: Path

    def rows(self, mark: Mark) -> Iterator[Row]:
        with self.path.open("rb") as file:
            file.seek(mark.offset)
            for number, offset, line in _lines(file, mark.number):
                where = f"{self.path.name}:{number + 1}"
                if line is None:
                    yield Row(where, number, offset, None, _TOO_LONG)
                    continue
                record, fault = read_json(line)
                if record is not None:
                    record[ROW] = number
                yield Row(where, number, offset, record, fault)


@dataclass(frozen=True)
class ParquetTable:
    """A Parquet file, read through DuckDB a thousand rows at a time; offsets are row numbers."""

    path: Path

    def rows(self, mark: Mark) -> Iterator[Row]:
        with duckdb.connect(config={"memory_limit": "256MB", "threads": "1"}) as db:
            try:
                cursor = db.execute(
                    "SELECT * FROM read_parquet(?, file_row_number = true) "
                    "WHERE file_row_number >= ? ORDER BY file_row_number",
                    [str(self.path), mark.number],
                )
                names = [column[0] for column in cursor.description or ()]
                while batch := cursor.fetchmany(1000):
                    for values in batch:
                        record = dict(zip(names, values, strict=True))
                        number = int(record.pop("file_row_number"))
                        record[ROW] = number
                        yield Row(f"{self.path.name}:{number + 1}", number, number, record)
            except duckdb.Error as error:
                raise SourceFailed(f"{self.path.name} cannot be read: {error}") from error


def read_json(raw: bytes) -> tuple[dict[str, Any] | None, Fault | None]:
    """Return the flat record of one JSON object, or the fault that keeps it from being one."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        return None, Fault("bad_json", f"not valid JSON: {error}", shorten(_text(raw)))
    if not isinstance(value, dict):
        return None, Fault("bad_json", "the record is not a JSON object", shorten(_text(raw)))
    return flatten(value), None


_TOO_LONG = Fault("line_too_long", "the line is longer than 1 MiB and was skipped", "")


def _lines(file: BinaryIO, number: int) -> Iterator[tuple[int, int, bytes | None]]:
    """Yield (number, offset, line without its end), counting blank lines without yielding them."""
    while True:
        offset = file.tell()
        line = _line(file)
        if line == b"" and file.tell() == offset:
            return
        if line is None or line.strip():
            yield number, offset, line
        number += 1


def _line(file: BinaryIO) -> bytes | None:
    """Return the next line without its end; None when it was too long and has been skipped."""
    line = file.readline(LINE_LIMIT + 1)
    if len(line) <= LINE_LIMIT or line.endswith(b"\n"):
        return line.rstrip(b"\r\n")
    while (piece := file.readline(_PIECE)) and not piece.endswith(b"\n"):
        pass
    return None


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace")
