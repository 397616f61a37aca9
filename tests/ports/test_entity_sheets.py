"""What an adapter of `broker.sheets.Sheets` promises: a sheet shows what the store holds, whoever wrote it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import orjson

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import FixedClock
from chengmai.ngsild.contexts import ContextCompiler, core_documents
from chengmai.ngsild.entity import DEFAULT_VOCAB, LOCATION, Entity
from chengmai.ngsild.geoq import GeoQuery, matches, parse_geoq
from chengmai.store.sheets import EntitySheets
from chengmai.store.sqlite.entities import SqliteEntities
from chengmai.store.sqlite.trust import SqliteTrustStore
from chengmai.store.sqlite.work import SqliteTx, SqliteWork
from chengmai.trust.audit import AuditTrail

CORE = ContextCompiler(core_documents(), None).core
SENSOR, ROOM = (DEFAULT_VOCAB + name for name in ("Sensor", "Room"))
BY = Actor("usr:t", "city", frozenset({"manager"}), "t")
CLOCK = FixedClock(datetime(2026, 11, 22, 8, 0, tzinfo=UTC))
KEY = "00" * 32


def in_box(west: float = 0.0, east: float = 10.0) -> GeoQuery:
    ring = [[west, 0], [east, 0], [east, 10], [west, 10], [west, 0]]
    return parse_geoq("within", "Polygon", [ring], None, CORE)


def a_sensor(n: int, value: float = 0, *, at: float | None = 5.0, kind: str = SENSOR) -> Entity:
    made: Entity = {
        "id": f"urn:e:{n:03}",
        "type": [kind],
        DEFAULT_VOCAB + "v": [{"type": "Property", "value": value}],
    }
    if at is not None:
        point = {"type": "Point", "coordinates": [at, 5.0]}
        made[LOCATION] = [{"type": "GeoProperty", "value": point}]
    return made


class File:
    """A state file and somebody who writes to it as the commit path does."""

    def __init__(self, path: Path) -> None:
        self.work = SqliteWork(path, KEY, CLOCK)
        self.entities = SqliteEntities()
        self._audit = AuditTrail(self.work, SqliteTrustStore(), CLOCK)

    async def put(self, *entities: Entity) -> None:
        def put(tx: SqliteTx) -> None:
            for one in entities:
                self.entities.put(tx, "city", one, self.entities.get(tx, "city", one["id"]))
                self._audit.line(tx, BY, "entity.upsert", one["id"], {})

        await self.work.write(put)

    async def remove(self, entity: Entity) -> None:
        def remove(tx: SqliteTx) -> None:
            self.entities.remove(tx, "city", entity["id"])
            self._audit.line(tx, BY, "entity.delete", entity["id"], {})

        await self.work.write(remove)


@asynccontextmanager
async def a_file(folder: Path) -> AsyncIterator[File]:
    file = File(folder / "state.db")
    try:
        yield file
    finally:
        file.work.close()


async def shown(
    sheets: EntitySheets, place: GeoQuery | None = None, *, offset: int = 0, limit: int = 1000
) -> dict[str, float]:
    """Return id and value of what is laid of the sensors, in the order in which it comes."""
    laid = await sheets.laid("city", SENSOR, place)
    assert laid is not None
    parts = laid.parts("view", _part, offset=offset, limit=limit)
    found = [orjson.loads(one) async for some in parts for one in some]
    assert laid.total >= len(found)
    return {one["id"]: one["value"] for one in found}


def _part(doc: bytes) -> bytes:
    entity = orjson.loads(doc)
    value = entity[DEFAULT_VOCAB + "v"][0]["value"]
    return orjson.dumps({"id": entity["id"], "value": value})


async def test_what_is_shown_again_is_not_made_again(tmp_path: Path) -> None:
    made: list[bytes] = []

    def part(doc: bytes) -> bytes:
        made.append(doc)
        return _part(doc)

    async with a_file(tmp_path) as file:
        await file.put(*(a_sensor(n) for n in range(50)))
        sheets = EntitySheets(file.work)
        for _ in range(3):
            laid = await sheets.laid("city", SENSOR, in_box())
            assert laid is not None
            parts = [one async for one in laid.parts("view", part, offset=0, limit=100)]
            assert sum(map(len, parts)) == 50
            if len(made) == 50:
                await file.put(a_sensor(7, 1))

    assert len(made) == 51


async def test_a_sheet_follows_whatever_happens_to_entities(tmp_path: Path) -> None:
    chance = Random(4)
    async with a_file(tmp_path) as file, a_file(tmp_path) as other:
        sheets, held = EntitySheets(file.work), dict[str, Entity]()
        for turn in range(60):
            for _ in range(chance.randrange(4)):
                # Points on the edge of the box, beyond it and nowhere; and things that are no sensors any more.
                one = a_sensor(
                    chance.randrange(30),
                    turn,
                    at=chance.choice([5.0, 0.0, 10.0, 9.999999999, 15.0, None]),
                    kind=chance.choice([SENSOR, SENSOR, SENSOR, ROOM]),
                )
                by = chance.choice([file, other])
                if one["id"] in held and chance.random() < 0.3:
                    await by.remove(held.pop(one["id"]))
                else:
                    await by.put(one)
                    held[one["id"]] = one
            place = chance.choice([None, in_box(), in_box(5.0, 12.0)])
            expected = {
                one: entity[DEFAULT_VOCAB + "v"][0]["value"]
                for one, entity in sorted(held.items())
                if entity["type"] == [SENSOR] and (place is None or matches(place, entity))
            }
            found = await shown(sheets, place)
            assert list(found.items()) == list(expected.items())
            some = await shown(sheets, place, offset=3, limit=4)
            assert list(some.items()) == list(expected.items())[3:7]


async def test_who_reads_a_sheet_is_not_disturbed_by_changes(tmp_path: Path) -> None:
    async with a_file(tmp_path) as file:
        await file.put(*(a_sensor(n) for n in range(1200)))
        sheets = EntitySheets(file.work)
        laid = await sheets.laid("city", SENSOR, in_box())
        assert laid is not None
        found = []
        async for some in laid.parts("view", _part, offset=0, limit=2000):
            found += [orjson.loads(one) for one in some]
            if len(found) == 500:
                await file.remove(a_sensor(700))
                await file.put(a_sensor(800, at=20.0), a_sensor(900, 1), a_sensor(550, kind=ROOM))
                await file.put(a_sensor(1300), a_sensor(100, 2))
                assert len(await shown(sheets, in_box(), limit=5000)) == 1198
        again = await shown(sheets, in_box(), limit=5000)

    ids = [one["id"] for one in found]
    assert len(ids) == len(set(ids)) == 1197, "what is gone or has left is not shown, the rest is"
    assert {one["id"]: one["value"] for one in found}["urn:e:900"] == 1, "as it is then"
    assert again["urn:e:100"] == 2
    assert "urn:e:1300" in again


async def test_a_sheet_that_would_be_too_large_is_not_made(tmp_path: Path) -> None:
    async with a_file(tmp_path) as file:
        await file.put(*(a_sensor(n) for n in range(11)))
        sheets = EntitySheets(file.work, most_entities=10)
        assert await sheets.laid("city", SENSOR, None) is None
        await file.remove(a_sensor(0))
        assert len(await shown(sheets)) == 10
        await file.put(a_sensor(20))
        # One that has grown beyond it is still good; it is let go when there are too many of all types.
        assert len(await shown(sheets)) == 11


async def test_what_is_remembered_stays_within_its_bound(tmp_path: Path) -> None:
    async with a_file(tmp_path) as file:
        await file.put(*(a_sensor(n) for n in range(200)))
        sheets = EntitySheets(file.work, most_bytes=20_000)
        for view in range(5):
            laid = await sheets.laid("city", SENSOR, None)
            assert laid is not None
            parts = [one async for one in laid.parts(view, _part, offset=0, limit=1000)]
            assert sum(map(len, parts)) == 200
            assert sheets.weight <= 22_000
