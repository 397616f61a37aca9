"""Working time: when a limit ends, and how much of it is left. Pure; the calendar is an argument.

The four units and the working day are those of digital urban management (domain facts 2.5): urgent hours and
natural days run day and night, work hours and work days run only while people work, and a work day is
eight work hours whatever the office hours are. A natural day is 24 hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from chengmai.cases.problems import CalendarInvalid, LimitTooLong
from chengmai.packs.model import Limit

LimitUnit = Literal["urgent_hour", "natural_day", "work_hour", "work_day"]

HOURS_IN: dict[str, int] = {"urgent_hour": 1, "natural_day": 24, "work_hour": 1, "work_day": 8}
WORKING_UNITS = frozenset({"work_hour", "work_day"})
OFFICE_HOURS = ((time(8), time(12)), (time(14), time(18)))
MONDAY_TO_FRIDAY = frozenset({1, 2, 3, 4, 5})
YELLOW_SHARE = 0.2
"""A deadline is yellow when at most this share of the limit is left (domain facts 2.5)."""
LONGEST = timedelta(days=3660)
_DAY = timedelta(days=1)
_NOTHING = timedelta(0)


class Urgency(StrEnum):
    """The light of a deadline. `NONE`: nothing is due."""

    NONE = "none"
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True)
class Due:
    """A deadline; `certain` is False when it depends on days whose holidays are not known yet."""

    at: datetime
    certain: bool = True


@dataclass(frozen=True)
class Calendar:
    """When a city works: hours of its zone, weekdays (ISO, Monday is 1), holidays, days made up.

    `known_from` and `known_until` bound the days whose holidays are known; None leaves that side open.
    Raises `CalendarInvalid` when the hours are empty, overlap or run backwards, or nobody ever works.
    """

    zone: ZoneInfo
    work_hours: tuple[tuple[time, time], ...] = OFFICE_HOURS
    workdays: frozenset[int] = MONDAY_TO_FRIDAY
    holidays: frozenset[date] = field(default_factory=frozenset)
    makeup_days: frozenset[date] = field(default_factory=frozenset)
    known_from: date | None = None
    known_until: date | None = None

    def __post_init__(self) -> None:
        spans = self.work_hours
        backwards = any(begins >= ends for begins, ends in spans)
        if not spans or backwards or any(a[1] > b[0] for a, b in pairwise(spans)):
            raise CalendarInvalid(
                "work hours must be spans in order that do not overlap",
                param="work_hours",
                fix="write them as 08:00-12:00, 14:00-18:00",
            )
        if not self.workdays or not self.workdays <= frozenset(range(1, 8)):
            raise CalendarInvalid(
                "workdays must be some of 1 (Monday) to 7 (Sunday)",
                param="workdays",
                fix="write [1, 2, 3, 4, 5]",
            )
        if both := self.holidays & self.makeup_days:
            raise CalendarInvalid(
                f"{min(both)} is both a holiday and a day made up",
                param="holidays",
                fix="keep it in one of the two lists",
            )

    def is_workday(self, day: date) -> bool:
        """Return whether people work on `day`."""
        if day in self.makeup_days:
            return True
        return day.isoweekday() in self.workdays and day not in self.holidays

    def is_known(self, day: date) -> bool:
        """Return whether the holidays around `day` are known."""
        after_start = self.known_from is None or day >= self.known_from
        return after_start and (self.known_until is None or day <= self.known_until)

    def day_of(self, at: datetime) -> date:
        """Return the local date of an instant."""
        return at.astimezone(self.zone).date()

    def spans_from(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Yield working spans (UTC) from `day` on, in order, for ten years."""
        for n in range(LONGEST.days):
            on = day + n * _DAY
            if self.is_workday(on):
                for start, end in self.work_hours:
                    yield self._instant(on, start), self._instant(on, end)

    def _instant(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)


def length_of(limit: Limit) -> timedelta:
    """Return the length of a limit in its own time (work hours for a work day); raises `LimitTooLong`."""
    hours = limit.amount * HOURS_IN[limit.unit]
    if not hours <= LONGEST / timedelta(hours=1):
        raise LimitTooLong(
            f"a limit of {limit.amount:g} {limit.unit} is longer than ten years",
            param="amount",
            fix="check the amount and its unit",
        )
    return timedelta(microseconds=round(hours * 3_600_000_000))


def due_at(start: datetime, limit: Limit, calendar: Calendar) -> Due:
    """Return when `limit` ends that begins at `start`: the first instant at which it is used up."""
    return _after(start, length_of(limit), limit.unit, calendar)


def extend(due: datetime, paused: timedelta, unit: LimitUnit, calendar: Calendar) -> Due:
    """Return the deadline after a pause; `paused` is counted in the time of `unit`.

    Two paused work hours move the deadline by two work hours (domain facts 2.5).
    """
    return _after(due, paused, unit, calendar)


def remaining(now: datetime, due: datetime, unit: LimitUnit, calendar: Calendar) -> timedelta:
    """Return what is left until `due` in the time of `unit`; negative when it has passed."""
    if unit not in WORKING_UNITS:
        return due - now
    if due < now:
        return -working_between(due, now, calendar)
    return working_between(now, due, calendar)


def working_between(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """Return the working time in `start`…`end`."""
    total = _NOTHING
    for begins, ends in calendar.spans_from(calendar.day_of(start)):
        if begins >= end:
            break
        total += max(min(ends, end) - max(begins, start), _NOTHING)
    return total


def urgency(
    now: datetime, due: datetime | None, limit: Limit | None, calendar: Calendar
) -> Urgency:
    """Return the light of a deadline: red once it has passed, yellow when a fifth or less is left."""
    if due is None or limit is None:
        return Urgency.NONE
    if now > due:
        return Urgency.RED
    left = remaining(now, due, limit.unit, calendar)
    return Urgency.YELLOW if left <= length_of(limit) * YELLOW_SHARE else Urgency.GREEN


def _after(start: datetime, length: timedelta, unit: str, calendar: Calendar) -> Due:
    if unit not in WORKING_UNITS:
        return Due(start + length)
    if length <= _NOTHING:
        return Due(start)
    first = calendar.day_of(start)
    for begins, ends in calendar.spans_from(first):
        usable = ends - max(begins, start)
        if usable <= _NOTHING:
            continue
        if usable >= length:
            at = max(begins, start) + length
            return Due(at, calendar.is_known(first) and calendar.is_known(calendar.day_of(at)))
        length -= usable
    raise LimitTooLong(
        "the limit ends more than ten years from now",
        param="amount",
        fix="check the amount, its unit and the calendar",
    )
