"""What a client of any kind gets from the server, byte by byte, over a real connection."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.web.http1.limits import App, Limits
from chengmai.web.server import serve

CALM = Limits(
    head_s=60,
    idle_s=0.05,
    body_s=60,
    whole_s=60,
    drain_s=60,
    connections=20,
    close_s=60,
    sweep_s=0.02,
)
"""Nothing is cut short on a slow machine; who has his answer and says no more is soon let go."""
QUICK = replace(CALM, head_s=0.3, body_s=0.3, drain_s=0.5)
"""Where it is the end of the time that is looked at."""
ENOUGH_S = 60.0
"""For what must happen, however slow the machine is."""
TWO = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the path and the body; some paths do something else."""
    path, body, more = scope["path"], b"", True
    if path == "/early":
        await _answer(send, 413, b"too large")
        return
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    if path == "/slow":
        await asyncio.sleep(0.2)
    if path == "/breaks":
        raise RuntimeError("on purpose")
    if path == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (b"one", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    if path == "/much":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(10_000):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
    await _answer(send, 200, path.encode() + b":" + body)


async def _answer(send: Any, status: int, body: bytes) -> None:
    length = (b"Content-Length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def a_server(limits: Limits = CALM, app: App = echo) -> AsyncIterator[int]:
    stop, opened = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(app, "127.0.0.1", 0, stop, limits, opened=opened.set_result)
    )
    try:
        yield await opened
    finally:
        stop.set()
        await serving


class Client(asyncio.Protocol):
    """Keeps what it is sent, also when the connection then breaks."""

    def __init__(self) -> None:
        self.got = b""
        self.gone = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.got += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set_result(None)


async def said(port: int, *pieces: bytes, pause_s: float = 0.0, end: bool = False) -> bytes:
    """Send pieces and return everything that comes back until the server closes."""
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(Client, "127.0.0.1", port)
    try:
        for piece in pieces:
            transport.write(piece)
            await asyncio.sleep(pause_s)
        if end:
            transport.write_eof()
        await asyncio.wait_for(client.gone, ENOUGH_S)
    finally:
        transport.close()
    return client.got


class Door:
    """An application that answers nobody before it is opened, and counts who waits."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._came = asyncio.Semaphore(0)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._came.release()
        await self._open.wait()
        await echo(scope, receive, send)

    def open(self) -> None:
        self._open.set()

    async def until(self, count: int) -> None:
        """Return when that many more wait."""
        async with asyncio.timeout(ENOUGH_S):
            for _ in range(count):
                await self._came.acquire()


def statuses(got: bytes) -> list[int]:
    """Return the statuses of the answers in what came back."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", got)]


async def test_requests_on_one_connection_are_answered_in_order() -> None:
    async with a_server() as port:
        slow_first = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" + TWO
        got = await said(port, slow_first)
    assert [got.index(part) for part in (b"/slow:", b"/a:", b"/b:")] == sorted(
        got.index(part) for part in (b"/slow:", b"/a:", b"/b:")
    )
    assert statuses(got) == [200, 200, 200]
    assert b"date: " in got


async def test_a_body_in_chunks_and_one_with_a_length_arrive_whole() -> None:
    chunked = (
        b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n"
    )
    async with a_server() as port:
        got = await said(port, chunked, b"0\r\n\r\n", pause_s=0.05)
        assert got.endswith(b"/c:abcde")
        got = await said(port, b"POST /l HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab", b"cd")
        assert got.endswith(b"/l:abcd")


async def test_a_stream_goes_out_in_chunks_or_until_the_end_for_an_old_client() -> None:
    async with a_server() as port:
        new = await said(port, b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert new.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        old = await said(port, b"GET /stream HTTP/1.0\r\n\r\n")
        assert old.endswith(b"\r\n\r\nonetwo")


async def test_a_head_request_has_no_body_and_names_its_length() -> None:
    async with a_server() as port:
        got = await said(port, b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"content-length: 3" in got.lower()
    assert got.endswith(b"\r\n\r\n")


async def test_a_client_that_asks_before_it_sends_is_told_to_go_on() -> None:
    head = b"POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    async with a_server() as port:
        got = await said(port, head, b"ok", pause_s=0.1)
    assert statuses(got) == [100, 200]
    assert got.endswith(b"/e:ok")


async def test_an_answer_before_the_body_is_read_reaches_the_client() -> None:
    head = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
    async with a_server() as port:
        got = await said(port, head, *[b"x" * 100_000] * 5, pause_s=0.01)
    assert statuses(got) == [413]
    assert b"connection: close" in got
    assert got.endswith(b"too large")


async def test_an_error_of_ours_is_a_500_and_the_server_goes_on() -> None:
    async with a_server() as port:
        assert statuses(await said(port, b"GET /breaks HTTP/1.1\r\nHost: x\r\n\r\n")) == [500]
        assert statuses(await said(port, TWO)) == [200, 200]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\na: \x01\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET http://[::bad/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_what_two_readers_could_read_differently_is_refused(request_bytes: bytes) -> None:
    async with a_server() as port:
        got = await said(port, request_bytes)
    assert statuses(got) == [400]


async def test_a_good_request_before_a_bad_one_is_answered_first() -> None:
    async with a_server() as port:
        got = await said(port, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n")
    assert statuses(got) == [200, 400]


async def test_a_head_that_does_not_end_costs_a_bounded_number_of_bytes() -> None:
    async with a_server() as port:
        got = await said(port, b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"x" * 200_000)
    assert statuses(got) == [431]


async def test_a_head_that_comes_too_slowly_is_ended() -> None:
    async with a_server(QUICK) as port:
        got = await said(port, *[b"GET / HTTP/1.1\r\n"], *[b"a: b\r\n"] * 30, pause_s=0.02)
    assert statuses(got) == [408]


async def test_a_body_that_does_not_come_and_an_idle_connection_are_ended() -> None:
    async with a_server(QUICK) as port:
        half = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab"
        assert await said(port, half) == b""
        got = await said(port, TWO)
        assert statuses(got) == [200, 200]


async def test_a_client_that_takes_nothing_is_cut_off_and_holds_nobody_up() -> None:
    async with a_server(replace(CALM, drain_s=0.5)) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        assert statuses(await said(port, TWO)) == [200, 200]
        with pytest.raises(ConnectionError):
            await _until_cut_off(writer)
        writer.close()


async def _until_cut_off(writer: asyncio.StreamWriter) -> None:
    async with asyncio.timeout(ENOUGH_S):
        while True:
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)


async def test_a_client_that_closed_its_side_still_gets_its_answer() -> None:
    async with a_server() as port:
        got = await said(port, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", end=True)
    assert statuses(got) == [200]


@asynccontextmanager
async def a_crowd(port: int, count: int, begun: bytes) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Yield connections that have sent so much and say no more; who asked for /a has got it."""
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    try:
        for reader, writer in held:
            writer.write(begun)
            if begun.startswith(b"GET /a "):
                await asyncio.wait_for(reader.readuntil(b"/a:"), ENOUGH_S)
        yield [reader for reader, _ in held]
    finally:
        for _, writer in held:
            writer.close()


async def test_who_comes_when_all_places_are_at_work_is_told_so() -> None:
    door = Door()
    async with a_server(app=door) as port:
        async with a_crowd(port, 20, b"GET /c HTTP/1.1\r\nHost: x\r\n\r\n") as crowd:
            await door.until(20)
            got = await said(port, TWO)
            assert statuses(got) == [503]
            assert b"retry-after: " in got
            door.open()
            for reader in crowd:
                await asyncio.wait_for(reader.readuntil(b"/c:"), ENOUGH_S)
        assert statuses(await said(port, TWO)) == [200, 200]


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /b HTT",
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhal",
        b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "idle again"],
)
async def test_who_waits_for_nothing_but_his_client_makes_room(begun: bytes) -> None:
    async with (
        a_server(replace(CALM, idle_s=60)) as port,
        a_crowd(port, 20, begun) as held,
    ):
        last = TWO[:-2] + b"Connection: close\r\n\r\n"
        assert statuses(await said(port, last)) == [200, 200]
        reading = [asyncio.ensure_future(reader.read()) for reader in held]
        ended, left = await asyncio.wait(
            reading, timeout=ENOUGH_S, return_when=asyncio.FIRST_COMPLETED
        )
        for task in left:
            task.cancel()
        # The first to come has waited longest.
        assert ended == {reading[0]}
        assert reading[0].exception() is None or isinstance(reading[0].exception(), OSError)


async def test_stopping_answers_what_is_in_work() -> None:
    stop, opened, door = asyncio.Event(), asyncio.get_running_loop().create_future(), Door()
    serving = asyncio.create_task(serve(door, "127.0.0.1", 0, stop, CALM, opened=opened.set_result))
    port = await opened
    asking = asyncio.create_task(said(port, b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"))
    await door.until(1)
    stop.set()
    await _until_closed(port)
    door.open()
    got = await asking
    await serving
    assert statuses(got) == [200]
    assert b"connection: close" in got


async def _until_closed(port: int) -> None:
    async with asyncio.timeout(ENOUGH_S):
        with contextlib.suppress(OSError):
            while True:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await asyncio.sleep(0.01)


@settings(max_examples=30)
@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=4))
def test_no_bytes_bring_the_server_down(pieces: list[bytes]) -> None:
    async def run() -> None:
        async with a_server() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"".join(pieces) + b"\r\n\r\n")
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(0.1):
                    await reader.read(1000)
            writer.close()
            got = await said(port, b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert statuses(got) == [200]

    asyncio.run(run())
