"""The outlook of the city itself: what is computed has a past, a forecast, and a score when the day is over."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house
from tests.api.indicators import MANAGER, found, packs_with, tell, told

HALL = "ServiceHallObserved"


def hours(day: int, total: float) -> dict[str, Any]:
    at = f"2026-11-{day:02}T06:00:00Z"
    made: dict[str, Any] = told(HALL, at, handlingHours=total, finishedMatters=10.0)
    return made


async def ten_days(house: House) -> None:
    await tell(house, *(hours(day, 10.0 * day) for day in range(12, 23)))


async def test_an_indicator_begins_with_the_days_before_it_was_first_written_down(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path, packs=packs_with(HALL)) as house:
        await ten_days(house)
        now = (await found(house, "E05")).value
        await house.city.indicators.record("city")
        past = await house.city.indicators.past(MANAGER, "E05")
        days = [at.astimezone(house.city.zone).date() for at, _ in past]
        assert days == [date(2026, 11, day) for day in range(12, 23)]
        # At the end of the third day: 120, 130 and 140 hours for 30 matters.
        assert past[2][1] == pytest.approx(390 / 30)
        assert past[-1][1] == now
        house.clock.advance(timedelta(days=1))
        await house.city.indicators.record("city")
        assert len(await house.city.indicators.past(MANAGER, "E05")) == len(past) + 1


async def test_the_report_of_the_city_itself_forecasts_what_is_computed(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=packs_with(HALL)) as house:
        await ten_days(house)
        await house.city.indicators.record("city")
        report = await house.city.outlook.report(MANAGER, place="own")
        (line,) = (one for one in report.lines if one.meaning.id == "E05")
        assert (line.step, len(line.values), line.is_computed) == ("day", 11, True)
        assert line.value == (await found(house, "E05")).value
        assert line.trend is not None
        assert line.trend.own.count > 0
        assert line.trend.steps[0].low <= line.trend.steps[0].value <= line.trend.steps[0].high
        assert line.point is not None
        assert line.point.ref.entity_id == "urn:ngsi-ld:CityIndicator:E05"
        stored = await house.city.outlook.keep(MANAGER, report)
        assert stored.new >= 3
        house.clock.advance(timedelta(days=1))
        await house.city.indicators.record("city")
        assert await house.city.outlook.settle(MANAGER) == 0  # the day is not over
        house.clock.advance(timedelta(days=1))
        assert await house.city.outlook.settle(MANAGER) >= 1
        again = await house.city.outlook.report(MANAGER, place="own")
        came = [one for one in again.kept if one.came is not None]
        assert {one.promise.target for one in came} == {date(2026, 11, 23)}
        assert again.scores is not None
        assert again.scores.scored == len(came)
