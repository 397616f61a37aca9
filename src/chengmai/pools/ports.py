"""What the room needs: the steps of members, foresight, and a place for suggestions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chengmai.kernel.clock import Clock
from chengmai.kernel.events import Events
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.model import Model
from chengmai.pools.model import Hour, Pool, State, Suggestion
from chengmai.trust.ports import Audit

Points = Sequence[tuple[int, float]]


class Uses(Protocol):
    """Port: how the members of a pool were used, by the queries of `pools.sql`."""

    def read(self, tx: Any, tenant: str, pool: Pool, start_us: int, end_us: int) -> Any:
        """Return the readings of the members in [start, end), in a form that `measure` takes."""
        ...

    def measure(
        self, pool: Pool, rows: Any, start_us: int, end_us: int
    ) -> dict[str, dict[int, Hour]]:
        """Return the steps of each member by its id and tick. May be slow; called in a worker thread."""
        ...


class Foresight(Protocol):
    """Port: looks ahead on series. Pure numerics; called in a worker thread."""

    def span_s(self, step_s: int, season_s: int) -> int:
        """Return how many seconds of history a forecast likes to see."""
        ...

    def forecasts(
        self,
        key: str,
        points: Mapping[str, Points],
        *,
        step_s: int,
        season_s: int,
        horizon: int = 24,
    ) -> dict[str, dict[str, Any]]:
        """Return the forecast of each series of a group, with interval, naive, back-test and verdict."""
        ...


class Suggestions(Protocol):
    """Port: suggestions as they stand. The entity is what others see; this decides."""

    def get(self, tx: Any, tenant: str, suggestion_id: str) -> Suggestion | None:
        """Return a suggestion, or None."""
        ...

    def put(self, tx: Any, suggestion: Suggestion) -> None:
        """Keep a suggestion in place of what was kept of it."""
        ...

    def of_pool(
        self,
        tx: Any,
        tenant: str,
        pack: str,
        pool: str,
        *,
        states: Sequence[State] | None = None,
        limit: int = 50,
    ) -> list[Suggestion]:
        """Return the suggestions of a pool in some states, the newest first."""
        ...


@dataclass(frozen=True)
class Ports:
    """Everything the room works through."""

    work: Work[Tx]
    model: Model
    uses: Uses
    foresight: Foresight
    suggestions: Suggestions
    events: Events
    audit: Audit
    clock: Clock
