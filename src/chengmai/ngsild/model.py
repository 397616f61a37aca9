"""The port through which every room reads and writes the one model."""

from __future__ import annotations

from typing import Protocol

from chengmai.kernel.actors import Actor
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity


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
