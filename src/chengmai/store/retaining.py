"""Letting go of old observations: how long they are kept is said by entity type.

Only the sealed part is looked at: what is recent is sealed within seconds and goes with the next round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import numpy as np

from chengmai.kernel.work import Work
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.sqlite.work import SqliteTx

EVERY_OTHER = "*"
_OF_TYPE = """
SELECT DISTINCT s.series FROM entity_type t
JOIN series s ON s.tenant = t.tenant AND s.entity = t.id WHERE t.type = ?
"""


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
