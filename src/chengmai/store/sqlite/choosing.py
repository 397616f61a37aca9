"""How entities are found: by type in the order of ids, by id, or from a narrow range of an index.

A question that few entities can match starts from the index that says so (values or places) and sorts them;
any other walks its type in the order of ids and looks each row up, which ends with the page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chengmai.broker.ports import Candidates
from chengmai.kernel.geo import Box
from chengmai.store.sqlite.qsql import Asked, Sql, judged
from chengmai.store.sqlite.values import SqliteValues
from chengmai.store.sqlite.widths import Way, Widths
from chengmai.store.sqlite.work import SqliteTx

_NARROW = 3000
_NARROW_TO_COUNT = 20_000
_IN_BOX = (
    "SELECT row FROM entity_box WHERE max_lon >= ? AND min_lon <= ?"
    " AND max_lat >= ? AND min_lat <= ?"
)
_ANY = "EXISTS (SELECT 1 FROM entity_value WHERE key = ? AND kind = ?)"
_LAST = "\U0010ffff"
_DOCUMENT = "e.row, e.doc"


@dataclass
class Choice:
    """What is read: `source` yields `row` and `id`; `bound` is bound in it."""

    source: str
    row: str
    id: str
    where: list[Sql] = field(default_factory=list)
    bound: tuple[Any, ...] = ()

    def page(self, limit: int | None, offset: int) -> Sql:
        """Return the statement that reads the documents in the order of ids."""
        where, values = self._where()
        if limit is None and not offset and self.row == "t.row":
            # Read as they come, so that whoever stops early has not waited for all.
            return Sql(
                f"SELECT {_DOCUMENT} FROM {self.source} CROSS JOIN entity e ON e.row = t.row"
                f" WHERE {where} ORDER BY t.id",
                values,
            )
        if limit is None and not offset and self.source == "entity e":
            return Sql(f"SELECT {_DOCUMENT} FROM entity e WHERE {where} ORDER BY e.id", values)
        inner = (
            f"SELECT {self.row} AS r, {self.id} AS i FROM {self.source} WHERE {where}"
            f" ORDER BY {self.id} LIMIT ? OFFSET ?"
        )
        return Sql(
            f"SELECT {_DOCUMENT} FROM ({inner}) p CROSS JOIN entity e ON e.row = p.r ORDER BY p.i",
            (*values, -1 if limit is None else limit, offset),
        )

    def marked(self, box: Box, inner: Box | None, limit: int) -> Sql:
        """Return the statement that reads what touches `box`, and whether it lies inside `inner`."""
        where, values = self._where()
        flag, bound = "0", tuple[float, ...]()
        if inner is not None:
            flag = "b.min_lon > ? AND b.max_lon < ? AND b.min_lat > ? AND b.max_lat < ?"
            bound = (inner[0], inner[2], inner[1], inner[3])
        entity = "" if "entity e" in self.source else f" CROSS JOIN entity e ON e.row = {self.row}"
        west, south, east, north = box
        return Sql(
            f"SELECT {_DOCUMENT}, {flag} FROM {self.source}"
            f" CROSS JOIN entity_box b ON b.row = {self.row}{entity} WHERE {where}"
            " AND b.max_lon >= ? AND b.min_lon <= ? AND b.max_lat >= ? AND b.min_lat <= ?"
            f" ORDER BY {self.id} LIMIT ?",
            (*bound, *values, west, east, south, north, limit),
        )

    def total(self) -> Sql:
        """Return the statement that counts."""
        where, values = self._where()
        return Sql(f"SELECT count(*) FROM {self.source} WHERE {where}", values)

    def _where(self) -> tuple[str, tuple[Any, ...]]:
        text = " AND ".join(f"({one.text})" for one in self.where)
        text = text.replace("{row}", self.row).replace("{id}", self.id)
        return text, (*self.bound, *(value for one in self.where for value in one.values))


def asked_of(tx: SqliteTx, tenant: str, which: Candidates, values: SqliteValues) -> Asked:
    """Return what the index of values knows of the question."""
    if which.q is None:
        return Asked(is_whole=True)
    asked = judged(which.q, lambda term: values.key_of(tx, tenant, term))
    if asked.judged is not None:
        pairs = sorted(asked.judged.inexact)
        asked.odd = Sql(
            "SELECT " + " OR ".join([_ANY] * len(pairs)) if pairs else "",
            tuple(value for pair in pairs for value in pair),
        )
    return asked


def is_exact(tx: SqliteTx, asked: Asked) -> bool:
    """Return whether all that is found by the index of values matches `q`."""
    if not asked.is_whole or asked.missing:
        return False
    if asked.odd is None or not asked.odd.text:
        return True
    ((found,),) = tx.db.execute(asked.odd.text, asked.odd.values)
    return not found


def chosen(
    tx: SqliteTx,
    tenant: str,
    which: Candidates,
    asked: Asked,
    *,
    is_whole: bool,
    counts: bool = False,
    widths: Widths | None = None,
) -> Choice:
    """Return how the entities that may match are read; `is_whole` when all of them will be."""
    ways = list(asked.ways)
    if which.box is not None:
        ways.append((_in_box(which.box),))
    way = None
    if ways and which.ids is None:
        widths = widths or Widths()
        way = _narrowest(tx, ways, _NARROW_TO_COUNT if counts else widths.narrow(tx), widths)
    choice = _source(tenant, which, way)
    if asked.judged is not None:
        choice.where.append(asked.judged.where)
    if which.box is not None and (way is None or way is not ways[-1]):
        inside = _in_box(which.box)
        text = f"{{row}} IN ({inside.text})"
        if not is_whole:
            text = f"EXISTS ({inside.text.replace('WHERE', 'WHERE row = {row} AND')})"
        choice.where.append(Sql(text, inside.values))
    return choice


def is_narrow(tx: SqliteTx, which: Candidates, asked: Asked) -> bool:
    """Return whether so few entities can match that all of them are soon read."""
    ways = [*asked.ways, *([] if which.box is None else [(_in_box(which.box),)])]
    return _narrowest(tx, ways, _NARROW, Widths()) is not None


def _in_box(box: Box) -> Sql:
    west, south, east, north = box
    return Sql(_IN_BOX, (west, east, south, north))


def _narrowest(tx: SqliteTx, ways: list[Way], narrow: int, widths: Widths) -> Way | None:
    """Return the way with the fewest entries, or None when each has more than `narrow`."""
    best: Way | None = None
    fewest = narrow
    for way in ways:
        if widths.is_wide(way, narrow):
            continue
        union, values = _union(way)
        ((count,),) = tx.db.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM ({union}) LIMIT ?)", (*values, fewest + 1)
        )
        if count <= fewest:
            best, fewest = way, count
        elif fewest == narrow:
            widths.note(way, narrow)
    return best


def _union(way: Way) -> tuple[str, tuple[Any, ...]]:
    text = " UNION ALL ".join(one.text for one in way)
    return text, tuple(value for one in way for value in one.values)


def _source(tenant: str, which: Candidates, way: Way | None) -> Choice:
    types = which.types
    if way is not None:
        text, values = _union(way)
        text = f"SELECT DISTINCT row FROM ({text})"
        choice = Choice(f"({text}) d CROSS JOIN entity e ON e.row = d.row", "e.row", "e.id")
        choice.bound = values
        choice.where.append(Sql("e.tenant = ?", (tenant,)))
    elif types is not None and len(types) == 1 and which.ids is None:
        # One type is read in the order of its own key; several need each entity only once.
        choice = Choice("entity_type t", "t.row", "t.id")
        choice.where.append(Sql("t.tenant = ? AND t.type = ?", (tenant, types[0])))
        types = None
    else:
        choice = Choice("entity e", "e.row", "e.id")
        choice.where.append(Sql("e.tenant = ?", (tenant,)))
    if types is not None:
        of_type = (
            "EXISTS (SELECT 1 FROM entity_type x"
            f" WHERE x.tenant = ? AND x.type IN ({', '.join('?' * len(types))}) AND x.id = {{id}})"
        )
        choice.where.append(Sql(of_type, (tenant, *types)))
    if which.ids is not None:
        marks = ", ".join("?" * len(which.ids))
        choice.where.append(Sql(f"{{id}} IN ({marks})", tuple(which.ids)))
    if which.after:
        choice.where.append(Sql("{id} > ?", (which.after,)))
    if which.id_prefix:
        between = (which.id_prefix, which.id_prefix + _LAST)
        choice.where.append(Sql("{id} >= ? AND {id} < ?", between))
    return choice
