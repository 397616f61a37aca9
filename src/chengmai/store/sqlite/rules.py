"""Rules, what is counted for them, their firings and commands in SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from chengmai.kernel.instants import to_us
from chengmai.rules.model import Command, CommandState, Firing, FiringFilter, Rule
from chengmai.store.sqlite.rows import Insert
from chengmai.store.sqlite.work import SqliteTx

_COUNT = Insert(
    "INSERT INTO rule_count (tenant, rule, version, entity, due_us, counted)",
    6,
    "ON CONFLICT (tenant, rule, version, entity) DO UPDATE"
    " SET due_us = excluded.due_us, counted = excluded.counted",
)
_SENT = (CommandState.PENDING, CommandState.SENT, CommandState.ACKNOWLEDGED)


class SqliteRules:
    """Implements `rules.ports.RuleStore`."""

    def put_rule(self, tx: SqliteTx, rule: Rule) -> None:
        doc = rule.model_dump_json(by_alias=True)
        tx.db.execute(
            "INSERT INTO rule (tenant, id, doc) VALUES (?, ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE SET doc = excluded.doc",
            (rule.tenant, rule.id, doc),
        )
        tx.db.execute(
            "INSERT INTO rule_version (tenant, id, version, doc) VALUES (?, ?, ?, ?)",
            (rule.tenant, rule.id, rule.version, doc),
        )

    def rule(self, tx: SqliteTx, tenant: str, rule_id: str) -> Rule | None:
        row = tx.db.execute(
            "SELECT doc FROM rule WHERE tenant = ? AND id = ?", (tenant, rule_id)
        ).fetchone()
        return None if row is None else Rule.model_validate_json(row[0])

    def rules(self, tx: SqliteTx, tenant: str | None = None) -> list[Rule]:
        where, given = ("", ()) if tenant is None else (" WHERE tenant = ?", (tenant,))
        rows = tx.db.execute(f"SELECT doc FROM rule{where} ORDER BY tenant, id", given)
        return [Rule.model_validate_json(doc) for (doc,) in rows]

    def versions(self, tx: SqliteTx, tenant: str, rule_id: str) -> list[Rule]:
        rows = tx.db.execute(
            "SELECT doc FROM rule_version WHERE tenant = ? AND id = ? ORDER BY version DESC",
            (tenant, rule_id),
        )
        return [Rule.model_validate_json(doc) for (doc,) in rows]

    def counted(
        self, tx: SqliteTx, tenant: str, rule_id: str, version: int, entity: str
    ) -> dict[str, Any] | None:
        key = ("rule_count", tenant, rule_id, version, entity)
        kept = tx.recall(key)
        if kept is None:
            # What waits to be written is remembered, so what is not can be read where it lies.
            row = tx.peek.execute(
                "SELECT counted FROM rule_count"
                " WHERE tenant = ? AND rule = ? AND version = ? AND entity = ?",
                (tenant, rule_id, version, entity),
            ).fetchone()
            kept = None if row is None else row[0]
        if kept is None:
            return None
        found: dict[str, Any] = orjson.loads(kept)
        return found

    def count(
        self,
        tx: SqliteTx,
        tenant: str,
        rule_id: str,
        version: int,
        entity: str,
        counted: Mapping[str, Any],
        due_us: int | None,
    ) -> None:
        doc = bytes(memoryview(orjson.dumps(counted)))
        tx.remember(("rule_count", tenant, rule_id, version, entity), doc, len(doc))
        tx.insert(_COUNT, (tenant, rule_id, version, entity, due_us, doc))

    def drop_counts(self, tx: SqliteTx, tenant: str, rule_id: str, version: int) -> None:
        tx.db.execute(
            "DELETE FROM rule_count WHERE tenant = ? AND rule = ? AND version <= ?",
            (tenant, rule_id, version),
        )

    def due_counts(self, tx: SqliteTx, now_us: int, limit: int) -> list[tuple[str, str, int, str]]:
        rows = tx.db.execute(
            "SELECT tenant, rule, version, entity FROM rule_count"
            " WHERE due_us <= ? ORDER BY due_us LIMIT ?",
            (now_us, limit),
        )
        return list(rows)

    def next_due_us(self, tx: SqliteTx) -> int | None:
        ((first,),) = tx.db.execute("SELECT min(due_us) FROM rule_count WHERE due_us IS NOT NULL")
        return None if first is None else int(first)

    def put_firing(self, tx: SqliteTx, firing: Firing) -> None:
        tx.db.execute(
            "INSERT INTO rule_firing (tenant, id, rule, entity, fired_us, active, doc)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, id) DO UPDATE"
            " SET active = excluded.active, doc = excluded.doc",
            (
                firing.tenant,
                firing.id,
                firing.rule,
                firing.entity,
                to_us(firing.fired_at),
                int(firing.is_active),
                firing.model_dump_json(),
            ),
        )

    def firing(self, tx: SqliteTx, tenant: str, firing_id: str) -> Firing | None:
        row = tx.db.execute(
            "SELECT doc FROM rule_firing WHERE tenant = ? AND id = ?", (tenant, firing_id)
        ).fetchone()
        return None if row is None else Firing.model_validate_json(row[0])

    def firings(self, tx: SqliteTx, tenant: str, which: FiringFilter) -> list[Firing]:
        where, given = ["tenant = ?"], [tenant]
        for column, wanted in (("rule", which.rule), ("entity", which.entity)):
            if wanted is not None:
                where.append(f"{column} = ?")
                given.append(wanted)
        if which.active is not None:
            where.append(f"active = {int(which.active)}")
        rows = tx.db.execute(
            f"SELECT doc FROM rule_firing WHERE {' AND '.join(where)}"
            " ORDER BY fired_us DESC, id LIMIT ? OFFSET ?",
            (*given, which.limit, which.offset),
        )
        return [Firing.model_validate_json(doc) for (doc,) in rows]

    def fired_since(self, tx: SqliteTx, tenant: str, since_us: int) -> dict[str, tuple[int, int]]:
        rows = tx.db.execute(
            "SELECT rule, sum(fired_us >= ?), sum(active) FROM rule_firing"
            " WHERE tenant = ? AND (fired_us >= ? OR active = 1) GROUP BY rule",
            (since_us, tenant, since_us),
        )
        return {rule: (int(fired), int(active)) for rule, fired, active in rows}

    def put_command(self, tx: SqliteTx, command: Command, due_us: int | None) -> None:
        watched = command.effect_entity if command.effect_q and command.state in _SENT else None
        tx.db.execute(
            "INSERT INTO device_command (tenant, id, state, made_us, due_us, watched, doc)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, id) DO UPDATE SET"
            " state = excluded.state, due_us = excluded.due_us, watched = excluded.watched,"
            " doc = excluded.doc",
            (
                command.tenant,
                command.id,
                command.state.value,
                to_us(command.made_at),
                due_us,
                watched,
                command.model_dump_json(),
            ),
        )

    def command(self, tx: SqliteTx, tenant: str, command_id: str) -> Command | None:
        found = self._commands(
            tx, "SELECT doc FROM device_command WHERE tenant = ? AND id = ?", (tenant, command_id)
        )
        return found[0] if found else None

    def commands(
        self, tx: SqliteTx, tenant: str, states: Sequence[CommandState], limit: int, offset: int = 0
    ) -> list[Command]:
        marks = ", ".join("?" * len(states))
        among = f" AND state IN ({marks})" if states else ""
        return self._commands(
            tx,
            f"SELECT doc FROM device_command WHERE tenant = ?{among}"
            " ORDER BY made_us DESC, id LIMIT ? OFFSET ?",
            (tenant, *states, limit, offset),
        )

    def due_commands(self, tx: SqliteTx, now_us: int, limit: int) -> list[Command]:
        return self._commands(
            tx,
            "SELECT doc FROM device_command WHERE due_us <= ? ORDER BY due_us LIMIT ?",
            (now_us, limit),
        )

    def watched_commands(self, tx: SqliteTx, tenant: str, entity: str) -> list[Command]:
        return self._commands(
            tx,
            "SELECT doc FROM device_command WHERE tenant = ? AND watched = ?",
            (tenant, entity),
        )

    def watched_entities(self, tx: SqliteTx) -> set[tuple[str, str]]:
        rows = tx.db.execute(
            "SELECT DISTINCT tenant, watched FROM device_command WHERE watched IS NOT NULL"
        )
        return {(tenant, entity) for tenant, entity in rows}

    @staticmethod
    def _commands(tx: SqliteTx, sql: str, given: tuple[Any, ...]) -> list[Command]:
        return [Command.model_validate_json(doc) for (doc,) in tx.db.execute(sql, given)]
