"""Posting over kept connections, against a receiver that is told byte by byte what to answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from chengmai.connect.outbound import EgressDenied, HttpReceiver
from chengmai.connect.posting import Poster
from chengmai.connect.posting_wire import BrokenOff, request_bytes
from chengmai.kernel.problems import Invalid, Unavailable
from tests.loopback import closed

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Told:
    """A receiver: what it answers one after the other (the last again and again), and what it saw.

    An answer of None is silence; one that ends with `CLOSE` is followed by the end of the connection.
    """

    answers: list[bytes | None]
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    at_work: int = 0
    most: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in?key=1"


CLOSE = b"<close>"


@asynccontextmanager
async def a_told_receiver(*answers: bytes | None) -> AsyncIterator[Told]:
    told = Told(list(answers))
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        told.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                told.requests.append(head + await reader.readexactly(length))
                told.at_work += 1
                told.most = max(told.most, told.at_work)
                await asyncio.sleep(0.01)
                told.at_work -= 1
                answer = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
                if answer is None:
                    await reader.read()
                    return
                writer.write(answer.removesuffix(CLOSE))
                if answer.endswith(CLOSE):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        await closed(server)
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _itself(host: str, _port: int) -> str:
    return host


@asynccontextmanager
async def a_poster(
    resolve: Callable[[str, int], Awaitable[str]] = _itself, at_once: int = 64
) -> AsyncIterator[Poster]:
    poster = Poster(resolve, at_once=at_once)
    try:
        yield poster
    finally:
        await poster.close()


async def test_a_connection_is_used_again() -> None:
    async with a_told_receiver(NO_CONTENT) as told, a_poster() as poster:
        for _ in range(3):
            assert await poster.post(told.url, {"X-City": "a b"}, b"{}") == 204
        assert told.connections == 1
        head = f"POST /in?key=1 HTTP/1.1\r\nHost: 127.0.0.1:{told.port}\r\nX-City: a b\r\n"
        assert told.requests[0] == head.encode() + b"Content-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("answer", "status", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, 1),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201, 1),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 200, 2),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end" + CLOSE, 200, 2),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", 302, 1),
        (b"HTTP/1.1 500 X\r\nContent-Length: 999999\r\n\r\n" + b"x" * 99_999, 500, 2),
    ],
    ids=["length", "chunks", "continue", "close", "until the end", "redirect", "long"],
)
async def test_the_status_is_found_and_the_connection_kept_where_it_can_be(
    answer: bytes, status: int, connections: int
) -> None:
    async with a_told_receiver(answer) as told, a_poster() as poster:
        assert await poster.post(told.url, {}, b"1") == status
        assert await poster.post(told.url, {}, b"2") == status
        assert told.connections == connections


async def test_a_kept_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    async with a_told_receiver(NO_CONTENT + CLOSE, NO_CONTENT) as told, a_poster() as poster:
        assert await poster.post(told.url, {}, b"1") == 204
        assert await poster.post(told.url, {}, b"2") == 204
        assert told.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        CLOSE,
        b"SMTP ready\r\n",
        b"HTTP/1.1 200 OK" + CLOSE,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 99_999,
    ],
    ids=["nothing", "no HTTP", "half a head", "an endless head"],
)
async def test_what_is_no_answer_is_an_error(answer: bytes) -> None:
    async with a_told_receiver(answer) as told, a_poster() as poster:
        with pytest.raises(BrokenOff):
            await poster.post(told.url, {}, b"1")


async def test_silence_ends_when_the_time_is_up() -> None:
    async with a_told_receiver(None) as told, a_poster() as poster:
        with pytest.raises(TimeoutError):
            await poster.post(told.url, {}, b"1", timeout_s=0.05)
        told.answers = [NO_CONTENT]
        assert await poster.post(told.url, {}, b"2") == 204


async def test_one_receiver_gets_so_many_at_a_time() -> None:
    async with a_told_receiver(NO_CONTENT) as told, a_poster(at_once=3) as poster:
        found = await asyncio.gather(*(poster.post(told.url, {}, b"1") for _ in range(20)))
        assert found == [204] * 20
        assert (told.most, told.connections) == (3, 3)


async def test_who_no_longer_waits_gives_its_turn_to_the_next() -> None:
    async with a_told_receiver(NO_CONTENT) as told, a_poster(at_once=1) as poster:
        posts = [asyncio.ensure_future(poster.post(told.url, {}, b"1")) for _ in range(3)]
        await asyncio.sleep(0)
        posts[1].cancel()
        assert await posts[0] == await posts[2] == 204
        assert await poster.post(told.url, {}, b"1") == 204


async def test_the_name_is_judged_when_a_connection_is_opened() -> None:
    asked: list[tuple[str, int]] = []

    async def resolve(host: str, port: int) -> str:
        asked.append((host, port))
        return "127.0.0.1"

    async with a_told_receiver(NO_CONTENT) as told, a_poster(resolve) as poster:
        for _ in range(2):
            await poster.post(f"http://city.example:{told.port}/", {}, b"1")
        assert asked == [("city.example", told.port)]
        assert f"Host: city.example:{told.port}".encode() in told.requests[0]


async def test_a_receiver_at_a_private_address_is_denied() -> None:
    async with a_told_receiver(NO_CONTENT) as told:
        receiver = HttpReceiver(private=False)
        with pytest.raises(EgressDenied):
            await receiver.send(told.url, {}, b"1")
        assert told.connections == 0


@pytest.mark.parametrize("status", [b"302 Found", b"404 X", b"500 X"])
async def test_what_is_no_success_was_not_taken(status: bytes) -> None:
    async with a_told_receiver(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n") as told:
        receiver = HttpReceiver(private=True)
        with pytest.raises(Unavailable, match=f"answered {status[:3].decode()}"):
            await receiver.send(told.url, {}, b"1")
        await receiver.close()


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/a b", {}),
        ("/\r\nX: y", {}),
        ("/", {"X": "a\r\nY: b"}),
        ("/", {"X\n": "a"}),
        ("/", {"X": "城"}),
    ],
)
def test_what_could_be_read_as_another_line_is_not_sent(
    target: str, headers: dict[str, str]
) -> None:
    with pytest.raises(Invalid):
        request_bytes(target, "host", headers, b"")
