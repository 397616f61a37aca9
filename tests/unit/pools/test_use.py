"""How use is counted: in SQL over the view, and the same in the rules that plan with it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.history.model import Columns
from chengmai.pools.model import Pool
from chengmai.pools.rules import (
    idle_of,
    shortage_of,
    sum_of,
    total_of,
    usual_at,
    week_of,
)
from chengmai.pools.sql import MEASURES, Measure, query
from chengmai.store.duckdb.analysis import DuckAnalysis
from chengmai.vitals.instants import instants_of
from chengmai.vitals.ports import ViewRows
from chengmai.vitals.sql import check_sql
from tests.unit.pools.builders import (
    AT_US,
    HOUR_US,
    SHANGHAI,
    WEEK_US,
    a_member,
    a_pool,
    an_hour,
)

COLUMNS = ("occupied_spaces", "spaces", "cars_waiting")
Reading = tuple[str, int, float, float, float]
"""Member, minute, used, capacity, waiting."""
COUNTS = st.integers(0, 150).map(float)
ENGINE = DuckAnalysis(threads=1)


def rows_of(readings: list[Reading]) -> ViewRows:
    names = sorted({reading[0] for reading in readings})
    cells = [
        (names.index(name), column, AT_US + minute * 60_000_000, values[column])
        for name, minute, *values in readings
        for column in range(3)
    ]
    columns = Columns(
        entities=names,
        areas=["East" if name < "c" else "West" for name in names],
        attributes=list(COLUMNS),
        entity=np.array([c[0] for c in cells], dtype=np.int32),
        attribute=np.array([c[1] for c in cells], dtype=np.int32),
        at_us=np.array([c[2] for c in cells], dtype=np.int64),
        value=np.array([c[3] for c in cells], dtype=np.float64),
    )
    return ViewRows("parking", instants_of(columns), {})


def measured(
    pool: Pool, measure: Measure, readings: list[Reading], by: str = "entity"
) -> dict[tuple[str, int], float]:
    checked = check_sql(query(pool, measure, by), {"parking": COLUMNS})  # type: ignore[arg-type]
    found = ENGINE.evaluate(
        checked, [rows_of(readings)], start_us=0, end_us=2**60, step=pool.spec.step, zone=SHANGHAI
    )
    return {(who, (tick - AT_US) // HOUR_US): value for who, tick, value in found}


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 179), COUNTS, COUNTS, COUNTS),
        min_size=1,
        max_size=20,
        unique_by=lambda reading: reading[:2],
    ),
    st.sampled_from([0.0, 0.15]),
)
def test_shortage_and_idle_in_sql_are_those_of_the_rules(
    readings: list[Reading], reserve: float
) -> None:
    pool = a_pool(waiting="carsWaiting", reserve=reserve)
    used, waiting, capacity, idle, shortage = (
        measured(pool, m, readings) for m in ("used", "waiting", "capacity", "idle", "shortage")
    )

    for cell in used:
        demand = used[cell] + waiting[cell]
        assert shortage[cell] == pytest.approx(shortage_of(demand, capacity[cell], reserve))
        assert idle[cell] == pytest.approx(idle_of(demand, capacity[cell], reserve))


def test_an_area_is_the_sum_of_its_members() -> None:
    pool = a_pool(reserve=0.1)
    readings = [("a", 5, 95.0, 100.0, 0.0), ("b", 9, 20.0, 50.0, 0.0), ("c", 9, 1.0, 10.0, 0.0)]

    assert measured(pool, "shortage", readings, "area") == {("East", 0): 5.0, ("West", 0): 0.0}
    assert measured(pool, "idle", readings, "area") == {("East", 0): 25.0, ("West", 0): 8.0}
    share = measured(pool, "utilisation", readings, "area")
    assert share["East", 0] == pytest.approx(100 * 115 / 150)


def test_a_step_is_the_mean_of_its_readings_and_a_short_step_counts_less_hours() -> None:
    readings = [("a", 0, 100.0, 80.0, 0.0), ("a", 30, 120.0, 80.0, 0.0)]

    assert measured(a_pool(), "shortage", readings) == {("a", 0): 30.0}
    assert measured(a_pool(step="PT30M"), "shortage", readings[:1]) == {("a", 0): 10.0}


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("by", ["entity", "area"])
def test_every_query_may_run_as_that_of_a_vital_sign(measure: Measure, by: str) -> None:
    text = query(a_pool(waiting="carsWaiting"), measure, by)  # type: ignore[arg-type]

    assert check_sql(text, {"parking": COLUMNS}).views.keys() == {"parking"}


def test_a_sum_says_how_much_of_the_span_was_read() -> None:
    two = {AT_US - n * HOUR_US: an_hour(120, 100) for n in (1, 2)}
    members = [a_member("a", hours=two), a_member("b")]

    found = sum_of(members, AT_US - 4 * HOUR_US, AT_US, HOUR_US)

    assert (found.steps, found.of) == (3, 8)
    assert (found.shortage, found.idle) == (40, 50)
    assert found.utilisation == pytest.approx(290 / 300)
    assert sum_of([], 0, 1, HOUR_US).utilisation is None


def test_the_week_is_told_by_the_clock_of_the_city() -> None:
    # Monday, 07:00 UTC, is 15:00 in Shanghai.
    found = week_of([a_member("a", hours={AT_US - HOUR_US: an_hour(30, 40)})], SHANGHAI)

    assert found == {(0, 15): 0.75}


def test_all_members_together_are_known_where_each_was_read() -> None:
    both = {AT_US - n * HOUR_US: an_hour(10, 100, waiting=1) for n in (1, 2)}

    found = total_of([a_member("a", hours=both), a_member("b")])

    assert found == {AT_US - HOUR_US: 61.0}
    assert total_of([]) == {}


def usual(values: dict[int, float]) -> tuple[float, int] | None:
    found = usual_at(values, AT_US, season_us=WEEK_US, step_us=HOUR_US, before_us=AT_US)
    return None if found is None else (found.mid, found.n)


def test_what_is_usual_comes_from_the_same_hour_of_earlier_weeks() -> None:
    weeks = {AT_US - n * WEEK_US: float(n) for n in range(1, 5)}
    beside = {AT_US - WEEK_US + HOUR_US: 1000.0, AT_US: 1000.0}

    assert usual({**weeks, **beside}) == (2.5, 4)


def test_with_few_weeks_the_hours_beside_help_and_with_too_few_nothing_is_said() -> None:
    one_week = {AT_US - WEEK_US + n * HOUR_US: 10.0 + n for n in range(-2, 3)}

    assert usual(one_week) == (10.0, 5)
    assert usual({AT_US - WEEK_US: 1.0, AT_US - HOUR_US: 5.0}) is None
