"""A feed of a standard format moves the vital sign of its pack."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chengmai.app import City
from chengmai.kernel.clock import FixedClock
from chengmai.ngsild.entity import value_of
from chengmai.packs import shipped_packs
from chengmai.settings import Settings
from tests.ports.serving import a_polled, serving, shipped
from tests.ports.transit import AT, a_message, a_trip
from tests.unit.connect.builders import Enough


async def test_delays_of_buses_move_the_punctuality_of_the_city(tmp_path: Path) -> None:
    feed, entity = shipped("bus-gtfs-realtime")
    at = datetime.fromtimestamp(AT, UTC)
    clock = FixedClock(at + timedelta(minutes=10))
    settings = Settings(data=tmp_path / "city", packs=(shipped_packs() / "transport",), feeds=False)
    city = City(settings, real_clock=clock)
    try:
        sink = city.intake.sink("transport", feed, entity)
        with serving() as shelf:
            late = [a_trip(f"t{n}", {"s1": 900}) for n in range(3)]
            shelf.documents["rt.pb"] = a_message(*late, a_trip("t9", {"s1": 30}))
            connector = a_polled(feed, entity, shelf.at("rt.pb"), clock=clock)
            with pytest.raises(Enough):
                await connector.run(sink)
        report = await city.vitals.tick("city")
        assert report.failures == ()
        signs = await city.store.work.read(
            lambda tx: city.model.find(tx, "city", "VitalSign", limit=100)
        )
        (sign,) = [one for one in signs if "bus_punctuality" in one["id"]]
        assert (value_of(sign, "currentValue"), value_of(sign, "level")) == (25.0, "act")
    finally:
        await city.stop()
