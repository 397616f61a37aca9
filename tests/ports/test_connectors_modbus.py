"""Modbus from real devices on loopback."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chengmai.connect.problems import SourceFailed
from chengmai.packs.feeds import ANY_FEED
from tests.ports.meters import a_device, a_meter
from tests.ports.serving import (
    a_polled,
    polled,
    reasons,
    shipped,
)
from tests.unit.connect.builders import NOW, ListSink


async def test_registers_become_values_in_their_units() -> None:
    async with a_meter() as meter:
        (point,) = (await polled(*shipped("grid-modbus"), meter)).live
        assert point.values == {"frequency": 49.98, "voltage": 10.5}
        assert point.entity_id == "urn:ngsi-ld:GridPointObserved:busbar-1"


async def test_a_register_and_a_device_that_are_not_there_are_told() -> None:
    async with a_meter() as meter:
        registers = [
            {"column": "frequency", "address": 0, "kind": "input", "scale": 0.01},
            {"column": "voltage", "address": 40, "kind": "input"},
        ]
        devices = {"busbar-1": 1, "busbar-9": 9}
        feed, entity = shipped("grid-modbus", registers=registers, devices=devices, timeout="PT1S")
        sink = await polled(feed, entity, meter)
        assert [r.values for r in sink.live] == [{"frequency": 49.98}]
        assert set(reasons(sink)) == {"device_error"}


async def test_a_power_of_ten_and_absence_are_read_from_the_registers_of_the_device() -> None:
    registers = [
        {"column": "frequency", "address": 0, "scale_address": 2},
        {"column": "voltage", "address": 1, "type": "int16", "absent": [-32768]},
    ]
    async with a_device(0, [5002, 0x8000, (-2) & 0xFFFF]) as meter:
        sink = await polled(*shipped("grid-modbus", registers=registers), meter)
    assert [r.values for r in sink.live] == [{"frequency": 50.02}]
    assert [r.where for r in sink.rejects] == ["busbar-1 voltage"]


async def test_a_power_of_ten_that_cannot_be_is_told() -> None:
    registers = [{"column": "frequency", "address": 0, "scale_address": 1}]
    async with a_device(0, [5002, 0x8000]) as meter:
        sink = await polled(*shipped("grid-modbus", registers=registers), meter)
    assert (sink.live, reasons(sink)) == ([], {"device_error": 1})


async def test_a_frequency_in_the_wrong_unit_is_out_of_range() -> None:
    async with a_meter() as meter:
        registers = [{"column": "frequency", "address": 0, "kind": "input"}]
        told = shipped("grid-modbus")[0].model_dump(by_alias=True)
        told["source"] |= {"registers": registers}
        told["map"]["attributes"] = {"frequency": {"column": "frequency", "unit": "HTZ"}}
        feed: Any = ANY_FEED.validate_python(told)
        sink = await polled(feed, shipped("grid-modbus")[1], meter)
        assert (sink.live, reasons(sink)) == ([], {"out_of_range": 1})


async def test_a_device_that_does_not_answer_is_a_failed_source() -> None:
    feed, entity = shipped("grid-modbus", timeout="PT1S")
    with pytest.raises(SourceFailed, match="does not answer"):
        await a_polled(feed, entity, "modbus://127.0.0.1:1").run(ListSink())
    with pytest.raises(SourceFailed, match="may not be connected to"):
        await a_polled(feed, entity, "modbus://127.0.0.1:1", private=False).run(ListSink())
    with pytest.raises(SourceFailed, match="no Modbus address"):
        await a_polled(feed, entity, "127.0.0.1").run(ListSink())


async def test_readings_of_a_device_go_on_while_nothing_changes() -> None:
    async with a_meter() as meter:
        sink = await polled(*shipped("grid-modbus"), meter, polls=2, clock=Ticking())
    assert len(sink.live) == 2


class Ticking:
    """A clock that is a minute later each time."""

    at = NOW

    def now(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at
