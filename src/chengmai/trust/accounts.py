"""Keeping accounts: who can sign in, and with which roles."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace

from chengmai.kernel.actors import DEFAULT_TENANT, Actor, system
from chengmai.kernel.clock import Clock
from chengmai.kernel.ids import new_id
from chengmai.kernel.work import Tx, Work
from chengmai.trust.cache import ActorCache
from chengmai.trust.model import Account, NewAccount, TrustSettings
from chengmai.trust.passwords import Passwords
from chengmai.trust.policy import allow
from chengmai.trust.ports import AccountStore, Audit
from chengmai.trust.problems import (
    AccountNotFound,
    LastAdministrator,
    NameTaken,
    PasswordRefused,
    SignInNeeded,
)
from chengmai.trust.rules import (
    check_password,
    checked_name,
    checked_roles,
    readable_secret,
    shown_name,
)
from chengmai.trust.sessions import RandomBytes

MANAGE = "accounts.manage"
FIRST_ROLES = frozenset({"admin"})


class AccountService:
    """Accounts of all tenants; an administrator manages those of the own tenant only."""

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

    async def ensure_first_admin(
        self,
        name: str = "admin",
        *,
        display_name: str = "",
        roles: Iterable[str] = FIRST_ROLES,
        tenant: str = DEFAULT_TENANT,
    ) -> str | None:
        """Create an administrator where there is no account at all; return the password, this once.

        None when there is an account already.
        """
        if await self._work.read(lambda tx: self._store.accounts(tx, tenant)):
            return None
        secret = self._secret()
        account = await self._built(tenant, name, display_name, roles, secret)

        def do(tx: Tx) -> bool:
            if self._store.accounts(tx, tenant):
                return False
            self._add(tx, account, system("trust", tenant))
            return True

        return secret if await self._work.write(do) else None

    async def add_account(
        self,
        name: str,
        roles: Iterable[str],
        *,
        by: Actor,
        display_name: str = "",
        password: str | None = None,
    ) -> NewAccount:
        """Return the new account, with a password made for it unless one is given.

        Raises `ActionNotAllowed`, `NameInvalid`, `NameTaken`, `RolesInvalid` or `PasswordRefused`.
        """
        allow(by, MANAGE)
        chosen = password if password is not None else self._secret()
        account = await self._built(by.tenant, name, display_name, roles, chosen)
        await self._work.write(lambda tx: self._add(tx, account, by))
        return NewAccount(account, chosen if password is None else None)

    async def list_accounts(self, by: Actor) -> list[Account]:
        """Return the accounts of the administrator's tenant by name."""
        allow(by, MANAGE)
        return await self._work.read(lambda tx: self._store.accounts(tx, by.tenant))

    async def set_roles(self, account_id: str, roles: Iterable[str], *, by: Actor) -> Account:
        """Return the account with other roles; what is signed in with it changes at once."""
        allow(by, MANAGE)
        wanted = checked_roles(roles)
        return await self._change(
            account_id, by, "account.roles", lambda account: replace(account, roles=wanted)
        )

    async def set_disabled(self, account_id: str, disabled: bool, *, by: Actor) -> Account:
        """Return the account, disabled or not; disabling ends its sessions at once."""
        allow(by, MANAGE)
        return await self._change(
            account_id,
            by,
            "account.disabled" if disabled else "account.enabled",
            lambda account: replace(account, disabled=disabled),
            end_sessions=disabled,
        )

    async def unlock(self, account_id: str, *, by: Actor) -> Account:
        """Return the account with its failed attempts forgotten."""
        allow(by, MANAGE)
        return await self._change(
            account_id,
            by,
            "account.unlocked",
            lambda account: replace(account, failures=0, locked_until=None),
        )

    async def reset_password(
        self, account_id: str, *, by: Actor, password: str | None = None
    ) -> str | None:
        """Give an account another password and end its sessions; return it when it was made here."""
        allow(by, MANAGE)
        chosen = password if password is not None else self._secret()
        await self._set_password(account_id, by, chosen)
        return chosen if password is None else None

    async def change_password(self, by: Actor, old: str, new: str) -> None:
        """Give one's own account another password and end its sessions.

        Raises `PasswordRefused` when `old` is wrong or `new` is not good enough.
        """
        found = await self._work.read(lambda tx: self._store.account(tx, by.tenant, by.id))
        if found is None:
            raise SignInNeeded
        if not await asyncio.to_thread(self._passwords.verify, found.password_hash, old):
            raise PasswordRefused(
                "the present password is not right", param="old", fix="type it again"
            )
        await self._set_password(by.id, by, new)

    async def _set_password(self, account_id: str, by: Actor, password: str) -> None:
        found = await self._work.read(lambda tx: self._find(tx, by.tenant, account_id))
        check_password(password, found.name, self._settings)
        made = await asyncio.to_thread(self._passwords.hash, password)
        await self._change(
            account_id,
            by,
            "account.password",
            lambda account: replace(account, password_hash=made, failures=0, locked_until=None),
            end_sessions=True,
        )

    async def _change(
        self,
        account_id: str,
        by: Actor,
        action: str,
        change: Callable[[Account], Account],
        *,
        end_sessions: bool = False,
    ) -> Account:
        def do(tx: Tx) -> Account:
            before = self._find(tx, by.tenant, account_id)
            after = change(before)
            if _is_admin(before) and not _is_admin(after):
                self._keep_one_admin(tx, before)
            self._store.put_account(tx, after)
            if end_sessions:
                self._store.end_sessions_of(tx, after.tenant, after.id)
            self._audit.line(tx, by, action, after.id, {"roles": sorted(after.roles)})
            tx.after_commit(lambda: self._cache.drop(account_id))
            return after

        return await self._work.write(do)

    async def _built(
        self, tenant: str, name: str, display_name: str, roles: Iterable[str], password: str
    ) -> Account:
        stored = checked_name(name)
        wanted = checked_roles(roles)
        check_password(password, stored, self._settings)
        made = await asyncio.to_thread(self._passwords.hash, password)
        now = self._clock.now()
        shown = shown_name(display_name or stored)
        return Account(
            new_id("usr", now, self._bits), tenant, stored, shown, wanted, made, created_at=now
        )

    def _add(self, tx: Tx, account: Account, by: Actor) -> None:
        if self._store.account_named(tx, account.tenant, account.name) is not None:
            raise NameTaken(account.name)
        self._store.put_account(tx, account)
        self._audit.line(tx, by, "account.added", account.id, {"roles": sorted(account.roles)})

    def _find(self, tx: Tx, tenant: str, account_id: str) -> Account:
        account = self._store.account(tx, tenant, account_id)
        if account is None:
            raise AccountNotFound(account_id)
        return account

    def _keep_one_admin(self, tx: Tx, leaving: Account) -> None:
        others = self._store.accounts(tx, leaving.tenant)
        if not any(_is_admin(other) and other.id != leaving.id for other in others):
            raise LastAdministrator

    def _secret(self) -> str:
        return readable_secret(self._random(25))

    def _bits(self, bits: int) -> int:
        return int.from_bytes(self._random(bits // 8))


def _is_admin(account: Account) -> bool:
    return "admin" in account.roles and not account.disabled
