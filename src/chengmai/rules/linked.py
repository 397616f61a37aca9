"""Rules that ask what an entity links to: `refCabinet{open}==true` (GS CIM 009 V1.9.1, clause 4.9).

The condition is about the entity that the rule selects; what it follows is read in the same transaction.
A change of a linked entity leads back, by the relationships of the condition, to the entities that it is
judged for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from chengmai.kernel.work import Tx
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.linking import Lookup
from chengmai.ngsild.q import LINKS, Comparison, Query, matches, targets
from chengmai.ngsild.qparse import MEMBERS
from chengmai.rules.ports import RulePast
from chengmai.rules.problems import RuleInvalid

MOST_LINKS = 3
"""Links that a condition of a rule follows one after the other."""
MOST_HOLDERS = 500
"""Entities that are judged for one change of an entity they link to."""
Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Links:
    """What the queries of a rule ask of linked entities.

    `back` tells, for an attribute of a linked entity, by which relationships its change leads back to the
    entity of the rule, the nearest first.
    """

    terms: tuple[Comparison, ...] = ()
    back: Mapping[str, tuple[tuple[Path, ...], ...]] | None = None

    @property
    def names(self) -> Iterable[str]:
        """The attributes (expanded) of linked entities whose change counts."""
        return self.back or ()

    def are_known(self, entity: Entity, lookup: Lookup | None) -> bool:
        """Return whether everything that is asked of linked entities is there to be read."""
        return all(matches(_is_there(term), entity, lookup) for term in self.terms)

    def values(self, entity: Entity, lookup: Lookup | None, core: Context) -> dict[str, Any]:
        """Return what is shown of linked entities: `link.attribute` to the first value found."""
        found: dict[str, Any] = {}
        for term in self.terms:
            steps = [path for path, _ in term.via] + [term.path]
            name = ".".join(core.compact(part) for path in steps for part in path)
            if name not in found and (value := _first(term, entity, lookup)) is not None:
                found[name] = value
        return found

    def followed(self, entity: Entity, lookup: Lookup) -> dict[str, set[str]]:
        """Return the linked entities that are read for `entity`, each with the attributes that are read."""
        read: dict[str, set[str]] = defaultdict(set)
        for term in self.terms:
            here = [entity]
            for depth, (path, wanted) in enumerate(term.via):
                below = term.via[depth + 1][0] if depth + 1 < len(term.via) else term.path
                ids = [one for found in here for one in linked_ids(found, path)]
                for entity_id in ids:
                    read[entity_id].add(below[0])
                here = [one for name in ids if (one := lookup(name)) and _fits(one, wanted)]
        return dict(read)

    def holders(
        self,
        tx: Tx,
        past: RulePast,
        tenant: str,
        types: Sequence[str],
        entity_id: str,
        changed: Iterable[str],
    ) -> dict[str, Entity]:
        """Return the entities of `types` for which a change of `entity_id` counts, at most `MOST_HOLDERS`."""
        found: dict[str, Entity] = {}
        for ways in {way for name in changed for way in (self.back or {}).get(name, ())}:
            ids = [entity_id]
            for step, path in enumerate(ways):
                wanted = types if step + 1 == len(ways) else None
                holding = partial(past.linking, tx, tenant, wanted, path, limit=MOST_HOLDERS)
                here = {one["id"]: one for target in ids for one in holding(target)}
                ids = list(here)[:MOST_HOLDERS]
            found |= {name: here[name] for name in ids}
        return dict(sorted(found.items())[:MOST_HOLDERS])


def links_in(params: Mapping[str, Query]) -> Links:
    """Return what queries ask of linked entities; raises `RuleInvalid` for one that goes too far."""
    terms: list[Comparison] = []
    for param, query in params.items():
        found = [term for term in _terms(query) if term.via]
        if any(len(term.via) > MOST_LINKS for term in found):
            raise RuleInvalid(
                f"{param} follows more than {MOST_LINKS} links, one after the other",
                code="rule.too_many_links",
                param=param,
                most=MOST_LINKS,
                fix="link to what you ask about more directly",
            )
        terms += found
    if not terms:
        return Links()
    back: dict[str, set[tuple[Path, ...]]] = defaultdict(set)
    for term in terms:
        paths = [path for path, _ in term.via]
        for depth in range(len(paths)):
            below = paths[depth + 1] if depth + 1 < len(paths) else term.path
            back[below[0]].add(tuple(reversed(paths[: depth + 1])))
    ways = {name: tuple(sorted(some)) for name, some in back.items() if name not in MEMBERS}
    return Links(tuple(terms), ways)


def linked_ids(entity: Entity, path: Path) -> list[str]:
    """Return the ids of the entities that a relationship of `entity` leads to."""
    there = targets(Comparison(path, (), "exists"), entity)
    return [one for kind, ids in there if kind in LINKS for one in ids]


def _terms(query: Query) -> Iterator[Comparison]:
    if isinstance(query, Comparison):
        yield query
        return
    for term in query.terms:
        yield from _terms(term)


def _is_there(term: Comparison) -> Comparison:
    return replace(term, op="exists", value=None, pattern=None)


def _fits(entity: Entity, wanted: str | None) -> bool:
    return wanted is None or wanted in entity["type"]


def _first(term: Comparison, entity: Entity, lookup: Lookup | None) -> Any:
    if not term.via:
        plain = Comparison(term.path, term.trail, "exists")
        return next((values[0] for _, values in targets(plain, entity)), None)
    (path, wanted), below = term.via[0], replace(term, via=term.via[1:])
    for entity_id in linked_ids(entity, path):
        linked = lookup(entity_id) if lookup is not None else None
        if linked is None or not _fits(linked, wanted):
            continue
        if (value := _first(below, linked, lookup)) is not None:
            return value
    return None
