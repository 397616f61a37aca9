"""Who is killed while taking over the old register leaves the file as it was, and the next one finishes."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chengmai.kernel.clock import FixedClock
from chengmai.store.duckdb.taking import Row
from chengmai.store.sqlite.file import connect, load_or_make_key, migrate
from chengmai.store.sqlite.register import Entry, entries
from chengmai.store.sqlite.series import RECENT, unpacked
from chengmai.store.sqlite.work import SqliteTx, SqliteWork
from tests.unit.store.test_register_migration import as_before

ENTITIES = [f"urn:road:{i}" for i in range(300)]
OLD, NEW = {"series", "observation"}, {"register", "recent"}
KILLED_AFTER = """
import os, signal, sys
from pathlib import Path
from chengmai.store.sqlite.file import connect, migrate

path, key, calls = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
db = connect(path, key)

def called():
    global calls
    calls -= 1
    if not calls:
        os.kill(os.getpid(), signal.SIGKILL)
    return False

db.set_progress_handler(called, 100)
migrate(db)
"""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a state file of before, with three hundred entities of three observations."""
    folder = tmp_path_factory.mktemp("before")
    db = connect(folder / "state.db", load_or_make_key(folder / "key"))
    with db:
        as_before(db, ENTITIES)
    db.close()
    return folder


def _steps(folder: Path) -> int:
    calls = 0

    def called() -> bool:
        nonlocal calls
        calls += 1
        return False

    db = connect(folder / "state.db", load_or_make_key(folder / "key"))
    db.set_progress_handler(called, 100)
    migrate(db)
    db.close()
    return calls


async def _told(folder: Path) -> tuple[list[Entry], list[Row]]:
    work = SqliteWork(
        folder / "state.db",
        load_or_make_key(folder / "key"),
        FixedClock(datetime(2026, 11, 23, tzinfo=UTC)),
    )

    def read(tx: SqliteTx) -> tuple[list[Entry], list[Row]]:
        known = [one for entity in ENTITIES for one in entries(tx, "city", entity)]
        return known, list(unpacked(tx.db.execute(f"{RECENT} ORDER BY seq").fetchall()))

    try:
        return await work.read(read)
    finally:
        work.close()


async def _killed_after(folder: Path, calls: int) -> int:
    key = load_or_make_key(folder / "key")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED_AFTER, str(folder / "state.db"), key, str(calls))
    )
    return await process.wait()


def _copy(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to))


async def test_a_kill_while_the_old_register_is_taken_over_loses_nothing(
    before: Path, tmp_path: Path
) -> None:
    steps = _steps(_copy(before, tmp_path / "counted"))
    whole = await _told(_copy(before, tmp_path / "whole"))
    folder = _copy(before, tmp_path / "killed")
    db: Any

    for part in (0.2, 0.5, 0.9):
        assert await _killed_after(folder, round(steps * part)) == -signal.SIGKILL
        db = connect(folder / "state.db", load_or_make_key(folder / "key"))
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        assert tables & {"series", "observation", "register", "recent"} in (OLD, NEW)
        db.close()

    assert await _told(folder) == whole
    assert len(whole[0]) == len(whole[1]) == 3 * len(ENTITIES)
