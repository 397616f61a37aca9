"""What working out indicators needs from others; only an adapter knows what its `tx` is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chengmai.assess.live.cases import CaseFact
from chengmai.assess.live.model import Measured, OfReadings
from chengmai.assess.registry import Registry
from chengmai.kernel.actors import Actor


@dataclass(frozen=True)
class Asked:
    """A calculation over readings in [start, end); `fresh_us` is the oldest that is still up to date."""

    id: str
    definition: OfReadings
    start_us: int
    end_us: int
    fresh_us: int


class Readings(Protocol):
    """Port: calculations over recorded readings."""

    def types(self, definition: OfReadings) -> frozenset[str] | None:
        """Return the entity types (IRIs) that a calculation reads; None when no pack has one of its views."""
        ...

    def read(self, tx: Any, tenant: str, asked: Sequence[Asked]) -> Any:
        """Return the readings that some calculations need, of one snapshot."""
        ...

    def measure(self, read: Any) -> Mapping[str, Measured]:
        """Return what the calculations found, by id. May be slow; called in a worker thread."""
        ...


class Cases(Protocol):
    """Port: the cases that were reported from an instant on, a line each."""

    def facts(self, tx: Any, tenant: str, since: datetime, now: datetime) -> list[CaseFact]: ...


class Chain(Protocol):
    """Port: the audit chain of a tenant."""

    async def check(self, tenant: str) -> tuple[int, int]:
        """Return how many lines it has, and how many of them do not hold."""
        ...


class Registries(Protocol):
    """Port: the registry of a tenant. `assess.service.AssessService` is it."""

    async def registry(self, actor: Actor) -> Registry: ...


class Past(Protocol):
    """Port: the recorded past of a numeric attribute."""

    def numbers(
        self, tx: Any, tenant: str, entity_id: str, attribute: str, start_us: int, end_us: int
    ) -> Sequence[tuple[int, float]]:
        """Return (instant in µs, value) in [start, end), in order of time."""
        ...

    def numbers_of(
        self,
        tx: Any,
        tenant: str,
        entity_ids: Sequence[str],
        attribute: str,
        start_us: int,
        end_us: int,
    ) -> Mapping[str, Sequence[tuple[int, float]]]:
        """Return what `numbers` does of each of some entities; one without any may be left out."""
        ...

    async def import_values(
        self, tenant: str, block_id: str, values: Sequence[tuple[str, str, int, float, str]]
    ) -> bool:
        """Bring in (entity, attribute IRI, instant in µs, value, unit) of the past; of a block id only once."""
        ...
