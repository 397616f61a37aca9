"""Published samples of SensorThings, OCPI, FHIR and Excel, read by the shipped feeds: nothing may fail.

Where they come from, and how they are laid out below CHENGMAI_SAMPLES: docs/build/feeds.md.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from chengmai.connect.formats.ports import Broken
from chengmai.connect.formats.workbook import ExcelTable
from chengmai.connect.tables import Mark
from chengmai.packs.feeds import ANY_FEED
from tests.ports.meters import a_device
from tests.ports.serving import Shelf, polled, shipped
from tests.unit.connect.builders import ListSink, an_entity

SAMPLES = Path(os.environ.get("CHENGMAI_SAMPLES", ""))
pytestmark = pytest.mark.skipif(
    "CHENGMAI_SAMPLES" not in os.environ,
    reason="CHENGMAI_SAMPLES names no folder of published samples",
)


def told(name: object, sink: ListSink) -> None:
    reasons = dict(Counter(reject.code for reject in sink.rejects))
    print(f"{name}: {len(sink.live)} {reasons}")
    assert sink.live or sink.rejects, "nothing was read and nothing was told"


async def test_published_observations_are_read(shelf: Shelf) -> None:
    # Whatever they observe, in their own units: what is looked at here is the format, not a mapping.
    spec = shipped("air-sensorthings", properties=[])[0].model_dump(by_alias=True)
    spec["map"]["attributes"] = {"value": {"column": "result"}}
    feed: Any = ANY_FEED.validate_python(spec)
    for path in sorted(SAMPLES.glob("sensorthings/*.json")):
        page = json.loads(path.read_bytes())
        page.pop("@iot.nextLink", None)
        shelf.documents["v1.1/Datastreams"] = json.dumps(page).encode()
        sink = await polled(feed, an_entity(value={}), shelf.at("v1.1"))
        told(path.name, sink)
        assert all(reading.static and reading.static.location for reading in sink.live)


async def test_published_locations_are_read(shelf: Shelf) -> None:
    for path in sorted(SAMPLES.glob("ocpi/**/*.json")):
        found = json.loads(path.read_bytes())
        if not isinstance(found, list) and "status_code" not in found:
            found = found.get("content", [found])
        shelf.documents["locations"] = json.dumps(found).encode()
        for take in ("locations", "evses"):
            sink = await polled(*shipped("charging-ocpi", take=take), shelf.at("locations"))
            told(f"{path.name} {take}", sink)


async def test_published_resources_are_read(shelf: Shelf) -> None:
    for folder in sorted(SAMPLES.glob("fhir/*")):
        bundles: list[tuple[str, Any]] = []
        loose: list[tuple[str, Any]] = []
        for path in sorted(folder.glob("*.json")):
            found = json.loads(path.read_bytes())
            is_bundle = found["resourceType"] == "Bundle"
            (bundles if is_bundle else loose).append((path.name, found))
        entries = [{"resource": one} for _, one in loose]
        bundles.append((folder.name, {"resourceType": "Bundle", "entry": entries}))
        for name, bundle in bundles:
            shelf.documents["found"] = json.dumps(bundle).encode()
            for feed in ("hospital-fhir", "triage-fhir"):
                sink = await polled(*shipped(feed), shelf.at("found"))
                reasons = dict(Counter(reject.code for reject in sink.rejects))
                print(f"{name} {feed}: {len(sink.live)} {reasons}")
                refused = repr([r for r in sink.rejects if r.code == "personal_data"])
                assert "Patient/" not in refused


@pytest.mark.filterwarnings("ignore:Workbook contains no:UserWarning")
@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
def test_published_workbooks_are_read() -> None:
    kinds: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for path in sorted(SAMPLES.glob("excel/*.xls*")):
        try:
            for row in ExcelTable(path, None, 0, 1, 64 << 20).rows(Mark()):
                rows[row.fault.code if row.fault else "read"] += 1
            kinds["read"] += 1
        except Broken as broken:
            kinds["refused"] += 1
            print(f"{path.name}: {broken}")
    print(dict(kinds), dict(rows))


@pytest.mark.parametrize("number", [101, 103, 203])
async def test_a_device_with_the_registers_of_a_published_model_is_read(number: int) -> None:
    path = SAMPLES / f"sunspec/model_{number}.json"
    points: list[dict[str, Any]] = json.loads(path.read_bytes())["group"]["points"]
    base, at, words = 40070, {}, list[int]()
    for point in points:
        at[point["name"]] = base + len(words)
        words += [0x8000 if point["type"] == "int16" else 0xFFFF] * point["size"]
    scale = next(p["sf"] for p in points if p["name"] == "Hz")
    words[at["Hz"] - base], words[at[scale] - base] = 5002, (-2) & 0xFFFF
    kind = next(p["type"] for p in points if p["name"] == "Hz")
    registers = [
        {"column": "frequency", "address": at["Hz"], "type": kind, "scale_address": at[scale]},
        {"column": "voltage", "address": at["W"], "type": "int16", "absent": [-32768]},
    ]
    async with a_device(base, words) as meter:
        sink = await polled(*shipped("grid-modbus", registers=registers), meter)
    told(path.name, sink)
    assert [reading.values for reading in sink.live] == [{"frequency": 50.02}]
    assert [reject.code for reject in sink.rejects] == ["device_error"]
