"""The audit trail: one chain of records a tenant, each holding the hash of the one before.

A record is hashed as canonical JSON (keys sorted, no blanks, ASCII escapes) with SHA-256. Changing, removing,
inserting or moving a record breaks the chain there; removing the newest ones is seen by who kept the head.
Persons appear by the id of their account and in no other way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any, Literal, NamedTuple

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import to_us
from chengmai.kernel.work import Tx, Work
from chengmai.trust.policy import allow
from chengmai.trust.ports import AuditStore

Why = Literal["changed", "missing", "out_of_order", "unlinked", "head"]


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


class AuditRecord(NamedTuple):
    """One line. `detail` is canonical JSON text; `at_us` is real time, whatever the city's clock says."""

    seq: int
    at_us: int
    tenant: str
    actor: str
    action: str
    object: str
    detail: str
    request_id: str
    prev_hash: str
    hash: str


class Head(NamedTuple):
    """The newest record of a chain; keep it elsewhere to notice when the end is cut off."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Broken:
    """A place where the chain does not hold: `position` in the list given, and the record's `seq`."""

    position: int
    seq: int
    why: Why


def canonical(value: Any) -> str:
    """Return the one JSON text of `value`: sorted keys, no blanks, ASCII only."""
    return _CANONICAL.encode(value)


def genesis(tenant: str) -> Head:
    """Return the head of an empty chain; it differs by tenant, so chains cannot be swapped."""
    return Head(0, hashlib.sha256(f"chengmai audit {tenant}".encode()).hexdigest())


def hash_of(record: AuditRecord) -> str:
    """Return the SHA-256 over everything in the record but its own hash."""
    return _hash(*record[:-1])


def chained(
    after: Head,
    *,
    at_us: int,
    tenant: str,
    actor: str,
    action: str,
    object_id: str,
    detail: str,
    request_id: str,
) -> AuditRecord:
    """Return the record that follows `after`."""
    seq, link = after[0] + 1, after[1]
    told = (seq, at_us, tenant, actor, action, object_id, detail, request_id, link)
    return AuditRecord(*told, _hash(*told))


def _hash(
    seq: int,
    at_us: int,
    tenant: str,
    actor: str,
    action: str,
    object_id: str,
    detail: str,
    request_id: str,
    prev_hash: str,
) -> str:
    # The canonical text, put together by hand: this runs for every change there is.
    text = (
        f'{{"action":{_quoted(action)},"actor":{_quoted(actor)},"at_us":{at_us:d}'
        f',"detail":{_quoted(detail)},"object":{_quoted(object_id)},"prev_hash":{_quoted(prev_hash)}'
        f',"request_id":{_quoted(request_id)},"seq":{seq:d},"tenant":{_quoted(tenant)}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


_quoted = encode_basestring_ascii


def verify(records: Sequence[AuditRecord], start: Head, end: Head | None = None) -> list[Broken]:
    """Return where the chain from `start` does not hold, in order; empty when it is whole.

    `start` is `genesis(tenant)` or a head kept earlier; with `end` the newest record must be that one.
    """
    broken: list[Broken] = []
    last = start
    for position, record in enumerate(records):
        why = _why(record, last)
        if why is not None:
            broken.append(Broken(position, record.seq, why))
        last = Head(record.seq, record.hash)
    if end is not None and last != end:
        broken.append(Broken(max(len(records) - 1, 0), last.seq, "head"))
    return broken


def _why(record: AuditRecord, last: Head) -> Why | None:
    if record.hash != hash_of(record):
        return "changed"
    if record.seq > last.seq + 1:
        return "missing"
    if record.seq <= last.seq:
        return "out_of_order"
    return "unlinked" if record.prev_hash != last.hash else None


class AuditTrail:
    """Writes the chain, and lets auditors read and check it. Implements `trust.ports.Audit`."""

    def __init__(self, work: Work[Tx], store: AuditStore, clock: Clock) -> None:
        self._work, self._store, self._clock = work, store, clock

    def line(
        self,
        tx: Tx,
        actor: Actor,
        action: str,
        object_id: str,
        detail: dict[str, Any] | str,
        request_id: str = "",
    ) -> None:
        """Append a line to the chain of the actor's tenant, in the transaction of what it tells.

        `detail` as text is what `canonical` made of it.
        """
        head = self._store.head(tx, actor.tenant) or genesis(actor.tenant)
        record = chained(
            head,
            at_us=to_us(self._clock.now()),
            tenant=actor.tenant,
            actor=actor.id,
            action=action,
            object_id=object_id,
            detail=detail if isinstance(detail, str) else canonical(detail),
            request_id=request_id,
        )
        self._store.append(tx, record)

    async def read(self, by: Actor, *, after: int = 0, limit: int = 100) -> list[AuditRecord]:
        """Return the records that follow sequence number `after`; raises `ActionNotAllowed`."""
        allow(by, "audit.read")
        size = min(max(limit, 1), 1000)
        return await self._work.read(lambda tx: self._store.read(tx, by.tenant, after, size))

    async def head(self, by: Actor) -> Head:
        """Return the newest record's number and hash, to keep in another place."""
        allow(by, "audit.read")
        found = await self._work.read(lambda tx: self._store.head(tx, by.tenant))
        return found or genesis(by.tenant)

    async def check(self, by: Actor, end: Head | None = None) -> list[Broken]:
        """Return where the chain of the auditor's tenant is broken; empty when it is whole."""
        allow(by, "audit.read")
        broken: list[Broken] = []
        last, seen = genesis(by.tenant), 0
        while part := await self.read(by, after=last.seq, limit=1000):
            found = verify(part, last)
            broken += [Broken(seen + one.position, one.seq, one.why) for one in found]
            last, seen = Head(part[-1].seq, part[-1].hash), seen + len(part)
        if end is not None and last != end:
            broken.append(Broken(max(seen - 1, 0), last.seq, "head"))
        return broken
