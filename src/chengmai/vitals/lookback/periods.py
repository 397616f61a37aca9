"""Days, weeks, months and years of the city, and what each is compared with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from chengmai.kernel.instants import to_us

Length = Literal["day", "week", "month", "year"]
LENGTHS: tuple[Length, ...] = get_args(Length)
Versus = Literal["previous", "week_earlier", "year_earlier"]
VERSUS: tuple[Versus, ...] = get_args(Versus)
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_YEAR_OF_WEEKS = timedelta(days=364)


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included, from midnight to midnight of the city."""

    length: Length
    first: date
    last: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """Return the first instant."""
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """Return the first instant after it."""
        return _midnight(self.last + _DAY, self.zone)

    @property
    def start_us(self) -> int:
        return to_us(self.start)

    @property
    def end_us(self) -> int:
        return to_us(self.end)

    @property
    def days(self) -> int:
        """Return how many days it has."""
        return (self.last - self.first).days + 1


def period_of(length: Length, on: date, zone: ZoneInfo) -> Period:
    """Return the day, the week from Monday, the month or the year that holds a day."""
    if length == "day":
        return Period(length, on, on, zone)
    if length == "week":
        first = on - timedelta(days=on.isoweekday() - 1)
        return Period(length, first, first + 6 * _DAY, zone)
    if length == "month":
        first = on.replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
        return Period(length, first, following - _DAY, zone)
    return Period(length, date(on.year, 1, 1), date(on.year, 12, 31), zone)


def compared(period: Period, versus: Versus) -> Period:
    """Return what a period is compared with.

    `previous` is the one before it. `week_earlier` is a week before a day, and four weeks before a week or
    longer. `year_earlier` is 52 weeks before a day or a week, so that weekdays agree, and the same month or
    year before.
    """
    zone = period.zone
    if versus == "previous":
        return period_of(period.length, period.first - _DAY, zone)
    if versus == "week_earlier":
        return _moved(period, _WEEK if period.length == "day" else 4 * _WEEK)
    if period.length in ("day", "week"):
        return _moved(period, _YEAR_OF_WEEKS)
    return period_of(period.length, period.first.replace(year=period.first.year - 1), zone)


def following(period: Period) -> Period:
    """Return the period after it."""
    return period_of(period.length, period.last + _DAY, period.zone)


def until(period: Period, at: datetime) -> Period:
    """Return the days of a period until the day of an instant, at least its first."""
    last = at.astimezone(period.zone).date()
    return Period(
        period.length, period.first, max(period.first, min(period.last, last)), period.zone
    )


def as_long_as(period: Period, other: Period) -> Period:
    """Return the first days of a period, as many as another has, so that both reach equally far."""
    last = min(period.last, period.first + (other.days - 1) * _DAY)
    return Period(period.length, period.first, last, period.zone)


def _moved(period: Period, back: timedelta) -> Period:
    return Period(period.length, period.first - back, period.last - back, period.zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
