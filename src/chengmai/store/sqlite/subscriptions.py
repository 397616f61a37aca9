"""Subscriptions and the outbox in SQLite."""

from __future__ import annotations

from typing import Any

import orjson

from chengmai.broker.ports import DueNotification
from chengmai.kernel.instants import to_us
from chengmai.store.sqlite.rows import Insert
from chengmai.store.sqlite.work import SqliteTx

_ALL = "SELECT tenant, doc FROM subscription ORDER BY tenant, id"
_GET = "SELECT doc FROM subscription WHERE tenant = ? AND id = ?"
_PUT = (
    "INSERT INTO subscription (tenant, id, doc) VALUES (?, ?, ?)"
    " ON CONFLICT (tenant, id) DO UPDATE SET doc = excluded.doc"
)
_REMOVE = "DELETE FROM subscription WHERE tenant = ? AND id = ? RETURNING id"
_FORGET = "DELETE FROM outbox WHERE tenant = ? AND subscription = ?"
_DUE = (
    "SELECT seq, entity, body, created_us FROM outbox"
    " WHERE tenant = ? AND subscription = ? ORDER BY seq LIMIT ?"
)
_ADD_DUE = "INSERT INTO outbox (tenant, subscription, entity, created_us, body)"
_SENT = "DELETE FROM outbox WHERE tenant = ? AND subscription = ? AND seq <= ?"
_WAITING = (
    "SELECT tenant, subscription, count(*) FROM outbox"
    " GROUP BY tenant, subscription ORDER BY tenant, subscription"
)


class SqliteSubscriptions:
    """Implements `broker.ports.SubscriptionStore`; those to registrations have tables of their own."""

    def __init__(self, *, of_registrations: bool = False) -> None:
        def sql(text: str) -> str:
            if not of_registrations:
                return text
            return (
                text.replace("FROM subscription", "FROM csource_subscription")
                .replace("INTO subscription", "INTO csource_subscription")
                .replace("outbox", "csource_outbox")
            )

        self._all, self._get, self._put = sql(_ALL), sql(_GET), sql(_PUT)
        self._remove, self._forget = sql(_REMOVE), sql(_FORGET)
        self._due, self._sent = sql(_DUE), sql(_SENT)
        self._add_due = Insert(sql(_ADD_DUE), 5)
        self._waiting = sql(_WAITING)

    def all(self, tx: SqliteTx) -> list[tuple[str, dict[str, Any]]]:
        return [(tenant, orjson.loads(doc)) for tenant, doc in tx.db.execute(self._all)]

    def get(self, tx: SqliteTx, tenant: str, subscription_id: str) -> dict[str, Any] | None:
        row = tx.db.execute(self._get, (tenant, subscription_id)).fetchone()
        if row is None:
            return None
        document: dict[str, Any] = orjson.loads(row[0])
        return document

    def put(self, tx: SqliteTx, tenant: str, document: dict[str, Any]) -> None:
        tx.db.execute(self._put, (tenant, document["id"], orjson.dumps(document)))

    def remove(self, tx: SqliteTx, tenant: str, subscription_id: str) -> bool:
        key = (tenant, subscription_id)
        found = tx.db.execute(self._remove, key).fetchone()
        tx.db.execute(self._forget, key)
        return found is not None

    def due(
        self, tx: SqliteTx, tenant: str, subscription_id: str, limit: int
    ) -> list[DueNotification]:
        rows = tx.db.execute(self._due, (tenant, subscription_id, limit))
        return [DueNotification(*row) for row in rows]

    def add_due(
        self, tx: SqliteTx, tenant: str, subscription_id: str, entity_id: str, body: bytes
    ) -> None:
        tx.insert(self._add_due, (tenant, subscription_id, entity_id, to_us(tx.now), body))

    def sent(self, tx: SqliteTx, tenant: str, subscription_id: str, upto: int) -> None:
        tx.db.execute(self._sent, (tenant, subscription_id, upto))

    def waiting(self, tx: SqliteTx) -> list[tuple[str, str, int]]:
        return list(tx.db.execute(self._waiting))
