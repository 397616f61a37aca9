"""One connection: httptools reads it, exchanges answer it one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Protocol, cast
from urllib.parse import unquote

import httptools
import structlog

from chengmai.web.http1.exchange import HEADS, Exchange
from chengmai.web.http1.limits import App, Limits

_LINGER_S = 2.0
"""How long a client that still sends may read the answer before the connection is gone."""
_BUSY = b"retry-after: 1\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\n"
_BUSY_AND_CLOSE = b"connection: close\r\n" + _BUSY
_log = structlog.get_logger(__name__)


class House(Protocol):
    """What a connection needs of the server it belongs to."""

    app: App
    limits: Limits
    closing: bool
    date: bytes
    unstarted: int

    def opened(self, connection: Connection) -> bool:
        """Count a connection; return whether there is room for it."""
        ...

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        ...

    def waits(self, connection: Connection) -> None:
        """Note that from now on a connection waits for its client."""
        ...

    def works(self, connection: Connection) -> None:
        """Note that a connection has a whole request of its client."""
        ...


class Connection(asyncio.Protocol):
    """One connection: what httptools reads of it becomes exchanges, answered one after the other."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._limits = house.limits
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._reading: Exchange | None = None
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._queue: deque[Exchange] = deque()
        self._task: asyncio.Task[None] | None = None
        self._refusal: tuple[int, str] | None = None
        self._deadline = 0.0
        self._body_ends = 0.0
        self._drain_deadline = 0.0
        self._writable: asyncio.Future[None] | None = None
        self._paused = self._ended = self._lingers = False
        self._addresses: tuple[Any, Any] = (None, None)

    # --- what the loop tells -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass of it
        self._addresses = (
            _address(transport.get_extra_info("peername")),
            _address(transport.get_extra_info("sockname")),
        )
        self._deadline = self._loop.time() + self._limits.head_s
        if not self._house.opened(self):
            self._refuse(503, "too many connections; try again in some seconds")
        else:
            self._house.waits(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._house.closed(self)
        for exchange in (*self._queue, *([self._reading] if self._reading else [])):
            exchange.gone = True
            exchange.wake()
        self._queue.clear()
        self._release_writers()

    def data_received(self, data: bytes) -> None:
        if self._lingers or self._refusal is not None:
            return
        self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # no other protocol is offered: answered as the request it also is, and then closed
        except httptools.HttpParserCallbackError:
            if self._refusal is None:
                self._refuse(400, "the request cannot be read")
        except httptools.HttpParserError as error:
            self._refuse(400, f"the request cannot be read: {error}")
        if self._is_in_head() and self._head_bytes > self._limits.head_bytes:
            self._refuse(431, f"the head is longer than {self._limits.head_bytes} bytes")

    def eof_received(self) -> bool:
        self._ended = True
        if self._reading is not None:
            self._reading.gone = True
            self._reading.wake()
        # Who has sent a whole request and closed its side still wants the answer; who hears a stream does not.
        return bool(self._queue) and not any(e.stream or not e.complete for e in self._queue)

    def pause_writing(self) -> None:
        self._drain_deadline = self._loop.time() + self._limits.drain_s
        if self._writable is None:
            self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        self._release_writers()

    # --- what httptools tells ------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._url, self._headers = b"", []
        self._deadline = self._loop.time() + self._limits.head_s

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if len(self._headers) > self._limits.head_count:
            self._refuse(431, f"more than {self._limits.head_count} headers")
            raise ValueError("refused")
        self._head_bytes = 0
        exchange = Exchange(self)
        method = self._parser.get_method().decode("ascii")
        exchange.scope = self._scope(method)
        exchange.head_only = method == "HEAD"
        exchange.keep_alive = self._parser.should_keep_alive() and not self._parser.should_upgrade()
        exchange.expects = any(
            name == b"expect" and value.lower() == b"100-continue" for name, value in self._headers
        )
        exchange.refused = self._house.unstarted >= self._limits.unstarted
        self._reading = exchange
        self._queue.append(exchange)
        now = self._loop.time()
        self._body_ends = now + self._limits.whole_s
        self._deadline = now + self._limits.body_s
        if self._task is None:
            self._next()
        elif len(self._queue) >= self._limits.pipelined:
            self._pause()

    def on_body(self, body: bytes) -> None:
        exchange = self._reading
        if exchange is None or exchange.refused:
            return
        exchange.body.append(body)
        exchange.ahead += len(body)
        self._deadline = min(self._loop.time() + self._limits.body_s, self._body_ends)
        if exchange.ahead > self._limits.ahead_bytes:
            self._pause()
        exchange.wake()

    def on_message_complete(self) -> None:
        exchange, self._reading = self._reading, None
        self._head_bytes = 0
        self._deadline = float("inf")
        if exchange is not None:
            exchange.complete = True
            exchange.wake()
            self._house.works(self)
            if exchange.refused and self._queue[0] is exchange:
                self._next()

    @property
    def date(self) -> bytes:
        """The line of the head that says when it is."""
        return self._house.date

    @property
    def is_closing(self) -> bool:
        """Whether no further request is wanted of this client."""
        return self._house.closing

    # --- what an exchange asks -----------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes, unless the connection is closing."""
        if not self._transport.is_closing():
            self._transport.write(data)

    async def drained(self) -> None:
        """Return when the reader has taken enough of what it was sent, or is gone."""
        if self._writable is not None:
            await asyncio.shield(self._writable)

    def read_on(self) -> None:
        """Go on reading where more was sent than the application had asked for."""
        if self._paused and len(self._queue) < self._limits.pipelined:
            self._paused = False
            self._deadline = self._loop.time() + self._limits.body_s
            self._transport.resume_reading()

    # --- what the listener asks ----------------------------------------------------------------------

    def check(self, now: float) -> None:
        """End the connection when a time is up."""
        if self._writable is not None and now > self._drain_deadline:
            self.abort()
        elif now > self._deadline and not self._paused:
            if self._is_in_head() and self._head_bytes and not self._queue:
                self._refuse(408, "the head of the request did not come in time")
            else:
                self.abort() if self._reading or self._lingers else self._transport.close()

    def close_when_idle(self) -> None:
        """Close now, or when the request in work is answered."""
        if not self._queue:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    # -------------------------------------------------------------------------------------------------

    def _scope(self, method: str) -> dict[str, Any]:
        raw_path, query = self._target()
        path = raw_path.decode("ascii")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": self._parser.get_http_version(),
            "method": method,
            "scheme": "http",
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
            "client": self._addresses[0],
            "server": self._addresses[1],
        }

    def _target(self) -> tuple[bytes, bytes]:
        """Return the path and the query of the request (RFC 9112, 3.2)."""
        url = self._url
        if url.startswith(b"/") and url.isascii() and b"#" not in url:
            path, _, query = url.partition(b"?")
            return path, query
        try:
            parsed = httptools.parse_url(url)
        except httptools.HttpParserInvalidURLError:
            parsed = None
        if parsed is None or not (parsed.path or b"/").isascii():
            self._refuse(400, "the address of the request cannot be read")
            raise ValueError("refused")
        return parsed.path or b"/", parsed.query or b""

    def _is_in_head(self) -> bool:
        return self._reading is None

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _next(self) -> None:
        exchange = self._queue[0]
        if exchange.refused:
            # Where the body is still on its way it is waited for; who asks first whether to send it is not.
            if exchange.complete or exchange.expects:
                self._send_away(exchange)
            return
        self._house.unstarted += 1
        self._task = self._loop.create_task(self._serve(exchange))

    def _send_away(self, exchange: Exchange) -> None:
        """Answer, without any work, that there is too much of it."""
        if exchange.expects:
            exchange.keep_alive = False
        told = _BUSY if exchange.keep_alive else _BUSY_AND_CLOSE
        body = b"" if exchange.head_only else b"busy\n"
        self.write(HEADS[503] + self._house.date + told + body)
        self._answered(exchange)

    async def _serve(self, exchange: Exchange) -> None:
        self._house.unstarted -= 1
        if exchange.gone:
            return  # nobody is left who wants to know
        well = False
        try:
            await self._house.app(exchange.scope, exchange.receive, exchange.send)
            well = exchange.ended or exchange.gone
        except Exception:
            _log.exception(
                "http.failed", method=exchange.scope["method"], path=exchange.scope["path"]
            )
        finally:
            self._task = None
            if well or exchange.gone:
                self._answered(exchange)
            else:
                self._unanswered(exchange)

    def _unanswered(self, exchange: Exchange) -> None:
        if exchange.stream:
            self.abort()  # a part was sent: nothing else tells the client that the rest is missing
            return
        self._queue.clear()
        self._refuse(500, "an error of ours")

    def _answered(self, exchange: Exchange) -> None:
        exchange.ended = True
        exchange.wake()
        if self._transport.is_closing() or not self._queue:
            return
        self._queue.popleft()
        if not exchange.keep_alive or self._ended or not exchange.complete:
            self._linger(read_to_the_end=exchange.complete)
        elif self._queue:
            self._next()
            self.read_on()
        elif self._refusal is not None:
            self._refuse(*self._refusal)
        else:
            self.read_on()
            self._deadline = self._loop.time() + self._limits.idle_s
            self._house.waits(self)
            if self._house.closing:
                self._transport.close()

    def _linger(self, *, read_to_the_end: bool) -> None:
        """Close; where the client still sends, let it read the answer first (RFC 9112, 9.6)."""
        self._queue.clear()
        if read_to_the_end or self._transport.is_closing() or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._lingers = True
        self._deadline = self._loop.time() + _LINGER_S
        self._transport.write_eof()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def _refuse(self, status: int, why: str) -> None:
        """Answer and close; after the requests before it, which are good, were answered."""
        self._refusal = (status, why)
        if self._queue and self._reading is None:
            return
        body = f"{status}: {why}\n".encode()
        self.write(
            HEADS[status]
            + self._house.date
            + b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % len(body)
            + (b"retry-after: 5\r\n" if status == 503 else b"")
            + b"connection: close\r\n\r\n"
            + body
        )
        if self._reading is not None:
            self._reading.gone = True
            self._reading.wake()
        self._linger(read_to_the_end=False)

    def _release_writers(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None


def _address(found: Any) -> tuple[str, int] | None:
    return (str(found[0]), int(found[1])) if isinstance(found, tuple) else None
