"""SensorThings and OCPI from a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chengmai.connect.problems import SourceFailed
from tests.ports.serving import (
    Json,
    Shelf,
    a_polled,
    at,
    in_pages,
    polled,
    reasons,
    shipped,
)
from tests.unit.connect.builders import ListSink

# -- SensorThings -------------------------------------------------------------------------------


def a_stream(number: int, *told: tuple[float, Any], unit: str = "µg/m³", of: str = "PM2.5") -> Json:
    return {
        "@iot.id": number,
        "name": f"stream {number}",
        "unitOfMeasurement": {"name": "x", "symbol": unit, "definition": "x"},
        "ObservedProperty": {"name": of, "definition": "https://example.org/pm25"},
        "Thing": {
            "@iot.id": 7,
            "name": "北站",
            "Locations": [{"location": {"type": "Point", "coordinates": [120.0, 30.0]}}],
        },
        "Observations": [{"phenomenonTime": at(m), "result": r} for m, r in told],
    }


async def observed(shelf: Shelf, sink: ListSink | None = None, **more: Any) -> ListSink:
    return await polled(*shipped("air-sensorthings"), shelf.at("v1.1"), sink, **more)


async def test_observations_become_readings_of_their_thing(shelf: Shelf) -> None:
    in_pages(shelf, "v1.1/Datastreams", {"value": [a_stream(1, (-5, 12), (-65, 10))]})
    sink = await observed(shelf)
    assert [r.values for r in sink.live] == [{"pm25": 10.0}, {"pm25": 12.0}]
    assert sink.live[0].entity_id == "urn:ngsi-ld:AirQualityObserved:7"
    assert sink.live[0].static is not None
    assert sink.live[0].static.name == "北站"


async def test_datastreams_are_read_over_all_pages(shelf: Shelf) -> None:
    first: Json = {"value": [a_stream(1, (-5, 12))]}
    first["@iot.nextLink"] = shelf.at("v1.1/Datastreams?page=1")
    in_pages(shelf, "v1.1/Datastreams", first, {"value": [a_stream(2, (-5, 14))]})
    assert [r.values["pm25"] for r in (await observed(shelf)).live] == [12.0, 14.0]


async def test_pages_that_go_round_are_told(shelf: Shelf) -> None:
    page: Json = {"value": [a_stream(1)], "@iot.nextLink": shelf.at("v1.1/Datastreams?page=0")}
    in_pages(shelf, "v1.1/Datastreams", page)
    sink = await observed(shelf)
    assert (sink.live, reasons(sink)) == ([], {"bad_document": 1})
    assert len(shelf.asked) == 2


async def test_no_observation_comes_twice_also_after_a_restart(shelf: Shelf) -> None:
    in_pages(shelf, "v1.1/Datastreams", {"value": [a_stream(1, (-5, 12))]})
    sink = await observed(shelf)
    in_pages(shelf, "v1.1/Datastreams", {"value": [a_stream(1, (-1, 13), (-5, 12))]})
    await observed(shelf, sink)
    assert [r.values["pm25"] for r in sink.live] == [12.0, 13.0]


async def test_what_was_missed_meanwhile_is_read_from_further_pages(shelf: Shelf) -> None:
    in_pages(shelf, "v1.1/Datastreams", {"value": [a_stream(1, (-60, 1))]})
    sink = await observed(shelf)
    stream = a_stream(1, (-1, 4))
    stream["Observations@iot.nextLink"] = shelf.at("v1.1/Observations")
    in_pages(shelf, "v1.1/Datastreams", {"value": [stream]})
    older = [{"phenomenonTime": at(m), "result": r} for m, r in ((-20, 3), (-40, 2), (-60, 1))]
    in_pages(shelf, "v1.1/Observations", {"value": older})
    await observed(shelf, sink)
    assert [r.values["pm25"] for r in sink.live] == [1.0, 2.0, 3.0, 4.0]


async def test_units_are_converted_and_the_wrong_ones_told(shelf: Shelf) -> None:
    streams = [
        a_stream(1, (-5, 0.03), unit="mg/m³"),
        a_stream(2, (-5, 3), unit="°C"),
        a_stream(3, (-5, 3), unit="furlong"),
        a_stream(4, (-5, 3), of="Humidity"),
    ]
    in_pages(shelf, "v1.1/Datastreams", {"value": streams})
    sink = await observed(shelf)
    assert [r.values for r in sink.live] == [{"pm25": 30.0}]
    assert reasons(sink) == {"wrong_unit": 1, "unknown_unit": 1}


async def test_a_result_that_is_a_text_an_interval_or_nothing_is_read_as_far_as_it_goes(
    shelf: Shelf,
) -> None:
    stream = a_stream(1, (-5, "13.4"), (-4, None))
    stream["Observations"] += [
        {"phenomenonTime": f"{at(-3)}/..", "result": 3},
        {"phenomenonTime": None, "resultTime": at(-2), "result": 2},
    ]
    in_pages(shelf, "v1.1/Datastreams", {"value": [stream]})
    sink = await observed(shelf)
    assert [r.values["pm25"] for r in sink.live] == [13.4, 3.0, 2.0]


@pytest.mark.parametrize(
    ("locations", "area", "place"),
    [
        (
            [{"location": {"type": "Point", "coordinates": [120.01, 30.0, 3.8]}}],
            None,
            [120.01, 30.0],
        ),
        (
            [
                {
                    "location": {
                        "type": "Feature",
                        "geometry": {
                            "type": "Polygon",
                            "coordinates": [
                                [
                                    [120.0, 30.0],
                                    [120.02, 30.0],
                                    [120.02, 30.02],
                                    [120.0, 30.02],
                                    [120.0, 30.0],
                                ]
                            ],
                        },
                    }
                }
            ],
            None,
            [120.01, 30.01],
        ),
        ([{"location": {"type": "Feature", "geometry": None}}], None, None),
        ([{"location": {"type": "Polygon", "coordinates": "x"}}], None, None),
        ([], {"type": "Point", "coordinates": [120.03, 30.0]}, [120.03, 30.0]),
        (None, None, None),
    ],
)
async def test_the_place_is_that_of_the_thing_else_of_what_is_observed(
    shelf: Shelf, locations: Any, area: Any, place: list[float] | None
) -> None:
    stream = a_stream(1, (-5, 12))
    stream["Thing"]["Locations"], stream["observedArea"] = locations, area
    in_pages(shelf, "v1.1/Datastreams", {"value": [stream]})
    (reading,) = (await observed(shelf)).live
    assert reading.static is not None
    found = reading.static.location
    assert (found["coordinates"] if found else None) == place


async def test_a_unit_is_known_by_its_definition_where_its_symbol_is_not(shelf: Shelf) -> None:
    stream = a_stream(1, (-5, 0.03))
    stream["unitOfMeasurement"] = {"symbol": "milligram", "definition": "ucum:mg/m3"}
    in_pages(shelf, "v1.1/Datastreams", {"value": [stream]})
    assert [r.values for r in (await observed(shelf)).live] == [{"pm25": 30.0}]


async def test_what_is_observed_is_told_where_nothing_of_it_is_wanted(shelf: Shelf) -> None:
    streams = [a_stream(1, (-5, 3), of="Humidity"), a_stream(2, (-5, 3), of="Feinstaub")]
    in_pages(shelf, "v1.1/Datastreams", {"value": streams})
    sink = await observed(shelf)
    assert reasons(sink) == {"bad_document": 1}
    assert sink.rejects[0].detail.endswith("they observe Feinstaub, Humidity")


@pytest.mark.parametrize("page", [{"value": 7}, {"message": "no"}, [1]])
async def test_what_is_no_sensorthings_is_told(shelf: Shelf, page: Any) -> None:
    shelf.documents["v1.1/Datastreams"] = json.dumps(page).encode()
    assert reasons(await observed(shelf)) == {"bad_document": 1}


# -- OCPI ---------------------------------------------------------------------------------------


def a_location(name: str, *states: str, **more: Any) -> Json:
    connector = {"power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": 32}
    evses = [{"uid": f"{n}", "status": s, "connectors": [connector]} for n, s in enumerate(states)]
    place = {"latitude": "30.010000", "longitude": "120.020000"}
    return {"id": name, "name": f"Yard {name}", "coordinates": place, "evses": evses, **more}


def an_answer(*locations: Any, code: int = 1000) -> Json:
    return {"data": list(locations), "status_code": code, "timestamp": at(-1)}


async def charged(shelf: Shelf, **more: Any) -> ListSink:
    return await polled(*shipped("charging-ocpi"), shelf.at("locations"), **more)


async def test_charge_points_of_a_location_are_counted_by_their_state(shelf: Shelf) -> None:
    location = a_location("a", "AVAILABLE", "CHARGING", "CHARGING", "INOPERATIVE", "REMOVED")
    in_pages(shelf, "locations", an_answer(location))
    (station,) = (await charged(shelf)).live
    assert station.values == {
        "availablePoints": 1.0,
        "chargingPoints": 2.0,
        "pointsOutOfOrder": 1.0,
        "points": 4.0,
        "installedPower": 88.32,
    }
    assert station.static is not None
    assert station.static.location == {"type": "Point", "coordinates": [120.02, 30.01]}


async def test_locations_are_read_over_all_pages_with_the_token(shelf: Shelf) -> None:
    pages = [an_answer(a_location(name, "AVAILABLE")) for name in "abc"]
    in_pages(shelf, "locations", *pages, link="next")
    sink = await charged(shelf, headers={"Authorization": "Token abc"})
    assert len(sink.live) == 3
    assert shelf.signed == ["Token abc"] * 3


async def test_a_next_page_on_another_host_is_not_asked(shelf: Shelf) -> None:
    body = json.dumps(an_answer()).encode()
    elsewhere = {"Link": '<http://127.0.0.1:1/steal>; rel="next"'}
    shelf.documents["locations"] = lambda _: (200, elsewhere, body)
    with pytest.raises(SourceFailed, match="another host"):
        await a_polled(*shipped("charging-ocpi"), shelf.at("locations")).run(ListSink())


async def test_wrong_locations_are_told_and_the_others_are_read(shelf: Shelf) -> None:
    far = a_location("far", "AVAILABLE", coordinates={"latitude": "95", "longitude": "0"})
    good = a_location("a", "AVAILABLE")
    in_pages(shelf, "locations", an_answer(7, {"name": "nameless"}, far, good, good))
    sink = await charged(shelf)
    assert [r.entity_id[-2:] for r in sink.live] == [":a"]
    assert reasons(sink) == {"missing_id": 2, "out_of_range": 1, "duplicate": 1}


async def test_power_is_known_under_the_names_of_the_version_before_and_never_made_up(
    shelf: Shelf,
) -> None:
    old, silent = a_location("old", "AVAILABLE"), a_location("silent", "AVAILABLE", "AVAILABLE")
    old["evses"][0]["connectors"] = [{"power_type": "AC_1_PHASE", "voltage": 230, "amperage": 16}]
    silent["evses"][1]["connectors"] = [{"standard": "IEC_62196_T2"}]
    in_pages(shelf, "locations", an_answer(old, silent))
    powers = {r.entity_id[-3:]: r.values.get("installedPower") for r in (await charged(shelf)).live}
    assert powers == {"old": 3.68, "ent": None}


async def test_a_file_that_is_the_bare_list_of_locations_is_read(
    shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "points.json").write_text(json.dumps([a_location("a", "CHARGING")]))
    sink = await polled(*shipped("charging-ocpi"), "points.json", folder=tmp_path)
    assert [r.values["chargingPoints"] for r in sink.live] == [1.0]


async def test_what_is_no_location_or_is_not_to_be_published_is_refused(shelf: Shelf) -> None:
    home = a_location("home", "AVAILABLE", publish=False, address="Wang")
    in_pages(shelf, "locations", an_answer({"id": "3", "currency": "EUR"}, home))
    sink = await charged(shelf)
    assert (sink.live, reasons(sink)) == ([], {"bad_resource": 1, "not_published": 1})
    assert "Wang" not in repr(sink.rejects)


async def test_an_operator_that_answers_with_an_error_is_told(shelf: Shelf) -> None:
    in_pages(shelf, "locations", an_answer(code=2001))
    assert reasons(await charged(shelf)) == {"bad_document": 1}
