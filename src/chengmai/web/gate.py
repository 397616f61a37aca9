"""Who sends a machine request: a token, or a signed-in browser that only looks."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import Unauthenticated
from chengmai.settings import LOOPBACK
from chengmai.trust.policy import allow
from chengmai.trust.service import Trust

_SAFE = ("GET", "HEAD", "OPTIONS")


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


class OpenGate:
    """Implements `web.api.app.Gate` for a city that is open to its own machine (setting `open_access`).

    Who sends no credentials is one fixed actor with a manager's rights, in the tenant that the request
    names. A page of another site that a browser on this machine shows is kept out: it cannot hide what
    host it means (DNS rebinding) nor where it comes from.
    """

    def __init__(self, closed: TrustGate, tenant: str) -> None:
        self._closed = closed
        self._tenant = tenant

    async def actor(self, headers: dict[str, str], method: str) -> Actor:
        if "authorization" in headers:
            return await self._closed.actor(headers, method)
        origin = headers.get("origin")
        names = [headers.get("host", "")] + ([] if origin is None else [origin])
        if not all(_is_local(name) for name in names):
            raise Unauthenticated(
                "open access is for programs on this machine",
                code="api.open_access",
                param="Host",
                fix="ask localhost, or send credentials",
            )
        tenant = headers.get("ngsild-tenant") or self._tenant
        return Actor("open:local", tenant, frozenset({"manager"}), "open access")

    def allow(self, actor: Actor, action: str) -> None:
        self._closed.allow(actor, action)


def _is_local(name: str) -> bool:
    try:
        return urlsplit(name if "://" in name else f"//{name}").hostname in LOOPBACK
    except ValueError:
        return False


def _cookie(header: str, name: str) -> str | None:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return found.value if found else None
