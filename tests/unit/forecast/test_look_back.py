"""Baseline band, anomaly score, and the service that remembers what they learnt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from chengmai.forecast.anomaly import Detector, Score
from chengmai.forecast.baseline import band_before, usual
from chengmai.forecast.model import DAY_S, SECOND_US, Floats, Series
from chengmai.forecast.problems import SeriesInvalid
from chengmai.forecast.service import Foresight

HOUR_US = 3600 * SECOND_US
WEEK_S = 7 * DAY_S


def daily(n: int, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(50 + 20 * np.sin(2 * np.pi * np.arange(n) / 24) + rng.normal(size=n))


def taught(values: Floats, season: int = 24) -> Detector:
    detector = Detector(season=season)
    for value in values:
        detector.learn(float(value))
    return detector


def walk(detector: Detector, values: Sequence[float]) -> list[Score]:
    scores = []
    for value in values:
        scores.append(detector.score(value))
        detector.learn(value)
    return scores


def test_band_holds_the_quantiles_of_the_same_phase() -> None:
    values = np.concatenate([np.arange(24) + 100.0 * week for week in range(5)])
    band = band_before(values, 120 + 3, 24)
    assert band is not None
    assert (band.mid, band.n) == (203.0, 5)
    assert band.low == pytest.approx(43.0)


def test_band_borrows_from_the_hours_beside_when_seasons_are_few() -> None:
    band = band_before(daily(48), 50, 24)
    assert band is not None
    assert band.n == 6


def test_band_needs_four_samples() -> None:
    assert band_before(daily(10), 10, 24) is None


def test_band_ignores_the_value_itself_and_what_follows() -> None:
    values = daily(240)
    changed = values.copy()
    changed[200:] = 1e9
    assert band_before(values, 200, 24) == band_before(changed, 200, 24)


def test_a_spike_is_an_anomaly_and_named_high() -> None:
    score = taught(daily(600)).score(140.0)
    assert score.is_anomaly
    assert score.kind == "high"
    assert "140" in score.sentence.en
    assert "140" in score.sentence.zh


def test_a_drop_is_named_low() -> None:
    score = taught(daily(600)).score(-60.0)
    assert (score.is_anomaly, score.kind) == (True, "low")


def test_an_ordinary_value_is_no_anomaly() -> None:
    values = daily(700)
    scores = walk(taught(values[:600]), values[600:].tolist())
    assert sum(score.is_anomaly for score in scores) <= 2


def test_a_value_that_stands_still_is_stuck() -> None:
    scores = walk(taught(daily(600)), [50.0] * 12)
    assert any(score.kind == "stuck" and score.is_anomaly for score in scores)


def test_a_long_gap_is_named_missing_and_never_low() -> None:
    scores = walk(taught(daily(600)), [math.nan] * 5)
    assert scores[-1].is_anomaly
    assert {score.kind for score in scores if score.is_anomaly} == {"missing"}


def test_nothing_is_an_anomaly_before_the_probation_ends() -> None:
    assert not taught(daily(50)).score(1e6).is_anomaly


def test_a_constant_series_raises_no_alarm_by_standing_still() -> None:
    scores = walk(Detector(season=24), [5.0] * 400)
    assert not any(score.is_anomaly for score in scores)


def test_scoring_twice_gives_the_same_answer() -> None:
    detector = taught(daily(300))
    assert detector.score(90.0) == detector.score(90.0)


class Past:
    """A recorded series that counts how often it is read."""

    def __init__(self, values: Floats) -> None:
        self.values = values
        self.reads = 0

    def __call__(self, start_us: int, end_us: int) -> list[tuple[int, float]]:
        self.reads += 1
        every = [(i * HOUR_US, float(v)) for i, v in enumerate(self.values)]
        return [(us, value) for us, value in every if start_us <= us < end_us]


def test_looking_back_twice_at_a_tick_gives_the_same_and_reads_history_once() -> None:
    past, foresight = Past(daily(800)), Foresight()
    ask = {"tick_us": 800 * HOUR_US, "value": 55.0, "step_s": 3600, "season_s": WEEK_S}
    first = foresight.look_back("v", past, **ask)  # type: ignore[arg-type]
    assert foresight.look_back("v", past, **ask) == first  # type: ignore[arg-type]
    assert past.reads == 1
    assert first[0] is not None
    assert first[0]["n"] == 4


def test_memory_that_caught_up_answers_like_a_fresh_one() -> None:
    past = Past(daily(900))
    kept, fresh = Foresight(), Foresight()
    for tick in (800, 801, 805):
        kept.look_back("v", past, tick_us=tick * HOUR_US, value=50.0, step_s=3600, season_s=DAY_S)
    ask = {"tick_us": 806 * HOUR_US, "value": 95.0, "step_s": 3600, "season_s": DAY_S}
    one = kept.look_back("v", past, **ask)  # type: ignore[arg-type]
    two = fresh.look_back("v", past, **ask)  # type: ignore[arg-type]
    assert one[0] == two[0]
    assert one[1]["is_anomaly"]
    assert two[1]["is_anomaly"]


def test_forecast_is_refitted_once_a_day_and_keeps_its_origin_moving() -> None:
    past, foresight = Past(daily(1100)), Foresight()
    made = [
        foresight.forecasts(
            "v", {"a": past(0, (1000 + hour) * HOUR_US)}, step_s=3600, season_s=DAY_S
        )["a"]
        for hour in (0, 1, 30)
    ]
    assert made[0]["params"] == made[1]["params"] != made[2]["params"]
    assert made[0]["origin"] < made[1]["origin"] < made[2]["origin"]
    assert made[0]["shown"]


def test_a_series_without_points_is_refused_with_a_fix() -> None:
    with pytest.raises(SeriesInvalid) as problem:
        Series.from_points([], 3600)
    assert problem.value.fix


def test_gaps_between_points_become_missing_values() -> None:
    series = Series.from_points([(0, 1.0), (3 * HOUR_US, 4.0)], 3600)
    assert np.isnan(series.values[1:3]).all()
    assert series.last_us == 3 * HOUR_US


# ---- baselines by kind of day: a series from Monday 00:00, hourly, working days at 100 and days of rest at 10


def weeks(n: int, holidays: frozenset[int] = frozenset()) -> tuple[Floats, Callable[[int], str]]:
    """Return n weeks of values and the kind of each day; `holidays` are numbers of days."""

    def kind_of(at_us: int) -> str:
        day = at_us // (24 * HOUR_US)
        return "holiday" if day in holidays else "rest" if day % 7 > 4 else "workday"

    levels = {"holiday": 20.0, "rest": 10.0, "workday": 100.0}
    values = [levels[kind_of(hour * HOUR_US)] + hour % 5 for hour in range(n * 168)]
    return np.array(values), kind_of


def test_a_holiday_on_a_wednesday_is_not_set_against_wednesdays() -> None:
    values, kind_of = weeks(9, frozenset({20, 21, 22, 23, 58}))
    band = usual(values, 58 * 24 + 9, 0, 3600, WEEK_S, kind_of)
    assert band is not None
    assert (band.like, band.n) == ("holiday", 4)
    assert 20 <= band.mid <= 25
    plain = usual(values, 58 * 24 + 9, 0, 3600, WEEK_S)
    assert plain is not None
    assert plain.mid > 100


def test_a_holiday_without_holidays_before_it_is_taken_for_a_day_of_rest() -> None:
    values, kind_of = weeks(9, frozenset({58}))
    band = usual(values, 58 * 24 + 9, 0, 3600, WEEK_S, kind_of)
    assert band is not None
    assert band.to_json()["like"] == "rest"
    assert band.mid < 16


def test_holidays_do_not_spoil_the_baseline_of_the_days_after_them() -> None:
    values, kind_of = weeks(9, frozenset({2, 9, 16, 23, 30}))
    band = usual(values, 58 * 24 + 9, 0, 3600, WEEK_S, kind_of)
    assert band is not None
    assert band.like == "workday"
    assert band.low >= 100


def test_nothing_at_or_after_the_step_is_looked_at() -> None:
    values, kind_of = weeks(9)
    index = 40 * 24
    changed = values.copy()
    changed[index:] = 1e9
    assert usual(values, index, 0, 3600, WEEK_S, kind_of) == usual(
        changed, index, 0, 3600, WEEK_S, kind_of
    )
