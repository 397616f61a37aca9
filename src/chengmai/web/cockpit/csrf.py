"""Tokens against forged requests: bound to the browser and its session, different on every page.

A token is `nonce.HMAC-SHA256(secret, nonce | browser | session)`. Nothing is stored. The nonce makes every
rendering different, so that compression cannot leak the token (BREACH).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from starlette.requests import Request

FIELD = "csrf"
_FORBIDDEN_SITES = {"cross-site", "same-site"}


def make_token(secret: bytes, browser: str, session: str) -> str:
    """Return a fresh token for one form."""
    nonce = secrets.token_hex(8)
    return f"{nonce}.{_sign(secret, nonce, browser, session)}"


def is_valid(secret: bytes, token: str, browser: str, session: str) -> bool:
    """Return whether `token` was made for this browser and session."""
    nonce, _, signature = token.partition(".")
    return hmac.compare_digest(signature.encode(), _sign(secret, nonce, browser, session).encode())


def comes_from_elsewhere(request: Request) -> bool:
    """Return whether the browser itself says that another site sent this (Fetch Metadata, W3C)."""
    return request.headers.get("sec-fetch-site") in _FORBIDDEN_SITES


def _sign(secret: bytes, nonce: str, browser: str, session: str) -> str:
    message = "\0".join((nonce, browser, session)).encode()
    return hmac.new(secret, message, hashlib.sha256).hexdigest()
