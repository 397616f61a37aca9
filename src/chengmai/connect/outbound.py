"""Outward HTTP: only to where it may go, and to the very address that was checked.

The name is resolved once, every address it has is judged, and the connection goes to that address, so that
a name that changes its mind between check and use gains nothing. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from functools import cache, partial
from urllib.parse import urlsplit, urlunsplit

import httpx2

from chengmai.connect.posting import WHOLE_S, Poster
from chengmai.kernel.problems import Forbidden, Invalid, Unavailable


class EgressDenied(Forbidden):
    code = "egress.denied"


@cache
def known_authorities() -> ssl.SSLContext:
    """Return who vouches for an https server, the same for all clients: reading them takes its time."""
    return httpx2.create_ssl_context(trust_env=False)


def may_connect(address: str, *, private: bool) -> bool:
    """Return whether an IP address may be connected to; `private` admits private and loopback ones."""
    ip = ipaddress.ip_address(address)
    mapped = getattr(ip, "ipv4_mapped", None)
    if mapped is not None:
        ip = mapped
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return False
    return ip.is_global or (private and (ip.is_private or ip.is_loopback))


async def pinned(url: str, *, private: bool) -> tuple[str, str]:
    """Return (URL with the host replaced by a checked address, original host with its port).

    Raises `EgressDenied` when any address of the host is denied, `Unavailable` when it has none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Invalid(f"{url!r} is no http(s) address", code="egress.url", param="uri")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = await checked_address(parts.hostname, port, private=private)
    host = f"[{address}]" if ":" in address else address
    target = urlunsplit((parts.scheme, f"{host}:{port}", parts.path or "/", parts.query, ""))
    return target, parts.netloc.rpartition("@")[2]


async def checked_address(host: str, port: int, *, private: bool) -> str:
    """Return the first address of a host after judging all it has.

    Raises `EgressDenied` when any of them is denied, `Unavailable` when there is none.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{host} cannot be resolved: {error}") from error
    addresses = [str(info[4][0]) for info in found]
    if denied := [a for a in addresses if not may_connect(a, private=private)]:
        raise EgressDenied(
            f"{host} is at {denied[0]}, which may not be connected to",
            fix="use a public address, or allow private ones with CHENGMAI_PRIVATE_EGRESS=true",
        )
    return addresses[0]


class HttpReceiver:
    """Sends notifications; implements `broker.delivery.Receiver`."""

    def __init__(self, *, private: bool) -> None:
        self._poster = Poster(partial(checked_address, private=private))

    async def send(
        self, url: str, headers: dict[str, str], body: bytes, *, timeout_s: float | None = None
    ) -> None:
        whole_s = min(timeout_s or WHOLE_S, WHOLE_S)
        try:
            status = await self._poster.post(url, headers, body, timeout_s=whole_s)
        except OSError as error:  # a TimeoutError is one, and so is what TLS has to say
            raise Unavailable(
                f"{urlsplit(url).netloc.rpartition('@')[2]} did not take it:"
                f" {type(error).__name__} {error}"
            ) from error
        if not 200 <= status < 300:
            raise Unavailable(f"{urlsplit(url).netloc.rpartition('@')[2]} answered {status}")

    async def close(self) -> None:
        """Close idle connections."""
        await self._poster.close()
