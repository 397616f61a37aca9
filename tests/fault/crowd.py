"""Clients that take a place and say nothing, half of something, or a byte now and then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

BEGUN = (
    b"",
    b"GET /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\n",
    b"POST /ngsi-ld/v1/entities HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{",
)
"""What they have sent: nothing, half a head, half a body."""
_DRIP_S = 0.5


class _Silent(asyncio.Protocol):
    """One of them."""

    def __init__(self, begun: bytes) -> None:
        self._begun = begun
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        if self._begun:
            transport.write(self._begun)  # type: ignore[attr-defined]

    def drip(self) -> None:
        """Send a byte of what was begun, so that no time is up."""
        if self._begun and self.transport is not None and not self.transport.is_closing():
            self.transport.write(b"x")  # type: ignore[attr-defined]


@asynccontextmanager
async def a_crowd(
    port: int, count: int, begun: Sequence[bytes] = BEGUN
) -> AsyncIterator[list[_Silent]]:
    """Yield that many connections, of each kind as many; they stay as long as the server lets them."""
    loop, crowd = asyncio.get_running_loop(), []
    for start in range(0, count, 100):
        wires = [_Silent(begun[n % len(begun)]) for n in range(start, min(start + 100, count))]
        await asyncio.gather(
            *(loop.create_connection(lambda wire=wire: wire, "127.0.0.1", port) for wire in wires)  # type: ignore[misc]
        )
        crowd += wires
    dripping = asyncio.create_task(_drip(crowd))
    try:
        yield crowd
    finally:
        dripping.cancel()
        for wire in crowd:
            if wire.transport is not None:
                wire.transport.abort()  # type: ignore[attr-defined]


async def _drip(crowd: list[_Silent]) -> None:
    while True:
        await asyncio.sleep(_DRIP_S)
        for wire in crowd:
            wire.drip()
