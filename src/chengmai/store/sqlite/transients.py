"""What expires when, and what is left of what expired, in SQLite."""

from __future__ import annotations

import orjson

from chengmai.ngsild.entity import Entity
from chengmai.store.sqlite.work import SqliteTx


class SqliteTransients:
    """Implements `broker.ports.TransientStore`."""

    def put(self, tx: SqliteTx, tenant: str, entity_id: str, due_us: int | None) -> None:
        if due_us is None:
            tx.db.execute("DELETE FROM transient WHERE tenant = ? AND id = ?", (tenant, entity_id))
            return
        tx.db.execute(
            "INSERT INTO transient (tenant, id, due_us) VALUES (?, ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE SET due_us = excluded.due_us",
            (tenant, entity_id, due_us),
        )

    def due(self, tx: SqliteTx, now_us: int, limit: int) -> list[tuple[str, str]]:
        rows = tx.db.execute(
            "SELECT tenant, id FROM transient WHERE due_us <= ? ORDER BY due_us LIMIT ?",
            (now_us, limit),
        )
        return list(rows)

    def next_us(self, tx: SqliteTx) -> int | None:
        ((first,),) = tx.db.execute("SELECT min(due_us) FROM transient")
        return None if first is None else int(first)

    def leave(self, tx: SqliteTx, tenant: str, head: Entity) -> None:
        tx.db.execute(
            "INSERT INTO remnant (tenant, id, doc) VALUES (?, ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE SET doc = excluded.doc",
            (tenant, head["id"], orjson.dumps(head)),
        )

    def remnant(self, tx: SqliteTx, tenant: str, entity_id: str) -> Entity | None:
        row = tx.db.execute(
            "SELECT doc FROM remnant WHERE tenant = ? AND id = ?", (tenant, entity_id)
        ).fetchone()
        if row is None:
            return None
        head: Entity = orjson.loads(row[0])
        return head

    def remnants(self, tx: SqliteTx, tenant: str) -> list[Entity]:
        rows = tx.db.execute("SELECT doc FROM remnant WHERE tenant = ? ORDER BY id", (tenant,))
        return [orjson.loads(doc) for (doc,) in rows]

    def drop_remnant(self, tx: SqliteTx, tenant: str, entity_id: str) -> None:
        tx.db.execute("DELETE FROM remnant WHERE tenant = ? AND id = ?", (tenant, entity_id))
