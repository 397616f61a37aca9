"""One connection that is posted over: the request as bytes, the answer as its status."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import cast

import httptools

from chengmai.kernel.problems import Invalid

LONGEST_ANSWER = 64 * 1024
"""What is read of an answer so that its connection can be used again."""
_LONGEST_HEAD = 32 * 1024
_UNFIT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")
_UNFIT_TARGET = re.compile(r"[^\x21-\x7e]")


class BrokenOff(ConnectionError):
    """The connection ended before the answer did; `answered` when some of it had come."""

    def __init__(self, why: str, *, answered: bool) -> None:
        super().__init__(why)
        self.answered = answered


def request_bytes(target: str, authority: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a POST; raises `Invalid` when a line of it could be read as more than one."""
    if _UNFIT_TARGET.search(target) or _UNFIT_TARGET.search(authority):
        raise Invalid(f"{target!r:.80} cannot be sent", code="egress.url", param="uri")
    lines = [f"POST {target} HTTP/1.1\r\nHost: {authority}\r\n"]
    for name, value in headers.items():
        if _UNFIT.search(value) or _UNFIT_TARGET.search(name):
            raise Invalid(f"the header {name!r:.80} cannot be sent", code="egress.header")
        lines.append(f"{name}: {value}\r\n")
    lines.append(f"Content-Length: {len(body)}\r\n\r\n")
    return "".join(lines).encode("latin-1") + body


class Wire(asyncio.Protocol):
    """One connection; takes one request after the other."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._answer: asyncio.Future[int] | None = None
        self._status = 0
        self._size = 0
        self._came = False
        self._keep = False
        self.is_open = False
        self.opened_at = self.idle_since = self._loop.time()

    @property
    def can_be_kept(self) -> bool:
        """Whether another request may be sent over it."""
        return self.is_open and self._keep and self._answer is None

    async def ask(self, data: bytes, ends: float) -> int:
        """Return the status of the answer to a request; raises `OSError` (`TimeoutError` at `ends`)."""
        answer = self._answer = self._loop.create_future()
        self._status = self._size = 0
        self._came = self._keep = False
        timer = self._loop.call_at(ends, self._too_late)
        self._transport.write(data)
        try:
            status: int = await answer
            return status
        finally:
            timer.cancel()
            self._answer = None

    def close(self) -> None:
        """Close the connection."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    # --- what the loop tells -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._status >= 200:
            # The status is the answer; where it has no length, the end of the connection is its end.
            self._found()
        else:
            self._fail(BrokenOff(str(exc or "it closed the connection"), answered=self._came))

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.close()  # nobody asked
            return
        self._came = True
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(BrokenOff("it speaks another protocol", answered=True))
        except httptools.HttpParserError as error:
            self._fail(BrokenOff(f"its answer cannot be read: {error}", answered=True))
        if self._size > (LONGEST_ANSWER if self._status >= 200 else _LONGEST_HEAD):
            if self._status >= 200:
                self._found()
            else:
                self._fail(BrokenOff("the head of its answer is too long", answered=True))

    # --- what httptools tells ------------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        self._status = status if status >= 200 else 0

    def on_message_complete(self) -> None:
        if self._status:
            self._keep = self._parser.should_keep_alive()
            self._found()

    # -------------------------------------------------------------------------------------------------

    def _found(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._status)

    def _fail(self, error: OSError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _too_late(self) -> None:
        self._fail(TimeoutError("it did not answer in time"))
