"""Identifiers: URNs for entities, prefixed ULIDs for our own records."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import datetime

from chengmai.kernel.instants import to_us

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_UNSAFE = re.compile(r"[^A-Za-z0-9._\-\u4e00-\u9fff]+")

RandomBits = Callable[[int], int]


def ulid(at: datetime, random_bits: RandomBits = secrets.randbits) -> str:
    """Return a 26-character ULID: 48 bits of milliseconds, then 80 random bits, in Crockford base 32."""
    number = ((to_us(at) // 1000) << 80) | random_bits(80)
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def new_id(prefix: str, at: datetime, random_bits: RandomBits = secrets.randbits) -> str:
    """Return `<prefix>_<ulid>`: the kind of record is readable in any log line."""
    return f"{prefix}_{ulid(at, random_bits)}"


def urn(entity_type: str, *parts: str) -> str:
    """Return `urn:ngsi-ld:<Type>:<part>:…`; characters that a URN may not hold become `-`."""
    return ":".join(["urn:ngsi-ld", entity_type, *(_UNSAFE.sub("-", part) for part in parts)])
