"""What has changed since one looked: what this process announces, and what nobody announced."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from struct import pack
from typing import Any

import pytest

from chengmai.kernel.problems import Conflict
from chengmai.store.sqlite.file import connect, load_or_make_key
from chengmai.store.sqlite.tide import State, Tide
from chengmai.store.sqlite.work import SqliteTx, SqliteWork


def _put(name: str) -> Any:
    def put(tx: SqliteTx) -> None:
        tx.remember(("entity", "t", name), (1, b"{}"))
        tx.db.execute(
            "INSERT INTO subscription (tenant, id, doc) VALUES ('t', ?, ?)"
            " ON CONFLICT (tenant, id) DO UPDATE SET doc = excluded.doc",
            (name, name.encode()),
        )

    return put


def _at(work: SqliteWork) -> State:
    at = work.tide.at()
    assert at is not None
    return at


def _other_process(folder: Path, name: str) -> None:
    db = connect(folder / "state.db", load_or_make_key(folder / "state.key"))
    db.execute("INSERT INTO subscription (tenant, id, doc) VALUES ('t', ?, '')", (name,))
    db.close()


async def test_what_is_written_is_known_by_name_once_it_is_acknowledged(work: SqliteWork) -> None:
    before = _at(work)
    await work.write(_put("a"))
    await work.write_brief(_put("b"))

    changed = work.tide.take(before, _at(work))

    assert changed is not None
    assert set(changed) == {("entity", "t", "a"), ("entity", "t", "b")}


async def test_nothing_has_changed_where_nothing_was_written(work: SqliteWork) -> None:
    before = _at(work)
    await work.write(lambda tx: tx.remember(("entity", "t", "a"), (1, b"{}")))
    await work.read(lambda tx: tx.db.execute("SELECT * FROM subscription").fetchall())

    assert _at(work) == before


async def test_what_another_process_wrote_may_be_anything(work: SqliteWork, tmp_path: Path) -> None:
    before = _at(work)
    await work.write(_put("a"))
    _other_process(tmp_path, "b")
    await work.write(_put("c"))

    assert work.tide.take(before, _at(work)) is None


async def test_what_was_not_written_is_not_taken_for_what_another_process_wrote(
    work: SqliteWork, tmp_path: Path
) -> None:
    def fails(tx: SqliteTx) -> None:
        _put("a")(tx)
        raise Conflict("second thoughts")

    before = _at(work)
    with pytest.raises(Conflict):
        await work.write(fails)
    await work.write(lambda tx: tx.remember(("entity", "t", "d"), (1, b"{}")))
    _other_process(tmp_path, "b")

    assert work.tide.take(before, _at(work)) is None


async def test_it_is_known_again_after_something_was_not(work: SqliteWork, tmp_path: Path) -> None:
    before = _at(work)
    _other_process(tmp_path, "b")
    assert work.tide.take(before, _at(work)) is None
    await work.write(_put("c"))
    before = _at(work)
    await work.write(_put("a"))

    assert work.tide.take(before, _at(work)) == [("entity", "t", "a")]
    assert work.tide.take(_at(work), _at(work)) == []


async def test_announcing_again_what_was_not_committed_counts_once(work: SqliteWork) -> None:
    before = _at(work)
    for number in range(3):
        work.tide.announce([("entity", "t", str(number))])
    await work.write(_put("a"))

    assert work.tide.take(before, _at(work)) == [("entity", "t", "a")]


async def test_a_tide_that_nobody_looks_at_does_not_grow(work: SqliteWork, tmp_path: Path) -> None:
    tide = Tide(tmp_path / "state.db", most_coming=2)
    before = tide.at()
    assert before is not None
    for name in "abcd":
        tide.announce([("entity", "t", name)])
        _other_process(tmp_path, name)
        tide.committed()
    after = tide.at()
    assert after is not None
    try:
        assert after.run == before.run
        assert tide.take(before, after) is None
    finally:
        tide.close()


async def test_a_folder_without_a_log_has_no_tide(tmp_path: Path) -> None:
    tide = Tide(tmp_path / "none.db")
    tide.announce([("entity", "t", "a")])
    tide.committed()
    tide.withdraw()
    tide.close()

    assert tide.at() is None


class _Head:
    """The head of an index of a log, written to as SQLite would in any process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "city.db-shm"
        self._sums = count(1)
        self.set(5)
        self.tide = Tide(folder / "city.db")

    def set(self, number: int) -> None:
        with self._path.open("wb" if not self._path.exists() else "r+b") as file:
            file.write(pack("=8xI12xQ16x", number, next(self._sums)))

    def at(self) -> State:
        at = self.tide.at()
        assert at is not None
        return at

    def commit(self, name: str, number: int) -> None:
        self.tide.announce([name])
        self.set(number)
        self.tide.committed()


@pytest.fixture
def head(tmp_path: Path) -> Iterator[_Head]:
    made = _Head(tmp_path)
    yield made
    made.tide.close()


def test_one_number_twice_is_not_one_state(head: _Head) -> None:
    before = head.at()
    for number in (0, 1, 2, 3, 4, 5):  # a process died as it wrote the head; others wrote since
        head.set(number)

    assert head.at() != before
    assert head.tide.take(before, head.at()) is None


def test_what_others_wrote_under_numbers_that_come_again_is_not_taken_for_ones_own(
    head: _Head,
) -> None:
    for number in (6, 7, 8):
        head.commit("mine", number)
    before = head.at()
    head.set(0)
    assert head.tide.take(before, head.at()) is None
    head.set(6)
    before = head.at()
    head.set(8)  # another process's

    assert head.tide.take(before, head.at()) is None


def test_a_count_that_came_to_the_same_number_is_no_chain_with_what_was_before(
    head: _Head,
) -> None:
    before = head.at()
    for number in (0, 3, 5):
        head.set(number)
    head.commit("mine", 6)

    assert head.tide.take(before, head.at()) is None


def test_what_was_announced_and_not_committed_is_another_process_s(head: _Head) -> None:
    before = head.at()
    head.tide.announce(["mine"])
    head.tide.withdraw()
    head.set(6)
    assert head.tide.take(before, head.at()) is None
    before = head.at()
    head.tide.announce(["mine"])  # and the transaction had nothing to write
    head.tide.committed()
    head.set(7)
    assert head.tide.take(before, head.at()) is None


def test_what_another_process_wrote_right_after_a_commit_is_not_known(head: _Head) -> None:
    before = head.at()
    head.tide.announce(["mine"])
    head.set(7)
    head.tide.committed()

    assert head.tide.take(before, head.at()) is None


def test_a_log_that_begins_anew_is_no_change(head: _Head, tmp_path: Path) -> None:
    before = head.at()
    with (tmp_path / "city.db-shm").open("r+b") as file:
        file.seek(16)
        file.write(bytes(4))  # no frames
        file.seek(32)
        file.write(b"othersalt"[:8])

    assert head.at() == before


_TRIES_LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)
"""
"""The byte that everybody locks who has the file open (walformat.html, 2.3.1)."""


async def test_looking_no_more_gives_up_no_lock_of_the_process(
    work: SqliteWork, tmp_path: Path
) -> None:
    await work.write(_put("a"))
    Tide(tmp_path / "state.db").close()
    tries = [sys.executable, "-c", _TRIES_LOCK, str(tmp_path / "state.db-shm")]
    tried = await asyncio.to_thread(subprocess.run, tries, capture_output=True, check=False)

    assert tried.returncode == 1
    assert b"BlockingIOError" in tried.stderr
