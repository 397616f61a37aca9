"""Writes over HTTP, 64 in flight, each answered after its commit is on disk."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from bench.load import Call, run
from bench.measure import Row, Timed, against
from bench.servers import a_city, http_reference
from bench.shapes import CHANGING, ENTITIES, entity, entity_id, number
from chengmai.kernel.clock import SystemClock
from chengmai.store.sqlite.file import load_or_make_key
from chengmai.store.sqlite.work import SqliteWork

COUNT = 5000
_IN_FLIGHT = 64


async def write() -> list[Row]:
    """Return create, partial update and update of five instances, with their references."""
    bare, rows = await http_reference("write", entity(0), COUNT), [await store_reference("write")]
    async with a_city() as (target, _):
        creates = (Call("POST", ENTITIES, entity(n)) for n in range(COUNT))
        rows.append(await run(target, "write", "create an entity of 8 attributes", creates))
        rows.append(await run(target, "write", "partial update of one attribute", partials()))
        rows.append(await run(target, "write", "update of five instances", _five()))
        appends = (
            Call("POST", f"{ENTITIES}/{entity_id(n)}/attrs", {"a": number(n, 1), "b": number(n, 1)})
            for n in range(COUNT)
        )
        rows.append(await run(target, "write", "append two attributes", appends))
        reads = (Call("GET", f"{ENTITIES}/{entity_id(n)}") for n in range(COUNT))
        rows.append(await run(target, "write", "retrieve by id", reads))
    return against(bare, [bare, *rows])


async def batch() -> list[Row]:
    """Return batches of 250 and of 1000 entities, created and updated, an operation being an entity."""
    path = "/ngsi-ld/v1/entityOperations/upsert?options=update"
    total, rows = 10_000, []
    bare = await http_reference("batch", entity(0), COUNT)
    async with a_city() as (target, _):
        for first, size in ((0, 250), (total, 1000)):
            for what in ("create", "update"):
                calls = (
                    Call("POST", path, [entity(start + n) for n in range(size)])
                    for start in range(first, first + total, size)
                )
                shape = f"batch of {size:,}: {what}"
                rows.append(await run(target, "batch", shape, calls, in_flight=4, each=size))
    return against(bare, [bare, *rows])


async def store_reference(bench: str) -> Row:
    """Return what a bare durable upsert takes through the same unit of work, 64 in flight."""
    count, body = 20_000, orjson.dumps(entity(0))
    timed, numbers = Timed(), iter(range(count))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        key = load_or_make_key(Path(folder) / "key")
        work = SqliteWork(Path(folder) / "state.db", key, SystemClock())
        await work.write(lambda tx: tx.db.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, d)"))

        async def worker() -> None:
            for n in numbers:
                start = time.perf_counter()
                await work.write(lambda tx, n=n: _put(tx, n, body))  # type: ignore[misc]
                timed.seconds.append(time.perf_counter() - start)

        used, start = time.process_time(), time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(_IN_FLIGHT)))
        wall, used = time.perf_counter() - start, time.process_time() - used
        row = timed.row(bench, "reference: bare durable upsert in the same store", used, wall)
        work.close()
    return row


def _put(tx: Any, n: int, body: bytes) -> None:
    tx.db.execute("INSERT OR REPLACE INTO bare VALUES (?, ?)", (n, body))


def partials(first: int = 0, count: int = COUNT) -> Iterator[Call]:
    """Yield updates of one value of as many entities."""
    for n in range(first, first + count):
        body = {"value": n % 97, "observedAt": number(0, n + 1)["observedAt"]}
        yield Call("PATCH", f"{ENTITIES}/{entity_id(n)}/attrs/pm25", body)


def _five() -> Iterator[Call]:
    for n in range(COUNT):
        body = {name: number(n % 89, n + 10_000) for name in CHANGING}
        yield Call("PATCH", f"{ENTITIES}/{entity_id(n)}/attrs", body)
