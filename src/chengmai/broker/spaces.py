"""Spaces: what lies within a snapshot (GS CIM 009 V1.9.1, clause 5.5.15), whose it is and how much it may be.

A space is a tenant that nobody can name. What is done within one is written down as done by the tenant that
the snapshot belongs to, and no more goes in than a snapshot holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson

from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import NotFound, TooLarge, Unavailable
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, Instance
from chengmai.trust.ports import Audit

MOST_ENTITIES = 10_000
MOST_INSTANCES = 100_000
"""Of all evolutions of a snapshot, those that are no longer there included."""
MOST_BYTES = 64 * 1024 * 1024
_SIGN = "#"


def is_space(tenant: str) -> bool:
    """Return whether a tenant is a space; names of others begin with a letter or a digit."""
    return tenant[:1] == _SIGN


@dataclass(frozen=True)
class Held:
    """How much a snapshot holds, or how much more it is to hold."""

    entities: int = 0
    instances: int = 0
    size: int = 0

    @property
    def is_too_much(self) -> bool:
        """Whether no snapshot holds so much."""
        return (
            self.entities > MOST_ENTITIES
            or self.instances > MOST_INSTANCES
            or self.size > MOST_BYTES
        )


class SpaceStore(Protocol):
    """Port: the spaces of snapshots that are not over."""

    def owner(self, tx: Any, space: str) -> tuple[str, str] | None:
        """Return tenant and id of the snapshot, or None when it is over."""
        ...

    def held(self, tx: Any, space: str) -> Held:
        """Return how much a snapshot holds, over or not."""
        ...

    def charge(self, tx: Any, space: str, more: Held) -> Held | None:
        """Add to what a snapshot holds and return it; None when it is over."""
        ...


def too_large(param: str | None = None) -> TooLarge:
    """Return what is wrong when a snapshot is to hold too much."""
    return TooLarge(
        f"a snapshot holds {MOST_ENTITIES} entities, {MOST_INSTANCES} instances of their past"
        f" and {MOST_BYTES} bytes at most",
        code="snapshot.size",
        param=param,
        fix="take a snapshot of less, or make another one",
    )


class Spaces:
    """Weighs what goes into spaces, and implements `trust.ports.Audit` for them and all else."""

    def __init__(self, store: SpaceStore, audit: Audit) -> None:
        self._store = store
        self._audit = audit
        self._held_still: Counter[str] = Counter()

    def hold_still(self, space: str) -> None:
        """Let nobody write to a space until it is let go as often; for the event loop."""
        self._held_still[space] += 1

    def let_go(self, space: str) -> None:
        """Undo one `hold_still`."""
        self._held_still[space] -= 1
        self._held_still += Counter()

    def is_held_still(self, space: str) -> bool:
        """Return whether nobody writes to a space now."""
        return self._held_still[space] > 0

    def line(
        self,
        tx: Any,
        actor: Actor,
        action: str,
        object_id: str,
        detail: dict[str, Any] | str,
        request_id: str = "",
    ) -> None:
        """Append a line to the chain of the actor's tenant, or of that to which the actor's space belongs.

        Raises `NotFound` when the snapshot is over, and `Unavailable` while it is copied.
        """
        if is_space(actor.tenant):
            owner = self._store.owner(tx, actor.tenant)
            if owner is None:
                raise _over()
            is_ours = actor.has_role("system")
            if self.is_held_still(actor.tenant) and not is_ours:
                raise Unavailable(
                    "the snapshot is being copied",
                    code="snapshot.copied",
                    param="NGSILD-Snapshot",
                    fix="try again in a moment",
                )
            tenant, snapshot_id = owner
            said = orjson.loads(detail) if isinstance(detail, str) else detail
            actor, detail = replace(actor, tenant=tenant), {**said, "snapshot": snapshot_id}
        self._audit.line(tx, actor, action, object_id, detail, request_id)

    def weigh(
        self,
        tx: Tx,
        tenant: str,
        before: Entity | None,
        after: Entity | None,
        told: Sequence[tuple[str, Instance]] = (),
    ) -> None:
        """Count what a change makes of an entity and its past; raises `TooLarge` when a space is full."""
        if not is_space(tenant):
            return
        more = Held(
            entities=(after is not None) - (before is not None),
            instances=len(told),
            size=_size(after) - _size(before) + sum(_size(one) for _, one in told),
        )
        held = self._store.charge(tx, tenant, more)
        if held is None:
            raise _over()
        grows = more.entities > 0 or more.instances > 0 or more.size > 0
        if grows and held.is_too_much:
            raise too_large()


def _over() -> NotFound:
    return NotFound("the snapshot is over", code="snapshot.not_found", param="NGSILD-Snapshot")


def _size(one: Any) -> int:
    return 0 if one is None else len(orjson.dumps(one))
