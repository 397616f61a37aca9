"""The entities that others link to, wherever they are held (GS CIM 009 V1.9.1, clause 4.5.23)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TypeVar

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.gathering import Gatherer
from chengmai.broker.distribution.narrowing import QUERY, RETRIEVE, Filters, Question, retrieval
from chengmai.broker.distribution.narrowing import questions as questions_of
from chengmai.broker.model import EntityQuery, Which
from chengmai.broker.ports import EntityStore
from chengmai.broker.registry.matching import Match
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.linking import Lookup, targets
from chengmai.ngsild.qparse import links_of

MOST_LINKED = 200
"""How many linked entities sources are asked for in one answer; a warning says when there are more."""
_LINKS = frozenset({"Relationship", "ListRelationship"})


T = TypeVar("T")


class Linked:
    """Finds linked entities, level by level."""

    def __init__(self, work: Work[Tx], entities: EntityStore, gatherer: Gatherer) -> None:
        self._work = work
        self._entities = entities
        self._gatherer = gatherer

    async def lookup(self, asked: Asked, query: EntityQuery, entities: Sequence[Entity]) -> Lookup:
        """Return what finds each entity that `entities` link to, as deep as `query` joins."""
        known: dict[str, Entity | None] = {one["id"]: one for one in entities}
        here: list[Entity] = [query.view.of(one) for one in entities]
        left = MOST_LINKED
        for _ in range(query.join_level if query.join else 0):
            ids = [one for one in dict.fromkeys(_targets(here)) if one not in known]
            if not ids:
                break
            found = await self._found(asked, ids, left)
            left -= len(ids)
            known |= {one: found.get(one) for one in ids}
            here = list(found.values())
        return known.get

    async def judged(self, asked: Asked, query: EntityQuery, read: Callable[[Tx, Lookup], T]) -> T:
        """Return what `read` makes of one transaction and of what finds linked entities, wherever they are.

        It is done again for each link that `q` follows: what it looked up is asked of sources in between.
        """
        known: dict[str, Entity | None] = {}
        left = MOST_LINKED
        for _ in range(0 if query.q is None else links_of(query.q)):
            seen: dict[str, Entity | None] = {}
            read_once = partial(self._read, asked, known, seen, read)
            found = await self._work.read(read_once)
            elsewhere = (
                one for one, local in seen.items() if self._is_elsewhere(asked, one, local)
            )
            # One more than may be asked for tells that it is too much.
            ids = list(islice(elsewhere, max(left, 0) + 1))
            if not ids:
                return found
            merged = await self._found(asked, ids, left)
            left -= len(ids)
            known |= {one: merged.get(one) for one in ids}
        return await self._work.read(partial(self._read, asked, known, {}, read))

    def _read(
        self,
        asked: Asked,
        known: Mapping[str, Entity | None],
        seen: dict[str, Entity | None],
        read: Callable[[Tx, Lookup], T],
        tx: Tx,
    ) -> T:
        def lookup(entity_id: str) -> Entity | None:
            if entity_id in known:
                return known[entity_id]
            if entity_id not in seen:
                seen[entity_id] = self._entities.get(tx, asked.actor.tenant, entity_id)
            return seen[entity_id]

        return read(tx, lookup)

    def _is_elsewhere(self, asked: Asked, entity_id: str, local: Entity | None) -> bool:
        types = None if local is None else local["type"]
        return bool(self._gatherer.concerned(asked, RETRIEVE, ids=[entity_id], types=types))

    async def _found(self, asked: Asked, ids: list[str], left: int) -> dict[str, Entity]:
        sought = ids[: max(left, 0)]
        matches = self._gatherer.concerned(asked, RETRIEVE, ids=sought) if sought else []
        if len(sought) < len(ids) and self._gatherer.concerned(asked, RETRIEVE, ids=ids):
            asked.warn(199, "-", f"sources were asked for {MOST_LINKED} linked entities only")
        gathered = await self._gatherer.gather(
            asked, matches, lambda match: _questions(match, sought)
        )

        def read(tx: Tx) -> dict[str, Entity]:
            made = {}
            for one in ids:
                local = gathered.here(self._entities.get(tx, asked.actor.tenant, one))
                whole = gathered.whole(one, local)
                if whole is not None:
                    made[one] = whole
            return made

        return await self._work.read(read)


def _questions(match: Match, ids: list[str]) -> list[Question]:
    if match.registration.operations.isdisjoint(QUERY):
        return [one for each in ids for one in retrieval(match, each, EntityQuery())]
    return questions_of(match, EntityQuery(which=[Which(ids=ids)]), Filters(), split=True)


def _targets(entities: Iterable[Entity]) -> Iterable[str]:
    for entity in entities:
        for name, instances in entity.items():
            if ":" in name:
                for one in instances:
                    if one["type"] in _LINKS:
                        yield from targets(one)
