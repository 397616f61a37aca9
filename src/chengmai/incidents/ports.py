"""What incidents need from a storage engine. A port takes `tx` as `Any`: only the adapter knows what it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from chengmai.incidents.budget import Shown
from chengmai.incidents.model import Incident, LogLine, Nature, State


class IncidentStore(Protocol):
    """Port: incidents as they stand, their log, and what was shown to whom. The log is only ever added to."""

    def next_number(self, tx: Any, tenant: str, day: str) -> int:
        """Return 1 for the first incident of a tenant on `day` (yyyymmdd), then 2, and so on, without gaps."""
        ...

    def put(self, tx: Any, incident: Incident) -> None:
        """Create or replace an incident."""
        ...

    def get(self, tx: Any, tenant: str, incident_id: str) -> Incident | None:
        """Return the incident, or None."""
        ...

    def open_of_vital(self, tx: Any, tenant: str, vital: str, nature: Nature) -> Incident | None:
        """Return the open incident that a vital sign is a member of, or None."""
        ...

    def recent(self, tx: Any, tenant: str, nature: Nature, since: datetime) -> list[Incident]:
        """Return those open, and those that ended at `since` or later; the oldest first."""
        ...

    def page(
        self, tx: Any, tenant: str, states: Sequence[State], *, limit: int, offset: int
    ) -> tuple[list[Incident], int]:
        """Return a part of those in `states`, the newest first, and how many there are."""
        ...

    def append(self, tx: Any, line: LogLine) -> None:
        """Add a line to the log of an incident; a second line with its number is an error."""
        ...

    def log(self, tx: Any, tenant: str, incident_id: str) -> list[LogLine]:
        """Return the log of an incident, the oldest line first."""
        ...

    def line_by_key(self, tx: Any, tenant: str, by_id: str, key: str) -> LogLine | None:
        """Return the line that an actor wrote with an idempotency key, or None."""
        ...

    def steps_since(self, tx: Any, tenant: str, since: datetime) -> dict[str, int]:
        """Return how many log lines of each step were written at `since` or later."""
        ...

    def shown(
        self, tx: Any, tenant: str, since: datetime, person: str | None = None
    ) -> list[Shown]:
        """Return what was shown or held back at `since` or later, to one person or to all, the oldest first."""
        ...

    def known_to(self, tx: Any, tenant: str, person: str, alarms: Sequence[str]) -> list[Shown]:
        """Return what a person was shown, or was kept from, of these alarms."""
        ...

    def keep_shown(self, tx: Any, tenant: str, shown: Shown) -> None:
        """Write down that an alarm was shown to a person or held back; what was held may be shown later."""
        ...
