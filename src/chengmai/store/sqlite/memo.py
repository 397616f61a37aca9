"""What the writer remembers of the file, so that it need not be read again for every write.

Three layers, so that nothing is remembered that is not there: a unit of work's own, the group's that shares
its commit, and what is kept after the commit. A unit that is rolled back takes its own layer with it, a
commit that fails the group's, and a change by another process everything. What is kept is in two generations:
when the young one is heavy it becomes the old one, and what nobody asked for in between is forgotten.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

MOST_BYTES = 64 * 1024 * 1024
"""About what one generation may weigh."""
_EACH = 200
"""About what a key and its place weigh."""


class Memo:
    """Remembered values; for the writer thread alone."""

    __slots__ = ("_group", "_most", "_old", "_unit", "_version", "_weight", "_young")

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._young: dict[Hashable, Any] = {}
        self._old: dict[Hashable, Any] = {}
        self._group: dict[Hashable, Any] = {}
        self._unit: dict[Hashable, Any] = {}
        self._weight = 0
        self._version: int | None = None

    def recall(self, key: Hashable) -> Any | None:
        """Return what was remembered under `key`, or None."""
        # What is empty is remembered too: only None says that a layer does not know.
        if (found := self._unit.get(key)) is not None:
            return found
        if (found := self._group.get(key)) is not None:
            return found
        if (found := self._young.get(key)) is not None:
            return found
        found = self._old.pop(key, None)
        if found is not None:
            self._young[key] = found
            self._weight += _EACH
        return found

    def remember(self, key: Hashable, value: Any, weight: int = 0) -> None:
        """Remember `value` if the unit of work and its commit succeed; `weight` is its size in bytes."""
        self._unit[key] = value
        self._weight += _EACH + weight

    def touch(self, key: Hashable) -> None:
        """Have `key` among what the group changes; nothing is to be recalled of it."""
        self._unit[key] = True

    def changed(self) -> list[Hashable]:
        """Return the keys of all that the group remembers, what it changes among them."""
        return list(self._group)

    def begin(self, version: int) -> None:
        """Begin a group; `version` changes when another process has written to the file."""
        if version != self._version:
            self._young, self._old, self._weight = {}, {}, 0
            self._version = version
        self._group.clear()

    def end_unit(self, *, well: bool) -> None:
        """End a unit of work."""
        if well:
            self._group.update(self._unit)
        self._unit.clear()

    def end(self, *, well: bool) -> None:
        """End the group with its commit."""
        if well:
            for key in self._group if self._old else ():
                self._old.pop(key, None)
            self._young.update(self._group)
            if self._weight > self._most:
                self._old, self._young, self._weight = self._young, {}, 0
        self._group.clear()
        self._unit.clear()
