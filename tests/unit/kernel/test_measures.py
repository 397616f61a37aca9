"""Durations in buckets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chengmai.kernel.measures import Durations

SECONDS = st.floats(min_value=0, max_value=100, allow_nan=False)


@given(st.lists(SECONDS, min_size=1, max_size=50), st.floats(min_value=0.01, max_value=1))
def test_a_quantile_is_a_bound_that_so_many_did_not_exceed(
    noted: list[float], share: float
) -> None:
    durations = Durations()
    for seconds in noted:
        durations.note(seconds)
    bound = durations.quantile(share)
    assert bound is not None
    assert sum(seconds <= bound for seconds in noted) >= share * len(noted)
    assert durations.buckets()[-1] == ("+Inf", len(noted))


def test_nothing_noted_has_no_quantile() -> None:
    assert Durations().quantile(0.5) is None
