"""Every forecast says why its model was fitted when it was."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from chengmai.forecast.ahead import WHY, Ahead, Points
from chengmai.forecast.model import DAY_S, SECOND_US, Forecast
from chengmai.forecast.telling import why_title

HOUR_US = 3600 * SECOND_US


def points(hours: int, first: int = 0, jump: float = 0.0) -> list[tuple[int, float]]:
    """A daily course with noise; from hour 300 on it lies `jump` higher, and ever more."""
    rng = np.random.default_rng(first)
    made = []
    for hour in range(hours):
        value = 50 + 10 * np.sin(2 * np.pi * hour / 24) + rng.normal()
        made.append((hour * HOUR_US, float(value + jump * max(0, hour - 300))))
    return made


def asked(
    ahead: Ahead,
    hours: int,
    *,
    areas: tuple[str, ...] = ("a",),
    horizon: int = 12,
    jump: float = 0.0,
    beside: dict[str, dict[str, Points]] | None = None,
) -> Forecast:
    some = {area: points(hours, jump=jump) for area in areas}
    found = ahead.forecasts("g", some, step_s=3600, season_s=DAY_S, horizon=horizon, beside=beside)
    return found["a"]


def fitted() -> Ahead:
    ahead = Ahead(refit_every=24)
    asked(ahead, 300)
    return ahead


def test_a_group_without_a_model_is_fitted_for_the_first_time() -> None:
    found = asked(Ahead(refit_every=24), 300)
    assert found.why_fitted == "first"
    assert found.to_json()["why_fitted"] == "first"


def test_the_reason_stays_as_long_as_the_fit_and_over_a_restart() -> None:
    ahead = fitted()
    assert asked(ahead, 310).why_fitted == "first"
    state = ahead.state("g")
    assert state is not None
    again = Ahead(refit_every=24)
    again.restore("g", orjson.loads(orjson.dumps(state)))
    assert asked(again, 311).why_fitted == "first"


def test_a_model_that_served_its_time_is_fitted_by_schedule() -> None:
    assert asked(fitted(), 324).why_fitted == "schedule"


def test_a_model_that_errs_far_more_than_it_did_is_fitted_for_drift() -> None:
    found = asked(fitted(), 323, jump=30.0)
    assert found.why_fitted == "drift"
    assert found.trained_us == 322 * HOUR_US


def test_an_area_that_joins_is_a_reason() -> None:
    assert asked(fitted(), 301, areas=("a", "b")).why_fitted == "group"


def test_another_quantity_that_joins_is_a_reason_once_it_is_asked_for() -> None:
    ahead = fitted()
    beside: dict[str, dict[str, Points]] = {"rain": {"a": points(301, first=7)}}
    assert asked(ahead, 301).why_fitted == "first"
    assert asked(ahead, 301, beside=beside).why_fitted == "group"


def test_another_horizon_is_a_reason() -> None:
    assert asked(fitted(), 301, horizon=6).why_fitted == "grid"


def test_a_group_with_a_long_history_serves_longer() -> None:
    ahead = Ahead(refit_every=1)
    asked(ahead, 4001)
    assert not ahead.is_fit_due("g", 4006 * HOUR_US)
    assert ahead.is_fit_due("g", 4007 * HOUR_US)


def test_what_could_not_be_fitted_is_tried_again_when_there_is_more() -> None:
    ahead = Ahead(refit_every=24)
    asked(ahead, 30)
    assert asked(ahead, 31).why_fitted == "retry"


def test_other_quantities_are_wanted_where_they_can_make_a_difference() -> None:
    ahead = Ahead(refit_every=24)
    assert ahead.wants_beside("g", 0)
    asked(ahead, 300)
    assert not ahead.wants_beside("g", 301 * HOUR_US)
    assert ahead.wants_beside("g", 323 * HOUR_US)


@pytest.mark.parametrize("word", WHY)
def test_every_reason_is_told_in_both_languages(word: str) -> None:
    told = why_title(word)
    assert not told.zh.isascii()
    assert told.en.isascii()
    assert len({why_title(one).en for one in WHY}) == len(WHY)


def test_a_fit_of_before_reasons_were_kept_has_a_dash() -> None:
    assert why_title("").en == "–"
