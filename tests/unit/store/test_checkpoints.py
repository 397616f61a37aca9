"""The log is moved into the file beside the commits, and begins anew."""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw
import pytest

from chengmai.kernel.clock import SystemClock
from chengmai.store.sqlite import work as module
from chengmai.store.sqlite.checkpoints import Checkpoints
from chengmai.store.sqlite.file import connect, load_or_make_key
from chengmai.store.sqlite.work import SqliteTx, SqliteWork


def a_work(folder: Path, every_pages: int, monkeypatch: pytest.MonkeyPatch) -> SqliteWork:
    monkeypatch.setattr(
        module, "Checkpoints", lambda db, opened: Checkpoints(db, opened, every_pages)
    )
    key = load_or_make_key(folder / "state.key")
    return SqliteWork(folder / "state.db", key, SystemClock())


def put(tx: SqliteTx, n: int) -> None:
    tx.db.execute("INSERT INTO subscription VALUES ('t', ?, ?)", (str(n), bytes(8000)))


async def test_a_log_that_is_written_all_the_time_stays_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = a_work(tmp_path, 50, monkeypatch)
    for n in range(400):
        await work.write_brief(lambda tx, n=n: put(tx, n))  # type: ignore[misc]
        if n % 20 == 0:  # what is moved on a thread takes as long as it takes
            await asyncio.to_thread(work._writer._checkpoints.close)
    log = (tmp_path / "state.db-wal").stat().st_size
    found = await work.read(lambda tx: tx.db.execute("SELECT count(*) FROM subscription").get)
    work.close()

    assert found == 400
    assert log < 400 * 3 * 4096 / 2


async def test_what_is_in_the_file_and_in_the_log_is_there_after_reopening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = a_work(tmp_path, 5, monkeypatch)
    for n in range(30):
        await work.write_brief(lambda tx, n=n: put(tx, n))  # type: ignore[misc]
    work.close()

    db = connect(tmp_path / "state.db", load_or_make_key(tmp_path / "state.key"))
    assert db.execute("SELECT count(*) FROM subscription").get == 30
    db.close()


def test_a_log_that_cannot_be_moved_stays_and_is_read(tmp_path: Path) -> None:
    key = load_or_make_key(tmp_path / "state.key")
    db = connect(tmp_path / "state.db", key)

    def broken() -> apsw.Connection:
        raise OSError("no more files")

    checkpoints = Checkpoints(db, broken, 1)
    db.execute("CREATE TABLE x (a)")
    db.execute("INSERT INTO x VALUES (zeroblob(20000))")
    checkpoints.committed()
    checkpoints.close()
    assert checkpoints.committed()
    checkpoints.finish()

    assert db.execute("SELECT count(*) FROM x").get == 1
    db.close()
