"""JSON-LD contexts in SQLite."""

from __future__ import annotations

import orjson

from chengmai.broker.contexts import KeptContext, Kind
from chengmai.kernel.instants import format_us, parse_us
from chengmai.store.sqlite.work import SqliteTx


class SqliteContexts:
    """Implements `broker.contexts.ContextStore`."""

    def all(self, tx: SqliteTx) -> list[KeptContext]:
        rows = tx.db.execute(
            "SELECT tenant, id, url, kind, body, created_us FROM jsonld_context ORDER BY tenant, id"
        )
        return [
            KeptContext(tenant, local_id, url, Kind(kind), orjson.loads(body), format_us(created))
            for tenant, local_id, url, kind, body, created in rows
        ]

    def put(self, tx: SqliteTx, kept: KeptContext) -> None:
        tx.db.execute(
            "INSERT INTO jsonld_context (tenant, id, url, kind, body, created_us)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, id) DO UPDATE"
            " SET body = excluded.body, created_us = excluded.created_us",
            (
                kept.tenant,
                kept.local_id,
                kept.url,
                kept.kind.value,
                orjson.dumps(kept.body),
                parse_us(kept.created_at, "createdAt"),
            ),
        )

    def remove(self, tx: SqliteTx, tenant: str, local_id: str) -> None:
        tx.db.execute("DELETE FROM jsonld_context WHERE tenant = ? AND id = ?", (tenant, local_id))
