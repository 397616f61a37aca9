"""Entities as they stand in answers, remembered as bytes: what has not changed is not shown anew.

A part is a pure function of the stored entity and of the view (context, form, members, media type). It is kept
under the view and the row, with a mark of the stored bytes, and given out only while the mark is theirs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

from chengmai.broker.model import Stored

MOST_BYTES = 160 * 1024 * 1024
_EACH = 260
"""About what a remembered part weighs beside its own bytes."""


class RenderedEntities:
    """Remembers parts of answers; for the event loop alone."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._views: OrderedDict[Hashable, dict[int, tuple[int, bytes]]] = OrderedDict()
        self._weights: dict[Hashable, int] = {}
        self.weight = 0
        """About how many bytes are held."""

    def part(self, view: Hashable, mark: tuple[int, int]) -> bytes | None:
        """Return what was made of a stored entity (row and hash of its bytes); None when it is not known."""
        known = self._views.get(view)
        held = None if known is None else known.get(mark[0])
        return held[1] if held is not None and held[0] == mark[1] else None

    def parts(
        self, view: Hashable, rows: Sequence[Stored], render: Callable[[bytes], bytes]
    ) -> list[bytes]:
        """Return what `render` makes of each stored entity; what it makes nothing of is left out."""
        known = self._views.setdefault(view, {})
        self._views.move_to_end(view)
        made = []
        for row, doc in rows:
            # 64 bits, keyed by the process: an entity cannot be made to look like another one.
            mark = hash(doc)
            held = known.get(row)
            if held is None or held[0] != mark:
                held = known[row] = (mark, render(doc))
                more = len(held[1]) + _EACH
                self._weights[view] = self._weights.get(view, 0) + more
                self.weight += more
            if held[1]:
                made.append(held[1])
        if self.weight > self._most:
            self._shrink()
        return made

    def _shrink(self) -> None:
        while self.weight > self._most:
            view, _ = self._views.popitem(last=False)
            self.weight -= self._weights.pop(view, 0)
