"""Looking back: contributions add up, like is compared with like, queries are seen through."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.kernel.instants import to_us
from chengmai.vitals import check_sql
from chengmai.vitals.lookback.days import DayKinds, day_of
from chengmai.vitals.lookback.explaining import (
    Amount,
    Explanation,
    explain_by_exchange,
    explain_mean,
    explain_ratio,
    explain_sum,
)
from chengmai.vitals.lookback.likeness import Weather, compare
from chengmai.vitals.lookback.periods import Period, as_long_as, compared, period_of, until
from chengmai.vitals.lookback.shape import shape_of
from tests.unit.vitals.builders import SHANGHAI

HOUR = timedelta(hours=1)
KEYS = st.sampled_from(["a", "b", "c", "d", "e"])
VALUES = st.floats(-1e6, 1e6, allow_nan=False)
WEIGHTS = st.floats(0.001, 1e4, allow_nan=False)
SUMS = st.dictionaries(KEYS, VALUES, max_size=5)
AMOUNTS = st.dictionaries(KEYS, st.builds(Amount, VALUES, WEIGHTS), min_size=1, max_size=5)


class Calendar:
    """A week of October 2026 as it was announced, and nothing after that year."""

    holidays = frozenset(date(2026, 10, d) for d in range(1, 8))
    makeup_days = frozenset({date(2026, 10, 10)})

    def is_workday(self, day: date) -> bool:
        return day in self.makeup_days or (day.isoweekday() < 6 and day not in self.holidays)

    def is_known(self, day: date) -> bool:
        return day.year <= 2026


KINDS = DayKinds(Calendar(), SHANGHAI)


def adds_up(found: Explanation) -> bool:
    """Return whether the contributions are the change, to the last digits of what was added."""
    parts = [part for share in found.shares for part in (share.own, share.mix)]
    size = max([1.0, abs(found.before), abs(found.after), *map(abs, parts)])
    return math.isclose(math.fsum(parts), found.change, rel_tol=0, abs_tol=1e-12 * size)


@given(SUMS, SUMS)
def test_contributions_to_a_sum_add_up(before: dict[str, float], after: dict[str, float]) -> None:
    found = explain_sum(before, after)
    assert {share.key for share in found.shares} == {*before, *after}
    assert adds_up(found)


@given(AMOUNTS, AMOUNTS)
def test_contributions_to_a_mean_add_up(
    before: dict[str, Amount], after: dict[str, Amount]
) -> None:
    found = explain_mean(before, after)
    assert found is not None
    assert adds_up(found)


@given(AMOUNTS, AMOUNTS, st.sampled_from([1.0, 100.0]))
def test_contributions_to_a_ratio_add_up(
    before: dict[str, Amount], after: dict[str, Amount], factor: float
) -> None:
    found = explain_ratio(before, after, factor)
    assert found is not None
    assert adds_up(found)


@given(
    st.dictionaries(KEYS, st.tuples(VALUES, VALUES), min_size=1, max_size=5),
    st.sampled_from([max, min, math.fsum, lambda values: sorted(values)[len(values) // 2]]),
)
def test_contributions_to_any_formula_add_up(
    parts: dict[str, tuple[float, float]], formula: Callable[[list[float]], float]
) -> None:
    found = explain_by_exchange(
        sorted(parts),
        lambda done: formula([new if key in done else old for key, (old, new) in parts.items()]),
    )
    assert found is not None
    assert adds_up(found)


def test_the_largest_contribution_comes_first() -> None:
    found = explain_sum({"a": 1.0, "b": 5.0}, {"a": 2.0, "b": -5.0, "c": 3.0})
    assert [(share.key, share.total) for share in found.shares] == [("b", -10), ("c", 3), ("a", 1)]


def test_a_mean_changes_by_values_or_by_who_is_counted() -> None:
    dirty_and_clean = {"dirty": Amount(100.0, 1.0), "clean": Amount(20.0, 1.0)}
    found = explain_mean(dirty_and_clean, {"clean": Amount(20.0, 1.0)})
    assert found is not None
    assert (found.before, found.after) == (60.0, 20.0)
    assert sum(share.own for share in found.shares) == pytest.approx(0)
    assert sum(share.mix for share in found.shares) == pytest.approx(-40)


def test_a_part_of_a_ratio_may_have_no_denominator() -> None:
    found = explain_ratio(
        {"a": Amount(1.0, 10.0)}, {"a": Amount(1.0, 10.0), "b": Amount(2.0, 0.0)}, 100.0
    )
    assert found is not None
    assert found.change == pytest.approx(20)
    assert found.shares[0].key == "b"
    assert found.shares[0].after is None


def test_nothing_explains_a_change_from_nothing() -> None:
    assert explain_mean({}, {"a": Amount(1.0, 1.0)}) is None
    assert explain_ratio({"a": Amount(1.0, 0.0)}, {"a": Amount(1.0, 1.0)}) is None
    assert explain_by_exchange(["a"], lambda done: 1.0 if done else None) is None


def test_a_formula_linear_in_its_parts_is_explained_like_a_sum() -> None:
    before, after = {"a": 1.0, "b": 4.0}, {"a": 3.0, "b": 2.0}
    by_exchange = explain_by_exchange(
        ["a", "b"], lambda done: sum((after if k in done else before)[k] for k in before)
    )
    assert by_exchange is not None
    assert {s.key: s.total for s in by_exchange.shares} == {"a": 2.0, "b": -2.0}


# ---- days and periods


@pytest.mark.parametrize(
    ("day", "kind", "made_up", "known"),
    [
        (date(2026, 10, 1), "holiday", False, True),
        (date(2026, 10, 10), "workday", True, True),
        (date(2026, 10, 11), "rest", False, True),
        (date(2026, 10, 12), "workday", False, True),
        (date(2027, 10, 1), "workday", False, False),
    ],
)
def test_a_day_is_what_the_calendar_says_and_unknown_years_are_told(
    day: date, kind: str, made_up: bool, known: bool
) -> None:
    found = day_of(day, Calendar())
    assert (found.kind, found.is_made_up, found.is_known) == (kind, made_up, known)


@pytest.mark.parametrize(
    ("length", "first", "last"),
    [
        ("day", date(2026, 2, 26), date(2026, 2, 26)),
        ("week", date(2026, 2, 23), date(2026, 3, 1)),
        ("month", date(2026, 2, 1), date(2026, 2, 28)),
        ("year", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_goes_from_midnight_to_midnight_of_the_city(
    length: Any, first: date, last: date
) -> None:
    found = period_of(length, date(2026, 2, 26), SHANGHAI)
    assert (found.first, found.last) == (first, last)
    assert found.start == datetime(first.year, first.month, first.day, tzinfo=UTC) - 8 * HOUR


@pytest.mark.parametrize(
    ("length", "versus", "first"),
    [
        ("day", "previous", date(2026, 2, 25)),
        ("day", "week_earlier", date(2026, 2, 19)),
        ("day", "year_earlier", date(2025, 2, 27)),
        ("week", "previous", date(2026, 2, 16)),
        ("week", "week_earlier", date(2026, 1, 26)),
        ("week", "year_earlier", date(2025, 2, 24)),
        ("month", "previous", date(2026, 1, 1)),
        ("month", "year_earlier", date(2025, 2, 1)),
        ("year", "previous", date(2025, 1, 1)),
        ("year", "year_earlier", date(2025, 1, 1)),
    ],
)
def test_what_a_period_is_compared_with(length: Any, versus: Any, first: date) -> None:
    period = period_of(length, date(2026, 2, 26), SHANGHAI)
    assert compared(period, versus).first == first


def test_a_period_that_is_not_over_is_compared_with_as_many_days() -> None:
    month = period_of("month", date(2026, 3, 1), SHANGHAI)
    so_far = until(month, datetime(2026, 3, 10, 3, tzinfo=UTC))
    assert (so_far.days, as_long_as(compared(so_far, "previous"), so_far).days) == (10, 10)
    assert until(month, datetime(2026, 1, 1, tzinfo=UTC)).days == 1
    january = period_of("month", date(2026, 1, 5), SHANGHAI)
    assert as_long_as(period_of("month", date(2026, 2, 5), SHANGHAI), january).days == 28


# ---- like with like


def hours(day: date, *values: float) -> list[tuple[int, float]]:
    """Return hourly values from midnight of a day of the city."""
    start = Period("day", day, day, SHANGHAI).start
    return [(to_us(start + n * HOUR), value) for n, value in enumerate(values)]


def test_a_holiday_is_compared_with_holidays_and_not_with_its_weekday() -> None:
    now = hours(date(2026, 10, 7), 10.0)  # a Wednesday
    past = [*hours(date(2026, 9, 30), 50.0), *hours(date(2026, 10, 1), 12.0)]
    found = compare(now, past, KINDS, SHANGHAI)
    assert (found.before, found.change, found.past_days) == (12.0, -2.0, 1)


def test_a_saturday_made_up_is_compared_with_working_days() -> None:
    found = compare(
        hours(date(2026, 10, 10), 40.0),
        [*hours(date(2026, 9, 30), 50.0), *hours(date(2026, 9, 26), 5.0)],
        KINDS,
        SHANGHAI,
    )
    assert found.before == 50.0
    assert found.groups[0].day == "workday"


def test_values_without_their_like_are_left_out_and_counted() -> None:
    found = compare(
        hours(date(2026, 10, 12), 1.0, 2.0, 3.0),
        hours(date(2026, 10, 9), 5.0, 5.0),
        KINDS,
        SHANGHAI,
    )
    assert (found.matched, found.unmatched, found.past_values) == (2, 1, 2)
    assert (found.now, found.before) == (1.5, 5.0)


def test_wet_hours_are_compared_with_wet_hours() -> None:
    wet = {date(2026, 10, 8), date(2026, 10, 13)}

    def weather(at_us: int) -> Weather | None:
        day = datetime.fromtimestamp(at_us / 1e6, SHANGHAI).date()
        return "wet" if day in wet else "dry"

    found = compare(
        hours(date(2026, 10, 13), 30.0),
        [*hours(date(2026, 10, 8), 25.0), *hours(date(2026, 10, 9), 60.0)],
        KINDS,
        SHANGHAI,
        weather,
    )
    assert found.uses_weather
    assert (found.before, found.groups[0].weather) == (25.0, "wet")


def test_without_any_like_there_is_no_comparison() -> None:
    found = compare(hours(date(2026, 10, 1), 1.0), [], KINDS, SHANGHAI)
    assert (found.change, found.unmatched) == (None, 1)


def test_a_year_that_is_not_announced_makes_the_comparison_uncertain() -> None:
    past = hours(date(2027, 2, 1), 1.0)
    assert compare(hours(date(2027, 2, 8), 2.0), past, KINDS, SHANGHAI).certain is False
    assert compare(hours(date(2026, 9, 8), 2.0), [], KINDS, SHANGHAI).certain is True


# ---- queries

VIEWS = {"air": ("pm25", "n", "m")}


@pytest.mark.parametrize(
    ("value", "kind", "factor"),
    [
        ("avg(pm25)", "mean", 1.0),
        ("100.0 * avg(CASE WHEN n < 20 THEN 1.0 ELSE 0.0 END)", "mean", 100.0),
        ("sum(n)", "sum", 1.0),
        ("100.0 * sum(n) / nullif(sum(m), 0)", "ratio", 100.0),
        ("sum(n * pm25) / sum(n)", "ratio", 1.0),
        ("sum(n) * 3 / (2 * sum(m))", "ratio", 1.5),
        ("max(pm25)", "formula", 1.0),
        ("sum(n) / 4", "formula", 1.0),
        ("avg(pm25) + 1", "formula", 1.0),
    ],
)
def test_what_kind_of_figure_a_query_gives(value: str, kind: str, factor: float) -> None:
    checked = check_sql(f"SELECT area, tick, {value} AS value FROM air GROUP BY area, tick", VIEWS)
    shape = shape_of(checked)
    assert (shape.kind, shape.factor) == (kind, factor)
    if shape.total is not None:
        assert "GROUP BY entity, tick" in shape.total.text


AHEAD = """WITH a AS (SELECT area, tick, pm25 FROM air)
SELECT area, tick, avg(pm25) AS value FROM a GROUP BY area, tick"""
WITHIN = """SELECT area, tick, avg(v) AS value FROM
(SELECT area, tick, max(pm25) AS v FROM air GROUP BY area, tick, entity) AS x GROUP BY area, tick"""


@pytest.mark.parametrize(
    "sql",
    [
        AHEAD,
        "SELECT area, tick, avg(pm25) AS value FROM air GROUP BY area, tick HAVING count(*) > 2",
        WITHIN,
    ],
)
def test_a_query_that_is_not_seen_through_is_a_formula(sql: str) -> None:
    assert shape_of(check_sql(sql, VIEWS)).kind == "formula"
