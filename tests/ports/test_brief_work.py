"""Brief units of work: run on the event loop, committed beside it, and never in the way of others."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import apsw
import pytest

from chengmai.kernel.clock import FixedClock
from chengmai.kernel.problems import Conflict
from chengmai.store.problems import StoreFailed
from chengmai.store.sqlite.file import connect, load_or_make_key
from chengmai.store.sqlite.work import SqliteTx, SqliteWork
from tests.ports.test_work import put, read


async def test_a_brief_unit_runs_on_the_loop_and_one_that_may_be_long_does_not(
    work: SqliteWork,
) -> None:
    brief = await work.write_brief(lambda _tx: threading.get_ident())
    long = await work.write(lambda _tx: threading.get_ident())

    assert brief == threading.get_ident() != long


async def test_a_brief_unit_is_saved_and_a_raise_undoes_it_alone(work: SqliteWork) -> None:
    def bad(tx: SqliteTx) -> None:
        put("bad", "1")(tx)
        raise Conflict("no")

    done = await asyncio.gather(
        *(work.write_brief(bad if i % 7 == 3 else put(str(i), "1")) for i in range(50)),
        return_exceptions=True,
    )

    assert [i for i, one in enumerate(done) if isinstance(one, Conflict)] == list(range(3, 50, 7))
    assert set(await work.read(read)) == {str(i) for i in range(50) if i % 7 != 3}


async def test_an_exception_that_a_unit_returns_is_a_result(work: SqliteWork) -> None:
    result = await work.write_brief(lambda _tx: Conflict("told, not raised"))

    assert isinstance(result, Conflict)


async def test_the_loop_goes_on_while_a_long_unit_runs_and_brief_ones_wait_for_it(
    work: SqliteWork,
) -> None:
    begun, gate = threading.Event(), threading.Event()
    order: list[str] = []

    def wait(_tx: SqliteTx) -> None:
        begun.set()
        gate.wait(60)
        order.append("long")

    long = asyncio.create_task(work.write(wait))
    assert await asyncio.to_thread(begun.wait, 60)
    brief = asyncio.create_task(work.write_brief(lambda _tx: order.append("brief")))
    await asyncio.sleep(0.01)
    assert order == []
    gate.set()
    await asyncio.gather(long, brief)

    assert order == ["long", "brief"]


async def test_many_brief_units_let_others_in_between_and_are_answered_in_order(
    work: SqliteWork,
) -> None:
    order: list[int] = []

    def one(n: int) -> int:
        order.append(n)
        return n

    many = asyncio.create_task(work.write_all([lambda _tx, n=n: one(n) for n in range(1000)]))  # type: ignore[misc]
    other = asyncio.create_task(work.write_brief(lambda _tx: order.append(-1)))
    done, _ = await asyncio.gather(many, other)

    assert done == list(range(1000))
    assert [n for n in order if n >= 0] == list(range(1000))
    assert order.index(-1) < 1000


async def test_nothing_of_a_group_is_seen_before_its_commit(work: SqliteWork) -> None:
    seen: list[dict[str, str]] = []

    def look(tx: SqliteTx) -> None:
        put("a", "1")(tx)
        other = connect(work._path, work._key, read_only=True)
        seen.append(read(SqliteTx(other, tx.now)))
        other.close()

    await work.write_brief(look)

    assert seen == [{}]
    assert await work.glance(read) == {"a": "1"}


async def test_while_another_process_writes_the_loop_goes_on_and_the_unit_waits(
    work: SqliteWork,
) -> None:
    other = connect(work._path, work._key)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(work.write_brief(put("a", "1")))
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()

    async with asyncio.timeout(60):
        await waiting
    assert await work.read(read) == {"a": "1"}


async def test_who_waits_is_told_when_a_transaction_can_never_begin(
    work: SqliteWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed:
        def __init__(self, db: apsw.Connection) -> None:
            self._db = db

        def __getattr__(self, name: str) -> Any:
            return getattr(self._db, name)

        def execute(self, sql: str, *values: Any) -> Any:
            if sql.startswith("BEGIN"):
                raise apsw.CantOpenError("unable to open database file")
            return self._db.execute(sql, *values)

    monkeypatch.setattr(work._writer, "_db", Closed(work._writer._db))
    async with asyncio.timeout(60):
        told = await asyncio.gather(
            *(work.write_brief(put(str(i), "1")) for i in range(3)), return_exceptions=True
        )

    assert [type(one) for one in told] == [StoreFailed] * 3
    assert work.depth == 0


async def test_loops_of_several_threads_share_the_writer(work: SqliteWork) -> None:
    async def some(first: int) -> None:
        await asyncio.gather(*(work.write_brief(put(str(first + i), "1")) for i in range(50)))

    await asyncio.gather(
        some(0),
        *(asyncio.to_thread(lambda n=n: asyncio.run(some(n))) for n in (100, 200)),  # type: ignore[misc]
    )

    assert len(await work.read(read)) == 150
    assert work.depth == 0


def test_a_loop_that_ends_before_its_turn_holds_up_nobody(
    tmp_path: Path, clock: FixedClock
) -> None:
    work = SqliteWork(tmp_path / "state.db", load_or_make_key(tmp_path / "state.key"), clock)

    async def begin_and_leave() -> None:
        task = asyncio.create_task(work.write_brief(put("left", "1")))
        await asyncio.sleep(0)
        asyncio.get_running_loop().stop()
        assert not task.done()

    loop = asyncio.new_event_loop()
    left = loop.create_task(begin_and_leave())
    loop.run_forever()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    assert left.done()
    loop.close()

    asyncio.run(asyncio.wait_for(work.write_brief(put("next", "1")), 60))
    work.close()
    db = connect(tmp_path / "state.db", load_or_make_key(tmp_path / "state.key"))
    assert "next" in read(SqliteTx(db, clock.now()))
    db.close()


async def test_closing_finishes_what_waits_and_takes_nothing_more(
    tmp_path: Path, clock: FixedClock
) -> None:
    key = load_or_make_key(tmp_path / "closing.key")
    work = SqliteWork(tmp_path / "closing.db", key, clock)
    waiting = [asyncio.ensure_future(work.write_brief(put(str(i), "1"))) for i in range(100)]
    await asyncio.sleep(0)
    work.close()
    await asyncio.gather(*waiting)

    with pytest.raises(StoreFailed, match="closed"):
        await work.write_brief(put("late", "1"))
    db = connect(tmp_path / "closing.db", key)
    assert len(read(SqliteTx(db, clock.now()))) == 100
    db.close()


async def test_a_batch_that_is_alone_takes_several_turns_of_the_loop_a_commit(
    work: SqliteWork,
) -> None:
    turns = 0
    many = asyncio.create_task(work.write_all([_worked(str(n)) for n in range(60)]))
    while not many.done():
        turns += 1
        await asyncio.sleep(0)

    assert len(await work.read(read)) == 60
    assert turns > 5
    assert work.commits < 6


async def test_a_single_write_does_not_wait_for_a_batch(work: SqliteWork) -> None:
    batch = asyncio.create_task(work.write_all([_worked(str(n)) for n in range(200)]))
    await asyncio.sleep(0.01)
    await work.write_brief(put("single", "1"))

    assert not batch.done()
    await batch
    assert len(await work.read(read)) == 201


async def test_a_unit_that_fails_in_a_later_turn_takes_nothing_of_the_batch(
    work: SqliteWork,
) -> None:
    def bad(tx: SqliteTx) -> None:
        _worked("bad")(tx)
        raise Conflict("no")

    done = await work.write_all([bad if n % 9 == 8 else _worked(str(n)) for n in range(45)])

    assert [n for n, one in enumerate(done) if isinstance(one, Conflict)] == list(range(8, 45, 9))
    assert len(await work.read(read)) == 40


async def test_closing_in_the_middle_of_a_batch_finishes_it(
    tmp_path: Path, clock: FixedClock
) -> None:
    key = load_or_make_key(tmp_path / "closing.key")
    work = SqliteWork(tmp_path / "closing.db", key, clock)
    batch = asyncio.create_task(work.write_all([_worked(str(n)) for n in range(60)]))
    while not work._writer._paused:
        await asyncio.sleep(0)
    work.close()
    await batch

    db = connect(tmp_path / "closing.db", key)
    assert len(read(SqliteTx(db, clock.now()))) == 60
    db.close()


def test_a_loop_that_ends_in_the_middle_of_a_batch_holds_up_nobody(
    tmp_path: Path, clock: FixedClock
) -> None:
    work = SqliteWork(tmp_path / "state.db", load_or_make_key(tmp_path / "state.key"), clock)

    async def begin_and_leave() -> None:
        task = asyncio.create_task(work.write_all([_worked(str(n)) for n in range(60)]))
        while not work._writer._paused:
            await asyncio.sleep(0)
        asyncio.get_running_loop().stop()
        assert not task.done()

    loop = asyncio.new_event_loop()
    left = loop.create_task(begin_and_leave())
    loop.run_forever()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    assert left.done()
    loop.close()

    asyncio.run(asyncio.wait_for(work.write_brief(put("next", "1")), 60))
    assert "next" in asyncio.run(work.read(read))
    work.close()


def _worked(key: str) -> Any:
    """Return a unit of work that takes a millisecond of the processor."""

    def fn(tx: SqliteTx) -> None:
        until = time.thread_time() + 0.001
        while time.thread_time() < until:
            pass
        put(key, "1")(tx)

    return fn
