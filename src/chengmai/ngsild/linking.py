"""Linked entities in an answer: inside the relationship, or after it (GS CIM 009 V1.9.1, clause 4.5.23).

The inner form carries a linked entity in the member `entity` of a Relationship instance (`entityList` where
it has several targets), and its representation follows from there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Literal, TypeAlias

from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.projection import View

Join: TypeAlias = Literal["inline", "flat"]
Lookup: TypeAlias = Callable[[str], Entity | None]

_LINKS = frozenset({"Relationship", "ListRelationship"})


def joined(
    entities: Sequence[Entity],
    view: View,
    join: Join | None,
    level: int,
    lookup: Lookup,
    contained_by: Collection[str] = (),
) -> list[Entity]:
    """Return what `view` shows of `entities`, with those they link to up to `level` links away.

    An entity in `contained_by`, or one that leads back to where it was reached from, is not shown again.
    An entity of which nothing is left is left out.
    """
    if join == "flat":
        return _flat(entities, view, level, lookup, contained_by)
    below = level if join == "inline" else 0
    shown = [_inline(one, view, below, lookup, frozenset(contained_by)) for one in entities]
    return [one for one in shown if one]


def targets(instance: Instance) -> list[str]:
    """Return the ids of the entities that a relationship instance links to."""
    if instance["type"] == "Relationship":
        value = instance.get("object")
        return list(value) if isinstance(value, list) else [value] if value else []
    return [one["object"] for one in instance.get("objectList", ()) if isinstance(one, dict)]


def _inline(
    entity: Entity, view: View, level: int, lookup: Lookup, above: frozenset[str]
) -> Entity:
    shown = view.of(entity)
    if level <= 0:
        return shown
    above |= {entity["id"]}
    made = dict(shown)
    for name, instances in shown.items():
        if ":" in name and any(one["type"] in _LINKS for one in instances):
            below = view.below(name)
            made[name] = [
                _linked(one, below, level, lookup, above) if one["type"] in _LINKS else one
                for one in instances
            ]
    return made


def _linked(
    instance: Instance, view: View, level: int, lookup: Lookup, above: frozenset[str]
) -> Instance:
    found: list[Any] = []
    for target in targets(instance):
        entity = None if target in above else lookup(target)
        if entity is not None and (shown := _inline(entity, view, level - 1, lookup, above)):
            found.append(shown)
    if not found:
        return instance
    if instance["type"] == "Relationship" and not isinstance(instance.get("object"), list):
        return {**instance, "entity": found[0]}
    return {**instance, "entityList": found}


def _flat(
    entities: Sequence[Entity],
    view: View,
    level: int,
    lookup: Lookup,
    contained_by: Collection[str],
) -> list[Entity]:
    seen = {one["id"] for one in entities} | set(contained_by)
    made = [shown for one in entities if (shown := view.of(one))]
    here = [(one, view) for one in entities]
    for _ in range(level):
        below: list[tuple[Entity, View]] = []
        for one, its_view in here:
            for target, inner in _links(its_view.of(one), its_view):
                entity = None if target in seen else lookup(target)
                if entity is None:
                    continue
                seen.add(target)
                below.append((entity, inner))
                if shown := inner.of(entity):
                    made.append(shown)
        here = below
    return made


def _links(shown: Entity, view: View) -> Iterator[tuple[str, View]]:
    for name, instances in shown.items():
        if ":" not in name:
            continue
        for instance in instances:
            if instance["type"] in _LINKS:
                for target in targets(instance):
                    yield target, view.below(name)
