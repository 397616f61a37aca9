"""What the room needs: a place for counts, and for marks of who has answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from chengmai.assess.surveys.results import Counts
from chengmai.kernel.actors import Actor


class SurveyStore(Protocol):
    """Port: counts of answers, and marks that somebody has answered. Nothing joins a mark to an answer."""

    def counts(self, tx: Any, tenant: str, survey: str) -> Counts:
        """Return how often each answer was given."""
        ...

    def add(
        self, tx: Any, tenant: str, survey: str, stratum: str, choices: Mapping[str, str]
    ) -> None:
        """Count one answer: an option by question."""
        ...

    def replace(self, tx: Any, tenant: str, survey: str, counts: Counts) -> None:
        """Keep these counts in place of all that were kept."""
        ...

    def mark(self, tx: Any, tenant: str, survey: str, who: str) -> bool:
        """Keep a mark; return False where it was there."""
        ...

    def forget_marks(self, tx: Any, tenant: str, survey: str) -> None:
        """Forget who has answered."""
        ...


class Audit(Protocol):
    """Port: the audit trail. `trust.audit.AuditTrail` is it."""

    def line(
        self, tx: Any, actor: Actor, action: str, object_id: str, detail: dict[str, Any] | str
    ) -> None:
        """Append a line in the transaction of what it tells."""
        ...
