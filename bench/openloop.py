"""An open-loop HTTP client: requests go out when they are due, whether or not earlier ones were answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import httptools

from bench.measure import Row, Timed

MOST_CONNECTIONS = 4000
GONE = 0
"""The status of a request that was not answered."""


@dataclass(slots=True)
class Shot:
    """One request and what became of it; seconds of the loop's clock. It counts from when it was due."""

    due: float
    status: int = GONE
    ended: float = 0.0


def row_of(
    bench: str, shape: str, shots: Sequence[Shot], rate: float, used_s: float, *, within_s: float
) -> Row:
    """Return what requests at a rate came to; `per_second` counts what was answered well in time."""
    well = [shot.ended - shot.due for shot in shots if 200 <= shot.status < 300]
    timed = Timed(well)
    return Row(
        bench,
        shape,
        len(shots),
        cpu_us=used_s / len(shots) * 1e6,
        per_second=sum(late <= within_s for late in well) / (len(shots) / rate),
        p50_ms=timed.percentile_ms(0.50),
        p95_ms=timed.percentile_ms(0.95),
        p99_ms=timed.percentile_ms(0.99),
    )


class _Wire(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self.answer: asyncio.Future[int] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._end(GONE)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.is_open = self.is_open and self._parser.should_keep_alive()
        self._end(self._parser.get_status_code())

    def _end(self, status: int) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(status)


class OpenLoop:
    """Sends requests to one server over as many connections as it takes; `close` at the end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[_Wire] = []
        self._made = 0
        self._loop = asyncio.get_running_loop()

    async def ask(self, request: bytes) -> int:
        """Return the status of the answer to a request; `GONE` without one."""
        wire = await self._wire()
        if wire is None:
            return GONE
        wire.answer = self._loop.create_future()
        wire.transport.write(request)
        try:
            return await wire.answer
        finally:
            done = wire.answer.done() and not wire.answer.cancelled()
            wire.answer = None
            if wire.is_open and done:
                self._idle.append(wire)
            else:
                self._made -= 1
                wire.transport.abort()

    async def paced(
        self, requests: Sequence[bytes], rate: float, *, patience_s: float
    ) -> list[Shot]:
        """Send requests at a rate; return what became of each, after so much patience with the last ones."""
        begin = self._loop.time() + 0.05
        shots = [Shot(begin + n / rate) for n in range(len(requests))]
        tasks = []
        for shot, request in zip(shots, requests, strict=True):
            if (early := shot.due - self._loop.time()) > 0.001:
                await asyncio.sleep(early)
            tasks.append(self._loop.create_task(self._shoot(shot, request)))
            if len(tasks) % 64 == 0:
                await asyncio.sleep(0)
        _, late = await asyncio.wait(tasks, timeout=patience_s)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
        return shots

    async def close(self) -> None:
        """Close every connection."""
        for wire in self._idle:
            wire.transport.abort()

    async def _shoot(self, shot: Shot, request: bytes) -> None:
        shot.status = await self.ask(request)
        shot.ended = self._loop.time()

    async def _wire(self) -> _Wire | None:
        while self._idle:
            wire = self._idle.pop()
            if wire.is_open:
                return wire
            self._made -= 1
        if self._made >= MOST_CONNECTIONS:
            return None
        self._made += 1
        try:
            _, wire = await self._loop.create_connection(_Wire, "127.0.0.1", self._port)
        except OSError:
            self._made -= 1
            return None
        return wire
