"""What connectors need from the rest, and what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from chengmai.connect.reading import Reading, Reject
from chengmai.history.model import PastRow
from chengmai.kernel.actors import Actor
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Instance
from chengmai.ngsild.model import Model

Cursor = Mapping[str, Any]
"""Where a connector goes on after a restart: its own small JSON object."""


class Sink(Protocol):
    """Port: where one feed's readings go. What is accepted is committed when the call returns."""

    async def cursor(self) -> dict[str, Any] | None:
        """Return the cursor of the last call that was committed; None at the very first start."""
        ...

    async def accept(
        self, readings: Sequence[Reading], rejects: Sequence[Reject], cursor: Cursor | None = None
    ) -> None:
        """Commit readings, counts of rejects and the cursor together; None keeps the cursor."""
        ...

    async def alive(self) -> None:
        """Note that the source answered and its things are as they were: such a feed is not silent."""
        ...

    async def backfill(
        self,
        block_id: str,
        readings: Sequence[Reading],
        rejects: Sequence[Reject],
        cursor: Cursor,
    ) -> None:
        """Bring in a block of the past; the same `block_id` a second time changes nothing."""
        ...


class Connector(Protocol):
    """Port: a source of readings. `run` returns when the source has ended and raises when it failed."""

    async def run(self, sink: Sink) -> None:
        """Hand readings to `sink` until cancelled or ended; goes on from `sink.cursor()`."""
        ...


class Pace(Protocol):
    """Port: waiting in the city's time."""

    def now(self) -> datetime:
        """Return the present instant of the city."""
        ...

    async def wait(self, city: timedelta) -> None:
        """Return after `city` of the city's time; may return earlier, never waits less than a moment."""
        ...


class FeedModel(Model, Protocol):
    """Port: the live model, and the past of what it holds."""

    def remember(
        self, tx: Tx, entity_id: str, changes: Sequence[tuple[str, Instance]], *, by: Actor
    ) -> None:
        """Record what (attribute IRI, instance) was true in the past; the live state stays as it is."""
        ...


class PastImport(Protocol):
    """Port: bulk import of the past straight into the sealed part of the history."""

    async def import_block(self, tenant: str, block_id: str, rows: Sequence[PastRow]) -> bool:
        """Bring in a block once; return False when it was brought in before."""
        ...


class FeedStore(Protocol):
    """Port: one row a feed – its cursor and its counters – in the transaction of the readings."""

    def load(self, tx: Any, tenant: str, feed_id: str) -> dict[str, Any] | None:
        """Return what was saved for the feed, or None."""
        ...

    def save(self, tx: Any, tenant: str, feed_id: str, state: Mapping[str, Any]) -> None:
        """Keep `state` (a JSON object) for the feed in place of what was there."""
        ...
