"""Password hashes: argon2id."""

from __future__ import annotations

from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


class Passwords(Protocol):
    """Port: a slow, salted hash. Its calls take a noticeable time and belong on a thread."""

    def hash(self, password: str) -> str:
        """Return the hash to store."""
        ...

    def verify(self, stored: str, password: str) -> bool:
        """Return whether `password` made `stored`."""
        ...

    def is_outdated(self, stored: str) -> bool:
        """Return whether `stored` was made with weaker parameters than today's."""
        ...


class Argon2:
    """Implements `Passwords` with argon2id, by default RFC 9106's second recommended option (64 MiB)."""

    def __init__(self, *, time_cost: int = 3, memory_kib: int = 65536, lanes: int = 4) -> None:
        self._hasher = PasswordHasher(time_cost, memory_kib, lanes)

    def hash(self, password: str) -> str:
        return self._hasher.hash(password.encode(errors="surrogatepass"))

    def verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password.encode(errors="surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)
