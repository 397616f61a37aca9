"""Rows on their way to the file: gathered by units of work, written with few statements a group.

Every step of a statement lets go of the interpreter and has to get it back from a busy event loop. A row at a
time costs more in waiting than in work, so rows wait until their group ends or somebody looks at the file.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import apsw

_SIZES = (64, 16, 4, 1)

Row = tuple[Any, ...]


class Insert:
    """A statement that takes rows of so many columns, many at once; later ones find the earlier ones there."""

    __slots__ = ("_sql",)

    def __init__(self, head: str, columns: int, tail: str = "") -> None:
        marks = f"({', '.join('?' * columns)})"
        self._sql = [
            (size, f"{head} VALUES {', '.join([marks] * size)} {tail}".strip()) for size in _SIZES
        ]

    def write(self, db: apsw.Connection, rows: list[Row]) -> None:
        """Write rows in order."""
        at, end = 0, len(rows)
        for size, sql in self._sql:
            while end - at >= size:
                db.execute(sql, tuple(chain.from_iterable(rows[at : at + size])))
                at += size


class Rows:
    """What a group of units of work wrote and is not yet in the file; for the writer thread alone.

    A unit that only adds rows needs no savepoint: to undo it is to forget its rows.
    """

    __slots__ = ("_db", "_group", "_is_open", "_unit")

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._group: dict[Insert, list[Row]] = {}
        self._unit: dict[Insert, list[Row]] = {}
        self._is_open = False

    def add(self, insert: Insert, row: Row) -> None:
        """Write a row, at the latest with the commit."""
        rows = self._unit.get(insert)
        if rows is None:
            self._unit[insert] = [row]
        else:
            rows.append(row)

    def add_all(self, insert: Insert, rows: list[Row]) -> None:
        """Write rows in order, at the latest with the commit."""
        known = self._unit.get(insert)
        if known is None:
            self._unit[insert] = rows
        else:
            known += rows

    def reach(self) -> apsw.Connection:
        """Return the connection with everything written so far in it, this unit's behind a savepoint."""
        if not self._is_open:
            _empty(self._db, self._group)
            self._db.execute("SAVEPOINT work")
            self._is_open = True
        _empty(self._db, self._unit)
        return self._db

    def end_unit(self, *, well: bool) -> None:
        """End a unit of work: its rows join the group's, or are undone."""
        if self._is_open:
            if not well:
                self._db.execute("ROLLBACK TO work")
            self._db.execute("RELEASE work")
            self._is_open = False
        if well:
            for insert, rows in self._unit.items():
                known = self._group.get(insert)
                if known is None:
                    self._group[insert] = rows
                else:
                    known += rows
        self._unit = {}

    def end(self) -> None:
        """Write what the group still has."""
        _empty(self._db, self._group)

    def drop(self) -> None:
        """Forget everything: the group failed."""
        self._group, self._unit, self._is_open = {}, {}, False


def _empty(db: apsw.Connection, waiting: dict[Insert, list[Row]]) -> None:
    for insert, rows in waiting.items():
        insert.write(db, rows)
    waiting.clear()
