from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.connect.shift import DAY, Recording, Shift, days_to_now, years
from tests.unit.connect.builders import NOW, SHANGHAI, wall

HOUR = timedelta(hours=1)
LENGTHS = st.integers(1, 24 * 1500).map(lambda hours: hours * HOUR)


def a_recording(start: str, length: timedelta) -> Recording:
    first = wall(start)
    return Recording(first, first + length - HOUR, HOUR)


@given(st.integers(0, 60))
def test_years_keep_the_weekday_and_nearly_the_season(count: int) -> None:
    assert years(count) % timedelta(days=7) == timedelta(0)
    assert abs(years(count) / DAY - count * 365.2425) <= 3.5


@pytest.mark.parametrize(
    ("length", "days"),
    [
        (timedelta(hours=3), 1),
        (timedelta(days=5, hours=14), 5),
        (timedelta(days=7), 7),
        (timedelta(days=20), 14),
        (timedelta(days=365), 364),
        (timedelta(days=1036), 728),
    ],
)
def test_a_recording_starts_over_after_whole_days_weeks_or_years(
    length: timedelta, days: int
) -> None:
    assert a_recording("2012-03-01T00:00", length).cycle == timedelta(days=days)


def test_a_short_recording_has_all_whole_days_before_the_cursor_as_history() -> None:
    recording = a_recording("2012-03-01T00:00", timedelta(days=5, hours=14))
    now = wall("2026-11-22T09:30")
    cursor = now - days_to_now(recording, now)
    assert cursor == wall("2012-03-06T09:30")


def test_a_long_recording_is_shown_in_its_season_and_on_its_weekday() -> None:
    recording = a_recording("2013-03-01T00:00", timedelta(days=1036))
    now = wall("2026-11-22T09:30")
    cursor = now - days_to_now(recording, now)
    assert cursor.weekday() == now.weekday()
    assert abs((cursor - wall("2015-11-22T09:30")) / DAY) <= 4


@given(LENGTHS, st.integers(0, 20_000))
def test_the_cursor_lies_in_the_recording_and_as_late_as_it_can(
    length: timedelta, after_hours: int
) -> None:
    recording = a_recording("2012-03-01T00:00", length)
    now = recording.last + after_hours * HOUR
    days = days_to_now(recording, now)
    assert days % DAY == timedelta(0)
    assert now - days <= recording.last
    step = DAY if length < timedelta(days=7) else 7 * DAY
    if length < timedelta(days=364):
        assert now - days > recording.last - step


@given(LENGTHS, st.integers(0, 24 * 400), st.integers(1, 24 * 400))
def test_loops_cover_the_time_after_the_end_once_and_within_the_recording(
    length: timedelta, start_hours: int, asked_hours: int
) -> None:
    recording = a_recording("2012-03-01T00:00", length)
    after = recording.first + start_hours * HOUR
    until = after + asked_hours * HOUR
    covered = after
    for low, high, ahead in recording.loops(after, until):
        assert low + ahead == covered
        assert high <= recording.last
        covered = high + ahead
    assert covered == until


def test_only_a_seasonal_recording_is_laid_before_its_beginning() -> None:
    first = datetime(2012, 3, 1)  # noqa: DTZ001 - a wall time
    short = a_recording("2012-03-01T00:00", timedelta(days=30))
    assert list(short.loops(first - 10 * DAY, first - 5 * DAY)) == []
    seasonal = a_recording("2012-03-01T00:00", timedelta(days=366))
    [(low, high, ahead)] = seasonal.loops(first - 10 * DAY, first - 5 * DAY)
    assert (low + ahead, high + ahead) == (first - 10 * DAY, first - 5 * DAY)
    assert seasonal.first <= low < high <= seasonal.last


def test_a_shift_keeps_the_clock_on_the_wall() -> None:
    shift = Shift(timedelta(days=4018), SHANGHAI)
    assert shift.unrolled(NOW) == wall("2015-11-22T12:00")
    assert shift.instant(shift.unrolled(NOW)) == NOW
