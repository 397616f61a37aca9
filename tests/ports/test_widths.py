"""What is remembered of the index of values: never which entities match, and nothing before it was so."""

from __future__ import annotations

from pathlib import Path

import pytest

from chengmai.kernel.clock import FixedClock
from chengmai.ngsild.q import Comparison, parse_q
from chengmai.store.sqlite.file import connect
from chengmai.store.sqlite.qsql import judged
from chengmai.store.sqlite.transaction import SqliteTx
from chengmai.store.sqlite.widths import Way, Widths
from chengmai.store.sqlite.work import SqliteWork
from tests.ports.test_entity_finding import CORE, SENSOR, Shelf


def _way(q: str, key: int = 1) -> Way:
    (way,) = judged(parse_q(q, CORE), lambda _: key).ways
    return way


@pytest.mark.parametrize(
    ("wide", "also", "unknown"),
    [
        ("a>5", ["a>5", "a>4.5", "a>-1"], ["a>6", "a>=4", "a<4", "a==5"]),
        ("a<=5", ["a<=5", "a<=6"], ["a<=4", "a<7", "a>=9", 'a<="7"']),
        ('a>="b"', ['a>="b"', 'a>="a"'], ['a>="c"', "a>=1"]),
    ],
)
def test_a_stretch_around_a_wide_one_is_wide(
    wide: str, also: list[str], unknown: list[str]
) -> None:
    widths = Widths()
    widths.note(_way(wide), 100)

    assert all(widths.is_wide(_way(one), 100) for one in also)
    assert not any(widths.is_wide(_way(one), 100) for one in unknown)
    assert not widths.is_wide(_way(wide, key=2), 100)
    assert not widths.is_wide(_way(wide), 200)


@pytest.mark.parametrize("q", ["a==5", "a", "a==1,2"])
def test_of_a_stretch_without_one_bound_nothing_is_remembered(q: str) -> None:
    widths = Widths()
    widths.note(_way(q), 100)

    assert not widths.is_wide(_way(q), 100)


def test_the_widest_that_is_known_stays_known() -> None:
    widths = Widths()
    for q in ("a>5", "a>7", "a>6"):
        widths.note(_way(q), 100)

    assert widths.is_wide(_way("a>7"), 100)


async def test_what_is_wide_is_counted_anew_every_so_often(work: SqliteWork) -> None:
    def read(tx: SqliteTx) -> tuple[bool, bool, int]:
        widths = Widths()
        narrow = widths.narrow(tx)
        widths.note(_way("a>5"), narrow)
        first = widths.is_wide(_way("a>5"), narrow)
        for _ in range(1000):
            widths.narrow(tx)
        return first, widths.is_wide(_way("a>5"), narrow), narrow

    assert await work.read(read) == (True, False, 20)


async def test_an_index_answers_nobody_who_began_to_read_before_it_was_ready(
    tmp_path: Path, clock: FixedClock
) -> None:
    shelf = Shelf(tmp_path)
    term = Comparison((f"{SENSOR}/a",), (), "exists")
    reader = connect(tmp_path / "state.db", "0" * 64, read_only=True)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM entity").fetchall()
        await shelf.index([term])
        ready = [await _key(shelf, term) for _ in range(2)]
        before = shelf.store.values.key_of(SqliteTx(reader, clock.now()), "city", term)
        reader.execute("ROLLBACK")
        after = shelf.store.values.key_of(SqliteTx(reader, clock.now()), "city", term)
    finally:
        reader.close()
        shelf.work.close()

    assert before is None
    assert ready == [after, after]
    assert after is not None


async def _key(shelf: Shelf, term: Comparison) -> int | None:
    return await shelf.work.read(lambda tx: shelf.store.values.key_of(tx, "city", term))
