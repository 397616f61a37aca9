"""What has changed since one looked, told without a question to SQLite.

SQLite counts the transactions of a file in write-ahead mode in the head of its index of the log, in memory that
all processes share (`<file>-shm`; sqlite.org/walformat.html, 2.1: `iChange`), beside a checksum over the log
(`aFrameCksum`). Looking there costs next to nothing. The writer of this process says beforehand what its next
transaction changes; a transaction that nobody announced is another process's, and may have changed everything.

The number alone does not tell a state: where a process dies while it writes the head, the next counts from 0
again. So a state has the checksum too, and the writer begins a new run where it does not find what it left.
"""

from __future__ import annotations

import atexit
import mmap
import os
import sys
from collections.abc import Hashable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import structlog

_NUMBER, _SUM = slice(8, 12), slice(24, 32)
_HEAD = 48
_WRAPS = 2**32
_MOST_COMING = 4096
"""Announced transactions not yet looked at; with more, whoever looks takes everything for changed."""
_log = structlog.get_logger(__name__)


class State(NamedTuple):
    """The file after a transaction. Equal ones are the same; nothing else is to be read in it."""

    run: int
    """Of transactions of this process alone, one after the other."""
    number: bytes
    checksum: bytes


class Tide:
    """Counts transactions on a file that is open in write-ahead mode; `close` after every connection to it."""

    def __init__(self, path: Path, most_coming: int = _MOST_COMING) -> None:
        self._most, self._path = most_coming, f"{path}-shm"
        self._coming: dict[int, frozenset[Hashable]] = {}
        self._announced: int | None = None
        self._run = 0
        self._map: mmap.mmap | None = None
        # Kept open: closing any handle of a file gives up the locks that the process has on it (POSIX).
        self._file = -1
        try:
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            self._map = mmap.mmap(self._file, _HEAD, prot=mmap.PROT_READ)
        except (OSError, ValueError) as error:
            _log.warning("store.no_tide", path=str(path), error=repr(error))
        self._left = self.at()

    def at(self) -> State | None:
        """Return the state, of which every acknowledged transaction is part; None when not known."""
        shared = self._map
        # The run first: a state is rather taken for an older one than for one of a run that it is not of.
        return None if shared is None else State(self._run, shared[_NUMBER], shared[_SUM])

    def announce(self, changed: Iterable[Hashable]) -> None:
        """Say what the transaction changes that is about to be committed; for who holds the lock to write."""
        at = self.at()
        if at is None:
            return
        if at != self._left:  # somebody else wrote, or the count began anew
            self._begin_anew()
        elif len(self._coming) >= self._most:
            self._coming.clear()
        self._announced = _number(at)
        self._coming[self._announced] = frozenset(changed)

    def committed(self) -> None:
        """Say that the transaction was committed; what was not announced counts as another process's."""
        announced, self._announced = self._announced, None
        at = self.at()
        if announced is None or at is None:
            return
        if _number(at) == (announced + 1) % _WRAPS:
            self._left = at
        else:
            self._begin_anew()

    def withdraw(self) -> None:
        """Take back what was announced: nothing was committed."""
        if self._announced is not None:
            self._announced = None
            self._begin_anew()

    def take(self, since: State, until: State) -> list[Hashable] | None:
        """Return what changed from one state to another, and forget it; None when that is not known."""
        if since.run != until.run:
            return None
        changed: list[Hashable] = []
        at, end = _number(since), _number(until)
        is_known = at != end or since == until
        while is_known and at != end:
            some = self._coming.pop(at, None)
            is_known = some is not None
            changed += some or ()
            at = (at + 1) % _WRAPS
        if not is_known:
            # The same numbers may come again, of others.
            self._coming.clear()
        return changed if is_known else None

    def close(self) -> None:
        """Look no more; the handle is kept to the end of the process while the file may still be in use."""
        shared, self._map = self._map, None
        if self._file >= 0 and _is_there(self._path, self._file):
            # The last connection of all removes the file: one of this process may be left, with its locks.
            if shared is not None:
                atexit.register(shared.close)
        else:
            if shared is not None:
                shared.close()
            if self._file >= 0:
                with suppress(OSError):
                    os.close(self._file)
        self._file = -1

    def _begin_anew(self) -> None:
        self._coming.clear()
        self._run += 1
        self._left = None


def _number(state: State) -> int:
    return int.from_bytes(state.number, sys.byteorder)


def _is_there(path: str, file: int) -> bool:
    """Return whether the name leads to the open file."""
    with suppress(OSError):
        return os.path.samestat(Path(path).stat(), os.fstat(file))
    return False
