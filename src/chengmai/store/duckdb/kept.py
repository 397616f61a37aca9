"""What was read of the sealed history, kept until it changes: the same series are looked at again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from threading import Lock

import duckdb

MOST_BYTES = 64 * 1024 * 1024
_EACH = 400
"""About what a key and its place weigh."""


@dataclass(frozen=True, eq=False)
class State:
    """What a committed state of the file is known by; one is made after each change."""

    watermark: int
    rolled_upto: int
    """The first day that is not rolled up."""
    has_let_go: bool
    """Whether there are series of which only sums are left, for a time."""

    @classmethod
    def read(cls, cursor: duckdb.DuckDBPyConnection) -> State:
        """Return the state that a transaction sees."""
        ((watermark, upto, has_let_go),) = cursor.execute(
            "SELECT (SELECT max(sealed_seq) FROM watermark), (SELECT max(upto) FROM rolled),"
            " EXISTS (SELECT 1 FROM let_go)"
        ).fetchall()
        return cls(int(watermark), int(upto), bool(has_let_go))


class Kept:
    """Values by series and question, of one state: what a change touches is let go. Any thread may ask."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._weight = most_bytes, 0
        self._held: OrderedDict[tuple[int, Hashable], tuple[object, int]] = OrderedDict()
        self._of: dict[int, set[Hashable]] = {}
        self._lock = Lock()
        self._state: State | None = None

    @property
    def state(self) -> State | None:
        """The state of the file; None while it changes, and until somebody has looked again."""
        return self._state

    def begin(self, state: State) -> None:
        """Note what the state of the file is."""
        self._state = state

    def end(self) -> None:
        """Note that the file is about to change."""
        self._state = None

    def forget(self, series: Iterable[int] | None) -> None:
        """Let go of what is held of some series, or (None) of all."""
        with self._lock:
            if series is None:
                self._held.clear()
                self._of.clear()
                self._weight = 0
                return
            for one in self._of.keys() & set(series):
                for key in self._of.pop(one):
                    self._weight -= self._held.pop((one, key))[1]

    def get(self, series: int, key: Hashable) -> object | None:
        """Return what is held, or None."""
        with self._lock:
            found = self._held.get((series, key))
            if found is None:
                return None
            self._held.move_to_end((series, key))
            return found[0]

    def put(self, state: State, series: int, key: Hashable, value: object, size: int) -> None:
        """Hold a value that was read in a state, if that is still the state of the file."""
        weight = size + _EACH
        with self._lock:
            if self._state is not state or weight > self._most // 4:
                return
            old = self._held.pop((series, key), None)
            self._weight += weight - (0 if old is None else old[1])
            self._held[series, key] = value, weight
            self._of.setdefault(series, set()).add(key)
            while self._weight > self._most:
                (one, gone), (_, lost) = self._held.popitem(last=False)
                self._weight -= lost
                self._of[one].discard(gone)
                if not self._of[one]:
                    del self._of[one]


@dataclass(frozen=True, eq=False)
class Sight:
    """A view of one committed state: a cursor, what the state is known by, and what is held of it."""

    cursor: duckdb.DuckDBPyConnection
    state: State
    kept: Kept | None = None

    def held(self, series: int, key: Hashable) -> object | None:
        """Return what was read before of a series."""
        return None if self.kept is None else self.kept.get(series, key)

    def hold(self, series: int, key: Hashable, value: object, size: int) -> None:
        """Keep what was read of a series; `size` in bytes. It must not be changed any more."""
        if self.kept is not None:
            self.kept.put(self.state, series, key, value, size)
