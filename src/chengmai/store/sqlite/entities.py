"""Current state in SQLite."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from chengmai.broker.ports import Candidates
from chengmai.kernel.geo import Box, bounding_box
from chengmai.kernel.instants import to_us
from chengmai.ngsild.entity import LOCATION, Entity
from chengmai.store.sqlite.work import SqliteTx

_GET = "SELECT doc FROM entity WHERE tenant = ? AND id = ?"
_PUT = """
INSERT INTO entity (tenant, id, doc, version, modified_us) VALUES (?, ?, ?, 1, ?)
ON CONFLICT (tenant, id) DO UPDATE
SET doc = excluded.doc, version = entity.version + 1, modified_us = excluded.modified_us
RETURNING row
"""

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


class SqliteEntities:
    """Implements `broker.ports.EntityStore`."""

    def get(self, tx: SqliteTx, tenant: str, entity_id: str) -> Entity | None:
        found = tx.db.execute(_GET, (tenant, entity_id)).fetchone()
        if found is None:
            return None
        entity: Entity = orjson.loads(found[0])
        return entity

    def put(self, tx: SqliteTx, tenant: str, entity: Entity, before: Entity | None) -> None:
        key = (tenant, entity["id"])
        ((row,),) = tx.db.execute(_PUT, (*key, orjson.dumps(entity), to_us(tx.now)))
        old_types = before["type"] if before else []
        for type_iri in set(old_types) - set(entity["type"]):
            tx.db.execute(
                "DELETE FROM entity_type WHERE tenant = ? AND id = ? AND type = ?", (*key, type_iri)
            )
        for type_iri in set(entity["type"]) - set(old_types):
            tx.db.execute(
                "INSERT INTO entity_type (tenant, id, type, row) VALUES (?, ?, ?, ?)",
                (*key, type_iri, row),
            )
        self._put_box(tx, row, _box(entity), _box(before))

    def remove(self, tx: SqliteTx, tenant: str, entity_id: str) -> bool:
        found = tx.db.execute(
            "DELETE FROM entity WHERE tenant = ? AND id = ? RETURNING row, doc", (tenant, entity_id)
        ).fetchone()
        if found is None:
            return False
        for type_iri in orjson.loads(found[1])["type"]:
            tx.db.execute(
                "DELETE FROM entity_type WHERE tenant = ? AND type = ? AND id = ?",
                (tenant, type_iri, entity_id),
            )
        tx.db.execute("DELETE FROM entity_box WHERE row = ?", (found[0],))
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
        source, where, values = _chosen(tenant, which)
        order = "t.id" if source != "entity e" else "e.id"
        sql = f"SELECT e.doc FROM {source} WHERE {where} ORDER BY {order}"
        if limit is not None or offset:
            sql += " LIMIT ? OFFSET ?"
            values += [-1 if limit is None else limit, offset]
        rows = tx.db.execute(sql, values)
        try:
            for (doc,) in rows:
                yield orjson.loads(doc)
        finally:
            # Whoever stops early must not leave the statement open: it would hold its reader's snapshot.
            rows.close()

    def count(self, tx: SqliteTx, tenant: str, which: Candidates) -> int:
        source, where, values = _chosen(tenant, which)
        ((found,),) = tx.db.execute(f"SELECT count(*) FROM {source} WHERE {where}", values)
        return int(found)

    def types(self, tx: SqliteTx, tenant: str) -> list[tuple[str, int]]:
        return list(
            tx.db.execute(
                "SELECT type, count(*) FROM entity_type WHERE tenant = ? GROUP BY type ORDER BY type",
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
        if before is not None:
            tx.db.execute("DELETE FROM entity_box WHERE row = ?", (row,))
        if box is not None:
            west, south, east, north = box
            tx.db.execute(
                "INSERT INTO entity_box (row, min_lon, max_lon, min_lat, max_lat)"
                " VALUES (?, ?, ?, ?, ?)",
                (row, west, east, south, north),
            )


def _chosen(tenant: str, which: Candidates) -> tuple[str, str, list[str | float]]:
    """Return FROM, WHERE and the values bound in it."""
    where, values = ["e.tenant = ?"], [tenant]
    source = "entity e"
    if which.types is not None:
        # One type is read in the order of its own key; several need each entity only once.
        marks = ", ".join("?" * len(which.types))
        if len(which.types) == 1:
            source = "entity_type t CROSS JOIN entity e ON e.row = t.row"
            where += ["t.tenant = ?", "t.type = ?"]
            values += [tenant, which.types[0]]
        else:
            where.append(
                f"e.row IN (SELECT row FROM entity_type WHERE tenant = ? AND type IN ({marks}))"
            )
            values += [tenant, *which.types]
    if which.ids is not None:
        where.append(f"e.id IN ({', '.join('?' * len(which.ids))})")
        values += list(which.ids)
    bindings: list[str | float] = list(values)
    if which.box is not None:
        west, south, east, north = which.box
        where.append(
            "e.row IN (SELECT row FROM entity_box WHERE max_lon >= ? AND min_lon <= ?"
            " AND max_lat >= ? AND min_lat <= ?)"
        )
        bindings += [west, east, south, north]
    return source, " AND ".join(where), bindings


def _box(entity: Entity | None) -> Box | None:
    places = entity.get(LOCATION) if entity else None
    if not places or places[0]["type"] != "GeoProperty":
        return None
    return bounding_box(places[0]["value"])
