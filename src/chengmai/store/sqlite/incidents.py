"""Incidents, their log, and what was shown to whom, in SQLite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from chengmai.incidents.budget import Shown
from chengmai.incidents.model import Incident, LogLine, Nature, State, Step
from chengmai.kernel.instants import from_us, to_us
from chengmai.store.sqlite.work import SqliteTx

_LINE = "SELECT incident_id, n, at_us, by_id, by_name, step, reason, note, facts, idem_key FROM incident_log"
_SHOWN = "SELECT person, alarm, level, at_us, held_us FROM alarm_shown"
_MOST_KEPT = 1000
"""Incidents that are kept as they were read, by their text."""


class SqliteIncidentStore:
    """Implements `incidents.ports.IncidentStore`."""

    def __init__(self) -> None:
        # Every alarm asks for all open incidents, of which it changes one.
        self._read: Callable[[str], Incident] = lru_cache(_MOST_KEPT)(Incident.model_validate_json)

    def next_number(self, tx: SqliteTx, tenant: str, day: str) -> int:
        row = tx.db.execute(
            "INSERT INTO incident_number (tenant, day, last) VALUES (?, ?, 1)"
            " ON CONFLICT (tenant, day) DO UPDATE SET last = incident_number.last + 1 RETURNING last",
            (tenant, day),
        ).fetchall()[0]
        return int(row[0])

    def put(self, tx: SqliteTx, incident: Incident) -> None:
        tx.db.execute(
            "INSERT INTO incident (tenant, incident_id, nature, state, since_us, ended_us, doc)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (tenant, incident_id) DO UPDATE SET state = excluded.state,"
            " since_us = excluded.since_us, ended_us = excluded.ended_us, doc = excluded.doc",
            (
                incident.tenant,
                incident.id,
                incident.nature,
                incident.state.value,
                to_us(incident.since),
                to_us(incident.ended_at) if incident.ended_at else None,
                incident.model_dump_json(),
            ),
        )
        tx.db.execute(
            "DELETE FROM incident_member WHERE tenant = ? AND nature = ? AND incident_id = ?",
            (incident.tenant, incident.nature, incident.id),
        )
        if incident.state is State.OPEN:
            tx.db.executemany(
                "INSERT INTO incident_member (tenant, nature, vital, incident_id) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (tenant, nature, vital) DO UPDATE SET incident_id = excluded.incident_id",
                [
                    (incident.tenant, incident.nature, one.vital, incident.id)
                    for one in incident.members
                ],
            )

    def get(self, tx: SqliteTx, tenant: str, incident_id: str) -> Incident | None:
        found = self._incidents(
            tx,
            "SELECT doc FROM incident WHERE tenant = ? AND incident_id = ?",
            (tenant, incident_id),
        )
        return found[0] if found else None

    def open_of_vital(
        self, tx: SqliteTx, tenant: str, vital: str, nature: Nature
    ) -> Incident | None:
        found = self._incidents(
            tx,
            "SELECT doc FROM incident_member JOIN incident USING (tenant, incident_id)"
            " WHERE tenant = ? AND incident_member.nature = ? AND vital = ?",
            (tenant, nature, vital),
        )
        return found[0] if found else None

    def recent(self, tx: SqliteTx, tenant: str, nature: Nature, since: datetime) -> list[Incident]:
        return self._incidents(
            tx,
            "SELECT doc FROM incident WHERE tenant = ? AND nature = ?"
            " AND (state = ? OR (state = ? AND ended_us >= ?)) ORDER BY since_us, incident_id",
            (tenant, nature, State.OPEN.value, State.ENDED.value, to_us(since)),
        )

    def page(
        self, tx: SqliteTx, tenant: str, states: Sequence[State], *, limit: int, offset: int
    ) -> tuple[list[Incident], int]:
        where = f"tenant = ? AND state IN ({', '.join('?' * len(states))})"
        bound = (tenant, *(state.value for state in states))
        ((total,),) = tx.db.execute(f"SELECT count(*) FROM incident WHERE {where}", bound)
        found = self._incidents(
            tx,
            f"SELECT doc FROM incident WHERE {where}"
            " ORDER BY since_us DESC, incident_id DESC LIMIT ? OFFSET ?",
            (*bound, limit, offset),
        )
        return found, int(total)

    def append(self, tx: SqliteTx, line: LogLine) -> None:
        tx.db.execute(
            "INSERT INTO incident_log (tenant, incident_id, n, at_us, by_id, by_name, step, reason, note,"
            " facts, idem_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                line.tenant,
                line.incident_id,
                line.n,
                to_us(line.at),
                line.by_id,
                line.by_name,
                line.step.value,
                line.reason,
                line.note,
                orjson.dumps(line.facts).decode(),
                line.key,
            ),
        )

    def log(self, tx: SqliteTx, tenant: str, incident_id: str) -> list[LogLine]:
        rows = tx.db.execute(
            f"{_LINE} WHERE tenant = ? AND incident_id = ? ORDER BY n", (tenant, incident_id)
        )
        return [_line(tenant, row) for row in rows]

    def line_by_key(self, tx: SqliteTx, tenant: str, by_id: str, key: str) -> LogLine | None:
        row = tx.db.execute(
            f"{_LINE} WHERE tenant = ? AND by_id = ? AND idem_key = ? ORDER BY at_us LIMIT 1",
            (tenant, by_id, key),
        ).fetchone()
        return None if row is None else _line(tenant, row)

    def steps_since(self, tx: SqliteTx, tenant: str, since: datetime) -> dict[str, int]:
        rows = tx.db.execute(
            "SELECT step, count(*) FROM incident_log WHERE tenant = ? AND at_us >= ? GROUP BY step",
            (tenant, to_us(since)),
        )
        return {str(step): int(count) for step, count in rows}

    def shown(
        self, tx: SqliteTx, tenant: str, since: datetime, person: str | None = None
    ) -> list[Shown]:
        of_one, bound = ("", ()) if person is None else (" AND person = ?", (person,))
        rows = tx.db.execute(
            f"{_SHOWN} WHERE tenant = ? AND (at_us >= ? OR held_us >= ?){of_one}"
            " ORDER BY coalesce(at_us, held_us), alarm",
            (tenant, to_us(since), to_us(since), *bound),
        )
        return [_shown(row) for row in rows]

    def known_to(
        self, tx: SqliteTx, tenant: str, person: str, alarms: Sequence[str]
    ) -> list[Shown]:
        rows = tx.db.execute(
            f"{_SHOWN} WHERE tenant = ? AND person = ? AND alarm IN (SELECT value FROM json_each(?))",
            (tenant, person, orjson.dumps(list(alarms)).decode()),
        )
        return [_shown(row) for row in rows]

    def keep_shown(self, tx: SqliteTx, tenant: str, shown: Shown) -> None:
        tx.db.execute(
            "INSERT INTO alarm_shown (tenant, person, alarm, level, at_us, held_us)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, person, alarm) DO UPDATE SET"
            " level = excluded.level, at_us = coalesce(alarm_shown.at_us, excluded.at_us),"
            " held_us = coalesce(alarm_shown.held_us, excluded.held_us)",
            (
                tenant,
                shown.person,
                shown.alarm,
                shown.level,
                to_us(shown.at) if shown.at else None,
                to_us(shown.held_at) if shown.held_at else None,
            ),
        )

    def _incidents(self, tx: SqliteTx, sql: str, bound: tuple[Any, ...]) -> list[Incident]:
        return [self._read(doc) for (doc,) in tx.db.execute(sql, bound)]


def _shown(row: tuple[Any, ...]) -> Shown:
    person, alarm, level, at_us, held_us = row
    return Shown(
        person,
        alarm,
        level,
        None if at_us is None else from_us(at_us),
        None if held_us is None else from_us(held_us),
    )


def _line(tenant: str, row: tuple[Any, ...]) -> LogLine:
    incident_id, n, at_us, by_id, by_name, step, reason, note, facts, key = row
    return LogLine(
        tenant=tenant,
        incident_id=incident_id,
        n=n,
        at=from_us(at_us),
        by_id=by_id,
        by_name=by_name,
        step=Step(step),
        reason=reason,
        note=note,
        facts=orjson.loads(facts),
        key=key,
    )
