"""What cases need from a storage engine.

A port takes `tx` as `Any`: only the adapter knows what its transaction really is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from chengmai.cases.model import Case, CaseLoad, LogLine, State


class CaseStore(Protocol):
    """Port: cases as they stand, and their log. The log is only ever added to."""

    def next_number(self, tx: Any, tenant: str, day: str) -> int:
        """Return 1 for the first case of a tenant on `day` (yyyymmdd), then 2, and so on, without gaps."""
        ...

    def put(self, tx: Any, case: Case) -> None:
        """Create or replace a case."""
        ...

    def get(self, tx: Any, tenant: str, case_id: str) -> Case | None:
        """Return the case, or None."""
        ...

    def live_of_vital(self, tx: Any, tenant: str, vital: str) -> Case | None:
        """Return the case of a vital sign that has not ended, or None."""
        ...

    def live_of_sensor(self, tx: Any, tenant: str, vital: str) -> Case | None:
        """Return the case of data quality about a vital sign's sensor that has not ended, or None."""
        ...

    def of_vital(self, tx: Any, tenant: str, vital: str, limit: int) -> list[Case]:
        """Return the cases of a vital sign, the newest first."""
        ...

    def queue(
        self,
        tx: Any,
        tenant: str,
        states: Sequence[State],
        unit: str | None,
        *,
        limit: int,
        offset: int,
    ) -> list[Case]:
        """Return cases in `states`: by deadline, the earliest first; without one, the latest moved first."""
        ...

    def count(self, tx: Any, tenant: str, unit: str | None = None) -> dict[State, int]:
        """Return how many cases stand in each state; a state without cases is left out."""
        ...

    def load(self, tx: Any, tenant: str, now: datetime, since: datetime) -> CaseLoad:
        """Return how much work a tenant has at `now`, and what was opened and handled since."""
        ...

    def append(self, tx: Any, line: LogLine) -> None:
        """Add a line to the log of a case; a second line with its number is an error."""
        ...

    def log(self, tx: Any, tenant: str, case_id: str) -> list[LogLine]:
        """Return the log of a case, the oldest line first."""
        ...

    def line_by_key(self, tx: Any, tenant: str, by_id: str, key: str) -> LogLine | None:
        """Return the line that an actor wrote with an idempotency key, or None."""
        ...
