"""What is due to one subscription, as far as it is held in memory."""

from __future__ import annotations

from collections import deque
from itertools import islice

from chengmai.broker.ports import DueNotification

_LOOK = 64
"""How far ahead one looks for an entity that nobody tells of at the moment."""
_MOST_MERGED = 50


class Lane:
    """What waits here is in order, and the outbox has what comes after `known` where there is `more`.

    Several may be on their way at once, but one of an entity; what is about several entities goes alone.
    `due` is how many rows the outbox has, `failed` which of them have failed already.
    """

    __slots__ = (
        "busy", "due", "failed", "failing", "filling", "gone", "known", "missed", "more", "ready", "workers",
    )  # fmt: skip

    def __init__(self, due: int = 0) -> None:
        self.ready: deque[DueNotification] = deque()
        self.busy: set[str] = set()
        self.known = 0
        self.more = due > 0
        self.missed = False
        self.due = due
        self.failed: set[int] = set()
        self.failing = self.filling = self.gone = False
        self.workers = 0

    def came(self, one: DueNotification, *, has_room: bool) -> bool:
        """Take what became due; return whether it is held here. What comes after gaps is not."""
        self.due += 1
        if self.more or not has_room:
            self.more = self.missed = True
            return False
        self.ready.append(one)
        self.known = one.seq
        return True

    def came_page(self, page: list[DueNotification], *, is_full: bool) -> None:
        """Take what the outbox has after `known`."""
        self.ready.extend(page)
        if page:
            self.known = page[-1].seq
        self.more = self.missed or is_full

    def has_next(self) -> bool:
        """Whether something can be sent now."""
        return self._next() is not None

    def take(self) -> DueNotification | None:
        """Return what is sent next, and hold back what would overtake it; None when nothing can be."""
        at = self._next()
        if at is None:
            return None
        one = self.ready[at]
        del self.ready[at]
        self.busy.add(one.entity)
        return one

    def first_ones(self) -> list[DueNotification]:
        """Return what may be told in one, where nothing is on its way."""
        return [] if self.busy else list(islice(self.ready, _MOST_MERGED))

    def take_upto(self, seq: int) -> None:
        """Take what is told in one, up to a number."""
        while self.ready and self.ready[0].seq <= seq:
            self.ready.popleft()
        self.busy.add("")

    def done(self, entity: str) -> None:
        """Let the next one of an entity go."""
        self.busy.discard(entity)

    def back(self, entity: str, rows: list[DueNotification]) -> None:
        """Put back what was not delivered, where it was."""
        self.busy.discard(entity)
        self.ready = deque(sorted([*rows, *self.ready], key=lambda one: one.seq))

    def _next(self) -> int | None:
        if "" in self.busy:
            return None
        for at, one in enumerate(islice(self.ready, _LOOK)):
            if one.entity == "":
                return 0 if at == 0 and not self.busy else None
            if one.entity not in self.busy:
                return at
        return None
