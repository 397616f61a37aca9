"""Signing in, as the screens know it."""

from __future__ import annotations

from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import Unauthenticated
from chengmai.trust.service import Trust
from chengmai.web.cockpit.views import Session


class CityAccounts:
    """Implements `cockpit.ports.Accounts`."""

    def __init__(self, trust: Trust, tenant: str) -> None:
        self._sessions = trust.sessions
        self._tenant = tenant

    async def sign_in(self, name: str, password: str, address: str) -> Session:
        signed = await self._sessions.sign_in(name, password, address, tenant=self._tenant)
        return Session(signed.token, signed.actor, signed.lasts)

    async def sign_out(self, token: str) -> None:
        await self._sessions.sign_out(token)

    async def actor_of(self, token: str) -> Actor | None:
        try:
            return await self._sessions.actor_of_session(token)
        except Unauthenticated:
            return None
