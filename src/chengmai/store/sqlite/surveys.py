"""Answers to surveys in SQLite."""

from __future__ import annotations

from collections.abc import Mapping

from chengmai.assess.surveys.results import Counts
from chengmai.store.sqlite.work import SqliteTx


class SqliteSurveys:
    """Implements `assess.surveys.ports.SurveyStore`."""

    def counts(self, tx: SqliteTx, tenant: str, survey: str) -> Counts:
        rows = tx.db.execute(
            "SELECT stratum, question, option, n FROM survey_count WHERE tenant = ? AND survey = ?",
            (tenant, survey),
        )
        return {(stratum, question, option): n for stratum, question, option, n in rows}

    def add(
        self, tx: SqliteTx, tenant: str, survey: str, stratum: str, choices: Mapping[str, str]
    ) -> None:
        tx.db.executemany(
            "INSERT INTO survey_count (tenant, survey, stratum, question, option, n)"
            " VALUES (?, ?, ?, ?, ?, 1)"
            " ON CONFLICT (tenant, survey, stratum, question, option) DO UPDATE SET n = n + 1",
            [(tenant, survey, stratum, *choice) for choice in choices.items()],
        )

    def replace(self, tx: SqliteTx, tenant: str, survey: str, counts: Counts) -> None:
        tx.db.execute("DELETE FROM survey_count WHERE tenant = ? AND survey = ?", (tenant, survey))
        tx.db.executemany(
            "INSERT INTO survey_count (tenant, survey, stratum, question, option, n)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(tenant, survey, *key, n) for key, n in counts.items()],
        )

    def mark(self, tx: SqliteTx, tenant: str, survey: str, who: str) -> bool:
        row = tx.db.execute(
            "INSERT INTO survey_mark (tenant, survey, who) VALUES (?, ?, ?)"
            " ON CONFLICT (tenant, survey, who) DO NOTHING RETURNING who",
            (tenant, survey, who),
        ).fetchone()
        return row is not None

    def forget_marks(self, tx: SqliteTx, tenant: str, survey: str) -> None:
        tx.db.execute("DELETE FROM survey_mark WHERE tenant = ? AND survey = ?", (tenant, survey))
