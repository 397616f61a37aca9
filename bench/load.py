"""A closed-loop HTTP client of many connections: cheap, so that it leaves the machine to the server."""

from __future__ import annotations

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from bench.measure import Row, Timed, cpu_s


@dataclass(frozen=True)
class Call:
    """One request; `body` None sends none."""

    method: str
    path: str
    body: object = None
    accept: str = ""


@dataclass(frozen=True)
class Target:
    """A server process and how to reach it."""

    process: Process
    port: int
    token: str = ""

    def encode(self, call: Call) -> bytes:
        """Return the request as bytes on the wire."""
        body = b"" if call.body is None else orjson.dumps(call.body)
        head = f"{call.method} {call.path} HTTP/1.1\r\nHost: bench\r\n"
        if self.token:
            head += f"Authorization: Bearer {self.token}\r\n"
        if call.accept:
            head += f"Accept: {call.accept}\r\n"
        if call.body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body


async def run(
    target: Target,
    bench: str,
    shape: str,
    calls: Iterable[Call],
    *,
    in_flight: int = 64,
    each: int = 1,
) -> Row:
    """Send `calls` with so many at a time; return what they took. A status of 300 and above is a failure."""
    timed, waiting = Timed(), iter(calls)
    before, start = cpu_s(target.process.pid), time.perf_counter()
    await asyncio.gather(*(_worker(target, waiting, timed) for _ in range(in_flight)))
    wall, used = time.perf_counter() - start, cpu_s(target.process.pid) - before
    return timed.row(bench, shape, used, wall, each)


async def _worker(target: Target, calls: Iterator[Call], timed: Timed) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**26)
    try:
        for call in calls:
            request = target.encode(call)
            start = time.perf_counter()
            writer.write(request)
            status, _ = await _answer(reader)
            timed.seconds.append(time.perf_counter() - start)
            timed.failed += status >= 300
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        return int(head[9:12]), await _chunks(reader)
    at = lower.find(b"content-length:")
    length = int(lower[at + 15 : lower.index(b"\r\n", at)]) if at >= 0 else 0
    body = await reader.readexactly(length) if length else b""
    return int(head[9:12]), body


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readline()
    return b"".join(parts)
