"""SensorThings, OCPI and FHIR from a real server, in pages; Modbus from a real device on loopback."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from chengmai.connect.formats import fhir
from chengmai.connect.problems import ExtraMissing, SourceFailed
from chengmai.packs.feeds import ANY_FEED
from tests.ports.serving import Shelf, a_polled, polled, serving, shipped
from tests.unit.connect.builders import NOW, ListSink

Json = dict[str, Any]


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serving() as made:
        yield made


def reasons(sink: ListSink) -> dict[str, int]:
    return dict(Counter(reject.code for reject in sink.rejects))


def in_pages(shelf: Shelf, path: str, *pages: Json, link: str = "") -> None:
    """Offer pages by the parameter `page`; `link` is the header that names the next one."""

    def answer(target: str) -> tuple[int, dict[str, str], bytes]:
        number = int(target.partition("page=")[2] or 0)
        headers = {"Link": f'<{shelf.at(path)}?page={number + 1}>; rel="next"'} if link else {}
        last = number + 1 >= len(pages)
        return 200, {} if last else headers, json.dumps(pages[number]).encode()

    shelf.documents[path] = answer


# -- SensorThings -------------------------------------------------------------------------------


def at(minutes: float) -> str:
    return (NOW + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


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


async def test_an_operator_that_answers_with_an_error_is_told(shelf: Shelf) -> None:
    in_pages(shelf, "locations", an_answer(code=2001))
    assert reasons(await charged(shelf)) == {"bad_document": 1}


# -- FHIR ---------------------------------------------------------------------------------------


def a_bed(name: str, state: str = "O", ward: str = "w1", **more: Any) -> Json:
    kind = {"coding": [{"code": "bd"}]}
    status = {"system": "http://terminology.hl7.org/CodeSystem/v2-0116", "code": state}
    above = {"reference": f"Location/{ward}", "display": "内科"}
    bed = {"resourceType": "Location", "id": name, "physicalType": kind, "partOf": above}
    return {**bed, "operationalStatus": status, **more}


def a_bundle(*resources: Any, following: str | None = None) -> Json:
    link = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entries}


async def beds(shelf: Shelf, **more: Any) -> ListSink:
    return await polled(*shipped("hospital-fhir"), shelf.at("Location"), **more)


async def test_beds_are_counted_by_ward_over_all_pages(shelf: Shelf) -> None:
    first = [a_bed("1"), a_bed("2", "U"), a_bed("3", "C")]
    second = [a_bed("4"), a_bed("5", "H", "w2")]
    pages = [a_bundle(*first, following=shelf.at("Location?page=1")), a_bundle(*second)]
    in_pages(shelf, "Location", *pages)
    sink = await beds(shelf)
    counts = {r.entity_id[-2:]: r.values for r in sink.live}
    assert counts == {
        "w1": {"occupiedBeds": 2.0, "beds": 3.0},
        "w2": {"occupiedBeds": 0.0, "beds": 1.0},
    }


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "id": "p1", "name": [{"family": "Wang"}]},
        {"resourceType": "Encounter", "id": "e1"},
        a_bed("1", contained=[{"resourceType": "Patient", "id": "Wang"}]),
        a_bed("1", extension=[{"url": "x", "valueReference": {"reference": "Patient/Wang"}}]),
        {"resourceType": "MeasureReport", "status": "complete", "type": "individual"},
        {"resourceType": "MeasureReport", "type": "summary", "evaluatedResource": [{}]},
    ],
)
async def test_data_of_persons_is_refused_and_nothing_of_it_kept(
    shelf: Shelf, resource: Json
) -> None:
    in_pages(shelf, "Location", a_bundle(resource, a_bed("2", "U")))
    sink = await beds(shelf)
    assert reasons(sink) == {"personal_data": 1}
    assert "Wang" not in repr(sink.rejects)
    assert sink.rejects[0].sample == ""
    assert [r.values for r in sink.live] == [{"occupiedBeds": 0.0, "beds": 1.0}]


async def test_a_resource_that_is_not_as_defined_is_told(shelf: Shelf) -> None:
    in_pages(shelf, "Location", a_bundle(a_bed("1", mode="instance", bogus=1), a_bed("2")))
    sink = await beds(shelf)
    assert reasons(sink) == {"bad_resource": 1}
    assert "Location.bogus" in sink.rejects[0].detail


async def test_a_person_in_place_of_a_bundle_is_told_without_a_word_of_it(shelf: Shelf) -> None:
    in_pages(shelf, "Location", {"resourceType": "Patient", "id": "Wang"})
    sink = await beds(shelf)
    assert reasons(sink) == {"bad_document": 1}
    assert "Wang" not in repr(sink.rejects)


async def test_a_summary_report_gives_its_counts_and_scores(shelf: Shelf) -> None:
    report = {
        "resourceType": "MeasureReport",
        "id": "r1",
        "status": "complete",
        "type": "summary",
        "measure": "https://example.org/Measure/emergency-wait",
        "date": at(-5),
        "reporter": {"reference": "Organization/h1", "display": "一院"},
        "period": {"start": "2026-11-22", "end": "2026-11-22"},
        "group": [
            {
                "code": {"coding": [{"code": "wait"}]},
                "measureScore": {"value": 42, "unit": "min"},
                "population": [{"code": {"coding": [{"code": "waiting"}]}, "count": 9}],
            }
        ],
    }
    in_pages(shelf, "MeasureReport", a_bundle(report))
    (waiting,) = (await polled(*shipped("triage-fhir"), shelf.at("MeasureReport"))).live
    assert waiting.values["longestWait"] == 42.0
    assert waiting.observed_at == NOW - timedelta(minutes=5)


def test_a_city_without_the_library_is_told_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fhir.resources.R4B.location", None)
    feed, _ = shipped("hospital-fhir")
    with pytest.raises(ExtraMissing) as problem:
        fhir.FhirFormat(feed.source, "x")  # type: ignore[arg-type]
    assert problem.value.fix is not None
    assert "pip install 'chengmai[health]'" in problem.value.fix


# -- Modbus -------------------------------------------------------------------------------------


@asynccontextmanager
async def a_meter() -> AsyncIterator[str]:
    """A meter with 49.98 Hz at input register 0, 10,500.0 V at 1 and 2, and no register beyond 9."""
    data = SimData(0, values=[4998, 1, 39464, 0, 0, 0, 0, 0, 0, 0], datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(1, simdata=[data]), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        listening: Any = server.transport
        yield f"modbus://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


async def test_registers_become_values_in_their_units() -> None:
    async with a_meter() as meter:
        (point,) = (await polled(*shipped("grid-modbus"), meter)).live
        assert point.values == {"frequency": 49.98, "voltage": 10.5}
        assert point.entity_id == "urn:ngsi-ld:GridPointObserved:busbar-1"


async def test_a_register_and_a_device_that_are_not_there_are_told() -> None:
    async with a_meter() as meter:
        registers = [
            {"column": "frequency", "address": 0, "kind": "input", "scale": 0.01},
            {"column": "voltage", "address": 40, "kind": "input"},
        ]
        devices = {"busbar-1": 1, "busbar-9": 9}
        feed, entity = shipped("grid-modbus", registers=registers, devices=devices, timeout="PT1S")
        sink = await polled(feed, entity, meter)
        assert [r.values for r in sink.live] == [{"frequency": 49.98}]
        assert set(reasons(sink)) == {"device_error"}


async def test_a_frequency_in_the_wrong_unit_is_out_of_range() -> None:
    async with a_meter() as meter:
        registers = [{"column": "frequency", "address": 0, "kind": "input"}]
        told = shipped("grid-modbus")[0].model_dump(by_alias=True)
        told["source"] |= {"registers": registers}
        told["map"]["attributes"] = {"frequency": {"column": "frequency", "unit": "HTZ"}}
        feed: Any = ANY_FEED.validate_python(told)
        sink = await polled(feed, shipped("grid-modbus")[1], meter)
        assert (sink.live, reasons(sink)) == ([], {"out_of_range": 1})


async def test_a_device_that_does_not_answer_is_a_failed_source() -> None:
    feed, entity = shipped("grid-modbus", timeout="PT1S")
    with pytest.raises(SourceFailed, match="does not answer"):
        await a_polled(feed, entity, "modbus://127.0.0.1:1").run(ListSink())
    with pytest.raises(SourceFailed, match="may not be connected to"):
        await a_polled(feed, entity, "modbus://127.0.0.1:1", private=False).run(ListSink())
    with pytest.raises(SourceFailed, match="no Modbus address"):
        await a_polled(feed, entity, "127.0.0.1").run(ListSink())


async def test_readings_of_a_device_go_on_while_nothing_changes() -> None:
    async with a_meter() as meter:
        sink = await polled(*shipped("grid-modbus"), meter, polls=2, clock=Ticking())
    assert len(sink.live) == 2


class Ticking:
    """A clock that is a minute later each time."""

    at = NOW

    def now(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at
