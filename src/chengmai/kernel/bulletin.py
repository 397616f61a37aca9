"""News of what was committed, for whoever is looking: a short memory and any number of readers.

News is a courtesy, not a record: it is lost with the process, and who was away too long is told so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Notice:
    """One piece of news: ids grow, `topic` names what kind of thing changed."""

    id: int
    tenant: str
    topic: str
    data: dict[str, Any]


class Bulletin:
    """Posts notices on the event loop and hands them to readers in order.

    `start` is the first id; give a number that grows with every start of the process, so that a reader
    who comes back after a restart is known to have missed something.
    """

    def __init__(self, start: int, keep: int = 2000) -> None:
        self._next = start
        self._kept: deque[Notice] = deque(maxlen=keep)
        self._wake = asyncio.Event()
        self.closed = False

    def post(self, tenant: str, topic: str, data: dict[str, Any]) -> None:
        """Tell every reader of `topic` in `tenant`."""
        self._kept.append(Notice(self._next, tenant, topic, data))
        self._next += 1
        self._rouse()

    def close(self) -> None:
        """End every reader's stream."""
        self.closed = True
        self._rouse()

    def knows_since(self, last_id: int) -> bool:
        """Return whether everything after `last_id` is still kept."""
        oldest = self._kept[0].id if self._kept else self._next
        return oldest - 1 <= last_id < self._next

    @property
    def latest(self) -> int:
        """The id of the newest notice."""
        return self._next - 1

    async def follow(
        self, tenant: str, topics: frozenset[str], after: int
    ) -> AsyncIterator[Notice]:
        """Yield notices of `tenant` and `topics` with an id above `after`, for ever."""
        while not self.closed:
            wake = self._wake
            for notice in list(self._kept):
                if notice.id > after:
                    after = notice.id
                    if notice.tenant == tenant and notice.topic in topics:
                        yield notice
            if self.latest <= after:
                await wake.wait()

    def _rouse(self) -> None:
        wake, self._wake = self._wake, asyncio.Event()
        wake.set()
