"""What came of a suggestion, told with an interval, and honestly when nothing can be shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from chengmai.kernel.instants import from_us, to_us
from chengmai.pools.effects import effect_of
from chengmai.pools.model import Effect, Hour, Pool, State, Suggestion
from tests.unit.pools.builders import (
    EIGHT,
    HOUR_US,
    WEEK_US,
    a_member,
    a_pool,
    a_suggestion,
    an_hour,
    an_outlook,
    planned,
)

NINE_US = to_us(EIGHT) + HOUR_US
END = EIGHT + timedelta(hours=5)


def taken(*, basis: str = "forecast") -> tuple[Pool, Suggestion]:
    pool, made = a_suggestion()
    known: dict[str, Any] = dict.fromkeys(made.basis, basis)
    return pool, made.model_copy(update={"state": State.ACCEPTED, "basis": known})


def weeks(short: Mapping[int, float], *, most: int = 8) -> dict[int, Hour]:
    """Return three hours from nine on, so many weeks back, with a shortage of each."""
    return {
        NINE_US - back * WEEK_US + n * HOUR_US: an_hour(100 + short.get(back, 0.0), 100)
        for back in range(most + 1)
        for n in range(3)
    }


def judged(
    pool: Pool, made: Suggestion, east: Mapping[int, Hour], *, done: int = 1, **more: Any
) -> Effect:
    west = {tick: an_hour(40, 100) for tick in east}
    members = [a_member("east", hours=east), a_member("west", hours=west)]
    return effect_of(pool, made, members, at=END, carried_out=done, **more)


def test_less_shortage_than_the_forecast_allows_is_an_effect() -> None:
    pool, made = taken()

    found = judged(pool, made, weeks({}, most=0))

    assert (found.verdict, found.actual) == ("less", 0)
    assert found.saved == pytest.approx(90)
    assert [one.way for one in found.against] == ["forecast"]
    assert "90 less" in found.sentence.en


def test_a_shortage_inside_the_interval_shows_no_effect() -> None:
    wide = planned(
        a_pool(),
        [a_member("east"), a_member("west")],
        {
            "east": an_outlook(*([(90, 130, 160)] * 3)),
            "west": an_outlook(40, 40, 40),
        },
    ).suggestion
    assert wide is not None

    found = judged(a_pool(), wide, weeks({0: 10}, most=0))

    assert found.verdict == "not_shown"
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high
    assert "no effect could be shown" in found.sentence.en
    assert "看不出效果" in found.sentence.zh


def test_more_shortage_than_expected_is_said_to_be_more() -> None:
    pool, made = taken()

    assert judged(pool, made, weeks({0: 60}, most=0)).verdict == "more"


def test_without_a_forecast_the_same_hours_of_earlier_weeks_are_the_measure() -> None:
    pool, made = taken(basis="baseline")
    past = {back: 30 + (-1) ** back for back in range(1, 9)}

    found = judged(pool, made, weeks(past))

    against = found.against[0]
    assert (against.way, against.weeks) == ("same_hours", 8)
    assert against.expected == pytest.approx(90)
    # Student's t at 90 % with 7 degrees of freedom, and a new week beside eight old ones.
    assert against.high - 90 == pytest.approx(1.415 * 3 * (8 / 7) ** 0.5 * (9 / 8) ** 0.5, rel=1e-6)
    assert found.verdict == "less"


def test_weeks_in_which_something_was_moved_are_left_out() -> None:
    pool, made = taken(basis="baseline")
    windows = [
        (from_us(NINE_US - back * WEEK_US), from_us(NINE_US - back * WEEK_US + HOUR_US))
        for back in (1, 2, 3)
    ]

    found = judged(pool, made, weeks(dict.fromkeys(range(1, 9), 30)), others=windows)
    few = judged(pool, made, weeks({}, most=6), others=windows)

    assert found.against[0].weeks == 5
    assert few.verdict == "not_measurable"
    assert "only 3 earlier weeks" in few.sentence.en


def test_with_too_few_readings_nothing_is_claimed() -> None:
    pool, made = taken()
    east = {NINE_US: an_hour(50, 100)}

    found = judged(pool, made, east)

    assert (found.verdict, found.saved) == ("not_measurable", None)
    assert "33% of the steps" in found.sentence.en


def test_what_was_never_carried_out_has_no_effect() -> None:
    pool, made = taken()

    found = judged(pool, made, weeks({}, most=0), done=0)

    assert found.verdict == "not_carried_out"
    assert "no move was done" in found.sentence.en


def test_only_whole_steps_after_the_decision_count() -> None:
    pool, made = taken()
    late = made.model_copy(update={"decided_at": EIGHT + timedelta(hours=2, minutes=20)})
    never = made.model_copy(update={"decided_at": made.end})

    assert judged(pool, late, weeks({}, most=0)).saved == pytest.approx(30)
    assert "no whole step" in judged(pool, never, weeks({}, most=0)).sentence.en
