"""One request and its answer, as the application sees them (ASGI), and as bytes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any, Protocol

HEADS = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode("ascii") for one in HTTPStatus}
"""The first line of an answer, by status."""
_NO_BODY = frozenset({204, 304})


class Wire(Protocol):
    """What an exchange needs of its connection."""

    def write(self, data: bytes) -> None:
        """Send bytes, unless the connection is closing."""
        ...

    async def drained(self) -> None:
        """Return when the reader has taken enough of what it was sent, or is gone."""
        ...

    def read_on(self) -> None:
        """Go on reading where more was sent than the application had asked for."""
        ...

    @property
    def date(self) -> bytes:
        """The line of the head that says when it is."""
        ...

    @property
    def is_closing(self) -> bool:
        """Whether no further request is wanted of this client."""
        ...


class Exchange:
    """One request and its answer: `receive` and `send` of the application."""

    __slots__ = (
        "ahead", "body", "chunked", "complete", "connection", "ended", "expects", "gone", "has_length",
        "head_only", "keep_alive", "received", "refused", "scope", "started", "status", "stream", "waiter",
    )  # fmt: skip

    def __init__(self, connection: Wire) -> None:
        self.connection = connection
        self.scope: MutableMapping[str, Any] = {}
        self.body: deque[bytes] = deque()
        self.ahead = 0
        self.complete = False
        self.received = False
        self.refused = False
        self.gone = False
        self.expects = False
        self.keep_alive = True
        self.head_only = False
        self.started: list[bytes] | None = None
        self.status = 0
        self.has_length = False
        self.stream = False
        self.chunked = False
        self.ended = False
        self.waiter: asyncio.Future[None] | None = None

    async def receive(self) -> dict[str, Any]:
        """Return the next piece of the body, or that the client has gone."""
        while not self.body and not self.complete and not self.gone:
            if self.expects:
                self.expects = False
                self.connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self._wake()
        if self.body:
            piece = b"".join(self.body) if len(self.body) > 1 else self.body[0]
            self.body.clear()
            self.ahead = 0
            self.connection.read_on()
            self.received = self.complete
            return {"type": "http.request", "body": piece, "more_body": not self.complete}
        if self.complete and not self.received:
            self.received = True
            return {"type": "http.request", "body": b"", "more_body": False}
        while not self.gone and not self.ended:
            await self._wake()
        return {"type": "http.disconnect"}

    async def _wake(self) -> None:
        self.waiter = asyncio.get_running_loop().create_future()
        try:
            await self.waiter
        finally:
            self.waiter = None

    def wake(self) -> None:
        """Let `receive` look again."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Send a part of the answer; the head goes out with the first piece of its body."""
        if self.gone:
            return
        if message["type"] == "http.response.start":
            self._start(message)
            return
        if self.started is None or self.ended:
            raise RuntimeError("a body before its head, or after its end")
        body, more = message.get("body", b""), message.get("more_body", False)
        parts = [] if self.stream else self._head(self.started, len(body), more=more)
        self.stream = True
        if body and not self.head_only:
            parts += (b"%x\r\n" % len(body), body, b"\r\n") if self.chunked else (body,)
        if not more:
            if self.chunked and not self.head_only:
                parts.append(b"0\r\n\r\n")
            self.ended = True
        if parts:
            self.connection.write(b"".join(parts))
        await self.connection.drained()

    def _head(self, parts: list[bytes], size: int, *, more: bool) -> list[bytes]:
        """Return the lines of the head, with how the end of the body is known (RFC 9112, 6.3)."""
        if not self.has_length and self.status not in _NO_BODY:
            if not more:
                parts.append(b"content-length: %d\r\n" % size)
            elif self.scope["http_version"] == "1.0":
                self.keep_alive = False
            else:
                self.chunked = True
                parts.append(b"transfer-encoding: chunked\r\n")
        if not self.complete or self.connection.is_closing:
            self.keep_alive = False
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        return parts

    def _start(self, message: MutableMapping[str, Any]) -> None:
        if self.started is not None:
            raise RuntimeError("a second head")
        status = message["status"]
        self.status = status
        parts = [HEADS.get(status) or b"HTTP/1.1 %d \r\n" % status, self.connection.date]
        for name, value in message.get("headers", ()):
            if b"\n" in value or b"\r" in value or b"\n" in name or b"\r" in name:
                raise RuntimeError(f"a line break in the header {name!r}")
            lowered = name.lower()
            if lowered == b"content-length":
                self.has_length = True
            elif lowered == b"connection" and value.lower() == b"close":
                self.keep_alive = False
                continue
            parts += (name, b": ", value, b"\r\n")
        self.started = parts
