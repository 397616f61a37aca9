"""Fitted models of forecasts in SQLite."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from chengmai.store.sqlite.work import SqliteTx

_LEVEL = 1


class SqliteModels:
    """Implements `vitals.ports.Models`; the JSON is kept compressed."""

    def load(self, tx: SqliteTx, tenant: str, key: str) -> dict[str, Any] | None:
        row = tx.db.execute(
            "SELECT state FROM forecast_model WHERE tenant = ? AND key = ?", (tenant, key)
        ).fetchone()
        if row is None:
            return None
        state: dict[str, Any] = orjson.loads(zlib.decompress(row[0]))
        return state

    def save(
        self, tx: SqliteTx, tenant: str, key: str, state: Mapping[str, Any], *, trained_us: int
    ) -> None:
        packed = zlib.compress(orjson.dumps(dict(state)), _LEVEL)
        tx.db.execute(
            "INSERT INTO forecast_model (tenant, key, trained_us, state) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (tenant, key) DO UPDATE SET trained_us = excluded.trained_us, state = excluded.state",
            (tenant, key, trained_us, packed),
        )
