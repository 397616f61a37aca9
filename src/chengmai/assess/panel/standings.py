"""Rankings, groups and drill-down over the values of one indicator. Pure; values are never added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from chengmai.assess.gazetteer import Day, Spot
from chengmai.assess.groups import PlaceGroup
from chengmai.assess.panel.columns import Columns
from chengmai.assess.panel.model import Point
from chengmai.kernel.texts import Text


@dataclass(frozen=True)
class Ranked:
    """One line: equal values share a place and the next places are left out (1, 2, 2, 4)."""

    place: int
    tied: bool
    spot: Spot
    value: float
    row: int


@dataclass(frozen=True)
class Below:
    """A place directly below another: its own value, and the median of all below it that have one."""

    spot: Spot
    value: float | None
    count: int
    median: float | None


@dataclass(frozen=True)
class OfGroup:
    """A group: of how many places the median is, and from what to what they reach."""

    id: str
    title: Text
    count: int
    median: float
    low: float
    high: float


def standings(
    columns: Columns,
    day: Day,
    indicator: str,
    on: date,
    *,
    level: str | None = None,
    group: PlaceGroup | None = None,
    falling: bool = True,
) -> list[Ranked]:
    """Return the places that have a value by it, the largest first, or the smallest where less is better."""
    found = _known(columns, day, indicator, on, level, group)
    found.sort(key=lambda one: (-one[1] if falling else one[1], one[0].code))
    made: list[Ranked] = []
    for index, (spot, value, row) in enumerate(found):
        is_same = index > 0 and found[index - 1][1] == value
        is_next = index + 1 < len(found) and found[index + 1][1] == value
        place = made[-1].place if is_same else index + 1
        made.append(Ranked(place, is_same or is_next, spot, value, row))
    return made


def by_group(
    columns: Columns,
    day: Day,
    indicator: str,
    on: date,
    groups: Sequence[PlaceGroup],
    level: str | None = None,
) -> list[OfGroup]:
    """Return the groups that have a value, by their medians in falling order; groups may overlap."""
    known = _known(columns, day, indicator, on, level, None)
    made = []
    for group in groups:
        values = [value for spot, value, _ in known if group.holds(spot)]
        if values:
            told = (len(values), float(median(values)), min(values), max(values))
            made.append(OfGroup(group.id, group.title, *told))
    return sorted(made, key=lambda one: (-one.median, one.id))


def below(columns: Columns, day: Day, indicator: str, on: date, code: str | None) -> list[Below]:
    """Return what is directly below a place, by code; raises `PlaceUnknown`."""
    if code is not None:
        day.spot(code)
    own: dict[str, float] = {}
    under: dict[str, list[float]] = {}
    for spot, value, _ in _known(columns, day, indicator, on, None, None):
        own[spot.code] = value
        for above in spot.path[:-1]:
            under.setdefault(above, []).append(value)
    return [
        Below(
            spot,
            own.get(spot.code),
            len(under.get(spot.code, ())),
            float(median(under[spot.code])) if spot.code in under else None,
        )
        for spot in day.children(code)
    ]


def history_of(columns: Columns, code: str, indicator: str, on: date) -> list[Point]:
    """Return every value of a place until a day, the newest first; sources stand beside each other."""
    return columns.series(code, indicator, on)[::-1]


def _known(
    columns: Columns,
    day: Day,
    indicator: str,
    on: date,
    level: str | None,
    group: PlaceGroup | None,
) -> list[tuple[Spot, float, int]]:
    newest, codes = columns.newest(indicator, on), columns.book.places.codes
    found = []
    for number, value, row in zip(
        newest.places.tolist(), newest.values.tolist(), newest.rows.tolist(), strict=True
    ):
        spot = day.spots.get(codes[number])
        if spot is None or (level is not None and spot.level != level):
            continue
        if group is None or group.holds(spot):
            found.append((spot, value, row))
    return found
