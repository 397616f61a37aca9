"""A sheet of an Excel file as a table, streamed; formulas give the values that Excel left in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from chengmai.connect.formats.archives import Archive
from chengmai.connect.formats.ports import Broken
from chengmai.connect.reading import shorten
from chengmai.connect.tables import Fault, Mark, Row
from chengmai.connect.times import ROW

_ERRORS = (
    BadZipFile,
    ParseError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
)
_COMPOUND = bytes.fromhex("D0CF11E0A1B11AE1")
"""How files begin that are no zip: Excel before 2007, and what a password protects."""
Cells = Sequence[Any]


@dataclass(frozen=True)
class ExcelTable:
    """The sheet named `sheet` (None: the first) of a workbook; raises `Broken` when it cannot be read.

    A cell of a formula without a value – the file was never calculated – makes its row a fault.
    """

    path: Path
    sheet: str | None
    skip: int
    header_rows: int
    most: int

    def rows(self, mark: Mark) -> Iterator[Row]:
        with self.path.open("rb") as file:
            if file.read(len(_COMPOUND)) == _COMPOUND:
                raise Broken(
                    f"{self.path.name} is protected by a password or of Excel before 2007; save it as "
                    ".xlsx without a password"
                )
        Archive(self.path, self.most)  # refuses what would unpack to more than may be read
        try:
            yield from self._rows(mark)
        except _ERRORS as error:
            raise Broken(f"{self.path.name} is not a readable Excel file: {error}") from error

    def _rows(self, mark: Mark) -> Iterator[Row]:
        with closing(self._open(values=True)) as told, closing(self._open(values=False)) as written:
            values, formulas = self._cells(told), self._cells(written)
            for _ in range(self.skip):
                next(values, None), next(formulas, None)
            header = column_names(list(islice(values, self.header_rows)))
            for _ in range(self.header_rows):
                next(formulas, None)
            if not header:
                raise Broken(
                    f"the sheet has no header in line {self.skip + 1}; where it is further down, say so by "
                    "skip_rows"
                )
            first = self.skip + self.header_rows + 1
            for number, cells in enumerate(values):
                formula = next(formulas, ())
                if number >= mark.number and any(cell is not None for cell in cells):
                    yield self._row(first + number, number, header, cells, formula)

    def _open(self, *, values: bool) -> Any:
        from openpyxl import load_workbook  # a tenth of a second to load, and few need it
        from openpyxl.utils.exceptions import InvalidFileException

        try:
            return load_workbook(
                self.path, read_only=True, data_only=values, keep_links=False, rich_text=False
            )
        except InvalidFileException as error:
            raise Broken(f"{self.path.name} is not a readable Excel file: {error}") from error

    def _cells(self, book: Any) -> Iterator[Cells]:
        if self.sheet is not None and self.sheet not in book.sheetnames:
            names = ", ".join(book.sheetnames[:20])
            raise Broken(f"there is no sheet {self.sheet!r}; there are {names}")
        if not book.worksheets:
            raise Broken(
                f"{self.path.name} has no sheet that can be read; if it was saved as Strict Open XML, "
                "save it as an ordinary .xlsx"
            )
        sheet = book[self.sheet] if self.sheet is not None else book.worksheets[0]
        # What a file says of its size is not to be trusted: it may claim a million columns.
        sheet.reset_dimensions()
        cells: Iterator[Cells] = sheet.iter_rows(values_only=True)
        return cells

    def _row(
        self, line: int, number: int, header: Sequence[str], cells: Cells, formula: Cells
    ) -> Row:
        where = f"{self.path.name}:{line}"
        for name, value, told in zip(header, cells, formula, strict=False):
            if value is None and isinstance(told, str) and told.startswith("="):
                detail = f"the formula in {name!r} has no value; open and save the file in Excel"
                return Row(where, number, number, None, Fault("no_value", detail, shorten(told)))
        if len(cells) > len(header) and any(cell is not None for cell in cells[len(header) :]):
            detail = (
                f"{len(cells)} columns where the header has {len(header)}; where the header is further "
                "down, say so by skip_rows"
            )
            sample = shorten(repr(cells))
            return Row(where, number, number, None, Fault("bad_row", detail, sample))
        record: dict[str, Any] = {
            name: plain(value) for name, value in zip(header, cells, strict=False) if name
        }
        record[ROW] = number
        return Row(where, number, number, record)


def column_names(lines: Sequence[Cells]) -> list[str]:
    """Return a name for each column: its lines joined by ` / `, merged cells taken from the left.

    A merged cell holds its text in its first column only. A name that is there twice gets a number.
    """
    width = max((len(line) for line in lines), default=0)
    filled: list[list[str]] = []
    for depth, line in enumerate(lines):
        texts = [_text(cell) for cell in line] + [""] * (width - len(line))
        if depth < len(lines) - 1:
            texts = _spread(texts)
        filled.append(texts)
    names: list[str] = []
    for column in range(width):
        parts = [line[column] for line in filled if line[column]]
        name = " / ".join(dict.fromkeys(parts))
        number = sum(known == name or known.startswith(f"{name} (") for known in names)
        names.append(f"{name} ({number + 1})" if name and number else name)
    while names and not names[-1]:
        names.pop()
    return names


def _spread(texts: Iterable[str]) -> list[str]:
    spread: list[str] = []
    for text in texts:
        spread.append(text or (spread[-1] if spread else ""))
    return spread


def _text(cell: Any) -> str:
    return " ".join(str(cell).split()) if cell is not None else ""


def plain(value: Any) -> Any:
    """Return a cell as text, number, truth value or None: dates as ISO 8601, lengths of time in seconds."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value
