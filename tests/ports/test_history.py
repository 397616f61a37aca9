"""What every adapter of `history.ports.HistoryStore` promises, recent and sealed parts as one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pytest

from chengmai.history.model import PastRow, Span
from chengmai.kernel.instants import to_us
from chengmai.ngsild.entity import Entity, Instance, entity, name_iri, prop
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.history import EmbeddedHistory
from chengmai.store.problems import StoreFailed, StoreUnreadable
from chengmai.store.sqlite.entities import SqliteEntities
from chengmai.store.sqlite.series import RECENT, unpacked
from chengmai.store.sqlite.work import SqliteTx, SqliteWork

T0 = datetime(2026, 11, 1, tzinfo=UTC)
SPEED = name_iri("speed")
ROAD = "urn:ngsi-ld:Road:1"


def at(minutes: int) -> datetime:
    return T0 + timedelta(minutes=minutes)


def reading(value: Any, minutes: int) -> Instance:
    return prop(value, unit="KMH", at=at(minutes))


class Past:
    """The history with everything an assertion needs in one line."""

    def __init__(self, work: SqliteWork, store: EmbeddedHistory) -> None:
        self.work, self.store = work, store

    async def record(self, *instances: Instance, entity_id: str = ROAD) -> None:
        changes = [(SPEED, instance) for instance in instances]
        await self.work.write(lambda tx: self.store.record(tx, "city", entity_id, changes))

    async def forget(self) -> None:
        await self.work.write(lambda tx: self.store.forget(tx, "city", ROAD))

    async def numbers(self, span: Span | None = None) -> list[float]:
        rows = await self.work.read(
            lambda tx: self.store.numbers(tx, "city", ROAD, SPEED, span or Span())
        )
        return [value for _, value in rows]

    async def instances(self, last_n: int | None = None) -> list[Instance]:
        found = await self.work.read(
            lambda tx: self.store.instances(
                tx, "city", ROAD, attributes=None, span=Span(), last_n=last_n
            )
        )
        return found.get(SPEED, [])


@pytest.fixture
def past(work: SqliteWork, history: EmbeddedHistory) -> Past:
    return Past(work, history)


@pytest.mark.parametrize("sealed", [0, 2, 5])
async def test_numbers_come_in_order_of_time_wherever_they_lie(past: Past, sealed: int) -> None:
    await past.record(reading(3.5, 3), reading(1, 1), reading(2, 2))
    await past.store.seal(at_most=sealed) if sealed else None
    await past.record(reading(0, 0), reading(4, 4))

    assert await past.numbers() == [0, 1, 2, 3.5, 4]


async def test_a_span_is_half_open(past: Past) -> None:
    await past.record(*(reading(i, i) for i in range(5)))
    await past.store.seal(at_most=3)

    span = Span(to_us(at(1)), to_us(at(4)))

    assert await past.numbers(span) == [1, 2, 3]


@pytest.mark.parametrize("sealed_before", [False, True])
@pytest.mark.parametrize("sealed_after", [False, True])
async def test_a_second_reading_for_an_instant_corrects_the_first(
    past: Past, sealed_before: bool, sealed_after: bool
) -> None:
    await past.record(reading(1, 1), reading(2, 2))
    if sealed_before:
        await past.store.seal()
    await past.record(reading(9, 1))
    if sealed_after:
        await past.store.seal()

    assert await past.numbers() == [9, 2]
    assert [one["value"] for one in await past.instances()] == [9, 2]


async def test_what_is_more_than_a_number_comes_back_whole(past: Past) -> None:
    precise = {**reading(7, 1), "https://example.org/accuracy": [prop(0.5)]}
    await past.record(precise, reading("closed", 2), reading(True, 3), reading([1, 2], 4))
    await past.store.seal(at_most=2)

    found = await past.instances()

    assert [one["value"] for one in found] == [7, "closed", True, [1, 2]]
    assert found[0]["https://example.org/accuracy"][0]["value"] == 0.5
    assert all(one["unitCode"] == "KMH" for one in found)


async def test_last_n_gives_the_newest_across_both_parts(past: Past) -> None:
    await past.record(*(reading(i, i) for i in range(6)))
    await past.store.seal(at_most=4)

    assert [one["value"] for one in await past.instances(last_n=3)] == [3, 4, 5]


@pytest.mark.parametrize("sealed", [False, True])
async def test_what_is_forgotten_is_gone_and_new_readings_count(past: Past, sealed: bool) -> None:
    await past.record(reading(1, 1), reading(2, 2))
    await past.store.import_block("city", "b", [PastRow(ROAD, SPEED, to_us(at(-5)), -5.0, "KMH")])
    if sealed:
        await past.store.seal()
    await past.forget()
    assert await past.numbers() == []

    await past.record(reading(3, 3))
    await past.store.seal()

    assert await past.numbers() == [3]


async def test_a_block_is_imported_once(past: Past) -> None:
    rows = [PastRow(ROAD, SPEED, to_us(at(i)), float(i), "KMH") for i in range(4)]

    first = await past.store.import_block("city", "block-1", rows)
    second = await past.store.import_block("city", "block-1", rows)

    assert (first, second) == (True, False)
    assert await past.numbers() == [0, 1, 2, 3]


async def test_observations_are_let_go_when_their_type_keeps_them_no_longer(past: Past) -> None:
    bridge, both = "urn:ngsi-ld:Bridge:1", "urn:ngsi-ld:Both:1"
    types = {ROAD: ["Road"], bridge: ["Bridge"], both: ["Road", "Bridge"]}
    store = SqliteEntities()
    for entity_id, names in types.items():
        made = {"id": entity_id, "type": [name_iri(name) for name in names]}
        await past.work.write(partial(_put, store, made))
        days = (reading(i, 24 * 60 * i) for i in range(6))
        await past.record(*days, entity_id=entity_id)
    await past.store.seal()

    async def kept(entity_id: str) -> list[float]:
        rows = await past.work.read(
            lambda tx: past.store.numbers(tx, "city", entity_id, SPEED, Span())
        )
        return [value for _, value in rows]

    day, now_us = 86_400_000_000, to_us(at(24 * 60 * 6 + 5))
    gone = await past.store.retain({name_iri("Road"): 2 * day, "*": 4 * day}, now_us)
    assert gone == 4 + 2 + 4
    assert await kept(ROAD) == [4, 5]
    assert await kept(bridge) == [2, 3, 4, 5]
    assert await kept(both) == [4, 5]

    assert await past.store.retain({name_iri("Bridge"): day}, now_us) == 3 + 1
    assert (await kept(bridge), await kept(both)) == ([5], [5])
    assert await past.store.retain({}, 10 * now_us) == 0


async def test_the_past_reads_the_same_while_it_is_sealed(past: Past) -> None:
    whole = [float(i) for i in range(600)]
    await past.record(*(reading(i, i) for i in range(600)))
    sealing = asyncio.create_task(_seal_in_small_bits(past.store))
    seen = 0
    while not sealing.done():
        assert await past.numbers() == whole
        seen += 1
    await sealing

    assert seen > 1
    assert await past.numbers() == whole
    assert await past.store.seal() == 0


async def _seal_in_small_bits(store: EmbeddedHistory) -> None:
    while await store.seal(at_most=20):
        await asyncio.to_thread(store._sealed.merge, fan=2)


async def test_the_past_reads_the_same_when_it_was_merged(past: Past) -> None:
    await past.record(*(reading(i, i) for i in range(0, 60, 2)))
    await past.store.seal(at_most=7)
    await past.record(reading(100, 2), *(reading(i, i) for i in range(1, 60, 2)))
    await _seal_in_small_bits(past.store)
    whole = [100.0 if i == 2 else float(i) for i in range(60)]
    assert await past.numbers() == whole
    told = await past.instances()

    while past.store._sealed.merge(fan=2):
        pass

    assert await past.numbers() == whole
    assert await past.instances() == told
    await past.forget()
    await past.record(reading(7, 1))
    assert await past.numbers() == [7]
    await past.store.seal()
    assert await past.numbers() == [7]


async def test_a_block_after_a_deletion_is_seen_and_goes_with_the_next(past: Past) -> None:
    await past.record(reading(1, 1))
    await past.forget()
    await past.store.import_block("city", "b", [PastRow(ROAD, SPEED, to_us(at(-5)), -5.0, "KMH")])
    assert await past.numbers() == [-5]
    await past.forget()
    assert await past.numbers() == []


async def test_a_sealed_file_of_the_first_shape_is_read_as_it_was(tmp_path: Any) -> None:
    path = tmp_path / "first.duckdb"
    with duckdb.connect(str(path)) as db:
        db.execute(
            "CREATE TABLE observation (series INTEGER NOT NULL, at_us BIGINT NOT NULL,"
            " modified_us BIGINT NOT NULL, seq BIGINT NOT NULL, observed BOOLEAN NOT NULL, num DOUBLE,"
            " body VARCHAR); CREATE TABLE watermark (sealed_seq BIGINT NOT NULL);"
            " INSERT INTO watermark VALUES (3); CREATE TABLE block (tenant VARCHAR, id VARCHAR);"
        )
        rows = [(1, -1, 5, 2, True, 0.5, None), (1, 1_999_999, 9, 3, False, None, "{}")]
        db.executemany("INSERT INTO observation VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    for _ in range(2):
        sealed = SealedHistory(path)
        with sealed.snapshot() as cursor:
            found = cursor.execute("SELECT * EXCLUDE at_s FROM past ORDER BY at_us").fetchall()
            assert sealed.sealed_seq(cursor) == 3
        sealed.close()
        assert found == rows


async def test_a_sealing_cut_off_by_a_crash_is_finished_at_the_next_start(past: Past) -> None:
    await past.record(*(reading(i, i) for i in range(4)))
    rows = await past.work.read(lambda tx: list(unpacked(tx.db.execute(RECENT).fetchall())))
    # The crash: DuckDB has the rows and the watermark, SQLite has not removed them yet.
    past.store._sealed.seal(rows, rows[-1][3], [])

    assert await past.numbers() == [0, 1, 2, 3]
    assert await past.store.recover() == 1  # one change, of four readings
    assert await past.numbers() == [0, 1, 2, 3]


async def test_a_sealed_file_that_is_too_old_is_refused(
    past: Past, tmp_path: Any, work: SqliteWork
) -> None:
    await past.record(reading(1, 1))
    await past.store.seal()
    older = SealedHistory(tmp_path / "older.duckdb")

    with pytest.raises(StoreUnreadable, match="older than the state file"):
        await EmbeddedHistory(work, older).recover()
    older.close()


def test_a_sealing_that_comes_after_the_city_stopped_does_not_open_the_file_again(
    tmp_path: Any,
) -> None:
    sealed = SealedHistory(tmp_path / "history.duckdb")
    before = sealed.watermark()
    sealed.close()

    with pytest.raises(StoreFailed, match="closed"):
        sealed.seal([], 1, [])

    with duckdb.connect(str(tmp_path / "history.duckdb")) as free:
        assert free.execute("SELECT max(sealed_seq) FROM watermark").fetchall() == [(before,)]


async def test_columns_give_every_number_of_a_type_with_its_area(past: Past) -> None:

    def put(made: Entity, tx: SqliteTx) -> None:
        SqliteEntities().put(tx, "city", made, None)

    for number, area in ((1, "North"), (2, "South")):
        made = entity(f"urn:ngsi-ld:Road:{number}", "Road", areaServed=prop(area))
        await past.work.write(partial(put, made))
        await past.record(reading(10 * number, 1), entity_id=made["id"])
    await past.store.seal(at_most=1)

    found = await past.work.read(
        lambda tx: past.store.columns(
            tx, "city", name_iri("Road"), [SPEED], name_iri("areaServed"), Span()
        )
    )

    assert list(found.areas) == ["North", "South"]
    assert dict(zip(found.entity.tolist(), found.value.tolist(), strict=True)) == {0: 10, 1: 20}
    assert np.all(found.at_us == to_us(at(1)))


def _put(store: SqliteEntities, made: Entity, tx: Any) -> None:
    store.put(tx, "city", made, None)
