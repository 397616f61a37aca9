"""The machine-readable twins of a page: its data as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.responses import Response

from chengmai.kernel.instants import format_instant
from chengmai.kernel.texts import Text

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(value: Any) -> Response:
    """Return views as JSON: instants in UTC with `Z`, lengths in seconds, texts in both languages."""
    body = orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2)
    return Response(body, media_type="application/json")


def as_csv(header: Sequence[str], rows: Iterable[Sequence[Any]], name: str) -> Response:
    """Return a table as CSV (RFC 4180) in UTF-8 with a byte order mark, as spreadsheets want it.

    A text that a spreadsheet would run as a formula is made harmless by an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return Response(
        "\ufeff" + out.getvalue(),
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        media_type="text/csv; charset=utf-8",
    )


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return "" if value is None else value


def _plain(value: Any) -> Any:
    if isinstance(value, Text):
        return value.as_language_map()
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no JSON form")
