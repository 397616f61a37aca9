"""What the broker asks for and answers with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, overload

import orjson

from chengmai.kernel.problems import Problem
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.geoq import GeoQuery
from chengmai.ngsild.linking import Join
from chengmai.ngsild.ordering import Ordering
from chengmai.ngsild.projection import EVERYTHING, View
from chengmai.ngsild.q import Query
from chengmai.ngsild.select import Selector


@dataclass(frozen=True)
class Which:
    """Which entities are meant (clause 5.2.8); every part that is given must match."""

    types: Selector | None = None
    ids: Sequence[str] | None = None
    id_pattern: str | None = None


ANY: Sequence[Which] = (Which(),)
"""Every entity."""


@dataclass(frozen=True)
class EntityQuery:
    """A query over entities (GS CIM 009 V1.9.1, clause 5.7.2); every part that is given must match.

    Of `which` one must match. `attributes` are expanded names of which the entity must have at least one.
    `limit` 0 asks for the count alone. Without an `order` entities come ordered by id.
    """

    which: Sequence[Which] = ANY
    q: Query | None = None
    scopes: Selector | None = None
    geoq: GeoQuery | None = None
    attributes: Sequence[str] = ()
    order: Ordering | None = None
    view: View = EVERYTHING
    join: Join | None = None
    join_level: int = 1
    contained_by: Sequence[str] = ()
    limit: int = 20
    offset: int = 0
    count: bool = False


Stored: TypeAlias = tuple[int, bytes]
"""An entity as it lies in the store: the number of its row, and its inner form as JSON."""


class StoredEntities(Sequence[Entity]):
    """What `view` leaves of stored entities, read only when somebody looks: many answers never need to.

    An entity of which nothing is left is left out.
    """

    __slots__ = ("_made", "rows", "view")

    def __init__(
        self,
        rows: Sequence[Stored],
        view: View = EVERYTHING,
        *,
        made: list[Entity] | None = None,
    ) -> None:
        self.rows = rows
        self.view = view
        self._made = made

    @overload
    def __getitem__(self, at: int) -> Entity: ...
    @overload
    def __getitem__(self, at: slice) -> list[Entity]: ...
    def __getitem__(self, at: int | slice) -> Entity | list[Entity]:
        return self._entities()[at]

    def __iter__(self) -> Iterator[Entity]:
        return iter(self._entities())

    def __len__(self) -> int:
        return len(self.rows) if self.view is EVERYTHING else len(self._entities())

    def _entities(self) -> list[Entity]:
        if self._made is None:
            made = (self.view.of(orjson.loads(doc)) for _, doc in self.rows)
            self._made = [one for one in made if one]
        return self._made


@dataclass(frozen=True)
class Found:
    """One page of entities; `total` when it was asked for; `more` when a next page exists.

    `entities` are as stored; `shown` is what the view of the query leaves of them, with linked entities.
    """

    entities: Sequence[Entity]
    shown: Sequence[Entity]
    total: int | None
    more: bool
    after: Stored | None = None
    """Of a page in the order of ids the first entity behind it, where it was read."""


@dataclass(frozen=True)
class UpdateOutcome:
    """Which attributes (expanded names) were changed, and which were not and why (clause 5.2.18)."""

    updated: list[str]
    not_updated: list[tuple[str, str]]


@dataclass
class BatchOutcome:
    """What became of each entity of a batch (clause 5.2.16)."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    failed: list[tuple[str, Problem]] = field(default_factory=list)


class Change(NamedTuple):
    """One committed change, for the news: which entity, of what types, and which attributes."""

    tenant: str
    entity_id: str
    types: Sequence[str]
    attributes: Sequence[str]
    entity: dict[str, Any] | None
