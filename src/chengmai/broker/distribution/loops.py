"""Loops: every broker signs the requests it forwards, and knows its own signature again (clause 6.3.18)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_PROTOCOL = "1.1"


class HostAlias:
    """The name of this broker in `Via` headers: one for each tenant, and always the same (clause 5.2.40).

    `name` is that of the city's own tenant, `own`; the others are derived from it, so that two tenants of
    one broker may well be sources of each other.
    """

    def __init__(self, name: str, own: str) -> None:
        self._name = name
        self._own = own

    def of(self, tenant: str) -> str:
        """Return the alias of a tenant."""
        if tenant == self._own:
            return self._name
        return f"{self._name}-{hashlib.sha256(tenant.encode()).hexdigest()[:12]}"


def via_entries(header: str) -> tuple[str, ...]:
    """Return the aliases that a `Via` header names, in the order of the hops (RFC 9110, 7.6.3)."""
    if not header:
        return ()
    found = []
    for part in header.split(","):
        words = part.split()
        if words:
            found.append(words[1] if len(words) > 1 else words[0])
    return tuple(found)


def via_header(entries: Sequence[str]) -> str:
    """Return the value of a `Via` header."""
    return ", ".join(f"{_PROTOCOL} {one}" for one in entries)
