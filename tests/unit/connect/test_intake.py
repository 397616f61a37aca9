from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chengmai.connect.health import feed_id
from chengmai.connect.intake import FeedSink, Intake
from chengmai.connect.reading import Reading, Reject, Static
from chengmai.kernel.instants import format_instant, to_us
from chengmai.ngsild.entity import name_iri, value_of
from tests.unit.connect.builders import NOW, SYSTEM, MemoryCity, a_feed, a_reading, an_entity

GAUGE = "urn:ngsi-ld:Gauge:one"
FEED = feed_id("air", "gauges")
HOUR = timedelta(hours=1)


def a_sink(city: MemoryCity) -> FeedSink:
    return Intake(city, city, city, city, by=SYSTEM).sink("air", a_feed(), an_entity())


def told(city: MemoryCity, name: str) -> Any:
    return value_of(city.entities[FEED], name)


async def test_a_reading_becomes_an_entity_with_unit_and_time() -> None:
    city = MemoryCity()
    place = {"type": "Point", "coordinates": [120.0, 30.0]}
    reading = Reading(GAUGE, "Gauge", NOW, {"pm25": 12.0}, Static("East", "Gauge one", place))
    await a_sink(city).accept([reading], [], {"n": 1})
    stored = city.entities[GAUGE]
    assert stored[name_iri("pm25")] == [
        {"type": "Property", "value": 12.0, "unitCode": "GQ", "observedAt": "2026-11-22T04:00:00Z"}
    ]
    assert value_of(stored, "areaServed") == "East"
    assert value_of(stored, "location") == place
    assert value_of(stored, "name") == {"zh": "Gauge one", "en": "Gauge one"}


async def test_the_cursor_is_committed_with_the_readings_or_not_at_all() -> None:
    city = MemoryCity()
    sink = a_sink(city)
    await sink.accept([a_reading()], [], {"n": 1})
    bad = Reading(GAUGE, "Gauge", NOW + HOUR, {"never_declared": 1.0})
    with pytest.raises(KeyError):
        await sink.accept([a_reading(13, NOW + HOUR), bad], [], {"n": 2})
    assert await sink.cursor() == {"n": 1}
    assert value_of(city.entities[GAUGE], "pm25") == 12.0


async def test_the_same_reading_again_is_counted_and_not_written() -> None:
    city = MemoryCity()
    sink = a_sink(city)
    await sink.accept([a_reading()], [])
    city.puts.clear()
    city.at = NOW + HOUR
    await sink.accept([a_reading()], [])
    assert GAUGE not in city.puts
    assert told(city, "rejectReasons") == {"duplicate": 1}
    assert told(city, "accepted") == 1
    assert told(city, "received") == 2


async def test_a_source_that_answers_with_nothing_new_is_not_silent() -> None:
    city = MemoryCity()
    sink = a_sink(city)
    await sink.accept([a_reading()], [])
    city.at = NOW + 9 * HOUR
    await sink.alive()
    city.at = NOW + 11 * HOUR
    await sink.tell()
    assert (told(city, "feedState"), told(city, "accepted")) == ("live", 1)


async def test_a_new_name_or_place_is_taken_where_no_value_changed() -> None:
    city = MemoryCity()
    sink = a_sink(city)
    for name in ("Old", "New"):
        await sink.accept([Reading(GAUGE, "Gauge", NOW, {"pm25": 12.0}, Static("East", name))], [])
    assert value_of(city.entities[GAUGE], "name") == {"zh": "New", "en": "New"}
    assert told(city, "rejected") == 0


async def test_a_corrected_value_of_the_same_instant_is_taken() -> None:
    city = MemoryCity()
    sink = a_sink(city)
    await sink.accept([a_reading(12)], [])
    await sink.accept([a_reading(14)], [])
    assert value_of(city.entities[GAUGE], "pm25") == 14


async def test_an_older_observation_takes_its_place_in_the_past_and_leaves_the_live_state() -> None:
    city = MemoryCity()
    sink = a_sink(city)
    await sink.accept([a_reading(12)], [])
    city.at = NOW + HOUR
    await sink.accept([a_reading(99, NOW - HOUR)], [])
    assert value_of(city.entities[GAUGE], "pm25") == 12
    assert [(made["value"], made["observedAt"]) for _, _, made in city.remembered] == [
        (99, format_instant(NOW - HOUR))
    ]
    assert (told(city, "accepted"), told(city, "rejectReasons")) == (2, {})


async def test_rejects_are_counted_and_the_last_twenty_listed() -> None:
    city = MemoryCity()
    rejects = [Reject("bad_row", f"f:{n}", "3 columns", "a,b,c", NOW) for n in range(30)]
    await a_sink(city).accept([], rejects)
    listed = told(city, "lastRejects")
    assert told(city, "rejectReasons") == {"bad_row": 30}
    assert [entry["where"] for entry in listed] == [f"f:{n}" for n in range(10, 30)]
    assert listed[0]["code"] == "bad_row"


async def test_a_block_of_the_past_goes_to_history_and_its_newest_to_the_model() -> None:
    city = MemoryCity()
    sink = a_sink(city)
    readings = [a_reading(n, NOW - n * HOUR) for n in range(1, 4)]
    await sink.backfill("b1", readings, [], {"n": 1})
    assert [(row.attribute, row.at_us, row.value, row.unit) for row in city.blocks["b1"]] == [
        (name_iri("pm25"), to_us(NOW - n * HOUR), float(n), "GQ") for n in range(1, 4)
    ]
    assert value_of(city.entities[GAUGE], "pm25") == 1
    assert told(city, "accepted") == 3
    assert await sink.cursor() == {"n": 1}


async def test_what_does_not_change_is_written_once() -> None:
    city = MemoryCity()
    sink = a_sink(city)
    for hour in range(3):
        values: dict[str, Any] = {"pm25": float(hour), "kind": "roof"}
        await sink.accept([Reading(GAUGE, "Gauge", NOW + hour * HOUR, values, Static("East"))], [])
    kind = city.entities[GAUGE][name_iri("kind")][0]
    assert kind == {"type": "Property", "value": "roof"}


async def test_the_feed_entity_is_written_on_change_and_else_once_a_minute() -> None:
    city = MemoryCity()
    sink = a_sink(city)
    for second in range(60):
        city.at = NOW + timedelta(seconds=second)
        await sink.accept([a_reading(second, city.at)], [])
    assert city.puts.count(FEED) == 1
    city.at = NOW + timedelta(seconds=60)
    await sink.accept([a_reading(60, city.at)], [])
    assert city.puts.count(FEED) == 2
    assert told(city, "accepted") == 61


async def test_silence_and_failure_show_and_end_with_the_next_reading() -> None:
    city = MemoryCity()
    sink = a_sink(city)
    states = []
    await sink.tell()
    states.append(told(city, "feedState"))
    await sink.accept([a_reading()], [])
    states.append(told(city, "feedState"))
    for hours in (4, 11):
        city.at = NOW + hours * HOUR
        await sink.tell()
        states.append(told(city, "feedState"))
    await sink.tell(ended="failed", detail="no route")
    states.append(told(city, "feedState"))
    assert "no route" in told(city, "note")["en"]
    await sink.accept([a_reading(13, city.at)], [])
    states.append(told(city, "feedState"))
    assert states == ["waiting", "live", "late", "silent", "failed", "live"]
