"""Stored forecasts against what came."""

from __future__ import annotations

from typing import Any

import pytest

from chengmai.forecast.record import HORIZONS, Tally, record_of
from chengmai.kernel.instants import format_us

HOUR_US = 3_600_000_000


def a_forecast(
    origin: int, *, median: float = 10.0, trained: int = 0, **more: Any
) -> dict[str, Any]:
    """Return a forecast of 24 hours from an hour on, with an interval of two to each side."""
    return {
        "origin": format_us(origin * HOUR_US),
        "model": "ridge",
        "version": "1",
        "params": "abc",
        "trained": format_us(trained * HOUR_US),
        "level": 0.8,
        "shown": True,
        "points": [
            {
                "at": format_us((origin + step) * HOUR_US),
                "median": median,
                "low": median - 2,
                "high": median + 2,
                "naive": 14.0,
            }
            for step in range(1, 25)
        ],
    } | more


def came(hours: range, value: float) -> dict[int, float]:
    return {hour * HOUR_US: value for hour in hours}


def test_points_are_judged_by_how_far_ahead_they_were() -> None:
    record = record_of([a_forecast(0)], came(range(1, 9), 11.0))
    assert [tally.points for tally in record.by_horizon] == [1, 5, 2, 0]
    assert record.total.mae == 1.0
    assert record.total.naive_mae == 3.0
    assert record.total.skill == pytest.approx(2 / 3)
    assert record.total.share == pytest.approx(1 / 11)
    assert record.total.coverage == 1.0


def test_what_lies_outside_the_interval_is_not_held() -> None:
    actual = came(range(1, 5), 11.0) | came(range(5, 9), 20.0)
    assert record_of([a_forecast(0)], actual).total.coverage == 0.5


def test_what_has_not_come_is_not_judged() -> None:
    record = record_of([a_forecast(0)], {})
    assert record.forecasts == 1
    assert record.total == Tally()
    assert (record.total.mae, record.total.coverage, record.total.skill) == (None, None, None)


def test_the_model_and_the_naive_are_judged_on_the_same_points() -> None:
    forecast = a_forecast(0)
    forecast["points"][0]["naive"] = None
    assert record_of([forecast], came(range(1, 3), 11.0)).total.points == 1


def test_a_forecast_made_again_replaces_the_one_before() -> None:
    record = record_of([a_forecast(0, median=50.0), a_forecast(0)], came(range(1, 25), 10.0))
    assert record.forecasts == 1
    assert record.total.mae == 0.0


def test_every_fit_is_kept_once_the_newest_first() -> None:
    forecasts = [a_forecast(hour, trained=24 * (hour // 3)) for hour in range(7)]
    versions = record_of(forecasts, {}).versions
    assert [fit.first_origin for fit in versions] == [format_us(h * HOUR_US) for h in (6, 3, 0)]


def test_forecasts_that_were_not_shown_are_counted_and_judged() -> None:
    record = record_of([a_forecast(0, shown=False)], came(range(1, 2), 10.0))
    assert (record.unshown, record.total.points) == (1, 1)


def test_horizons_leave_no_step_out() -> None:
    steps = [step for first, last in HORIZONS for step in range(first, last + 1)]
    assert steps == list(range(1, 25))


def test_each_fit_keeps_why_it_was_made_and_an_old_one_says_nothing() -> None:
    stored = [a_forecast(0), a_forecast(24, trained=24, why_fitted="drift")]
    assert [fit.why for fit in record_of(stored, {}).versions] == ["drift", ""]
