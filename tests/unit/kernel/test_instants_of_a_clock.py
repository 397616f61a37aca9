"""Instants that never repeat, whatever the clock does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chengmai.kernel.clock import FixedClock, Instants

NOON = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SMALL = st.timedeltas(min_value=timedelta(seconds=-2), max_value=timedelta(seconds=2))


@given(st.lists(SMALL, max_size=30))
def test_instants_only_go_forward_while_the_clock_takes_small_steps(steps: list[timedelta]) -> None:
    # Two steps of two seconds may add up to more than is held: the clock is put right in between.
    clock = FixedClock(NOON)
    instants = Instants(clock)
    given_ones = [instants.next()]
    for step in steps:
        clock.at = max(clock.at, given_ones[-1]) + step
        given_ones.append(instants.next())
    assert given_ones == sorted(set(given_ones))


def test_a_standing_clock_gives_an_instant_once() -> None:
    instants = Instants(FixedClock(NOON))
    assert [instants.next() for _ in range(3)] == [
        NOON,
        NOON + timedelta(microseconds=1),
        NOON + timedelta(microseconds=2),
    ]


def test_a_clock_that_jumps_far_back_is_believed() -> None:
    clock = FixedClock(NOON)
    instants = Instants(clock)
    instants.next()
    clock.advance(timedelta(hours=-1))
    assert instants.next() == NOON - timedelta(hours=1)
