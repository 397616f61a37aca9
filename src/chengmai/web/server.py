"""The HTTP server in this process: our reader of HTTP/1.1 behind the guard."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Callable
from dataclasses import replace

from chengmai.kernel.problems import Conflict
from chengmai.web.guard import Guard
from chengmai.web.http1.limits import App, Limits
from chengmai.web.http1.listener import Listener

_BACKLOG = 4096
_OTHER_FILES = 256
"""What is open beside connections of clients: the files of the store, receivers, feeds, other brokers."""


class AddressInUse(Conflict):
    code = "server.address_in_use"


def free_port(host: str, port: int) -> int:
    """Return `port`, or a free one when it is 0; raises `AddressInUse` when somebody listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise _in_use(host, port, error) from error
        chosen: int = probe.getsockname()[1]
        return chosen


async def serve(
    app: App,
    host: str,
    port: int,
    stop: asyncio.Event,
    limits: Limits | None = None,
    *,
    opened: Callable[[int], None] = lambda _port: None,
) -> None:
    """Serve `app` until `stop` is set, then answer what is in work; raises `AddressInUse`.

    `opened` is told the port as soon as clients may come: `port`, or a free one when that is 0.
    """
    limits = limits or Limits()
    limits = replace(limits, connections=min(limits.connections, _most_files() - _OTHER_FILES))
    loop = asyncio.get_running_loop()
    listener = Listener(Guard(app), limits)
    try:
        server = await loop.create_server(listener, host, port, backlog=_BACKLOG)
    except OSError as error:
        raise _in_use(host, port, error) from error
    sweeping = asyncio.create_task(listener.sweep())
    opened(server.sockets[0].getsockname()[1])
    try:
        await stop.wait()
    finally:
        server.close()
        await listener.close()
        sweeping.cancel()


def _most_files() -> int:
    """Let the process open as many files as it may, and return how many: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard and soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 2**31 if most == resource.RLIM_INFINITY else max(most, 2 * _OTHER_FILES)


def _in_use(host: str, port: int, error: OSError) -> AddressInUse:
    return AddressInUse(
        f"{host}:{port} cannot be listened on: {error.strerror}",
        param="port",
        fix="stop the other program, or choose another port with --port",
    )
