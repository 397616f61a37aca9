"""A guard in front of everything: requests that two readers could read differently are refused.

No Python server refuses all of them by itself (two Host headers, a length beside chunks, control
characters), and the embedded default has no proxy in front. Sources: RFC 9112, 3.2 and 6.1; RFC 9110, 5.5.
"""

from __future__ import annotations

import re

from chengmai.web.api.app import Receive, Scope, Send

MAX_HEADERS = 100
MAX_HEADER_BYTES = 16 * 1024
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class Guard:
    """ASGI middleware that answers 400 and closes when a request is ambiguous or its headers are too many."""

    def __init__(self, app: object) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (why := ambiguity(scope["headers"])) is not None:
            body = f"400: {why}\n".encode()
            headers = [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            await send({"type": "http.response.start", "status": 400, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        await self._app(scope, receive, send)  # type: ignore[operator]


def ambiguity(headers: list[tuple[bytes, bytes]]) -> str | None:
    """Return what is ambiguous about the headers, or None."""
    names = [name.lower() for name, _ in headers]
    if len(names) > MAX_HEADERS:
        return f"more than {MAX_HEADERS} headers"
    values = b"\t".join([value for _, value in headers])
    if len(values) + sum(map(len, names)) > MAX_HEADER_BYTES:
        return f"more than {MAX_HEADER_BYTES} bytes of headers"
    if names.count(b"host") > 1:
        return "more than one Host"
    if names.count(b"content-length") > 1:
        return "more than one Content-Length"
    if b"transfer-encoding" in names and b"content-length" in names:
        return "both Transfer-Encoding and Content-Length"
    if _CONTROL.search(values):
        name = next(name for name, value in headers if _CONTROL.search(value))
        return f"a control character in {name.decode('latin-1')}"
    return None
