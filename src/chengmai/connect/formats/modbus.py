"""Modbus TCP: registers of meters and substations as records, one for each device and reading.

Columns: `device`, and one for each register of the feed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from chengmai.connect.formats.pages import read_json
from chengmai.connect.formats.ports import OBSERVED, Document, Get, Item, fault
from chengmai.connect.problems import SourceFailed
from chengmai.packs.sources import ModbusSource, Register

_ADDRESS = re.compile(r"^modbus://([A-Za-z0-9.\-]+|\[[0-9A-Fa-f:]+\])(?::([0-9]{1,5}))?/?$")
_BITS = ("coil", "discrete")


class ModbusFormat:
    """Implements `formats.ports.Format` for the devices at `address`; a device that fails is a reject."""

    timed = True

    def __init__(self, source: ModbusSource, address: str) -> None:
        self._source = source
        self._address = address

    async def gather(self, get: Get) -> Sequence[Document]:
        match = _ADDRESS.match(self._address)
        if match is None:
            raise SourceFailed(
                f"{self._address!r} is no Modbus address", fix="write modbus://10.0.0.5:502"
            )
        host, port = match[1].strip("[]"), int(match[2] or 502)
        client = AsyncModbusTcpClient(
            await get.host(host, port),
            port=port,
            timeout=self._source.timeout.total_seconds(),
            retries=1,
            reconnect_delay=0,
        )
        try:
            if not await client.connect():
                raise SourceFailed(
                    f"{host}:{port} does not answer", fix="check the address and the device"
                )
            told = [
                await self._device(client, name, number)
                for name, number in self._source.devices.items()
            ]
        finally:
            client.close()
        at = datetime.now(UTC).timestamp()
        return [await get.keep(self._address, json.dumps({"at": at, "told": told}).encode())]

    def items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        for record, wrong in read_json(documents[0])["told"]:
            name = str(record["device"])
            for column, detail in wrong.items():
                yield fault(f"{name} {column}", "device_error", detail)
            if len(record) > 1:
                yield Item(name, {**record, OBSERVED: now.timestamp()})

    def close(self) -> None:
        pass

    async def _device(
        self, client: AsyncModbusTcpClient, name: str, number: int
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Return (record, what is wrong by column) of a device; a silent one is asked once."""
        record: dict[str, Any] = {"device": name}
        wrong: dict[str, str] = {}
        for register in self._source.registers:
            try:
                record[register.column] = await _read(client, register, number)
            except _Absent as absent:
                wrong[register.column] = str(absent)[:200]
            except (ModbusException, ValueError, OSError) as error:
                wrong[register.column] = f"no answer: {error}"[:200]
                return record, wrong
        return record, wrong


class _Absent(Exception):
    """The device answers, but not with a value."""


async def _read(client: AsyncModbusTcpClient, register: Register, number: int) -> Any:
    """Return the value of a register, scaled; raises `_Absent` when the device has none."""
    raw = await _raw(client, register, number)
    if isinstance(raw, bool):
        return raw
    if raw in register.absent:
        raise _Absent(f"the device says by {raw:g} that it has no value")
    scale = register.scale
    if register.scale_address is not None:
        there = {"address": register.scale_address, "type": "int16"}
        power = await _raw(client, register.model_copy(update=there), number)
        if not -10 <= power <= 10:
            raise _Absent(f"the device gives {power:g} as its power of ten")
        scale *= 10.0**power
    # Twelve digits: 2301 × 0.1 is 230.1, not 230.10000000000002.
    scaled = float(f"{raw * scale + register.offset:.12g}")
    return scaled if math.isfinite(scaled) else str(scaled)


async def _raw(client: AsyncModbusTcpClient, register: Register, number: int) -> float:
    """Return the raw number of a register, of a coil a truth value; raises `_Absent`."""
    answer = await _asked(client, register, number)
    if answer.isError():
        raise _Absent(f"the device answers {answer}")
    if register.kind in _BITS:
        return bool(answer.bits[0])
    kind = client.DATATYPE[register.type.upper()]
    found = client.convert_from_registers(
        answer.registers, data_type=kind, word_order=register.word_order
    )
    return float(found)  # type: ignore[arg-type]


async def _asked(client: AsyncModbusTcpClient, register: Register, number: int) -> Any:
    count = client.DATATYPE[register.type.upper()].value[1]
    match register.kind:
        case "holding":
            return await client.read_holding_registers(
                register.address, count=count, device_id=number
            )
        case "input":
            return await client.read_input_registers(
                register.address, count=count, device_id=number
            )
        case "coil":
            return await client.read_coils(register.address, count=1, device_id=number)
    return await client.read_discrete_inputs(register.address, count=1, device_id=number)
