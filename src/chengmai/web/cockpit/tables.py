"""A table with its footnotes, as JSON, CSV and Excel: what leaves the house says what it counts."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from starlette.responses import Response

from chengmai.kernel.instants import format_instant
from chengmai.web.cockpit.twins import as_csv, as_json

Form = Literal["json", "csv", "xlsx"]
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Table:
    """Rows under names of columns; `notes` are numbered from 1, and rows may name them as `[1]`."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()


def as_table(table: Table, form: Form) -> Response:
    """Return a table in one of the forms, its notes after the rows or on a sheet of their own."""
    if form == "json":
        return as_json(document(table))
    if form == "csv":
        return as_csv(table.columns, _with_notes(table), table.name)
    return Response(
        workbook(table),
        media_type=_XLSX,
        headers={"Content-Disposition": f'attachment; filename="{table.name}.xlsx"'},
    )


def document(table: Table) -> dict[str, Any]:
    """Return a table as JSON has it: rows as objects, notes with their numbers."""
    return {
        "title": table.title,
        "rows": [dict(zip(table.columns, map(_plain, row), strict=True)) for row in table.rows],
        "notes": [{"number": n, "text": text} for n, text in enumerate(table.notes, 1)],
    }


def _with_notes(table: Table) -> Iterable[Sequence[Any]]:
    yield from table.rows
    if table.notes:
        # As wide as the table, so that every reader takes them.
        width = max(2, len(table.columns))
        yield ("",) * width
        for number, text in enumerate(table.notes, 1):
            yield (f"[{number}]", text, *("",) * (width - 2))


def workbook(table: Table) -> bytes:
    """Return an Excel workbook. A text stays a text, whatever it begins with: nothing in it is a formula."""
    from openpyxl import Workbook  # a tenth of a second to load, and few ask for it
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Font

    book = Workbook(write_only=True)

    def line(sheet: Any, values: Sequence[Any], bold: bool = False) -> None:
        cells = []
        for value in map(_plain, values):
            text = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
            cell = WriteOnlyCell(sheet, value=text)
            if isinstance(text, str):
                cell.data_type = "s"
            if bold:
                cell.font = Font(bold=True)
            cells.append(cell)
        sheet.append(cells)

    data = book.create_sheet(table.name[:31])
    data.freeze_panes = "A2"
    line(data, table.columns, bold=True)
    for row in table.rows:
        line(data, row)
    if table.notes:
        notes = book.create_sheet("notes")
        line(notes, (table.title,), bold=True)
        for number, text in enumerate(table.notes, 1):
            line(notes, (f"[{number}]", text))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value
