"""What clients may not write: entities that the platform itself publishes, and those that a gate refuses.

A case, a vital sign or a rule's firing is an entity so that everybody can read it and subscribe to it. What
it says is decided elsewhere, by the room that publishes it; a client that overwrote it would tell others
what never was. Other types are clients' to write, and have to be what they say: a gate of the room they belong
to looks at each as it would be afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from chengmai.broker.commit import CommitPath
from chengmai.broker.ports import EntityStore
from chengmai.broker.problems import EntityPublished
from chengmai.broker.spaces import is_space
from chengmai.kernel.actors import Actor
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.patch import PatchResult

Gate = Callable[[Tx, str, Entity], None]
"""Lets an entity of a tenant pass, or raises a problem."""


class ClientCommit:
    """The commit path as clients have it: raises `EntityPublished` for entities of the types in `published`.

    `published` are type IRIs, `gates` look at entities of other types before they are written. The copies in a
    snapshot are anybody's to change.
    """

    def __init__(
        self,
        commit: CommitPath,
        entities: EntityStore,
        published: frozenset[str] = frozenset(),
        gates: Mapping[str, Gate] | None = None,
    ) -> None:
        self._commit, self._entities, self._published = commit, entities, published
        self._gates = gates or {}

    def get(self, tx: Tx, tenant: str, entity_id: str) -> Entity | None:
        """Return an entity that is to be changed, or None."""
        found = self._entities.get(tx, tenant, entity_id)
        self._check(tenant, found)
        return found

    def create(self, tx: Tx, entity: Entity, *, by: Actor) -> None:
        """Write an entity that is known not to exist."""
        self._check(by.tenant, entity)
        self._pass(tx, by.tenant, entity)
        self._commit.create(tx, entity, by=by)

    def save(
        self,
        tx: Tx,
        before: Entity | None,
        result: PatchResult,
        *,
        by: Actor,
        action: str,
        history: Sequence[tuple[str, Instance]] | None = None,
    ) -> None:
        """Commit what a patch made of an entity."""
        self._check(by.tenant, before)
        self._check(by.tenant, result.entity)
        self._pass(tx, by.tenant, result.entity)
        self._commit.save(tx, before, result, by=by, action=action, history=history)

    def remove(self, tx: Tx, tenant: str, entity_id: str, *, by: Actor, note: str = "") -> bool:
        """Delete an entity; return whether it was there."""
        if self._published:
            self.get(tx, tenant, entity_id)
        return self._commit.remove(tx, tenant, entity_id, by=by, note=note)

    def _check(self, tenant: str, entity: Entity | None) -> None:
        if entity is None or self._published.isdisjoint(entity["type"]) or is_space(tenant):
            return
        names = sorted(self._published.intersection(entity["type"]))
        raise EntityPublished(entity["id"], names[0])

    def _pass(self, tx: Tx, tenant: str, entity: Entity) -> None:
        for one in entity["type"]:
            gate = self._gates.get(one)
            if gate is not None and not is_space(tenant):
                gate(tx, tenant, entity)
