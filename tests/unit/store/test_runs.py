"""Which sorted runs are made one, and how few parts of the file a stretch of time needs."""

from __future__ import annotations

import numpy as np
import pytest

from chengmai.store.duckdb.runs import Run, due
from chengmai.store.duckdb.taking import stretches


def some(count: int, held: int, level: int = 0, first: int = 1) -> list[Run]:
    return [Run(first + n, level, held) for n in range(count)]


def test_few_runs_stay_as_they_are() -> None:
    assert due(some(15, 100), fan=16) == []


def test_the_oldest_of_a_level_become_one_when_they_are_many() -> None:
    assert [run.id for run in due(some(20, 100), fan=16)] == list(range(1, 17))


def test_the_lowest_level_goes_first() -> None:
    runs = some(4, 100, level=1) + some(4, 10, first=5)
    assert {run.level for run in due(runs, fan=4)} == {0}


def test_no_step_is_larger_than_allowed() -> None:
    found = due(some(16, 400), fan=16, most=1000)
    assert [run.id for run in found] == [1, 2]


def test_a_run_that_is_large_enough_is_left_alone() -> None:
    assert due(some(16, 501), fan=16, most=1000) == []


def test_merging_ends_with_few_runs_and_writes_each_observation_seldom() -> None:
    runs: list[Run] = []
    written = 0
    for number in range(2000):
        runs.append(Run(10_000 + number, 0, 10))
        while found := due(runs, fan=8, most=4000):
            held = sum(run.held for run in found)
            written += held
            level = max(run.level for run in found) + 1
            runs = [run for run in runs if run not in found]
            runs.append(Run(20_000 + written, level, held))
    assert sum(run.held for run in runs) == 20_000
    assert len(runs) < 40
    assert written <= 4 * 20_000


@pytest.mark.parametrize(
    ("hours", "most", "expected"),
    [
        ([5], 24, [(5, 5)]),
        ([5, 6, 7], 24, [(5, 7)]),
        ([-3, 5, 6, 90], 24, [(-3, -3), (5, 6), (90, 90)]),
        ([0, 2, 50, 53, 900], 3, [(0, 2), (50, 53), (900, 900)]),
        ([0, 2, 50], 1, [(0, 50)]),
    ],
)
def test_instants_are_covered_by_few_stretches(
    hours: list[int], most: int, expected: list[tuple[int, int]]
) -> None:
    at_s = np.array([hour * 3600 + 7 for hour in hours], dtype=np.int64)
    found = stretches(at_s, most)
    assert found == [(first * 3600, last * 3600 + 3599) for first, last in expected]
