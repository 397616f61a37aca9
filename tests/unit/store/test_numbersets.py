"""Sets of numbers of series."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chengmai.store.numbersets import NumberSet

some = st.lists(st.integers(0, 3000), max_size=20)


def numbers(*given: int) -> NDArray[np.int64]:
    return np.array(given, dtype=np.int64)


def test_an_empty_set_has_nothing_and_can_be_asked_for_nothing() -> None:
    empty = NumberSet()
    assert empty.has(numbers(0, 7)).tolist() == [False, False]
    assert empty.has(numbers()).tolist() == []
    empty.add(numbers())
    empty.add_below(0)
    assert not empty.has(numbers(0)).any()


def test_all_below_a_number_are_in_and_itself_is_not() -> None:
    low = NumberSet()
    low.add_below(3)
    assert low.has(numbers(0, 2, 3, 4)).tolist() == [True, True, False, False]


@given(st.lists(st.tuples(st.booleans(), some), max_size=8))
def test_it_has_what_was_put_in_and_nothing_else(steps: list[tuple[bool, list[int]]]) -> None:
    made, expected = NumberSet(), set[int]()
    for is_added, given_ones in steps:
        if is_added:
            made.add(numbers(*given_ones))
            expected.update(given_ones)
        assert made.has(numbers(*given_ones)).tolist() == [n in expected for n in given_ones]
