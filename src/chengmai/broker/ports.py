"""What the broker needs from a storage engine and from other rooms."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from chengmai.broker.model import Stored
from chengmai.kernel.geo import Box
from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.q import Query
from chengmai.ngsild.temporal import TemporalQuery


@dataclass(frozen=True)
class Candidates:
    """Which entities may match: a superset that the engine can find by an index.

    `types` is a union of type IRIs, `ids` a set of ids; None means any. `box` is a box of `location`.
    `id_prefix` is what every id begins with, `after` an id that all come after; of `q` the engine uses
    what it has an index for.
    """

    types: Sequence[str] | None = None
    ids: Sequence[str] | None = None
    box: Box | None = None
    id_prefix: str = ""
    after: str = ""
    q: Query | None = None


Rank: TypeAlias = tuple[int, Any]
"""What a value is ordered by: the rank of its data type, and the value."""


@dataclass(frozen=True)
class DueNotification:
    """One row of the outbox: `body` is the entity as JSON for the receiver."""

    seq: int
    entity: str
    body: bytes
    created_us: int


@dataclass
class Mark:
    """What became of notifications of a subscription since it was last written; instants are of attempts."""

    key: tuple[str, str]
    seqs: list[int] = field(default_factory=list)
    sent: int = 0
    failed: int = 0
    last_us: int = 0
    success_us: int | None = None
    failure_us: int | None = None
    is_ok: bool = True

    def note(self, seqs: Sequence[int], at_us: int, *, failed: bool, again: bool) -> None:
        """Add an attempt; of one made `again` only the outcome counts. `seqs` are what it told, if it did."""
        count = 0 if again else 1
        self.sent += count
        self.last_us, self.is_ok = at_us, not failed
        if failed:
            self.failed += count
            self.failure_us = at_us
        else:
            self.seqs += seqs
            self.success_us = at_us

    def followed_by(self, later: Mark) -> Mark:
        """Return this and what came after it as one."""
        return Mark(
            self.key,
            [*self.seqs, *later.seqs],
            self.sent + later.sent,
            self.failed + later.failed,
            later.last_us,
            later.success_us or self.success_us,
            later.failure_us or self.failure_us,
            later.is_ok,
        )


@dataclass(frozen=True)
class Tally:
    """What became of all notifications of a subscription; instants in microseconds, None for never."""

    sent: int
    failed: int
    last_us: int
    success_us: int | None
    failure_us: int | None
    is_ok: bool


class EntityStore(Protocol):
    """Port: current state. Reading sees committed data and, in a write, its own changes."""

    def get(self, tx: Any, tenant: str, entity_id: str) -> Entity | None:
        """Return the entity, or None."""
        ...

    def put(self, tx: Any, tenant: str, entity: Entity, before: Entity | None) -> bytes:
        """Create or replace the entity as a whole; `before` is what `get` returned in `tx`. Return its JSON."""
        ...

    def remove(self, tx: Any, tenant: str, entity_id: str) -> bool:
        """Delete the entity; return whether it was there."""
        ...

    def candidates(
        self,
        tx: Any,
        tenant: str,
        which: Candidates,
        *,
        limit: int | None = None,
        offset: int = 0,
    ) -> Iterator[Entity]:
        """Yield entities that may match, each once, ordered by id; of those, a page."""
        ...

    def rows(self, tx: Any, tenant: str, which: Candidates) -> Generator[Stored, None, None]:
        """Yield all that `candidates` yields, as they lie in the store."""
        ...

    def marked(
        self, tx: Any, tenant: str, which: Candidates, inner: Box | None, *, limit: int
    ) -> list[tuple[int, bytes, bool]]:
        """Return the first of what `rows` yields, and of each whether `q` and place need no judgement.

        The place does not when `location` lies inside `inner`, or no box was asked for.
        """
        ...

    def count(self, tx: Any, tenant: str, which: Candidates) -> int:
        """Return how many entities `candidates` yields."""
        ...

    def stored(self, tx: Any, tenant: str, entity_id: str) -> Stored | None:
        """Return the entity as it lies in the store, or None."""
        ...

    def in_order(
        self, tx: Any, tenant: str, which: Candidates, attribute: str, *, descending: bool
    ) -> Iterator[tuple[Rank, Stored]] | None:
        """Yield candidates by the plain values of an attribute, as `ngsild.ordering` ranks them, then by id.

        An entity comes once for each of its values; one without a value does not come. None: there is no
        index that can tell, or few entities are meant, which are better sorted.
        """
        ...

    def exact(
        self,
        tx: Any,
        tenant: str,
        which: Candidates,
        *,
        limit: int,
        offset: int,
        count: bool,
    ) -> tuple[list[Stored], int | None] | None:
        """Return a page of what `candidates` yields and, with `count`, how many there are.

        None when it cannot tell without `ngsild.q` whether all of them match `which.q`.
        """
        ...

    def types(self, tx: Any, tenant: str) -> list[tuple[str, int]]:
        """Return (type IRI, number of entities), ordered by type."""
        ...

    def attributes(self, tx: Any, tenant: str) -> list[tuple[str, str, str]]:
        """Return every (type IRI, attribute IRI, kind) that occurs, ordered."""
        ...

    def attribute_count(self, tx: Any, tenant: str, attribute: str) -> int:
        """Return how many instances of an attribute there are."""
        ...


class Chronicle(Protocol):
    """Port: the history, as far as the commit path writes to it."""

    def record(
        self,
        tx: Any,
        tenant: str,
        entity_id: str,
        changes: Sequence[tuple[str, Instance]],
        *,
        stamped: bool = False,
    ) -> None:
        """Keep each (attribute IRI, instance) as it became true.

        It is recorded now; of one that is `stamped` the instants stay as it tells them (`modifiedAt`,
        `createdAt`), and so does its `instanceId`.
        """
        ...

    def forget(
        self,
        tx: Any,
        tenant: str,
        entity_id: str,
        attribute: str | None = None,
        dataset_id: str | None = None,
    ) -> None:
        """Hide what was recorded so far of an entity, of one attribute, or of one of its instances."""
        ...

    def note_deleted(
        self, tx: Any, tenant: str, entity_id: str, removed: Sequence[tuple[str, Instance]]
    ) -> None:
        """Keep that each (attribute IRI, instance as it was) ended now; its past stays (clause 4.5.7)."""
        ...

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
        """Return the instances in a window of each attribute, oldest first.

        With `first_n` the oldest of each series, unless the window asks for the last ones.
        """
        ...

    def summaries(
        self,
        tx: Any,
        tenant: str,
        entity_id: str,
        window: TemporalQuery,
        *,
        attributes: Sequence[str] | None = None,
        datasets: AbstractSet[str] | None = None,
        most: int = 100_000,
    ) -> dict[str, list[Instance]] | None:
        """Return what `ngsild.aggregates` makes of `past`, one summary an attribute and datasetId.

        A summary is `{"type": …, "datasetId": …?, "aggregates": {method: [[value, start, end], …]}}`. None when
        a series that holds more than numbers has more than `most` instances.
        """
        ...

    def has_past(self, tx: Any, tenant: str, entity_id: str, attribute: str | None = None) -> bool:
        """Return whether anything is kept of an entity, or of one of its attributes."""
        ...

    def edit_instance(
        self,
        tx: Any,
        tenant: str,
        entity_id: str,
        attribute: str,
        instance_id: str,
        change: Callable[[Instance], Instance | None],
    ) -> bool:
        """Put what `change` makes of an instance in its place (None: nothing); return whether it was there."""
        ...


class TransientStore(Protocol):
    """Port: which entities have something that expires, and what is left of those that expired."""

    def put(self, tx: Any, tenant: str, entity_id: str, due_us: int | None) -> None:
        """Note when first something of an entity expires; None for never."""
        ...

    def due(self, tx: Any, now_us: int, limit: int) -> list[tuple[str, str]]:
        """Return (tenant, entity id) where something is over, the longest over first."""
        ...

    def next_us(self, tx: Any) -> int | None:
        """Return when first something expires, or None."""
        ...

    def leave(self, tx: Any, tenant: str, head: Entity) -> None:
        """Keep what is left of an entity that expired: its members without attributes."""
        ...

    def remnant(self, tx: Any, tenant: str, entity_id: str) -> Entity | None:
        """Return what is left of an expired entity, or None."""
        ...

    def remnants(self, tx: Any, tenant: str) -> list[Entity]:
        """Return what is left of every expired entity of a tenant, ordered by id."""
        ...

    def drop_remnant(self, tx: Any, tenant: str, entity_id: str) -> None:
        """Forget an expired entity."""
        ...


class Outbox(Protocol):
    """Port: what is due, as delivery sees it."""

    def due(
        self, tx: Any, tenant: str, subscription_id: str, limit: int, *, after: int = 0
    ) -> list[DueNotification]:
        """Return the oldest due notifications of a subscription with numbers above `after`, in order."""
        ...

    def waiting(self, tx: Any) -> list[tuple[str, str, int]]:
        """Return (tenant, subscription, number due) wherever something is due."""
        ...

    def mark(self, tx: Any, marks: Sequence[Mark]) -> None:
        """Drop what was delivered, and count what became of it for subscriptions that are still there."""
        ...


class SubscriptionStore(Outbox, Protocol):
    """Port: subscriptions and the outbox of due notifications."""

    def all(self, tx: Any) -> list[tuple[str, dict[str, Any]]]:
        """Return (tenant, subscription document) of every subscription, ordered."""
        ...

    def get(self, tx: Any, tenant: str, subscription_id: str) -> dict[str, Any] | None:
        """Return the subscription document, or None."""
        ...

    def put(self, tx: Any, tenant: str, document: dict[str, Any]) -> None:
        """Create or replace a subscription."""
        ...

    def remove(self, tx: Any, tenant: str, subscription_id: str) -> bool:
        """Delete a subscription and what is still due to it; return whether it was there."""
        ...

    def add_due(
        self, tx: Any, tenant: str, subscription_id: str, entity_id: str, body: bytes
    ) -> DueNotification:
        """Note that a notification is due, and return it; no two ever have the same number."""
        ...

    def tally(self, tx: Any, tenant: str, subscription_id: str) -> Tally | None:
        """Return what `mark` counted for a subscription, None when nothing was."""
        ...
