"""10,000 connections that say nothing, half of something, or a byte now and then; others go on asking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from bench.load import Call, Target, run
from bench.measure import Row, cpu_s, rss_mb
from bench.servers import a_city
from bench.shapes import ENTITIES, entity, entity_id
from tests.fault.crowd import BEGUN, a_crowd

_COUNT, _CROWD = 1000, 10_000
_IDLE_S = 5


async def crowd() -> list[Row]:
    """Return creates and retrieves alone and beside 10,000 connections of each kind, and their cost."""
    async with a_city(most_connections=_CROWD + 1000) as (target, _):
        rows = [*await _work(target, "alone", 0)]
        for number, (what, begun) in enumerate(
            (("idle", BEGUN[:1]), ("half-open", BEGUN[1:2]), ("slow", BEGUN[2:])), 1
        ):
            rows += await _beside(target, what, begun, number)
    async with a_city(most_connections=_CROWD // 2) as (target, _):
        rows += await _beside(target, "of all kinds for half as many places", BEGUN, 0)
    return rows


async def _beside(target: Target, what: str, begun: Sequence[bytes], number: int) -> list[Row]:
    before_mb = rss_mb(target.process.pid)
    async with a_crowd(target.port, _CROWD, begun):
        each_kb = (rss_mb(target.process.pid) - before_mb) * 1024 / _CROWD
        used, since = cpu_s(target.process.pid), time.monotonic()
        await asyncio.sleep(_IDLE_S)
        share = (cpu_s(target.process.pid) - used) / (time.monotonic() - since)
        first, *others = await _work(target, f"beside 10,000 {what}", number)
    note = f"{each_kb:.1f} KiB a connection, {share:.0%} of a core for them {first.note}".strip()
    return [replace(first, note=note), *others]


async def _work(target: Target, when: str, number: int) -> list[Row]:
    first = number * _COUNT
    creates = (Call("POST", ENTITIES, entity(first + n)) for n in range(_COUNT))
    reads = (Call("GET", f"{ENTITIES}/{entity_id(first + n)}") for n in range(_COUNT))
    return [
        await run(target, "crowd", f"create, {when}", creates, in_flight=16),
        await run(target, "crowd", f"retrieve, {when}", reads, in_flight=16),
    ]
