"""News within one process: the `LiveFeed` that needs no server."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from chengmai.kernel.actors import Actor
from chengmai.web.cockpit.views import LiveEvent

Numbered = tuple[int, str, LiveEvent]


class LiveHub:
    """Keeps the latest events and hands new ones to every subscriber.

    `run` names this run of the server: an id from another run cannot be replayed, so the page reloads.
    A subscriber that falls more than `backlog` events behind is told to reload instead of being waited
    for. Use from one event loop only.
    """

    def __init__(self, run: str, *, kept: int = 1000, backlog: int = 200) -> None:
        self._run = run
        self._sequence = 0
        self._kept: deque[Numbered] = deque(maxlen=kept)
        self._backlog = backlog
        self._subscribers: set[asyncio.Queue[Numbered | None]] = set()
        self._closed = False

    def publish(self, tenant: str, topic: str, data: dict[str, Any]) -> None:
        """Tell everybody of `tenant` who listens to `topic`."""
        self._sequence += 1
        item = (self._sequence, tenant, LiveEvent(self.latest(), topic, data))
        self._kept.append(item)
        for queue in self._subscribers:
            if queue.qsize() <= self._backlog:
                queue.put_nowait(item)

    def latest(self) -> str:
        """Return the id of the newest event; see `ports.LiveFeed`."""
        return f"{self._run}-{self._sequence}"

    def close(self) -> None:
        """End every subscription; for the server's shutdown."""
        self._closed = True
        for queue in self._subscribers:
            queue.put_nowait(None)

    async def subscribe(
        self, actor: Actor, topics: frozenset[str], last_event_id: str | None
    ) -> AsyncIterator[LiveEvent]:
        """Yield what was missed and then what comes; see `ports.LiveFeed`."""
        queue: asyncio.Queue[Numbered | None] = asyncio.Queue()
        missed = self._since(last_event_id)
        at = self._sequence
        self._subscribers.add(queue)
        try:
            if missed is None:
                yield self._reload()
            for _, tenant, event in missed or ():
                if tenant == actor.tenant and event.topic in topics:
                    yield event
            while not self._closed and (item := await queue.get()) is not None:
                sequence, tenant, event = item
                if sequence != at + 1:
                    yield self._reload()
                elif tenant == actor.tenant and event.topic in topics:
                    yield event
                at = sequence
        finally:
            self._subscribers.discard(queue)

    def _since(self, last_event_id: str | None) -> list[Numbered] | None:
        """Return the events after an id; None when it is not of this run or fell out of memory."""
        if last_event_id is None:
            return []
        run, _, number = last_event_id.rpartition("-")
        if run != self._run or not (number.isascii() and number.isdigit()):
            return None
        last = int(number)
        first_kept = self._kept[0][0] if self._kept else self._sequence + 1
        if last > self._sequence or last + 1 < first_kept:
            return None
        return [item for item in self._kept if item[0] > last]

    def _reload(self) -> LiveEvent:
        return LiveEvent(self.latest(), "reload")
