"""Where buckets begin."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.kernel.instants import format_us, parse_us
from chengmai.vitals.ticks import tick_after, tick_before, tick_of, ticks_of
from tests.unit.vitals.builders import SHANGHAI

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("at", "step", "tick"),
    [
        ("2026-11-22T08:47:13Z", timedelta(minutes=15), "2026-11-22T08:45:00Z"),
        ("2026-11-22T08:47:13Z", timedelta(hours=1), "2026-11-22T08:00:00Z"),
        ("2026-11-22T15:59:59Z", DAY, "2026-11-21T16:00:00Z"),
        ("2026-11-22T16:00:00Z", DAY, "2026-11-22T16:00:00Z"),
        ("2026-11-22T12:00:00Z", timedelta(days=7), "2026-11-15T16:00:00Z"),
    ],
)
def test_days_are_the_city_s_and_hours_are_utc(at: str, step: timedelta, tick: str) -> None:
    assert format_us(tick_of(parse_us(at), step, SHANGHAI)) == tick


def test_a_day_of_25_hours_is_one_bucket() -> None:
    first = tick_of(parse_us("2026-10-25T12:00:00Z"), DAY, BERLIN)
    assert tick_after(first, DAY, BERLIN) - first == 25 * 3_600_000_000
    assert tick_before(tick_after(first, DAY, BERLIN), DAY, BERLIN) == first


@given(
    st.lists(st.integers(1_700_000_000, 1_900_000_000), min_size=1, max_size=20),
    st.sampled_from([timedelta(minutes=5), timedelta(hours=1), DAY, timedelta(days=7)]),
    st.sampled_from([SHANGHAI, BERLIN]),
)
def test_many_instants_are_cut_like_one(
    seconds: list[int], step: timedelta, zone: ZoneInfo
) -> None:
    at_us = np.array(seconds, dtype=np.int64) * 1_000_000
    assert ticks_of(at_us, step, zone).tolist() == [
        tick_of(us, step, zone) for us in at_us.tolist()
    ]
    for us in at_us.tolist():
        start = tick_of(us, step, zone)
        assert start <= us < tick_after(start, step, zone)
