"""A receiver of notifications in a process of its own: it keeps what comes, and when, until it is asked.

`python -m bench.receiver PORT`; POST anything, GET for what has come: `{"count": …}`, with `/all` every letter.
"""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import httptools
import orjson

from tests.fault.processes import free_port, kill

_TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class _Taking(asyncio.Protocol):
    """One connection of the receiver."""

    def __init__(self, came: list[tuple[float, bytes]]) -> None:
        self._came = came
        self._parser = httptools.HttpRequestParser(self)
        self._url, self._body = b"", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url, self._body = b"", b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._parser.get_method() == b"POST":
            self._came.append((time.time(), self._body))
            self._transport.write(_TAKEN)
            return
        told: object = {"count": len(self._came)}
        if self._url == b"/all":
            told = [(at, orjson.Fragment(body)) for at, body in self._came]
            self._came.clear()
        body = orjson.dumps(told)
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@dataclass(frozen=True)
class Letter:
    """One notification as it came; `at` in seconds since 1970."""

    at: float
    body: dict[str, object]


@dataclass(frozen=True)
class Receiver:
    """The receiver, as the measuring process sees it."""

    process: Process
    port: int

    async def count(self) -> int:
        """Return how many notifications have come."""
        return int(orjson.loads(await self._get("/"))["count"])

    async def take(self) -> list[Letter]:
        """Return every notification that came since this was last asked."""
        return [Letter(at, body) for at, body in orjson.loads(await self._get("/all"))]

    async def settled(self, due: int, *, patience_s: float) -> None:
        """Return when as many came as are due and no more follow, or nothing came for so long."""
        last, since = -1, time.monotonic()
        while time.monotonic() - since < patience_s:
            count = await self.count()
            if count != last:
                last, since = count, time.monotonic()
            if count >= due and time.monotonic() - since > 1.0:
                return
            await asyncio.sleep(0.25)

    async def _get(self, path: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**28)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split()[0]))
        writer.close()
        return body


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """Yield a receiver that listens."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.receiver", str(port), stdout=DEVNULL
    )
    receiver = Receiver(process, port)
    try:
        for _ in range(3000):
            try:
                await receiver.count()
                break
            except OSError:
                await asyncio.sleep(0.02)
        yield receiver
    finally:
        kill(process)
        await process.wait()


async def _serve(port: int) -> None:
    came: list[tuple[float, bytes]] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Taking(came), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(int(sys.argv[1])))
