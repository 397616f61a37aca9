"""Forecasts of signs, and crossings told before they come."""

from __future__ import annotations

import pytest

from chengmai.kernel.events import Events
from chengmai.ngsild.entity import value_of
from chengmai.packs.model import Opens
from chengmai.vitals.ports import Ports
from chengmai.vitals.problems import VitalNotFound
from chengmai.vitals.service import VitalsService
from tests.unit.vitals.builders import HOUR, SHANGHAI, TENANT, Bench, a_bench, a_spec, run

FORECAST = "urn:ngsi-ld:Forecast:environment:pm25:Haidian"


def foreseen(*ahead: float, bench: Bench | None = None, shown: bool = True) -> Bench:
    """Two quiet hours and a look ahead."""
    bench = bench or a_bench()
    bench.city.median_ahead, bench.city.shown = ahead, shown
    bench.hour(40.0)
    bench.hour(45.0)
    run(bench.service.forecast(TENANT))
    return bench


def again(bench: Bench, *ahead: float, value: float = 45.0) -> None:
    bench.city.median_ahead = ahead
    bench.hour(value)
    run(bench.service.forecast(TENANT))


def test_a_forecast_starts_at_the_last_completed_tick() -> None:
    bench = foreseen(50.0, 70.0)
    made = bench.city.entities[FORECAST]
    assert value_of(made, "forecast")["origin"] == "2026-11-22T13:00:00Z"
    assert value_of(made, "expectedLevel") == "watch"
    assert value_of(made, "expectedAt") == "2026-11-22T15:00:00Z"
    assert value_of(bench.entity(), "refForecast") == FORECAST


def test_it_is_made_once_a_completed_tick() -> None:
    bench = foreseen(50.0)
    assert run(bench.service.forecast(TENANT)).changed == ()
    assert bench.city.forecasts_made == 1
    again(bench, 50.0)
    assert bench.city.forecasts_made == 2


def test_an_expected_crossing_is_told_before_it_comes() -> None:
    (event,) = foreseen(50.0, 120.0, 130.0).told
    assert (event.kind, event.level, event.previous_level) == ("predicted", "act", "normal")
    assert event.expected_at is not None
    assert event.expected_at.isoformat() == "2026-11-22T15:00:00+00:00"
    assert event.value == 120.0
    assert "115" in event.reason.en
    assert event.category == "air_pollution"
    assert [reading["value"] for reading in event.evidence] == [40.0]


def test_it_is_told_once_an_episode() -> None:
    bench = foreseen(120.0)
    again(bench, 120.0)
    again(bench, 50.0)
    again(bench, 120.0)
    assert len(bench.told) == 1
    for _ in range(3):
        again(bench, 50.0)
    again(bench, 120.0)
    assert len(bench.told) == 2


def test_nothing_is_foretold_without_skill() -> None:
    bench = foreseen(120.0, shown=False)
    assert bench.told == []
    assert value_of(bench.city.entities[FORECAST], "expectedLevel") == "unknown"


def test_nothing_is_foretold_that_is_there_already() -> None:
    bench = a_bench()
    bench.hour(130.0)
    bench.hour(130.0)
    again(bench, 130.0, value=130.0)
    assert [event.kind for event in bench.told] == ["real"]


def test_nothing_is_foretold_that_opens_no_case() -> None:
    spec = a_spec(opens=Opens(category="air_pollution", at="act", predicted=False))
    assert foreseen(120.0, bench=a_bench(spec)).told == []


def test_a_silent_sign_is_not_looked_ahead_from() -> None:
    bench = foreseen(50.0)
    bench.city.clock.advance(9 * HOUR)
    run(bench.service.tick(TENANT))
    assert run(bench.service.forecast(TENANT)).changed == ()


def test_a_look_ahead_does_not_disturb_the_evaluation() -> None:
    bench = foreseen(120.0)
    assert run(bench.service.tick(TENANT)).changed == ()
    assert bench.level() == "normal"


def test_the_board_shows_what_is_expected() -> None:
    bench = foreseen(50.0, 70.0)
    (view,) = run(bench.board.board(TENANT))
    assert view.forecast is not None
    assert (view.expected_level, view.expected_at) == ("watch", "2026-11-22T15:00:00Z")


def test_fitted_models_are_stored_and_taken_back_after_a_restart() -> None:
    bench = foreseen(50.0)
    assert list(bench.models.kept) == [f"{TENANT} environment/pm25"]
    bench.city.trained.clear()
    city = bench.city
    ports = Ports(city, city, city, city, city, city, bench.models, Events(), city.clock)
    again = VitalsService(ports, bench.signs, SHANGHAI)
    run(again.forecast(TENANT))
    assert bench.city.restored == [f"{TENANT} environment/pm25"]


def test_a_backtest_of_all_signs_names_sign_and_area_and_keeps_nothing() -> None:
    bench = foreseen(50.0)
    made = bench.city.forecasts_made
    found = run(bench.service.backtests(TENANT))
    assert [(one.sign, one.area) for one in found] == [("environment/pm25", "Haidian")]
    assert bench.city.forecasts_made == made


def test_a_backtest_of_an_unknown_sign_is_refused() -> None:
    with pytest.raises(VitalNotFound):
        run(foreseen(50.0).service.backtests(TENANT, "nothing"))


def test_no_model_is_fitted_beyond_the_time_allowed_and_the_next_call_makes_up_for_it() -> None:
    bench = a_bench()
    bench.city.median_ahead = (50.0,)
    bench.hour(40.0)
    bench.hour(45.0)
    assert run(bench.service.forecast(TENANT, fits_until_s=0.0)).changed == ()
    assert bench.city.forecasts_made == 0
    assert run(bench.service.forecast(TENANT, fits_until_s=60.0)).changed == (FORECAST,)
    again(bench, 50.0)
    assert bench.city.forecasts_made == 2
