"""The order of the entities in an answer (GS CIM 009 V1.9.1, clause 4.23).

    order     = criterion *("," criterion)
    criterion = path [";" ("asc" / "desc" / "dist-asc" / "dist-desc")]
    path      = name *("." name) ["[" name *("." name) "]"]

Values of different data types stand in the order of clause 4.23.2: numbers, texts, truth values, lists and
objects, and at the end what is not there. Without a collation texts are ordered by code points; with one,
first by letters, then by accents, then by case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import VALUE_MEMBER, Entity
from chengmai.ngsild.geojson import check_geometry
from chengmai.ngsild.geoq import distance_m
from chengmai.ngsild.members import checked_name
from chengmai.ngsild.problems import EntityInvalid, QueryInvalid

_DIRECTIONS = ("asc", "desc", "dist-asc", "dist-desc")
_OF_ENTITY = frozenset({"id", "type", "scope", "createdAt", "modifiedAt", "expiresAt"})
_OF_ATTRIBUTE = frozenset({"createdAt", "modifiedAt", "observedAt", "unitCode", "datasetId"})
_TRAIL = re.compile(r"\[([^\[\]]+)\]$")
_COLLATION = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One key: an expanded path, a trail into its value, and the direction."""

    path: tuple[str, ...]
    trail: tuple[str, ...]
    descending: bool
    by_distance: bool


@dataclass(frozen=True, slots=True)
class Ordering:
    """An order of entities; `apply` sorts."""

    criteria: tuple[Criterion, ...]
    origin: dict[str, Any] | None
    collated: bool

    @property
    def by_value(self) -> str | None:
        """The attribute whose plain value comes first in the order; None where something else does."""
        first = self.criteria[0] if self.criteria else None
        if first is None or self.collated or first.by_distance or first.trail:
            return None
        plain = len(first.path) == 1 and first.path[0] not in _OF_ENTITY
        return first.path[0] if plain else None

    def first_key(self, entity: Entity) -> tuple[int, Any] | None:
        """Return what the first criterion orders an entity by; None for a value that is not there."""
        key: tuple[int, Any] | None = self._key(self.criteria[0])(entity)
        return key

    def apply(self, entities: Sequence[Entity]) -> list[Entity]:
        """Return `entities` in this order; what is equal keeps the order it has."""
        made = list(entities)
        for criterion in reversed(self.criteria):
            keyed = self._key(criterion)
            known = [(keyed(one), one) for one in made]
            # What is not there comes last in both directions.
            there = [pair for pair in known if pair[0] is not None]
            there.sort(key=lambda pair: pair[0], reverse=criterion.descending)
            made = [one for _, one in there] + [one for key, one in known if key is None]
        return made

    def _key(self, criterion: Criterion) -> Callable[[Entity], Any]:
        if criterion.by_distance:
            return lambda entity: self._distance(criterion, entity)
        return lambda entity: _ranked(_value(criterion, entity), collated=self.collated)

    def _distance(self, criterion: Criterion, entity: Entity) -> float | None:
        assert self.origin is not None
        for instance in entity.get(criterion.path[0], ()):
            if instance["type"] == "GeoProperty":
                return distance_m(instance["value"], self.origin)
        return None


def parse_ordering(
    criteria: Sequence[str],
    ctx: Context,
    *,
    origin: dict[str, Any] | None = None,
    collation: str | None = None,
) -> Ordering:
    """Return the order that the criteria say; `origin` is the GeoJSON geometry that distances are from.

    Raises `QueryInvalid`.
    """
    if collation is not None and _COLLATION.fullmatch(collation) is None:
        raise QueryInvalid(
            f"collation {collation!r:.60} is no language tag",
            param="collation",
            fix="write zh or und",
        )
    if origin is not None:
        check_geometry(origin, "orderFrom")
    made = tuple(_criterion(text, ctx) for text in criteria)
    if origin is None and any(one.by_distance for one in made):
        raise QueryInvalid(
            "an order by distance needs a place that distances are from",
            param="orderFrom",
            fix="give coordinates, such as [116.39,39.91]",
        )
    return Ordering(made, origin, collation is not None)


def _criterion(text: str, ctx: Context) -> Criterion:
    path, separator, direction = text.partition(";")
    if separator and direction not in _DIRECTIONS:
        raise _refused(f"{direction!r:.40} is no direction; use " + ", ".join(_DIRECTIONS))
    trail = _TRAIL.search(path)
    inner = tuple(trail.group(1).split(".")) if trail else ()
    path = path[: trail.start()] if trail else path
    names = [path] if "://" in path else path.split(".")
    expanded = [_name(name, ctx, first=at == 0) for at, name in enumerate(names)]
    return Criterion(
        tuple(expanded), inner, direction.endswith("desc"), direction.startswith("dist-")
    )


def _name(name: str, ctx: Context, *, first: bool) -> str:
    if name in (_OF_ENTITY if first else _OF_ATTRIBUTE):
        return name
    try:
        return ctx.expand(checked_name(name, "orderBy"))
    except EntityInvalid as problem:
        raise _refused(problem.detail) from None


def _refused(why: str) -> QueryInvalid:
    return QueryInvalid(f"orderBy: {why}", param="orderBy", fix="write it as name;desc,createdAt")


def _value(criterion: Criterion, entity: Entity) -> Any:
    first, *rest = criterion.path
    if first in _OF_ENTITY:
        return entity.get(first)
    found = _default(entity.get(first, ()))
    for name in rest:
        if found is None:
            return None
        if name in _OF_ATTRIBUTE:
            return found.get(name)
        found = _default(found.get(name, ()))
    if found is None:
        return None
    value = found.get(VALUE_MEMBER[found["type"]])
    for name in criterion.trail:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _default(instances: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    for one in instances:
        if "datasetId" not in one:
            return one
    return instances[0] if instances else None


def _ranked(value: Any, *, collated: bool) -> tuple[int, Any] | None:
    """Return a key that orders any two values, or None for a value that is not there."""
    if value is None:
        return None
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 0, value
    if isinstance(value, str):
        return 1, (_collated(value) if collated else (value,))
    if isinstance(value, list):
        return 3, [_ranked(one, collated=collated) or (9, ()) for one in value]
    return 4, sorted(map(str, value))


def _collated(text: str) -> tuple[str, str, str]:
    parts = unicodedata.normalize("NFD", text)
    letters = "".join(c for c in parts if not unicodedata.combining(c)).casefold()
    return letters, parts.casefold(), text.swapcase()
