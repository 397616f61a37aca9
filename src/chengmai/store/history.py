"""The history of the embedded default: recent rows in SQLite and sealed rows in DuckDB, read as one.

A read looks at SQLite first and at DuckDB second. Were it the other way round, rows sealed and removed in
between would be seen in neither. Recent rows at or below the watermark of the sealed snapshot are left out,
so none is seen twice; a recent row takes the place of a sealed one of the same series and instant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Any

from chengmai.history.model import Columns, PastRow, Span
from chengmai.kernel.instants import format_instant, to_us
from chengmai.ngsild.entity import Instance
from chengmai.ngsild.temporal import TemporalQuery
from chengmai.ngsild.tombstones import tombstone
from chengmai.store.duckdb.leaving import day_of
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.duckdb.taking import Row, to_arrays
from chengmai.store.problems import StoreUnreadable
from chengmai.store.readings import columns, numbers_of
from chengmai.store.retaining import retain
from chengmai.store.sqlite.register import (
    Entry,
    Series,
    Sought,
    entries,
    register_of,
    registered,
)
from chengmai.store.sqlite.series import (
    RECENT,
    forget,
    instance_of,
    record,
    take_seq,
    unpacked,
    void,
)
from chengmai.store.sqlite.work import SqliteTx, SqliteWork
from chengmai.store.summing import summed
from chengmai.store.visible import (
    EVER,
    is_any_visible,
    visible_rows,
)
from chengmai.store.windows import Notes, Windows

_PAUSE_S = 0.5
_LINGER_US = 3_600_000_000
"""A day is rolled up an hour after its end, when most of what belongs to it has come."""


class EmbeddedHistory:
    """Implements `history.ports.HistoryStore` and `broker.ports.Chronicle`."""

    def __init__(self, work: SqliteWork, sealed: SealedHistory) -> None:
        self._work = work
        self._sealed = sealed
        self._sealing = asyncio.Lock()
        self._notes: list[Notes] = []

    def windows(self) -> Windows:
        """Return windows over the newest readings, which learn from now on of what is done here."""
        self._notes.append(Notes())
        return Windows(self._sealed, self._notes[-1])

    async def recover(self) -> int:
        """Finish a sealing that a crash cut off; return how many recent changes were removed.

        Raises `StoreUnreadable` when the sealed file is older than the state file.
        """
        watermark = self._sealed.watermark()

        def finish(tx: SqliteTx) -> int:
            ((mark,),) = tx.db.execute("SELECT upto FROM seal_mark WHERE id = 1")
            if mark > watermark:
                raise StoreUnreadable(
                    "the history file is older than the state file",
                    fix="restore both files from the same backup; nothing was changed",
                )
            tx.db.execute("DELETE FROM recent WHERE seq <= ?", (watermark,))
            removed = tx.db.changes()
            tx.db.execute("UPDATE seal_mark SET upto = ? WHERE id = 1", (watermark,))
            return int(removed)

        return await self._work.write(finish)

    def record(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_id: str,
        changes: Sequence[tuple[str, Instance]],
        *,
        stamped: bool = False,
    ) -> None:
        record(tx, tenant, entity_id, changes, stamped=stamped)

    def forget(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_id: str,
        attribute: str | None = None,
        dataset_id: str | None = None,
    ) -> None:
        forget(tx, tenant, entity_id, attribute, dataset_id)
        for notes in self._notes:
            tx.after_commit(partial(notes.forgot, tenant, entity_id))

    def instances(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_id: str,
        *,
        attributes: Sequence[str] | None,
        span: Span,
        last_n: int | None,
        first_n: int | None = None,
    ) -> dict[str, list[Instance]]:
        found: dict[str, list[tuple[int, Instance]]] = {}
        known = entries(tx, tenant, entity_id, attributes)
        about = {one.series: one for one in known}
        rows = visible_rows(
            tx, self._sealed, Sought.of(known), span, last_n=last_n, first_n=first_n
        )
        for number, at_us, modified_us, _seq, observed, num, body in rows:
            one = about[number]
            instance = _instance(one, at_us, modified_us, observed, num, body)
            found.setdefault(one.attribute, []).append((at_us, instance))
        return {
            attribute: [one for _, one in sorted(pairs, key=lambda pair: pair[0])]
            for attribute, pairs in found.items()
        }

    def note_deleted(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_id: str,
        removed: Sequence[tuple[str, Instance]],
    ) -> None:
        if not removed:
            return
        now = format_instant(tx.now)
        record(
            tx,
            tenant,
            entity_id,
            [(attribute, tombstone(instance, now)) for attribute, instance in removed],
        )

    def past(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_id: str,
        window: TemporalQuery,
        *,
        attributes: Sequence[str] | None = None,
        first_n: int | None = None,
    ) -> dict[str, list[Instance]]:
        return self.instances(
            tx,
            tenant,
            entity_id,
            attributes=attributes,
            span=Span(window.start_us, window.end_us, window.timeproperty),
            last_n=window.last_n,
            first_n=first_n if window.last_n is None else None,
        )

    def summaries(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_id: str,
        window: TemporalQuery,
        *,
        attributes: Sequence[str] | None = None,
        datasets: AbstractSet[str] | None = None,
        most: int = 100_000,
    ) -> dict[str, list[Instance]] | None:
        about = {
            one.series: one
            for one in entries(tx, tenant, entity_id, attributes)
            if datasets is None or (one.dataset or "@none") in datasets
        }
        return summed(tx, self._sealed, about, window, most)

    def has_past(
        self, tx: SqliteTx, tenant: str, entity_id: str, attribute: str | None = None
    ) -> bool:
        known = entries(tx, tenant, entity_id, None if attribute is None else [attribute])
        return is_any_visible(tx, self._sealed, Sought.of(known))

    def edit_instance(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_id: str,
        attribute: str,
        instance_id: str,
        change: Callable[[Instance], Instance | None],
    ) -> bool:
        known = entries(tx, tenant, entity_id, [attribute])
        about = {one.series: one for one in known}
        for number, at_us, modified_us, _seq, observed, num, body in self._likely(
            tx, Sought.of(known), instance_id
        ):
            one = about[number]
            old = _instance(one, at_us, modified_us, observed, num, body)
            if old["instanceId"] != instance_id:
                continue
            new = change(old)
            void(tx, one.owner, number, at_us)
            if new is not None:
                kept = {**new, "instanceId": instance_id}
                record(tx, tenant, entity_id, [(attribute, kept)])
            return True
        return False

    def _likely(self, tx: SqliteTx, sought: Sought, instance_id: str) -> Iterator[Row]:
        """Yield rows that may be the instance: the one its name points at, and only then all of them."""
        at = instance_id.rpartition(":")[2]
        if at.isascii() and at.isdigit() and len(at) < 19:
            there = Span(int(at), int(at) + 1)
            yield from visible_rows(tx, self._sealed, sought, there)
        yield from visible_rows(tx, self._sealed, sought, EVER)

    def numbers(
        self, tx: SqliteTx, tenant: str, entity_id: str, attribute: str, span: Span
    ) -> list[tuple[int, float]]:
        known = [one for one in entries(tx, tenant, entity_id, [attribute]) if not one.dataset]
        rows = visible_rows(tx, self._sealed, Sought.of(known), span)
        return [(row[1], row[5]) for row in rows if row[5] is not None]

    def numbers_of(
        self, tx: SqliteTx, tenant: str, entity_ids: Sequence[str], attribute: str, span: Span
    ) -> dict[str, list[tuple[int, float]]]:
        return numbers_of(tx, self._sealed, tenant, entity_ids, attribute, span)

    def columns(
        self,
        tx: SqliteTx,
        tenant: str,
        entity_type: str,
        attributes: Sequence[str],
        area: str,
        span: Span,
    ) -> Columns:
        return columns(tx, self._sealed, tenant, entity_type, attributes, area, span)

    async def import_block(self, tenant: str, block_id: str, rows: Sequence[PastRow]) -> bool:
        with self._sealed.snapshot() as cursor:
            if self._sealed.has_block(cursor, tenant, block_id):
                return False

        def register(tx: SqliteTx) -> tuple[dict[tuple[str, str], int], int, int]:
            units: dict[str, dict[str, str]] = {}
            for row in rows:
                units.setdefault(row.entity, {})[row.attribute] = row.unit
            numbers: dict[tuple[str, str], int] = {}
            for entity, of_entity in units.items():
                wanted = [(name, "", "Property", unit) for name, unit in of_entity.items()]
                known = registered(tx, tenant, entity, wanted, register_of(tx, tenant, entity))
                for name, _, _, _ in wanted:
                    series = known.find(name, "")
                    assert series is not None
                    numbers[entity, name] = series[0]
            return numbers, to_us(tx.now), take_seq(tx)

        numbers, now_us, seq = await self._work.write(register)
        unique = {(numbers[row.entity, row.attribute], row.at_us): row.value for row in rows}
        arrays = to_arrays(
            [(series, at, now_us, seq, True, value, None) for (series, at), value in unique.items()]
        )
        return await asyncio.to_thread(self._sealed.import_block, tenant, block_id, arrays, seq)

    async def retain(
        self, keep_us: Mapping[str, int], now_us: int, roll_us: Mapping[str, int] | None = None
    ) -> int:
        """Remove observations older than is said for their type, and sums (`roll_us`); return how many."""
        return await retain(self._work, self._sealed, keep_us, roll_us or {}, now_us)

    async def seal(self, *, at_most: int = 100_000) -> int:
        async with self._sealing:
            taken = await self._work.read(lambda tx: _taken(tx, at_most))
            if not taken.seen and not taken.dropped:
                return 0
            for notes in self._notes:
                notes.sealing(taken.rows)
            upto = taken.upto if taken.seen else self._sealed.watermark()
            await asyncio.to_thread(self._sealed.seal, taken.rows, upto, taken.dropped)

            def clear(tx: SqliteTx) -> None:
                tx.db.execute("DELETE FROM recent WHERE seq <= ?", (upto,))
                tx.db.execute("UPDATE seal_mark SET upto = ? WHERE id = 1", (upto,))
                tx.db.executemany(
                    "DELETE FROM history_drop WHERE series = ? AND seq = ?", taken.done
                )

            await self._work.write(clear)
            return taken.seen

    async def tend(self) -> None:
        """Merge and roll up what is sealed, step by step; who seals gets a turn between two steps."""
        now_us = await self._work.read(lambda tx: to_us(tx.now))
        today = day_of(now_us - _LINGER_US)
        for step in (self._sealed.merge, partial(self._sealed.roll, today)):
            while True:
                if not await asyncio.to_thread(step):
                    break
                await asyncio.sleep(_PAUSE_S)


@dataclass(frozen=True)
class _Taken:
    """What is sealed next: of each series and instant the newest observation, and nothing that was deleted."""

    rows: list[Row]
    seen: int
    """How many observations were looked at."""
    upto: int
    dropped: list[tuple[int, int]]
    done: list[tuple[int, int]]
    """Which of what is dropped has nothing recent left."""


def _taken(tx: SqliteTx, at_most: int) -> _Taken:
    dropped = tx.db.execute("SELECT series, seq FROM history_drop").fetchall()
    gone: dict[int, int] = dict(dropped)
    newest: dict[tuple[int, int], Row] = {}
    seen = upto = 0
    changes = tx.db.execute(f"{RECENT} ORDER BY seq")
    for change in changes:
        for row in unpacked([change]):
            seen += 1
            if row[3] > gone.get(row[0], -1):
                newest[row[0], row[1]] = row
        upto = change[0]
        if seen >= at_most:
            break
    else:
        return _Taken(list(newest.values()), seen, upto, dropped, dropped)
    changes.close()
    done = [one for one in dropped if one[1] <= upto]
    return _Taken(list(newest.values()), seen, upto, dropped, done)


def _instance(
    one: Entry, at_us: int, modified_us: int, observed: bool, num: Any, body: Any
) -> Instance:
    series: Series = (one.series, one.kind, one.unit)
    return instance_of(series, one.dataset, at_us, modified_us, observed, num, body)
