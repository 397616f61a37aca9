"""What became of deliveries, written in groups: the outbox empties and counters move in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice

import structlog

from chengmai.broker.ports import Mark, Outbox
from chengmai.broker.subscription import Key
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import BriefWork, Tx

_log = structlog.get_logger(__name__)
LINGER_S = 0.02
"""How long outcomes wait for others."""
_AGAIN_S = 1.0
_AT_ONCE = 100
"""Subscriptions in one unit of work, which shares the next commit with whoever writes then."""


class Outcomes:
    """Gathers outcomes; `end` writes the last ones.

    What is not written is not lost: it is tried again, and after a crash its notification goes out again with
    the same id. `written` is told (subscription, rows that left the outbox).
    """

    def __init__(
        self, work: BriefWork[Tx], store: Outbox, written: Callable[[Key, int], None]
    ) -> None:
        self._work = work
        self._store = store
        self._written = written
        self._pending: dict[Key, Mark] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[bool] | None = None

    def note(
        self, key: Key, seqs: tuple[int, ...], at_us: int, *, failed: bool, again: bool
    ) -> None:
        """Keep that a notification was delivered, or `failed`; one sent `again` has been counted."""
        mark = self._pending.get(key)
        if mark is None:
            mark = self._pending[key] = Mark(key)
        mark.note(seqs, at_us, failed=failed, again=again)
        self._write_after(LINGER_S)

    async def settle(self) -> None:
        """Write what waits now: somebody looks at the counters."""
        if self._writing is not None:
            await asyncio.shield(self._writing)
        if self._pending and not await self._write():
            self._write_after(_AGAIN_S)

    async def end(self) -> None:
        """Write what is not written yet."""
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await self._writing
        if self._pending:
            await self._write()

    def _write_after(self, seconds: float) -> None:
        if self._timer is None and self._writing is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._writing = asyncio.get_running_loop().create_task(self._write(), name="outcomes")
        self._writing.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[bool]) -> None:
        self._writing = None
        if self._pending and not task.cancelled():
            self._write_after(LINGER_S if task.result() else _AGAIN_S)

    async def _write(self) -> bool:
        """Write what waits; return whether all of it is written."""
        pending, self._pending = self._pending, {}
        waiting = iter(pending.values())
        while marks := list(islice(waiting, _AT_ONCE)):
            try:
                await self._work.write_brief(lambda tx, marks=marks: self._store.mark(tx, marks))  # type: ignore[misc]
            except Problem as problem:
                _log.warning("outcomes.not_written", of=len(marks), why=problem.detail)
                self._keep(marks)
                self._keep(waiting)
                return False
            for mark in marks:
                self._written(mark.key, len(mark.seqs))
        return True

    def _keep(self, marks: list[Mark] | Iterator[Mark]) -> None:
        for mark in marks:
            later = self._pending.get(mark.key)
            self._pending[mark.key] = mark if later is None else mark.followed_by(later)
