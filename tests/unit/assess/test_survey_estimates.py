"""What a sample says of everybody: intervals that contain, narrow, and turn round with the answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.assess.surveys.estimates import Counted, corrected, estimate, student, wilson

answers = st.integers(0, 3000)
sizes = st.integers(1, 100_000)
shares = st.floats(0, 1, allow_nan=False)


def share(yes: int, no: int, population: int | None = None) -> Counted:
    return Counted(population, {100.0: yes, 0.0: no})


def test_a_share_has_the_interval_of_wilson() -> None:
    found = estimate([share(320, 80)], is_share=True)
    assert found is not None
    assert (found.value, round(found.low, 2), round(found.high, 2)) == (80, 75.80, 83.63)


def test_a_mean_has_the_interval_of_student() -> None:
    # By hand: 2, 4, 4, 4, 6 have mean 4 and variance 2; t with 4 degrees of freedom is 2.776; half 1.756.
    found = estimate([Counted(None, {2.0: 1, 4.0: 3, 6.0: 1})], is_share=False)
    assert found is not None
    assert found.value == 4
    assert found.width == pytest.approx(2.7764 * (2 / 5) ** 0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("freedom", "t"), [(1, 12.7062), (2, 4.3027), (10, 2.2281), (30, 2.0423), (1000, 1.9623)]
)
def test_the_quantiles_of_student_are_those_of_the_table(freedom: int, t: float) -> None:
    assert student(freedom) == pytest.approx(t, abs=1e-4)


@given(answers, answers.filter(bool))
def test_an_interval_holds_the_share_and_lies_in_what_is_possible(yes: int, no: int) -> None:
    found = estimate([share(yes, no)], is_share=True)
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 100


@given(shares, sizes, sizes)
def test_more_answers_never_widen_the_interval_of_a_share(p: float, n: int, more: int) -> None:
    low, high = wilson(p, n)
    narrow_low, narrow_high = wilson(p, n + more)
    assert narrow_high - narrow_low <= high - low + 1e-12


@given(shares, sizes)
def test_the_interval_of_the_opposite_is_the_interval_turned_round(p: float, n: int) -> None:
    low, high = wilson(p, n)
    other_low, other_high = wilson(1 - p, n)
    assert (1 - other_high, 1 - other_low) == pytest.approx((low, high), abs=1e-9)


@given(st.integers(1, 500), st.integers(1, 500), st.integers(0, 100_000))
def test_a_finite_population_never_widens_an_interval(yes: int, no: int, rest: int) -> None:
    endless = estimate([share(yes, no)], is_share=True)
    finite = estimate([share(yes, no, yes + no + rest)], is_share=True)
    assert endless is not None
    assert finite is not None
    assert finite.width <= endless.width + 1e-9
    if rest == 0:
        assert (finite.low, finite.high) == pytest.approx((finite.value, finite.value), abs=1e-9)
    assert finite.low <= finite.value <= finite.high


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 400), st.integers(1, 400))
def test_strata_are_weighted_by_who_lives_there(a: int, b: int, c: int, d: int) -> None:
    strata = [share(a, b, 30_000), share(c, d, 10_000)]
    found = estimate(strata, is_share=True)
    assert found is not None
    assert found.value == pytest.approx(0.75 * 100 * a / (a + b) + 0.25 * 100 * c / (c + d))
    assert found.low <= found.value <= found.high
    turned = estimate([share(b, a, 30_000), share(d, c, 10_000)], is_share=True)
    assert turned is not None
    assert (100 - turned.high, 100 - turned.low) == pytest.approx((found.low, found.high))


def test_strata_in_which_all_agree_do_not_feign_certainty() -> None:
    found = estimate([share(5, 0, 10_000), share(0, 5, 10_000)], is_share=True)
    assert found is not None
    assert found.width > 20


def test_strata_without_population_count_alike() -> None:
    found = estimate([share(10, 0), share(0, 30)], is_share=True, population=100_000)
    assert found is not None
    assert (found.value, found.n, found.population) == (25, 40, 100_000)


def test_one_answer_to_a_scale_says_nothing() -> None:
    found = estimate([Counted(None, {75.0: 1})], is_share=False)
    assert found is not None
    assert (found.low, found.high) == (0, 100)


def test_nobody_says_nothing() -> None:
    assert estimate([share(0, 0)], is_share=True) is None


def test_who_asks_everybody_has_no_error_of_sampling() -> None:
    assert corrected(400, 400) == float("inf")
    assert corrected(400, None) == 400
