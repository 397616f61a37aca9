"""Subscriptions and the outbox in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw
import orjson

from chengmai.broker.ports import DueNotification, Mark, Tally
from chengmai.kernel.instants import to_us
from chengmai.store.sqlite.rows import Insert, Row
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
    " WHERE tenant = ? AND subscription = ? AND seq > ? ORDER BY seq LIMIT ?"
)
_ADD_DUE = "INSERT INTO outbox (seq, tenant, subscription, entity, created_us, body)"
# A number is never given out twice, whatever has left the outbox since.
_LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'"
_SENT = "DELETE FROM outbox WHERE seq IN (SELECT value ->> 0 FROM json_each(?))"
_COUNT = (
    "INSERT INTO subscription_tally (tenant, id, sent, failed, last_us, success_us, failure_us, ok)"
    " SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,"
    " value ->> 7 FROM json_each(?)"
    " WHERE EXISTS (SELECT 1 FROM subscription s WHERE s.tenant = value ->> 0 AND s.id = value ->> 1)"
    " ON CONFLICT (tenant, id) DO UPDATE SET sent = sent + excluded.sent,"
    " failed = failed + excluded.failed, last_us = excluded.last_us, ok = excluded.ok,"
    " success_us = coalesce(excluded.success_us, success_us),"
    " failure_us = coalesce(excluded.failure_us, failure_us)"
)
_TALLY = (
    "SELECT sent, failed, last_us, success_us, failure_us, ok FROM subscription_tally"
    " WHERE tenant = ? AND id = ?"
)
_UNCOUNT = "DELETE FROM subscription_tally WHERE tenant = ? AND id = ?"
_WAITING = (
    "SELECT tenant, subscription, count(*) FROM outbox"
    " GROUP BY tenant, subscription ORDER BY tenant, subscription"
)


class _Whole(Insert):
    """A statement that takes all its rows at once, as JSON: the interpreter is let go of and got back once."""

    __slots__ = ("_whole",)

    def __init__(self, sql: str) -> None:
        self._whole = sql

    def write(self, db: apsw.Connection, rows: list[Row]) -> None:
        """Write rows in order."""
        db.execute(self._whole, (orjson.dumps(rows).decode(),))


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
        self._due, self._sent = sql(_DUE), _Whole(sql(_SENT))
        self._count, self._tally, self._uncount = _Whole(sql(_COUNT)), sql(_TALLY), sql(_UNCOUNT)
        self._add_due, self._last = Insert(sql(_ADD_DUE), 6), sql(_LAST)
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
        tx.db.execute(self._uncount, key)
        return found is not None

    def due(
        self, tx: SqliteTx, tenant: str, subscription_id: str, limit: int, *, after: int = 0
    ) -> list[DueNotification]:
        rows = tx.db.execute(self._due, (tenant, subscription_id, after, limit))
        return [DueNotification(*row) for row in rows]

    def add_due(
        self, tx: SqliteTx, tenant: str, subscription_id: str, entity_id: str, body: bytes
    ) -> DueNotification:
        one = DueNotification(self._next(tx), entity_id, body, to_us(tx.now))
        tx.insert(
            self._add_due, (one.seq, tenant, subscription_id, entity_id, one.created_us, body)
        )
        return one

    def _next(self, tx: SqliteTx) -> int:
        last: int | None = tx.recall(self._last)
        if last is None:
            row = tx.peek.execute(self._last).fetchone()
            last = 0 if row is None else row[0]
        tx.remember(self._last, last + 1)
        return last + 1

    def mark(self, tx: SqliteTx, marks: Sequence[Mark]) -> None:
        tx.insert_all(self._sent, [(seq,) for mark in marks for seq in mark.seqs])
        tx.insert_all(
            self._count,
            [
                (*m.key, m.sent, m.failed, m.last_us, m.success_us, m.failure_us, m.is_ok)
                for m in marks
            ],
        )

    def tally(self, tx: SqliteTx, tenant: str, subscription_id: str) -> Tally | None:
        row = tx.db.execute(self._tally, (tenant, subscription_id)).fetchone()
        if row is None:
            return None
        sent, failed, last_us, success_us, failure_us, ok = row
        return Tally(sent, failed, last_us, success_us, failure_us, bool(ok))

    def waiting(self, tx: SqliteTx) -> list[tuple[str, str, int]]:
        return list(tx.db.execute(self._waiting))
