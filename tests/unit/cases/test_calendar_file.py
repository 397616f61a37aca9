from __future__ import annotations

from datetime import date

import pytest

from chengmai.cases import read_calendar, shipped_calendar
from chengmai.cases.problems import CalendarInvalid

GOOD = """
known_from = 2026-01-01
known_until = 2026-12-31
[[years]]
year = 2026
source = "a notice"
holidays = [{ name = "x", first = 2026-05-01, last = 2026-05-05 }]
makeup_days = [2026-05-09]
"""


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 2, 14), True),  # a Saturday worked for the Spring Festival
        (date(2026, 2, 16), False),
        (date(2026, 2, 24), True),
        (date(2026, 10, 7), False),
        (date(2026, 10, 8), True),
        (date(2026, 10, 10), True),
        (date(2025, 10, 8), False),
        (date(2024, 5, 11), True),
        (date(2026, 11, 22), False),  # an ordinary Sunday
    ],
)
def test_the_shipped_calendar_knows_china_s_holidays(day: date, works: bool) -> None:
    assert shipped_calendar().is_workday(day) is works


def test_every_day_made_up_is_on_a_weekend_and_every_holiday_span_touches_a_workday() -> None:
    calendar = shipped_calendar()
    assert all(day.isoweekday() in (6, 7) for day in calendar.makeup_days)
    assert not calendar.holidays & calendar.makeup_days


def test_the_shipped_calendar_says_until_when_it_is_known() -> None:
    calendar = shipped_calendar()
    assert calendar.known_until is not None
    assert calendar.is_known(calendar.known_until)
    assert not calendar.is_known(date(calendar.known_until.year + 1, 1, 1))


def test_a_city_s_own_table_is_read() -> None:
    calendar = read_calendar(GOOD, "Asia/Shanghai")
    assert not calendar.is_workday(date(2026, 5, 4))
    assert calendar.is_workday(date(2026, 5, 9))


@pytest.mark.parametrize(
    ("text", "zone", "names"),
    [
        ("known_from = ", "Asia/Shanghai", "TOML"),
        (GOOD.replace("source", "sauce"), "Asia/Shanghai", "source"),
        (GOOD.replace("2026-05-05", "2026-04-05"), "Asia/Shanghai", "2026-04-05"),
        (GOOD.replace("2026-12-31", "2027-12-31"), "Asia/Shanghai", "2027"),
        (GOOD, "Mars/Olympus", "Mars/Olympus"),
        (GOOD, "../etc", "../etc"),
    ],
)
def test_a_wrong_table_is_refused_and_says_where(text: str, zone: str, names: str) -> None:
    with pytest.raises(CalendarInvalid) as problem:
        read_calendar(text, zone, name="city.toml")
    assert names in problem.value.detail
    assert problem.value.fix
