"""Real HTTP servers on loopback that a test tells how to answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """One request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What is sent back; a length is added."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


HANGS = None
"""The answer of a server that takes a request and never says anything."""
_TURNS = 5
"""Of the loop, until somebody who was let in is announced; it takes three."""
Answer = Callable[[Request], Awaitable[Reply | None]]


@asynccontextmanager
async def a_listener(answer: Answer, port: int = 0) -> AsyncIterator[int]:
    """Yield the port of a server that answers each request with what `answer` gives."""
    serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(_serve(answer, reader, writer))
        serving[task] = writer
        task.add_done_callback(serving.pop)

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await closed(server)
        left = dict(serving)
        for task, writer in left.items():
            task.cancel()
            writer.close()  # a task that has not begun closes nothing
        await asyncio.gather(*left, return_exceptions=True)
        for writer in left.values():
            with suppress(ConnectionError):
                await writer.wait_closed()


async def closed(server: asyncio.Server) -> None:
    """Let nobody in any more, and return when whoever was let in before is announced."""
    for listening in server.sockets:
        asyncio.get_running_loop().remove_reader(listening.fileno())
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    # Were it closed while somebody is let in, Python 3.11 would lose that connection without closing it.
    server.close()


async def _serve(
    answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        while line := await reader.readline():
            reply = await answer(await _request(line, reader))
            if reply is HANGS:
                await reader.read()
                return
            told = {"Content-Length": str(len(reply.body)), **reply.headers}
            lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
            writer.write(f"HTTP/1.1 {reply.status} X\r\n{lines}\r\n".encode() + reply.body)
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _request(line: bytes, reader: asyncio.StreamReader) -> Request:
    headers: dict[str, str] = {}
    while (text := (await reader.readline()).decode("latin-1").strip()) != "":
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, target = line.decode().split()[:2]
    return Request(method, target, headers, body)
