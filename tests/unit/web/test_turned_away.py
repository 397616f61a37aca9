"""Who is turned away when there is too much work, without any: what a client sees of it, byte by byte."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from chengmai.web.http1.connection import Connection
from chengmai.web.http1.limits import App, Limits

TWICE = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n"


def statuses(answers: bytes) -> list[int]:
    """Return the statuses of answers that follow each other."""
    return [int(one) for one in re.findall(rb"HTTP/1.1 (\d+)", answers)]


async def _nothing(*_: Any) -> None:
    return


class Still:
    """A server in which nothing begins by itself."""

    def __init__(self, unstarted: int) -> None:
        self.app: App = _nothing
        self.limits, self.closing, self.date = Limits(unstarted=2), False, b""
        self.unstarted = unstarted

    def opened(self, _: Connection) -> bool:
        return True

    def closed(self, _: Connection) -> None: ...
    def waits(self, _: Connection) -> None: ...
    def works(self, _: Connection) -> None: ...


class Sent:
    """A transport that keeps what is sent."""

    def __init__(self) -> None:
        self.data, self.is_closed = b"", False

    def write(self, data: bytes) -> None:
        self.data += data

    def get_extra_info(self, _: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self.is_closed

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self.is_closed = True

    def resume_reading(self) -> None: ...


def _told(house: Still, *pieces: bytes) -> Sent:
    connection, transport = Connection(house), Sent()
    connection.connection_made(transport)  # type: ignore[arg-type]
    for piece in pieces:
        connection.data_received(piece)
    return transport


async def test_who_is_turned_away_may_ask_again_on_the_same_connection() -> None:
    post = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
    sent = _told(Still(2), post + b"ab", b"c" + TWICE)
    assert statuses(sent.data) == [503, 503, 503]
    assert sent.data.count(b"busy\n") == 3
    assert not sent.is_closed


async def test_who_asks_before_sending_a_body_is_turned_away_at_once() -> None:
    head = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    sent = _told(Still(2), head)
    assert statuses(sent.data) == [503]
    assert b"connection: close" in sent.data
    assert sent.is_closed


async def test_a_head_is_turned_away_without_a_body() -> None:
    sent = _told(Still(2), b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
    assert statuses(sent.data) == [503]
    assert b"busy" not in sent.data


async def test_what_was_asked_by_somebody_who_has_gone_is_not_begun() -> None:
    house, begun = Still(0), []

    async def app(*_: Any) -> None:
        begun.append(1)

    house.app = app
    connection, transport = Connection(house), Sent()
    connection.connection_made(transport)  # type: ignore[arg-type]
    connection.data_received(TWICE)
    connection.connection_lost(None)
    await asyncio.sleep(0.01)
    assert (begun, house.unstarted) == ([], 0)
