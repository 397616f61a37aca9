"""Lines of a report from columns: values by period, the median of the peers, where it is going."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from chengmai.assess.outlook.model import Better, Line, Meaning, Subject, Verdict
from chengmai.assess.outlook.periods import Step, period_of, periods_of, step_of
from chengmai.assess.outlook.trend import Trend, trend
from chengmai.assess.panel.columns import Columns
from chengmai.assess.panel.model import Point

FEWEST_PEERS = 3
"""Below so many there is no median to be compared with."""
MOST_PERIODS = 24
MOST_POOLED = 200
_SAME = 0.005
"""A change or distance below this share of the value counts as none."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


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


def line(columns: Columns, subject: Subject, rows: Rows, meaning: Meaning, on: date) -> Line | None:
    """Return what is known of one indicator of the subject until a day; None where nothing is."""
    places, days, values = columns.history(meaning.id, on)
    row = rows.of[places]
    ours = (row >= 0) & (row < rows.members)
    if not ours.any():
        return None
    step = step_of(np.unique(days[ours]).tolist())
    last_day = int(days[ours].max())
    last = period_of(date.fromordinal(last_day), step)
    chosen = row >= 0
    table = _table(row[chosen], periods_of(days[chosen], step), values[chosen], rows.count, last)
    own = _medians(table[: rows.members])
    counts = (~np.isnan(table[: rows.members])).sum(axis=0)
    held = np.flatnonzero(~np.isnan(own))
    peers = table[rows.members :, -1]
    peers = peers[~np.isnan(peers)]
    median = float(np.median(peers)) if len(peers) >= FEWEST_PEERS else None
    point, beside = _points(columns, subject, meaning, on, step, last)
    first = last - table.shape[1] + 1
    return Line(
        meaning=meaning,
        step=step,
        periods=tuple((held + first).tolist()),
        values=tuple(own[held].tolist()),
        counts=tuple(counts[held].tolist()),
        on=date.fromordinal(last_day),
        point=point,
        beside=beside,
        median=median,
        peers=len(peers),
        ahead_of=_ahead(float(own[-1]), peers, meaning.better),
        against=_judged(float(own[-1]), median, meaning.better),
        course=_course(own, meaning.better),
        trend=_trend(own, table, rows, meaning),
    )


def _table(row: Ints, period: Ints, values: Floats, count: int, last: int) -> Floats:
    """Return a row a place and a column a period that ends with `last`; the last value of a period counts."""
    width = min(MOST_PERIODS, max(1, last - int(period.min()) + 1))
    column = period - (last - width + 1)
    inside = (column >= 0) & (column < width)
    table = np.full((count, width), np.nan)
    # Rows come by place and day: of several values of a period the last one stays.
    table[row[inside], column[inside]] = values[inside]
    return table


def _medians(rows: Floats) -> Floats:
    """Return the median of each column over the rows that have a value in it."""
    if len(rows) == 1:
        only: Floats = rows[0]
        return only
    counts = (~np.isnan(rows)).sum(axis=0)
    ordered = np.sort(rows, axis=0)  # what is unknown comes last
    columns = np.arange(rows.shape[1])
    low, high = np.maximum(counts - 1, 0) // 2, np.minimum(counts // 2, max(0, len(rows) - 1))
    found: Floats = (ordered[low, columns] + ordered[high, columns]) / 2
    return np.where(counts > 0, found, np.nan)


def _points(
    columns: Columns, subject: Subject, meaning: Meaning, on: date, step: Step, last: int
) -> tuple[Point | None, tuple[Point, ...]]:
    if subject.kind == "group":
        return None, ()
    (code,) = subject.members
    said = [one for one in columns.series(code, meaning.id, on) if period_of(one.on, step) == last]
    of_day = [one for one in said if one.on == said[-1].on]
    return of_day[-1], tuple(one for one in of_day[:-1] if one.value != of_day[-1].value)


def _ahead(value: float, peers: Floats, better: Better | None) -> int:
    """Return how many of the peers are better."""
    if better is None:
        return 0
    return int((peers > value).sum() if better == "up" else (peers < value).sum())


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


def _trend(own: Floats, table: Floats, rows: Rows, meaning: Meaning) -> Trend | None:
    gaps = np.flatnonzero(np.isnan(own))
    run = own[gaps[-1] + 1 :] if len(gaps) else own
    if rows.others:
        pool = np.array([_medians(table[group]) for group in rows.others if len(group)])
    else:
        pool = _some(table[rows.members :])
    floor = 0.0 if (own[~np.isnan(own)] >= 0).all() else None
    ceiling = 100.0 if meaning.unit == "%" and (own[~np.isnan(own)] <= 100).all() else None
    return trend(run, pool.reshape(-1, table.shape[1]), floor, ceiling)


def _some(peers: Floats) -> Floats:
    """Return at most `MOST_POOLED` rows that hold something, evenly taken."""
    held = np.flatnonzero(~np.isnan(peers[:, -1]))
    return peers[held[:: -(-len(held) // MOST_POOLED)]] if len(held) else peers[:0]


def lines(columns: Columns, subject: Subject, meanings: Iterable[Meaning], on: date) -> list[Line]:
    """Return a line for every indicator of which the subject has a value."""
    rows = rows_for(columns, subject)
    found = (line(columns, subject, rows, meaning, on) for meaning in meanings)
    return [one for one in found if one is not None]
