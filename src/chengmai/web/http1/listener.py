"""The connections of a server, and the time they have.

What a client may cost is bounded everywhere (`limits`): bytes and time of a head, time for a body, bytes read
ahead of the application, time for a reader to take its answer, requests waiting on one connection, and
connections. Requests of one connection are answered in order. Sources: RFC 9112, RFC 9110.
"""

from __future__ import annotations

import asyncio
from email.utils import formatdate

from chengmai.web.http1.connection import Connection
from chengmai.web.http1.limits import App, Limits


class Listener:
    """All connections of a server; makes a protocol for each."""

    def __init__(self, app: App, limits: Limits | None = None) -> None:
        self.app = app
        self.limits = limits or Limits()
        self._open: set[Connection] = set()
        self._waiting: dict[Connection, None] = {}
        self.unstarted = 0
        self._none = asyncio.Event()
        self.closing = False
        self.date = _date()

    def __call__(self) -> Connection:
        """Return what reads a new connection."""
        return Connection(self)

    async def sweep(self) -> None:
        """End, until cancelled, connections whose time is up."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.sweep_s)
            self.date = _date()
            now = loop.time()
            for connection in list(self._open):
                connection.check(now)

    async def close(self) -> None:
        """End idle connections at once, the others when their request is answered or the time is up."""
        self.closing = True
        for connection in list(self._open):
            connection.close_when_idle()
        if self._open:
            self._none.clear()
            try:
                async with asyncio.timeout(self.limits.close_s):
                    await self._none.wait()
            except TimeoutError:
                for connection in list(self._open):
                    connection.abort()

    def opened(self, connection: Connection) -> bool:
        """Count a connection; return whether there is room for it, made where there was none.

        Who has a whole request at work keeps his place. Of the others, whoever waited for nothing but for his
        client goes first, the longest wait first: idle, half-open and slow clients keep nobody out.
        """
        self._open.add(connection)
        if len(self._open) <= self.limits.connections:
            return True
        idle = next(iter(self._waiting), None)
        if idle is None:
            return False
        self.closed(idle)
        idle.abort()
        return True

    def waits(self, connection: Connection) -> None:
        """Note that from now on a connection waits for its client."""
        self._waiting[connection] = None

    def works(self, connection: Connection) -> None:
        """Note that a connection has a whole request of its client."""
        self._waiting.pop(connection, None)

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)
        if not self._open:
            self._none.set()


def _date() -> bytes:
    return b"date: " + formatdate(usegmt=True).encode("ascii") + b"\r\n"
