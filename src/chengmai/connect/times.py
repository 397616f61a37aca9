"""Reads the time of observation out of a record, by the `[time]` rules of its feed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chengmai.packs.feeds import TimeSpec

ROW = "#row"
"""The column that a table adds: the number of the row, from 0; times counted by row need it."""
_REMEMBERED = 50_000
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - the zone is added by the caller
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


class BadTime(ValueError):
    """The record's time cannot be read; the message says what was found."""


class TimeReader:
    """Gives the instant of a record; the same text is read once, as many records share their hour."""

    def __init__(self, spec: TimeSpec) -> None:
        self._spec = spec
        self._zone = ZoneInfo(spec.zone)
        self._known: dict[str, datetime] = {}

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times that carry none."""
        return self._zone

    def at(self, record: Mapping[str, Any]) -> datetime:
        """Return the aware UTC instant at which `record` was observed; raises `BadTime`."""
        spec = self._spec
        if spec.start is not None and spec.every is not None:
            row = record.get(ROW)
            if not isinstance(row, int):
                raise BadTime("times are counted by row, and the record has no row number")
            return (spec.start + row * spec.every).replace(tzinfo=self._zone).astimezone(UTC)
        names = (spec.column,) if spec.column is not None else spec.columns
        parts = [record.get(name or "") for name in names]
        if any(part is None or part == "" for part in parts):
            raise BadTime(f"the column {' or '.join(map(str, names))} is empty or absent")
        text = " ".join(str(part).strip() for part in parts)
        at = self._known.get(text)
        if at is None:
            at = self._read(text)
            if len(self._known) < _REMEMBERED:
                self._known[text] = at
        return at

    def _read(self, text: str) -> datetime:
        try:
            at = self._parsed(text)
            at = (at if at.tzinfo else at.replace(tzinfo=self._zone)).astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            raise BadTime(
                f"{text[:60]!r} is not a time of the form {self._spec.format!r}"
            ) from None
        if at < _EARLIEST:
            raise BadTime(f"{text[:60]!r} lies before 1900")
        return at

    def _parsed(self, text: str) -> datetime:
        match self._spec.format:
            case "iso":
                return datetime.fromisoformat(text)
            case "unix":
                return datetime.fromtimestamp(float(text), UTC)
            case "unix_ms":
                return datetime.fromtimestamp(float(text) / 1000, UTC)
            case "excel":
                return _EXCEL_EPOCH + timedelta(days=float(text))
            case form:
                return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added by the caller
