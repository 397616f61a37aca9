"""Who a secret belongs to, remembered for a short while in this process."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from chengmai.kernel.actors import Actor

MOST = 10_000


@dataclass
class ActorCache:
    """Positive answers only, each until an instant; whoever is changed is dropped at once.

    `age` changes with every drop: an answer read from the store before a drop is not put in after it.
    """

    most: int = MOST
    age: int = 0
    _known: OrderedDict[str, tuple[Actor, datetime]] = field(default_factory=OrderedDict)

    def get(self, digest: str, now: datetime) -> Actor | None:
        """Return who `digest` belongs to, if that is still remembered at `now`."""
        actor, until = self._known.get(digest, (None, now))
        return actor if now < until else None

    def put(self, digest: str, actor: Actor, until: datetime, *, read_at_age: int) -> None:
        """Remember `actor` until an instant, unless somebody was dropped since it was read."""
        if read_at_age != self.age:
            return
        self._known[digest] = (actor, until)
        self._known.move_to_end(digest)
        while len(self._known) > self.most:
            self._known.popitem(last=False)

    def drop(self, actor_id: str) -> None:
        """Forget everything that belongs to an account or a token."""
        self.age += 1
        stale = [digest for digest, (actor, _) in self._known.items() if actor.id == actor_id]
        for digest in stale:
            del self._known[digest]
