"""Context source registrations in SQLite."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import orjson

from chengmai.broker.registry.ports import Tally
from chengmai.store.sqlite.work import SqliteTx


class SqliteRegistrations:
    """Implements `broker.registry.ports.RegistrationStore`."""

    def all(self, tx: SqliteTx) -> list[tuple[str, dict[str, Any]]]:
        rows = tx.db.execute("SELECT tenant, doc FROM csource_registration ORDER BY tenant, id")
        return [(tenant, orjson.loads(doc)) for tenant, doc in rows]

    def get(self, tx: SqliteTx, tenant: str, registration_id: str) -> dict[str, Any] | None:
        row = tx.db.execute(
            "SELECT doc FROM csource_registration WHERE tenant = ? AND id = ?",
            (tenant, registration_id),
        ).fetchone()
        if row is None:
            return None
        document: dict[str, Any] = orjson.loads(row[0])
        return document

    def put(self, tx: SqliteTx, tenant: str, document: dict[str, Any]) -> None:
        tx.db.execute(
            "INSERT INTO csource_registration (tenant, id, doc) VALUES (?, ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE SET doc = excluded.doc",
            (tenant, document["id"], orjson.dumps(document)),
        )

    def remove(self, tx: SqliteTx, tenant: str, registration_id: str) -> bool:
        key = (tenant, registration_id)
        found = tx.db.execute(
            "DELETE FROM csource_registration WHERE tenant = ? AND id = ? RETURNING id", key
        ).fetchone()
        tx.db.execute("DELETE FROM csource_tally WHERE tenant = ? AND id = ?", key)
        return found is not None

    def tallies(self, tx: SqliteTx) -> list[Tally]:
        rows = tx.db.execute(
            "SELECT tenant, id, times_sent, times_failed, last_success_us, last_failure_us"
            " FROM csource_tally ORDER BY tenant, id"
        )
        return [Tally(*row) for row in rows]

    def put_tally(self, tx: SqliteTx, tally: Tally) -> None:
        tx.db.execute(
            "INSERT OR REPLACE INTO csource_tally"
            " (tenant, id, times_sent, times_failed, last_success_us, last_failure_us)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            astuple(tally),
        )
