"""Entities as they were at an instant: what a registry said then, and not what is known now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from chengmai.kernel.instants import parse_us, to_us
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, Instance, attribute_names
from chengmai.ngsild.temporal import TemporalQuery


class Past(Protocol):
    """Port: the history of entities. `store.history.EmbeddedHistory` is it."""

    def past(
        self,
        tx: Any,
        tenant: str,
        entity_id: str,
        window: TemporalQuery,
        *,
        attributes: Sequence[str] | None = None,
        first_n: int | None = None,
    ) -> dict[str, list[Instance]]:
        """Return the instances in a window of each attribute."""
        ...


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a day of the city ends."""
    return datetime.combine(day + timedelta(days=1), time(), zone)


class AsOf:
    """Turns entities as they stand into what they were at an instant, inside a transaction."""

    def __init__(self, past: Past, tx: Tx, tenant: str, at: datetime) -> None:
        self._past, self._tx, self._tenant, self._until_us = past, tx, tenant, to_us(at)

    def __call__(self, entity: Entity) -> Entity | None:
        """Return the entity as it was, or None where it was not there yet.

        The history is asked only about one that has changed since.
        """
        if not self._is_before(entity.get("createdAt")):
            return None
        if self._is_before(entity.get("modifiedAt")):
            return entity
        window = TemporalQuery(timeproperty="modifiedAt", end_us=self._until_us, last_n=1)
        found = self._past.past(self._tx, self._tenant, entity["id"], window)
        names = set(attribute_names(entity))
        was: Entity = {key: one for key, one in entity.items() if key not in names}
        for name, instances in found.items():
            if ":" in name and instances and "deletedAt" not in instances[0]:
                was[name] = [instances[0]]
        return was

    def _is_before(self, instant: str | None) -> bool:
        return instant is None or parse_us(instant) < self._until_us
