"""One transaction as stores see it: the connection, its instant, what waits and what is remembered."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any

import apsw

from chengmai.store.sqlite.memo import Memo
from chengmai.store.sqlite.rows import Insert, Row, Rows


class SqliteTx:
    """One transaction: the connection, its instant, and what to do after the commit."""

    __slots__ = ("_db", "_memo", "_rows", "after", "now")

    def __init__(
        self,
        db: apsw.Connection,
        now: datetime,
        memo: Memo | None = None,
        rows: Rows | None = None,
    ) -> None:
        self.now = now
        self.after: list[Callable[[], None]] = []
        self._db = db
        self._memo = memo
        self._rows = rows

    @property
    def is_write(self) -> bool:
        """Whether this is the writer's, which remembers."""
        return self._memo is not None

    def after_commit(self, fn: Callable[[], None], /) -> None:
        self.after.append(fn)

    # Rows come back as whatever the columns hold: their types are the statement's affair.
    @property
    def db(self) -> Any:
        """Return the connection; what was written so far is in it."""
        return self._db if self._rows is None else self._rows.reach()

    @property
    def peek(self) -> Any:
        """Return the connection, for what is remembered once it is written: it cannot be waiting."""
        return self._db

    def insert(self, into: Insert, row: Row) -> None:
        """Write a row with the group; whoever asks `db` finds it."""
        if self._rows is None:
            into.write(self._db, [row])
        else:
            self._rows.add(into, row)

    def insert_all(self, into: Insert, rows: list[Row]) -> None:
        """Write rows as `insert` does each; the list is given away."""
        if self._rows is None:
            into.write(self._db, rows)
        elif rows:
            self._rows.add_all(into, rows)

    def recall(self, key: Hashable) -> Any | None:
        """Return what a write remembered under `key`; None when nothing did, or in a read."""
        return None if self._memo is None else self._memo.recall(key)

    def touch(self, key: Hashable) -> None:
        """Say that what `key` names changes with this transaction."""
        if self._memo is not None:
            self._memo.touch(key)

    def remember(self, key: Hashable, value: Any, weight: int = 0) -> None:
        """Remember what is written here for later writes, provided that it is committed."""
        if self._memo is not None:
            self._memo.remember(key, value, weight)
