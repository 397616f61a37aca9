"""The streaming detector: causal, masked, restorable, and what it says of made-up events."""

from __future__ import annotations

import math

import numpy as np
import orjson
import pytest

from chengmai.forecast import Detector, StateInvalid, detector_from, detector_state
from chengmai.forecast.anomaly import ALARM
from chengmai.forecast.model import Floats


def hourly(n: int, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(50 + 20 * np.sin(2 * np.pi * np.arange(n) / 24) + rng.normal(size=n))


def detector() -> Detector:
    return Detector(season=168, day=24, probation=336)


@pytest.mark.parametrize("seed", range(3))
def test_scores_do_not_change_with_what_comes_after(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = hourly(700, seed)
    values[rng.integers(0, 700, 20)] = np.nan
    other = values.copy()
    cut = int(rng.integers(400, 690))
    other[cut:] = rng.normal(scale=1e6, size=700 - cut)
    one, two = detector(), detector()
    told = [repr(one.observe(value)) for value in values.tolist()[:cut]]
    for value, before in zip(other.tolist(), told, strict=False):
        assert repr(two.observe(value)) == before


def test_observing_is_scoring_and_then_learning() -> None:
    one, two = detector(), detector()
    for value in hourly(500).tolist():
        apart = one.score(value)
        one.learn(value)
        assert two.observe(value) == apart


def test_a_restored_detector_goes_on_as_if_it_had_never_stopped() -> None:
    values = hourly(900).tolist()
    values[450] = math.nan
    kept = detector()
    for value in values[:600]:
        kept.observe(value)
    restored = detector_from(orjson.loads(orjson.dumps(detector_state(kept))))
    for value in values[600:]:
        assert repr(restored.observe(value)) == repr(kept.observe(value))


def test_the_state_stays_bounded() -> None:
    one = Detector(season=24)
    rng = np.random.default_rng(0)
    for value in rng.normal(size=9000).tolist():
        one.learn(value)
    assert len(orjson.dumps(detector_state(one))) < 1_100_000


def test_a_state_of_another_version_is_refused_with_a_fix() -> None:
    state = detector_state(detector()) | {"version": "another"}
    with pytest.raises(StateInvalid) as problem:
        detector_from(state)
    assert problem.value.fix


def test_a_state_that_is_not_complete_is_refused() -> None:
    state = detector_state(detector())
    del state["_season"]
    with pytest.raises(StateInvalid):
        detector_from(state)


def test_a_missing_value_scores_as_missing_and_teaches_nothing() -> None:
    with_gap, without = detector(), detector()
    for value in hourly(500).tolist():
        with_gap.learn(value)
        without.learn(value)
    for _ in range(24 * 7):
        with_gap.learn(math.nan)
    usual = without.score(50.0).usual
    assert with_gap.score(50.0).usual == usual


def test_recovery_is_not_read_from_silence() -> None:
    one = detector()
    for value in hourly(600).tolist():
        one.learn(value)
    assert one.observe(200.0).is_anomaly
    silent = [one.observe(math.nan) for _ in range(6)]
    assert silent[-1].kind == "missing"
    assert not any(math.isfinite(score.value) for score in silent)
    assert one.observe(200.0).usual is not None


@pytest.mark.parametrize(
    ("kind", "changed"),
    [("spike", [140.0]), ("drop", [-60.0]), ("level", [110.0] * 12), ("flat", [50.0] * 24)],
)
def test_an_event_raises_an_alarm(kind: str, changed: list[float]) -> None:
    one = detector()
    for value in hourly(600).tolist():
        one.learn(value)
    assert max(one.observe(value).alarm for value in changed) > ALARM, kind


def test_a_series_that_keeps_shouting_is_told_less_and_less() -> None:
    one = detector()
    for value in hourly(600).tolist():
        one.learn(value)
    told = [one.observe(140.0 if hour % 12 == 0 else 50.0).alarm > ALARM for hour in range(240)]
    assert sum(told) <= 4


def test_what_is_said_names_the_value_and_what_was_expected() -> None:
    one = detector()
    for value in hourly(600).tolist():
        one.learn(value)
    score = one.score(140.0)
    assert score.kind == "high"
    assert "140" in score.sentence.en
    assert f"{score.usual:.4g}" in score.sentence.zh
