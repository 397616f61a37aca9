"""Filling a city before it is served: what is measured is reading, not how the entities came in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.load import Call, Target, run
from bench.shapes import entity
from chengmai.kernel.clock import SystemClock
from chengmai.ngsild.contexts import ContextCompiler, core_documents
from chengmai.ngsild.expand import expand_entity
from chengmai.ngsild.patch import created
from chengmai.store.sqlite.entities import SqliteEntities
from chengmai.store.sqlite.file import connect, load_or_make_key
from chengmai.store.sqlite.work import SqliteTx, SqliteWork

_AT_ONCE, _A_BATCH = 2000, 250
_UPSERT = "/ngsi-ld/v1/entityOperations/upsert"
_STAMP = "2026-11-22T08:00:00Z"


async def fill(data: Path, total: int, shape: Callable[[int], dict[str, Any]] = entity) -> None:
    """Put the first `total` entities of a shape into the state file, through the store of the city."""
    work = SqliteWork(data / "state.db", _key(data), SystemClock())
    store, core = SqliteEntities(), ContextCompiler(core_documents(), None).core

    def some(start: int) -> Callable[[SqliteTx], None]:
        def put(tx: SqliteTx) -> None:
            for n in range(start, min(start + _AT_ONCE, total)):
                made = created(expand_entity(shape(n), core), _STAMP).entity
                store.put(tx, "city", made, None)

        return put

    for start in range(0, total, _AT_ONCE):
        await work.write(some(start))
    work.close()


async def upsert(target: Target, total: int) -> None:
    """Put the first `total` entities into a city that is served."""
    batches = (
        Call("POST", _UPSERT, [entity(start + n) for n in range(_A_BATCH)])
        for start in range(0, total, _A_BATCH)
    )
    await run(target, "", "fill", batches, in_flight=2)


async def until_indexed(data: Path, *, at_most_s: float = 300) -> float:
    """Return the seconds it took until every index of values that was asked for is ready."""
    start, known = time.perf_counter(), -1
    db = connect(data / "state.db", _key(data), read_only=True)
    try:
        while time.perf_counter() - start < at_most_s:
            await asyncio.sleep(1.5)  # which is longer than the city takes to notice
            ((unready, count),) = db.execute("SELECT sum(ready = 0), count(*) FROM value_key")
            if not unready and count == known:
                return time.perf_counter() - start
            # What was asked for while others were made is begun after them.
            known = count
    finally:
        db.close()
    raise RuntimeError("the index of values did not become ready")


def _key(data: Path) -> str:
    return load_or_make_key(data / "state.key")
