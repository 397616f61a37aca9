"""The unit of work: a plain function, run inside one transaction.

A use case hands the store a function; the store runs it with a transaction and answers when the commit
is on disk. Many functions may share one commit (group commit); each stands or falls alone. A read sees
one committed snapshot. The function must not wait, must not touch the network, and may be run on any thread.
Why a function and not a context manager: `docs/decisions/0002-unit-of-work-is-a-function.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

T = TypeVar("T")
TxT = TypeVar("TxT", covariant=True)


class Tx(Protocol):
    """A transaction as rules and services see it: an instant, and what to do once it is on disk.

    Stores take it back as their first argument and know what it really is; nobody else looks inside.
    """

    @property
    def now(self) -> datetime:
        """The instant of the transaction, by the city's clock; one for everything written in it."""
        ...

    def after_commit(self, fn: Callable[[], None], /) -> None:
        """Call `fn` on the event loop once the commit is durable; never when it fails."""
        ...


class Work(Protocol[TxT]):
    """Port: runs functions in transactions. One adapter a storage engine."""

    async def write(self, fn: Callable[[TxT], T], /) -> T:
        """Return what `fn(tx)` returns, after the commit is durable; a raise undoes all it did."""
        ...

    async def read(self, fn: Callable[[TxT], T], /) -> T:
        """Return what `fn(tx)` returns over one committed snapshot; `fn` must not write."""
        ...


class BriefWork(Work[TxT], Protocol[TxT]):
    """Port: units of work of an engine that takes many at once and answers a look-up by key at once."""

    async def write_brief(self, fn: Callable[[TxT], T], /) -> T:
        """Return what `write` does; for a few look-ups by key, since it may hold up the event loop."""
        ...

    async def write_all(
        self, fns: Sequence[Callable[[TxT], T]], /, *, brief: bool = True
    ) -> list[T | Exception]:
        """Return what each of `fns` returns, or what it raised and so undid, after their commits, in order.

        Each is a unit of work of its own; others get their turn in between. Raises when not all is saved.
        `brief` says that each does a few look-ups by key and no more, and may hold up the event loop.
        """
        ...

    async def glance(self, fn: Callable[[TxT], T], /, *, asks_once: bool = False) -> T:
        """Return what `read` does; for a few look-ups by key, since it may hold up the event loop.

        With `asks_once` the store is asked one thing, which is of one instant by itself.
        """
        ...
