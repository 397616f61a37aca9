"""Letting go of old observations and of their sums: how long they are kept is said by entity type.

It is done by whole days (UTC), and sums are made before their observations go. Only the sealed part is looked
at: what is recent is sealed within seconds and goes with the next round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from math import inf

import numpy as np

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import to_us
from chengmai.kernel.work import Work
from chengmai.ngsild.entity import name_iri
from chengmai.store.duckdb.leaving import Cuts, day_of
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.sqlite.register import entries_of_type
from chengmai.store.sqlite.work import SqliteTx
from chengmai.trust.ports import Audit

EVERY_OTHER = "*"
_DAY_US = 86_400_000_000


class Retaining:
    """Removes what is older than `days` says, by entity type (short name, or `*`); `round` by `round`.

    The sums of observations are kept for `rolled_days`, and go with their observations where that says nothing.
    """

    def __init__(
        self,
        work: Work[SqliteTx],
        sealed: SealedHistory,
        audit: Audit,
        clock: Clock,
        days: Mapping[str, float],
        rolled_days: Mapping[str, float],
        by: Actor,
    ) -> None:
        self._work, self._sealed, self._audit, self._clock = work, sealed, audit, clock
        self._by = by
        self._keep_us, self._roll_us = _by_iri(days), _by_iri(rolled_days)

    async def round(self) -> None:
        """Remove what has become too old, with a line in the audit trail when there was anything."""
        now_us = to_us(self._clock.now())
        removed = await retain(self._work, self._sealed, self._keep_us, self._roll_us, now_us)
        if removed:
            told = {"observations": removed}
            await self._work.write(
                lambda tx: self._audit.line(tx, self._by, "history.retain", EVERY_OTHER, told)
            )


async def retain(
    work: Work[SqliteTx],
    sealed: SealedHistory,
    keep_us: Mapping[str, int],
    roll_us: Mapping[str, int],
    now_us: int,
) -> int:
    """Remove observations older than `keep_us` (microseconds by type IRI, `*` for all other types).

    Their sums go when they are older than `roll_us` too. An entity of several types keeps the longest past that
    one of them has. Return how many observations were removed.
    """
    if not keep_us:
        return 0
    named = sorted({*keep_us, *roll_us} - {EVERY_OTHER})

    def read(tx: SqliteTx) -> dict[str, list[int]]:
        return {name: [one.series for one in entries_of_type(tx, None, name)] for name in named}

    series = await work.read(read)
    kept = _cuts(series, keep_us, keep_us, now_us)
    rolled = _cuts(series, keep_us, roll_us, now_us)
    newest = kept.newest
    while newest is not None:
        if not await asyncio.to_thread(sealed.roll, newest):
            break
    return await asyncio.to_thread(sealed.let_go, kept, rolled)


def _cuts(
    series: Mapping[str, list[int]],
    keep_us: Mapping[str, int],
    roll_us: Mapping[str, int],
    now_us: int,
) -> Cuts:
    """Return up to which day each series is let go; sums are kept at least as long as observations."""

    def last(name: str) -> float:
        kept = keep_us.get(name, keep_us.get(EVERY_OTHER, inf))
        return max(kept, roll_us.get(name, roll_us.get(EVERY_OTHER, 0)))

    longest: dict[int, float] = {}
    for name, numbers in series.items():
        for number in numbers:
            longest[number] = max(longest.get(number, 0), last(name))
    days = [
        0 if longest_us == inf else day_of(now_us - int(longest_us))
        for longest_us in longest.values()
    ]
    others = last(EVERY_OTHER)
    return Cuts(
        np.array(list(longest), dtype=np.int32),
        np.array(days, dtype=np.int32),
        None if others == inf else day_of(now_us - int(others)),
    )


def _by_iri(days: Mapping[str, float]) -> dict[str, int]:
    return {
        name if name == EVERY_OTHER else name_iri(name): int(count * _DAY_US)
        for name, count in days.items()
    }
