"""Pure rules of identity. No clock, no store, no randomness: everything arrives as an argument."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from chengmai.trust.model import Account, Session, Token, TrustSettings
from chengmai.trust.policy import ASSIGNABLE_ROLES, EXCLUSIVE
from chengmai.trust.problems import NameInvalid, PasswordRefused, RolesInvalid

LONGEST_PASSWORD = 256
LONGEST_NAME = 100
_NAME = re.compile(r"[a-z0-9\u4e00-\u9fff][a-z0-9._@\-\u4e00-\u9fff]{1,63}")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TOKEN = re.compile(r"(?i:bearer) +cm_([0-9A-Z]{26})\.([A-Za-z0-9_-]{43})")


def digest(secret: str) -> str:
    """Return the SHA-256 of a random secret, in hex.

    A secret of 256 random bits cannot be guessed, so it needs no slow hash (argon2id is for passwords).
    """
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def same(one: str, other: str) -> bool:
    """Return whether two texts are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def csrf_of(session_token: str) -> str:
    """Return the CSRF token of a session: only who has the session token can make it."""
    key = session_token.encode(errors="replace")
    return hmac.new(key, b"chengmai csrf 1", hashlib.sha256).hexdigest()


def readable_secret(random: bytes) -> str:
    """Return random bytes as groups of five characters that are easy to copy (5 bits a byte)."""
    letters = [_CROCKFORD[byte & 31] for byte in random]
    return "-".join("".join(letters[n : n + 5]) for n in range(0, len(letters), 5))


def sign_in_name(text: str) -> str | None:
    """Return the form in which a name is stored and compared, or None when nobody can have it."""
    if len(text) > LONGEST_NAME:
        return None
    name = unicodedata.normalize("NFKC", text).strip().casefold()
    return name if _NAME.fullmatch(name) else None


def checked_name(text: str) -> str:
    """Return the stored form of a new name; raises `NameInvalid`."""
    name = sign_in_name(text)
    if name is None:
        raise NameInvalid(
            f"{text!r} cannot be a sign-in name",
            param="name",
            fix="use 2 to 64 letters, digits, Chinese characters or . _ @ -",
        )
    return name


def shown_name(text: str) -> str:
    """Return a name for people to read, of a person or a machine; raises `NameInvalid`."""
    name = text.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise NameInvalid(
            f"a name for people to read has 1 to {LONGEST_NAME} printable characters",
            param="name",
            fix="shorten it, or write it without line breaks and control characters",
        )
    return name


def check_password(password: str, name: str, settings: TrustSettings) -> None:
    """Refuse a password that is too short, too long or the name itself; raises `PasswordRefused`.

    Length and no rules of composition: NIST SP 800-63B, 5.1.1.2.
    """
    shortest = settings.shortest_password
    if not shortest <= len(password) <= LONGEST_PASSWORD:
        raise PasswordRefused(
            f"a password has {shortest} to {LONGEST_PASSWORD} characters",
            param="password",
            fix="use a sentence or several words",
            shortest=shortest,
        )
    if sign_in_name(password) == name or len(set(password)) < 3:
        raise PasswordRefused(
            "the password is too easy to guess",
            param="password",
            fix="use a sentence or several words",
            shortest=shortest,
        )


def checked_roles(roles: Iterable[str]) -> frozenset[str]:
    """Return roles that one account may hold together; raises `RolesInvalid`."""
    wanted = frozenset(roles)
    if not wanted or not wanted <= ASSIGNABLE_ROLES:
        wrong = ", ".join(sorted(wanted - ASSIGNABLE_ROLES)) or "none given"
        raise RolesInvalid(
            f"roles that can be given do not include: {wrong}",
            param="roles",
            fix=f"use some of: {', '.join(sorted(ASSIGNABLE_ROLES))}",
        )
    for pair in EXCLUSIVE:
        if pair <= wanted:
            raise RolesInvalid(
                f"{' and '.join(sorted(pair))} exclude each other on one account",
                param="roles",
                fix="use two accounts, held by two people",
            )
    return wanted


def after_attempt(account: Account, now: datetime, settings: TrustSettings) -> Account:
    """Return the account with one more attempt counted, locked when it was one too many.

    The attempt is counted before the password is looked at: many attempts at the same moment would
    otherwise all see the count of the first.
    """
    served = account.locked_until is not None and now >= account.locked_until
    failures = 1 if served else account.failures + 1
    locked = now + settings.lock_for if failures >= settings.lock_after else None
    return replace(account, failures=failures, locked_until=locked)


def after_success(account: Account) -> Account:
    """Return the account with nothing held against it."""
    return replace(account, failures=0, locked_until=None)


def session_end(session: Session, settings: TrustSettings) -> datetime:
    """Return when the session ends if it is not used again."""
    return min(session.seen_at + settings.idle, session.started_at + settings.absolute)


def is_good(token: Token, secret: str, now: datetime) -> bool:
    """Return whether `secret` opens `token` at `now`."""
    right = same(token.digest, digest(secret))
    expired = token.expires_at is not None and now >= token.expires_at
    return right and token.revoked_at is None and not expired


def split_bearer(header: str) -> tuple[str, str] | None:
    """Return (token id, secret) of an `Authorization` header, or None when it is none of ours."""
    match = _TOKEN.fullmatch(header.strip())
    return None if match is None else (f"tok_{match[1]}", match[2])
