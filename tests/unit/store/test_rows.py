"""Rows that wait are in the file when somebody looks, and at the latest with the commit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apsw
import pytest

from chengmai.store.sqlite.rows import Insert, Rows

PUT = Insert("INSERT INTO t (k, v)", 2, "ON CONFLICT DO UPDATE SET v = excluded.v")


@pytest.fixture
def db() -> Iterator[apsw.Connection]:
    made = apsw.Connection(":memory:")
    made.execute("CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT); BEGIN")
    yield made
    made.close()


def content(db: Any) -> dict[int, str]:
    return dict(db.execute("SELECT k, v FROM t"))


def test_rows_are_written_in_order_whatever_their_number(db: apsw.Connection) -> None:
    PUT.write(db, [(n % 90, f"{n}") for n in range(211)])

    assert content(db) == {n: f"{n + 180 if n < 31 else n + 90}" for n in range(90)}


def test_rows_wait_until_the_group_ends(db: apsw.Connection) -> None:
    rows = Rows(db)
    rows.add(PUT, (1, "a"))
    rows.end_unit(well=True)
    assert content(db) == {}

    rows.end()

    assert content(db) == {1: "a"}


def test_whoever_looks_at_the_file_finds_the_rows_of_the_group_and_its_own(
    db: apsw.Connection,
) -> None:
    rows = Rows(db)
    rows.add(PUT, (1, "a"))
    rows.end_unit(well=True)
    rows.add(PUT, (2, "b"))

    assert content(rows.reach()) == {1: "a", 2: "b"}


@pytest.mark.parametrize("looks", [False, True])
def test_a_unit_that_fails_takes_its_rows_along_and_no_others(
    db: apsw.Connection, looks: bool
) -> None:
    rows = Rows(db)
    rows.add(PUT, (1, "a"))
    rows.end_unit(well=True)
    rows.add(PUT, (1, "no"))
    if looks:
        rows.reach().execute("INSERT INTO t VALUES (3, 'no')")
    rows.add(PUT, (2, "no"))
    rows.end_unit(well=False)
    rows.end()

    assert content(db) == {1: "a"}


def test_a_group_that_fails_leaves_nothing_to_the_next(db: apsw.Connection) -> None:
    rows = Rows(db)
    rows.add(PUT, (1, "a"))
    rows.end_unit(well=True)
    rows.add(PUT, (2, "b"))
    rows.drop()
    rows.end()

    assert content(db) == {}
