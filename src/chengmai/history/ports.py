"""What the history needs from a storage engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from chengmai.history.model import Columns, PastRow, Span
from chengmai.ngsild.entity import Instance


class HistoryStore(Protocol):
    """Port: observations, recent and sealed, as one.

    There is one observation a series (entity, attribute, datasetId) and instant; a later one for the same
    instant corrects it.
    """

    def record(
        self, tx: Any, tenant: str, entity_id: str, changes: Sequence[tuple[str, Instance]]
    ) -> None:
        """Keep each (attribute IRI, instance) as it became true."""
        ...

    def forget(
        self,
        tx: Any,
        tenant: str,
        entity_id: str,
        attribute: str | None = None,
        dataset_id: str | None = None,
    ) -> None:
        """Hide what was recorded so far of an entity, of one attribute, or of one of its instances."""
        ...

    def instances(
        self,
        tx: Any,
        tenant: str,
        entity_id: str,
        *,
        attributes: Sequence[str] | None,
        span: Span,
        last_n: int | None,
    ) -> dict[str, list[Instance]]:
        """Return the instances of each attribute in order of time; with `last_n`, the newest of each series."""
        ...

    def numbers(
        self, tx: Any, tenant: str, entity_id: str, attribute: str, span: Span
    ) -> list[tuple[int, float]]:
        """Return (instant in µs, number) of the default instance of one attribute, in order of time."""
        ...

    def numbers_of(
        self, tx: Any, tenant: str, entity_ids: Sequence[str], attribute: str, span: Span
    ) -> dict[str, list[tuple[int, float]]]:
        """Return what `numbers` does of each of some entities; one without the attribute may be left out."""
        ...

    def columns(
        self,
        tx: Any,
        tenant: str,
        entity_type: str,
        attributes: Sequence[str],
        area: str,
        span: Span,
    ) -> Columns:
        """Return the numeric readings of all entities of a type; `area` is the attribute naming the area."""
        ...

    async def import_block(self, tenant: str, block_id: str, rows: Sequence[PastRow]) -> bool:
        """Bring in a block of the past once; return False when it was brought in before."""
        ...

    async def seal(self, *, at_most: int = 100_000) -> int:
        """Move recent observations to the sealed part; return how many were moved."""
        ...
