"""Packs that are read once serve many cities."""

from __future__ import annotations

import asyncio
from pathlib import Path

from chengmai.app import City
from chengmai.packs.reader import shipped_packs
from chengmai.settings import Settings
from chengmai.vitals.signs import PreparedPacks


def test_a_city_takes_packs_that_were_read_for_another(tmp_path: Path) -> None:
    prepared = PreparedPacks.read([shipped_packs() / "carbon"])

    async def open_two() -> None:
        for name in ("one", "other"):
            settings = Settings(data=tmp_path / name, packs=(tmp_path / "nowhere",), feeds=False)
            city = City(settings, prepared=prepared)
            assert city.packs == list(prepared.packs)
            assert [pack.info.id for pack in city.packs] == ["carbon"]
            await city.stop()

    asyncio.run(open_two())


def test_signs_are_those_of_the_packs_read(tmp_path: Path) -> None:
    prepared = PreparedPacks.read([shipped_packs() / "carbon"])
    names = [f"carbon/{spec.id}" for pack in prepared.packs for spec in pack.vitals]
    assert [sign.key for sign in prepared.signs] == names
