"""What the vital signs read and write of the history; puts their ports onto `EmbeddedHistory`."""

from __future__ import annotations

from collections.abc import Sequence

from chengmai.history.model import Columns, PastRow, Span
from chengmai.kernel.instants import parse_us
from chengmai.ngsild.entity import Instance
from chengmai.store.history import EmbeddedHistory
from chengmai.store.sqlite.work import SqliteTx
from chengmai.store.windows import Shown
from chengmai.vitals.ports import Wanted


class VitalsHistory:
    """Implements `Readings` and `Past` of `vitals.ports`, `vitals.lookback.ports.Happened` and
    `forecast.quality.StoredPast`."""

    def __init__(self, history: EmbeddedHistory) -> None:
        self._history, self._windows = history, history.windows()

    def columns(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_type: str,
        attributes: Sequence[str],
        area: str,
        start_us: int,
        end_us: int,
    ) -> Columns:
        span = Span(start_us, end_us)
        return self._history.columns(tx, tenant, entity_type, attributes, area, span)

    def latest(self, tx: SqliteTx, tenant: str, wanted: Wanted, start_us: int) -> Shown:
        return self._windows.latest(tx, tenant, wanted, start_us)

    def numbers(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_id: str,
        attribute: str,
        start_us: int,
        end_us: int,
    ) -> list[tuple[int, float]]:
        return self._history.numbers(tx, tenant, entity_id, attribute, Span(start_us, end_us))

    def numbers_of(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_ids: Sequence[str],
        attribute: str,
        start_us: int,
        end_us: int,
    ) -> dict[str, list[tuple[int, float]]]:
        span = Span(start_us, end_us)
        return self._history.numbers_of(tx, tenant, entity_ids, attribute, span)

    def record(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_id: str,
        changes: Sequence[tuple[str, Instance]],
    ) -> None:
        self._history.record(tx, tenant, entity_id, changes)

    def texts(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_id: str,
        attribute: str,
        start_us: int,
        end_us: int,
    ) -> list[tuple[int, str]]:
        said: list[tuple[int, str]] = []
        for instance in self.instances_of(tx, tenant, entity_id, attribute, start_us, end_us):
            text = str(instance.get("value"))
            if not said or said[-1][1] != text:
                said.append((parse_us(instance["modifiedAt"]), text))
        return said

    def instances_of(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_id: str,
        attribute: str,
        start_us: int,
        end_us: int,
    ) -> list[Instance]:
        found = self._history.instances(
            tx,
            tenant,
            entity_id,
            attributes=[attribute],
            span=Span(start_us, end_us, by="modifiedAt"),
            last_n=None,
        )
        return found.get(attribute, [])

    async def import_values(
        self, tenant: str, block_id: str, values: Sequence[tuple[str, str, int, float, str]]
    ) -> bool:
        rows = [PastRow(*value) for value in values]
        return await self._history.import_block(tenant, block_id, rows)
