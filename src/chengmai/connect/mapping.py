"""From a record to readings, by the rules in the pack. Pure: no clock, no I/O.

A record is a flat mapping of column name to raw value (text, number, truth value or None). One record
gives one reading and any number of rejects: a value that is wrong costs that value, not the record.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from chengmai.connect.reading import Reading, Reject, Static, Value, shorten
from chengmai.connect.times import ROW, BadTime, TimeReader
from chengmai.kernel.ids import urn
from chengmai.kernel.problems import Invalid
from chengmai.kernel.units import UnknownUnit, convert
from chengmai.packs.feeds import ColumnRule, MapSpec
from chengmai.packs.model import AttributeSpec, EntitySpec

Record = Mapping[str, Any]
FUTURE_SLACK = timedelta(minutes=5)
"""How far ahead of our clock a sensor's clock may be before its reading is impossible."""
_FIELD = re.compile(r"\{([^{}]+)\}")
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Refused(Exception):
    """A record or value that cannot be used; becomes a `Reject`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Mapper:
    """Applies one feed's `[time]` and `[map]` to records of its entity type.

    `side` is the joined table by key; `missing` are the texts that mean "no value".
    """

    def __init__(
        self,
        rules: MapSpec,
        times: TimeReader,
        entity: EntitySpec,
        *,
        missing: frozenset[str] = frozenset({""}),
        side: Mapping[str, Record] | None = None,
    ) -> None:
        self._rules = rules
        self._times = times
        self._entity = entity
        self._missing = missing
        self._side = side or {}
        self._static: dict[tuple[str, str, str, str | None], Static] = {}

    def readings(
        self, record: Record, where: str, now: datetime, *, observed: datetime | None = None
    ) -> Iterator[Reading | Reject]:
        """Yield what `record` says; `observed` overrides the record's own time (a replay shifts it).

        `now` dates the rejects and is the limit that no observation may pass.
        """
        for part in self._parts(record):
            try:
                at = observed or self._times.at(part)
                if at > now + FUTURE_SLACK:
                    raise Refused("future_time", f"observed at {at.isoformat()}")
                yield from self._reading(part, at, where, now)
            except BadTime as problem:
                yield Reject("bad_time", where, str(problem), _sample(part), now)
            except Refused as problem:
                yield Reject(problem.code, where, problem.detail, _sample(part), now)

    def _parts(self, record: Record) -> Iterator[Record]:
        wide = self._rules.unpivot
        if wide is None:
            yield self._joined(record)
            return
        kept = {name: record.get(name) for name in (ROW, *wide.keep)}
        for name, value in record.items():
            if name not in kept:
                yield self._joined({**kept, wide.name: name, wide.value: value})

    def _joined(self, record: Record) -> Record:
        join = self._rules.join
        if join is None:
            return record
        beside = self._side.get(str(record.get(join.on)))
        return record if beside is None else {**beside, **record}

    def _reading(
        self, record: Record, at: datetime, where: str, now: datetime
    ) -> Iterator[Reading | Reject]:
        local_id = self._filled(self._rules.id, record)
        values: dict[str, Value] = {}
        found = False
        for name, rule in self._rules.attributes.items():
            found = found or rule.column in record
            try:
                value = self._value(record, rule, self._entity.attributes[name])
            except Refused as problem:
                sample = shorten(record.get(rule.column or "", rule.value))
                yield Reject(problem.code, f"{where} {name}", problem.detail, sample, now)
                continue
            if value is not None:
                values[name] = value
        if not found:
            raise Refused("unknown_attribute", "no column of the mapping is in the record")
        if any(rule.column and name in values for name, rule in self._rules.attributes.items()):
            entity_id = urn(self._entity.type, local_id)
            yield Reading(entity_id, self._entity.type, at, values, self._placed(record, local_id))

    def _filled(self, template: str, record: Record) -> str:
        def fill(match: re.Match[str]) -> str:
            value = record.get(match[1])
            if self._is_missing(value):
                raise Refused("missing_id", f"column {match[1]!r} is empty or absent")
            return str(value)

        return _FIELD.sub(fill, template)

    def _is_missing(self, value: object) -> bool:
        return value is None or (isinstance(value, str) and value.strip() in self._missing)

    def _value(self, record: Record, rule: ColumnRule, spec: AttributeSpec) -> Value | None:
        raw = rule.value if rule.column is None else record.get(rule.column)
        if self._is_missing(raw):
            return None
        if spec.value == "text":
            return str(raw).strip()
        if spec.value == "boolean":
            return _truth(raw)
        return in_range(self._converted(_number(raw), record, rule, spec), spec)

    def _converted(
        self, number: float, record: Record, rule: ColumnRule, spec: AttributeSpec
    ) -> float:
        given = record.get(rule.unit_column) if rule.unit_column else None
        source = rule.unit if self._is_missing(given) else str(given).strip()
        if source is None or spec.unit is None:
            return number
        try:
            # Twelve digits: 1000 µg/m³ is 1 mg/m³, not 1.0000000000000002.
            return float(f"{convert(number, source, spec.unit):.12g}")
        except UnknownUnit as problem:
            raise Refused("unknown_unit", problem.detail) from None
        except Invalid as problem:
            raise Refused("wrong_unit", problem.detail) from None

    def _placed(self, record: Record, local_id: str) -> Static:
        """Return the static part; remembered per thing and raw place, as most records repeat it."""
        where = self._rules.location
        longitude = self._raw(record, where.longitude or where.column) if where else ""
        latitude = self._raw(record, where.latitude) if where else ""
        name = self._filled(self._rules.name, record) if self._rules.name else None
        area = self._raw(record, self._rules.area.column)
        key = (local_id, f"{longitude} {latitude}", area, name)
        static = self._static.get(key)
        if static is None:
            static = self._static_of(record, name)
            if len(self._static) < 100_000:
                self._static[key] = static
        return static

    def _raw(self, record: Record, column: str | None) -> str:
        return str(record.get(column, "")) if column else ""

    def _static_of(self, record: Record, name: str | None) -> Static:
        point = self._point(record)
        location = None if point is None else {"type": "Point", "coordinates": list(point)}
        rule = self._rules.location
        shape = record.get(rule.geometry) if rule and rule.geometry else None
        if isinstance(shape, Mapping):
            location = dict(shape)
        return Static(area=self._area(record, point), name=name, location=location)

    def _point(self, record: Record) -> tuple[float, float] | None:
        rule = self._rules.location
        if rule is None:
            return None
        if rule.column is not None:
            return rule.table.get(str(record.get(rule.column)))
        raw = (record.get(rule.longitude or ""), record.get(rule.latitude or ""))
        if any(self._is_missing(part) for part in raw):
            return None
        longitude, latitude = _number(raw[0]), _number(raw[1])
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            raise Refused("out_of_range", f"({longitude}, {latitude}) is no place on Earth")
        return longitude, latitude

    def _area(self, record: Record, point: tuple[float, float] | None) -> str:
        rule = self._rules.area
        if rule.value is not None:
            return rule.value
        if rule.column is not None:
            raw = str(record.get(rule.column, "")).strip()
            area = rule.table.get(raw) if rule.table else raw
            if not area:
                raise Refused("missing_id", f"no area is known for {rule.column} {raw!r}")
            return area
        if point is not None:
            for box in rule.boxes:
                if box.west <= point[0] < box.east and box.south <= point[1] < box.north:
                    return box.area
        raise Refused("missing_id", f"the place {point} lies in no area of the feed")


def in_range(number: float, spec: AttributeSpec) -> float:
    """Return `number` when it lies in the plausible range of `spec`; raises `Refused`."""
    if (spec.min is not None and number < spec.min) or (spec.max is not None and number > spec.max):
        raise Refused(
            "out_of_range", f"{number:g} is not within {spec.min} … {spec.max} {spec.unit or ''}"
        )
    return number


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Return nested JSON as one flat record: `{"a": {"b": 1}}` becomes `{"a.b": 1}`; lists count from 0."""
    if isinstance(value, dict):
        items: Iterator[tuple[str, Any]] = iter(value.items())
    elif isinstance(value, list):
        items = ((str(number), item) for number, item in enumerate(value))
    else:
        return {prefix or "value": value}
    flat: dict[str, Any] = {}
    for name, item in items:
        flat.update(flatten(item, f"{prefix}.{name}" if prefix else name))
    return flat


def _sample(record: Record) -> str:
    return shorten(
        json.dumps({k: v for k, v in record.items() if k != ROW}, default=str, ensure_ascii=False)
    )


def _number(raw: object) -> float:
    if isinstance(raw, bool):
        raise Refused("bad_number", f"{raw!r} is a truth value")
    try:
        number = float(raw)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Refused("bad_number", f"{shorten(raw)!r} is not a number") from None
    if not math.isfinite(number):
        raise Refused("bad_number", f"{raw!r} is not a finite number")
    return number


def _truth(raw: object) -> bool:
    known = raw if isinstance(raw, bool) else _TRUTH.get(str(raw).strip().lower())
    if known is None:
        raise Refused("bad_number", f"{shorten(raw)!r} is neither true nor false")
    return known
