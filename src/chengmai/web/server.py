"""The HTTP server in this process: granian behind the guard, with a header time-out and a bound."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from chengmai.kernel.problems import Conflict, Unavailable
from chengmai.web.guard import Guard

_HEADER_TIMEOUT_MS = 10_000
_MAX_BUFFER = 64 * 1024
_BACKLOG = 4096
# Above its back-pressure granian lets connections wait without a word, so the bound is above the backlog.
_BACKPRESSURE = 16_384


class AddressInUse(Conflict):
    code = "server.address_in_use"


def free_port(host: str, port: int) -> int:
    """Return `port`, or a free one when it is 0; raises `AddressInUse` when somebody listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise AddressInUse(
                f"{host}:{port} cannot be listened on: {error.strerror}",
                param="port",
                fix="stop the other program, or choose another port with --port",
            ) from error
        chosen: int = probe.getsockname()[1]
        return chosen


async def serve(
    app: Callable[..., Awaitable[None]], host: str, port: int, stop: asyncio.Event
) -> None:
    """Serve `app` until `stop` is set; raises `Unavailable` when the server ends before that."""
    server = Server(
        Guard(app),
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEADER_TIMEOUT_MS, max_buffer_size=_MAX_BUFFER
        ),
        backlog=_BACKLOG,
        backpressure=_BACKPRESSURE,
        websockets=False,
        log_enabled=False,
    )
    serving = asyncio.create_task(_run(server))
    stopping = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if serving in done:
        stopping.cancel()
        serving.result()
        raise Unavailable(
            "the HTTP server ended by itself",
            code="server.ended",
            fix="see the log, and start again",
        )
    server.stop()  # type: ignore[no-untyped-call]
    await asyncio.wait({serving}, timeout=5)


async def _run(server: Any) -> None:
    await server.serve()
