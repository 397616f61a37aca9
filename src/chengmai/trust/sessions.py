"""Signing in, and who a browser's session belongs to."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chengmai.kernel.actors import DEFAULT_TENANT, Actor, system
from chengmai.kernel.clock import Clock
from chengmai.kernel.work import Tx, Work
from chengmai.trust.cache import ActorCache
from chengmai.trust.model import Account, Session, SignedIn, TrustSettings
from chengmai.trust.passwords import Passwords
from chengmai.trust.ports import AccountStore, Audit
from chengmai.trust.problems import CsrfRefused, SessionEnded, SignInFailed, TooManyAttempts
from chengmai.trust.rules import (
    LONGEST_PASSWORD,
    after_attempt,
    after_success,
    csrf_of,
    digest,
    same,
    session_end,
    sign_in_name,
)

RandomBytes = Callable[[int], bytes]
TOUCH_AFTER = timedelta(seconds=60)
HASHES_AT_ONCE = 2


class SessionService:
    """Sessions of all tenants. `clock` is real time, also in a city that runs faster than life."""

    def __init__(
        self,
        *,
        work: Work[Tx],
        store: AccountStore,
        audit: Audit,
        passwords: Passwords,
        clock: Clock,
        cache: ActorCache,
        settings: TrustSettings,
        random: RandomBytes = secrets.token_bytes,
    ) -> None:
        self._work, self._store, self._audit = work, store, audit
        self._passwords, self._clock, self._cache = passwords, clock, cache
        self._settings, self._random = settings, random
        self._addresses = _Addresses(settings)
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._decoy: str | None = None

    async def sign_in(
        self, name: str, password: str, address: str, *, tenant: str = DEFAULT_TENANT
    ) -> SignedIn:
        """Return a new session of the account `name`; `address` is where the request came from.

        Wrong name, wrong password, disabled and locked give one answer after the same work. Raises
        `SignInFailed` or `TooManyAttempts`.
        """
        self._addresses.check(address, self._clock.now())
        account = await self._work.write(lambda tx: self._attempt(tx, tenant, name))
        fresh = await self._checked(account, password)
        if account is None or fresh is None:
            self._addresses.count(address, self._clock.now())
            await self._work.write(lambda tx: self._note_refusal(tx, tenant, account))
            raise self._failed()
        admitted = await self._work.write(lambda tx: self._admit(tx, account, fresh, address))
        if admitted is None:
            raise self._failed()
        return admitted

    async def sign_out(self, token: str) -> None:
        """End the session of `token`; one that is unknown has ended already."""
        known = digest(token)

        def do(tx: Tx) -> None:
            session = self._store.session(tx, known)
            if session is None:
                return
            self._store.end_session(tx, session.tenant, known)
            account = self._store.account(tx, session.tenant, session.account_id)
            if account is not None:
                self._audit.line(tx, account.actor, "session.ended", account.id, {})
            tx.after_commit(lambda: self._cache.drop(session.account_id))

        await self._work.write(do)

    async def actor_of_session(self, token: str) -> Actor:
        """Return who is signed in with `token`; raises `SessionEnded`."""
        known, now = digest(token), self._clock.now()
        remembered = self._cache.get(known, now)
        if remembered is not None:
            return remembered
        age = self._cache.age
        session, account = await self._work.read(lambda tx: self._load(tx, known))
        if session is None or account is None or account.disabled:
            raise SessionEnded
        if now >= session_end(session, self._settings):
            raise SessionEnded
        if now - session.seen_at >= TOUCH_AFTER:
            await self._work.write(lambda tx: self._touch(tx, known, now))
        until = min(now + self._settings.cache_for, session_end(session, self._settings))
        self._cache.put(known, account.actor, until, read_at_age=age)
        return account.actor

    def csrf_of(self, token: str) -> str:
        """Return the CSRF token for forms of this session."""
        return csrf_of(token)

    def check_csrf(self, token: str, given: str) -> None:
        """Let a form through that carries the session's CSRF token; raises `CsrfRefused`."""
        if not same(csrf_of(token), given):
            raise CsrfRefused

    def _attempt(self, tx: Tx, tenant: str, name: str) -> Account | None:
        now = self._clock.now()
        known = sign_in_name(name)
        account = self._store.account_named(tx, tenant, known) if known else None
        if account is None or account.disabled or account.is_locked(now):
            # A write like the one below, so that the answer takes as long for a name nobody has.
            self._store.count_stranger(tx, tenant, now)
            return None
        counted = after_attempt(account, now, self._settings)
        self._store.put_account(tx, counted)
        return counted

    async def _checked(self, account: Account | None, password: str) -> str | None:
        """Return the hash to keep (made anew when outdated), or None when the password is wrong."""
        # Nobody has a password this long, and hashing it would cost us what it costs nobody to send.
        tried = password if len(password) <= LONGEST_PASSWORD else ""
        async with self._hashing:
            return await asyncio.to_thread(self._compare, account, tried)

    def _compare(self, account: Account | None, password: str) -> str | None:
        if self._decoy is None:
            self._decoy = self._passwords.hash(base64.b64encode(self._random(32)).decode())
        stored = account.password_hash if account is not None else self._decoy
        if not self._passwords.verify(stored, password) or account is None:
            return None
        return self._passwords.hash(password) if self._passwords.is_outdated(stored) else stored

    def _note_refusal(self, tx: Tx, tenant: str, account: Account | None) -> None:
        about = account.id if account is not None else "unknown"
        locked = account is not None and account.is_locked(self._clock.now())
        by = system("trust", tenant)
        self._audit.line(tx, by, "session.refused", about, {"locked": locked})

    def _admit(self, tx: Tx, tried: Account, fresh_hash: str, address: str) -> SignedIn | None:
        now = self._clock.now()
        account = self._store.account(tx, tried.tenant, tried.id)
        # Between the attempt and now somebody may have disabled it or set another password.
        if account is None or account.disabled or account.password_hash != tried.password_hash:
            return None
        account = replace(after_success(account), password_hash=fresh_hash)
        self._store.put_account(tx, account)
        self._store.forget_sessions(tx, account.tenant, now - self._settings.absolute)
        token = base64.urlsafe_b64encode(self._random(32)).rstrip(b"=").decode()
        session = Session(digest(token), account.tenant, account.id, now, now, address)
        self._store.put_session(tx, session)
        self._audit.line(tx, account.actor, "session.started", account.id, {})
        return SignedIn(token, csrf_of(token), account.actor, self._settings.absolute)

    def _load(self, tx: Tx, known: str) -> tuple[Session | None, Account | None]:
        session = self._store.session(tx, known)
        if session is None:
            return None, None
        return session, self._store.account(tx, session.tenant, session.account_id)

    def _touch(self, tx: Tx, known: str, now: datetime) -> None:
        session = self._store.session(tx, known)
        if session is not None:
            self._store.put_session(tx, replace(session, seen_at=max(now, session.seen_at)))

    def _failed(self) -> SignInFailed:
        minutes = int(self._settings.lock_for.total_seconds() // 60)
        return SignInFailed(self._settings.lock_after, minutes)


class _Addresses:
    """Failed attempts by address, in this process: hashing passwords is dear and must not be free to ask."""

    MOST = 10_000

    def __init__(self, settings: TrustSettings) -> None:
        self._settings = settings
        self._failed: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def check(self, address: str, now: datetime) -> None:
        since, failures = self._failed.get(address, (now, 0))
        ends = since + self._settings.address_window
        if failures >= self._settings.failures_per_address and now < ends:
            raise TooManyAttempts(max(1, int((ends - now).total_seconds())))

    def count(self, address: str, now: datetime) -> None:
        since, failures = self._failed.pop(address, (now, 0))
        if now >= since + self._settings.address_window:
            since, failures = now, 0
        self._failed[address] = (since, failures + 1)
        while len(self._failed) > self.MOST:
            self._failed.popitem(last=False)
