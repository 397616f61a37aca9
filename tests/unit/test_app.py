"""What a city says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from chengmai.app import City
from chengmai.settings import Settings
from tests.unit.packs.builders import a_folder

SIMULATED = {
    "feeds/gauges.toml": """
id = "gauges"
connector = "simulate"
entity = "Gauge"
period = "PT5M"
licence = "own"
title = { zh = "积水点", en = "Gauges" }
source = { generator = "air_stations" }
"""
}


@pytest.mark.parametrize(("changes", "simulated"), [({}, False), (SIMULATED, True)])
async def test_a_city_is_called_simulated_only_when_a_generator_runs(
    tmp_path: Path, changes: dict[str, str], simulated: bool
) -> None:
    pack = a_folder(tmp_path / "water", changes)
    city = City(Settings(data=tmp_path / "data", packs=(pack,)))
    try:
        assert city.is_simulated is simulated
    finally:
        await city.stop()


async def test_a_city_on_recordings_is_not_simulated(tmp_path: Path) -> None:
    pack = a_folder(tmp_path / "water", SIMULATED)
    city = City(Settings(data=tmp_path / "data", packs=(pack,), source_data=tmp_path))
    try:
        assert not city.is_simulated
    finally:
        await city.stop()
