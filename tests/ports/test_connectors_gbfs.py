"""GBFS, versions 2 and 3, from a real server, with the feed of the transport pack."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chengmai.connect.problems import SourceFailed
from tests.ports.serving import Shelf, a_polled, polled, shipped
from tests.unit.connect.builders import NOW, ListSink

SAMPLES = os.environ.get("CHENGMAI_SAMPLES")
AT = int(NOW.timestamp()) - 60


def a_system(
    shelf: Shelf, stations: list[Any], status: list[Any], *, version: int = 2, host: str = ""
) -> None:
    """Put a system on the shelf; `host` is where its documents are said to be."""
    names = ("station_information", "station_status")
    feeds = [{"name": n, "url": f"{host or shelf.at()}{n}.json"} for n in names]
    found = {"feeds": feeds} if version == 3 else {"zh": {"feeds": feeds}}
    updated: object = datetime.fromtimestamp(AT, UTC).isoformat() if version == 3 else AT
    for name, data in (
        ("gbfs", found),
        ("station_information", {"stations": stations}),
        ("station_status", {"stations": status}),
    ):
        whole = {"last_updated": updated, "ttl": 60, "version": f"{version}.0", "data": data}
        shelf.documents[f"{name}.json"] = json.dumps(whole).encode()


def a_place(station: str, **more: Any) -> dict[str, Any]:
    place = {"lat": 30.0, "lon": 120.0, "capacity": 9}
    return {"station_id": station, "name": station, **place, **more}


def a_status(name: str, bikes: int, *, at: object = AT, of: str = "bikes") -> dict[str, Any]:
    counts = {f"num_{of}_available": bikes, "num_docks_available": 9 - bikes}
    return {"station_id": name, **counts, "is_renting": True, "last_reported": at}


async def read(shelf: Shelf, **more: Any) -> ListSink:
    return await polled(*shipped("bike-gbfs"), shelf.at("gbfs.json"), **more)


def reasons(sink: ListSink) -> dict[str, int]:
    return dict(Counter(reject.code for reject in sink.rejects))


async def test_stations_of_version_2_have_bikes_docks_and_place(shelf: Shelf) -> None:
    a_system(shelf, [a_place("one")], [a_status("one", 4)])
    (station,) = (await read(shelf)).live
    assert station.values == {
        "availableBikeNumber": 4.0,
        "freeSlotNumber": 5.0,
        "totalSlotNumber": 9.0,
        "renting": True,
    }
    assert station.observed_at.timestamp() == AT
    assert station.static is not None
    assert station.static.location == {"type": "Point", "coordinates": [120.0, 30.0]}


async def test_stations_of_version_3_have_texts_in_languages_and_times_as_text(
    shelf: Shelf,
) -> None:
    names = [{"text": "Pier", "language": "en"}, {"text": "码头", "language": "zh"}]
    at = datetime.fromtimestamp(AT, UTC).isoformat()
    status = a_status("one", 4, at=at, of="vehicles")
    a_system(shelf, [a_place("one", name=names)], [status], version=3)
    feed, entity = shipped("bike-gbfs", language="zh")
    (station,) = (await polled(feed, entity, shelf.at("gbfs.json"))).live
    assert (station.values["availableBikeNumber"], station.observed_at.timestamp()) == (4.0, AT)
    assert station.static is not None
    assert station.static.name == "码头"


async def test_a_station_told_twice_is_one_with_its_newest_word(shelf: Shelf) -> None:
    told = [a_status("one", 4, at=AT + 5), a_status("one", 7), a_status("two", 1)]
    a_system(shelf, [a_place("one"), a_place("one"), a_place("two")], told)
    sink = await read(shelf)
    bikes = {r.entity_id[-3:]: r.values["availableBikeNumber"] for r in sink.live}
    assert (len(sink.live), bikes) == (2, {"one": 4.0, "two": 1.0})


async def test_unknown_and_nameless_stations_are_told(shelf: Shelf) -> None:
    a_system(shelf, [a_place("one"), {"station_id": None}], [a_status("one", 4), a_status("x", 1)])
    sink = await read(shelf)
    assert (len(sink.live), reasons(sink)) == (1, {"unknown_id": 1, "missing_id": 1})


async def test_a_negative_count_costs_that_value_alone(shelf: Shelf) -> None:
    a_system(shelf, [a_place("one")], [a_status("one", -1)])
    sink = await read(shelf)
    assert reasons(sink) == {"out_of_range": 1}
    assert "freeSlotNumber" in sink.live[0].values


async def test_only_what_changed_between_two_answers_is_handed_over(shelf: Shelf) -> None:
    places = [a_place("one"), a_place("two")]
    a_system(shelf, places, [a_status("one", 4), a_status("two", 1)])

    def ride() -> None:
        a_system(shelf, places, [a_status("one", 3, at=AT + 30), a_status("two", 1)])

    sink = await read(shelf, polls=2, between=ride)
    assert [r.entity_id[-3:] for r in sink.live] == ["one", "two", "one"]


@pytest.mark.parametrize("broken", [b'{"data": ', b"[]", b"{}", b'{"data": {"stations": 7}}'])
async def test_a_broken_answer_is_told_and_the_feed_goes_on(shelf: Shelf, broken: bytes) -> None:
    a_system(shelf, [a_place("one")], [a_status("one", 4)])
    whole, shelf.documents["station_status.json"] = (
        shelf.documents["station_status.json"],
        broken,
    )

    def mend() -> None:
        shelf.documents["station_status.json"] = whole

    sink = await read(shelf, polls=2, between=mend)
    assert (len(sink.live), reasons(sink)) == (1, {"bad_document": 1})


async def test_a_system_that_leads_to_another_host_is_refused(shelf: Shelf) -> None:
    a_system(shelf, [], [], host="http://127.0.0.1:1/")
    connector = a_polled(*shipped("bike-gbfs"), shelf.at("gbfs.json"))
    with pytest.raises(SourceFailed, match="another host"):
        await connector.run(ListSink())


async def test_credentials_go_along(shelf: Shelf) -> None:
    a_system(shelf, [a_place("one")], [a_status("one", 4)])
    await read(shelf, headers={"Authorization": "Bearer abc"})
    assert set(shelf.signed) == {"Bearer abc"}


@pytest.mark.skipif(SAMPLES is None, reason="CHENGMAI_SAMPLES names no folder of published samples")
async def test_published_systems_are_read_without_a_failure() -> None:
    assert SAMPLES is not None
    folder = Path(SAMPLES)
    for path in sorted(folder.glob("gbfs/**/gbfs.json")):
        name = str(path.relative_to(folder))
        sink = await polled(*shipped("bike-gbfs"), name, folder=folder)
        print(f"{name}: {len(sink.live)} {reasons(sink)}")
