"""Records of values as NGSI-LD entities and as lines of a wide table, both ways."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import Any, TextIO

from pydantic import ValidationError

from chengmai.assess.model import CODE, IndicatorValue
from chengmai.assess.panel.model import MOST_IN_SHEET, SHEET_TYPE, Entry, Parts, Ref, Sheet, Told
from chengmai.assess.problems import RecordInvalid, TableInvalid, TableTooLong
from chengmai.assess.records import NOT_AS_MANY, PLACE_TYPE, not_csv, told
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import Entity, entity, opaque, prop, rel, value_of

SHEET_COLUMNS = ("id", "place", "on", "evidence", "source", "source_date")
PARTS = ("numerator", "denominator", "sample")
MOST_SHEETS = 1_000_000
_MOST_COLUMNS = 2_000
_LARGEST = 1e300
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


def sheet_entity(sheet: Sheet) -> Entity:
    """Return the NGSI-LD entity of a sheet; its values are one JsonProperty."""
    values = {
        indicator: one.model_dump(exclude_none=True) if isinstance(one, Told) else one
        for indicator, one in sheet.values.items()
    }
    return entity(
        urn(SHEET_TYPE, sheet.id),
        SHEET_TYPE,
        recordId=prop(sheet.id),
        refPlace=rel(urn(PLACE_TYPE, sheet.place)),
        on=prop({"@type": "Date", "@value": sheet.on.isoformat()}),
        evidence=prop(sheet.evidence),
        source=prop(sheet.source),
        sourceDate=prop({"@type": "Date", "@value": sheet.source_date.isoformat()}),
        indicatorValues=opaque(values),
    )


def entry_of_sheet(found: Entity) -> Entry:
    """Return what an entity of a sheet brings, whoever wrote it; raises `RecordInvalid`."""
    given = {
        "id": value_of(found, "recordId"),
        "place": str(value_of(found, "refPlace") or "").rpartition(":")[2],
        "on": _day(value_of(found, "on")),
        "evidence": value_of(found, "evidence"),
        "source": value_of(found, "source"),
        "source_date": _day(value_of(found, "sourceDate")),
        "values": value_of(found, "indicatorValues"),
    }
    try:
        # Most sheets hold plain numbers: they are taken without a model of each.
        values = given["values"]
        plain = _are_plain(values)
        checked = {**given, "values": {"none": 0.0}} if plain else given
        sheet = Sheet.model_validate(checked)
    except ValidationError as error:
        raise told(0, error) from None
    if not plain:
        return entry_of(sheet, found["id"])
    ref = Ref(found["id"], sheet.place, sheet.evidence, sheet.source, sheet.source_date)
    return Entry(ref, within(sheet.on), values, {})


def _are_plain(values: Any) -> bool:
    return (
        isinstance(values, dict)
        and 0 < len(values) <= MOST_IN_SHEET
        and all(type(one) in (int, float) and abs(one) < _LARGEST for one in values.values())
        and all(_is_code(name) for name in values)
    )


@lru_cache(4096)
def _is_code(name: str) -> bool:
    return re.fullmatch(CODE, name) is not None


def within(day: date) -> date:
    """Return a day from 1900 to 2200; raises `RecordInvalid`."""
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        why = Text(
            zh=f"年份应在 {_FIRST_YEAR} 至 {_LAST_YEAR} 之间",
            en=f"use a year from {_FIRST_YEAR} to {_LAST_YEAR}",
        )
        raise RecordInvalid(0, "on", why)
    return day


def entry_of(sheet: Sheet, entity_id: str) -> Entry:
    """Return what a sheet brings."""
    values: dict[str, float] = {}
    parts: dict[str, Parts] = {}
    for indicator, one in sheet.values.items():
        if isinstance(one, Told):
            values[indicator] = one.value
            parts[indicator] = (one.numerator, one.denominator, one.sample)
        else:
            values[indicator] = one
    ref = Ref(entity_id, sheet.place, sheet.evidence, sheet.source, sheet.source_date)
    return Entry(ref, within(sheet.on), values, parts)


def entry_of_value(one: IndicatorValue, entity_id: str) -> Entry:
    """Return what a single value brings."""
    ref = Ref(entity_id, one.place, one.evidence, one.source, one.source_date)
    known = (one.numerator, one.denominator, one.sample)
    parts = {one.indicator: known} if any(part is not None for part in known) else {}
    return Entry(ref, within(one.on), {one.indicator: one.value}, parts)


def read_sheets(lines: TextIO | Iterable[str]) -> Iterator[tuple[int, Sheet]]:
    """Yield the lines of a wide table (RFC 4180) one by one: an indicator a column, `E01.numerator` its parts.

    Raises `TableInvalid`, `TableTooLong`, or `RecordInvalid` with the first line that cannot be taken.
    """
    reader = csv.reader(iter(lines), strict=True)
    try:
        header = _header(reader)
        for count, row in enumerate(reader, 1):
            if count > MOST_SHEETS:
                raise TableTooLong("lines", count, MOST_SHEETS)
            if len(row) != len(header):
                raise RecordInvalid(reader.line_num, "columns", NOT_AS_MANY)
            yield reader.line_num, _sheet(reader.line_num, header, row)
    except csv.Error as error:
        raise TableInvalid(
            not_csv(reader.line_num, error),
            param=f"line {reader.line_num}",
            fix="quote cells that hold commas, quotes or line breaks",
            columns=SHEET_COLUMNS,
        ) from None


def _header(reader: Iterator[list[str]]) -> list[str]:
    header = [name.strip().removeprefix("\ufeff") for name in next(reader, [])]
    missing = [name for name in SHEET_COLUMNS if name not in header]
    indicators = [name for name in header if name not in SHEET_COLUMNS]
    wrong = [
        name
        for name in indicators
        if "." in name
        and (name.partition(".")[2] not in PARTS or name.partition(".")[0] not in header)
    ]
    why = _wrong_header(header, missing, indicators, wrong)
    if why is not None:
        raise TableInvalid(
            why,
            param="line 1",
            fix=f"use the columns {','.join(SHEET_COLUMNS)} and one for each indicator, for example E01",
            columns=SHEET_COLUMNS,
        )
    return header


def _wrong_header(
    header: list[str], missing: list[str], indicators: list[str], wrong: list[str]
) -> Text | None:
    if missing:
        listed = ", ".join(missing)
        return Text(zh=f"第一行缺少列 {listed}", en=f"the first line lacks {listed}")
    if not indicators:
        return Text(zh="第一行没有指标列", en="the first line names no indicator")
    if len(set(header)) < len(header):
        return Text(zh="第一行有重复的列", en="the first line names a column twice")
    if wrong:
        return Text(
            zh=f"{wrong[0]} 不属于表中任何指标",
            en=f"{wrong[0]} belongs to no indicator of the table",
        )
    if len(header) > _MOST_COLUMNS:
        return Text(
            zh=f"多于 {_MOST_COLUMNS} 列", en=f"there are more than {_MOST_COLUMNS} columns"
        )
    return None


def _sheet(line: int, header: list[str], row: list[str]) -> Sheet:
    given: dict[str, Any] = {}
    values: dict[str, Any] = {}
    parts: dict[str, dict[str, str]] = {}
    for name, cell in zip(header, row, strict=True):
        text = cell.strip()
        if not text:
            continue
        if name in SHEET_COLUMNS:
            given[name] = text
        elif "." in name:
            indicator, _, part = name.partition(".")
            parts.setdefault(indicator, {})[part] = text
        else:
            values[name] = text
    for indicator, found in parts.items():
        if indicator not in values:
            why = Text(zh="有分子分母却没有值", en="it has parts and no value")
            raise RecordInvalid(line, indicator, why)
        values[indicator] = {"value": values[indicator], **found}
    try:
        return Sheet.model_validate({**given, "values": values})
    except ValidationError as error:
        raise told(line, error) from None


def _day(value: Any) -> date | Any:
    return value.get("@value") if isinstance(value, dict) else value
