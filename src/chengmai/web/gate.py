"""Who sends a machine request: a token, or a signed-in browser that only looks."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie

from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import Unauthenticated
from chengmai.trust.policy import allow
from chengmai.trust.service import Trust

_SAFE = ("GET", "HEAD")


class TrustGate:
    """Implements `web.api.app.Gate`.

    A cookie is taken for reading only: a browser sends it with requests that another site made, and the
    machine API has no form token to tell them apart.
    """

    def __init__(self, trust: Trust, session_cookie: str) -> None:
        self._trust = trust
        self._cookie = session_cookie

    async def actor(self, headers: dict[str, str], method: str) -> Actor:
        if "authorization" in headers:
            return await self._trust.tokens.actor_of_token(headers["authorization"])
        if method in _SAFE and (token := _cookie(headers.get("cookie", ""), self._cookie)):
            return await self._trust.sessions.actor_of_session(token)
        raise Unauthenticated(
            "the request carries no credentials",
            code="api.credentials",
            param="Authorization",
            fix="send Authorization: Bearer <token>; an administrator makes one with "
            "chengmai account token",
        )

    def allow(self, actor: Actor, action: str) -> None:
        allow(actor, action)


def _cookie(header: str, name: str) -> str | None:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found else None
