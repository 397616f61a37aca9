"""Meters on loopback that speak Modbus."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def a_meter() -> AbstractAsyncContextManager[str]:
    """A meter with 49.98 Hz at input register 0, 10,500.0 V at 1 and 2, and no register beyond 9."""
    return a_device(0, [4998, 1, 39464, 0, 0, 0, 0, 0, 0, 0])


@asynccontextmanager
async def a_device(first: int, words: list[int]) -> AsyncIterator[str]:
    """A device with `words` in its registers from `first` on."""
    data = SimData(first, values=list(words), datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(1, simdata=[data]), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        listening: Any = server.transport
        yield f"modbus://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]
