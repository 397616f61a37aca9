"""What a feed refuses is counted, explained and visible, and the good rows around it arrive."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from chengmai.ngsild.entity import name_iri
from tests.api.house import House
from tests.api.recording import LAST, a_replaying_house, a_row, four_weeks, write_csv

_STATION = "/entities?type=AirQualityObserved"


async def _feed(house: House, name: str) -> dict[str, Any]:
    found: dict[str, Any] = await house.get(
        f"/entities/urn:ngsi-ld:DataFeed:air:{name}?options=keyValues"
    )
    return found


async def _past(house: House, station: str, attribute: str = "pm25") -> list[float]:
    name = name_iri(attribute)
    series = await house.city.history.evolution(
        "city", f"urn:ngsi-ld:AirQualityObserved:{station}", attributes=[name]
    )
    return [one["value"] for one in series[name]]


async def test_bad_rows_of_a_table_are_told_and_the_rest_arrives(tmp_path: Path) -> None:
    good = four_weeks()
    at = LAST - timedelta(days=2)
    bad = [
        "too,few",
        f"{at.isoformat()},east,东城区,1,2,GP,too,many",
        f'{at.isoformat()},"east,东城区,1,2,GP',
        a_row(at, "odd", 1, unit="KEL"),
        a_row(at, "odd", 2, unit="FURLONG"),
        a_row(at, "odd", -5),
        a_row(at, "odd", "many"),
        a_row(at, "", 3),
        "2026-13-45T00:00:00,east,东城区,4,0.5,GP",
        "2099-01-01T00:00:00,east,东城区,5,0.5,GP",
        "1066-10-14T09:00:00,east,东城区,6,0.5,GP",
    ]
    middle = len(good) - 4 * 24
    write_csv(tmp_path / "source", [*good[:middle], *bad, *good[middle:]])
    async with a_replaying_house(tmp_path / "data", tmp_path / "source") as house:
        feed = await _feed(house, "hourly")
        assert feed["rejectReasons"]["json"] == {
            "bad_row": 3,
            "wrong_unit": 1,
            "unknown_unit": 1,
            "out_of_range": 1,
            "bad_number": 1,
            "missing_id": 1,
            "bad_time": 2,
            "future_time": 1,
        }
        assert feed["rejected"] == len(bad)
        told = feed["lastRejects"]["json"]
        assert {one["code"] for one in told} == set(feed["rejectReasons"]["json"])
        for one in told:
            assert one["where"].startswith("air.csv:")
            assert one["detail"]
        assert feed["feedState"] == "live"
        # Four readings of the two last hours are still to come.
        assert len(await _past(house, "east")) == len(good) // 2 - 2
        # A value that is wrong costs that value and not its row.
        assert await _past(house, "odd") == [2.0]
        assert len(await house.get(_STATION)) == 3


async def test_broken_lines_and_an_endless_one_are_told_and_the_rest_arrives(
    tmp_path: Path,
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    names = ["time", "station", "district", "pm25", "co", "co_unit"]
    lines = [
        json.dumps(dict(zip(names, row.split(","), strict=True))).encode()
        for row in four_weeks()
        if ",east," in row
    ]
    with (source / "air.ndjson").open("wb") as file:
        for number, line in enumerate(lines):
            file.write(line + b"\n")
            if number == 100:
                file.write(b'{"time": "2026-11-01T00:00:00", "station": \n[1, 2]\n"text"\nNaN\n')
            if number == 200:
                file.write(b'{"pm25": "')
                for _ in range(100):
                    file.write(b"9" * 1024 * 1024)
                file.write(b'"}\n')
    async with a_replaying_house(tmp_path / "data", source) as house:
        feed = await _feed(house, "lines")
        assert feed["rejectReasons"]["json"] == {"bad_json": 4, "line_too_long": 1}
        assert feed["rejected"] == 5
        (long,) = [one for one in feed["lastRejects"]["json"] if one["code"] == "line_too_long"]
        assert long["where"] == f"air.ndjson:{201 + 4 + 1}"
        assert len(await _past(house, "line-east")) == len(lines) - 2
        assert feed["accepted"] == len(lines) - 2
