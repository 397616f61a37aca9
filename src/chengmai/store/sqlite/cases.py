"""Cases and their log in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from chengmai.cases.model import LIVE, Case, CaseLoad, LogLine, State, Step
from chengmai.kernel.instants import from_us, to_us
from chengmai.store.sqlite.work import SqliteTx

_DAY_US = 86_400_000_000
_LINE = (
    "SELECT case_id, n, at_us, by_id, by_name, by_role, step, from_state, to_state, note, facts, idem_key"
    " FROM case_log"
)


class SqliteCaseStore:
    """Implements `cases.ports.CaseStore`."""

    def next_number(self, tx: SqliteTx, tenant: str, day: str) -> int:
        row = tx.db.execute(
            "INSERT INTO case_number (tenant, day, last) VALUES (?, ?, 1)"
            " ON CONFLICT (tenant, day) DO UPDATE SET last = case_number.last + 1 RETURNING last",
            (tenant, day),
        ).fetchall()[0]
        return int(row[0])

    def put(self, tx: SqliteTx, case: Case) -> None:
        tx.db.execute(
            "INSERT INTO city_case (tenant, case_id, state, unit, vital, due_us, since_us, doc)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (tenant, case_id) DO UPDATE SET state = excluded.state, unit = excluded.unit,"
            " vital = excluded.vital, due_us = excluded.due_us, since_us = excluded.since_us,"
            " doc = excluded.doc",
            (
                case.tenant,
                case.id,
                case.state.value,
                case.unit,
                case.cause,
                to_us(case.due_at) if case.due_at else None,
                to_us(case.stage_since),
                case.model_dump_json(),
            ),
        )

    def get(self, tx: SqliteTx, tenant: str, case_id: str) -> Case | None:
        found = self._cases(
            tx, "SELECT doc FROM city_case WHERE tenant = ? AND case_id = ?", (tenant, case_id)
        )
        return found[0] if found else None

    def live_of_vital(self, tx: SqliteTx, tenant: str, vital: str) -> Case | None:
        found = self._cases(
            tx,
            f"SELECT doc FROM city_case WHERE tenant = ? AND vital = ? AND state IN ({_marks(LIVE)})"
            " ORDER BY case_id DESC LIMIT 1",
            (tenant, vital, *LIVE),
        )
        return found[0] if found else None

    def live_of_sensor(self, tx: SqliteTx, tenant: str, vital: str) -> Case | None:
        found = self._cases(
            tx,
            f"SELECT doc FROM city_case WHERE tenant = ? AND state IN ({_marks(LIVE)})"
            " AND json_extract(doc, '$.sensor') = ? ORDER BY since_us DESC LIMIT 1",
            (tenant, *LIVE, vital),
        )
        return found[0] if found else None

    def of_vital(self, tx: SqliteTx, tenant: str, vital: str, limit: int) -> list[Case]:
        return self._cases(
            tx,
            "SELECT doc FROM city_case WHERE tenant = ? AND vital = ?"
            " ORDER BY since_us DESC, case_id DESC LIMIT ?",
            (tenant, vital, limit),
        )

    def queue(
        self,
        tx: SqliteTx,
        tenant: str,
        states: Sequence[State],
        unit: str | None,
        *,
        limit: int,
        offset: int,
    ) -> list[Case]:
        of_unit, units = ("", ()) if unit is None else (" AND unit = ?", (unit,))
        return self._cases(
            tx,
            f"SELECT doc FROM city_case WHERE tenant = ? AND state IN ({_marks(states)}){of_unit}"
            " ORDER BY due_us IS NULL, due_us, since_us DESC, case_id LIMIT ? OFFSET ?",
            (tenant, *states, *units, limit, offset),
        )

    def count(self, tx: SqliteTx, tenant: str, unit: str | None = None) -> dict[State, int]:
        of_unit, units = ("", ()) if unit is None else (" AND unit = ?", (unit,))
        rows = tx.db.execute(
            f"SELECT state, count(*) FROM city_case WHERE tenant = ?{of_unit} GROUP BY state",
            (tenant, *units),
        )
        return {State(state): int(number) for state, number in rows}

    def load(self, tx: SqliteTx, tenant: str, now: datetime, since: datetime) -> CaseLoad:
        unhandled = [state for state in LIVE if state is not State.HANDLED]
        live, overdue = tx.db.execute(
            f"SELECT count(*), coalesce(sum(state IN ({_marks(unhandled)}) AND due_us < ?), 0)"
            f" FROM city_case WHERE tenant = ? AND state IN ({_marks(LIVE)})",
            (*unhandled, to_us(now), tenant, *LIVE),
        ).fetchall()[0]
        steps = (
            "SELECT count(*), coalesce(sum(json_extract(facts, '$.late') IS 0), 0) FROM case_log"
        )
        done = [
            tx.db.execute(
                f"{steps} WHERE tenant = ? AND step = ? AND at_us >= ?",
                (tenant, step.value, to_us(since)),
            ).fetchall()[0]
            for step in (Step.OPEN, Step.HANDLE)
        ]
        ((first,),) = tx.db.execute(
            "SELECT min(at_us) FROM case_log WHERE tenant = ? AND step = ?",
            (tenant, Step.OPEN.value),
        )
        begun = max(to_us(since), first if first is not None else to_us(now))
        days = max(1.0, (to_us(now) - begun) / _DAY_US)
        return CaseLoad(
            int(live), int(overdue), int(done[0][0]), int(done[1][0]), int(done[1][1]), days
        )

    def append(self, tx: SqliteTx, line: LogLine) -> None:
        tx.db.execute(
            "INSERT INTO case_log (tenant, case_id, n, at_us, by_id, by_name, by_role, step, from_state,"
            " to_state, note, facts, idem_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                line.tenant,
                line.case_id,
                line.n,
                to_us(line.at),
                line.by_id,
                line.by_name,
                line.by_role,
                line.step.value,
                line.from_state.value if line.from_state else None,
                line.to_state.value,
                line.note,
                orjson.dumps(line.facts).decode(),
                line.key,
            ),
        )

    def log(self, tx: SqliteTx, tenant: str, case_id: str) -> list[LogLine]:
        rows = tx.db.execute(
            f"{_LINE} WHERE tenant = ? AND case_id = ? ORDER BY n", (tenant, case_id)
        )
        return [_line(tenant, row) for row in rows]

    def line_by_key(self, tx: SqliteTx, tenant: str, by_id: str, key: str) -> LogLine | None:
        row = tx.db.execute(
            f"{_LINE} WHERE tenant = ? AND by_id = ? AND idem_key = ? ORDER BY at_us LIMIT 1",
            (tenant, by_id, key),
        ).fetchone()
        return None if row is None else _line(tenant, row)

    @staticmethod
    def _cases(tx: SqliteTx, sql: str, bound: tuple[Any, ...]) -> list[Case]:
        return [Case.model_validate_json(doc) for (doc,) in tx.db.execute(sql, bound)]


def _marks(values: Sequence[State]) -> str:
    return ", ".join("?" * len(values))


def _line(tenant: str, row: tuple[Any, ...]) -> LogLine:
    case_id, n, at_us, by_id, by_name, by_role, step, from_state, to_state, note, facts, key = row
    return LogLine(
        tenant=tenant,
        case_id=case_id,
        n=n,
        at=from_us(at_us),
        by_id=by_id,
        by_name=by_name,
        by_role=by_role,
        step=step,
        from_state=from_state,
        to_state=to_state,
        note=note,
        facts=orjson.loads(facts),
        key=key,
    )
