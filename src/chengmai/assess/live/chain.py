"""How much of the audit chain holds, without reading all of it every time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.trust.audit import AuditTrail, Head, genesis, verify

_PART = 1000
_ANEW = timedelta(days=1)


@dataclass(frozen=True)
class _Checked:
    """How far a chain was checked, since when, and how many of its lines do not hold."""

    begun: datetime
    head: Head
    broken: int


class ChainWatch:
    """Implements `ports.Chain`: new lines are checked at each look, the whole chain anew once a day."""

    def __init__(self, audit: AuditTrail, clock: Clock) -> None:
        self._audit, self._clock = audit, clock
        self._checked: dict[str, _Checked] = {}

    async def check(self, tenant: str) -> tuple[int, int]:
        """Return how many lines the chain of a tenant has, and how many of them do not hold."""
        by = Actor("sys:assess", tenant, frozenset({"auditor"}), "assess")
        now = self._clock.now()
        kept = self._checked.get(tenant)
        if kept is None or now - kept.begun >= _ANEW:
            kept = _Checked(now, genesis(tenant), 0)
        head, broken = kept.head, kept.broken
        while part := await self._audit.read(by, after=head.seq, limit=_PART):
            broken += len(verify(part, head))
            head = Head(part[-1].seq, part[-1].hash)
        self._checked[tenant] = _Checked(kept.begun, head, broken)
        return head.seq, broken
