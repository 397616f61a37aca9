"""Who this broker is to others that ask it (GS CIM 009 V1.9.1, clauses 5.2.40 and 5.15)."""

from __future__ import annotations

from typing import Any

from chengmai.broker.distribution.loops import HostAlias
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import format_duration, format_instant


class SourceIdentity:
    """Tells the alias of each tenant, and since when this process runs."""

    def __init__(self, alias: HostAlias, clock: Clock) -> None:
        self._alias = alias
        self._clock = clock
        self._since = clock.now()

    def of(self, tenant: str) -> dict[str, Any]:
        """Return the ContextSourceIdentity of a tenant; its alias is what others see in `Via`."""
        alias, now = self._alias.of(tenant), self._clock.now()
        return {
            "id": f"urn:ngsi-ld:ContextSourceIdentity:{alias}",
            "type": "ContextSourceIdentity",
            "contextSourceAlias": alias,
            "contextSourceUptime": format_duration(now - self._since),
            "contextSourceTimeAt": format_instant(now),
        }
