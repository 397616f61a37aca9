"""Accounts, sessions and tokens, as they are stored: never a secret, only its hash."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chengmai.kernel.actors import Actor


@dataclass(frozen=True)
class TrustSettings:
    """Limits of identity. Lock after 5 failures for 60 minutes: domain facts 4.3."""

    shortest_password: int = 10
    lock_after: int = 5
    lock_for: timedelta = timedelta(minutes=60)
    idle: timedelta = timedelta(minutes=60)
    absolute: timedelta = timedelta(hours=8)
    cache_for: timedelta = timedelta(seconds=60)
    failures_per_address: int = 30
    address_window: timedelta = timedelta(minutes=10)


@dataclass(frozen=True)
class Account:
    """A person who can sign in. `failures` counts attempts since the last success."""

    id: str
    tenant: str
    name: str
    display_name: str
    roles: frozenset[str]
    password_hash: str = field(repr=False)
    created_at: datetime
    disabled: bool = False
    failures: int = 0
    locked_until: datetime | None = None

    @property
    def actor(self) -> Actor:
        """The account as the one who does something."""
        return Actor(self.id, self.tenant, self.roles, self.display_name)

    def is_locked(self, now: datetime) -> bool:
        """Return whether signing in is refused at `now` because of earlier failures."""
        return self.locked_until is not None and now < self.locked_until


@dataclass(frozen=True)
class Session:
    """A signed-in browser. `digest` is the SHA-256 of its token, in hex."""

    digest: str
    tenant: str
    account_id: str
    started_at: datetime
    seen_at: datetime
    address: str


@dataclass(frozen=True)
class Token:
    """A machine's key to the interfaces. `digest` is the SHA-256 of its secret, in hex."""

    id: str
    tenant: str
    name: str
    roles: frozenset[str]
    digest: str = field(repr=False)
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        """The token as the one who does something."""
        return Actor(self.id, self.tenant, self.roles, self.name)


@dataclass(frozen=True)
class SignedIn:
    """What a browser gets once: the token for its cookie and the CSRF token for its forms."""

    token: str = field(repr=False)
    csrf: str = field(repr=False)
    actor: Actor
    lasts: timedelta


@dataclass(frozen=True)
class NewAccount:
    """An account with the password that was made for it; None when the caller chose one."""

    account: Account
    secret: str | None = field(repr=False)


@dataclass(frozen=True)
class NewToken:
    """A token with the text the machine sends; it is shown once and cannot be recovered."""

    token: Token
    secret: str = field(repr=False)
