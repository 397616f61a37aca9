"""Trials look at nothing that lies after their origin."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.forecast.backtest import Trial, mean_abs, run_trial
from chengmai.forecast.fitting import candidates
from chengmai.forecast.model import Floats
from chengmai.forecast.rules import choose_model, conformal_tails


def a_trial(values: Floats, season: int = 24) -> Trial:
    return run_trial(values, candidates(0), horizon=6, season=season, day=0, count=30)


def seasonal(n: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(np.sin(2 * np.pi * np.arange(n) / 24) * 5 + rng.normal(size=n))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), cut=st.integers(0, 29))
def test_changing_the_future_changes_no_earlier_expectation(seed: int, cut: int) -> None:
    values = seasonal(240, seed)
    trial = a_trial(values)
    row = min(cut, len(trial.origins) - 1)
    changed = values.copy()
    changed[trial.origins[row] :] += 1000.0
    again = a_trial(changed)
    for name, made in trial.expected.items():
        np.testing.assert_array_equal(made[: row + 1], again.expected[name][: row + 1])


def test_the_last_origin_leaves_exactly_the_horizon() -> None:
    trial = a_trial(seasonal(240, 0))
    assert trial.origins[-1] == 240 - 6
    assert np.isfinite(trial.actual).all()


def test_chosen_model_is_never_worse_than_the_naive() -> None:
    for seed in range(5):
        trial = a_trial(seasonal(300, seed))
        chosen = choose_model(trial)
        assert mean_abs(trial.errors(chosen)) <= mean_abs(trial.errors("seasonal_naive"))


def test_exactly_seasonal_values_leave_the_naive_in_place() -> None:
    values = np.tile(np.random.default_rng(0).normal(size=24), 10)
    assert choose_model(a_trial(values)) == "seasonal_naive"


def test_missing_targets_count_in_no_error() -> None:
    values = seasonal(300, 1)
    holes = values.copy()
    holes[-3:] = np.nan
    trial = a_trial(holes)
    assert np.isnan(trial.errors("persistence")[-1, -3:]).all()
    assert np.isfinite(mean_abs(trial.errors("persistence")))


def test_conformal_tails_hold_four_fifths_of_like_residuals() -> None:
    rng = np.random.default_rng(3)
    low, high = conformal_tails(rng.gamma(2.0, size=(60, 12)) - 2.0)
    fresh = rng.gamma(2.0, size=(4000, 12)) - 2.0
    assert 0.76 <= ((fresh >= low) & (fresh <= high)).mean() <= 0.87
