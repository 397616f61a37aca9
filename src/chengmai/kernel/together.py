"""One answer for all who ask the same at the same time, and none that is older than the question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Runs questions; for one event loop.

    Whoever asks while the same question is being answered may want to know of what has happened since that
    began. So he waits for it to end, and then one run answers all who have come until it begins.
    """

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T]] = {}
        self._next: dict[Hashable, asyncio.Task[T]] = {}

    def is_asked(self, key: Hashable) -> bool:
        """Return whether a question is being answered."""
        return key in self._running

    async def ask(self, key: Hashable, run: Callable[[], Awaitable[T]]) -> T:
        """Return what a `run` returns that is begun after this call, or raise; `key` is the question."""
        running = self._running.get(key)
        if running is None:
            task = self._running[key] = _begun(self._run(key, run))
        elif (waiting := self._next.get(key)) is not None:
            task = waiting
        else:
            task = self._next[key] = _begun(self._after(running, key, run))
        # Whoever goes away does not take the answer of the others along.
        return await asyncio.shield(task)

    async def _after(
        self, running: asyncio.Task[T], key: Hashable, run: Callable[[], Awaitable[T]]
    ) -> T:
        await asyncio.wait({running})
        self._running[key] = self._next.pop(key)
        return await self._run(key, run)

    async def _run(self, key: Hashable, run: Callable[[], Awaitable[T]]) -> T:
        try:
            return await run()
        finally:
            if key not in self._next:
                del self._running[key]


def _begun(run: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    task = asyncio.create_task(run)
    # What went wrong is looked at even where nobody waits for it any more.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
