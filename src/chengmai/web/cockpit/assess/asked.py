"""What a visitor asks for: a data set and days."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from chengmai.assess.model import LEVELS, Level
from chengmai.assess.problems import DayInvalid, OptionUnknown
from chengmai.assess.registry import Assessed, DataSet
from chengmai.kernel.texts import Text
from chengmai.web.cockpit.visit import Visit


async def assessed(visit: Visit) -> Assessed:
    """Return what the data set asked for says on the day asked for."""
    return await visit.desk.assess.assessed(
        visit.actor,
        data=asked_data(visit),
        on=asked_day(visit, "on"),
        before=asked_day(visit, "before"),
        country=asked_country(visit),
        place=visit.asked("code", at_most=40) or None,
        known=asked_day(visit, "known"),
    )


def asked_country(visit: Visit) -> str | None:
    """Return the country that was asked for, by its two letters."""
    return visit.asked("country", at_most=20) or None


def asked_data(visit: Visit) -> DataSet:
    """Return the data set that was asked for."""
    asked = visit.asked("data", at_most=20)
    if asked not in ("", "own", "example"):
        raise OptionUnknown("data", asked, ("own", "example"))
    return "example" if asked == "example" else "own"


def asked_level(visit: Visit) -> Level | None:
    """Return the level that was asked for; raises `OptionUnknown`."""
    asked = visit.asked("level", at_most=20)
    found = next((one for one in LEVELS if one == asked), None)
    if asked and found is None:
        raise OptionUnknown("level", asked, LEVELS)
    return found


def today(visit: Visit) -> date:
    """Return the present day of the city."""
    return visit.banner.now.astimezone(ZoneInfo(visit.banner.zone)).date()


def asked_day(visit: Visit, name: str, posted: str | None = None) -> date | None:
    """Return a day that was asked for, or posted; raises `DayInvalid`."""
    text = visit.asked(name, at_most=20) if posted is None else posted
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise DayInvalid(
            Text(
                zh=f"“{text}”不是日期，应写作 2014-12-31",
                en=f"{text!r} is not a day; write it as 2014-12-31",
            ),
            param=name,
            fix="write it as 2014-12-31",
        ) from None
    if not 1900 <= day.year <= 2200:
        raise DayInvalid(
            Text(
                zh=f"{day} 太远，年份应在 1900 至 2200 之间",
                en=f"{day} is too far away: use 1900 to 2200",
            ),
            param=name,
            fix="name a year from 1900 to 2200",
        )
    return day
