"""Evaluating signs: what is written, what is told, and what is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chengmai.ngsild.entity import instances, value_of
from chengmai.vitals import VitalNotFound
from tests.unit.vitals.builders import (
    HOUR,
    NOON,
    TENANT,
    a_bench,
    a_spec,
    run,
)

BROKEN = "SELECT area, tick, sum(pm25) AS value FROM air_quality GROUP BY area, tick"


def test_a_reading_becomes_a_vital_sign_with_value_unit_and_reason() -> None:
    bench = a_bench()
    report = bench.hour(42.0)
    made = bench.entity()
    assert report.changed == (made["id"],)
    assert instances(made, "currentValue")[0]["value"] == 42.0
    assert instances(made, "currentValue")[0]["unitCode"] == "GQ"
    assert instances(made, "currentValue")[0]["observedAt"] == "2026-11-22T13:00:00Z"
    assert bench.level() == "normal"
    assert "60" in value_of(made, "reason")["en"]
    assert "GB 3095-2026" in value_of(made, "reason")["zh"]


def test_nothing_is_written_when_nothing_changed() -> None:
    bench = a_bench()
    bench.hour(42.0)
    writes, evaluations = bench.city.writes, bench.city.evaluations
    assert run(bench.service.tick(TENANT)).changed == ()
    assert bench.city.writes == writes
    run(bench.service.tick(TENANT))
    assert bench.city.evaluations == evaluations


def test_a_crossing_is_told_once_with_its_evidence() -> None:
    bench = a_bench()
    for value in (40.0, 50.0, 130.0, 140.0):
        bench.hour(value)
    (event,) = bench.told
    assert (event.kind, event.level, event.previous_level) == ("real", "act", "normal")
    assert event.category == "air_pollution"
    assert [reading["value"] for reading in event.evidence] == [40.0, 50.0, 130.0]
    assert event.evidence[-1]["at"] == "2026-11-22T15:00:00Z"
    assert "115" in event.reason.zh


def test_a_recovery_is_told() -> None:
    bench = a_bench()
    for value in (130.0, 50.0):
        bench.hour(value)
    assert [event.kind for event in bench.told] == ["real", "recovered"]


def test_a_corrected_reading_changes_value_level_and_news() -> None:
    bench = a_bench()
    bench.hour(50.0)
    bench.hour(50.0)
    bench.reading(150.0)
    run(bench.service.tick(TENANT))
    assert bench.level() == "act"
    bench.reading(50.0)
    run(bench.service.tick(TENANT))
    assert bench.level() == "normal"
    assert [event.kind for event in bench.told] == ["real", "recovered"]


def test_a_late_reading_corrects_the_tick_before() -> None:
    bench = a_bench()
    bench.hour(50.0)
    bench.hour(50.0)
    bench.reading(54.0, hours=1)
    run(bench.service.tick(TENANT))
    assert list(bench.history().values()) == [54.0, 50.0]


def test_ticks_missed_while_the_platform_was_off_are_made_up() -> None:
    bench = a_bench()
    bench.hour(50.0)
    for value in (51.0, 52.0, 53.0, 54.0, 55.0):
        bench.city.clock.advance(HOUR)
        bench.reading(value)
    run(bench.service.tick(TENANT))
    assert list(bench.history().values()) == [50.0, 51.0, 52.0, 53.0, 54.0, 55.0]


def test_silence_makes_the_sign_unknown_and_never_recovered() -> None:
    bench = a_bench()
    bench.hour(130.0)
    bench.city.clock.advance(timedelta(hours=4))
    run(bench.service.tick(TENANT))
    assert bench.level() == "unknown"
    assert "没有数据不等于正常" in value_of(bench.entity(), "reason")["zh"]
    assert [event.kind for event in bench.told] == ["real"]
    bench.hour(50.0)
    assert bench.level() == "normal"
    assert [event.kind for event in bench.told] == ["real", "recovered"]


def test_silence_of_one_area_leaves_the_others_alone() -> None:
    bench = a_bench()
    bench.reading(50.0, area="东城区")
    bench.hour(50.0)
    for _ in range(4):
        bench.hour(50.0)
    assert bench.level("Haidian") == "normal"
    assert bench.level("东城区") == "unknown"


def test_one_failing_sign_does_not_stop_the_others() -> None:
    bench = a_bench(a_spec(id="broken", sql=BROKEN), a_spec())
    report = bench.hour(130.0)
    assert [failure.sign for failure in report.failures] == ["environment/broken"]
    assert "on purpose" in report.failures[0].detail
    assert bench.level() == "act"


def test_a_handler_that_fails_undoes_the_crossing_with_it() -> None:
    bench = a_bench(failing=True)
    bench.hour(50.0)
    report = bench.hour(130.0)
    assert report.failures
    assert bench.level() == "normal"


def test_baseline_and_anomaly_are_looked_up_once_a_tick_value() -> None:
    bench = a_bench()
    bench.hour(40.0)
    bench.hour(50.0)
    run(bench.service.tick(TENANT))
    ((_, asked),) = bench.city.looks.items()
    assert [value for _, value in asked] == [40.0, 50.0]
    assert value_of(bench.entity(), "baseline")["n"] == 1
    assert value_of(bench.entity(), "anomaly")["is_anomaly"] is False


def test_the_middle_of_the_stations_is_where_the_sign_lies() -> None:
    bench = a_bench()
    bench.station("urn:s:1", "Haidian", 116.2, 39.9)
    bench.station("urn:s:2", "Haidian", 116.4, 40.1)
    bench.hour(130.0)
    place = value_of(bench.entity(), "location")
    assert place == {"type": "Point", "coordinates": [116.3, 40.0]}
    assert bench.told[0].location == place


def test_the_past_is_brought_in_without_telling_of_it() -> None:
    bench = a_bench()
    for hours in range(48, -1, -1):
        bench.reading(130.0 if hours in (30, 31) else 50.0, hours=hours)
    report = run(bench.service.backfill(TENANT, NOON - timedelta(hours=48)))
    assert len(report.changed) == 1
    assert len(bench.history()) == 49
    assert bench.told == []
    assert bench.level() == "normal"
    assert value_of(bench.entity(), "since") == "2026-11-21T07:00:00Z"


def test_a_level_that_stands_after_the_past_is_told_by_the_next_tick() -> None:
    bench = a_bench()
    for hours in range(5, -1, -1):
        bench.reading(130.0, hours=hours)
    run(bench.service.backfill(TENANT, NOON - timedelta(hours=5)))
    assert bench.level() == "act"
    run(bench.service.tick(TENANT))
    run(bench.service.tick(TENANT))
    assert [event.kind for event in bench.told] == ["real"]
    assert len(bench.told[0].evidence) == 6


def test_the_past_comes_in_once() -> None:
    bench = a_bench()
    bench.reading(50.0, hours=1)
    run(bench.service.backfill(TENANT, NOON - timedelta(hours=5)))
    assert run(bench.service.backfill(TENANT, NOON - timedelta(hours=5))).changed == ()


def test_a_past_that_ends_in_silence_ends_unknown() -> None:
    bench = a_bench()
    bench.reading(50.0, hours=9)
    run(bench.service.backfill(TENANT, NOON - timedelta(hours=12)))
    assert bench.level() == "unknown"


def test_the_board_shows_the_urgent_first_with_thresholds_and_their_sources() -> None:
    bench = a_bench()
    bench.reading(40.0, area="Changping")
    bench.hour(130.0)
    run(bench.service.tick(TENANT))
    first, second = run(bench.board.board(TENANT))
    assert (first.area, first.level, first.unit, first.value) == ("Haidian", "act", "µg/m³", 130.0)
    assert (second.area, second.level) == ("Changping", "normal")
    assert [band.above for band in first.bands] == [60.0, 115.0]
    assert all(band.in_force and band.verified for band in first.bands)
    assert not first.stale
    assert run(bench.board.vital(TENANT, first.id)) == first


def test_history_of_a_vital_is_read_on_demand() -> None:
    bench = a_bench()
    bench.hour(40.0)
    bench.hour(50.0)
    found = run(bench.board.history(TENANT, bench.entity()["id"], NOON, NOON + 2 * HOUR))
    assert [value for _, value in found] == [40.0]


def test_an_unknown_vital_is_not_found() -> None:
    with pytest.raises(VitalNotFound):
        run(a_bench().board.vital(TENANT, "urn:ngsi-ld:VitalSign:none"))
