"""What an indicator would have been on the days before it was first written down, from what was recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chengmai.assess.live.grading import start_of
from chengmai.assess.live.model import Definition, Measured, OfReadings, OfSign
from chengmai.assess.live.ports import Asked
from chengmai.kernel.instants import from_us, to_us
from chengmai.kernel.texts import WHOLE_CITY
from chengmai.ngsild.entity import Entity, value_of

DAYS = 42
"""So many days are looked back: as long as vital signs are evaluated over the past of a new city."""
Numbers = Mapping[str, Sequence[tuple[int, float]]]


def days_before(today: date) -> list[date]:
    """Return the days that are looked back at, the oldest first."""
    return [today - timedelta(days=back) for back in range(DAYS, 0, -1)]


def end_us(day: date, zone: ZoneInfo) -> int:
    """Return the last second of a day of the city, in µs."""
    return to_us(datetime.combine(day + timedelta(days=1), time(), zone)) - 1_000_000


def asked(definitions: Mapping[str, Definition], today: date, zone: ZoneInfo) -> list[Asked]:
    """Return the calculations over readings that reach far enough back for the first of the days."""
    first = from_us(end_us(days_before(today)[0], zone))
    until = to_us(datetime.combine(today, time(), zone))
    return [
        Asked(key, one, to_us(start_of(one.since, first, zone)), until, until)
        for key, one in definitions.items()
        if isinstance(one, OfReadings)
    ]


def of_readings(
    definition: OfReadings, found: Measured, today: date, zone: ZoneInfo
) -> dict[date, float]:
    """Return the value at the end of each day, over the period until then, where its days add up."""
    made = {}
    for day in days_before(today):
        end = end_us(day, zone)
        start = to_us(start_of(definition.since, from_us(end), zone))
        parts = [part for tick, part in found.days.items() if start <= tick <= end]
        down = sum(part[1] for part in parts)
        if down:
            made[day] = sum(part[0] for part in parts) / down * definition.scale
    return made


def signs_of(definition: OfSign, signs: Iterable[Entity]) -> list[Entity]:
    """Return the signs that count: that of the whole city, else those of its areas."""
    found = [
        one
        for one in signs
        if value_of(one, "pack") == definition.pack and value_of(one, "sign") == definition.sign
    ]
    return [one for one in found if value_of(one, "areaServed") == WHOLE_CITY] or found


def of_signs(
    definition: OfSign, signs: Iterable[Entity], past: Numbers, zone: ZoneInfo
) -> dict[date, float]:
    """Return the value at the end of each day, over the areas that had one that day."""
    by_day: dict[date, list[float]] = defaultdict(list)
    for one in signs_of(definition, signs):
        last = {from_us(at).astimezone(zone).date(): value for at, value in past.get(one["id"], ())}
        for day, value in last.items():
            by_day[day].append(value)
    return {day: _taken(definition, values) * definition.scale for day, values in by_day.items()}


def _taken(definition: OfSign, values: Sequence[float]) -> float:
    if definition.at_most is not None:
        values = [float(value <= definition.at_most) for value in values]
    total = sum(values)
    return total if definition.take == "sum" else total / len(values)


def rows(
    entity_id: str, attribute: str, unit: str, values: Mapping[date, float], zone: ZoneInfo
) -> list[tuple[str, str, int, float, str]]:
    """Return values as the history takes them in: each at the end of its day."""
    return [(entity_id, attribute, end_us(day, zone), value, unit) for day, value in values.items()]


def earlier(
    definitions: Mapping[str, Definition],
    measured: Mapping[str, Measured],
    signs: Sequence[Entity],
    past: Numbers,
    today: date,
    zone: ZoneInfo,
) -> dict[str, dict[date, float]]:
    """Return the values of earlier days by indicator; of a state of which no past is kept there are none."""
    made: dict[str, dict[date, Any]] = {}
    for key, one in definitions.items():
        if isinstance(one, OfReadings) and key in measured:
            made[key] = of_readings(one, measured[key], today, zone)
        elif isinstance(one, OfSign):
            made[key] = of_signs(one, signs, past, zone)
    return {key: values for key, values in made.items() if values}
