"""The register of series: under which numbers the attribute instances of an entity are kept over time.

The series of an entity are numbered in stretches. What the series of a stretch are of, its shape, is kept once
for all entities that have the same: a sensor that comes new adds one short row, not one for each of its series.
The first number that an entity was given is its owner number, by which what is recent of it is found.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import orjson

from chengmai.store.sqlite.rows import Insert
from chengmai.store.sqlite.work import SqliteTx

Wanted: TypeAlias = tuple[str, str, str, str]
"""Attribute, dataset, and the kind and unit code that a series is made with when it is new."""
Series: TypeAlias = tuple[int, str, str]
"""Number of the series, kind, unit code."""

NUMBERS = 4096
"""How many numbers of series are taken at once."""
_OF_ONE = "SELECT series FROM register WHERE tenant = ? AND entity = ?"
_OF_SOME = (
    "SELECT entity, series FROM register"
    " WHERE tenant = ? AND entity IN (SELECT value FROM json_each(?))"
)
# A cross join keeps the order: every entity of the tenant would be looked at the other way round.
_OF_TYPE = (
    "SELECT r.entity, r.series FROM entity_type t"
    " CROSS JOIN register r ON r.tenant = t.tenant AND r.entity = t.id"
    " WHERE t.type = ? AND t.tenant = coalesce(?, t.tenant)"
)
_SHAPES = "SELECT shape, names FROM shape WHERE shape IN (SELECT value FROM json_each(?))"
_PUT = Insert("INSERT OR REPLACE INTO register (tenant, entity, series)", 3)
_PUT_SHAPE = Insert("INSERT INTO shape (shape, names)", 2)
_TAKE = Insert(
    "INSERT INTO series_number (id, upto)", 2, "ON CONFLICT DO UPDATE SET upto = excluded.upto"
)


class Entry(NamedTuple):
    """One series as it is registered; what lies at or below the seq `hidden` was deleted."""

    series: int
    entity: str
    attribute: str
    dataset: str
    kind: str
    unit: str
    hidden: int
    owner: int


@dataclass(frozen=True)
class Sought:
    """Series whose past is asked for: the `hidden` of each by number, and whose they are."""

    hidden: Mapping[int, int]
    owners: frozenset[int]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Sought:
        """Return what seeks the past of some series."""
        some = list(entries)
        return cls({one.series: one.hidden for one in some}, frozenset(one.owner for one in some))

    def only(self, numbers: Collection[int]) -> Sought:
        """Return what seeks some of the series."""
        return Sought({n: seq for n, seq in self.hidden.items() if n in numbers}, self.owners)


class Shape:
    """What the series of a stretch are of, in the order of their numbers."""

    __slots__ = ("names", "number", "places")

    def __init__(self, number: int, names: Sequence[Wanted]) -> None:
        self.number, self.names = number, names
        self.places = {
            (attribute, dataset): (place, kind, unit)
            for place, (attribute, dataset, kind, unit) in enumerate(names)
        }


Stretch: TypeAlias = tuple[int, Shape, Mapping[int, int]]
"""First number, shape, and what is hidden by place in the shape."""


class Register:
    """The series of one entity, as the writer knows them; a value."""

    __slots__ = ("stretches",)

    def __init__(self, stretches: Sequence[Stretch] = ()) -> None:
        self.stretches = stretches

    @property
    def owner(self) -> int:
        """The first number that the entity was given."""
        return self.stretches[0][0]

    def find(self, attribute: str, dataset: str) -> Series | None:
        """Return the series of an attribute and dataset, None where there is none."""
        for first, shape, _ in self.stretches:
            if (found := shape.places.get((attribute, dataset))) is not None:
                place, kind, unit = found
                return first + place, kind, unit
        return None

    def hide(self, numbers: Collection[int], seq: int) -> Register:
        """Return the register with what was recorded of some series up to `seq` hidden."""
        made: list[Stretch] = []
        for first, shape, hidden in self.stretches:
            places = [n - first for n in numbers if 0 <= n - first < len(shape.names)]
            made.append((first, shape, {**hidden, **dict.fromkeys(places, seq)}))
        return Register(made)

    def as_json(self) -> bytes:
        """Return the text that is kept: `[first, shape]` a stretch, and what is hidden where something is."""
        told: list[tuple[Any, ...]] = []
        for first, shape, hidden in self.stretches:
            by_place = ({str(place): seq for place, seq in hidden.items()},) if hidden else ()
            told.append((first, shape.number, *by_place))
        return orjson.dumps(told)


_NOTHING = Register()


def register_of(tx: SqliteTx, tenant: str, entity_id: str) -> Register:
    """Return the series of an entity as the writer knows them; the file is asked once."""
    key = ("series", tenant, entity_id)
    known: Register | None = tx.recall(key)
    if known is None:
        row = tx.peek.execute(_OF_ONE, (tenant, entity_id)).fetchone()
        known = _NOTHING if row is None else Register(list(_stretches(tx, row[0])))
        tx.remember(key, known, 150)
    return known


def registered(
    tx: SqliteTx, tenant: str, entity_id: str, wanted: Sequence[Wanted], known: Register
) -> Register:
    """Return the register of an entity with those wanted made that it does not know."""
    new: dict[tuple[str, str], Wanted] = {}
    for one in wanted:
        if one[:2] not in new and known.find(one[0], one[1]) is None:
            new[one[:2]] = one
    if not new:
        return known
    first = _numbers(tx, len(new))
    stretch: Stretch = (first, _shape_of(tx, tuple(new.values())), {})
    # A unit of work that is undone must leave no trace in what others remember.
    made = Register((*known.stretches, stretch))
    put(tx, tenant, entity_id, made)
    return made


def put(tx: SqliteTx, tenant: str, entity_id: str, register: Register) -> None:
    """Write the series of an entity."""
    tx.insert(_PUT, (tenant, entity_id, register.as_json()))
    tx.remember(("series", tenant, entity_id), register, 150 * len(register.stretches))


def entries(
    tx: SqliteTx, tenant: str, entity_id: str, attributes: Collection[str] | None = None
) -> list[Entry]:
    """Return the series of an entity in order of attribute and dataset."""
    row = tx.db.execute(_OF_ONE, (tenant, entity_id)).fetchone()
    if row is None:
        return []
    found = _read(tx, [(entity_id, row[0])], attributes)
    return sorted(found, key=lambda one: (one.attribute, one.dataset))


def entries_of(
    tx: SqliteTx, tenant: str, entity_ids: Collection[str], attributes: Collection[str]
) -> list[Entry]:
    """Return the series of some entities in order of number."""
    rows = tx.db.execute(_OF_SOME, (tenant, json.dumps(list(entity_ids)))).fetchall()
    return sorted(_read(tx, rows, attributes))


def entries_of_type(
    tx: SqliteTx, tenant: str | None, entity_type: str, attributes: Collection[str] | None = None
) -> list[Entry]:
    """Return the series of all entities of a type in order of number; `tenant` None is of every tenant."""
    return sorted(_read(tx, tx.db.execute(_OF_TYPE, (entity_type, tenant)).fetchall(), attributes))


def _read(
    tx: SqliteTx, rows: Sequence[tuple[str, bytes]], attributes: Collection[str] | None
) -> Iterator[Entry]:
    stretches = [(entity, orjson.loads(text)) for entity, text in rows]
    numbers = {one[1] for _, held in stretches for one in held}
    shapes: dict[int, list[tuple[int, Wanted]]] = {}
    for number, names in tx.db.execute(_SHAPES, (json.dumps(list(numbers)),)).fetchall():
        shapes[number] = [
            (place, tuple(one))
            for place, one in enumerate(orjson.loads(names))
            if attributes is None or one[0] in attributes
        ]
    for entity, held in stretches:
        owner = held[0][0]
        for first, shape, *rest in held:
            hidden = rest[0] if rest else _NONE_HIDDEN
            for place, names in shapes[shape]:
                seq = hidden.get(str(place), -1) if hidden else -1
                yield Entry(first + place, entity, *names, seq, owner)


_NONE_HIDDEN: Mapping[str, int] = {}


def _stretches(tx: SqliteTx, text: bytes) -> Iterator[Stretch]:
    for first, number, *rest in orjson.loads(text):
        hidden = {int(place): seq for place, seq in rest[0].items()} if rest else {}
        yield first, _shape(tx, number), hidden


def _shape(tx: SqliteTx, number: int) -> Shape:
    known: Shape | None = tx.recall(("shape", number))
    if known is None:
        ((text,),) = tx.peek.execute("SELECT names FROM shape WHERE shape = ?", (number,))
        known = Shape(number, [tuple(one) for one in orjson.loads(text)])
        tx.remember(("shape", number), known, len(text))
    return known


def _shape_of(tx: SqliteTx, names: tuple[Wanted, ...]) -> Shape:
    key = ("shape of", names)
    known: Shape | None = tx.recall(key)
    if known is None:
        text = orjson.dumps(names).decode()
        row: Any = tx.peek.execute("SELECT shape FROM shape WHERE names = ?", (text,)).fetchone()
        if row is None:
            known = Shape(_next_shape(tx), names)
            tx.insert(_PUT_SHAPE, (known.number, text))
            tx.remember(("shape", known.number), known, len(text))
        else:
            known = _shape(tx, row[0])
        tx.remember(key, known, len(text))
    return known


def _next_shape(tx: SqliteTx) -> int:
    last: int | None = tx.recall("last shape")
    if last is None:
        ((last,),) = tx.peek.execute("SELECT coalesce(max(shape), 0) FROM shape").fetchall()
    tx.remember("last shape", last + 1)
    return last + 1


def _numbers(tx: SqliteTx, count: int) -> int:
    """Return the first of `count` numbers that no series has had.

    Numbers are taken in blocks, and few are never used.
    """
    block: tuple[int, int] | None = tx.recall("series numbers")
    if block is None:
        ((taken,),) = tx.peek.execute("SELECT upto FROM series_number").fetchall()
        block = (taken, taken)
    last, upto = block
    if last + count > upto:
        upto += max(NUMBERS, count)
        tx.insert(_TAKE, (1, upto))
    tx.remember("series numbers", (last + count, upto))
    return last + 1
