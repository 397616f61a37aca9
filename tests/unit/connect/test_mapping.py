from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.connect.mapping import flatten
from chengmai.connect.reading import REJECT_TEXTS, Reading, Reject, shorten
from tests.unit.connect.builders import NOW, a_feed, a_mapper, an_entity

GOOD = {"time": "2026-11-22 08:00", "station": "one", "PM2.5": "35", "CO": "800"}


def read(record: dict[str, Any], **changes: Any) -> tuple[list[Reading], list[Reject]]:
    made = list(a_mapper(a_feed(**changes)).readings(record, "file:2", NOW))
    return [m for m in made if isinstance(m, Reading)], [m for m in made if isinstance(m, Reject)]


def codes(rejects: list[Reject]) -> list[str]:
    return [reject.code for reject in rejects]


def test_values_arrive_in_the_declared_units_at_the_instant_of_the_zone() -> None:
    readings, rejects = read(GOOD)
    assert rejects == []
    assert readings[0].values == {"pm25": 35.0, "co": 0.8}
    assert readings[0].observed_at.isoformat() == "2026-11-22T00:00:00+00:00"
    assert readings[0].entity_id == "urn:ngsi-ld:Gauge:one"


def test_a_missing_value_is_left_out_and_is_no_reject() -> None:
    feed = a_feed()
    mapper = a_mapper(feed, missing=frozenset({"", "NA"}))
    made = list(mapper.readings({**GOOD, "CO": "NA"}, "file:2", NOW))
    assert [m.values for m in made if isinstance(m, Reading)] == [{"pm25": 35.0}]
    assert len(made) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"PM2.5": "thirty"}, "bad_number"),
        ({"PM2.5": "nan"}, "bad_number"),
        ({"PM2.5": "-1"}, "out_of_range"),
        ({"PM2.5": "1e9"}, "out_of_range"),
        ({"time": "2026-13-40 08:00"}, "bad_time"),
        ({"time": ""}, "bad_time"),
        ({"time": "2026-11-22 20:00"}, "future_time"),
        ({"station": ""}, "missing_id"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(change: dict[str, str], code: str) -> None:
    _, rejects = read({**GOOD, **change})
    assert codes(rejects) == [code]
    assert rejects[0].where.startswith("file:2")
    assert rejects[0].detail
    assert code in REJECT_TEXTS


def test_a_wrong_value_costs_that_value_only() -> None:
    readings, rejects = read({**GOOD, "PM2.5": "thirty"})
    assert readings[0].values == {"co": 0.8}
    assert rejects[0].where == "file:2 pm25"


@pytest.mark.parametrize(("unit", "code"), [("CEL", "wrong_unit"), ("??", "unknown_unit")])
def test_a_unit_of_another_dimension_is_refused(unit: str, code: str) -> None:
    rules = a_feed().map.model_dump()
    rules["attributes"] = {"pm25": {"column": "PM2.5", "unit_column": "unit"}}
    readings, rejects = read({**GOOD, "unit": unit}, map=rules)
    assert (readings, codes(rejects)) == ([], [code])


def test_a_unit_of_the_record_goes_before_the_unit_of_the_feed() -> None:
    rules = a_feed().map.model_dump()
    rules["attributes"] = {"pm25": {"column": "PM2.5", "unit": "GQ", "unit_column": "unit"}}
    readings, _ = read({**GOOD, "PM2.5": "0.035", "unit": "GP"}, map=rules)
    assert readings[0].values == {"pm25": 35.0}


def test_a_record_without_any_mapped_column_is_an_unknown_attribute() -> None:
    _, rejects = read({"time": "2026-11-22 08:00", "station": "one", "SO2": "3"})
    assert codes(rejects) == ["unknown_attribute"]


def test_a_wide_table_gives_a_reading_a_column() -> None:
    rules = {
        "id": "{detector}",
        "area": {"value": "East"},
        "unpivot": {"name": "detector", "value": "level", "keep": ["time"]},
        "attributes": {"pm25": {"column": "level"}},
    }
    readings, rejects = read({"time": "2026-11-22 08:00", "d1": "10", "d2": "20"}, map=rules)
    assert rejects == []
    assert [(r.entity_id[-2:], r.values["pm25"]) for r in readings] == [("d1", 10.0), ("d2", 20.0)]


def test_a_side_table_gives_the_place_and_a_box_the_area() -> None:
    box = {"area": "North", "west": 120, "south": 30, "east": 121, "north": 31}
    rules = a_feed().map.model_dump() | {
        "join": {"file": "places.csv", "key": "id", "on": "station"},
        "location": {"longitude": "lon", "latitude": "lat"},
        "area": {"boxes": [box]},
    }
    mapper = a_mapper(a_feed(map=rules), side={"one": {"lon": "120.5", "lat": "30.5"}})
    made = next(iter(mapper.readings(GOOD, "file:2", NOW)))
    assert isinstance(made, Reading)
    assert made.static is not None
    assert made.static.area == "North"
    assert made.static.location == {"type": "Point", "coordinates": [120.5, 30.5]}


def test_a_place_in_no_box_is_missing_its_area() -> None:
    rules = a_feed().map.model_dump() | {
        "location": {"longitude": "lon", "latitude": "lat"},
        "area": {"boxes": [{"area": "N", "west": 0, "south": 0, "east": 1, "north": 1}]},
    }
    _, rejects = read({**GOOD, "lon": "50", "lat": "50"}, map=rules)
    assert codes(rejects) == ["missing_id"]


def test_constants_do_not_make_a_reading_of_an_empty_record() -> None:
    rules = a_feed().map.model_dump()
    rules["attributes"] = {"pm25": {"column": "PM2.5"}, "kind": {"value": "roof"}}
    readings, rejects = read({**GOOD, "PM2.5": ""}, map=rules)
    assert (readings, rejects) == ([], [])


def test_a_replay_may_set_the_time_of_observation() -> None:
    earlier = NOW - timedelta(days=1)
    made = list(a_mapper(a_feed(), an_entity()).readings(GOOD, "file:2", NOW, observed=earlier))
    assert isinstance(made[0], Reading)
    assert made[0].observed_at == earlier


def test_flatten_names_nested_members_by_their_path() -> None:
    nested = {"a": {"b": 1, "c": [2, {"d": 3}]}, "e": None}
    assert flatten(nested) == {"a.b": 1, "a.c.0": 2, "a.c.1.d": 3, "e": None}


@given(st.text(max_size=500))
def test_a_sample_is_short_and_printable(raw: str) -> None:
    shown = shorten(raw)
    assert len(shown) <= 200
    assert shown.isprintable()


@given(st.dictionaries(st.sampled_from(["time", "station", "PM2.5", "CO"]), st.text(max_size=20)))
def test_no_record_of_text_ever_raises(record: dict[str, str]) -> None:
    for made in a_mapper(a_feed()).readings(record, "file:2", NOW):
        assert isinstance(made, Reading) or made.code in REJECT_TEXTS
