"""Change one reading in the input file: the vital, its level and the case change accordingly."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House
from tests.api.recording import LAST, a_replaying_house, four_weeks, go_to_noon, write_csv

VITALS = "/entities?type=VitalSign&options=keyValues"
CASES = "/entities?type=CityCase&options=keyValues"


async def _watched(house: House) -> None:
    """Evaluate as a running city does: over the past, then as it comes."""
    await house.city.vitals.backfill("city", house.city.clock.now() - timedelta(weeks=6))
    await house.city.evaluate()
    await go_to_noon(house)
    await house.city.evaluate()


async def _by_area(house: House, path: str) -> dict[str, Any]:
    return {one["areaServed"]: one for one in await house.get(path)}


@pytest.mark.parametrize(
    ("reading", "level", "cases"),
    [(None, "normal", 0), (74.0, "normal", 0), (90.0, "watch", 0), (200.0, "act", 1)],
)
async def test_one_reading_decides_value_level_and_case(
    tmp_path: Path, reading: float | None, level: str, cases: int
) -> None:
    source = tmp_path / "source"
    write_csv(source, four_weeks({} if reading is None else {(LAST, "east"): reading}))
    async with a_replaying_house(tmp_path / "data", source) as house:
        await _watched(house)
        vitals = await _by_area(house, VITALS)
        expected = float(four_weeks()[-2].split(",")[3]) if reading is None else reading
        assert vitals["东城区"]["currentValue"] == expected
        assert vitals["东城区"]["level"] == level
        assert vitals["西城区"]["level"] == "normal"
        opened = await house.get(CASES)
        assert len(opened) == cases
        for case in opened:
            assert case["areaServed"] == "东城区"
            assert case["refVital"] == vitals["东城区"]["id"]
            assert (case["category"], case["level"], case["kind"]) == ("dirty_air", "act", "real")
            assert case["responsibleUnit"] == "bureau"
            assert [e["value"] for e in case["evidence"]["json"]][-1:] == [200.0]


async def test_a_changed_reading_of_the_past_changes_the_outlook(tmp_path: Path) -> None:
    outlooks = []
    for name, changes in (
        ("as_it_was", {}),
        ("changed", {(LAST - timedelta(hours=1), "east"): 66.0}),
    ):
        source = tmp_path / name
        write_csv(source, four_weeks(changes))
        async with a_replaying_house(tmp_path / f"{name}-data", source) as house:
            await _watched(house)
            found = await _by_area(house, "/entities?type=Forecast&options=keyValues")
            forecasts = {area: one["forecast"]["json"] for area, one in found.items()}
            assert len(forecasts["东城区"]["points"]) == 24
            outlooks.append({area: one["points"] for area, one in forecasts.items()})
    as_it_was, changed = outlooks
    assert as_it_was["西城区"] == changed["西城区"]
    assert as_it_was["东城区"] != changed["东城区"]


async def test_the_past_of_a_vital_is_read_like_any_other(tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_csv(source, four_weeks())
    async with a_replaying_house(tmp_path / "data", source) as house:
        await _watched(house)
        vital = (await _by_area(house, VITALS))["东城区"]["id"]
        document = await house.get(
            f"/temporal/entities/{vital}?attrs=currentValue&options=temporalValues&lastN=3"
        )
        recorded = [float(row.split(",")[3]) for row in four_weeks()[-6::2]]
        assert [value for value, _ in document["currentValue"]["values"]] == recorded[::-1]
        assert document["currentValue"]["values"][0][1] == "2026-11-22T08:00:00Z"
