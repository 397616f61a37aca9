"""The services of identity, put together over one store, one clock and one cache."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Protocol

from chengmai.kernel.actors import DEFAULT_TENANT
from chengmai.kernel.clock import Clock
from chengmai.kernel.work import Tx, Work
from chengmai.trust.accounts import AccountService
from chengmai.trust.audit import AuditTrail
from chengmai.trust.cache import ActorCache
from chengmai.trust.model import TrustSettings
from chengmai.trust.passwords import Argon2, Passwords
from chengmai.trust.ports import AccountStore, AuditStore, TokenStore
from chengmai.trust.sessions import RandomBytes, SessionService
from chengmai.trust.tenants import Tenants
from chengmai.trust.tokens import TokenService


class TrustStore(AccountStore, TokenStore, AuditStore, Protocol):
    """Port: everything identity and audit keep."""


@dataclass(frozen=True)
class Trust:
    """Who may come in, and what they did."""

    audit: AuditTrail
    accounts: AccountService
    sessions: SessionService
    tokens: TokenService
    tenants: Tenants


def build_trust(
    *,
    work: Work[Tx],
    store: TrustStore,
    clock: Clock,
    own_tenant: str = DEFAULT_TENANT,
    settings: TrustSettings | None = None,
    passwords: Passwords | None = None,
    random: RandomBytes = secrets.token_bytes,
) -> Trust:
    """Return the services; `clock` must be real time, since sessions and audit are not played faster."""
    limits, hashes, cache = settings or TrustSettings(), passwords or Argon2(), ActorCache()
    audit = AuditTrail(work, store, clock)
    return Trust(
        audit=audit,
        accounts=AccountService(
            work=work,
            store=store,
            audit=audit,
            passwords=hashes,
            clock=clock,
            cache=cache,
            settings=limits,
            random=random,
        ),
        sessions=SessionService(
            work=work,
            store=store,
            audit=audit,
            passwords=hashes,
            clock=clock,
            cache=cache,
            settings=limits,
            random=random,
        ),
        tokens=TokenService(
            work=work,
            store=store,
            audit=audit,
            clock=clock,
            cache=cache,
            settings=limits,
            random=random,
        ),
        tenants=Tenants(work, store, own_tenant),
    )
