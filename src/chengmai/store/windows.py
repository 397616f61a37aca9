"""The newest readings of the entity types that vital signs look at, kept in memory between passes.

What was recorded since is found by its `seq`, which every observation, correction and removal gets anew. The
history notes what else happens (`Notes`): rows that are sealed before they were seen here, and what is
forgotten, after which a window is read anew, as it is when a block of the past was brought in.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from chengmai.history.model import Span
from chengmai.kernel.instants import to_us
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.duckdb.taking import Row
from chengmai.store.numbersets import NumberSet
from chengmai.store.sqlite.register import NUMBERS, Sought, entries_of_type
from chengmai.store.sqlite.series import RECENT, last_seq, unpacked
from chengmai.store.sqlite.work import SqliteTx
from chengmai.store.visible import visible_numbers
from chengmai.vitals.ports import Wanted

_SINCE = f"{RECENT} WHERE seq > ? ORDER BY seq"
_AREAS = """
SELECT t.id, coalesce(json_extract(e.doc, ?), '') FROM entity_type t JOIN entity e ON e.row = t.row
WHERE t.tenant = ? AND t.type = ?
"""
_COUNT = "SELECT count(*) FROM entity_type WHERE tenant = ? AND type = ?"
_UPTO = "SELECT upto FROM series_number"
_MOST_WAITING = 200
"""Sealings that may wait to be seen; with more, everything is read anew."""
_SLACK = 0.25
"""By which share of its length a window may be longer than what is asked for."""
Floats: TypeAlias = NDArray[np.float64]
Longs: TypeAlias = NDArray[np.int64]
Ints: TypeAlias = NDArray[np.int32]


class Notes:
    """What the history did that no seq tells of; written and taken on any thread."""

    def __init__(self) -> None:
        self._sealing: deque[Sequence[Row]] = deque(maxlen=_MOST_WAITING + 1)
        self._forgotten: deque[tuple[str, str]] = deque()

    def sealing(self, rows: Sequence[Row]) -> None:
        """Note recent rows that are about to be sealed."""
        self._sealing.append(rows)

    def forgot(self, tenant: str, entity_id: str) -> None:
        """Note that something of the past of an entity was removed."""
        self._forgotten.append((tenant, entity_id))

    @property
    def are_too_many(self) -> bool:
        """Whether some were lost because nobody took them."""
        return len(self._sealing) > _MOST_WAITING

    def rows(self) -> list[Row]:
        """Return the rows that were sealed, and forget them."""
        rows: list[Row] = []
        while self._sealing:
            rows += self._sealing.popleft()
        return rows

    def forgotten(self) -> list[tuple[str, str]]:
        """Return (tenant, entity id) of what was removed, and forget it."""
        return [self._forgotten.popleft() for _ in range(len(self._forgotten))]


@dataclass(frozen=True, eq=False)
class Shown:
    """Implements `vitals.ports.KeptReadings`."""

    entities: Sequence[str]
    areas: Sequence[str]
    attributes: Sequence[str]
    entity: Ints
    attribute: Ints
    at_us: Longs
    value: Floats
    series_entity: Ints
    series_attribute: Ints
    version: int
    about: int


@dataclass(eq=False)
class _Register:
    """The series of a type in order of number; those of what is fixed have the attribute -1."""

    entities: list[str]
    areas: list[str]
    numbers: Longs
    hidden: Longs
    entity: Ints
    attribute: Ints
    moving: Sought
    """The series of what is not fixed."""

    @classmethod
    def read(cls, tx: SqliteTx, tenant: str, wanted: Wanted) -> _Register:
        names = tuple(dict.fromkeys((*wanted.attributes, *wanted.fixed, wanted.area)))
        of_type = entries_of_type(tx, tenant, wanted.entity_type, names)
        own = [one for one in of_type if not one.dataset]
        place = {name: i for i, name in enumerate(wanted.attributes)}
        entities = sorted({one.entity for one in own if one.attribute in place})
        at = {entity: i for i, entity in enumerate(entities)}
        own = [one for one in own if one.entity in at]
        return cls(
            entities,
            _areas(tx, tenant, wanted, entities),
            np.array([one.series for one in own], dtype=np.int64),
            np.array([one.hidden for one in own], dtype=np.int64),
            np.array([at[one.entity] for one in own], dtype=np.int32),
            np.array([place.get(one.attribute, -1) for one in own], dtype=np.int32),
            Sought.of(one for one in own if one.attribute in place),
        )

    def has(self, entity: str) -> bool:
        """Return whether an entity is among those of the type that are read."""
        place = bisect_left(self.entities, entity)
        return place < len(self.entities) and self.entities[place] == entity


@dataclass(eq=False)
class _Window:
    """The readings of one type from `start_us` on, in order of instant, then series."""

    wanted: Wanted
    start_us: int
    register: _Register
    count: int
    """Entities of the type when the register was read."""
    series: Longs
    """Places in the register."""
    at_us: Longs
    value: Floats
    version: int = 0
    about: int = 0
    is_doubtful: bool = False
    """Whether there may be new series."""
    is_changed: bool = False
    """Whether an area or something fixed has changed."""
    fixed: dict[int, tuple[float | None, str | None]] = field(default_factory=dict)
    """What was recorded last of each series of something fixed."""
    shown: Shown | None = None

    def apply(self, news: _News) -> None:
        """Take in what was recorded since; removals and corrections too."""
        begin = np.searchsorted(news.series, self.register.numbers, side="left")
        count = np.searchsorted(news.series, self.register.numbers, side="right") - begin
        some = np.flatnonzero(count)
        if not len(some):
            return
        series = np.repeat(some, count[some])
        rows = news.order[np.repeat(begin[some], count[some]) + _counted(count[some])]
        is_fixed = self.register.attribute[series] < 0
        self._note_fixed(series[is_fixed].tolist(), rows[is_fixed].tolist(), news)
        own = ~is_fixed & (news.at_us[rows] >= self.start_us)
        if own.any():
            self._merge(series[own], rows[own], news)

    def _note_fixed(self, series: list[int], rows: list[int], news: _News) -> None:
        for one, row in sorted(zip(series, rows, strict=True), key=lambda pair: pair[1]):
            said = news.rows[row][5:7]
            if self.fixed.get(one) != said:
                self.fixed[one] = said
                self.is_changed = True

    def _merge(self, series: Longs, rows: Longs, news: _News) -> None:
        first = int(np.searchsorted(self.at_us, news.at_us[rows].min(), side="left"))
        at_us = np.concatenate([self.at_us[first:], news.at_us[rows]])
        value = np.concatenate([self.value[first:], news.value[rows]])
        series = np.concatenate([self.series[first:], series])
        # Of several rows of one series and instant the last one recorded stands.
        age = np.concatenate([np.full(len(self.at_us) - first, -1), rows])
        order = np.lexsort((age, series, at_us))
        at_us, value, series = at_us[order], value[order], series[order]
        last = np.ones(len(at_us), dtype=np.bool_)
        last[:-1] = (np.diff(at_us) != 0) | (np.diff(series) != 0)
        kept = last & ~np.isnan(value)
        self.at_us = np.concatenate([self.at_us[:first], at_us[kept]])
        self.value = np.concatenate([self.value[:first], value[kept]])
        self.series = np.concatenate([self.series[:first], series[kept]])
        self.version, self.shown = self.version + 1, None

    def trim(self, start_us: int, now_us: int) -> None:
        """Let go of what lies before a later start, when that is worth it."""
        if start_us - self.start_us <= _SLACK * max(1, now_us - start_us):
            return
        first = int(np.searchsorted(self.at_us, start_us, side="left"))
        self.start_us, self.shown = start_us, None
        self.at_us, self.value = self.at_us[first:], self.value[first:]
        self.series = self.series[first:]
        self.version += 1

    def show(self) -> Shown:
        if self.shown is None:
            register = self.register
            moving = register.attribute >= 0
            self.shown = Shown(
                register.entities,
                register.areas,
                self.wanted.attributes,
                register.entity[self.series],
                register.attribute[self.series],
                self.at_us,
                self.value,
                register.entity[moving],
                register.attribute[moving],
                self.version,
                self.about,
            )
        return self.shown


@dataclass(frozen=True, eq=False)
class _News:
    """Rows in the order in which they were recorded; `series` in order of number, `order` the row of each."""

    rows: Sequence[Row]
    series: Longs
    order: Longs
    at_us: Longs
    value: Floats
    """NaN where there is no observed number: such a row takes away what was there."""

    @classmethod
    def of(cls, rows: Sequence[Row]) -> _News:
        numbers = np.array([row[0] for row in rows], dtype=np.int64)
        order = np.argsort(numbers, kind="stable")
        at_us = np.array([row[1] for row in rows], dtype=np.int64)
        value = np.array(
            [np.nan if row[5] is None or not row[4] else row[5] for row in rows], dtype=np.float64
        )
        return cls(rows, numbers[order], order, at_us, value)


def _areas(tx: SqliteTx, tenant: str, wanted: Wanted, entities: Sequence[str]) -> list[str]:
    asked = (f'$."{wanted.area}"[0].value', tenant, wanted.entity_type)
    areas = dict(tx.db.execute(_AREAS, asked).fetchall())
    return [str(areas.get(entity, "")) for entity in entities]


class Windows:
    """The windows of all types that are asked for; one thread at a time."""

    def __init__(self, sealed: SealedHistory, notes: Notes) -> None:
        self._sealed, self._notes = sealed, notes
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, Wanted], _Window] = {}
        self._seen = self._changes = -1
        self._met, self._read_ones = NumberSet(), NumberSet()
        """The series that were met: those of windows, and what was there when a window was read."""
        self._versions = 0

    def latest(self, tx: SqliteTx, tenant: str, wanted: Wanted, start_us: int) -> Shown:
        """Return the readings of a type from an instant on, and perhaps older ones."""
        with self._lock:
            self._catch_up(tx)
            ((count,),) = tx.db.execute(_COUNT, (tenant, wanted.entity_type)).fetchall()
            window = self._kept.get((tenant, wanted))
            if window is not None and window.start_us > start_us:
                window = None
            if window is not None and (
                window.is_doubtful or window.is_changed or window.count != count
            ):
                window = _looked_at_again(tx, tenant, window, count)
            if window is None:
                window = self._read(tx, tenant, wanted, start_us, count)
            window.trim(start_us, to_us(tx.now))
            return window.show()

    def _catch_up(self, tx: SqliteTx) -> None:
        self._drop_lost()
        last = last_seq(tx)
        rows = [row for row in self._notes.rows() if row[3] > self._seen]
        if not self._kept:
            self._seen = last
            return
        rows += unpacked(tx.db.execute(_SINCE, (self._seen,)).fetchall())
        self._seen = max(self._seen, last)
        if not rows:
            return
        numbers = np.array([row[0] for row in rows], dtype=np.int64)
        if not self._met.has(numbers).all():
            # They may be of any type.
            for window in self._kept.values():
                window.is_doubtful = True
            self._met.add(numbers)
        # Most of what is recorded while signs are written is of the signs themselves.
        read = self._read_ones.has(numbers)
        if read.any():
            news = _News.of([rows[place] for place in np.flatnonzero(read).tolist()])
            for window in self._kept.values():
                window.apply(news)

    def _drop_lost(self) -> None:
        """Let go of windows of which something came or went that rows do not tell of."""
        changes = self._sealed.changes
        if changes != self._changes or self._notes.are_too_many:
            self._changes = changes
            self._kept.clear()
        for tenant, entity in self._notes.forgotten():
            for key, window in list(self._kept.items()):
                if key[0] == tenant and window.register.has(entity):
                    del self._kept[key]

    def _read(
        self, tx: SqliteTx, tenant: str, wanted: Wanted, start_us: int, count: int
    ) -> _Window:
        register = _Register.read(tx, tenant, wanted)
        found: tuple[Any, Any, Any] = visible_numbers(
            tx, self._sealed, register.moving, Span(start_us)
        )
        place = np.searchsorted(register.numbers, found[0])
        order = np.lexsort((place, found[1]))
        self._versions += 1_000_000
        window = _Window(
            wanted,
            start_us,
            register,
            count,
            place[order],
            found[1][order],
            found[2][order],
            version=self._versions,
            about=self._versions,
        )
        self._kept[tenant, wanted] = window
        ((upto,),) = tx.db.execute(_UPTO).fetchall()
        self._seen = min(self._seen, last_seq(tx))
        self._met.add_below(upto - NUMBERS)
        self._met.add(register.numbers)
        self._read_ones.add(register.numbers)
        return window


def _looked_at_again(tx: SqliteTx, tenant: str, window: _Window, count: int) -> _Window | None:
    """Return the window with what is new about its entities; None when it has to be read anew."""
    register, old = _Register.read(tx, tenant, window.wanted), window.register
    if not np.array_equal(register.numbers, old.numbers):
        # The first rows of a new series have been passed over.
        return None
    if not np.array_equal(register.hidden, old.hidden):
        return None
    if window.is_changed or register.areas != old.areas:
        window.about += 1
    window.register, window.count, window.shown = register, count, None
    window.is_doubtful = window.is_changed = False
    return window


def _counted(counts: Longs) -> Longs:
    """Return 0, 1, … for each count, one after the other."""
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1])) - np.repeat(ends - counts, counts)
