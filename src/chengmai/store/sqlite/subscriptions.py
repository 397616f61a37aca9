"""Subscriptions and the outbox in SQLite."""

from __future__ import annotations

from typing import Any

import orjson

from chengmai.broker.ports import DueNotification
from chengmai.kernel.instants import to_us
from chengmai.store.sqlite.rows import Insert
from chengmai.store.sqlite.work import SqliteTx

_ADD_DUE = Insert("INSERT INTO outbox (tenant, subscription, entity, created_us, body)", 5)


class SqliteSubscriptions:
    """Implements `broker.ports.SubscriptionStore`."""

    def all(self, tx: SqliteTx) -> list[tuple[str, dict[str, Any]]]:
        rows = tx.db.execute("SELECT tenant, doc FROM subscription ORDER BY tenant, id")
        return [(tenant, orjson.loads(doc)) for tenant, doc in rows]

    def get(self, tx: SqliteTx, tenant: str, subscription_id: str) -> dict[str, Any] | None:
        row = tx.db.execute(
            "SELECT doc FROM subscription WHERE tenant = ? AND id = ?", (tenant, subscription_id)
        ).fetchone()
        if row is None:
            return None
        document: dict[str, Any] = orjson.loads(row[0])
        return document

    def put(self, tx: SqliteTx, tenant: str, document: dict[str, Any]) -> None:
        tx.db.execute(
            "INSERT INTO subscription (tenant, id, doc) VALUES (?, ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE SET doc = excluded.doc",
            (tenant, document["id"], orjson.dumps(document)),
        )

    def remove(self, tx: SqliteTx, tenant: str, subscription_id: str) -> bool:
        key = (tenant, subscription_id)
        found = tx.db.execute(
            "DELETE FROM subscription WHERE tenant = ? AND id = ? RETURNING id", key
        ).fetchone()
        tx.db.execute("DELETE FROM outbox WHERE tenant = ? AND subscription = ?", key)
        return found is not None

    def due(
        self, tx: SqliteTx, tenant: str, subscription_id: str, limit: int
    ) -> list[DueNotification]:
        rows = tx.db.execute(
            "SELECT seq, entity, body, created_us FROM outbox"
            " WHERE tenant = ? AND subscription = ? ORDER BY seq LIMIT ?",
            (tenant, subscription_id, limit),
        )
        return [DueNotification(*row) for row in rows]

    def add_due(
        self, tx: SqliteTx, tenant: str, subscription_id: str, entity_id: str, body: bytes
    ) -> None:
        tx.insert(_ADD_DUE, (tenant, subscription_id, entity_id, to_us(tx.now), body))

    def sent(self, tx: SqliteTx, tenant: str, subscription_id: str, upto: int) -> None:
        tx.db.execute(
            "DELETE FROM outbox WHERE tenant = ? AND subscription = ? AND seq <= ?",
            (tenant, subscription_id, upto),
        )

    def waiting(self, tx: SqliteTx) -> list[tuple[str, str, int]]:
        return list(
            tx.db.execute(
                "SELECT tenant, subscription, count(*) FROM outbox"
                " GROUP BY tenant, subscription ORDER BY tenant, subscription"
            )
        )
