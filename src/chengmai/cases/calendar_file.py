"""The working calendar as a file: office hours, holidays and days made up, with their sources.

Holidays are announced year by year, so the table is data that a city replaces, and it says until when it
is known: a deadline beyond that is marked uncertain instead of being silently wrong.
"""

from __future__ import annotations

import tomllib
from datetime import date, time, timedelta
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chengmai.cases.problems import CalendarInvalid
from chengmai.cases.working_time import MONDAY_TO_FRIDAY, OFFICE_HOURS, Calendar

SHIPPED = "holidays-cn.toml"


class _Holiday(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    first: date
    last: date

    def days(self) -> set[date]:
        return {self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)}


class _Year(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    year: int
    source: str = Field(min_length=1)
    holidays: tuple[_Holiday, ...]
    makeup_days: tuple[date, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    known_from: date
    known_until: date
    work_hours: tuple[tuple[time, time], ...] = OFFICE_HOURS
    workdays: frozenset[int] = MONDAY_TO_FRIDAY
    years: tuple[_Year, ...]


def read_calendar(text: str, zone: str, *, name: str = "calendar") -> Calendar:
    """Return the calendar that the TOML `text` describes, in the IANA zone `zone`.

    Raises `CalendarInvalid`, which names the line or the key; `name` is the file it came from.
    """
    try:
        read = _File.model_validate(tomllib.loads(text))
        place = ZoneInfo(zone)
    except tomllib.TOMLDecodeError as error:
        raise CalendarInvalid(
            f"{name} is not TOML: {error}", param=name, fix="correct the line"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CalendarInvalid(
            f"{name}: {where}: {first['msg']}", param=where, fix=f"compare with {SHIPPED}"
        ) from error
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CalendarInvalid(
            f"there is no time zone {zone!r}",
            param="zone",
            fix="use an IANA name such as Asia/Shanghai",
        ) from error
    _check_years(read, name)
    return Calendar(
        zone=place,
        work_hours=read.work_hours,
        workdays=read.workdays,
        holidays=frozenset(
            day for year in read.years for span in year.holidays for day in span.days()
        ),
        makeup_days=frozenset(day for year in read.years for day in year.makeup_days),
        known_from=read.known_from,
        known_until=read.known_until,
    )


def shipped_calendar(zone: str = "Asia/Shanghai") -> Calendar:
    """Return the calendar shipped with the program: China's public holidays as announced so far."""
    text = resources.files("chengmai.cases").joinpath("data", SHIPPED).read_text(encoding="utf-8")
    return read_calendar(text, zone, name=SHIPPED)


def _check_years(read: _File, name: str) -> None:
    for year in read.years:
        for holiday in year.holidays:
            if not holiday.first <= holiday.last or (holiday.last - holiday.first).days > 31:
                raise CalendarInvalid(
                    f"{name}: {holiday.name} of {year.year} runs from {holiday.first} to {holiday.last}",
                    param="holidays",
                    fix="give the first and the last day off",
                )
    present = {year.year for year in read.years}
    wanted = set(range(read.known_from.year, read.known_until.year + 1))
    if missing := wanted - present:
        raise CalendarInvalid(
            f"{name} claims to know {min(missing)} and has no entry for it",
            param="known_until",
            fix="add the year, or narrow known_from and known_until",
        )
