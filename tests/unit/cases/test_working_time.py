"""Working time; the examples are the acceptance vectors of the domain facts, section 2.5."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.cases.problems import CalendarInvalid, LimitTooLong
from chengmai.cases.working_time import (
    Calendar,
    LimitUnit,
    Urgency,
    due_at,
    extend,
    remaining,
    urgency,
    working_between,
)
from chengmai.packs.model import Limit
from tests.unit.cases.builders import PLAIN, SHANGHAI, local

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
UNITS: list[LimitUnit] = ["urgent_hour", "natural_day", "work_hour", "work_day"]
starts = st.integers(0, 5 * 366 * 24 * 60).map(lambda n: FIRST + timedelta(minutes=n))
units = st.sampled_from(UNITS)
quarters = st.integers(1, 400).map(lambda n: n / 4)
zones = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns"])


def limit(amount: float, unit: LimitUnit) -> Limit:
    return Limit(amount=amount, unit=unit)


@pytest.mark.parametrize(
    ("start", "amount", "unit", "due"),
    [
        # 2026-11-27 is a Friday
        ("2026-11-27T17:30", 4, "work_hour", "2026-11-30T11:30"),
        ("2026-11-27T11:00", 1, "work_day", "2026-11-30T11:00"),
        ("2026-11-28T03:00", 4, "urgent_hour", "2026-11-28T07:00"),
        ("2026-11-27T17:30", 2, "natural_day", "2026-11-29T17:30"),
        ("2026-11-27T12:30", 1, "work_hour", "2026-11-27T15:00"),
        ("2026-11-27T08:00", 4, "work_hour", "2026-11-27T12:00"),
    ],
)
def test_due_at_meets_the_acceptance_vectors(
    start: str, amount: float, unit: LimitUnit, due: str
) -> None:
    assert due_at(local(start), limit(amount, unit), PLAIN).at == local(due)


def test_a_pause_of_two_work_hours_moves_the_deadline_by_two_work_hours() -> None:
    moved = extend(local("2026-11-27T17:00"), timedelta(hours=2), "work_hour", PLAIN)
    assert moved.at == local("2026-11-30T09:00")


def test_holidays_are_skipped_and_days_made_up_are_worked() -> None:
    calendar = Calendar(
        SHANGHAI,
        holidays=frozenset({date(2026, 11, 27)}),
        makeup_days=frozenset({date(2026, 11, 28)}),
    )
    due = due_at(local("2026-11-26T17:00"), limit(2, "work_hour"), calendar)
    assert due.at == local("2026-11-28T09:00")


def test_a_deadline_beyond_the_known_holidays_is_not_certain() -> None:
    calendar = Calendar(SHANGHAI, known_from=date(2026, 1, 1), known_until=date(2026, 11, 30))
    start = local("2026-11-30T09:00")
    assert due_at(start, limit(1, "work_hour"), calendar).certain
    assert not due_at(start, limit(1, "work_day"), calendar).certain
    assert due_at(start, limit(30, "natural_day"), calendar).certain


@given(starts, quarters, units, zones)
def test_due_is_never_before_the_start(
    start: datetime, amount: float, unit: LimitUnit, zone: str
) -> None:
    assert due_at(start, limit(amount, unit), Calendar(ZoneInfo(zone))).at > start


@given(starts, quarters, quarters, units)
def test_a_longer_limit_never_ends_earlier(
    start: datetime, one: float, other: float, unit: LimitUnit
) -> None:
    short, long = sorted((one, other))
    assert due_at(start, limit(short, unit), PLAIN).at <= due_at(start, limit(long, unit), PLAIN).at


@given(starts, starts, quarters, units, zones)
def test_a_later_start_never_ends_earlier(
    one: datetime, other: datetime, amount: float, unit: LimitUnit, zone: str
) -> None:
    calendar = Calendar(ZoneInfo(zone))
    first, second = sorted((one, other))
    ends = [due_at(start, limit(amount, unit), calendar).at for start in (first, second)]
    assert ends == sorted(ends)


@given(starts, quarters, quarters, zones)
def test_work_hours_add_up(start: datetime, a: float, b: float, zone: str) -> None:
    calendar = Calendar(ZoneInfo(zone))
    middle = due_at(start, limit(a, "work_hour"), calendar).at
    in_two = due_at(middle, limit(b, "work_hour"), calendar).at
    assert in_two == due_at(start, limit(a + b, "work_hour"), calendar).at


@given(starts, quarters, zones)
def test_the_working_time_until_the_deadline_is_the_limit(
    start: datetime, amount: float, zone: str
) -> None:
    calendar = Calendar(ZoneInfo(zone))
    due = due_at(start, limit(amount, "work_hour"), calendar).at
    assert working_between(start, due, calendar) == timedelta(hours=amount)


@given(starts, quarters, units)
def test_no_pause_moves_nothing(start: datetime, amount: float, unit: LimitUnit) -> None:
    due = due_at(start, limit(amount, unit), PLAIN).at
    assert extend(due, timedelta(0), unit, PLAIN).at == due


def test_remaining_counts_work_hours_only_and_turns_negative() -> None:
    due = local("2026-11-30T09:00")
    assert remaining(local("2026-11-27T17:00"), due, "work_hour", PLAIN) == timedelta(hours=2)
    assert remaining(local("2026-11-30T14:30"), due, "work_hour", PLAIN) == timedelta(hours=-3.5)


@pytest.mark.parametrize(
    ("now", "light"),
    [
        ("2026-11-27T08:00", Urgency.GREEN),
        ("2026-11-27T16:23", Urgency.GREEN),
        ("2026-11-27T16:24", Urgency.YELLOW),  # 1 h 36 min of 8 h are 20 %
        ("2026-11-27T18:00", Urgency.YELLOW),
        ("2026-11-27T18:01", Urgency.RED),
    ],
)
def test_the_light_is_yellow_in_the_last_fifth_and_red_after_the_deadline(
    now: str, light: Urgency
) -> None:
    due = local("2026-11-27T18:00")
    assert urgency(local(now), due, limit(1, "work_day"), PLAIN) is light


def test_nothing_due_has_no_light() -> None:
    assert urgency(local("2026-11-27T18:00"), None, None, PLAIN) is Urgency.NONE


@pytest.mark.parametrize("amount", [1e5, 1e300, float("inf")])
def test_a_limit_beyond_ten_years_is_refused(amount: float) -> None:
    with pytest.raises(LimitTooLong):
        due_at(local("2026-11-27T18:00"), limit(amount, "work_hour"), PLAIN)


def test_a_calendar_in_which_work_takes_more_than_ten_years_is_refused() -> None:
    lazy = Calendar(SHANGHAI, work_hours=((time(8), time(8, 1)),), workdays=frozenset({1}))
    with pytest.raises(LimitTooLong):
        due_at(local("2026-11-27T18:00"), limit(30, "work_hour"), lazy)


@pytest.mark.parametrize(
    "wrong",
    [
        {"work_hours": ()},
        {"work_hours": ((time(12), time(8)),)},
        {"work_hours": ((time(8), time(13)), (time(12), time(18)))},
        {"workdays": frozenset[int]()},
        {"workdays": frozenset({0})},
        {"holidays": frozenset({date(2026, 1, 1)}), "makeup_days": frozenset({date(2026, 1, 1)})},
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(CalendarInvalid):
        Calendar(SHANGHAI, **wrong)  # type: ignore[arg-type]
