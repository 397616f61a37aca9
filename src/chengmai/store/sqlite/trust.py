"""Accounts, sessions, tokens and the audit chain in SQLite."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from chengmai.kernel.instants import from_us, to_us
from chengmai.store.sqlite.rows import Insert
from chengmai.store.sqlite.work import SqliteTx
from chengmai.trust.audit import AuditRecord, Head
from chengmai.trust.model import Account, Session, Token

_ADD_RECORD = Insert(
    "INSERT INTO audit (seq, at_us, tenant, actor, action, object, detail, request_id, prev_hash, hash)",
    10,
)
_ACCOUNT = (
    "SELECT id, tenant, name, display_name, roles, password, created_us, disabled, failures, locked_us"
    " FROM account"
)
_API_KEY = (
    "SELECT id, tenant, name, roles, digest, created_us, created_by, expires_us, revoked_us"
    " FROM api_token"
)


class SqliteTrustStore:
    """Implements `trust.service.TrustStore`."""

    def account(self, tx: SqliteTx, tenant: str, account_id: str) -> Account | None:
        row = tx.db.execute(
            f"{_ACCOUNT} WHERE tenant = ? AND id = ?", (tenant, account_id)
        ).fetchone()
        return None if row is None else _account(row)

    def account_named(self, tx: SqliteTx, tenant: str, name: str) -> Account | None:
        row = tx.db.execute(f"{_ACCOUNT} WHERE tenant = ? AND name = ?", (tenant, name)).fetchone()
        return None if row is None else _account(row)

    def accounts(self, tx: SqliteTx, tenant: str) -> list[Account]:
        rows = tx.db.execute(f"{_ACCOUNT} WHERE tenant = ? ORDER BY name", (tenant,))
        return [_account(row) for row in rows]

    def put_account(self, tx: SqliteTx, account: Account) -> None:
        tx.db.execute(
            "INSERT INTO account (id, tenant, name, display_name, roles, password, created_us, disabled,"
            " failures, locked_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name,"
            " display_name = excluded.display_name, roles = excluded.roles, password = excluded.password,"
            " disabled = excluded.disabled, failures = excluded.failures, locked_us = excluded.locked_us",
            (
                account.id,
                account.tenant,
                account.name,
                account.display_name,
                json.dumps(sorted(account.roles)),
                account.password_hash,
                to_us(account.created_at),
                int(account.disabled),
                account.failures,
                _us(account.locked_until),
            ),
        )

    def count_stranger(self, tx: SqliteTx, tenant: str, at: datetime) -> None:
        tx.db.execute(
            "INSERT INTO sign_in_stranger (tenant, attempts, last_us) VALUES (?, 1, ?)"
            " ON CONFLICT (tenant) DO UPDATE SET attempts = sign_in_stranger.attempts + 1,"
            " last_us = excluded.last_us",
            (tenant, to_us(at)),
        )

    def strangers(self, tx: SqliteTx, tenant: str) -> int:
        row = tx.db.execute(
            "SELECT attempts FROM sign_in_stranger WHERE tenant = ?", (tenant,)
        ).fetchone()
        return int(row[0]) if row else 0

    def session(self, tx: SqliteTx, digest: str) -> Session | None:
        row = tx.db.execute(
            "SELECT digest, tenant, account_id, started_us, seen_us, address FROM session"
            " WHERE digest = ?",
            (digest,),
        ).fetchone()
        if row is None:
            return None
        found, tenant, account_id, started_us, seen_us, address = row
        return Session(found, tenant, account_id, from_us(started_us), from_us(seen_us), address)

    def put_session(self, tx: SqliteTx, session: Session) -> None:
        tx.db.execute(
            "INSERT INTO session (tenant, digest, account_id, started_us, seen_us, address)"
            " VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (tenant, digest) DO UPDATE SET seen_us = excluded.seen_us",
            (
                session.tenant,
                session.digest,
                session.account_id,
                to_us(session.started_at),
                to_us(session.seen_at),
                session.address,
            ),
        )

    def end_session(self, tx: SqliteTx, tenant: str, digest: str) -> bool:
        gone = tx.db.execute(
            "DELETE FROM session WHERE tenant = ? AND digest = ? RETURNING digest", (tenant, digest)
        ).fetchall()
        return bool(gone)

    def end_sessions_of(self, tx: SqliteTx, tenant: str, account_id: str) -> None:
        tx.db.execute(
            "DELETE FROM session WHERE tenant = ? AND account_id = ?", (tenant, account_id)
        )

    def forget_sessions(self, tx: SqliteTx, tenant: str, started_before: datetime) -> None:
        tx.db.execute(
            "DELETE FROM session WHERE tenant = ? AND started_us < ?",
            (tenant, to_us(started_before)),
        )

    def token(self, tx: SqliteTx, token_id: str) -> Token | None:
        row = tx.db.execute(f"{_API_KEY} WHERE id = ?", (token_id,)).fetchone()
        return None if row is None else _token(row)

    def tokens(self, tx: SqliteTx, tenant: str) -> list[Token]:
        rows = tx.db.execute(f"{_API_KEY} WHERE tenant = ? ORDER BY created_us, id", (tenant,))
        return [_token(row) for row in rows]

    def put_token(self, tx: SqliteTx, token: Token) -> None:
        tx.db.execute(
            "INSERT INTO api_token (id, tenant, name, roles, digest, created_us, created_by, expires_us,"
            " revoked_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE SET name = excluded.name, roles = excluded.roles,"
            " expires_us = excluded.expires_us, revoked_us = excluded.revoked_us",
            (
                token.id,
                token.tenant,
                token.name,
                json.dumps(sorted(token.roles)),
                token.digest,
                to_us(token.created_at),
                token.created_by,
                _us(token.expires_at),
                _us(token.revoked_at),
            ),
        )

    def head(self, tx: SqliteTx, tenant: str) -> Head | None:
        known: Head | None = tx.recall(("audit head", tenant))
        if known is not None:
            return known
        row = tx.db.execute(
            "SELECT seq, hash FROM audit WHERE tenant = ? ORDER BY seq DESC LIMIT 1", (tenant,)
        ).fetchone()
        return None if row is None else Head(*row)

    def append(self, tx: SqliteTx, record: AuditRecord) -> None:
        tx.insert(_ADD_RECORD, record)
        tx.remember(("audit head", record.tenant), Head(record.seq, record.hash))

    def read(self, tx: SqliteTx, tenant: str, after: int, limit: int) -> list[AuditRecord]:
        rows = tx.db.execute(
            "SELECT seq, at_us, tenant, actor, action, object, detail, request_id, prev_hash, hash"
            " FROM audit WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?",
            (tenant, after, limit),
        )
        return [AuditRecord(*row) for row in rows]


def _us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)


def _at(us: int | None) -> datetime | None:
    return None if us is None else from_us(us)


def _account(row: tuple[Any, ...]) -> Account:
    found, tenant, name, shown, roles, password, created_us, disabled, failures, locked_us = row
    return Account(
        id=found,
        tenant=tenant,
        name=name,
        display_name=shown,
        roles=frozenset(json.loads(roles)),
        password_hash=password,
        created_at=from_us(created_us),
        disabled=bool(disabled),
        failures=failures,
        locked_until=_at(locked_us),
    )


def _token(row: tuple[Any, ...]) -> Token:
    found, tenant, name, roles, digest, created_us, created_by, expires_us, revoked_us = row
    return Token(
        id=found,
        tenant=tenant,
        name=name,
        roles=frozenset(json.loads(roles)),
        digest=digest,
        created_at=from_us(created_us),
        created_by=created_by,
        expires_at=_at(expires_us),
        revoked_at=_at(revoked_us),
    )
