"""Records as lines of a table and as NGSI-LD entities, both ways."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from chengmai.assess.model import (
    CheckResult,
    IndicatorValue,
    Investment,
    Place,
    Plan,
    Programme,
    Project,
    Record,
    ReportedFigure,
    Result,
    Standing,
)
from chengmai.assess.problems import KindUnknown, RecordInvalid, TableInvalid, TableTooLong
from chengmai.assess.reasons import first_wrong
from chengmai.kernel.ids import urn
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import Entity, entity, opaque, prop, rel, value_of, words

NOT_AS_MANY = Text(zh="单元格数与第一行不同", en="not as many cells as in the first line")
NO_LINES = Text(zh="表格没有数据行", en="the table has no lines")
MOST_ROWS = 20_000
MOST_CHARACTERS = 8_000_000
PLACE_COLUMNS = (
    "code",
    "name_zh",
    "name_en",
    "level",
    "kind",
    "parent",
    "valid_from",
    "valid_until",
    "successor",
    "country",
)
_TERMS = {"id": "recordId", "value": "numericValue"}
"""Fields whose names the core context has for something else: a client could not write them."""
_FORMER_VALUE = "value"
PLACE_TYPE = "AdministrativeDivision"
_PROGRAMME = "SmartCityProgramme"


@dataclass(frozen=True)
class Kind:
    """A kind of record: its entity type, its model, and which of its fields point at what."""

    id: str
    entity_type: str
    model: type[Record]
    links: Mapping[str, str]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a table of such records."""
        return PLACE_COLUMNS if self.model is Place else tuple(self.model.model_fields)


KINDS: Mapping[str, Kind] = {
    kind.id: kind
    for kind in (
        Kind("places", PLACE_TYPE, Place, {}),
        Kind("programmes", _PROGRAMME, Programme, {"place": PLACE_TYPE}),
        Kind("plans", "ProgrammePlan", Plan, {"programme": _PROGRAMME}),
        Kind("investments", "ProgrammeInvestment", Investment, {"programme": _PROGRAMME}),
        Kind("projects", "ProgrammeProject", Project, {"programme": _PROGRAMME}),
        Kind("results", "ProgrammeResult", Result, {"programme": _PROGRAMME}),
        Kind("figures", "ReportedFigure", ReportedFigure, {}),
        Kind("values", "IndicatorValue", IndicatorValue, {"place": PLACE_TYPE}),
        Kind("checks", "SecurityCheckResult", CheckResult, {"place": PLACE_TYPE}),
    )
}


def kind_of(name: str, *, offered: Iterable[str] = (*KINDS, "sheets")) -> Kind:
    """Return a kind by its id; raises `KindUnknown`, with those that are `offered`."""
    if name not in KINDS:
        raise KindUnknown(name, offered)
    return KINDS[name]


def read_table(kind: Kind, text: str) -> list[Record]:
    """Return the records of a CSV table (RFC 4180, first line the names of the columns).

    Raises `TableTooLong`, `TableInvalid`, or `RecordInvalid` with the first line that cannot be taken.
    """
    if len(text) > MOST_CHARACTERS:
        raise TableTooLong("characters", len(text), MOST_CHARACTERS)
    rows = _rows(kind, text)
    if kind.model is Place:
        return list(read_places(rows))
    made = [_record(kind, line, row) for line, row in rows]
    _refuse_twice(zip((line for line, _ in rows), made, strict=True))
    return made


def _rows(kind: Kind, text: str) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
        unknown = [name for name in names if name not in kind.columns]
        if not names or unknown or len(set(names)) < len(names):
            wrong = ", ".join(unknown or names)
            raise TableInvalid(
                Text(
                    zh=f"第一行不是这类记录的列名：{wrong or '空行'}",
                    en=f"the first line names no columns of {kind.id}: {wrong or 'it is empty'}",
                ),
                param="line 1",
                fix=f"use these columns, each once: {','.join(kind.columns)}",
                columns=kind.columns,
            )
        reader.fieldnames = names
        rows: list[tuple[int, dict[str, str]]] = []
        for row in reader:
            if None in row or None in row.values():
                raise RecordInvalid(reader.line_num, "columns", NOT_AS_MANY)
            rows.append((reader.line_num, row))
            if len(rows) > MOST_ROWS:
                raise TableTooLong("lines", len(rows), MOST_ROWS)
    except csv.Error as error:
        raise TableInvalid(
            not_csv(reader.line_num, error),
            param=f"line {reader.line_num}",
            fix="quote cells that hold commas, quotes or line breaks",
            columns=kind.columns,
        ) from None
    if not rows:
        raise TableInvalid(
            NO_LINES,
            param="table",
            fix="add a line below the names",
            columns=kind.columns,
        )
    return rows


def read_places(rows: Iterable[tuple[int, Mapping[str, str]]]) -> Iterable[Place]:
    """Yield places; lines of one code are what it was at different times."""
    standings: dict[str, list[Standing]] = {}
    heirs: dict[str, str] = {}
    countries: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line, row in rows:
        code, zh = row.get("code", "").strip(), row.get("name_zh", "").strip()
        try:
            name = Text(zh=zh, en=row.get("name_en", "").strip() or zh)
            more = {key: row.get(key, "") for key in ("level", "kind", "parent")}
            days = {key: row.get(key, "") for key in ("valid_from", "valid_until")}
            standing = Standing.model_validate({"name": name, **more, **days})
        except ValidationError as error:
            raise told(line, error) from None
        standings.setdefault(code, []).append(standing)
        lines[code] = line
        if heir := row.get("successor", "").strip():
            heirs[code] = heir
        if country := row.get("country", "").strip():
            countries[code] = country
    for code, found in standings.items():
        try:
            yield Place(
                code=code,
                standings=tuple(found),
                successor=heirs.get(code),
                country=countries.get(code),
            )
        except ValidationError as error:
            raise told(lines[code], error) from None


def _record(kind: Kind, line: int, row: Mapping[str, str]) -> Record:
    try:
        given = {key: value for key, value in row.items() if value.strip()}
        return kind.model.model_validate(given)
    except ValidationError as error:
        raise told(line, error) from None


def told(line: int, error: ValidationError) -> RecordInvalid:
    """Return the problem of a line: its field that is wrong first, and why."""
    return RecordInvalid(line, *first_wrong(error))


def twice(record_id: str, line: int) -> Text:
    """Return that an id is in an earlier line."""
    return Text(zh=f"{record_id} 在第 {line} 行已出现", en=f"{record_id} is in line {line} already")


def not_csv(line: int, error: csv.Error) -> Text:
    """Return that a line is not CSV."""
    return Text(zh=f"第 {line} 行不是 CSV：{error}", en=f"line {line} is not CSV: {error}")


def unknown_target(link: str, target: str) -> Text:
    """Return that a record points at a place or a programme that there is not."""
    what = "计划" if link == "programme" else "地方"
    return Text(
        zh=f"没有编号为“{target}”的{what}，请先导入",
        en=f"there is no {link} {target!r}; import it first",
    )


def _refuse_twice(records: Iterable[tuple[int, Record]]) -> None:
    seen: dict[str, int] = {}
    for line, record in records:
        record_id = id_of(record)
        if record_id in seen:
            raise RecordInvalid(line, "id", twice(record_id, seen[record_id]))
        seen[record_id] = line


def id_of(record: Record) -> str:
    """Return what names a record among those of its kind."""
    return str(getattr(record, "code", None) or getattr(record, "id", ""))


def place_rows(place: Place) -> list[list[Any]]:
    """Return the lines of a place as they are imported, one a standing."""
    return [
        [
            *(place.code, one.name.zh, one.name.en, one.level, one.kind, one.parent),
            *(one.valid_from, one.valid_until, place.successor, place.country),
        ]
        for one in place.standings
    ]


def to_entity(kind: Kind, record: Record) -> Entity:
    """Return the NGSI-LD entity of a record."""
    entity_id = urn(kind.entity_type, id_of(record))
    if isinstance(record, Place):
        return _place_entity(entity_id, record)
    attributes: dict[str, Any] = {}
    for field in kind.model.model_fields:
        value = getattr(record, field)
        if value is None:
            continue
        if field in kind.links:
            attributes[term_of(field)] = rel(urn(kind.links[field], str(value)))
        else:
            attributes[term_of(field)] = prop(_plain(value))
    return entity(entity_id, kind.entity_type, **attributes)


def _place_entity(entity_id: str, place: Place) -> Entity:
    latest = max(place.standings, key=lambda one: one.valid_from or date.min)
    return entity(
        entity_id,
        PLACE_TYPE,
        divisionCode=prop(place.code),
        name=words(latest.name.as_language_map()),
        level=prop(latest.level),
        kind=prop(latest.kind),
        refParent=rel(urn(PLACE_TYPE, latest.parent)) if latest.parent else None,
        country=prop(place.country) if place.country else None,
        refSuccessor=rel(urn(PLACE_TYPE, place.successor)) if place.successor else None,
        standings=opaque([one.model_dump(mode="json") for one in place.standings]),
    )


def from_entity(kind: Kind, found: Entity) -> Record:
    """Return the record that an entity is, whoever wrote it; raises `RecordInvalid`."""
    given: dict[str, Any]
    if kind.model is Place:
        heir = value_of(found, "refSuccessor")
        given = {
            "code": value_of(found, "divisionCode"),
            "standings": value_of(found, "standings"),
            "successor": _last(heir) if heir else None,
            "country": value_of(found, "country"),
        }
    else:
        given = {}
        for field in kind.model.model_fields:
            value = value_of(found, term_of(field))
            if value is None and field == "value":
                value = value_of(found, _FORMER_VALUE)
            if value is None or value == "":
                continue
            given[field] = _last(value) if field in kind.links else _untyped(value)
    try:
        return kind.model.model_validate(given)
    except ValidationError as error:
        raise told(0, error) from None


def as_place(record: Record) -> Place:
    """Return a record that is a place."""
    assert isinstance(record, Place)
    return record


def cleared(kind: Kind, record: Record, before: Entity) -> dict[str, Any]:
    """Return what was known before and no longer is, as empty values: the past keeps it."""
    if kind.model is Place:
        return {}
    gone = [
        field
        for field in kind.model.model_fields
        if getattr(record, field) is None and value_of(before, term_of(field)) not in (None, "")
    ]
    return {term_of(field): prop("") for field in gone}


def term_of(field: str) -> str:
    """Return the attribute of an entity that holds a field of a record."""
    if field in _TERMS:
        return _TERMS[field]
    if field in ("place", "programme"):
        return f"ref{field.title()}"
    first, *rest = field.split("_")
    return first + "".join(part.title() for part in rest)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return {"@type": "Date", "@value": value.isoformat()}
    if isinstance(value, Decimal):
        number = float(value)
        return number if Decimal(repr(number)) == value else str(value)
    return value


def _untyped(value: Any) -> Any:
    return value.get("@value") if isinstance(value, dict) and "@value" in value else value


def _last(urn_text: Any) -> Any:
    return urn_text.rpartition(":")[2] if isinstance(urn_text, str) else urn_text
