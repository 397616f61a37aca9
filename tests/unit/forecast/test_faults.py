from __future__ import annotations

import numpy as np
import pytest

from chengmai.forecast.faults import Beside, Fault, FaultKind, verdict
from chengmai.forecast.model import Floats

DAY, DAYS = 24, 35


def areas(count: int = 5, seed: int = 3) -> Floats:
    """Return hourly values of five areas that share a day and a weather."""
    rng = np.random.default_rng(seed)
    hours = np.arange(DAYS * DAY)
    shared = 20 + 6 * np.sin(2 * np.pi * hours / DAY) + np.cumsum(rng.normal(0, 0.15, len(hours)))
    return np.round(shared[:, None] + rng.normal(0, 0.4, (len(hours), count)), 2)


def judged(
    values: Floats, *, one_field: bool = False, held: FaultKind | None = None
) -> Fault | None:
    return verdict(values[:, 0], values[:, 1:], day=DAY, one_field=one_field, held=held)


def kind(values: Floats, *, one_field: bool = False) -> str | None:
    found = judged(values, one_field=one_field)
    return found.kind if found else None


def test_nothing_speaks_against_a_sensor_that_goes_with_the_others() -> None:
    assert kind(areas(), one_field=True) is None


def test_a_value_that_stays_while_others_move_is_stuck() -> None:
    values = areas()
    values[-8:, 0] = values[-8, 0]
    found = judged(values)
    assert found is not None
    assert (found.kind, found.steps) == ("stuck", 8)
    assert "8 steps" in found.sentence.en
    assert "8 个时刻" in found.sentence.zh


def test_five_equal_values_are_not_stuck_yet() -> None:
    values = areas()
    values[-5:, 0] = values[-5, 0]
    assert kind(values) is None


def test_a_value_that_stays_as_those_of_the_others_do_is_not_stuck() -> None:
    values = areas()
    values[-12:] = values[-12]
    assert kind(values) is None


def test_a_count_that_is_zero_every_night_is_not_stuck() -> None:
    values = areas()
    night = np.arange(len(values)) % DAY >= 14
    values[night, 0] = 0.0
    assert night[-10:].all()
    assert kind(values) is None


def test_a_constant_is_not_stuck_but_constant() -> None:
    values = areas()
    values[:, 0] = 100.0
    assert kind(values) is None


def test_what_creeps_away_from_the_others_for_days_drifts() -> None:
    values = areas()
    values[-5 * DAY :, 0] += np.linspace(0, 5, 5 * DAY)
    assert kind(values) == "drift"


def test_a_drift_stays_one_until_it_is_nearly_back() -> None:
    values = areas()
    values[-7 * DAY : -2 * DAY, 0] += np.linspace(0, 5, 5 * DAY)
    values[-2 * DAY :, 0] += 5
    held = judged(values, held="drift")
    assert held is not None
    assert held.kind == "drift"


def test_what_all_areas_do_is_no_drift() -> None:
    values = areas()
    values[-5 * DAY :] += np.linspace(0, 5, 5 * DAY)[:, None]
    assert kind(values) is None


def test_a_level_that_jumps_in_one_area_is_an_event_unless_all_see_one_field() -> None:
    values = areas()
    values[-4:, 0] += 6
    assert kind(values) is None
    assert kind(values, one_field=True) == "implausible"


def test_two_values_apart_are_not_implausible_yet() -> None:
    values = areas()
    values[-2:, 0] += 6
    assert kind(values, one_field=True) is None


def test_a_single_value_far_off_is_a_spike_once_the_next_is_back() -> None:
    values = areas()
    values[-1, 0] += 15
    assert kind(values) is None
    values = areas()
    values[-2, 0] += 15
    found = judged(values)
    assert found is not None
    assert (found.kind, found.value) == ("spike", values[-2, 0])


def test_a_spike_that_the_others_saw_is_none() -> None:
    values = areas()
    values[-2] += 15
    assert kind(values) is None


@pytest.mark.parametrize(("missing", "expected"), [(2, None), (5, "silent")])
def test_no_readings_for_longer_than_usual_is_silence(missing: int, expected: str | None) -> None:
    values = areas()
    values[-missing:, 0] = np.nan
    assert kind(values) == expected


def test_readings_that_are_back_leave_a_gap() -> None:
    values = areas()
    values[-8:-2, 0] = np.nan
    assert kind(values) == "gap"


def test_nothing_is_said_of_a_young_series() -> None:
    values = areas()[:90]
    values[-8:, 0] = values[-8, 0]
    assert kind(values) is None


def test_the_same_arrays_give_the_same_verdict_whoever_stands_beside_in_which_order() -> None:
    values = areas()
    values[-5 * DAY :, 0] += np.linspace(0, 5, 5 * DAY)
    assert judged(values) == judged(values[:, [0, 4, 2, 1, 3]])


def test_areas_are_aligned_by_their_instants_and_judged_up_to_their_own_last_step() -> None:
    values = areas()
    values[-8:, 0] = values[-8, 0]
    series = {str(n): (0, values[:, n].tolist()) for n in range(5)}
    series["2"] = (100, values[100:-3, 2].tolist())
    beside = Beside(series, len(values), 1)
    found = beside.verdict("0", len(values), day=DAY, one_field=False, held=None)
    assert found is not None
    assert (found.kind, found.steps) == ("stuck", 8)
    assert beside.verdict("2", len(values) - 3, day=DAY, one_field=False, held=None) is None
