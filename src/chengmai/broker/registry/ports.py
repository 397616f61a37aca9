"""What the registry needs from a store. A port takes `tx` as `Any`: only the adapter knows what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass
class Tally:
    """What became of the requests that were forwarded to a source; instants in microseconds since 1970."""

    tenant: str
    id: str
    times_sent: int = 0
    times_failed: int = 0
    last_success_us: int | None = None
    last_failure_us: int | None = None


class RegistrationStore(Protocol):
    """Port: keeps registrations."""

    def all(self, tx: Any) -> list[tuple[str, dict[str, Any]]]:
        """Return (tenant, document) of every registration, ordered."""
        ...

    def get(self, tx: Any, tenant: str, registration_id: str) -> dict[str, Any] | None:
        """Return the document of a registration, or None."""
        ...

    def put(self, tx: Any, tenant: str, document: dict[str, Any]) -> None:
        """Create or replace a registration."""
        ...

    def remove(self, tx: Any, tenant: str, registration_id: str) -> bool:
        """Delete a registration and its tally; return whether it was there."""
        ...

    def tallies(self, tx: Any) -> list[Tally]:
        """Return what became of forwarded requests, for every source that was ever asked."""
        ...

    def put_tally(self, tx: Any, tally: Tally) -> None:
        """Create or replace the tally of a source."""
        ...
