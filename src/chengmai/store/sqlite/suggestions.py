"""Suggestions of pools in SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from chengmai.kernel.instants import to_us
from chengmai.pools.model import State, Suggestion
from chengmai.store.sqlite.work import SqliteTx


class SqliteSuggestions:
    """Implements `pools.ports.Suggestions`."""

    def get(self, tx: SqliteTx, tenant: str, suggestion_id: str) -> Suggestion | None:
        row = tx.db.execute(
            "SELECT doc FROM suggestion WHERE tenant = ? AND id = ?", (tenant, suggestion_id)
        ).fetchone()
        return None if row is None else Suggestion.model_validate_json(row[0])

    def put(self, tx: SqliteTx, suggestion: Suggestion) -> None:
        tx.db.execute(
            "INSERT INTO suggestion (tenant, id, pack, pool, state, made_us, doc)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE SET state = excluded.state, doc = excluded.doc",
            (
                suggestion.tenant,
                suggestion.id,
                suggestion.pack,
                suggestion.pool,
                suggestion.state.value,
                to_us(suggestion.made_at),
                suggestion.model_dump_json(),
            ),
        )

    def of_pool(
        self,
        tx: SqliteTx,
        tenant: str,
        pack: str,
        pool: str,
        *,
        states: Sequence[State] | None = None,
        limit: int = 50,
    ) -> list[Suggestion]:
        chosen = list(State) if states is None else list(states)
        marks = ", ".join("?" * len(chosen))
        rows = tx.db.execute(
            "SELECT doc FROM suggestion WHERE tenant = ? AND pack = ? AND pool = ?"
            f" AND state IN ({marks}) ORDER BY made_us DESC, id DESC LIMIT ?",
            (tenant, pack, pool, *(state.value for state in chosen), limit),
        ).fetchall()
        return [Suggestion.model_validate_json(row[0]) for row in rows]
