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

from chengmai.web.http1.limits import Limits
from chengmai.web.server import free_port, serve

QUICK = Limits(
    head_s=0.5, idle_s=0.5, body_s=0.5, whole_s=5, drain_s=1.0, connections=20, close_s=1.0
)
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
async def a_server(limits: Limits = QUICK) -> AsyncIterator[int]:
    port, stop = free_port("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(serve(echo, "127.0.0.1", port, stop, limits))
    await asyncio.sleep(0.05)
    try:
        yield port
    finally:
        stop.set()
        await serving


async def said(port: int, *pieces: bytes, pause_s: float = 0.0, end: bool = False) -> bytes:
    """Send pieces and return everything that comes back until the server closes, or a second is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause_s)
        if end:
            writer.write_eof()
        async with asyncio.timeout(2.0):
            while piece := await reader.read(65536):
                got += piece
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return got


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
    async with a_server() as port:
        got = await said(port, *[b"GET / HTTP/1.1\r\n"], *[b"a: b\r\n"] * 40, pause_s=0.06)
    assert statuses(got) == [408]


async def test_a_body_that_does_not_come_and_an_idle_connection_are_ended() -> None:
    async with a_server() as port:
        started = asyncio.get_running_loop().time()
        await said(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
        assert asyncio.get_running_loop().time() - started < 1.9
        got = await said(port, TWO)
        assert statuses(got) == [200, 200]


async def test_a_client_that_takes_nothing_is_cut_off_and_holds_nobody_up() -> None:
    async with a_server() as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0.2)
        assert statuses(await said(port, TWO)) == [200, 200]
        with pytest.raises(ConnectionError):
            await _until_cut_off(writer)
        writer.close()


async def _until_cut_off(writer: asyncio.StreamWriter) -> None:
    async with asyncio.timeout(10):
        while True:
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.1)


async def test_a_client_that_closed_its_side_still_gets_its_answer() -> None:
    async with a_server() as port:
        got = await said(port, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", end=True)
    assert statuses(got) == [200]


@asynccontextmanager
async def a_crowd(port: int, count: int, begun: bytes) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Yield connections that have sent so much and say no more."""
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    for _, writer in held:
        writer.write(begun)
    await asyncio.sleep(0.1)
    try:
        yield [reader for reader, _ in held]
    finally:
        for _, writer in held:
            writer.close()


SLOW = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_who_comes_when_all_places_are_at_work_is_told_so() -> None:
    async with a_server() as port:
        async with a_crowd(port, 20, SLOW):
            got = await said(port, TWO)
            assert statuses(got) == [503]
            assert b"retry-after: " in got
        await asyncio.sleep(0.3)
        assert statuses(await said(port, TWO)) == [200, 200]


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /a HTT",
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhal",
        b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "idle again"],
)
async def test_who_waits_for_nothing_but_his_client_makes_room(begun: bytes) -> None:
    patient = replace(QUICK, head_s=9, idle_s=9, body_s=9)
    async with a_server(patient) as port, a_crowd(port, 20, begun) as held:
        last = TWO[:-2] + b"Connection: close\r\n\r\n"
        assert statuses(await said(port, last)) == [200, 200]
        reading = [asyncio.ensure_future(reader.read()) for reader in held]
        ended, left = await asyncio.wait(reading, timeout=0.2)
        for task in left:
            task.cancel()
        # The first to come has waited longest.
        assert ended == {reading[0]}
        assert reading[0].exception() is None or isinstance(reading[0].exception(), OSError)


async def test_stopping_answers_what_is_in_work() -> None:
    port, stop = free_port("127.0.0.1", 0), asyncio.Event()
    serving = asyncio.create_task(serve(echo, "127.0.0.1", port, stop, QUICK))
    await asyncio.sleep(0.05)
    asking = asyncio.create_task(said(port, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"))
    await asyncio.sleep(0.1)
    stop.set()
    got = await asking
    await serving
    assert statuses(got) == [200]
    assert b"connection: close" in got


@settings(max_examples=30)
@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=4))
def test_no_bytes_bring_the_server_down(pieces: list[bytes]) -> None:
    async def run() -> None:
        limits = Limits(head_s=0.05, idle_s=0.05, body_s=0.05)
        async with a_server(limits) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"".join(pieces) + b"\r\n\r\n")
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(0.1):
                    await reader.read(1000)
            writer.close()
            got = await said(port, b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert statuses(got) == [200]

    asyncio.run(run())
