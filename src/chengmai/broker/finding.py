"""Finding entities: candidates by index, then every part of the query, then order, page and links."""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import orjson
import re2

from chengmai.broker.model import EntityQuery, Found, Stored, StoredEntities, Which
from chengmai.broker.ports import Candidates, EntityStore
from chengmai.kernel.problems import Invalid
from chengmai.kernel.work import Tx
from chengmai.ngsild import geoq, q
from chengmai.ngsild.entity import LOCATION, Entity
from chengmai.ngsild.linking import Lookup, joined
from chengmai.ngsild.ordering import Ordering
from chengmai.ngsild.select import matches_scopes, matches_types

_FEW = 60
_SMALL = 0.01
"""Square degrees, some hundred square kilometres."""
_MOST_WALKED = 5000
"""Entities, for the beginning of an order; beyond that all of them are sorted."""
# What stands before a repetition may be absent, and an alternative may begin anew.
_PLAIN_START = re.compile(r"\^([\w:/#-]+)(?![*?{+|])(?!.*\|)", re.DOTALL)


@dataclass(frozen=True)
class Finder:
    """Reads entities for queries."""

    entities: EntityStore

    def page(self, tx: Tx, tenant: str, query: EntityQuery) -> Found:
        """Return one page of what matches; raises `Invalid` on a bad pattern."""
        if query.order is not None:
            return self._ordered_page(tx, tenant, query)
        if (found := self.quick_page(tx, tenant, query)) is not None:
            return found
        rows = self.entities.rows(tx, tenant, _candidates(query))
        return self._page_of(tx, tenant, query, rows)

    def _few(self, tx: Tx, tenant: str, query: EntityQuery) -> Found | None:
        rows = self.entities.rows(tx, tenant, _candidates(query))
        few = list(islice(rows, _FEW + 1))
        rows.close()
        return None if len(few) > _FEW else self._page_of(tx, tenant, query, few)

    def _page_of(self, tx: Tx, tenant: str, query: EntityQuery, rows: Iterable[Stored]) -> Found:
        """Return the page of those among some candidates that match."""
        page: list[tuple[Stored, Entity]] = []
        seen, after = 0, None
        for stored, entity in self._judged(tx, tenant, query, rows):
            seen += 1
            if query.offset < seen <= query.offset + query.limit:
                page.append((stored, entity))
            if not query.count and seen > query.offset + query.limit:
                after = stored
                break
        entities = StoredEntities([row for row, _ in page], made=[entity for _, entity in page])
        return self._of_stored(tx, tenant, query, entities, seen, after)

    @staticmethod
    def may_be_quick(query: EntityQuery) -> bool:
        """Return whether `quick_page` may have the answer."""
        plain = query.order is None and query.join is None
        return plain and (_is_exact(query) or _is_small(query))

    def quick_page(self, tx: Tx, tenant: str, query: EntityQuery) -> Found | None:
        """Return a page where the store needs no second judgement: it counts and skips by itself.

        Or where few entities are in a small place, which are soon judged. None for any other.
        """
        if not _is_exact(query):
            return self._few(tx, tenant, query) if _is_small(query) else None
        exact = self.entities.exact(
            tx,
            tenant,
            _candidates(query),
            limit=query.limit if query.count else query.limit + 1,
            offset=query.offset,
            count=query.count,
        )
        if exact is None:
            return None
        rows, total = exact
        seen = query.offset + len(rows) if total is None else total
        page = StoredEntities(rows[: query.limit])
        after = rows[query.limit] if len(rows) > query.limit else None
        return self._of_stored(tx, tenant, query, page, seen, after)

    def matching(self, tx: Tx, tenant: str, query: EntityQuery) -> Iterator[Entity]:
        """Yield what matches, ordered by id."""
        rows = self.entities.rows(tx, tenant, _candidates(query))
        return (entity for _, entity in self._judged(tx, tenant, query, rows))

    def stretch(
        self, tx: Tx, tenant: str, query: EntityQuery, after: str, most: int
    ) -> tuple[list[Stored], str | None]:
        """Return what matches among the next `most` candidates after an id, and where to go on (None: the end).

        So all that matches can be read bit by bit, whatever it comes to.
        """
        which = replace(_candidates(query), after=after)
        place = query.geoq
        inner = geoq.inner_box(place) if which.box is not None and place is not None else None
        trusts = _is_exact(replace(query, geoq=None)) and (place is None or inner is not None)
        rows = self.entities.marked(tx, tenant, which, inner, limit=most)
        checks = [_Check(one) for one in query.which]
        lookup = self.lookup(tx, tenant)
        found = []
        for row, doc, is_sure in rows:
            if not (trusts and is_sure):
                entity = orjson.loads(doc)
                if not any(check.holds(entity) for check in checks):
                    continue
                if not holds(query, entity, lookup):
                    continue
            found.append((row, doc))
        last = orjson.loads(rows[-1][1])["id"] if len(rows) == most else None
        return found, last

    def most(self, tx: Tx, tenant: str, query: EntityQuery) -> int:
        """Return how many entities match at most."""
        return self.entities.count(tx, tenant, _candidates(query))

    def _judged(
        self, tx: Tx, tenant: str, query: EntityQuery, rows: Iterable[Stored]
    ) -> Iterator[tuple[Stored, Entity]]:
        checks = [_Check(one) for one in query.which]
        lookup = self.lookup(tx, tenant)
        for stored in rows:
            entity: Entity = orjson.loads(stored[1])
            if any(check.holds(entity) for check in checks) and holds(query, entity, lookup):
                yield stored, entity

    @staticmethod
    def fits(query: EntityQuery, entity: Entity) -> bool:
        """Return whether the query means an entity, by its selectors alone."""
        return any(_Check(one).holds(entity) for one in query.which)

    def lookup(self, tx: Tx, tenant: str) -> Lookup:
        """Return what finds an entity by its id; each is read once."""
        known: dict[str, Entity | None] = {}

        def find(entity_id: str) -> Entity | None:
            if entity_id not in known:
                known[entity_id] = self.entities.get(tx, tenant, entity_id)
            return known[entity_id]

        return find

    def shown(
        self, tx: Tx, tenant: str, query: EntityQuery, entities: Sequence[Entity]
    ) -> list[Entity]:
        """Return what the view of `query` leaves of `entities`, with the entities they link to."""
        if query.join is None and query.view.shows_everything:
            return list(entities)
        lookup = self.lookup(tx, tenant)
        return joined(
            entities, query.view, query.join, query.join_level, lookup, query.contained_by
        )

    def _ordered_page(self, tx: Tx, tenant: str, query: EntityQuery) -> Found:
        assert query.order is not None
        first = None if query.count else self._first_in_order(tx, tenant, query, query.order)
        every = first or query.order.apply(list(self.matching(tx, tenant, query)))
        page = every[query.offset : query.offset + query.limit]
        return self._found(tx, tenant, query, page, len(every))

    def _first_in_order(
        self, tx: Tx, tenant: str, query: EntityQuery, order: Ordering
    ) -> list[Entity] | None:
        """Return the beginning of all that matches in its order, up to the entity after the page.

        None where no index leads there within `_MOST_WALKED` entities.
        """
        name, wanted = order.by_value, query.offset + query.limit + 1
        if name is None or wanted > _MOST_WALKED:
            return None
        descending = order.criteria[0].descending
        walk = self.entities.in_order(tx, tenant, _candidates(query), name, descending=descending)
        if walk is None:
            return None
        checks, lookup = [_Check(one) for one in query.which], self.lookup(tx, tenant)
        if len(order.criteria) == 1:
            return self._walked(walk, order, wanted, checks, query, lookup)
        seen: set[int] = set()
        keys: list[Any] = []
        found: list[Entity] = []
        for at, (row, doc) in walk:
            # Whoever has not come yet has no value before `at`; what is equal is ordered by what follows.
            last = keys[-wanted if descending else wanted - 1] if len(keys) >= wanted else None
            if last is not None and (at < last if descending else at > last):
                return order.apply(sorted(found, key=lambda one: str(one["id"])))
            if row in seen:
                continue
            seen.add(row)
            if len(seen) > _MOST_WALKED:
                return None
            entity: Entity = orjson.loads(doc)
            if not any(check.holds(entity) for check in checks):
                continue
            key = order.first_key(entity)
            if key is not None and holds(query, entity, lookup):
                insort(keys, key)
                found.append(entity)
        return None

    @staticmethod
    def _walked(
        walk: Iterator[tuple[Any, Stored]],
        order: Ordering,
        wanted: int,
        checks: Sequence[_Check],
        query: EntityQuery,
        lookup: Lookup,
    ) -> list[Entity] | None:
        """Return the first that match in an order by one value: they come as they are wanted."""
        found: dict[int, Entity] = {}
        for read, (at, (row, doc)) in enumerate(walk, start=1):
            if read > _MOST_WALKED:
                return None
            entity: Entity = orjson.loads(doc)
            # Whoever comes by a value that is not the one that counts comes again by that.
            if row in found or order.first_key(entity) != at:
                continue
            if any(check.holds(entity) for check in checks) and holds(query, entity, lookup):
                found[row] = entity
                if len(found) == wanted:
                    return list(found.values())
        return None

    def _of_stored(
        self,
        tx: Tx,
        tenant: str,
        query: EntityQuery,
        page: StoredEntities,
        seen: int,
        after: Stored | None,
    ) -> Found:
        return Found(
            entities=page,
            shown=self.leaves(tx, tenant, query, page),
            total=seen if query.count else None,
            more=_has_more(query, seen),
            after=after,
        )

    def leaves(
        self, tx: Tx, tenant: str, query: EntityQuery, page: StoredEntities
    ) -> Sequence[Entity]:
        """Return what `shown` does, without reading the entities where that can be left for later."""
        if query.join is not None:
            return self.shown(tx, tenant, query, page)
        return page if query.view.shows_everything else StoredEntities(page.rows, query.view)

    def _found(
        self, tx: Tx, tenant: str, query: EntityQuery, page: list[Entity], seen: int
    ) -> Found:
        return Found(
            entities=page,
            shown=self.shown(tx, tenant, query, page),
            total=seen if query.count else None,
            more=_has_more(query, seen),
        )


def _has_more(query: EntityQuery, seen: int) -> bool:
    return seen > query.offset + query.limit


class _Check:
    """Whether an entity is one of those that a selector means; its pattern compiled once."""

    def __init__(self, which: Which) -> None:
        self._types = which.types
        self._ids = None if which.ids is None else frozenset(which.ids)
        # An id takes precedence over a pattern (clause 5.2.8).
        self._pattern: Any = None if which.ids is not None else id_pattern(which.id_pattern)

    def holds(self, entity: Entity) -> bool:
        return (
            (self._types is None or matches_types(self._types, entity["type"]))
            and (self._ids is None or entity["id"] in self._ids)
            and (self._pattern is None or self._pattern.search(entity["id"]) is not None)
        )


def holds(query: EntityQuery, entity: Entity, lookup: Lookup) -> bool:
    """Return whether an entity has what a query asks for beside its selectors (clause 5.7.2)."""
    return (
        (not query.attributes or any(name in entity for name in query.attributes))
        and (query.q is None or q.matches(query.q, entity, lookup))
        and (query.scopes is None or matches_scopes(query.scopes, entity.get("scope", ())))
        and (query.geoq is None or geoq.matches(query.geoq, entity))
    )


def _candidates(query: EntityQuery) -> Candidates:
    types: set[str] | None = set()
    ids: set[str] | None = set()
    for one in query.which:
        types = None if types is None or one.types is None else types | one.types.names
        ids = None if ids is None or one.ids is None else ids | set(one.ids)
    in_place = query.geoq is not None and query.geoq.geoproperty == LOCATION
    return Candidates(
        types=None if types is None else tuple(sorted(types)),
        ids=None if ids is None else tuple(sorted(ids)),
        box=geoq.bbox(query.geoq) if in_place and query.geoq is not None else None,
        id_prefix=_prefix(query.which),
        q=query.q,
    )


def _prefix(which: Sequence[Which]) -> str:
    """Return what every id that can match begins with: the plain beginning of the one pattern."""
    pattern = which[0].id_pattern if len(which) == 1 and which[0].ids is None else None
    plain = _PLAIN_START.match(pattern or "")
    return plain.group(1) if plain else ""


def _is_prefix(pattern: str) -> bool:
    plain = _PLAIN_START.fullmatch(pattern)
    return plain is not None


def _is_exact(query: EntityQuery) -> bool:
    """Return whether every candidate matches that the store takes to match `q`."""
    judged = (query.scopes, query.geoq, query.attributes or None)
    return (
        all(one is None for one in judged)
        and len(query.which) == 1
        and all(
            (one.id_pattern is None or one.ids is not None or _is_prefix(one.id_pattern))
            and (one.types is None or one.types.is_plain)
            for one in query.which
        )
    )


def _is_small(query: EntityQuery) -> bool:
    """Return whether a query asks for a place where few entities may be, and for little else."""
    if query.geoq is None or query.geoq.geoproperty != LOCATION or query.q is not None:
        return False
    box = geoq.bbox(query.geoq)
    return box is not None and (box[2] - box[0]) * (box[3] - box[1]) <= _SMALL


def alone_of_type(query: EntityQuery) -> str | None:
    """Return the type that a query asks for, if it asks for nothing else but a place of `location`."""
    if query.q is not None or query.order is not None or query.join is not None:
        return None
    if not _is_exact(replace(query, geoq=None)):
        return None
    (which,) = query.which
    if which.ids is not None or which.id_pattern is not None or which.types is None:
        return None
    if query.geoq is not None and query.geoq.geoproperty != LOCATION:
        return None
    names = which.types.names
    return next(iter(names)) if len(names) == 1 else None


def id_pattern(text: str | None) -> Any:
    """Return a pattern of ids, compiled, or None for none; raises `Invalid`."""
    if text is None:
        return None
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except (re2.error, UnicodeError) as error:
        raise Invalid(
            f"idPattern is not a regular expression: {error}",
            code="query.id_pattern",
            param="idPattern",
            fix="use RE2 syntax (no look-around, no back-references)",
        ) from None
