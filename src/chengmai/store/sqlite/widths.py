"""How wide stretches of the index of values are, remembered: one around a wide one is wide too.

So a question with another number need not be counted for. Where it is wrong by now a question is slower and
answered the same; it is forgotten every so often.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from math import isqrt
from typing import Any, TypeAlias

from chengmai.store.sqlite.qsql import Sql
from chengmai.store.sqlite.work import SqliteTx

Way: TypeAlias = tuple[Sql, ...]
"""Stretches in which all lies that can match."""
_MOST_NARROW = 3000
_USES = 500
_MOST = 2000
_ONE_BOUND = re.compile(r"v\.val ([<>])=? \?$")


class Widths:
    """Remembers stretches that were found to be wide; readers on several threads share it."""

    def __init__(self) -> None:
        self._bounds: dict[Hashable, Any] = {}
        self._last_row: int | None = None
        self._left = _USES

    def narrow(self, tx: SqliteTx) -> int:
        """Return up to how many entries a page starts from an index.

        Looking an entry's entity up costs about four times as much as passing one by on a walk, and a walk of n
        entities of which m match ends after 20 n / m: they cost the same where m is the root of 5 n.
        """
        self._left -= 1
        last = self._last_row
        if last is None or self._left <= 0:
            self._bounds.clear()
            ((last,),) = tx.db.execute("SELECT coalesce(max(row), 0) FROM entity").fetchall()
            self._last_row, self._left = last, _USES
        return min(_MOST_NARROW, isqrt(5 * last) + 20)

    def is_wide(self, way: Way, narrow: int) -> bool:
        """Return whether a way is known to have more than `narrow` entries."""
        bounded = _bounded(way, narrow)
        if bounded is None:
            return False
        key, bound, rises = bounded
        held = self._bounds.get(key)
        return held is not None and bool(bound <= held if rises else bound >= held)

    def note(self, way: Way, narrow: int) -> None:
        """Keep that a way has more than `narrow` entries."""
        bounded = _bounded(way, narrow)
        if bounded is not None and not self.is_wide(way, narrow) and len(self._bounds) < _MOST:
            self._bounds[bounded[0]] = bounded[1]


def _bounded(way: Way, narrow: int) -> tuple[Hashable, Any, bool] | None:
    """Return what ways have in common that differ in one bound, that bound, and whether it is the lower."""
    first, *others = way
    found = _ONE_BOUND.search(first.text)
    if found is None:
        return None
    *fixed, bound = first.values
    key = (narrow, first.text, *fixed, *((one.text, one.values) for one in others))
    return key, bound, found[1] == ">"
