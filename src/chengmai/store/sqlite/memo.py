"""What the writer remembers of the file, so that it need not be read again for every write.

Three layers, so that nothing is remembered that is not there: a unit of work's own, the group's that shares
its commit, and what is kept after the commit. A unit that is rolled back takes its own layer with it, a
commit that fails the group's, and a change by another process everything.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

_MOST = 400_000


class Memo:
    """Remembered values; for the writer thread alone."""

    __slots__ = ("_group", "_kept", "_unit", "_version")

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}
        self._group: dict[Hashable, Any] = {}
        self._unit: dict[Hashable, Any] = {}
        self._version: int | None = None

    def recall(self, key: Hashable) -> Any | None:
        """Return what was remembered under `key`, or None."""
        for layer in (self._unit, self._group, self._kept):
            if key in layer:
                return layer[key]
        return None

    def remember(self, key: Hashable, value: Any) -> None:
        """Remember `value` if the unit of work and its commit succeed."""
        self._unit[key] = value

    def begin(self, version: int) -> None:
        """Begin a group; `version` changes when another process has written to the file."""
        if version != self._version:
            self._kept.clear()
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
            if len(self._kept) + len(self._group) > _MOST:
                self._kept.clear()
            self._kept.update(self._group)
        self._group.clear()
        self._unit.clear()
