"""GTFS and GTFS-realtime from a real server, with the feeds of the transport pack."""

from __future__ import annotations

import io
import os
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chengmai.connect.problems import SourceFailed, SourceMissing
from chengmai.connect.reading import Reading
from tests.ports.serving import Shelf, a_polled, polled, shipped
from tests.ports.transit import (
    AT,
    TABLES,
    a_message,
    a_timetable,
    a_trip,
    a_trip_in_times,
)
from tests.unit.connect.builders import Enough, ListSink

SAMPLES = os.environ.get("CHENGMAI_SAMPLES")
"""Folder of published samples, for trials by hand; nothing of it is needed."""


def by_id(readings: list[Reading]) -> dict[str, Reading]:
    return {reading.entity_id.rpartition(":")[2]: reading for reading in readings}


def reasons(sink: ListSink) -> dict[str, int]:
    return dict(Counter(reject.code for reject in sink.rejects))


# -- GTFS ---------------------------------------------------------------------------------------


async def of_timetable(shelf: Shelf, feed_id: str, zipped: bytes, **source: Any) -> ListSink:
    shelf.documents["bus.zip"] = zipped
    return await polled(*shipped(feed_id, **source), shelf.at("bus.zip"))


async def test_stops_of_a_timetable_have_name_and_place(shelf: Shelf) -> None:
    sink = await of_timetable(shelf, "gtfs-stops", a_timetable())
    stop = by_id(sink.live)["s2"]
    assert stop.static is not None
    assert stop.static.name == "学校"
    assert stop.static.location == {"type": "Point", "coordinates": [120.01, 30.01]}
    assert (len(sink.live), sink.rejects) == (3, [])


async def test_routes_have_mode_operator_and_number_of_trips(shelf: Shelf) -> None:
    sink = await of_timetable(shelf, "gtfs-routes", a_timetable())
    assert by_id(sink.live)["r1"].values == {
        "shortName": "1",
        "longName": "环线",
        "mode": "bus",
        "operator": "河口公交",
        "tripCount": 3.0,
    }


async def test_trips_have_their_stops_and_hours(shelf: Shelf) -> None:
    sink = await of_timetable(shelf, "gtfs-trips", a_timetable())
    trip = by_id(sink.live)["t2"].values
    assert (trip["stopCount"], trip["firstDeparture"], trip["lastArrival"]) == (3, 29430, 30000)


async def test_calendars_count_days_with_those_added_and_taken_away(shelf: Shelf) -> None:
    sink = await of_timetable(shelf, "gtfs-calendar", a_timetable())
    found = {name: reading.values["serviceDays"] for name, reading in by_id(sink.live).items()}
    assert found == {"daily": 29.0, "sunday": 5.0, "holiday": 1.0}


async def test_a_trip_of_no_route_is_told_and_the_others_are_read(shelf: Shelf) -> None:
    trips = TABLES["trips.txt"] + "r9,daily,t9,nowhere,0\n"
    sink = await of_timetable(shelf, "gtfs-trips", a_timetable(trips=trips))
    assert (len(sink.live), reasons(sink)) == (4, {"unknown_id": 1})
    assert sink.rejects[0].where == "trips.txt:6"


@pytest.mark.parametrize(
    ("stops", "code"),
    [
        ("stop,name\ns1,x\n", "bad_document"),
        (TABLES["stops.txt"] + "s4,short\n", "bad_row"),
        (TABLES["stops.txt"] + "s4,x,thirty,120.0,,0\n", "bad_number"),
        (TABLES["stops.txt"] + "s4,x,300,120.0,,0\n", "out_of_range"),
        (None, "bad_document"),
    ],
)
async def test_a_table_that_is_wrong_is_told(shelf: Shelf, stops: str | None, code: str) -> None:
    sink = await of_timetable(shelf, "gtfs-stops", a_timetable(stops=stops))
    assert reasons(sink) == {code: 1}
    assert len(sink.live) == (0 if code == "bad_document" else 3)


async def test_a_line_in_another_encoding_is_told(shelf: Shelf) -> None:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, text in TABLES.items():
            extra = "s4,城中,30.0,120.0,,0\n".encode("gb18030") if name == "stops.txt" else b""
            archive.writestr(name, text.encode() + extra)
    sink = await of_timetable(shelf, "gtfs-stops", raw.getvalue())
    assert (len(sink.live), reasons(sink)) == (3, {"bad_text": 1})


async def test_a_zip_that_is_cut_off_is_one_reject_and_the_feed_goes_on(shelf: Shelf) -> None:
    feed, entity = shipped("gtfs-stops")
    shelf.documents["bus.zip"] = a_timetable()[:-40]

    def mend() -> None:
        shelf.documents["bus.zip"] = a_timetable()

    sink = await polled(feed, entity, shelf.at("bus.zip"), polls=2, between=mend)
    assert (len(sink.live), reasons(sink)) == (3, {"bad_document": 1})


async def test_a_zip_bomb_is_refused_before_it_is_unpacked(shelf: Shelf) -> None:
    bomb = a_timetable(stops=TABLES["stops.txt"] + " " * 20_000_000)
    assert len(bomb) < 100_000
    sink = await of_timetable(shelf, "gtfs-stops", bomb, max_unpacked=1_000_000)
    assert (sink.live, reasons(sink)) == ([], {"too_large": 1})


async def test_a_zip_that_lies_about_its_size_is_refused_while_it_is_unpacked(shelf: Shelf) -> None:
    bomb = bytearray(a_timetable(stops=TABLES["stops.txt"] + " " * 3_000_000))
    size = len(TABLES["stops.txt"].encode()) + 3_000_000
    told = size.to_bytes(4, "little")
    assert bomb.count(told) == 2
    sink = await of_timetable(shelf, "gtfs-stops", bytes(bomb.replace(told, b"\x10\0\0\0")))
    assert (sink.live, reasons(sink)) == ([], {"bad_document": 1})


async def test_more_records_than_are_allowed_are_left_out(shelf: Shelf) -> None:
    sink = await of_timetable(shelf, "gtfs-stops", a_timetable(), max_records=2)
    assert (len(sink.live), reasons(sink)) == (2, {"too_large": 1})


async def test_an_unchanged_timetable_is_read_once_also_after_a_restart(shelf: Shelf) -> None:
    feed, entity = shipped("gtfs-stops")
    shelf.documents["bus.zip"] = a_timetable()
    sink = await polled(feed, entity, shelf.at("bus.zip"), polls=2)
    await polled(feed, entity, shelf.at("bus.zip"), sink)
    assert (len(sink.live), len(shelf.asked)) == (3, 3)
    assert sink.signs_of_life == 2


async def test_a_timetable_that_was_not_committed_is_read_again(shelf: Shelf) -> None:
    feed, entity = shipped("gtfs-stops")
    shelf.documents["bus.zip"] = a_timetable()
    sink = ListSink(dies_after=0)
    with pytest.raises(Enough):
        await a_polled(feed, entity, shelf.at("bus.zip")).run(sink)
    sink.dies_after = None
    await polled(feed, entity, shelf.at("bus.zip"), sink)
    assert len(sink.live) == 3


async def test_of_a_changed_timetable_only_what_is_new_is_handed_over(shelf: Shelf) -> None:
    feed, entity = shipped("gtfs-stops")
    shelf.documents["bus.zip"] = a_timetable()

    def change() -> None:
        stops = TABLES["stops.txt"].replace("学校", "新学校")
        shelf.documents["bus.zip"] = a_timetable(stops=stops)

    sink = await polled(feed, entity, shelf.at("bus.zip"), polls=2, between=change)
    assert [r.static.name for r in sink.live[3:] if r.static] == ["新学校"]


# -- GTFS-realtime ------------------------------------------------------------------------------


async def of_message(shelf: Shelf, feed_id: str, raw: bytes, **source: Any) -> ListSink:
    shelf.documents["rt.pb"] = raw
    shelf.documents["bus.zip"] = a_timetable()
    return await polled(*shipped(feed_id, **source), shelf.at("rt.pb"))


async def test_delays_of_trips_become_the_punctuality_of_their_route(shelf: Shelf) -> None:
    raw = a_message(
        a_trip("t1", {"s2": 30}),
        a_trip("t2", {"s1": 400}),
        a_trip("t3", {"s1": -90}),
        a_trip("t4", {"s1": 0}, "r2"),
        a_trip("t5", {}, "r2", scheduleRelationship="CANCELED"),
    )
    sink = await of_message(shelf, "bus-gtfs-realtime", raw)
    counts = {name: tuple(r.values.values()) for name, r in by_id(sink.live).items()}
    assert counts == {"r1": (3.0, 1.0), "r2": (2.0, 1.0)}
    assert {r.observed_at for r in sink.live} == {datetime.fromtimestamp(AT, UTC)}


async def test_times_become_delays_by_the_timetable(shelf: Shelf) -> None:
    # t1 is due at s2 at 08:05, and t2 at s1 at 08:10; the second comes ten minutes late.
    raw = a_message(a_trip_in_times("t1", {"s2": 330}), a_trip_in_times("t2", {"s1": 1200}))
    sink = await of_message(shelf, "bus-gtfs-realtime", raw, schedule=shelf.at("bus.zip"))
    assert [tuple(r.values.values()) for r in sink.live] == [(2.0, 1.0)]


async def test_trips_and_stops_that_the_timetable_does_not_know_are_told(shelf: Shelf) -> None:
    raw = a_message(a_trip("t1", {"s2": 30, "s9": 40}), a_trip("t99", {"s1": 0}))
    sink = await of_message(shelf, "bus-gtfs-realtime", raw, schedule=shelf.at("bus.zip"))
    assert reasons(sink) == {"unknown_id": 2}
    assert [tuple(r.values.values()) for r in sink.live] == [(1.0, 1.0)]


async def test_the_timetable_is_fetched_once_for_many_messages(shelf: Shelf) -> None:
    feed, entity = shipped("bus-gtfs-realtime", schedule=shelf.at("bus.zip"))
    shelf.documents |= {"bus.zip": a_timetable(), "rt.pb": a_message(a_trip("t1", {"s2": 0}))}

    def later() -> None:
        shelf.documents["rt.pb"] = a_message(a_trip("t1", {"s2": 60}), at=AT + 60)

    sink = await polled(feed, entity, shelf.at("rt.pb"), polls=2, between=later)
    assert (len(sink.live), shelf.asked.count("/bus.zip")) == (2, 1)


async def test_headways_are_the_times_between_vehicles_at_a_stop(shelf: Shelf) -> None:
    raw = a_message(
        *(a_trip_in_times(t, {"s1": s}, routeId="r1") for t, s in (("t1", 60), ("t2", 660))),
        a_trip_in_times("t3", {"s1": 2460}, routeId="r1"),
    )
    sink = await of_message(shelf, "bus-headways", raw)
    assert [r.values for r in sink.live] == [
        {
            "headway": 1200.0,
            "longestHeadway": 1800.0,
            "regularity": 1.5,
            "route": "r1",
            "stop": "s1",
        }
    ]


async def test_positions_of_vehicles_are_read(shelf: Shelf) -> None:
    raw = a_message(
        {
            "vehicle": {
                "vehicle": {"id": "v1"},
                "trip": {"tripId": "t1", "routeId": "r1"},
                "position": {"latitude": 30.005, "longitude": 120.005, "speed": 10},
                "timestamp": AT - 20,
            }
        }
    )
    (vehicle,) = (await of_message(shelf, "transit-vehicles", raw)).live
    assert (vehicle.values["speed"], vehicle.observed_at.timestamp()) == (36.0, AT - 20)
    assert vehicle.static is not None
    assert vehicle.static.location == {"type": "Point", "coordinates": [120.005, 30.005]}


async def test_an_alert_is_read_with_what_it_concerns(shelf: Shelf) -> None:
    raw = a_message(
        {
            "alert": {
                "activePeriod": [{"start": AT - 60, "end": AT + 600}],
                "informedEntity": [{"routeId": "r1"}, {"stopId": "s2"}],
                "cause": "MAINTENANCE",
                "effect": "DETOUR",
                "headerText": {"translation": [{"text": "改道", "language": "zh"}]},
            }
        }
    )
    (alert,) = (await of_message(shelf, "transit-alerts", raw)).live
    assert alert.values == {
        "active": True,
        "cause": "MAINTENANCE",
        "effect": "DETOUR",
        "header": "改道",
        "routes": "r1",
        "stops": "s2",
    }


async def test_a_message_that_is_cut_off_is_one_reject_and_the_feed_goes_on(shelf: Shelf) -> None:
    feed, entity = shipped("bus-gtfs-realtime")
    whole = a_message(a_trip("t1", {"s2": 30}))
    shelf.documents["rt.pb"] = whole[:-3]

    def mend() -> None:
        shelf.documents["rt.pb"] = whole

    sink = await polled(feed, entity, shelf.at("rt.pb"), polls=2, between=mend)
    assert (len(sink.live), reasons(sink)) == (1, {"bad_document": 1})


async def test_a_vehicle_in_no_place_and_one_of_the_future_are_told(shelf: Shelf) -> None:
    far = {"vehicle": {"vehicle": {"id": "v1"}, "position": {"latitude": 95, "longitude": 0}}}
    ahead = {"vehicle": {"vehicle": {"id": "v2"}, "timestamp": AT + 10**7}}
    sink = await of_message(shelf, "transit-vehicles", a_message(far, ahead))
    assert reasons(sink) == {"out_of_range": 1, "future_time": 1} or sink.live == []


# -- what all of them keep ----------------------------------------------------------------------


async def test_a_document_beyond_its_limit_is_not_read(shelf: Shelf) -> None:
    shelf.documents["rt.pb"] = b"x" * 10_000_000
    feed, entity = shipped("bus-gtfs-realtime", max_bytes=1000)
    with pytest.raises(SourceFailed, match="more than 1000 bytes"):
        await a_polled(feed, entity, shelf.at("rt.pb")).run(ListSink())


async def test_private_addresses_are_asked_only_where_the_city_allows_it(shelf: Shelf) -> None:
    shelf.documents["rt.pb"] = a_message()
    connector = a_polled(*shipped("bus-gtfs-realtime"), shelf.at("rt.pb"), private=False)
    with pytest.raises(SourceFailed, match="may not be connected to") as problem:
        await connector.run(ListSink())
    assert "CHENGMAI_PRIVATE_EGRESS" in (problem.value.fix or "")
    assert shelf.asked == []


async def test_a_redirect_is_not_followed(shelf: Shelf) -> None:
    shelf.documents["rt.pb"] = lambda _: (302, {"Location": "/other"}, b"")
    with pytest.raises(SourceFailed, match="answered 302"):
        await a_polled(*shipped("bus-gtfs-realtime"), shelf.at("rt.pb")).run(ListSink())


async def test_a_key_in_the_address_is_not_told(shelf: Shelf) -> None:
    connector = a_polled(*shipped("bus-gtfs-realtime"), shelf.at("gone.pb") + "?key=hush")
    with pytest.raises(SourceFailed) as problem:
        await connector.run(ListSink())
    assert "hush" not in problem.value.detail


async def test_a_file_is_read_below_the_folder_of_feed_files_only(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/bus.zip").write_bytes(a_timetable())
    (tmp_path / "out.zip").write_bytes(a_timetable())
    feed, entity = shipped("gtfs-stops")
    sink = await polled(feed, entity, "bus.zip", folder=tmp_path / "in")
    assert len(sink.live) == 3
    with pytest.raises(SourceMissing):
        await a_polled(feed, entity, "../out.zip", folder=tmp_path / "in").run(ListSink())
    with pytest.raises(SourceMissing, match="no folder of feed files"):
        await a_polled(feed, entity, "bus.zip").run(ListSink())


@pytest.mark.skipif(SAMPLES is None, reason="CHENGMAI_SAMPLES names no folder of published samples")
async def test_published_samples_are_read_without_a_failure() -> None:
    assert SAMPLES is not None
    folder = Path(SAMPLES)
    for path in (*folder.glob("gtfs/*.zip"), *folder.glob("gtfs_rt_siri/*.pbf")):
        kinds = ("gtfs-stops", "gtfs-routes", "gtfs-trips", "gtfs-calendar")
        live = ("bus-gtfs-realtime", "bus-headways", "transit-vehicles", "transit-alerts")
        for feed_id in kinds if path.suffix == ".zip" else live:
            name = str(path.relative_to(folder))
            sink = await polled(*shipped(feed_id), name, folder=folder)
            print(f"{name} {feed_id}: {len(sink.live)} {reasons(sink)}")
