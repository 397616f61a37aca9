"""Series that learn from each other, and fitted models as data."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.forecast.ahead import Ahead, has_drifted
from chengmai.forecast.fitting import FittedPanel, fit_panel
from chengmai.forecast.model import DAY_S, SECOND_US, Floats, Panel
from chengmai.forecast.network import NetworkRidge
from chengmai.forecast.problems import StateInvalid
from chengmai.forecast.shared import SharedRidge
from chengmai.forecast.states import restore, state_of

HOUR_US = 3600 * SECOND_US


def a_network(hours: int = 700, columns: int = 4, seed: int = 0) -> Floats:
    """One weather that wanders through the columns, an hour later in each."""
    rng = np.random.default_rng(seed)
    weather = np.zeros(hours + columns)
    for i in range(1, len(weather)):
        weather[i] = 0.95 * weather[i - 1] + rng.normal()
    daily = 10 * np.sin(2 * np.pi * np.arange(hours) / 24)
    moved = [weather[columns - c : columns - c + hours] for c in range(columns)]
    return np.stack([100 + daily + 3 * one + 0.1 * rng.normal(size=hours) for one in moved], axis=1)


def error(model: NetworkRidge, panel: Floats, column: int) -> float:
    fitted = model.fit(panel[:500], 3, 24)
    assert fitted is not None
    origins = np.arange(500, len(panel) - 3, dtype=np.int64)
    ahead = fitted.at(panel, origins)[:, :, column]
    return float(np.abs(ahead - panel[origins[:, None] + np.arange(3), column]).mean())


def test_a_series_is_known_better_with_the_neighbours_that_precede_it() -> None:
    panel = a_network()
    alone, together = NetworkRidge(neighbours=0), NetworkRidge(neighbours=3)
    assert error(together, panel, 3) < 0.7 * error(alone, panel, 3)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), origin=st.integers(520, 690), shared=st.booleans())
def test_no_column_knows_the_future_of_any(seed: int, origin: int, shared: bool) -> None:
    panel = a_network(seed=seed)
    panel[np.random.default_rng(seed).random(panel.shape) < 0.05] = np.nan
    model = SharedRidge(day=24) if shared else NetworkRidge(day=24)
    fitted = model.fit(panel[:520], 12, 168)
    assert fitted is not None
    changed = panel.copy()
    changed[origin:] = 1e6
    at = np.array([origin], dtype=np.int64)
    np.testing.assert_array_equal(fitted.at(panel, at), fitted.at(changed, at))


@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_a_forecast_follows_the_unit_of_its_series(scale: float) -> None:
    panel = a_network()
    at = np.array([len(panel)], dtype=np.int64)
    for model in (NetworkRidge(day=24), SharedRidge(day=24)):
        one, other = model.fit(panel, 24, 168), model.fit(panel * scale, 24, 168)
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(
            other.at(panel * scale, at), one.at(panel, at) * scale, rtol=2e-3
        )


@pytest.mark.parametrize("model", [NetworkRidge(day=24), SharedRidge(day=24)])
def test_a_fitted_model_survives_as_json(model: NetworkRidge | SharedRidge) -> None:
    panel = a_network()
    fitted = model.fit(panel, 24, 168)
    assert fitted is not None
    again = restore(orjson.loads(orjson.dumps(state_of(fitted))))
    at = np.array([600, len(panel)], dtype=np.int64)
    np.testing.assert_array_equal(again.at(panel, at), fitted.at(panel, at))


def test_a_stored_model_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(StateInvalid):
        restore({"kind": "Pickle"})


def test_a_fitted_panel_looks_ahead_the_same_after_a_restart() -> None:
    panel = Panel(a_network(), 0, 3600)
    fitted = fit_panel(panel, season_s=DAY_S)
    again = FittedPanel.from_state(orjson.loads(orjson.dumps(fitted.to_state())))
    for one, other in zip(fitted.look_ahead(panel), again.look_ahead(panel), strict=True):
        assert one.to_json() == other.to_json()


def test_a_column_that_began_late_says_what_it_lacks_and_harms_no_other() -> None:
    values = a_network()
    values[:660, 2] = np.nan
    verdicts = fit_panel(Panel(values, 0, 3600), season_s=DAY_S).verdicts
    assert verdicts[2].backtest is None
    assert "72" in verdicts[2].because.en
    assert all(verdicts[column].shown for column in (0, 1, 3))


def test_a_model_that_errs_far_more_than_in_its_test_has_drifted() -> None:
    values = a_network(800)
    fitted = fit_panel(Panel(values[:700], 0, 3600), season_s=DAY_S)
    assert not has_drifted(fitted, Panel(values, 0, 3600))
    values[700:] += np.linspace(0, 400, 100)[:, None]
    assert has_drifted(fitted, Panel(values, 0, 3600))


def test_a_group_is_not_fitted_again_after_its_state_was_taken_back() -> None:
    values = a_network(720)
    points = {
        str(c): [(i * HOUR_US, float(v)) for i, v in enumerate(values[:700, c])] for c in range(2)
    }
    first, second = Ahead(refit_every=24), Ahead(refit_every=24)
    made = first.forecasts("g", points, step_s=3600, season_s=DAY_S, horizon=24)
    state = first.state("g")
    assert state is not None
    second.restore("g", orjson.loads(orjson.dumps(state)))
    for c in range(2):
        points[str(c)] += [(i * HOUR_US, float(values[i, c])) for i in range(700, 710)]
    later = second.forecasts("g", points, step_s=3600, season_s=DAY_S, horizon=24)
    assert later["0"].params == made["0"].params
    assert later["0"].trained_us == 699 * HOUR_US
    assert later["0"].origin_us == 709 * HOUR_US


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(StateInvalid) as problem:
        Ahead(refit_every=24).restore("g", {"version": 99})
    assert problem.value.fix
