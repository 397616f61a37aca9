"""What identity and audit need from a storage engine, and the audit port that every room writes to.

A port takes `tx` as `Any`: only the adapter knows what its transaction really is.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from chengmai.kernel.actors import Actor
from chengmai.trust.model import Account, Session, Token

if TYPE_CHECKING:
    from chengmai.trust.audit import AuditRecord, Head


class Audit(Protocol):
    """Port: one line for every change, in its transaction. No personal value may stand in it."""

    def line(
        self,
        tx: Any,
        actor: Actor,
        action: str,
        object_id: str,
        detail: dict[str, Any] | str,
        request_id: str = "",
    ) -> None:
        """Append a line to the chain of the actor's tenant; `detail` as text is canonical JSON already."""
        ...


class AuditStore(Protocol):
    """Port: the records of the chains. They are only ever added to."""

    def head(self, tx: Any, tenant: str) -> Head | None:
        """Return number and hash of the newest record, or None; in a write, its own records count."""
        ...

    def append(self, tx: Any, record: AuditRecord) -> None:
        """Add a record; a second one with its number is an error."""
        ...

    def read(self, tx: Any, tenant: str, after: int, limit: int) -> list[AuditRecord]:
        """Return the records with a number above `after`, in order."""
        ...


class AccountStore(Protocol):
    """Port: accounts and the sessions they opened."""

    def account(self, tx: Any, tenant: str, account_id: str) -> Account | None:
        """Return the account, or None."""
        ...

    def account_named(self, tx: Any, tenant: str, name: str) -> Account | None:
        """Return the account with this sign-in name (in its stored form), or None."""
        ...

    def accounts(self, tx: Any, tenant: str) -> list[Account]:
        """Return all accounts of a tenant by name."""
        ...

    def put_account(self, tx: Any, account: Account) -> None:
        """Create or replace an account; a second account with its name is an error."""
        ...

    def count_stranger(self, tx: Any, tenant: str, at: datetime) -> None:
        """Count an attempt with a name that nobody has."""
        ...

    def strangers(self, tx: Any, tenant: str) -> int:
        """Return how many attempts were counted with a name that nobody has."""
        ...

    def session(self, tx: Any, digest: str) -> Session | None:
        """Return the session, of whatever tenant, or None."""
        ...

    def put_session(self, tx: Any, session: Session) -> None:
        """Create or replace a session."""
        ...

    def end_session(self, tx: Any, tenant: str, digest: str) -> bool:
        """Forget a session; return whether it was there."""
        ...

    def end_sessions_of(self, tx: Any, tenant: str, account_id: str) -> None:
        """Forget all sessions of an account."""
        ...

    def forget_sessions(self, tx: Any, tenant: str, started_before: datetime) -> None:
        """Forget the sessions of a tenant that began before an instant."""
        ...


class TokenStore(Protocol):
    """Port: tokens of machines."""

    def token(self, tx: Any, token_id: str) -> Token | None:
        """Return the token, of whatever tenant, or None."""
        ...

    def tokens(self, tx: Any, tenant: str) -> list[Token]:
        """Return all tokens of a tenant, the oldest first, revoked ones included."""
        ...

    def put_token(self, tx: Any, token: Token) -> None:
        """Create or replace a token."""
        ...
