"""What a visitor asks for: a data set and days."""

from __future__ import annotations

from datetime import date

from chengmai.assess.problems import DayInvalid
from chengmai.assess.service import Assessed
from chengmai.web.cockpit.visit import Visit


async def assessed(visit: Visit) -> Assessed:
    """Return what the data set asked for says on the day asked for."""
    return await visit.desk.assess.assessed(
        visit.actor,
        data="example" if visit.asked("data") == "example" else "own",
        on=asked_day(visit, "on"),
        before=asked_day(visit, "before"),
    )


def asked_day(visit: Visit, name: str, posted: str | None = None) -> date | None:
    """Return a day that was asked for, or posted; raises `DayInvalid`."""
    text = visit.asked(name, at_most=20) if posted is None else posted
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise DayInvalid(
            f"{text!r} is not a day", param=name, fix="write it as 2014-12-31"
        ) from None
    if not 1900 <= day.year <= 2200:
        raise DayInvalid(f"{day} is too far away", param=name, fix="name a year from 1900 to 2200")
    return day
