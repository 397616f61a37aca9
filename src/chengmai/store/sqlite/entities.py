"""Current state in SQLite."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from chengmai.broker.model import Stored
from chengmai.broker.ports import Candidates, Rank
from chengmai.kernel.geo import Box, bounding_box
from chengmai.kernel.instants import to_us
from chengmai.ngsild.entity import LOCATION, Entity, Instance
from chengmai.ngsild.q import Comparison
from chengmai.store.sqlite.choosing import asked_of, chosen, is_exact
from chengmai.store.sqlite.ordered import are_more, ranked, walked
from chengmai.store.sqlite.planned import Plans
from chengmai.store.sqlite.qsql import Asked
from chengmai.store.sqlite.rows import Insert
from chengmai.store.sqlite.values import SqliteValues
from chengmai.store.sqlite.work import SqliteTx

_GET = "SELECT doc FROM entity WHERE tenant = ? AND id = ?"
_PUT = Insert(
    "INSERT INTO entity (row, tenant, id, doc, version, modified_us)",
    6,
    "ON CONFLICT DO UPDATE"
    " SET doc = excluded.doc, version = entity.version + 1, modified_us = excluded.modified_us",
)
_PUT_TYPE = Insert("INSERT INTO entity_type (tenant, type, id, row)", 4)
_MORE_OF_TYPE = Insert(
    "INSERT INTO type_count (tenant, type, n)", 3, "ON CONFLICT DO UPDATE SET n = n + excluded.n"
)
_PUT_BOX = Insert("INSERT OR REPLACE INTO entity_box (row, min_lon, max_lon, min_lat, max_lat)", 5)
_NO_TYPES: tuple[str, ...] = ()
_NONE: Stored = (0, b"")
"""What the writer remembers of an entity that is not there."""

_ATTRIBUTES = """
SELECT DISTINCT t.type, a.key, json_extract(i.value, '$.type')
FROM entity_type t
JOIN entity e ON e.row = t.row
JOIN json_each(CAST(e.doc AS TEXT)) a ON instr(a.key, ':') > 0
JOIN json_each(a.value) i
WHERE t.tenant = ?
ORDER BY 1, 2, 3
"""
_COUNT = """
SELECT count(*) FROM entity e
JOIN json_each(CAST(e.doc AS TEXT)) a
JOIN json_each(a.value) i
WHERE e.tenant = ? AND a.key = ?
"""


_OF_TYPE = "SELECT n FROM type_count WHERE tenant = ? AND type = ?"
_STORED = "SELECT row, doc FROM entity WHERE tenant = ? AND id = ?"
MANY = 60
"""A question that reads more entities than this for want of an index of values gets one."""


class SqliteEntities:
    """Implements `broker.ports.EntityStore`."""

    def __init__(self) -> None:
        self.values = SqliteValues()
        self._plans = Plans()

    def get(self, tx: SqliteTx, tenant: str, entity_id: str) -> Entity | None:
        if not tx.is_write:
            found = tx.db.execute(_GET, (tenant, entity_id)).fetchone()
            return None if found is None else orjson.loads(found[0])
        row, doc = _stored(tx, tenant, entity_id)
        return orjson.loads(doc) if row else None

    def put(self, tx: SqliteTx, tenant: str, entity: Entity, before: Entity | None) -> bytes:
        entity_id = entity["id"]
        row, _ = _stored(tx, tenant, entity_id)
        if not row:
            row = _next_row(tx)
        doc = orjson.dumps(entity)
        # What is remembered is a copy of its exact size: the buffer it was made in is larger.
        tx.remember(("entity", tenant, entity_id), (row, bytes(memoryview(doc))), len(doc))
        tx.insert(_PUT, (row, tenant, entity_id, doc, 1, to_us(tx.now)))
        types, old_types = entity["type"], before["type"] if before else _NO_TYPES
        _touch(tx, tenant, types)
        if types != old_types:
            _touch(tx, tenant, old_types)
            for type_iri in set(old_types).difference(types):
                _drop_type(tx, tenant, type_iri, entity_id)
            for type_iri in set(types).difference(old_types):
                tx.insert(_PUT_TYPE, (tenant, type_iri, entity_id, row))
                tx.insert(_MORE_OF_TYPE, (tenant, type_iri, 1))
        place, old_place = entity.get(LOCATION), before.get(LOCATION) if before else None
        if place is not old_place and _where(place) != _where(old_place):
            self._put_box(tx, row, _box(place), _box(old_place))
        self.values.put(tx, tenant, row, entity, before)
        return doc

    def remove(self, tx: SqliteTx, tenant: str, entity_id: str) -> bool:
        found = tx.db.execute(
            "DELETE FROM entity WHERE tenant = ? AND id = ? RETURNING row, doc", (tenant, entity_id)
        ).fetchone()
        tx.remember(("entity", tenant, entity_id), _NONE)
        if found is None:
            return False
        types = orjson.loads(found[1])["type"]
        _touch(tx, tenant, types)
        for type_iri in set(types):
            _drop_type(tx, tenant, type_iri, entity_id)
        tx.db.execute("DELETE FROM entity_box WHERE row = ?", (found[0],))
        self.values.remove(tx, tenant, found[0])
        return True

    def candidates(
        self,
        tx: SqliteTx,
        tenant: str,
        which: Candidates,
        *,
        limit: int | None = None,
        offset: int = 0,
    ) -> Iterator[Entity]:
        for _, doc in self.rows(tx, tenant, which, limit=limit, offset=offset):
            yield orjson.loads(doc)

    def rows(
        self,
        tx: SqliteTx,
        tenant: str,
        which: Candidates,
        *,
        limit: int | None = None,
        offset: int = 0,
    ) -> Generator[Stored, None, None]:
        asked = asked_of(tx, tenant, which, self.values)
        page = chosen(tx, tenant, which, asked, is_whole=limit is None).page(limit, offset)
        rows = tx.db.execute(page.text, page.values)
        read = 0
        try:
            for stored in rows:
                read += 1
                yield stored
        finally:
            # Whoever stops early must not leave the statement open: it would hold its reader's snapshot.
            rows.close()
            if asked.missing and read > MANY:
                self.values.want(tenant, asked.missing)

    def marked(
        self, tx: SqliteTx, tenant: str, which: Candidates, inner: Box | None, *, limit: int
    ) -> list[tuple[int, bytes, bool]]:
        asked = asked_of(tx, tenant, which, self.values)
        exact = is_exact(tx, asked)
        if which.box is None:
            page = chosen(tx, tenant, which, asked, is_whole=False).page(limit, 0)
            return [(row, doc, exact) for row, doc in tx.db.execute(page.text, page.values)]
        choice = chosen(tx, tenant, replace(which, box=None), asked, is_whole=False)
        page = choice.marked(which.box, inner, limit)
        found = tx.db.execute(page.text, page.values)
        return [(row, doc, exact and bool(inside)) for row, doc, inside in found]

    def count(self, tx: SqliteTx, tenant: str, which: Candidates) -> int:
        return _total(tx, tenant, which, asked_of(tx, tenant, which, self.values))

    def stored(self, tx: SqliteTx, tenant: str, entity_id: str) -> Stored | None:
        found: Stored | None = tx.db.execute(_STORED, (tenant, entity_id)).fetchone()
        return found

    def exact(
        self,
        tx: SqliteTx,
        tenant: str,
        which: Candidates,
        *,
        limit: int,
        offset: int,
        count: bool,
    ) -> tuple[list[Stored], int | None] | None:
        asked, page = self._plans.of(tx, tenant, which, self.values)
        if not is_exact(tx, asked):
            return None
        total = _total(tx, tenant, which, asked) if count else None
        if limit == 0:
            return [], total
        return tx.db.execute(page.text, (*page.values, limit, offset)).fetchall(), total

    def in_order(
        self, tx: SqliteTx, tenant: str, which: Candidates, attribute: str, *, descending: bool
    ) -> Iterator[tuple[Rank, Stored]] | None:
        term = Comparison((attribute,), (), "exists")
        key = self.values.key_of(tx, tenant, term)
        if key is None:
            if are_more(tx, tenant, which, MANY):
                self.values.want(tenant, [term])
            return None
        asked = asked_of(tx, tenant, which, self.values)
        walk = walked(tx, tenant, which, asked, key, descending=descending)
        return None if walk is None else ranked(tx.db, walk)

    def types(self, tx: SqliteTx, tenant: str) -> list[tuple[str, int]]:
        return list(
            tx.db.execute(
                "SELECT type, n FROM type_count WHERE tenant = ? AND n > 0 ORDER BY type",
                (tenant,),
            )
        )

    def attributes(self, tx: SqliteTx, tenant: str) -> list[tuple[str, str, str]]:
        return list(tx.db.execute(_ATTRIBUTES, (tenant,)))

    def attribute_count(self, tx: SqliteTx, tenant: str, attribute: str) -> int:
        ((count,),) = tx.db.execute(_COUNT, (tenant, attribute))
        return int(count)

    @staticmethod
    def _put_box(tx: SqliteTx, row: int, box: Box | None, before: Box | None) -> None:
        if box == before:
            return
        if box is not None:
            west, south, east, north = box
            tx.insert(_PUT_BOX, (row, west, east, south, north))
        elif before is not None:
            tx.db.execute("DELETE FROM entity_box WHERE row = ?", (row,))


def _stored(tx: SqliteTx, tenant: str, entity_id: str) -> Stored:
    """Return the entity as the writer knows it; the file is asked once."""
    key = ("entity", tenant, entity_id)
    known: Stored | None = tx.recall(key)
    if known is None:
        known = tx.peek.execute(_STORED, (tenant, entity_id)).fetchone() or _NONE
        tx.remember(key, known, len(known[1]))
    return known


def _drop_type(tx: SqliteTx, tenant: str, type_iri: str, entity_id: str) -> None:
    tx.db.execute(
        "DELETE FROM entity_type WHERE tenant = ? AND type = ? AND id = ?",
        (tenant, type_iri, entity_id),
    )
    tx.insert(_MORE_OF_TYPE, (tenant, type_iri, -1))


def _touch(tx: SqliteTx, tenant: str, types: Sequence[str]) -> None:
    for type_iri in types:
        tx.touch(("type", tenant, type_iri))


def _next_row(tx: SqliteTx) -> int:
    last: int | None = tx.recall("last entity row")
    if last is None:
        ((last,),) = tx.peek.execute("SELECT coalesce(max(row), 0) FROM entity").fetchall()
    tx.remember("last entity row", last + 1)
    return last + 1


def _total(tx: SqliteTx, tenant: str, which: Candidates, asked: Asked) -> int:
    if which.types is not None and which == Candidates(types=which.types) and len(which.types) == 1:
        known = tx.db.execute(_OF_TYPE, (tenant, which.types[0])).fetchone()
        return 0 if known is None else int(known[0])
    total = chosen(tx, tenant, which, asked, is_whole=True, counts=True).total()
    ((found,),) = tx.db.execute(total.text, total.values)
    return int(found)


def _where(places: Sequence[Instance] | None) -> Any:
    return places[0].get("value") if places else None


def _box(places: Sequence[Instance] | None) -> Box | None:
    if not places or places[0]["type"] != "GeoProperty":
        return None
    return bounding_box(places[0]["value"])
