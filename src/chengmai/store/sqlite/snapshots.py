"""Snapshots in SQLite."""

from __future__ import annotations

from typing import Any

import orjson

from chengmai.broker.snapshots.model import Snapshot
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

    def leave(self, tx: SqliteTx, kept: Snapshot) -> None:
        tx.db.execute(
            "UPDATE snapshot SET tenant = NULL, id = NULL, doc = '{}' WHERE space = ?",
            (kept.space,),
        )

    def left(self, tx: SqliteTx) -> list[str]:
        return [
            space for (space,) in tx.db.execute("SELECT space FROM snapshot WHERE tenant IS NULL")
        ]

    def drop(self, tx: SqliteTx, space: str) -> None:
        # An index of values was made of it, if it was asked often enough.
        tx.db.execute("DELETE FROM value_key WHERE tenant = ?", (space,))
        # What was recorded of them is hidden, and dropped when the history next seals.
        tx.db.execute("DELETE FROM series WHERE tenant = ?", (space,))
        tx.db.execute("DELETE FROM snapshot WHERE space = ?", (space,))


def _read(row: tuple[Any, ...]) -> Snapshot:
    tenant, snapshot_id, space, expires_us, doc = row
    return Snapshot(tenant, snapshot_id, space, expires_us, orjson.loads(doc))
