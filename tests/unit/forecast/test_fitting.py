"""Choosing a model, its interval, and whether it may be shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.forecast.fitting import Fitted, candidates, fit
from chengmai.forecast.forecasters import fit_predict
from chengmai.forecast.model import DAY_S, Floats, Series
from chengmai.forecast.telling import model_title

WEEK_S = 7 * DAY_S


def a_series(hours: int = 1008, *, ar: float = 0.9, seed: int = 0) -> Series:
    """A daily and weekly pattern with autoregressive weather on top, hourly."""
    rng = np.random.default_rng(seed)
    t = np.arange(hours)
    weather = np.zeros(hours)
    noise = rng.normal(size=hours)
    for i in range(1, hours):
        weather[i] = ar * weather[i - 1] + noise[i]
    daily, weekly = 10 * np.sin(2 * np.pi * t / 24), 3 * np.cos(2 * np.pi * t / 168)
    return Series(50 + daily + weekly + weather, 0, 3600)


def fitted(values: Floats) -> Fitted:
    return fit(Series(values, 0, 3600), season_s=WEEK_S)


def test_forecast_beats_the_naive_when_there_is_something_to_learn() -> None:
    found = fit(a_series(), season_s=WEEK_S)
    assert found.shown
    assert found.backtest is not None
    assert found.backtest.skill > 0.1
    assert found.backtest.mae < found.backtest.naive_mae


def test_forecast_is_right_about_days_it_has_not_seen() -> None:
    whole = a_series(1008 + 24)
    ahead = fit(Series(whole.values[:1008], 0, 3600), season_s=WEEK_S).look_ahead(
        Series(whole.values[:1008], 0, 3600)
    )
    assert np.abs(whole.values[1008:] - ahead.median).mean() < 4.0
    assert (ahead.low <= ahead.median).all()
    assert (ahead.median <= ahead.high).all()
    assert ahead.origin_us == 1007 * 3_600_000_000


@pytest.mark.parametrize("seed", range(5))
def test_pure_noise_is_not_shown_as_a_forecast(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(10, 1, size=1008)
    found = fitted(noise)
    assert not found.shown
    assert "基线" in found.because.zh
    assert "baseline" in found.because.en


def test_interval_holds_what_it_promises_on_held_out_origins() -> None:
    tests = [fit(a_series(seed=seed), season_s=WEEK_S).backtest for seed in range(6)]
    coverage = np.mean([test.coverage for test in tests if test is not None])
    assert 0.72 <= coverage <= 0.88


def test_interval_holds_what_it_promises_on_days_that_came_later() -> None:
    inside = []
    for seed in range(6):
        whole = a_series(1008 + 24, seed=100 + seed).values
        past = Series(whole[:1008], 0, 3600)
        ahead = fit(past, season_s=WEEK_S).look_ahead(past)
        inside.append((whole[1008:] >= ahead.low) & (whole[1008:] <= ahead.high))
    assert 0.70 <= np.mean(inside) <= 0.92


def test_a_constant_series_needs_no_forecast() -> None:
    found = fitted(np.full(800, 7.0))
    assert not found.shown
    ahead = found.look_ahead(Series(np.full(800, 7.0), 0, 3600))
    assert np.allclose(ahead.naive, 7.0)


def test_a_short_series_says_how_much_is_missing() -> None:
    found = fitted(np.ones(60))
    assert not found.shown
    assert found.backtest is None
    assert "72" in found.because.en
    assert "72" in found.because.zh


def test_a_past_of_some_days_is_judged_by_the_season_of_a_day() -> None:
    some_days, some_weeks = a_series(24 * 8), a_series(24 * 42)
    assert fit(some_days, season_s=WEEK_S).season == 24
    assert fit(some_days, season_s=WEEK_S).backtest is not None
    assert fit(some_weeks, season_s=WEEK_S).season == 168


def test_missing_values_are_left_out_and_not_invented() -> None:
    values = a_series().values.copy()
    rng = np.random.default_rng(1)
    values[rng.random(len(values)) < 0.1] = np.nan
    values[400:430] = np.nan
    found = fitted(values)
    assert found.backtest is not None
    assert found.backtest.skill > 0
    ahead = found.look_ahead(Series(values, 0, 3600))
    assert np.isfinite(ahead.median).all()


def test_a_silent_series_shows_nothing() -> None:
    found = fitted(np.full(1008, np.nan))
    assert not found.shown


def test_a_quantity_that_was_never_negative_stays_so() -> None:
    values = np.maximum(a_series().values - 55, 0.0)
    ahead = fitted(values).look_ahead(Series(values, 0, 3600))
    assert (ahead.low >= 0).all()


def test_forecast_moves_on_between_fits() -> None:
    whole = a_series(1032)
    found = fit(Series(whole.values[:1008], 0, 3600), season_s=WEEK_S)
    first = found.look_ahead(Series(whole.values[:1008], 0, 3600))
    later = found.look_ahead(Series(whole.values[:1020], 0, 3600))
    assert later.origin_us - first.origin_us == 12 * 3_600_000_000
    assert later.params == first.params


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    origin=st.integers(420, 600),
    name=st.sampled_from([model.name for model in candidates(24, 168)]),
)
def test_the_future_does_not_change_a_forecast_of_the_past(
    seed: int, origin: int, name: str
) -> None:
    model = next(m for m in candidates(24, 168) if m.name == name)
    history = a_series(640, seed=seed).values
    history[np.random.default_rng(seed).random(640) < 0.05] = np.nan
    changed = history.copy()
    changed[origin:] = 1e6
    before = fit_predict(model, history[:origin], 24, 168)
    after = fit_predict(model, changed[:origin], 24, 168)
    assert (before is None) == (after is None)
    # One series teaches these from two and four months on.
    assert before is not None or name in {"shared_ridge", "blend"}
    if before is not None and after is not None:
        np.testing.assert_array_equal(before, after)


def test_stored_form_names_model_origin_and_errors() -> None:
    series = a_series()
    stored = fit(series, season_s=WEEK_S).look_ahead(series).to_json()
    assert stored["origin"] == "1970-02-11T23:00:00Z"
    assert stored["points"][0]["at"] == "1970-02-12T00:00:00Z"
    assert len(stored["points"]) == 24
    assert set(stored["points"][0]) == {"at", "median", "low", "high", "naive"}
    assert set(stored["backtest"]) == {
        "mae", "naive_mae", "skill", "coverage", "origins", "horizon",
    }  # fmt: skip
    assert set(stored["because"]) == {"zh", "en"}


def test_every_model_on_trial_has_a_title_in_both_languages() -> None:
    titles = {model.name: model_title(model.name) for model in candidates(24, 168)}

    assert all(not title.zh.isascii() and title.en.isascii() for title in titles.values())
    assert len({title.zh for title in titles.values()}) == len(titles)
