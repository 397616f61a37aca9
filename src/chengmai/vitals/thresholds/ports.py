"""What changing thresholds needs: a place where they are kept."""

from __future__ import annotations

from typing import Any, Protocol

from chengmai.vitals.thresholds.model import Change, ChangeState


class ChangeStore(Protocol):
    """Port: changes of thresholds. What is in it decides levels; the entities beside it only tell of it."""

    def put(self, tx: Any, tenant: str, change: Change) -> None:
        """Keep a change in place of its earlier version."""
        ...

    def get(self, tx: Any, tenant: str, change_id: str) -> Change | None:
        """Return a change, or None."""
        ...

    def find(
        self, tx: Any, tenant: str, state: ChangeState | None = None, *, limit: int = 1000
    ) -> list[Change]:
        """Return changes in the order in which they were proposed, the newest `limit` of them."""
        ...
