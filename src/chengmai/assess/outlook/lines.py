"""Lines of a report from columns: values by period, the median of the peers, where it is going."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from chengmai.assess.outlook.model import Better, Line, Meaning, Subject, Verdict
from chengmai.assess.outlook.periods import Step, begin_of, end_of, period_of, periods_of, step_of
from chengmai.assess.outlook.trend import Series, Trend, trends
from chengmai.assess.panel.columns import Columns
from chengmai.assess.panel.model import Point

FEWEST_PEERS = 3
"""Below so many there is no median to be compared with."""
RECENT = timedelta(days=548)
"""A value that is computed today is compared with the newest of peers, which publish once a year, and late."""
MOST_PERIODS = 24
MOST_POOLED = 200
_SAME = 0.005
"""A change or distance below this share of the value counts as none."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Chosen = TypeVar("Chosen", Ints, Floats)


@dataclass(frozen=True)
class Rows:
    """Which row of a table a place has, by its number; -1 is none. Members come first, then the peers."""

    of: Ints
    members: int
    count: int
    others: tuple[Ints, ...]


def rows_for(columns: Columns, subject: Subject) -> Rows:
    """Return the rows of the places that a report looks at."""
    numbers = columns.book.places.numbers
    members = sorted(numbers[code] for code in subject.members if code in numbers)
    peers = sorted(numbers[code] for code in subject.peers if code in numbers)
    of = np.full(max(1, len(numbers)), -1, dtype=np.int64)
    of[members] = np.arange(len(members))
    of[peers] = len(members) + np.arange(len(peers))
    others = tuple(
        np.array(sorted(of[numbers[code]] for code in group if code in numbers), dtype=np.int64)
        for group in subject.others
    )
    return Rows(of, len(members), len(members) + len(peers), others)


@dataclass(frozen=True)
class _Seen:
    """What is known of the subject: values by period (NaN is none) until the last, with how many there are.

    `peers` are the newest values of the peers, the smallest first. `pool` holds the series of
    others that the forecast learns from, ending with the same period.
    """

    step: Step
    last: int
    on: date
    own: Floats
    counts: Ints
    peers: Floats
    pool: Floats
    point: Point | None = None
    beside: tuple[Point, ...] = ()
    peers_since: date | None = None


def lines(
    columns: Columns,
    subject: Subject,
    meanings: Iterable[Meaning],
    on: date,
    computed: Mapping[str, Sequence[Point]] = MappingProxyType({}),
) -> list[Line]:
    """Return a line for every indicator of which the subject has a value until a day.

    `computed` is what the platform worked out of the place, by indicator and day: it counts, and what was
    entered stands beside it.
    """
    rows = rows_for(columns, subject)

    def seen_of(indicator: str) -> _Seen | None:
        if points := computed.get(indicator):
            return _of_own(columns, points, rows, indicator, on)
        look = _of_place if subject.kind == "place" else _of_group
        return look(columns, subject, rows, indicator, on)

    found = [(one, seen_of(one.id)) for one in meanings]
    known = [(meaning, seen) for meaning, seen in found if seen is not None]
    ahead = trends([_series(seen, meaning) for meaning, seen in known])
    return [
        _line(seen, meaning, found) for (meaning, seen), found in zip(known, ahead, strict=True)
    ]


def _line(seen: _Seen, meaning: Meaning, ahead: Trend | None) -> Line:
    own, peers = seen.own, seen.peers
    held = np.flatnonzero(~np.isnan(own))
    value = float(own[-1])
    median = _middle(peers) if len(peers) >= FEWEST_PEERS else None
    return Line(
        meaning=meaning,
        step=seen.step,
        periods=tuple((held + seen.last - len(own) + 1).tolist()),
        values=tuple(own[held].tolist()),
        counts=tuple(seen.counts[held].tolist()),
        on=seen.on,
        point=seen.point,
        beside=seen.beside,
        median=median,
        peers=len(peers),
        peers_since=seen.peers_since,
        ahead_of=_ahead(value, peers, meaning.better),
        against=_judged(value, median, meaning.better),
        course=_course(own, meaning.better),
        trend=ahead,
    )


def _of_place(
    columns: Columns, subject: Subject, rows: Rows, indicator: str, on: date
) -> _Seen | None:
    said = columns.series(subject.code, indicator, on)
    if not said:
        return None
    step, last, own = _periods(said, "year")
    found = columns.newest(indicator, min(on, end_of(last, step)), since=begin_of(last, step))
    are_peers = rows.of[found.places] >= rows.members
    numbered = found.places[are_peers]
    chosen = _some(numbered[np.argsort(rows.of[numbered])])
    index, days, values = columns.histories(indicator, chosen, on)
    of_day = [one for one in said if one.on == said[-1].on]
    return _Seen(
        step,
        last,
        said[-1].on,
        own,
        (~np.isnan(own)).astype(np.int64),
        np.sort(found.values[are_peers]),
        _table(index, periods_of(days, step), values, len(chosen), len(own), last),
        of_day[-1],
        tuple(one for one in of_day[:-1] if one.value != of_day[-1].value),
    )


def _of_own(
    columns: Columns, computed: Sequence[Point], rows: Rows, indicator: str, on: date
) -> _Seen:
    """Return what the platform computed, beside the newest that others said of themselves lately."""
    step, last, own = _periods(computed, "day")
    point = computed[-1]
    found = columns.newest(indicator, on, since=on - RECENT)
    are_peers = rows.of[found.places] >= rows.members
    entered = columns.at(point.place, indicator, on)
    return _Seen(
        step,
        last,
        point.on,
        own,
        (~np.isnan(own)).astype(np.int64),
        np.sort(found.values[are_peers]),
        np.empty((0, len(own))),
        point,
        (entered,) if entered is not None and entered.value != point.value else (),
        on - RECENT,
    )


def _periods(said: Sequence[Point], alone: Step) -> tuple[Step, int, Floats]:
    """Return by which periods values are looked at, which is the last, and the last value of each.

    `alone` is the period of a single value.
    """
    days = np.array([one.on.toordinal() for one in said], dtype=np.int64)
    step = step_of(days.tolist()) if len(days) > 1 else alone
    numbers = periods_of(days, step)
    last, width = int(numbers[-1]), _width(numbers)
    values = np.array([one.value for one in said])
    return step, last, _table(np.zeros_like(days), numbers, values, 1, width, last)[0]


def _of_group(
    columns: Columns, subject: Subject, rows: Rows, indicator: str, on: date
) -> _Seen | None:
    places, days, values = columns.history(indicator, on)
    row = rows.of[places]
    ours = days[(row >= 0) & (row < rows.members)]
    if not len(ours):
        return None
    step = step_of(np.unique(ours).tolist())
    last_day = date.fromordinal(int(ours.max()))
    last = period_of(last_day, step)
    chosen = row >= 0
    numbers = periods_of(days[chosen], step)
    width = _width(numbers, last)
    table = _table(row[chosen], numbers, values[chosen], rows.count, width, last)
    members, peers = table[: rows.members], table[rows.members :, -1]
    pool = [_medians(table[group]) for group in rows.others if len(group)]
    return _Seen(
        step,
        last,
        last_day,
        _medians(members),
        (~np.isnan(members)).sum(axis=0),
        np.sort(peers[~np.isnan(peers)]),
        np.array(pool or _some(table[rows.members :][~np.isnan(peers)])).reshape(-1, width),
    )


def _width(numbers: Ints, last: int | None = None) -> int:
    """Return how many periods are looked at, up to the last one."""
    end = int(numbers[-1]) if last is None else last
    return min(MOST_PERIODS, max(1, end - int(numbers.min()) + 1))


def _table(row: Ints, period: Ints, values: Floats, count: int, width: int, last: int) -> Floats:
    """Return a row a place and a column a period that ends with `last`; the last value of a period counts."""
    column = period - (last - width + 1)
    table = np.full(count * width, np.nan)
    # Rows come by place and day: of several values of a period the last one stays.
    if len(column) and (column.min() < 0 or column.max() >= width):
        inside = (column >= 0) & (column < width)
        row, column, values = row[inside], column[inside], values[inside]
    table[row * width + column] = values
    return table.reshape(count, width)


def _medians(rows: Floats) -> Floats:
    """Return the median of each column over the rows that have a value in it."""
    if len(rows) == 1:
        only: Floats = rows[0]
        return only
    turned = np.ascontiguousarray(rows.T)
    turned.sort(axis=1)  # what is unknown comes last
    counts = (~np.isnan(turned)).sum(axis=1)
    columns = np.arange(len(turned))
    low, high = np.maximum(counts - 1, 0) // 2, np.minimum(counts // 2, max(0, len(rows) - 1))
    found: Floats = (turned[columns, low] + turned[columns, high]) / 2
    return np.where(counts > 0, found, np.nan)


def _middle(ordered: Floats) -> float:
    """Return the median of ordered values."""
    count = len(ordered)
    return float(ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def _ahead(value: float, peers: Floats, better: Better | None) -> int:
    """Return how many of the peers are better."""
    if better is None:
        return 0
    if better == "up":
        return len(peers) - int(np.searchsorted(peers, value, side="right"))
    return int(np.searchsorted(peers, value))


def _judged(value: float, than: float | None, better: Better | None) -> Verdict:
    if than is None or better is None:
        return "unknown"
    if abs(value - than) <= _SAME * max(abs(value), abs(than)):
        return "level"
    return "better" if (value > than) == (better == "up") else "worse"


def _course(own: Floats, better: Better | None) -> Verdict:
    """Return where it is going: worse than the period before, and no better than the one before that."""
    if len(own) < 2 or np.isnan(own[-2]):
        return "unknown"
    step = _judged(float(own[-1]), float(own[-2]), better)
    if step in ("level", "unknown") or len(own) < 3 or np.isnan(own[-3]):
        return step
    over_two = _judged(float(own[-1]), float(own[-3]), better)
    return step if over_two in (step, "level") else "level"


def _series(seen: _Seen, meaning: Meaning) -> Series:
    own = seen.own
    gaps = np.flatnonzero(np.isnan(own))
    known = own[~np.isnan(own)]
    return Series(
        own[gaps[-1] + 1 :] if len(gaps) else own,
        seen.pool,
        0.0 if (known >= 0).all() else None,
        100.0 if meaning.unit == "%" and (known <= 100).all() else None,
    )


def _some(rows: Chosen) -> Chosen:
    """Return at most `MOST_POOLED` of some rows, evenly taken."""
    return rows[:: max(1, -(-len(rows) // MOST_POOLED))]
