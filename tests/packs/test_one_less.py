"""A city without one of its packs is a city."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chengmai.app import City
from chengmai.kernel.clock import FixedClock
from chengmai.packs import check_packs, read_packs, shipped_packs
from chengmai.settings import Settings

NAMES = sorted(path.parent.name for path in shipped_packs().glob("*/pack.toml"))


@pytest.mark.parametrize("name", NAMES)
async def test_a_city_runs_without_a_pack_that_was_deleted(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    shutil.copytree(shipped_packs(), folder)
    shutil.rmtree(folder / name)
    assert check_packs(read_packs([folder])) == []
    clock = FixedClock(datetime(2026, 11, 23, 4, 0, tzinfo=UTC))
    city = City(Settings(data=tmp_path / "city", packs=(folder,), feeds=False), real_clock=clock)
    try:
        await city.loads.publish()
        report = await city.vitals.tick("city")
        assert report.failures == ()
        assert report.evaluated == sum(len(pack.vitals) for pack in city.packs)
        assert name not in {pack.info.id for pack in city.packs}
    finally:
        await city.stop()
