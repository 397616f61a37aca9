"""The mean of ridge and neural networks, and other quantities beside a series."""

from __future__ import annotations

import numpy as np
import orjson

from chengmai.forecast.blended import NetworkBlend
from chengmai.forecast.fitting import fit_panel
from chengmai.forecast.forecasters import Forecaster
from chengmai.forecast.gaps import filled
from chengmai.forecast.model import DAY_S, SECOND_US, Floats, Panel, Series
from chengmai.forecast.network import NetworkRidge
from chengmai.forecast.states import restore, state_of

CUT = 1500


def a_valley(hours: int = 2000, columns: int = 4, seed: int = 0) -> tuple[Floats, Floats]:
    """Smoke that a wind clears three hours later, and only a strong wind does; and the wind."""
    rng = np.random.default_rng(seed)
    wind = np.zeros(hours)
    for i in range(1, hours):
        wind[i] = 0.9 * wind[i - 1] + rng.normal()
    smoke = np.zeros((hours, columns))
    for i in range(3, hours):
        blown = max(0.0, wind[i - 3] - 2.0)
        smoke[i] = smoke[i - 1] * (0.97 - 0.25 * min(blown, 3.0)) + 1.0
    smoke += 10 + np.arange(columns) + 0.3 * rng.normal(size=smoke.shape)
    return smoke, np.repeat(wind[:, None], columns, axis=1)


def error(model: Forecaster, panel: Floats, columns: int = 4, horizon: int = 6) -> float:
    fitted = model.fit(panel[:CUT], horizon, 24)
    assert fitted is not None
    origins = np.arange(CUT, len(panel) - horizon, dtype=np.int64)
    actual = panel[origins[:, None] + np.arange(horizon)][:, :, :columns]
    return float(np.abs(actual - fitted.at(panel, origins, slice(0, columns))).mean())


def test_what_precedes_a_series_elsewhere_makes_its_forecast_better() -> None:
    smoke, wind = a_valley()
    alone = error(NetworkRidge(), smoke)
    beside = error(NetworkRidge(companions=1), np.concatenate([smoke, wind], axis=1))
    assert beside < 0.95 * alone


def test_networks_bend_where_the_ridge_is_straight() -> None:
    panel = np.concatenate(a_valley(), axis=1)
    ridge = NetworkRidge(companions=1)
    assert error(NetworkBlend(ridge, seeds=(0,)), panel) < 0.95 * error(ridge, panel)


def test_a_blend_knows_no_future_and_survives_as_json() -> None:
    panel = np.concatenate(a_valley(1200), axis=1)
    fitted = NetworkBlend(NetworkRidge(companions=1), seeds=(0,)).fit(panel, 6, 24)
    assert fitted is not None
    at = np.array([900, 1200], dtype=np.int64)
    changed = panel.copy()
    changed[900:] = 1e6
    np.testing.assert_array_equal(fitted.at(panel, at[:1]), fitted.at(changed, at[:1]))
    again = restore(orjson.loads(orjson.dumps(state_of(fitted))))
    np.testing.assert_array_equal(again.at(panel, at), fitted.at(panel, at))


def test_the_same_past_teaches_the_same_networks() -> None:
    panel, _ = a_valley(1200)
    model, at = NetworkBlend(NetworkRidge(), seeds=(3,)), np.array([1200], dtype=np.int64)
    one, other = model.fit(panel, 6, 24), model.fit(panel, 6, 24)
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.at(panel, at), other.at(panel, at))


def test_a_short_past_teaches_no_network() -> None:
    panel, _ = a_valley(400)
    assert NetworkBlend(NetworkRidge()).fit(panel, 6, 24) is None


def test_gaps_of_panel_and_companions_harm_nothing() -> None:
    panel = np.concatenate(a_valley(), axis=1)
    rng = np.random.default_rng(1)
    panel[rng.random(panel.shape) < 0.05] = np.nan
    panel[600:680, 1] = np.nan
    panel[:, 6] = np.nan  # this place has no wind of its own
    fitted = NetworkBlend(NetworkRidge(companions=1), seeds=(0,)).fit(panel, 6, 24)
    assert fitted is not None
    assert np.isfinite(fitted.at(panel, np.array([CUT, 2000], dtype=np.int64))).all()


def test_a_fitted_panel_foresees_its_series_and_not_their_companions() -> None:
    smoke, wind = a_valley(4100, columns=2)
    panel = Panel(np.concatenate([smoke, wind], axis=1), 0, 3600, companions=1)
    fitted = fit_panel(panel, horizon=6, season_s=DAY_S)
    assert len(fitted.verdicts) == 2
    assert fitted.sees_companions
    assert {one.model for one in fitted.look_ahead(panel)} == {"blend"}


def test_companions_are_left_aside_in_a_short_past() -> None:
    smoke, wind = a_valley(800)
    panel = Panel(np.concatenate([smoke, wind], axis=1), 0, 3600, companions=1)
    fitted = fit_panel(panel, horizon=6, season_s=DAY_S)
    assert not fitted.companions
    alone = fit_panel(Panel(smoke, 0, 3600), horizon=6, season_s=DAY_S)
    np.testing.assert_array_equal(
        fitted.look_ahead(panel)[0].median, alone.look_ahead(Panel(smoke, 0, 3600))[0].median
    )


def test_companions_are_laid_onto_the_grid_of_the_series() -> None:
    hour = 3600 * SECOND_US
    panel = Panel(np.arange(8.0).reshape(4, 2), 10 * hour, 3600)
    early = Series(np.array([1.0, 2.0, 3.0]), 9 * hour, 3600)
    late = Series(np.array([7.0, 8.0]), 13 * hour, 3600)
    wide = panel.with_companions([[early, None], [None, late]])
    np.testing.assert_array_equal(wide.own, panel.values)
    np.testing.assert_array_equal(wide.values[:, 2], [2.0, 3.0, np.nan, np.nan])
    np.testing.assert_array_equal(wide.values[:, 5], [np.nan, np.nan, np.nan, 7.0])
    assert np.isnan(wide.values[:, [3, 4]]).all()


def test_a_gap_takes_the_value_a_season_before_else_the_last_else_the_middle() -> None:
    nan = np.nan
    values = np.array([nan, 1.0, nan, 3.0, 4.0, nan, nan, nan])[:, None]
    found = filled(values, 4, np.array([9.0]))
    np.testing.assert_array_equal(found[:, 0], [9.0, 1.0, 1.0, 3.0, 4.0, 1.0, 1.0, 3.0])
