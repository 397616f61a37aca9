"""The port through which every room reads and writes the one model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from chengmai.kernel.actors import Actor
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, Instance


class Committed(NamedTuple):
    """One change as it is written: the entity after it (None: deleted) and the instances that were written.

    With `is_late` the instances belong to the past, and `entity` is what stands now.
    """

    tenant: str
    entity_id: str
    entity: Entity | None
    changes: Sequence[tuple[str, Instance]] = ()
    is_late: bool = False


OnCommit: TypeAlias = Callable[[Tx, Committed], None]
"""Hears of every change inside its transaction; what it raises undoes the change."""


class Model(Protocol):
    """Port: the live model inside a transaction. The broker provides it; its commit path does the rest.

    What is written goes to state, history and outbox in the transaction `tx`, or not at all.
    """

    def get(self, tx: Tx, tenant: str, entity_id: str) -> Entity | None:
        """Return the entity, or None."""
        ...

    def put(self, tx: Tx, entity: Entity, *, by: Actor, note: str = "") -> None:
        """Create the entity, or append and overwrite the attribute instances that `entity` carries.

        The tenant is the actor's. `note` says in the audit line why.
        """
        ...

    def remove(self, tx: Tx, tenant: str, entity_id: str, *, by: Actor, note: str = "") -> bool:
        """Delete the entity; return whether it was there."""
        ...

    def find(
        self, tx: Tx, tenant: str, entity_type: str, *, q: str | None = None, limit: int = 1000
    ) -> list[Entity]:
        """Return entities of one of our types (short name), ordered by id, that match an NGSI-LD `q`."""
        ...


class Shelves(Model, Protocol):
    """Port: a model that also yields the entities of a type one by one. The broker provides it."""

    def each(self, tx: Tx, tenant: str, entity_type: str) -> Iterator[Entity]:
        """Yield all entities of one of our types, one by one: of any number, never all in memory."""
        ...
