"""A receiver of notifications: a real HTTP server on a free port, told how to answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

WAIT_S = 20.0
"""How long a test waits for what must come; only a failing test waits that long."""


@dataclass(frozen=True)
class Received:
    """One request as it arrived; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def entity(self) -> dict[str, Any]:
        """Return the one entity it tells of."""
        (entity,) = self.body["data"]
        return dict(entity)


@dataclass
class Receiver:
    """What has arrived, and what is answered: the statuses in `answers` one by one, then 200."""

    port: int = 0
    got: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hangs: bool = False
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/notify") -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def wait_for(self, count: int) -> list[Received]:
        """Return everything that has arrived once there are `count` requests."""
        async with asyncio.timeout(WAIT_S):
            while len(self.got) < count:
                self._came.clear()
                await self._came.wait()
        return self.got

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while line := await reader.readline():
                await self._one(line, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(
        self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        headers: dict[str, str] = {}
        while (text := (await reader.readline()).decode("latin-1").strip()) != "":
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if self.hangs:
            await reader.read()
            raise ConnectionResetError
        self.got.append(Received(line.split()[1].decode(), headers, orjson.loads(body)))
        status = self.answers.pop(0) if self.answers else 200
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        self._came.set()


@asynccontextmanager
async def a_receiver(*answers: int, hangs: bool = False, port: int = 0) -> AsyncIterator[Receiver]:
    """Yield a receiver that listens."""
    made = Receiver(answers=list(answers), hangs=hangs)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(made.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
