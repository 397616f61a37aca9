"""Whether an entity matches a query `q` (GS CIM 009 V1.9.1, clause 4.9, semantics of the operators).

A term is about an attribute that exists: without it only `absent` holds. Of several instances one that
matches is enough. Data types must agree, except that `!=` holds between values of different types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from chengmai.ngsild.entity import VALUE_MEMBER, Entity, Instance
from chengmai.ngsild.linking import Lookup
from chengmai.ngsild.qparse import (
    MEMBERS,
    And,
    Comparison,
    Or,
    Query,
    Range,
    attributes_of,
    parse_q,
    simple_conjuncts,
)

__all__ = [
    "LINKS",
    "And",
    "Comparison",
    "Or",
    "Query",
    "Range",
    "attributes_of",
    "instant_in",
    "matches",
    "parse_q",
    "simple_conjuncts",
    "targets",
]

_LOOKS_LIKE_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")
LINKS = frozenset({"Relationship", "ListRelationship"})
"""Kinds whose values are ids of other entities: equal or not, but neither greater nor less."""


def matches(query: Query, entity: Entity, lookup: Lookup | None = None) -> bool:
    """Return whether `entity` matches `query`; `lookup` finds the entities that it links to."""
    if isinstance(query, And):
        return all(matches(term, entity, lookup) for term in query.terms)
    if isinstance(query, Or):
        return any(matches(term, entity, lookup) for term in query.terms)
    if query.via:
        return _linked_matches(query, entity, lookup)
    found = targets(query, entity)
    if query.op == "exists":
        return any(True for _ in found)
    if query.op == "absent":
        return not any(True for _ in found)
    if query.op in ("==", "!=", "~=", "!~="):
        positive = _equals if query.op in ("==", "!=") else _has_pattern
        wanted = not query.op.startswith("!")
        return any(_any(values, positive, query) is wanted for _, values in found)
    return any(kind not in LINKS and _any(values, _ordered, query) for kind, values in found)


def _linked_matches(query: Comparison, entity: Entity, lookup: Lookup | None) -> bool:
    if query.op == "absent":
        return not _linked_matches(replace(query, op="exists"), entity, lookup)
    (path, wanted), rest = query.via[0], query.via[1:]
    below = replace(query, via=rest)
    for kind, ids in targets(Comparison(path, (), "exists"), entity):
        for entity_id in ids if kind in LINKS else ():
            linked = lookup(entity_id) if lookup is not None else None
            if linked is None or (wanted is not None and wanted not in linked["type"]):
                continue
            if matches(below, linked, lookup):
                return True
    return False


def targets(query: Comparison, entity: Entity) -> Iterator[tuple[str, list[Any]]]:
    """Yield the kind and the values (at least one) of every target element of a term that is defined."""
    first, *rest = query.path
    if first in MEMBERS:
        if first in entity and not rest:
            yield "Property", [entity[first]]
        return
    for instance in entity.get(first, ()):
        yield from _below(instance, rest, query.trail)


def _below(
    instance: Instance, path: list[str], trail: tuple[str, ...]
) -> Iterator[tuple[str, list[Any]]]:
    if not path:
        kind = instance["type"]
        values = _values(kind, instance.get(VALUE_MEMBER[kind]), trail)
        if values:
            yield kind, values
    elif path[0] in MEMBERS:
        if path[0] in instance and len(path) == 1:
            yield "Property", [instance[path[0]]]
    else:
        for sub in instance.get(path[0], ()):
            yield from _below(sub, path[1:], trail)


def _values(kind: str, value: Any, trail: tuple[str, ...]) -> list[Any]:
    """Return what there is to compare with: the value, its elements, or its texts; empty when undefined."""
    if kind == "LanguageProperty" and type(value) is dict:
        languages = list(value) if trail in ((), ("*",)) else list(trail)
        return _flat([value[language] for language in languages if language in value])
    for name in trail:
        value = value.get(name) if type(value) is dict else None
    if type(value) is dict:
        value = value.get("@value", value)
    if value is None:
        return []
    if kind == "ListRelationship" and type(value) is list:
        value = [one["object"] if type(one) is dict else one for one in value]
    return (_flat(value) or [value]) if type(value) is list else [value]


def _flat(values: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        if type(value) is list:
            flat += value
        else:
            flat.append(value)
    return flat


def _any(values: list[Any], holds: Callable[[Any, Comparison], bool], query: Comparison) -> bool:
    return any(holds(value, query) for value in values)


def _equals(value: Any, query: Comparison) -> bool:
    wanted = query.value
    if isinstance(wanted, Range):
        low, high = _order(value, wanted.low), _order(value, wanted.high)
        return low is not None and high is not None and low >= 0 >= high
    if isinstance(wanted, tuple):
        return any(_order(value, one) == 0 for one in wanted)
    return _order(value, wanted) == 0


def _ordered(value: Any, query: Comparison) -> bool:
    order = None if isinstance(value, bool) else _order(value, query.value)
    if order is None:
        return False
    return {">": order > 0, ">=": order >= 0, "<": order < 0, "<=": order <= 0}[query.op]


def _has_pattern(value: Any, query: Comparison) -> bool:
    if type(value) is not str:
        return False
    try:
        return query.pattern.search(value) is not None
    except UnicodeError:
        return False


def _order(value: Any, wanted: Any) -> int | None:
    """Return -1, 0 or 1 for less, equal or greater; None when the data types differ."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return (value > wanted) - (value < wanted) if type(value) is type(wanted) else None
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return (value > wanted) - (value < wanted)
    if type(value) is not str or type(wanted) is not str:
        return None
    if value != wanted:
        left, right = instant_in(value), instant_in(wanted)
        if left is not None and right is not None:
            return (left > right) - (left < right)
    return (value > wanted) - (value < wanted)


def instant_in(text: str) -> datetime | None:
    """Return the instant that a text is compared as, or None when it is compared as a text."""
    if _LOOKS_LIKE_INSTANT.match(text) is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
