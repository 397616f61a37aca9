from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.kernel.instants import format_us, parse_us
from chengmai.kernel.problems import Invalid
from chengmai.ngsild.entity import prop, rel
from chengmai.ngsild.temporal import METHODS, aggregate, parse_temporal

HOUR_US = 3_600_000_000
START = parse_us("2026-01-01T00:00:00Z")


def at(hour: float, value: Any = 1) -> Any:
    """Return a reading so many hours after the start."""
    return {**prop(value), "observedAt": format_us(START + int(hour * HOUR_US))}


@pytest.mark.parametrize(
    ("params", "hours"),
    [
        ({}, [0, 1, 2]),
        ({"timerel": "before", "timeAt": "2026-01-01T01:00:00Z"}, [0]),
        ({"timerel": "after", "timeAt": "2026-01-01T01:00:00Z"}, [1, 2]),
        (
            {
                "timerel": "between",
                "timeAt": "2026-01-01T00:00:00Z",
                "endTimeAt": "2026-01-01T02:00:00Z",
            },
            [0, 1],
        ),
        ({"lastN": "2"}, [2, 1]),
    ],
)
def test_a_window_selects(params: dict[str, str], hours: list[int]) -> None:
    series = [at(2, 2), at(0, 0), at(1, 1), prop(9)]
    assert [one["value"] for one in parse_temporal(params).selected(series)] == hours


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"timerel": "during", "timeAt": "2026-01-01T00:00:00Z"}, "timerel"),
        ({"timeAt": "2026-01-01T00:00:00Z"}, "timerel"),
        ({"timerel": "after"}, "timeAt"),
        ({"timerel": "after", "timeAt": "2026-01-01"}, "timeAt"),
        ({"timerel": "between", "timeAt": "2026-01-01T00:00:00Z"}, "endTimeAt"),
        (
            {
                "timerel": "between",
                "timeAt": "2026-01-02T00:00:00Z",
                "endTimeAt": "2026-01-01T00:00:00Z",
            },
            "endTimeAt",
        ),
        ({"lastN": "0"}, "lastN"),
        ({"lastN": "x"}, "lastN"),
        ({"timeproperty": "seenAt"}, "timeproperty"),
        ({"aggrMethods": "median"}, "aggrMethods"),
        ({"aggrPeriodDuration": "PT1H"}, "aggrMethods"),
        ({"aggrMethods": "avg", "aggrPeriodDuration": "1h"}, "aggrPeriodDuration"),
        ({"aggrMethods": "avg", "aggrPeriodDuration": "P99999999999D"}, "aggrPeriodDuration"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(params: dict[str, str], param: str) -> None:
    with pytest.raises(Invalid) as problem:
        parse_temporal(params)
    assert problem.value.param == param


def test_a_series_is_aggregated_by_the_hour() -> None:
    series = [at(0, 10), at(0.5, 20), at(2, 40)]
    made = aggregate(series, ["avg", "totalCount"], HOUR_US, START, None)
    assert made["avg"] == [
        [15.0, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"],
        [40.0, "2026-01-01T02:00:00Z", "2026-01-01T03:00:00Z"],
    ]
    assert [value for value, _, _ in made["totalCount"]] == [2, 1]


def test_without_a_period_there_is_one_bucket_over_the_window() -> None:
    made = aggregate([at(1, 1), at(2, 3)], METHODS, 0, START, START + 5 * HOUR_US)
    assert {method: rows[0][0] for method, rows in made.items()} == {
        "totalCount": 2,
        "distinctCount": 2,
        "sum": 4.0,
        "avg": 2.0,
        "min": 1.0,
        "max": 3.0,
        "stddev": 1.0,
        "sumsq": 10.0,
    }
    assert made["avg"][0][1:] == ["2026-01-01T00:00:00Z", "2026-01-01T05:00:00Z"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["b", "a", "a"], {"totalCount": 3, "distinctCount": 2, "min": "a", "max": "b"}),
        ([True, False], {"totalCount": 2, "sum": 1.0, "avg": 0.5}),
        ([[1, 2], [3]], {"min": 1.0, "max": 2.0, "avg": 1.5}),
        ([{"x": 1}, {"x": 1}], {"totalCount": 2, "distinctCount": 1}),
    ],
)
def test_each_type_of_value_has_its_methods(values: list[Any], expected: dict[str, Any]) -> None:
    made = aggregate([at(n, value) for n, value in enumerate(values)], METHODS, 0, None, None)
    found = {method: rows[0][0] for method, rows in made.items() if rows}
    assert {method: found[method] for method in expected} == expected
    if isinstance(values[0], str | dict):
        assert not {"sum", "avg", "stddev", "sumsq"} & set(found)


def test_relationships_are_counted() -> None:
    made = aggregate(
        [{**rel("urn:a:b"), "observedAt": "2026-01-01T00:00:00Z"}], METHODS, 0, None, None
    )
    assert made["distinctCount"][0][0] == 1
    assert made["avg"] == []


def test_an_empty_series_has_empty_aggregates() -> None:
    assert aggregate([], ["avg"], HOUR_US, None, None) == {"avg": []}


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(-9, 9)), max_size=20))
def test_buckets_neither_lose_nor_double_a_reading(readings: list[tuple[float, int]]) -> None:
    made = aggregate([at(*one) for one in readings], ["totalCount", "sum"], HOUR_US, START, None)
    assert sum(row[0] for row in made["totalCount"]) == len(readings)
    assert sum(row[0] for row in made["sum"]) == sum(value for _, value in readings)
    starts = [row[1] for row in made["totalCount"]]
    assert starts == sorted(set(starts))
