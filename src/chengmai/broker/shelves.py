"""Where subscriptions are filed, so that a change looks only at those that can match.

A subscription is filed, for each entry of its `entities`, under the types it names and there under the part of
its filter that fewest changes fulfil: an id, a value that q asks for, a place, a scope, a limit that q sets,
the beginning of ids, or a watched attribute. What is found is a superset of what matches; the whole filter
is judged on it. A shelf is read by the writer while the event loop changes it, so that what is in its
dictionaries is replaced and never changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import floor
from typing import Any

from chengmai.broker.subscription import EntityInfo, Subscription
from chengmai.kernel.geo import bounding_box
from chengmai.ngsild.entity import LOCATION, Entity
from chengmai.ngsild.geoq import bbox
from chengmai.ngsild.q import Comparison, instant_in, simple_conjuncts, targets
from chengmai.ngsild.qparse import MEMBERS

Filed = tuple[Subscription, ...]
_WIDE, _NARROW = 32, 256
"""Cells of the two grids a degree: about 3.5 km and 430 m."""
_MOST_CELLS = 64
_SPECIAL = frozenset(".^$*+?{}[]\\|()")
_QUANTIFIERS = frozenset("*?{")


@dataclass
class Shelf:
    """The subscriptions about one type, by what they ask for."""

    by_id: dict[str, Filed] = field(default_factory=dict)
    by_value: dict[str, dict[Any, Filed]] = field(default_factory=dict)
    by_cell: dict[tuple[int, int], Filed] = field(default_factory=dict)
    by_small_cell: dict[tuple[int, int], Filed] = field(default_factory=dict)
    by_scope: dict[str, Filed] = field(default_factory=dict)
    above: dict[str, tuple[tuple[float, ...], Filed]] = field(default_factory=dict)
    below: dict[str, tuple[tuple[float, ...], Filed]] = field(default_factory=dict)
    by_start: dict[str, Filed] = field(default_factory=dict)
    start_lengths: frozenset[int] = frozenset()
    """How long the beginnings are; one that nobody asks for any more is looked up in vain."""
    by_name: dict[str, Filed] = field(default_factory=dict)
    wide: Filed = ()
    rest: Filed = ()

    def candidates(self, entity: Entity, names: Sequence[str]) -> Iterator[Filed]:
        """Yield groups of subscriptions that may be meant by a change of `names` in `entity`."""
        entity_id = entity["id"]
        yield self.rest
        yield self.by_id.get(entity_id, ())
        for name in names if self.by_name else ():
            yield self.by_name.get(name, ())
        for length in self.start_lengths:
            yield self.by_start.get(entity_id[:length], ())
        yield from self._by_values(entity)
        yield from self._by_places(entity)
        for scope in entity.get("scope", ()) if self.by_scope else ():
            for beginning in _beginnings(scope):
                yield self.by_scope.get(beginning, ())

    def _by_values(self, entity: Entity) -> Iterator[Filed]:
        for name in list(self.by_value):
            for value in _plain_values(entity, name):
                yield self.by_value.get(name, {}).get(value, ())
        for name in list(self.above):
            limits, filed = self.above.get(name, ((), ()))
            for value in _numbers(entity, name):
                yield filed[: bisect_right(limits, value)]
        for name in list(self.below):
            limits, filed = self.below.get(name, ((), ()))
            for value in _numbers(entity, name):
                yield filed[: bisect_right(limits, -value)]

    def _by_places(self, entity: Entity) -> Iterator[Filed]:
        grids = [
            (grid, cells)
            for grid, cells in ((self.by_small_cell, _NARROW), (self.by_cell, _WIDE))
            if grid
        ]
        if not (grids or self.wide) or LOCATION not in entity:
            return
        yield self.wide
        for instance in entity[LOCATION]:
            box = bounding_box(instance["value"]) if instance["type"] == "GeoProperty" else None
            for grid, a_degree in grids:
                cells = _cells(box, a_degree)
                if cells is None:
                    yield from list(grid.values())
                else:
                    yield from (grid.get(cell, ()) for cell in cells)


Change = Callable[[Filed], Filed]


def file(shelf: Shelf, info: EntityInfo | None, one: Subscription, change: Change) -> None:
    """Change the places on a shelf where a subscription belongs, as far as `info` of its entries goes."""
    if not any(family(shelf, info, one, change) for family in _FAMILIES):
        shelf.rest = change(shelf.rest)


def _file_by_id(shelf: Shelf, info: EntityInfo | None, _: Subscription, change: Change) -> bool:
    if info is None or info.id is None:
        return False
    _put(shelf.by_id, info.id, change)
    return True


def _file_by_value(shelf: Shelf, _: EntityInfo | None, one: Subscription, change: Change) -> bool:
    for name, _op, value in _terms(one, "=="):
        wanted = value if isinstance(value, tuple) else (value,)
        if all(_is_plain(one) for one in wanted):
            for each in set(wanted):
                _put(shelf.by_value.setdefault(name, {}), each, change)
            return True
    return False


def _file_by_cell(shelf: Shelf, _: EntityInfo | None, one: Subscription, change: Change) -> bool:
    if one.geoq is None or one.geoq.geoproperty != LOCATION:
        return False
    box = bbox(one.geoq)
    for grid, a_degree in ((shelf.by_small_cell, _NARROW), (shelf.by_cell, _WIDE)):
        cells = _cells(box, a_degree)
        if cells is not None:
            for cell in cells:
                _put(grid, cell, change)
            return True
    shelf.wide = change(shelf.wide)
    return True


def _file_by_scope(shelf: Shelf, _: EntityInfo | None, one: Subscription, change: Change) -> bool:
    beginnings = _scopes(one)
    for beginning in beginnings or ():
        _put(shelf.by_scope, beginning, change)
    return beginnings is not None


def _file_by_limit(shelf: Shelf, _: EntityInfo | None, one: Subscription, change: Change) -> bool:
    for name, op, value in _terms(one, ">", ">=", "<", "<="):
        if isinstance(value, int | float) and not isinstance(value, bool):
            is_above = op.startswith(">")
            places = shelf.above if is_above else shelf.below
            _put_limit(places, name, value if is_above else -value, change)
            return True
    return False


def _file_by_start(shelf: Shelf, info: EntityInfo | None, _: Subscription, change: Change) -> bool:
    start = _start(info) if info is not None else ""
    if start:
        _put(shelf.by_start, start, change)
        shelf.start_lengths |= {len(start)}
    return bool(start)


def _file_by_name(shelf: Shelf, _: EntityInfo | None, one: Subscription, change: Change) -> bool:
    for name in one.watched:
        _put(shelf.by_name, name, change)
    return bool(one.watched)


_FAMILIES = (
    _file_by_id,
    _file_by_value,
    _file_by_cell,
    _file_by_scope,
    _file_by_limit,
    _file_by_start,
    _file_by_name,
)
"""From what fewest changes fulfil to what most do; the first that fits counts."""


def _put(places: dict[Any, Filed], key: Any, change: Change) -> None:
    filed = change(places.get(key, ()))
    if filed:
        places[key] = filed
    else:
        places.pop(key, None)


def _put_limit(
    places: dict[str, tuple[tuple[float, ...], Filed]], name: str, number: float, change: Change
) -> None:
    limits, filed = places.get(name, ((), ()))
    changed = change(filed)
    if len(changed) > len(filed):
        # One more, at the end: it goes where its limit belongs, and the others stay in order.
        at = bisect_right(limits, number)
        places[name] = (
            (*limits[:at], number, *limits[at:]),
            (*filed[:at], changed[-1], *filed[at:]),
        )
        return
    left = {id(one) for one in changed}
    pairs = [pair for pair in zip(limits, filed, strict=True) if id(pair[1]) in left]
    places[name] = (tuple(limit for limit, _ in pairs), tuple(one for _, one in pairs))


def _terms(one: Subscription, *operators: str) -> Iterator[tuple[str, str, Any]]:
    """Yield (attribute, operator, value) of the terms of q that must hold, about attributes themselves."""
    for path, op, value in simple_conjuncts(one.q) if one.q is not None else ():
        if op in operators and len(path) == 1 and path[0] not in MEMBERS:
            yield path[0], op, value


def _is_plain(value: Any) -> bool:
    # Instants are equal in other ways than as texts.
    return isinstance(value, bool | int | float) or (
        type(value) is str and instant_in(value) is None
    )


def _plain_values(entity: Entity, name: str) -> Iterator[Any]:
    if name in entity:
        for _, values in targets(Comparison((name,), (), "exists"), entity):
            yield from (one for one in values if isinstance(one, bool | int | float | str))


def _numbers(entity: Entity, name: str) -> Iterator[float]:
    for value in _plain_values(entity, name):
        if not isinstance(value, str | bool):
            yield value


def _cells(
    box: tuple[float, float, float, float] | None, a_degree: int
) -> list[tuple[int, int]] | None:
    """Return the cells of a grid that a box touches; None when they are too many to tell apart."""
    if box is None:
        return None
    west, south, east, north = (floor(edge * a_degree) for edge in box)
    if (east - west + 1) * (north - south + 1) > _MOST_CELLS:
        return None
    return [(x, y) for x in range(west, east + 1) for y in range(south, north + 1)]


def _beginnings(scope: str) -> Iterator[str]:
    parts = scope.split("/")
    for length in range(len(parts) + 1):
        yield "/".join(parts[:length])


def _scopes(one: Subscription) -> list[str] | None:
    """Return a beginning that a scope must have for each alternative of scopeQ; None when one has none."""
    if one.scopes is None:
        return None
    found = []
    for alternative in one.scopes.alternatives:
        parts = min(alternative).split("/")
        fixed = next((at for at, level in enumerate(parts) if level in ("+", "#")), len(parts))
        if fixed < 2:
            return None
        found.append("/".join(parts[:fixed]))
    return found


def _start(info: EntityInfo) -> str:
    """Return the text that every id begins with that the pattern of an entry finds; empty when unknown."""
    pattern = info.id_pattern.pattern if info.id_pattern is not None else ""
    if not pattern.startswith("^") or "|" in pattern:
        return ""
    end = next((at for at in range(1, len(pattern)) if pattern[at] in _SPECIAL), len(pattern))
    if end < len(pattern) and pattern[end] in _QUANTIFIERS:
        end -= 1
    return str(pattern[1:end])
