"""Feeds of standard formats in a running city: off without an address, live with one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chengmai.app import City
from chengmai.connect.health import feed_id
from chengmai.ngsild.entity import value_of
from chengmai.packs import shipped_packs
from chengmai.settings import Settings
from tests.ports.transit import a_timetable


async def states(city: City) -> dict[str, str]:
    feeds = await city.store.work.read(
        lambda tx: city.model.find(tx, city.settings.tenant, "DataFeed")
    )
    return {feed["id"]: str(value_of(feed, "feedState")) for feed in feeds}


async def test_a_feed_is_off_until_it_has_an_address_and_then_brings_entities(
    tmp_path: Path,
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/bus.zip").write_bytes(a_timetable())
    settings = Settings(
        data=tmp_path / "city",
        packs=(shipped_packs() / "transport",),
        source_data=tmp_path / "none",
        feed_addresses={"gtfs-stops": "bus.zip"},
        feed_files=tmp_path / "files",
    )
    city = City(settings)
    await city.start()
    try:
        async with asyncio.timeout(60):
            while (found := await states(city)).get(feed_id("transport", "gtfs-stops")) != "live":
                await asyncio.sleep(0.05)
        assert found[feed_id("transport", "bike-gbfs")] == "off"
        stops = await city.store.work.read(
            lambda tx: city.model.find(tx, city.settings.tenant, "GtfsStop")
        )
        assert len(stops) == 3
    finally:
        await city.stop()
