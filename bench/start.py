"""A city that starts with many entities: how long until it answers, and what it then holds in memory."""

from __future__ import annotations

import time
from pathlib import Path

from bench.fill import fill
from bench.load import Call, run
from bench.measure import Row, rss_mb
from bench.servers import a_city
from bench.shapes import ENTITIES, entity_id
from bench.sizes import size

_READS = 5000


async def start() -> list[Row]:
    """Return the start of a city of a million entities (or BENCH_ENTITIES), and look-ups right after it."""
    total = size("BENCH_ENTITIES", 1_000_000)
    filled: list[float] = []

    async def prepare(data: Path) -> None:
        await fill(data, total)
        filled.append(time.perf_counter())

    async with a_city(prepare) as (target, _):
        took = time.perf_counter() - filled[0]
        note = f"answers after {took:.2f} s, {rss_mb(target.process.pid):,.0f} MiB resident"
        rows = [Row("start", f"start with {total:,} entities", 1, 0.0, 1 / took, note=note)]
        step = max(1, total // _READS)
        calls = (
            Call("GET", f"{ENTITIES}/{entity_id(n * step)}") for n in range(min(total, _READS))
        )
        rows.append(await run(target, "start", f"by id, all over {total:,} entities", calls))
        note = f"{rss_mb(target.process.pid):,.0f} MiB resident"
        rows.append(Row("start", "afterwards", 1, 0.0, 0.0, note=note))
    return rows
