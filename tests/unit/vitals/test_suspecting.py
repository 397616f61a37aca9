"""Sensors under suspicion: what is written beside the level, what is told, and what is not told as an event."""

from __future__ import annotations

from typing import Any

from chengmai.ngsild.entity import value_of
from tests.unit.vitals.builders import HOUR, TENANT, Bench, a_bench, run

STUCK = {"kind": "stuck", "steps": 7, "sentence": {"zh": "卡死", "en": "stuck"}}
SPIKE = {"kind": "spike", "steps": 2, "sentence": {"zh": "尖峰", "en": "spike"}}


def suspected(bench: Bench, verdict: dict[str, Any] | None) -> None:
    """Let the detector say this of the area from now on."""
    area = bench.entity()["id"].rpartition(":")[2]
    if verdict is None:
        bench.city.faults_told.pop(area, None)
    else:
        bench.city.faults_told[area] = verdict


def silent_hour(bench: Bench) -> None:
    """Move on an hour without a reading, evaluate."""
    bench.city.clock.advance(HOUR)
    run(bench.service.tick(TENANT))


def test_a_suspected_sensor_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    bench = a_bench()
    bench.hour(50.0)
    suspected(bench, STUCK)
    bench.hour(50.0)
    bench.hour(50.0)
    suspected(bench, None)
    bench.hour(51.0)
    assert [(event.fault, event.begun) for event in bench.suspicions] == [
        ("stuck", True),
        ("stuck", False),
    ]
    assert value_of(bench.entity(), "sensorFault")["kind"] is None


def test_the_verdict_stands_beside_the_level_with_its_sentence() -> None:
    bench = a_bench()
    bench.hour(50.0)
    suspected(bench, STUCK)
    bench.hour(50.0)
    kept = value_of(bench.entity(), "sensorFault")
    assert (kept["kind"], kept["sentence"]["zh"]) == ("stuck", "卡死")


def test_a_crossing_of_a_suspected_sensor_says_so() -> None:
    bench = a_bench()
    bench.hour(50.0)
    suspected(bench, STUCK)
    bench.hour(150.0)
    assert [(event.kind, event.fault) for event in bench.told] == [("real", "stuck")]


def test_a_level_that_stands_when_the_suspicion_ends_is_told_as_what_it_is() -> None:
    bench = a_bench()
    bench.hour(50.0)
    suspected(bench, STUCK)
    bench.hour(150.0)
    suspected(bench, None)
    bench.hour(151.0)
    assert [(event.kind, event.fault) for event in bench.told] == [
        ("real", "stuck"),
        ("real", None),
    ]


def test_a_spike_is_written_and_is_no_news() -> None:
    bench = a_bench()
    bench.hour(50.0)
    suspected(bench, SPIKE)
    bench.hour(50.0)
    assert bench.suspicions == []
    assert value_of(bench.entity(), "sensorFault")["kind"] == "spike"


def test_silence_is_a_fault_and_no_recovery() -> None:
    bench = a_bench()
    bench.hour(150.0)
    for _ in range(6):
        silent_hour(bench)
    assert [(event.fault, event.begun) for event in bench.suspicions] == [("silent", True)]
    assert [event.kind for event in bench.told] == ["real"]
    assert bench.level() == "unknown"


def test_readings_that_are_late_are_said_to_be_before_they_are_missing() -> None:
    bench = a_bench()
    bench.hour(50.0)
    kinds = []
    for _ in range(4):
        silent_hour(bench)
        kinds.append((value_of(bench.entity(), "sensorFault") or {}).get("kind"))
    assert "late" in kinds
    assert kinds[-1] == "silent"
    bench.hour(50.0)
    assert value_of(bench.entity(), "sensorFault")["kind"] is None


def test_a_pass_without_anything_new_writes_no_suspicion_again() -> None:
    bench = a_bench()
    bench.hour(50.0)
    suspected(bench, STUCK)
    bench.hour(50.0)
    writes = bench.city.writes
    run(bench.service.tick(TENANT))
    assert bench.city.writes == writes
