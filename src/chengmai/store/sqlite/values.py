"""The index of values that `q` asks for: kept by every write, filled in the background, one key a path.

A question that had to read many entities names its paths (`want`); `fill` makes an index of each, a few
hundred entities a transaction. So a write pays only for what somebody asks for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, TypeAlias

import apsw
import orjson

from chengmai.broker.spaces import is_space
from chengmai.kernel.instants import EPOCH
from chengmai.kernel.work import Work
from chengmai.ngsild.entity import VALUE_MEMBER, Entity
from chengmai.ngsild.q import LINKS, Comparison, instant_in, targets
from chengmai.ngsild.qparse import MEMBERS
from chengmai.store.sqlite.rows import Insert
from chengmai.store.sqlite.work import SqliteTx

NUMBER, TEXT, INSTANT, TRUTH, LINK, WRAPPED, OTHER = 1, 2, 3, 4, 5, 8, 9
"""A wrapped value is a list or a map: `q` asks for what is in it, an order for the whole."""
MOST_KEYS = 48
"""Of one tenant: a further path is answered by reading, and writes stay cheap."""
_LONGEST_TEXT = 256
_AT_ONCE = 250
_MOST_WAITING = 64
_MOST_READY = 10_000
_MAX_INT = 2**63 - 1
_US = timedelta(microseconds=1)
_ADD = "INSERT INTO entity_value (key, row, n, kind, val) VALUES (?, ?, ?, ?, ?)"
_READY = "SELECT key FROM value_key WHERE tenant = ? AND path = ? AND ready = 1"
_PUT = Insert("INSERT OR REPLACE INTO entity_value (key, row, n, kind, val)", 5)
_DROP = "DELETE FROM entity_value WHERE key = ? AND row = ?"

Entry: TypeAlias = tuple[int, Any]
Key: TypeAlias = tuple[int, Comparison]
"""Number and path."""


def path_of(term: Comparison) -> str:
    """Return the text that a key is known by."""
    return orjson.dumps([term.path, term.trail]).decode()


def term_of(path: str) -> Comparison:
    """Return the path again, as a term that asks whether it exists."""
    names, trail = orjson.loads(path)
    return Comparison(tuple(names), tuple(trail), "exists")


def entries(term: Comparison, entity: Entity) -> list[Entry]:
    """Return (kind, value) of each target element of `term` that is defined in `entity`, and `WRAPPED`."""
    made = [_entry(kind, values) for kind, values in targets(term, entity)]
    if len(term.path) == 1 and not term.trail and term.path[0] not in MEMBERS:
        held = (one.get(VALUE_MEMBER[one["type"]]) for one in entity.get(term.path[0], ()))
        if any(isinstance(value, list | dict) for value in held):
            made.append((WRAPPED, None))
    return made


def us_of(text: str) -> int | None:
    """Return the microseconds since 1970 of a text that `q` compares as an instant, else None."""
    at = instant_in(text)
    return None if at is None else (at - EPOCH) // _US


def _entry(kind: str, values: list[Any]) -> Entry:
    value = values[0]
    if len(values) != 1:
        return OTHER, None
    if isinstance(value, bool):
        return TRUTH, int(value)
    if isinstance(value, int | float):
        return (NUMBER, value) if abs(value) <= _MAX_INT else (OTHER, None)
    if type(value) is not str or len(value) > _LONGEST_TEXT:
        return OTHER, None
    at_us = us_of(value)
    if kind in LINKS:
        return (LINK, value) if at_us is None else (OTHER, None)
    return (TEXT, value) if at_us is None else (INSTANT, at_us)


class SqliteValues:
    """Keeps the index and knows what is asked for; used by `SqliteEntities`."""

    def __init__(self) -> None:
        self._wanted: dict[tuple[str, str], None] = {}
        self._guard = threading.Lock()
        self._ready: dict[tuple[str, tuple[str, ...], tuple[str, ...]], int] = {}

    def want(self, tenant: str, terms: Iterable[Comparison]) -> None:
        """Note that a question read many entities because these paths have no index."""
        with self._guard:
            for term in terms:
                if len(self._wanted) < _MOST_WAITING:
                    self._wanted[tenant, path_of(term)] = None

    def take_wanted(self) -> list[tuple[str, str]]:
        """Return (tenant, path) of what was noted, and forget it."""
        with self._guard:
            taken = list(self._wanted)
            self._wanted.clear()
        return taken

    def key_of(self, tx: SqliteTx, tenant: str, term: Comparison) -> int | None:
        """Return the number of the index that answers for the path of `term`, if there is one."""
        known = (tenant, term.path, term.trail)
        # One that was ready for somebody is for whoever begins to read after that, and not before.
        fresh = not tx.is_write and tx.db.txn_state() == apsw.SQLITE_TXN_NONE
        if fresh and (found := self._ready.get(known)) is not None:
            return found
        for (key,) in tx.db.execute(_READY, (tenant, path_of(term))):
            # Those of a snapshot go with it, and others may get their numbers.
            if not tx.is_write and not is_space(tenant) and len(self._ready) < _MOST_READY:
                self._ready[known] = int(key)
            return int(key)
        return None

    def _kept(self, tx: SqliteTx, tenant: str) -> list[Key]:
        known: list[Key] | None = tx.recall(("value_keys", tenant))
        return _renewed(tx, tenant) if known is None else known

    def put(
        self, tx: SqliteTx, tenant: str, row: int, entity: Entity, before: Entity | None
    ) -> None:
        """Keep the values of an entity that is written; `before` is what it was."""
        for key, term in self._kept(tx, tenant):
            old = entries(term, before) if before is not None else []
            new = entries(term, entity)
            if old == new and list(map(_kinds, old)) == list(map(_kinds, new)):
                continue
            if len(old) > len(new):
                tx.db.execute(_DROP, (key, row))
            for n, (kind, value) in enumerate(new):
                tx.insert(_PUT, (key, row, n, kind, value))

    def remove(self, tx: SqliteTx, tenant: str, row: int) -> None:
        """Drop the values of an entity that is removed."""
        for key, _ in self._kept(tx, tenant):
            tx.db.execute(_DROP, (key, row))

    async def fill(self, work: Work[SqliteTx]) -> int:
        """Make the indexes that were asked for, and finish what was begun; return how many became ready."""
        for tenant, path in self.take_wanted():
            await work.write(_beginning(tenant, path))
        begun = await work.read(
            lambda tx: tx.db.execute(
                "SELECT tenant, key, path FROM value_key WHERE ready = 0 ORDER BY tenant, key"
            ).fetchall()
        )
        for tenant, keys in groupby(begun, key=lambda row: str(row[0])):
            step = _step(tenant, [(key, term_of(path)) for _, key, path in keys])
            while await work.write(step):
                pass
        return len(begun)


def _kinds(entry: Entry) -> tuple[int, type]:
    return entry[0], type(entry[1])


def _beginning(tenant: str, path: str) -> Callable[[SqliteTx], None]:
    def begin(tx: SqliteTx) -> None:
        tx.db.execute(
            "INSERT INTO value_key (tenant, path) SELECT ?, ?"
            " WHERE (SELECT count(*) FROM value_key WHERE tenant = ?) < ?"
            " ON CONFLICT (tenant, path) DO NOTHING",
            (tenant, path, tenant, MOST_KEYS),
        )
        _renewed(tx, tenant)

    return begin


def _renewed(tx: SqliteTx, tenant: str) -> list[Key]:
    rows = tx.peek.execute("SELECT key, path FROM value_key WHERE tenant = ?", (tenant,))
    known = [(key, term_of(path)) for key, path in rows]
    tx.remember(("value_keys", tenant), known)
    return known


def _step(tenant: str, keys: Sequence[Key]) -> Callable[[SqliteTx], bool]:
    """Return a unit of work that reads some more entities; it returns whether there may be more."""
    marks = ", ".join("?" * len(keys))
    numbers = tuple(key for key, _ in keys)

    def step(tx: SqliteTx) -> bool:
        rows = tx.db.execute(
            "SELECT row, tenant, doc FROM entity WHERE row >"
            f" (SELECT min(filled_row) FROM value_key WHERE key IN ({marks})) ORDER BY row LIMIT ?",
            (*numbers, _AT_ONCE),
        ).fetchall()
        made = [one for row, whose, doc in rows if whose == tenant for one in _rows(keys, row, doc)]
        # What was written since the key began is there already, and is the same.
        tx.db.executemany(f"{_ADD} ON CONFLICT DO NOTHING", made)
        state = ("filled_row = ?", rows[-1][0]) if rows else ("ready = ?", 1)
        tx.db.execute(
            f"UPDATE value_key SET {state[0]} WHERE key IN ({marks})", (state[1], *numbers)
        )
        return bool(rows)

    return step


def _rows(keys: Sequence[Key], row: int, doc: bytes) -> Iterator[tuple[int, int, int, int, Any]]:
    entity = orjson.loads(doc)
    for key, term in keys:
        for n, (kind, value) in enumerate(entries(term, entity)):
            yield key, row, n, kind, value
