"""Cursors and counters of feeds in SQLite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from chengmai.store.sqlite.work import SqliteTx


class SqliteFeedStore:
    """Implements `connect.ports.FeedStore`."""

    def load(self, tx: SqliteTx, tenant: str, feed_id: str) -> dict[str, Any] | None:
        row = tx.db.execute(
            "SELECT state FROM feed_state WHERE tenant = ? AND feed = ?", (tenant, feed_id)
        ).fetchone()
        if row is None:
            return None
        state: dict[str, Any] = orjson.loads(row[0])
        return state

    def save(self, tx: SqliteTx, tenant: str, feed_id: str, state: Mapping[str, Any]) -> None:
        tx.db.execute(
            "INSERT INTO feed_state (tenant, feed, state) VALUES (?, ?, ?)"
            " ON CONFLICT (tenant, feed) DO UPDATE SET state = excluded.state",
            (tenant, feed_id, orjson.dumps(dict(state))),
        )
