"""The solver against every plan there is, and what a plan never breaks."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.pools.solving import (
    Needy,
    Pair,
    Task,
    cost_of,
    is_possible,
    most_of,
    shortage_with,
    solve,
    value_of,
)
from tests.unit.pools.builders import a_task


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Small tasks: at most two needy members, two helpers, three steps, and few lots of each pair."""
    steps = draw(st.integers(1, 3))
    cells = st.floats(-6, 6).map(lambda x: round(x, 1))
    needy = []
    for _ in range(draw(st.integers(1, 2))):
        middle = np.array(draw(st.lists(cells, min_size=steps, max_size=steps)))
        width = draw(st.floats(0, 3))
        lack = np.stack([middle - width, middle, middle + width])
        needy.append(Needy(lack, draw(st.integers(0, 6))))
    helpers = draw(st.integers(1, 2))
    pairs = [
        Pair(i, j, draw(st.floats(0, 3).map(lambda x: round(x, 2))), draw(st.integers(0, 2)))
        for i in range(len(needy))
        for j in range(helpers)
    ]
    return Task(
        needy=tuple(needy),
        spare=tuple(draw(st.lists(st.integers(0, 6), min_size=helpers, max_size=helpers))),
        pairs=tuple(pairs),
        hours=draw(st.sampled_from([0.5, 1.0])),
        worth=draw(st.sampled_from([0.8, 1.0])),
        lot=draw(st.integers(1, 3)),
        most=draw(st.sampled_from([None, 4])),
        moves=draw(st.integers(1, 3)),
    )


def every_plan(task: Task) -> list[tuple[int, ...]]:
    return [
        units
        for units in product(range(0, 7, task.lot), repeat=len(task.pairs))
        if is_possible(task, units)
    ]


@settings(deadline=None, max_examples=120)
@given(tasks())
def test_the_solver_finds_what_trying_every_plan_finds(task: Task) -> None:
    found = solve(task)

    best = min(value_of(task, units) for units in every_plan(task))
    assert found.is_best
    assert value_of(task, found.units) == pytest.approx(best, abs=1e-4)


@settings(deadline=None, max_examples=120)
@given(tasks())
def test_a_plan_keeps_every_limit_and_is_never_worse_than_doing_nothing(task: Task) -> None:
    found = solve(task)

    nothing = (0,) * len(task.pairs)
    assert is_possible(task, found.units)
    assert value_of(task, found.units) <= value_of(task, nothing)
    assert shortage_with(task, found.units) <= shortage_with(task, nothing) + 1e-9
    for helper, spare in enumerate(task.spare):
        given_ = sum(n for p, n in zip(task.pairs, found.units, strict=True) if p.helper == helper)
        assert given_ <= spare
    assert all(units % task.lot == 0 for units in found.units)


@settings(deadline=None, max_examples=30)
@given(tasks())
def test_the_same_task_gives_the_same_plan(task: Task) -> None:
    assert solve(task) == solve(task)


def test_the_cheaper_of_two_helpers_gives_first() -> None:
    task = a_task([[10, 10]], [6, 10], [[0.5, 1.0]])

    assert solve(task).units == (6, 4)


def test_a_unit_that_costs_more_than_it_saves_stays_where_it_is() -> None:
    task = a_task([[10]], [10], [[1.01]])

    assert solve(task).units == (0,)


def test_moves_are_limited_in_number() -> None:
    task = a_task([[10]], [5, 5, 5], [[0.1, 0.1, 0.1]], moves=1)

    assert sum(map(bool, solve(task).units)) == 1


def test_help_that_comes_too_late_is_not_sent() -> None:
    task = a_task([[10, -5]], [10], [[0.1]])
    late = Task(task.needy, task.spare, (Pair(0, 0, 0.1, 1),))

    assert solve(task).units == (10,)
    assert solve(late).units == (0,)


def test_when_the_time_is_up_the_plan_found_so_far_is_one_that_can_be_carried_out() -> None:
    random = np.random.default_rng(3)
    lacks = [random.normal(4, 25, (3, 8)).cumsum(axis=0) for _ in range(20)]
    pairs = [
        Pair(i, j, float(random.uniform(0, 2)), int(random.integers(0, 3)))
        for i in range(20)
        for j in range(20)
    ]
    spare = tuple(int(one) for one in random.integers(0, 60, 20))
    task = Task(tuple(Needy(one, 150) for one in lacks), spare, tuple(pairs), lot=7, moves=9)

    found = solve(task, time_limit_s=0.02)

    assert not found.is_best
    assert found.gap > 0
    assert is_possible(task, found.units) or not any(found.units)
    assert value_of(task, found.units) <= value_of(task, (0,) * len(pairs))


def test_what_a_move_can_be_at_most_leaves_the_others_as_they_are() -> None:
    task = a_task([[20]], [12, 30], [[0.1, 0.2]], lot=5, most=20)

    assert most_of(task, (10, 0), 0) == 10
    assert most_of(task, (10, 0), 1) == 20
    assert cost_of(task, (10, 5)) == pytest.approx(2.0)
