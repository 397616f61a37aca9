"""Files of rows – CSV, NDJSON, Parquet, Excel – that grow, are replaced, or come one a day.

Of each file it is known how many rows were taken in and what its bytes were then: an unchanged file is not
read, of one that has grown only the new rows are, and one that was replaced is read from its beginning.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from chengmai.connect.formats.ports import OBSERVED, Broken, Document, Get, Item
from chengmai.connect.formats.workbook import ExcelTable
from chengmai.connect.mapping import flatten
from chengmai.connect.problems import SourceFailed
from chengmai.connect.tables import CsvTable, Mark, NdjsonTable, ParquetTable, Row, Table
from chengmai.packs.sources import TableSource

_ENDINGS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}
_WHOLE = (".xlsx", ".xlsm", ".parquet")
"""Files that do not grow by their end."""
_KEPT_FILES = 2000
_PIECE = 256 * 1024


class TableFormat:
    """Implements `formats.ports.Format` and `Resumed` for the files at `address`."""

    timed = True

    def __init__(self, source: TableSource, address: str) -> None:
        self._source = source
        self._address = address
        self._done: dict[str, dict[str, Any]] = {}

    async def gather(self, get: Get) -> Sequence[Document]:
        return [await get(address) for address in get.matching(self._address)]

    def resume(self, state: Mapping[str, Any] | None) -> None:
        self._done = dict((state or {}).get("files", {}))

    def state(self) -> dict[str, Any]:
        return {"files": {name: dict(done) for name, done in self._done.items()}}

    def items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        for document in documents:
            done = self._done.get(document.address, {})
            if done.get("digest") == document.digest:
                continue
            try:
                yield from self._of(document, done, now)
            except (Broken, SourceFailed) as problem:
                # One file that cannot be read does not keep the others from being read.
                broken = problem if isinstance(problem, Broken) else Broken(problem.detail)
                self._remember(document, int(done.get("rows", 0)))
                yield Item(document.address, None, broken.fault)

    def close(self) -> None:
        pass

    def _of(self, document: Document, done: Mapping[str, Any], now: datetime) -> Iterator[Item]:
        first = int(done.get("rows", 0)) if _has_grown(document.path, done) else 0
        count = first
        above: dict[str, Any] = {}
        for row in self._table(document.path).rows(Mark()):
            if row.record is not None and self._source.fill_down:
                row = replace(row, record=self._filled(row.record, above))
            if row.number < first:
                continue
            count = row.number + 1
            yield _item(row, now)
        # A last line without an end may still be in writing: it is read again when the file grows.
        self._remember(document, count - (count > 0 and not _is_ended(document.path)))

    def _filled(self, record: Mapping[str, Any], above: dict[str, Any]) -> dict[str, Any]:
        """Return a row with its empty cells of the columns `fill_down` as in the row above it."""
        for name in self._source.fill_down:
            if record.get(name) not in (None, ""):
                above[name] = record[name]
        return {**record, **above}

    def _remember(self, document: Document, rows: int) -> None:
        size = document.path.stat().st_size
        self._done.pop(document.address, None)
        self._done[document.address] = {"digest": document.digest, "rows": rows, "size": size}
        for name in list(self._done)[:-_KEPT_FILES]:
            del self._done[name]

    def _table(self, path: Path) -> Table:
        source = self._source
        match source.format or _ENDINGS.get(path.suffix.lower(), "csv"):
            case "excel":
                return ExcelTable(
                    path, source.sheet, source.skip_rows, source.header_rows, source.max_unpacked
                )
            case "parquet":
                return ParquetTable(path)
            case "ndjson":
                return NdjsonTable(path)
        tabs = path.suffix.lower() == ".tsv" and source.delimiter == ","
        delimiter = "\t" if tabs else source.delimiter
        return CsvTable(path, delimiter, source.encoding, strict=True, skip=source.skip_rows)


def _has_grown(path: Path, done: Mapping[str, Any]) -> bool:
    """Return whether the file begins with all that it was when its rows were taken in."""
    size = int(done.get("size", 0))
    if not size or path.stat().st_size < size or path.suffix.lower() in _WHOLE:
        return False
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size and (piece := file.read(min(_PIECE, size))):
            digest.update(piece)
            size -= len(piece)
    return digest.hexdigest() == done.get("digest")


def _is_ended(path: Path) -> bool:
    if path.suffix.lower() in _WHOLE or not path.stat().st_size:
        return True
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _item(row: Row, now: datetime) -> Item:
    record = row.record
    if record is None:
        return Item(row.where, None, row.fault)
    if any(isinstance(value, dict | list) for value in record.values()):
        record = flatten(record)
    return Item(row.where, {OBSERVED: now.timestamp(), **record})
