"""What every adapter of `kernel.work.Work` promises."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import apsw
import pytest

from chengmai.kernel.clock import FixedClock
from chengmai.kernel.problems import Conflict
from chengmai.store.problems import StoreBusy, StoreFailed, StoreUnreadable
from chengmai.store.sqlite.file import PLAIN_HEADER, connect, load_or_make_key
from chengmai.store.sqlite.rows import Insert
from chengmai.store.sqlite.work import SqliteTx, SqliteWork


def put(key: str, value: str) -> Any:
    def fn(tx: SqliteTx) -> None:
        tx.db.execute(
            "INSERT INTO subscription (tenant, id, doc) VALUES ('t', ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE SET doc = excluded.doc",
            (key, value.encode()),
        )

    return fn


def read(tx: SqliteTx) -> dict[str, str]:
    rows = tx.db.execute("SELECT id, doc FROM subscription WHERE tenant = 't'")
    return {key: value.decode() for key, value in rows}


async def test_what_was_written_is_read(work: SqliteWork) -> None:
    await work.write(put("a", "1"))

    assert await work.read(read) == {"a": "1"}


async def test_a_unit_of_work_that_raises_leaves_nothing(work: SqliteWork) -> None:
    def half(tx: SqliteTx) -> None:
        put("a", "1")(tx)
        raise Conflict("second thoughts")

    with pytest.raises(Conflict, match="second thoughts"):
        await work.write(half)

    assert await work.read(read) == {}


async def test_one_failure_in_a_group_takes_nothing_of_the_others(work: SqliteWork) -> None:
    def bad(tx: SqliteTx) -> None:
        put("bad", "1")(tx)
        raise Conflict("no")

    jobs = [work.write(bad if i % 7 == 3 else put(str(i), "1")) for i in range(200)]
    results = await asyncio.gather(*jobs, return_exceptions=True)

    failed = [result for result in results if isinstance(result, Conflict)]
    assert len(failed) == len([i for i in range(200) if i % 7 == 3])
    assert set(await work.read(read)) == {str(i) for i in range(200) if i % 7 != 3}


async def test_writes_that_wait_together_share_commits(work: SqliteWork) -> None:
    await asyncio.gather(*(work.write(put(str(i), "1")) for i in range(500)))

    assert work.written == 500
    assert work.commits < 100


async def test_after_commit_runs_before_the_answer_and_never_after_a_failure(
    work: SqliteWork,
) -> None:
    told: list[str] = []

    def good(tx: SqliteTx) -> None:
        tx.after_commit(lambda: told.append("good"))

    def bad(tx: SqliteTx) -> None:
        tx.after_commit(lambda: told.append("bad"))
        raise Conflict("no")

    await work.write(good)
    with pytest.raises(Conflict):
        await work.write(bad)

    assert told == ["good"]


async def test_units_of_work_in_one_commit_have_instants_of_their_own(work: SqliteWork) -> None:
    gate = threading.Event()
    first = asyncio.create_task(work.write(lambda _tx: gate.wait(60)))
    await asyncio.sleep(0)
    others = [asyncio.create_task(work.write(lambda tx: tx.now)) for _ in range(100)]
    await asyncio.sleep(0)
    gate.set()

    instants = await asyncio.gather(*others)

    assert await first
    assert len(set(instants)) == 100


async def test_a_read_cannot_write(work: SqliteWork) -> None:
    with pytest.raises(apsw.ReadOnlyError):
        await work.read(put("a", "1"))


async def test_the_file_survives_reopening_and_is_not_readable_without_its_key(
    work: SqliteWork, tmp_path: Path, clock: FixedClock
) -> None:
    await work.write(put("a", "a very secret value"))
    work.close()
    state = (tmp_path / "state.db").read_bytes()

    again = SqliteWork(tmp_path / "state.db", load_or_make_key(tmp_path / "state.key"), clock)
    found = await again.read(read)
    again.close()

    assert found == {"a": "a very secret value"}
    assert not state.startswith(PLAIN_HEADER)
    assert b"very secret" not in state
    with pytest.raises(StoreUnreadable, match="key is wrong"):
        connect(tmp_path / "state.db", "00" * 32)


async def test_every_flipped_bit_is_found_or_harmless(work: SqliteWork, tmp_path: Path) -> None:
    for i in range(200):
        await work.write(put(f"key{i}", "value " * 30))
    expected = await work.read(read)
    work.close()
    key = load_or_make_key(tmp_path / "state.key")
    whole = (tmp_path / "state.db").read_bytes()

    silent = []
    for position in range(100, len(whole), max(1, len(whole) // 60)):
        broken = tmp_path / "broken.db"
        broken.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        try:
            db = connect(broken, key, read_only=True)
            rows: list[Any] = db.execute(
                "SELECT id, doc FROM subscription WHERE tenant = 't'"
            ).fetchall()
            db.close()
        except (StoreUnreadable, apsw.Error):
            continue
        if {k: v.decode() for k, v in rows} != expected:
            silent.append(position)

    assert silent == []


def test_a_plain_database_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "state.db"
    plain.write_bytes(PLAIN_HEADER + bytes(4080))

    with pytest.raises(StoreUnreadable, match="not encrypted"):
        connect(plain, "00" * 32)


def test_data_of_a_newer_release_are_refused(
    tmp_path: Path, work: SqliteWork, clock: FixedClock
) -> None:
    work.close()
    key = load_or_make_key(tmp_path / "state.key")
    db = connect(tmp_path / "state.db", key)
    db.execute("INSERT INTO migration (number, name) VALUES (9999, '9999_future.sql')")
    db.close()

    with pytest.raises(StoreUnreadable, match="newer release"):
        SqliteWork(tmp_path / "state.db", key, clock)


async def test_each_of_many_units_stands_or_falls_alone(work: SqliteWork) -> None:
    def bad(tx: SqliteTx) -> None:
        put("bad", "1")(tx)
        raise Conflict("no")

    done = await work.write_all([bad if i % 50 == 3 else put(str(i), "1") for i in range(250)])

    assert [i for i, one in enumerate(done) if isinstance(one, Conflict)] == [3, 53, 103, 153, 203]
    assert set(await work.read(read)) == {str(i) for i in range(250) if i % 50 != 3}


async def test_many_units_let_others_in_between(work: SqliteWork) -> None:
    order: list[str] = []
    gate = threading.Event()
    first = asyncio.create_task(work.write(lambda _tx: gate.wait(60)))
    await asyncio.sleep(0)
    many = asyncio.create_task(work.write_all([lambda _tx: order.append("one of many")] * 250))
    await asyncio.sleep(0)
    other = asyncio.create_task(work.write(lambda _tx: order.append("other")))
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, many, other)

    assert order.index("other") < 249


async def test_a_row_that_waits_is_read_by_later_units_and_only_once_it_is_saved_by_others(
    work: SqliteWork,
) -> None:
    into = Insert("INSERT INTO subscription (tenant, id, doc)", 3)
    seen: list[dict[str, str]] = []

    def add(tx: SqliteTx) -> None:
        tx.insert(into, ("t", "a", b"1"))
        tx.after_commit(lambda: seen.append({}))

    await work.write_all([add, lambda tx: seen.append(read(tx))])

    assert seen == [{"a": "1"}, {}]
    assert await work.read(read) == {"a": "1"}


async def test_the_door_is_closed_while_writes_wait_long_and_open_again_after(
    tmp_path: Path, clock: FixedClock
) -> None:
    key = load_or_make_key(tmp_path / "slow.key")
    work = SqliteWork(tmp_path / "slow.db", key, clock, most_delay_s=0)
    begun, gates = threading.Event(), (threading.Event(), threading.Event())

    def second(_tx: SqliteTx) -> None:
        begun.set()
        gates[1].wait(60)

    work.check_room()
    jobs = [
        asyncio.create_task(work.write(lambda _tx: gates[0].wait(60))),
        asyncio.create_task(work.write(second)),
        asyncio.create_task(work.write(put("a", "1"))),
    ]
    await asyncio.sleep(0)
    gates[0].set()
    await asyncio.to_thread(begun.wait, 10)
    with pytest.raises(StoreBusy):
        work.check_room()
    gates[1].set()
    await asyncio.gather(*jobs)
    work.check_room()
    work.close()


async def test_too_many_waiting_writes_are_turned_away_and_none_is_lost(
    tmp_path: Path, clock: FixedClock
) -> None:
    key = load_or_make_key(tmp_path / "busy.key")
    work = SqliteWork(tmp_path / "busy.db", key, clock, most_waiting=50)
    gate = threading.Event()
    first = asyncio.create_task(work.write(lambda _tx: gate.wait(60)))
    await asyncio.sleep(0)
    jobs = [asyncio.create_task(work.write(put(str(i), "1"))) for i in range(100)]
    await asyncio.sleep(0)
    gate.set()
    done = await asyncio.gather(*jobs, return_exceptions=True)
    await first

    saved = {str(i) for i, one in enumerate(done) if one is None}
    assert set(await work.read(read)) == saved
    assert all(isinstance(one, StoreBusy) for one in done if one is not None)
    assert 0 < len(saved) < 100
    assert work.depth == 0
    work.close()


async def test_who_waits_while_another_process_holds_the_file_is_told_so(
    work: SqliteWork, tmp_path: Path
) -> None:
    await work.write(put("before", "1"))
    work._db.set_busy_timeout(20)
    other = connect(work._path, work._key)
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.timeout(60):
        with pytest.raises(StoreFailed):
            await work.write(put("meanwhile", "1"))
    other.execute("ROLLBACK")
    other.close()
    await work.write(put("after", "1"))
    assert work.depth == 0


async def test_a_writer_that_fails_beyond_all_reckoning_leaves_nobody_waiting(
    work: SqliteWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(error: BaseException) -> None:
        raise OSError("no log to write to")

    monkeypatch.setattr(work._writer, "_storage_problem", broken)
    monkeypatch.setattr(work._writer, "_place", None)
    async with asyncio.timeout(60):
        for _ in range(2):
            with pytest.raises(StoreFailed):
                await work.write(put("x", "1"))
