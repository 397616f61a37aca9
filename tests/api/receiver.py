"""A receiver of notifications: a real HTTP server on a free port, told how to answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.loopback import HANGS, Reply, Request, a_listener

WAIT_S = 60.0
"""How long a test waits for what must come; only a failing test waits that long."""


@dataclass(frozen=True)
class Received:
    """One request as it arrived; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def entity(self) -> dict[str, Any]:
        """Return the one entity it tells of."""
        (entity,) = self.body["data"]
        return dict(entity)


@dataclass
class Receiver:
    """What has arrived, and what is answered: the statuses in `answers` one by one, then 200."""

    port: int = 0
    got: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hangs: bool = False
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/notify") -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def wait_for(self, count: int) -> list[Received]:
        """Return everything that has arrived once there are `count` requests."""
        async with asyncio.timeout(WAIT_S):
            while len(self.got) < count:
                self._came.clear()
                await self._came.wait()
        return self.got

    async def answer(self, request: Request) -> Reply | None:
        """Keep a request, and return what it is answered with."""
        if self.hangs:
            return HANGS
        self.got.append(Received(request.target, request.headers, orjson.loads(request.body)))
        self._came.set()
        return Reply(self.answers.pop(0) if self.answers else 200, {})


@asynccontextmanager
async def a_receiver(*answers: int, hangs: bool = False, port: int = 0) -> AsyncIterator[Receiver]:
    """Yield a receiver that listens."""
    made = Receiver(answers=list(answers), hangs=hangs)
    async with a_listener(made.answer, port) as made.port:
        yield made
