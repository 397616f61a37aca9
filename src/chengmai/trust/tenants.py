"""Which tenants there are (GS CIM 009 V1.9.1, clauses 4.14 and 5.5.10).

A tenant exists from the first change that was made in it: its audit chain begins in the same transaction, and
a chain is never deleted. So there is no list of tenants that could disagree with what they hold.
"""

from __future__ import annotations

import re

from chengmai.kernel.work import Tx, Work
from chengmai.trust.ports import AuditStore
from chengmai.trust.problems import TenantInvalid, TenantNotFound

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~@/-]{0,254}")
_MOST_REMEMBERED = 10_000


class Tenants:
    """Knows which tenants exist; the city's own always does."""

    def __init__(self, work: Work[Tx], chains: AuditStore, own: str) -> None:
        self._work = work
        self._chains = chains
        self._known = {own}

    async def exists(self, tenant: str) -> bool:
        """Return whether anything was ever made in a tenant, or an account of it."""
        if tenant in self._known:
            return True
        head = await self._work.read(lambda tx: self._chains.head(tx, tenant))
        if head is None:
            return False
        if len(self._known) < _MOST_REMEMBERED:
            self._known.add(tenant)
        return True

    async def check(self, tenant: str) -> None:
        """Return when a tenant exists; raises `TenantNotFound`."""
        if not await self.exists(tenant):
            raise TenantNotFound(tenant)


def check_name(tenant: str) -> None:
    """Raise `TenantInvalid` when a name cannot be that of a tenant."""
    if _NAME.fullmatch(tenant) is None:
        raise TenantInvalid(tenant)
