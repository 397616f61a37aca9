"""What a client may cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

App = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI application."""


@dataclass(frozen=True)
class Limits:
    """What one client, and all together, may cost."""

    head_s: float = 10.0
    """For the whole head, from its first byte or from the connection's beginning."""
    idle_s: float = 75.0
    body_s: float = 30.0
    """Between two pieces of a body."""
    whole_s: float = 300.0
    """For a whole body."""
    drain_s: float = 30.0
    """For a reader to take what it was sent, once more than a buffer of it waits."""
    head_bytes: int = 16 * 1024
    head_count: int = 100
    ahead_bytes: int = 256 * 1024
    """Of a body that the application has not asked for yet; reading goes on when it has."""
    pipelined: int = 16
    connections: int = 8192
    """With more, whoever has kept us waiting longest is disconnected."""
    unstarted: int = 256
    """Requests that wait for the processor; who comes then is told to come again, before his body is read."""
    close_s: float = 5.0
    """For requests in work when the server is stopped."""
    sweep_s: float = 1.0
    """Between two looks at whose time is up."""
