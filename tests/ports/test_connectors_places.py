"""CityJSON and OpenStreetMap, small invented models, with the feeds of the cityscape pack."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import osmium
import pytest
import shapely

from chengmai.connect.formats.osm import OsmFormat
from chengmai.connect.problems import ExtraMissing
from tests.ports.serving import polled, shipped
from tests.unit.connect.builders import ListSink

SAMPLES = os.environ.get("CHENGMAI_SAMPLES")
RD = "https://www.opengis.net/def/crs/EPSG/0/28992"


def reasons(sink: ListSink) -> dict[str, int]:
    return dict(Counter(reject.code for reject in sink.rejects))


# -- CityJSON -----------------------------------------------------------------------------------


def a_box(x: int, y: int, *, size: int = 10_000, height: int = 6_000) -> list[list[int]]:
    """Return the eight corners of a box, in millimetres."""
    square = [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]
    return [[*corner, z] for z in (0, height) for corner in square]


def a_model(system: str | None = RD, **objects: Any) -> bytes:
    """Return a model with one box at the origin of the Dutch grid, and other objects."""
    walls = [[[0, 1, 5, 4]], [[1, 2, 6, 5]], [[2, 3, 7, 6]], [[3, 0, 4, 7]]]
    kinds = {"surfaces": [{"type": "GroundSurface"}, {"type": "RoofSurface"}], "values": [[0, 1]]}
    box = {
        "type": "Solid",
        "lod": "2",
        "boundaries": [[[[0, 3, 2, 1]], [[4, 5, 6, 7]], *walls]],
        "semantics": kinds,
    }
    house = {
        "type": "Building",
        "attributes": {"function": "school", "storeysAboveGround": 2},
        "geometry": [box],
    }
    made = {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001] * 3, "translate": [155_000, 463_000, 5]},
        "metadata": {"referenceSystem": system} if system else {},
        "CityObjects": {"house": house, "road": {"type": "Road"}, **objects},
        "vertices": a_box(0, 0),
    }
    return json.dumps(made).encode()


async def buildings(tmp_path: Path, raw: bytes, **source: Any) -> ListSink:
    (tmp_path / "city.json").write_bytes(raw)
    return await polled(*shipped("buildings-cityjson", **source), "city.json", folder=tmp_path)


async def test_a_building_has_footprint_height_and_use(tmp_path: Path) -> None:
    (house,) = (await buildings(tmp_path, a_model())).live
    assert house.values == {
        "sourceId": "house",
        "height": 6.0,
        "footprintArea": 100.0,
        "floorsAboveGround": 2.0,
        "category": "school",
    }


async def test_a_footprint_lies_where_the_reference_system_says(tmp_path: Path) -> None:
    (house,) = (await buildings(tmp_path, a_model())).live
    assert house.static is not None
    shape = shapely.from_geojson(json.dumps(house.static.location))
    # The origin of the Dutch grid is the tower of Our Lady in Amersfoort.
    assert shape.geom_type == "Polygon"
    assert shape.centroid.x == pytest.approx(5.3873, abs=0.0005)
    assert shape.centroid.y == pytest.approx(52.1552, abs=0.0005)


async def test_a_model_without_a_reference_system_needs_one_from_the_feed(tmp_path: Path) -> None:
    assert reasons(await buildings(tmp_path, a_model(system=None))) == {"bad_document": 1}
    assert len((await buildings(tmp_path, a_model(system=None), crs="EPSG:28992")).live) == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "Building", "geometry": [{"type": "Solid", "boundaries": [[[[0, 99, 2]]]]}]},
        {"type": "Building", "geometry": [{"type": "Solid"}]},
        {"type": "Building", "children": ["gone"]},
        {"type": "Building", "geometry": [{"boundaries": [[[[[[[0]]]]]]]}]},
    ],
)
async def test_a_building_that_cannot_be_read_is_told_and_the_others_are_read(
    tmp_path: Path, broken: dict[str, Any]
) -> None:
    sink = await buildings(tmp_path, a_model(broken=broken))
    assert (len(sink.live), reasons(sink)) == (1, {"bad_resource": 1})


@pytest.mark.parametrize("raw", [a_model()[:-50], b"[]", b'{"type": "CityJSON"}', b"\xff\xfe"])
async def test_what_is_no_model_is_told(tmp_path: Path, raw: bytes) -> None:
    assert reasons(await buildings(tmp_path, raw)) == {"bad_document": 1}


# -- OpenStreetMap ------------------------------------------------------------------------------

NODES = "".join(
    f'<node id="{n}" version="1" lat="{lat}" lon="{lon}"/>'
    for n, lat, lon in (
        (1, 30.0, 120.0),
        (2, 30.0, 120.001),
        (3, 30.001, 120.001),
        (4, 30.001, 120.0),
    )
)
HOUSE = (
    '<way id="10" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>'
    '<tag k="building" v="school"/><tag k="building:levels" v="3"/><tag k="name" v="一小"/></way>'
)
CLINIC = (
    '<node id="5" version="1" lat="30.002" lon="120.002">'
    '<tag k="amenity" v="hospital"/><tag k="name" v="一院"/></node>'
)


def an_extract(path: Path, body: str) -> Path:
    path.write_text(f'<?xml version="1.0"?><osm version="0.6">{body}</osm>', encoding="utf-8")
    return path


async def test_a_building_of_an_extract_has_its_shape(tmp_path: Path) -> None:
    an_extract(tmp_path / "town.osm", NODES + CLINIC + HOUSE)
    (house,) = (await polled(*shipped("buildings-osm"), "town.osm", folder=tmp_path)).live
    assert house.static is not None
    assert (house.static.name, (house.static.location or {})["type"]) == ("一小", "Polygon")
    area = float(house.values["footprintArea"])
    assert (house.values["category"], house.values["floorsAboveGround"]) == ("school", 3.0)
    assert area == pytest.approx(111.2 * 96.3, rel=0.01)


async def test_places_are_chosen_by_key_and_value(tmp_path: Path) -> None:
    bench = '<node id="6" version="1" lat="30" lon="120"><tag k="amenity" v="bench"/></node>'
    an_extract(tmp_path / "town.osm", NODES + CLINIC + bench + HOUSE)
    (place,) = (await polled(*shipped("places-osm"), "town.osm", folder=tmp_path)).live
    assert place.values == {"sourceId": "node/5", "category": "hospital"}


async def test_an_extract_in_pbf_that_is_out_of_order_is_put_in_order(tmp_path: Path) -> None:
    an_extract(tmp_path / "town.osm", HOUSE + CLINIC + NODES)
    with osmium.SimpleWriter(str(tmp_path / "town.osm.pbf")) as writer:
        for thing in osmium.FileProcessor(str(tmp_path / "town.osm")):
            writer.add(thing)
    sink = await polled(*shipped("buildings-osm"), "town.osm.pbf", folder=tmp_path)
    assert (len(sink.live), sink.rejects) == (1, [])


@pytest.mark.parametrize("name", ["town.osm", "town.osm.pbf"])
async def test_an_extract_that_is_cut_off_is_told(tmp_path: Path, name: str) -> None:
    an_extract(tmp_path / "town.osm", NODES + CLINIC + HOUSE)
    if name.endswith("pbf"):
        with osmium.SimpleWriter(str(tmp_path / name)) as writer:
            for thing in osmium.FileProcessor(str(tmp_path / "town.osm")):
                writer.add(thing)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-30])
    sink = await polled(*shipped("buildings-osm"), name, folder=tmp_path)
    assert reasons(sink) == {"bad_document": 1}


def test_a_city_without_the_library_is_told_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "osmium", None)
    feed, _ = shipped("buildings-osm")
    with pytest.raises(ExtraMissing) as problem:
        OsmFormat(feed.source, "x")  # type: ignore[arg-type]
    assert "pip install 'chengmai[places]'" in (problem.value.fix or "")


@pytest.mark.skipif(SAMPLES is None, reason="CHENGMAI_SAMPLES names no folder of published samples")
async def test_published_models_and_extracts_are_read_without_a_failure() -> None:
    assert SAMPLES is not None
    folder = Path(SAMPLES)
    for path in sorted((*folder.glob("cityjson/*.json"), *folder.glob("osm/*.pbf"))):
        is_model = path.suffix == ".json"
        told = (
            shipped("buildings-cityjson", crs="EPSG:28992")
            if is_model
            else shipped("buildings-osm")
        )
        name = str(path.relative_to(folder))
        sink = await polled(*told, name, folder=folder)
        print(f"{name}: {len(sink.live)} {reasons(sink)}")
