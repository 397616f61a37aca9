"""Trials look at nothing that lies after their origin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.forecast.backtest import Trial, mean_abs, origins_of, run_trial
from chengmai.forecast.conformal import rolling_tails, tails_of
from chengmai.forecast.fitting import candidates
from chengmai.forecast.model import Floats
from chengmai.forecast.rules import choose_model


def a_trial(values: Floats, season: int = 24) -> Trial:
    origins = origins_of(len(values), horizon=6, season=season, day=0, count=30)
    models = candidates(0, season)
    trial = run_trial(values[:, None], models, horizon=6, season=season, origins=origins)
    return trial.column(0)


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
    low, high = tails_of(rng.gamma(2.0, size=(60, 12)) - 2.0)
    fresh = rng.gamma(2.0, size=(4000, 12)) - 2.0
    assert 0.76 <= ((fresh >= low) & (fresh <= high)).mean() <= 0.87


@pytest.mark.parametrize(("origins", "alike"), [(17, 0.95), (17, 0.0), (24, 0.8), (60, 0.9)])
def test_residuals_that_repeat_each_other_do_not_make_the_interval_narrow(
    origins: int, alike: float
) -> None:
    rng = np.random.default_rng(11)
    errors = wandering(rng, origins, alike)
    low, high = tails_of(errors)
    fresh = wandering(rng, 400, alike)
    assert 0.78 <= ((fresh >= low) & (fresh <= high)).mean() <= 0.82


def test_origins_that_repeat_each_other_widen_the_interval() -> None:
    rng = np.random.default_rng(12)
    apart = rng.normal(size=(40, 6, 200))
    same = np.repeat(rng.normal(size=(8, 6, 200)), 5, axis=0)
    width = [float((high - low).mean()) for low, high in map(tails_of, (apart, same))]
    assert width[1] > 1.05 * width[0]


def test_one_step_ahead_has_an_interval_too() -> None:
    rng = np.random.default_rng(13)
    low, high = tails_of(rng.normal(size=(40, 1, 200)))
    fresh = rng.normal(size=(500, 1, 200))
    assert 0.78 <= ((fresh >= low) & (fresh <= high)).mean() <= 0.82


def test_origins_without_residuals_count_for_nothing() -> None:
    rng = np.random.default_rng(14)
    errors = wandering(rng, 17, 0.9)
    more = np.concatenate([np.full((7, *errors.shape[1:]), np.nan), errors])
    for one, other in zip(tails_of(errors), tails_of(more), strict=True):
        np.testing.assert_allclose(one, other, rtol=0.1, atol=0.2)


def wandering(rng: np.random.Generator, origins: int, alike: float) -> Floats:
    """Return errors of 24 steps and 200 series; those of steps side by side go together."""
    errors = rng.normal(size=(origins, 24, 200))
    for step in range(1, 24):
        errors[:, step] = alike * errors[:, step - 1] + np.sqrt(1 - alike**2) * errors[:, step]
    return errors


def test_interval_finds_its_share_again_after_a_change_of_regime() -> None:
    rng = np.random.default_rng(5)
    origins = np.arange(0, 400 * 6, 6, dtype=np.int64) + 100
    errors = rng.normal(size=(400, 12))
    errors[200:] *= 4.0
    (low, high), _ = rolling_tails(errors, origins, 3000)
    inside = (errors >= low) & (errors <= high)
    assert 0.76 <= inside[40:200].mean() <= 0.84
    assert inside[204:224].mean() < 0.7
    assert 0.76 <= inside[300:].mean() <= 0.86


def test_interval_of_an_origin_knows_no_error_that_was_not_yet_there() -> None:
    rng = np.random.default_rng(6)
    origins = np.arange(0, 60 * 6, 6, dtype=np.int64) + 100
    errors = rng.normal(size=(60, 12))
    changed = errors.copy()
    changed[39:] = 1e3  # origin 40 lies six steps after origin 39, whose targets reach twelve
    (low, _), _ = rolling_tails(errors, origins, 500)
    (again, _), _ = rolling_tails(changed, origins, 500)
    np.testing.assert_array_equal(low[:41], again[:41])
