"""The writer's memory of the file never holds what the file does not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import FixedClock
from chengmai.store.sqlite.file import load_or_make_key
from chengmai.store.sqlite.memo import Memo
from chengmai.store.sqlite.trust import SqliteTrustStore
from chengmai.store.sqlite.work import SqliteWork
from chengmai.trust.audit import AuditTrail

CLOCK = FixedClock(datetime(2026, 11, 22, 8, 0, tzinfo=UTC))
AUDITOR = Actor("usr_a", "city", frozenset({"auditor"}))


def a_work(folder: Path) -> SqliteWork:
    return SqliteWork(folder / "state.db", load_or_make_key(folder / "state.key"), CLOCK)


def a_trail(work: SqliteWork) -> AuditTrail:
    return AuditTrail(work, SqliteTrustStore(), CLOCK)


def test_a_unit_that_is_rolled_back_takes_what_it_remembered_along() -> None:
    memo = Memo()
    memo.begin(1)
    memo.remember("a", 1)
    memo.end_unit(well=True)
    memo.remember("a", 2)
    assert memo.recall("a") == 2
    memo.end_unit(well=False)
    assert memo.recall("a") == 1
    memo.end(well=True)
    assert memo.recall("a") == 1


def test_a_commit_that_fails_takes_the_whole_group_along() -> None:
    memo = Memo()
    memo.begin(1)
    memo.remember("a", 1)
    memo.end_unit(well=True)
    memo.end(well=False)
    assert memo.recall("a") is None


def test_a_change_by_somebody_else_is_the_end_of_all_memory() -> None:
    memo = Memo()
    memo.begin(1)
    memo.remember("a", 1)
    memo.end_unit(well=True)
    memo.end(well=True)
    memo.begin(1)
    assert memo.recall("a") == 1
    memo.end(well=True)
    memo.begin(2)
    assert memo.recall("a") is None


async def test_the_chain_holds_when_lines_come_from_two_processes(tmp_path: Path) -> None:
    # A command line beside a running city writes to the same chain.
    city, beside = a_work(tmp_path), a_work(tmp_path)
    trails = [a_trail(city), a_trail(beside)]
    for n, (work, trail) in enumerate(zip([city, beside] * 3, trails * 3, strict=True)):
        for again in range(2):
            await work.write(lambda tx, t=trail, o=f"{n}.{again}": t.line(tx, AUDITOR, "a", o, {}))  # type: ignore[misc]
    assert [line.object for line in await trails[0].read(AUDITOR)] == [
        f"{n}.{again}" for n in range(6) for again in range(2)
    ]
    assert await trails[0].check(AUDITOR) == []
    city.close()
    beside.close()


async def test_a_line_that_was_rolled_back_is_not_in_the_chain(tmp_path: Path) -> None:
    work = a_work(tmp_path)
    trail = a_trail(work)

    def fails(tx: Any) -> None:
        trail.line(tx, AUDITOR, "a", "lost", {})
        raise KeyError

    await work.write(lambda tx: trail.line(tx, AUDITOR, "a", "first", {}))
    for wrong in (fails, fails):
        try:
            await work.write(wrong)
        except KeyError:
            continue
    await work.write(lambda tx: trail.line(tx, AUDITOR, "a", "second", {}))
    assert [line.object for line in await trail.read(AUDITOR)] == ["first", "second"]
    assert await trail.check(AUDITOR) == []
    work.close()


def test_what_nobody_asks_for_is_forgotten_and_what_is_asked_for_stays() -> None:
    memo = Memo(most_bytes=2000)
    for n in range(40):
        memo.begin(1)
        memo.remember(n, n + 1, 100)
        memo.end_unit(well=True)
        assert memo.recall(0) == 1
        memo.end(well=True)

    assert memo.recall(0) == 1
    assert memo.recall(1) is None
    assert memo.recall(39) == 40


def test_a_value_that_is_renewed_is_never_found_as_it_was() -> None:
    memo = Memo(most_bytes=500)
    for n in range(1, 20):
        memo.begin(1)
        memo.remember("a", n)
        memo.remember(("other", n), n, 300)
        memo.end_unit(well=True)
        memo.end(well=True)
        assert memo.recall("a") in (n, None)
