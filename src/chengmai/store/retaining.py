"""Letting go of old observations: how long they are kept is said by entity type.

Only the sealed part is looked at: what is recent is sealed within seconds and goes with the next round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import numpy as np

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import to_us
from chengmai.kernel.work import Work
from chengmai.ngsild.entity import name_iri
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.sqlite.work import SqliteTx
from chengmai.trust.ports import Audit

EVERY_OTHER = "*"
_DAY_US = 86_400_000_000
_OF_TYPE = """
SELECT DISTINCT s.series FROM entity_type t
JOIN series s ON s.tenant = t.tenant AND s.entity = t.id WHERE t.type = ?
"""


class Retaining:
    """Removes what is older than `days` says, by entity type (short name, or `*`); `round` by `round`."""

    def __init__(
        self,
        work: Work[SqliteTx],
        sealed: SealedHistory,
        audit: Audit,
        clock: Clock,
        days: Mapping[str, float],
        by: Actor,
    ) -> None:
        self._work, self._sealed, self._audit, self._clock = work, sealed, audit, clock
        self._by = by
        self._keep_us = {
            name if name == EVERY_OTHER else name_iri(name): int(count * _DAY_US)
            for name, count in days.items()
        }

    async def round(self) -> None:
        """Remove what has become too old, with a line in the audit trail when there was anything."""
        now_us = to_us(self._clock.now())
        removed = await retain(self._work, self._sealed, self._keep_us, now_us)
        if removed:
            told = {"observations": removed}
            await self._work.write(
                lambda tx: self._audit.line(tx, self._by, "history.retain", EVERY_OTHER, told)
            )


async def retain(
    work: Work[SqliteTx], sealed: SealedHistory, keep_us: Mapping[str, int], now_us: int
) -> int:
    """Remove observations older than `keep_us` (microseconds by type IRI, `*` for all other types).

    An entity of several types keeps the longest past that one of them has. Return how many were removed.
    """
    if not keep_us:
        return 0

    def read(tx: SqliteTx) -> dict[str, list[int]]:
        named = [name for name in keep_us if name != EVERY_OTHER]
        return {
            name: [row[0] for row in tx.db.execute(_OF_TYPE, (name,)).fetchall()] for name in named
        }

    longest: dict[int, int] = {}
    for name, numbers in (await work.read(read)).items():
        for number in numbers:
            longest[number] = max(longest.get(number, 0), keep_us[name])
    named = np.array(list(longest), dtype=np.int32)
    before = now_us - np.array(list(longest.values()), dtype=np.int64)
    others = now_us - keep_us[EVERY_OTHER] if EVERY_OTHER in keep_us else None
    return await asyncio.to_thread(sealed.drop_before, named, before, others)
