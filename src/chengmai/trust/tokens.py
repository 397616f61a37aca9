"""Tokens of machines: `cm_<id>.<secret>`, shown once."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.ids import new_id
from chengmai.kernel.work import Tx, Work
from chengmai.trust.cache import ActorCache
from chengmai.trust.model import NewToken, Token, TrustSettings
from chengmai.trust.policy import allow
from chengmai.trust.ports import Audit, TokenStore
from chengmai.trust.problems import ExpiryInvalid, TokenNotFound, TokenRefused
from chengmai.trust.rules import checked_roles, digest, is_good, shown_name, split_bearer
from chengmai.trust.sessions import RandomBytes

MANAGE = "accounts.manage"


class TokenService:
    """Tokens of all tenants. `clock` is real time, also in a city that runs faster than life."""

    def __init__(
        self,
        *,
        work: Work[Tx],
        store: TokenStore,
        audit: Audit,
        clock: Clock,
        cache: ActorCache,
        settings: TrustSettings,
        random: RandomBytes = secrets.token_bytes,
    ) -> None:
        self._work, self._store, self._audit = work, store, audit
        self._clock, self._cache, self._settings = clock, cache, settings
        self._random = random

    async def create_token(
        self, name: str, roles: Iterable[str], *, by: Actor, expires_at: datetime | None = None
    ) -> NewToken:
        """Return a new token; its secret is in the answer and nowhere else.

        Raises `ActionNotAllowed`, `NameInvalid`, `RolesInvalid` or `ExpiryInvalid`.
        """
        allow(by, MANAGE)
        wanted, called, now = checked_roles(roles), shown_name(name), self._clock.now()
        if expires_at is not None and expires_at <= now:
            raise ExpiryInvalid(
                "the token would have expired already",
                param="expires_at",
                fix="give an instant in the future, or none",
            )
        secret = base64.urlsafe_b64encode(self._random(32)).rstrip(b"=").decode()
        token = Token(
            id=new_id("tok", now, lambda bits: int.from_bytes(self._random(bits // 8))),
            tenant=by.tenant,
            name=called,
            roles=wanted,
            digest=digest(secret),
            created_at=now,
            created_by=by.id,
            expires_at=expires_at,
        )
        await self._work.write(lambda tx: self._put(tx, token, by, "token.created"))
        return NewToken(token, f"cm_{token.id.removeprefix('tok_')}.{secret}")

    async def list_tokens(self, by: Actor) -> list[Token]:
        """Return the tokens of the administrator's tenant, the oldest first, revoked ones included."""
        allow(by, MANAGE)
        return await self._work.read(lambda tx: self._store.tokens(tx, by.tenant))

    async def revoke_token(self, token_id: str, *, by: Actor) -> Token:
        """Return the token as revoked; in this process it stops working at once."""
        allow(by, MANAGE)

        def do(tx: Tx) -> Token:
            token = self._store.token(tx, token_id)
            if token is None or token.tenant != by.tenant:
                raise TokenNotFound(token_id)
            if token.revoked_at is not None:
                return token
            revoked = replace(token, revoked_at=self._clock.now())
            self._put(tx, revoked, by, "token.revoked")
            tx.after_commit(lambda: self._cache.drop(token_id))
            return revoked

        return await self._work.write(do)

    async def actor_of_token(self, header: str) -> Actor:
        """Return the machine that sends this `Authorization` header; raises `TokenRefused`."""
        # With a word before it, so that it is never the digest of a session.
        known, now = digest(f"token {header}"), self._clock.now()
        remembered = self._cache.get(known, now)
        if remembered is not None:
            return remembered
        parts = split_bearer(header)
        if parts is None:
            raise TokenRefused
        token_id, secret = parts
        age = self._cache.age
        token = await self._work.read(lambda tx: self._store.token(tx, token_id))
        if token is None or not is_good(token, secret, now):
            raise TokenRefused
        until = now + self._settings.cache_for
        if token.expires_at is not None:
            until = min(until, token.expires_at)
        self._cache.put(known, token.actor, until, read_at_age=age)
        return token.actor

    def _put(self, tx: Tx, token: Token, by: Actor, action: str) -> None:
        self._store.put_token(tx, token)
        self._audit.line(tx, by, action, token.id, {"roles": sorted(token.roles)})
