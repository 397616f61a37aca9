"""Builders for the tests of trust: one tenant's identity in memory, with cheap password hashes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import FixedClock
from chengmai.store.sqlite.trust import SqliteTrustStore
from chengmai.trust import Account, Argon2, SignedIn, TrustSettings, build_trust
from chengmai.trust.audit import AuditRecord
from tests.unit.cases.builders import MemoryWork

T = TypeVar("T")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
CHEAP = Argon2(time_cost=1, memory_kib=8, lanes=1)


class Bytes:
    """Bytes that look random, are never the same twice, and always the same from test to test."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self, size: int) -> bytes:
        self.drawn += 1
        return hashlib.shake_256(str(self.drawn).encode()).digest(size)


def an_actor(*roles: str, tenant: str = "city") -> Actor:
    return Actor(id=f"usr_{'_'.join(roles)}", tenant=tenant, roles=frozenset(roles))


ADMIN = an_actor("admin")
AUDITOR = an_actor("auditor")


class House:
    """The services of trust over a store in memory."""

    def __init__(self, settings: TrustSettings | None = None) -> None:
        self.clock = FixedClock(NOON)
        self.work = MemoryWork(self.clock, "0011_trust.sql")
        self.store = SqliteTrustStore()
        trust = build_trust(
            work=self.work,
            store=self.store,
            clock=self.clock,
            settings=settings,
            passwords=CHEAP,
            random=Bytes(),
        )
        self.audit, self.accounts = trust.audit, trust.accounts
        self.sessions, self.tokens = trust.sessions, trust.tokens

    def run(self, awaited: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(awaited)

    def add(self, name: str = "li", *roles: str, by: Actor = ADMIN) -> Account:
        wanted = roles or ("duty_officer",)
        return self.run(self.accounts.add_account(name, wanted, by=by, password=PASSWORD)).account

    def sign_in(self, name: str = "li", password: str = PASSWORD, address: str = "::1") -> SignedIn:
        return self.run(self.sessions.sign_in(name, password, address))

    def who(self, token: str) -> Actor:
        return self.run(self.sessions.actor_of_session(token))

    def trail(self) -> list[AuditRecord]:
        return self.run(self.audit.read(AUDITOR, limit=1000))
