"""How many entities of a type there are is known without counting, and is what counting would find."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import apsw

from chengmai.broker.ports import Candidates
from chengmai.kernel.clock import FixedClock
from chengmai.ngsild.entity import Entity
from chengmai.store.sqlite.entities import SqliteEntities
from chengmai.store.sqlite.file import connect, load_or_make_key
from chengmai.store.sqlite.work import SqliteTx, SqliteWork

_TYPES = ("https://example.org/A", "https://example.org/B", "https://example.org/C")
_COUNTED = "SELECT type, count(*) FROM entity_type WHERE tenant = ? GROUP BY type ORDER BY type"


def _known(store: SqliteEntities) -> Any:
    def read(tx: SqliteTx) -> tuple[Any, ...]:
        of_each = [
            (name, total)
            for name in _TYPES
            if (total := store.count(tx, "city", Candidates(types=(name,))))
        ]
        return of_each, store.types(tx, "city"), tx.db.execute(_COUNTED, ("city",)).fetchall()

    return read


async def test_the_count_of_a_type_follows_every_write(work: SqliteWork) -> None:
    store, chance = SqliteEntities(), random.Random(7)
    held: dict[str, Entity] = {}

    def some(tx: SqliteTx) -> None:
        for _ in range(30):
            entity_id = f"urn:x:{chance.randrange(40)}"
            if entity_id in held and chance.random() < 0.4:
                store.remove(tx, "city", entity_id)
                del held[entity_id]
                continue
            types = sorted(chance.sample(_TYPES, chance.randint(1, 3)))
            made: Entity = {"id": entity_id, "type": types}
            store.put(tx, "city", made, held.get(entity_id))
            store.put(tx, "other", made, store.get(tx, "other", entity_id))
            held[entity_id] = made

    for _ in range(6):
        await work.write(some)
        of_each, types, counted = await work.read(_known(store))
        assert of_each == types == counted
    assert counted
    assert await work.read(lambda tx: store.count(tx, "city", Candidates(types=("urn:none",)))) == 0


async def test_a_type_that_an_entity_names_twice_counts_once(work: SqliteWork) -> None:
    store = SqliteEntities()
    made: Entity = {"id": "urn:x:1", "type": [_TYPES[0], _TYPES[0]]}

    def fill(tx: SqliteTx) -> None:
        store.put(tx, "city", made, None)
        store.put(tx, "city", {"id": "urn:x:2", "type": [_TYPES[0]]}, None)
        store.remove(tx, "city", "urn:x:1")

    await work.write(fill)

    assert await work.read(lambda tx: store.types(tx, "city")) == [(_TYPES[0], 1)]


async def test_the_counts_of_a_city_that_was_there_before_are_made_once(
    work: SqliteWork, tmp_path: Path, clock: FixedClock
) -> None:
    store = SqliteEntities()

    def fill(tx: SqliteTx) -> None:
        for n in range(5):
            store.put(tx, "city", {"id": f"urn:x:{n}", "type": [_TYPES[n % 2]]}, None)

    await work.write(fill)
    work.close()
    key = load_or_make_key(tmp_path / "state.key")
    _before_counts(connect(tmp_path / "state.db", key))
    again = SqliteWork(tmp_path / "state.db", key, clock)
    try:
        of_each, types, _ = await again.read(_known(store))
    finally:
        again.close()

    assert of_each == types == [(_TYPES[0], 3), (_TYPES[1], 2)]


def _before_counts(db: apsw.Connection) -> None:
    db.execute("DROP TABLE type_count")
    db.execute("DELETE FROM migration WHERE number = 280")
    db.close()
