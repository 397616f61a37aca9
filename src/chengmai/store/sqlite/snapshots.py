"""Snapshots in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from chengmai.broker.ports import DueNotification, Mark
from chengmai.broker.snapshots.model import Snapshot
from chengmai.broker.spaces import Held
from chengmai.broker.subscription import Key
from chengmai.kernel.instants import to_us
from chengmai.store.sqlite.work import SqliteTx

_ALL = "SELECT tenant, id, space, expires_us, doc FROM snapshot WHERE "


class SqliteSnapshots:
    """Implements `broker.snapshots.model.SnapshotStore`."""

    def get(self, tx: SqliteTx, tenant: str, snapshot_id: str) -> Snapshot | None:
        row = tx.db.execute(_ALL + "tenant = ? AND id = ?", (tenant, snapshot_id)).fetchone()
        return None if row is None else _read(row)

    def every(self, tx: SqliteTx, tenant: str | None = None) -> list[Snapshot]:
        where, values = ("tenant = ?", (tenant,)) if tenant else ("tenant IS NOT NULL", ())
        rows = tx.db.execute(f"{_ALL}{where} ORDER BY tenant, id", values)
        return [_read(row) for row in rows]

    def put(self, tx: SqliteTx, kept: Snapshot) -> None:
        tx.db.execute(
            "INSERT INTO snapshot (space, tenant, id, expires_us, doc) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (space) DO UPDATE"
            " SET expires_us = excluded.expires_us, doc = excluded.doc",
            (kept.space, kept.tenant, kept.id, kept.expires_us, orjson.dumps(kept.document)),
        )

    def owner(self, tx: SqliteTx, space: str) -> tuple[str, str] | None:
        row = tx.db.execute(
            "SELECT tenant, id FROM snapshot WHERE space = ? AND tenant IS NOT NULL", (space,)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def held(self, tx: SqliteTx, space: str) -> Held:
        rows = tx.db.execute(
            "SELECT entities, instances, size FROM snapshot WHERE space = ?", (space,)
        ).fetchall()
        return Held(*rows[0]) if rows else Held()

    def charge(self, tx: SqliteTx, space: str, more: Held) -> Held | None:
        rows = tx.db.execute(
            "UPDATE snapshot SET entities = entities + ?, instances = instances + ?, size = size + ?"
            " WHERE space = ? AND tenant IS NOT NULL RETURNING entities, instances, size",
            (more.entities, more.instances, more.size, space),
        ).fetchall()
        return Held(*rows[0]) if rows else None

    def leave(self, tx: SqliteTx, kept: Snapshot) -> None:
        tx.db.execute(
            "UPDATE snapshot SET tenant = NULL, id = NULL, doc = '{}' WHERE space = ?",
            (kept.space,),
        )
        tx.db.execute("DELETE FROM transient WHERE tenant = ?", (kept.space,))

    def left(self, tx: SqliteTx) -> list[str]:
        return [
            space for (space,) in tx.db.execute("SELECT space FROM snapshot WHERE tenant IS NULL")
        ]

    def drop(self, tx: SqliteTx, space: str) -> None:
        # An index of values was made of it, if it was asked often enough.
        tx.db.execute("DELETE FROM value_key WHERE tenant = ?", (space,))
        # What was recorded of them is hidden, and dropped when the history next seals.
        tx.db.execute("DELETE FROM register WHERE tenant = ?", (space,))
        tx.db.execute("DELETE FROM snapshot WHERE space = ?", (space,))


def _read(row: tuple[Any, ...]) -> Snapshot:
    tenant, snapshot_id, space, expires_us, doc = row
    return Snapshot(tenant, snapshot_id, space, expires_us, orjson.loads(doc))


class SqliteSnapshotNotices:
    """Implements `broker.snapshots.telling.NoticeStore`."""

    def add(self, tx: SqliteTx, made: Snapshot, to: bytes, body: bytes) -> DueNotification:
        now_us = to_us(tx.now)
        ((seq,),) = tx.db.execute(
            "INSERT INTO snapshot_outbox (space, snapshot, tenant, created_us, receiver, body)"
            " VALUES (?, ?, ?, ?, ?, ?) RETURNING seq",
            (made.space, made.id, made.tenant, now_us, to, body),
        )
        return DueNotification(seq, made.id, body, now_us)

    def due(
        self, tx: SqliteTx, space: str, snapshot_id: str, limit: int, *, after: int = 0
    ) -> list[DueNotification]:
        rows = tx.db.execute(
            "SELECT seq, snapshot, body, created_us FROM snapshot_outbox"
            " WHERE space = ? AND snapshot = ? AND seq > ? ORDER BY seq LIMIT ?",
            (space, snapshot_id, after, limit),
        )
        return [DueNotification(*row) for row in rows]

    def waiting(self, tx: SqliteTx) -> list[tuple[str, str, int]]:
        return list(
            tx.db.execute(
                "SELECT space, snapshot, count(*) FROM snapshot_outbox"
                " GROUP BY space, snapshot ORDER BY space, snapshot"
            )
        )

    def receiver(self, tx: SqliteTx, key: Key) -> dict[str, Any] | None:
        row = tx.db.execute(
            "SELECT receiver FROM snapshot_outbox"
            " WHERE space = ? AND snapshot = ? ORDER BY seq DESC LIMIT 1",
            key,
        ).fetchone()
        return None if row is None else dict(orjson.loads(row[0]))

    def count(self, tx: SqliteTx, tenant: str) -> int:
        ((count,),) = tx.db.execute(
            "SELECT count(*) FROM snapshot_outbox WHERE tenant = ?", (tenant,)
        )
        return int(count)

    def mark(self, tx: SqliteTx, marks: Sequence[Mark]) -> None:
        tx.db.executemany(
            "DELETE FROM snapshot_outbox WHERE seq = ?", [(s,) for m in marks for s in m.seqs]
        )

    def end(self, tx: SqliteTx, before_us: int) -> list[Key]:
        rows = tx.db.execute(
            "DELETE FROM snapshot_outbox WHERE created_us < ? RETURNING space, snapshot",
            (before_us,),
        )
        return sorted({(space, snapshot_id) for space, snapshot_id in rows})
