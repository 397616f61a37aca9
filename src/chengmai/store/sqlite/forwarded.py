"""Forwarded subscriptions in SQLite."""

from __future__ import annotations

from dataclasses import asdict

import orjson

from chengmai.broker.distribution.placed import Placed
from chengmai.store.sqlite.work import SqliteTx


class SqliteForwarded:
    """Implements `broker.distribution.placed.PlacedStore`."""

    def all(self, tx: SqliteTx) -> list[Placed]:
        rows = tx.db.execute("SELECT doc FROM forwarded_subscription ORDER BY tenant, id")
        return [Placed(**orjson.loads(doc)) for (doc,) in rows]

    def put(self, tx: SqliteTx, one: Placed) -> None:
        tx.db.execute(
            "INSERT INTO forwarded_subscription (tenant, id, doc) VALUES (?, ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE SET doc = excluded.doc",
            (one.tenant, one.id, orjson.dumps(asdict(one))),
        )

    def remove(self, tx: SqliteTx, one: Placed) -> None:
        tx.db.execute(
            "DELETE FROM forwarded_subscription WHERE tenant = ? AND id = ?", (one.tenant, one.id)
        )
