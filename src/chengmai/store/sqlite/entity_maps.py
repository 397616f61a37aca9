"""Entity maps in SQLite."""

from __future__ import annotations

import orjson

from chengmai.broker.entity_maps import EntityMap
from chengmai.store.sqlite.work import SqliteTx


class SqliteEntityMaps:
    """Implements `broker.entity_maps.EntityMapStore`."""

    def get(self, tx: SqliteTx, tenant: str, map_id: str) -> EntityMap | None:
        row = tx.db.execute(
            "SELECT expires_us, doc FROM entity_map WHERE tenant = ? AND id = ?", (tenant, map_id)
        ).fetchone()
        return None if row is None else EntityMap(tenant, map_id, row[0], orjson.loads(row[1]))

    def put(self, tx: SqliteTx, kept: EntityMap) -> None:
        tx.db.execute(
            "INSERT INTO entity_map (tenant, id, expires_us, doc) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE"
            " SET expires_us = excluded.expires_us, doc = excluded.doc",
            (kept.tenant, kept.id, kept.expires_us, orjson.dumps(kept.holders)),
        )

    def remove(self, tx: SqliteTx, tenant: str, map_id: str) -> None:
        tx.db.execute("DELETE FROM entity_map WHERE tenant = ? AND id = ?", (tenant, map_id))

    def sweep(self, tx: SqliteTx, now_us: int) -> None:
        tx.db.execute("DELETE FROM entity_map WHERE expires_us <= ?", (now_us,))

    def count(self, tx: SqliteTx, tenant: str) -> int:
        ((found,),) = tx.db.execute("SELECT count(*) FROM entity_map WHERE tenant = ?", (tenant,))
        return int(found)
