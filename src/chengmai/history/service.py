"""Use cases on the past."""

from __future__ import annotations

from collections.abc import Sequence

from chengmai.history.model import Columns, Span
from chengmai.history.ports import HistoryStore
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Instance


class HistoryService:
    """Reads the past of one entity, of one number, or of all entities of a type."""

    def __init__(self, work: Work[Tx], store: HistoryStore) -> None:
        self._work = work
        self._store = store

    async def evolution(
        self,
        tenant: str,
        entity_id: str,
        *,
        attributes: Sequence[str] | None = None,
        span: Span | None = None,
        last_n: int | None = None,
    ) -> dict[str, list[Instance]]:
        """Return the instances of each attribute (expanded names) in order of time."""
        return await self._work.read(
            lambda tx: self._store.instances(
                tx, tenant, entity_id, attributes=attributes, span=span or Span(), last_n=last_n
            )
        )

    async def numbers(
        self, tenant: str, entity_id: str, attribute: str, start_us: int, end_us: int
    ) -> list[tuple[int, float]]:
        """Return (instant in µs, number) of one attribute in [start, end), in order of time."""
        return await self._work.read(
            lambda tx: self._store.numbers(tx, tenant, entity_id, attribute, Span(start_us, end_us))
        )

    async def columns(
        self,
        tenant: str,
        entity_type: str,
        attributes: Sequence[str],
        area: str,
        start_us: int,
        end_us: int,
    ) -> Columns:
        """Return the numeric readings of all entities of a type in [start, end)."""
        return await self._work.read(
            lambda tx: self._store.columns(
                tx, tenant, entity_type, attributes, area, Span(start_us, end_us)
            )
        )
