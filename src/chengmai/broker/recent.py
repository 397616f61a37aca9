"""What was read of entities lately and has not changed since: asked again, it is not read again.

Kept by tenant, and never more than one process long. What is given out is as new as every write that was
acknowledged before, in this process or another: `Tide` tells what has changed, or that nobody knows.

A page in the order of ids with more behind it is decided by the entities up to the one after it: a change
beyond that leaves it as it is. Any other answer holds until an entity of its types changes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import orjson

from chengmai.broker.model import EntityQuery, Found, Stored, StoredEntities
from chengmai.ngsild.qparse import links_of

MOST_MARKS = 200_000
MOST_BYTES = 32 * 1024 * 1024
"""Of answers, together."""
_MOST_ASKED = 4000
_EACH = 4000
"""About what an answer weighs, and each of its entities that was read already."""
Mark: TypeAlias = tuple[int, int]
"""Tells a stored entity from all others and from what it was before: its row, and 64 bits of its bytes."""


class Tide(Protocol):
    """Port: which transactions changed what. A state is whatever it takes for one; equal ones are the same."""

    def at(self) -> Hashable | None:
        """Return the state, of which every acknowledged transaction is part; None when not known."""
        ...

    def take(self, since: Any, until: Any) -> list[Hashable] | None:
        """Return what changed from one state to another, and forget it; None when that is not known.

        Entities are named ("entity", tenant, id), and the types that they had and have ("type", tenant, type).
        """
        ...


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found, and what it rests on: entities of `types` (None: all) up to an id (None: all)."""

    query: EntityQuery
    found: Found
    types: frozenset[str] | None
    up_to: str | None
    weight: int

    def holds(self, first: str, types: set[str] | None) -> bool:
        """Return whether it is still so after entities changed, `first` the first of their ids."""
        beyond = self.up_to is not None and self.up_to < first
        return beyond or not (types is None or self.types is None or types & self.types)


class Recent:
    """Remembers marks of entities and pages of queries; for the event loop alone."""

    def __init__(
        self, tide: Tide, most_marks: int = MOST_MARKS, most_bytes: int = MOST_BYTES
    ) -> None:
        self._tide = tide
        self._most_marks, self._most_bytes = most_marks, most_bytes
        self._at: Hashable | None = None
        self._marks: dict[tuple[str, str], Mark] = {}
        # Questions by their number, and held: no other one has it.
        self._asked: dict[tuple[str, int], EntityQuery] = {}
        self._answers: dict[str, dict[int, _Answer]] = {}
        self._weight = 0

    def now(self) -> Hashable | None:
        """Return the state of the store, with what was changed until then forgotten."""
        at = self._tide.at()
        if at != self._at:
            self._follow(at)
        return at

    def mark(self, tenant: str, entity_id: str) -> Mark | None:
        """Return the mark of an entity as it is now; None when it is not known."""
        self.now()
        return self._marks.get((tenant, entity_id))

    def note(self, at: Hashable | None, tenant: str, entity_id: str, stored: Stored) -> None:
        """Keep the mark of an entity that was read when `now` was `at`, or since."""
        if at is None or at != self._at:
            return
        if len(self._marks) >= self._most_marks:
            self._marks.clear()
        self._marks[tenant, entity_id] = (stored[0], hash(stored[1]))

    def answer(self, tenant: str, query: EntityQuery) -> Found | None:
        """Return what is the answer to a question now, the same object; None when it is not known."""
        self.now()
        held = self._answers.get(tenant)
        known = None if held is None else held.get(id(query))
        return None if known is None else known.found

    def keep(self, at: Hashable | None, tenant: str, query: EntityQuery, found: Found) -> None:
        """Keep what was found when `now` was `at`, or since; whatever changed in between puts it aside."""
        if at is None:
            return
        key = (tenant, id(query))
        if key not in self._asked:
            # Most questions are asked once: what is found is kept from the second time on.
            if len(self._asked) >= _MOST_ASKED:
                self._asked.clear()
                self._forget_answers()
            self._asked[key] = query
            return
        held = self._answers.setdefault(tenant, {})
        weight = _weight(found)
        if at != self._at or id(query) in held or weight > self._most_bytes // 8:
            return
        if self._weight + weight > self._most_bytes:
            self._forget_answers()
            held = self._answers.setdefault(tenant, {})
        held[id(query)] = _Answer(query, found, *_rests_on(query, found), weight)
        self._weight += weight

    def _follow(self, at: Hashable | None) -> None:
        known = at is not None and self._at is not None
        changed = self._tide.take(self._at, at) if known else None
        self._at = at
        if changed is None:
            self._marks.clear()
            self._forget_answers()
            return
        first: dict[str, str] = {}
        types: dict[str, set[str]] = {}
        for key in changed:
            match key:
                case ("entity", str(tenant), str(entity_id)):
                    self._marks.pop((tenant, entity_id), None)
                    first[tenant] = min(first.get(tenant, entity_id), entity_id)
                case ("type", str(tenant), str(name)):
                    types.setdefault(tenant, set()).add(name)
        for tenant, entity_id in first.items():
            self._forget(tenant, entity_id, types.get(tenant))

    def _forget(self, tenant: str, first: str, types: set[str] | None) -> None:
        held = self._answers.get(tenant, {})
        for number in [n for n, one in held.items() if not one.holds(first, types)]:
            self._weight -= held.pop(number).weight

    def _forget_answers(self) -> None:
        self._answers.clear()
        self._weight = 0


def _rests_on(query: EntityQuery, found: Found) -> tuple[frozenset[str] | None, str | None]:
    """Return which types decide about an answer (None: all), and up to which id (None: all)."""
    if query.join is not None or (query.q is not None and links_of(query.q)):
        return None, None
    up_to = None
    if query.order is None and not query.count and found.after is not None:
        up_to = str(orjson.loads(found.after[1])["id"])
    return _types(query), up_to


def _types(query: EntityQuery) -> frozenset[str] | None:
    selectors = [one.types for one in query.which]
    if None in selectors:
        return None
    return _all(one.names for one in selectors if one is not None)


def _all(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def _weight(found: Found) -> int:
    if isinstance(found.shown, StoredEntities):
        return _EACH + sum(len(doc) for _, doc in found.shown.rows)
    return _EACH * (1 + len(found.entities) + len(found.shown))
