"""Changes of thresholds in SQLite."""

from __future__ import annotations

from chengmai.store.sqlite.work import SqliteTx
from chengmai.vitals.thresholds.model import Change, ChangeState


class SqliteChanges:
    """Implements `vitals.thresholds.ports.ChangeStore`."""

    def put(self, tx: SqliteTx, tenant: str, change: Change) -> None:
        tx.db.execute(
            "INSERT INTO threshold_change (tenant, change_id, sign, state, doc) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (tenant, change_id) DO UPDATE SET state = excluded.state, doc = excluded.doc",
            (tenant, change.id, change.sign, change.state.value, change.model_dump_json()),
        )

    def get(self, tx: SqliteTx, tenant: str, change_id: str) -> Change | None:
        row = tx.db.execute(
            "SELECT doc FROM threshold_change WHERE tenant = ? AND change_id = ?",
            (tenant, change_id),
        ).fetchone()
        return None if row is None else Change.model_validate_json(row[0])

    def find(
        self, tx: SqliteTx, tenant: str, state: ChangeState | None = None, *, limit: int = 1000
    ) -> list[Change]:
        of_state, states = ("", ()) if state is None else (" AND state = ?", (state.value,))
        rows = tx.db.execute(
            f"SELECT doc FROM threshold_change WHERE tenant = ?{of_state}"
            " ORDER BY change_id DESC LIMIT ?",
            (tenant, *states, limit),
        )
        return [Change.model_validate_json(doc) for (doc,) in rows][::-1]
