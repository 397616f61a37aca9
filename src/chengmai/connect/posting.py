"""POST over HTTP/1.1 on connections that are kept: what thousands of notifications a second are sent with.

A few connections a receiver, each to an address that was checked when it was opened; who finds them all at
work waits, so that a receiver that hangs holds up nobody but itself. Why not a library:
`docs/decisions/0010-notifications-in-groups.md`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from chengmai.connect.posting_wire import BrokenOff, Wire, request_bytes
from chengmai.kernel.problems import Invalid

CONNECT_S = 5.0
WHOLE_S = 10.0
"""For one POST, connecting included; what a caller may shorten."""
AT_ONCE = 64
"""Connections to one receiver."""
IDLE_S = 15.0
"""How long a connection is kept that nobody uses."""
LIFE_S = 300.0
"""How long a connection is used: then its name is resolved, and judged, again."""
MOST_IDLE = 1024
_MOST_KNOWN = 20_000

Resolve = Callable[[str, int], Awaitable[str]]
"""Return the checked address of a host and port; raises a problem when it may not be connected to."""


@dataclass(frozen=True)
class Address:
    """An http(s) address, taken apart; `authority` is what the Host header says."""

    scheme: str
    host: str
    port: int
    authority: str
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Return what a connection belongs to."""
        return self.scheme, self.host, self.port


def address_of(url: str) -> Address:
    """Return an address taken apart; raises `Invalid` when it is no http(s) address."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Invalid(f"{url!r:.80} is no address", code="egress.url", param="uri") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"{url!r:.80} is no http(s) address", code="egress.url", param="uri")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme, parts.hostname, port, parts.netloc.rpartition("@")[2], target)


class _Origin:
    """The connections to one receiver, and who waits for one."""

    __slots__ = ("idle", "open", "waiting")

    def __init__(self) -> None:
        self.idle: list[Wire] = []
        self.open = 0
        self.waiting: deque[asyncio.Future[None]] = deque()


class Poster:
    """Posts; `close` at the end."""

    def __init__(self, resolve: Resolve, *, at_once: int = AT_ONCE) -> None:
        self._resolve = resolve
        self._at_once = at_once
        self._known: dict[str, Address] = {}
        self._origins: dict[tuple[str, str, int], _Origin] = {}
        self._idle = 0
        self._tls: ssl.SSLContext | None = None
        self._sweeping: asyncio.TimerHandle | None = None

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, *, timeout_s: float = WHOLE_S
    ) -> int:
        """Return the status of the answer; raises `OSError` or a problem of `resolve`.

        The time begins when it is its turn. A kept connection that the receiver closed meanwhile is made anew.
        """
        address = self._address(url)
        data = request_bytes(address.target, address.authority, headers, body)
        origin = self._origins.setdefault(address.origin, _Origin())
        await self._turn(origin)
        wire: Wire | None = None
        try:
            ends = asyncio.get_running_loop().time() + timeout_s
            wire = self._kept(origin)
            if wire is not None:
                try:
                    return await wire.ask(data, ends)
                except BrokenOff as broken:
                    if broken.answered:
                        raise
            wire = await self._connected(address, ends)
            return await wire.ask(data, ends)
        finally:
            self._done(address, origin, wire)

    async def close(self) -> None:
        """Close what is kept."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for origin in list(self._origins.values()):
            for wire in origin.idle:
                wire.close()
            origin.idle.clear()

    def _address(self, url: str) -> Address:
        known = self._known.get(url)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[url] = address_of(url)
        return known

    async def _turn(self, origin: _Origin) -> None:
        """Return when there may be one more at work on an origin."""
        if origin.open < self._at_once:
            origin.open += 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        origin.waiting.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._pass_on(origin)
            raise

    def _pass_on(self, origin: _Origin) -> None:
        while origin.waiting:
            following = origin.waiting.popleft()
            if not following.done():
                following.set_result(None)
                return
        origin.open -= 1

    def _kept(self, origin: _Origin) -> Wire | None:
        now = asyncio.get_running_loop().time()
        while origin.idle:
            wire = origin.idle.pop()
            self._idle -= 1
            if wire.is_open and now - wire.opened_at < LIFE_S:
                return wire
            wire.close()
        return None

    async def _connected(self, address: Address, ends: float) -> Wire:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout_at(min(loop.time() + CONNECT_S, ends)):
            checked = await self._resolve(address.host, address.port)
            secure = address.scheme == "https"
            _, wire = await loop.create_connection(
                Wire,
                checked,
                address.port,
                ssl=self._context() if secure else None,
                server_hostname=address.host if secure else None,
            )
        return wire

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _done(self, address: Address, origin: _Origin, wire: Wire | None) -> None:
        if wire is not None:
            if wire.can_be_kept and self._idle < MOST_IDLE:
                wire.idle_since = asyncio.get_running_loop().time()
                origin.idle.append(wire)
                self._idle += 1
                self._sweep_later()
            else:
                wire.close()
        self._pass_on(origin)
        if not origin.open and not origin.idle and not origin.waiting:
            self._origins.pop(address.origin, None)

    def _sweep_later(self) -> None:
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(IDLE_S, self._sweep)

    def _sweep(self) -> None:
        self._sweeping = None
        oldest = asyncio.get_running_loop().time() - IDLE_S
        for key, origin in list(self._origins.items()):
            stale = [wire for wire in origin.idle if wire.idle_since <= oldest or not wire.is_open]
            for wire in stale:
                wire.close()
            origin.idle = [wire for wire in origin.idle if wire not in stale]
            self._idle -= len(stale)
            if not origin.open and not origin.idle and not origin.waiting:
                del self._origins[key]
        if self._idle:
            self._sweep_later()
