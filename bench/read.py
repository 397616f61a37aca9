"""Queries over entities and over the past."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.fill import fill, until_indexed
from bench.load import Call, Target, run
from bench.measure import Row
from bench.servers import a_city, http_reference
from bench.shapes import ENTITIES, entity, entity_id, number
from bench.write import COUNT

_UPSERT = "/ngsi-ld/v1/entityOperations/upsert"
_TIMES = 1000
_UPDATES = ((100, 200), (1000, 100), (10_000, 50), (100_000, 20))


async def query() -> list[Row]:
    """Return retrieval by id and queries, 64 in flight, over 1,000, 10,000 and 100,000 entities."""
    rows = [await http_reference("query", entity(0), COUNT)]
    for total in (1000, 10_000, 100_000):
        async with a_city(partial(fill, total=total)) as (target, data):
            rows += await _asked(target, data, total)
    return rows


async def _asked(target: Target, data: Path, total: int) -> list[Row]:
    rows = []
    chance = random.Random(total)
    for shape, asked in _QUERIES.items():
        path = f"{ENTITIES}?type=Sensor&limit=20{asked}"
        if "&q=" in asked or "&orderBy=" in asked:
            first = f"the first time, {shape}, {total:,} entities"
            rows.append(await run(target, "query", first, [Call("GET", path)], in_flight=1))
    took = await until_indexed(data)
    rows[-1] = replace(rows[-1], note=f"indexes ready after {took:.1f} s")
    for times in ("cold", "warm"):
        ids = [chance.randrange(total) for _ in range(COUNT)]
        reads = (Call("GET", f"{ENTITIES}/{entity_id(n)}") for n in ids)
        rows.append(await run(target, "query", f"by id, {times}, {total:,} entities", reads))
    for shape, asked in _QUERIES.items():
        calls = (Call("GET", f"{ENTITIES}?type=Sensor&limit=20{asked}") for _ in range(_TIMES))
        rows.append(await run(target, "query", f"{shape}, {total:,} entities", calls))
    return rows


async def temporal() -> list[Row]:
    """Return the evolution of an entity with 100 to 100,000 updates in several forms."""
    rows = [await http_reference("temporal", entity(0), COUNT)]
    async with a_city(seal_every_s=1) as (target, _):
        for number_of, (updates, times) in enumerate(_UPDATES):
            writes = _updates(number_of, updates)
            rows.append(
                await run(target, "temporal", f"write {updates:,} updates of one entity", writes)
            )
            await asyncio.sleep(3)  # until all of it is sealed, as most of any past is
            for shape, asked in _EVOLUTIONS.items():
                path = f"/ngsi-ld/v1/temporal/entities/{entity_id(number_of)}?attrs=pm25{asked}"
                calls = (Call("GET", path) for _ in range(times))
                row = await run(
                    target, "temporal", f"{shape} of {updates:,} updates", calls, in_flight=4
                )
                rows.append(row)
    return rows


_QUERIES = {
    "type": "",
    "type and q of two clauses": "&q=temperature%3E90;humidity%3E90",
    "type and q that matches nothing": "&q=pm25%3E1000;pm10%3E1000",
    "type and q of three clauses": "&q=pm25%3E90;pm10%3E100;pressure%3C=99",
    "type, ordered by a value": "&orderBy=temperature;desc",
    "type and near 500 m": (
        "&georel=near;maxDistance%3D%3D500&geometry=Point&coordinates=%5B116.5,39.5%5D"
    ),
    "type and count": "&count=true",
    "idPattern": "&idPattern=%5Eurn%3Angsi-ld%3ASensor%3A0000",
}
_EVOLUTIONS = {
    "whole evolution": "",
    "temporalValues": "&options=temporalValues",
    "lastN=100": "&lastN=100",
    "aggregates per PT1H": "&aggrMethods=avg,max&aggrPeriodDuration=PT1H",
    "aggregates per PT1M": "&aggrMethods=avg,max&aggrPeriodDuration=PT1M",
}


def _updates(number_of: int, updates: int) -> Iterator[Call]:
    entity_of = {"id": entity_id(number_of), "type": "Sensor", "pm25": number(0, 0)}
    yield Call("POST", _UPSERT, [entity_of])
    for start in range(1, updates, COUNT):
        for n in range(start, min(start + COUNT, updates)):
            body = {**entity_of, "pm25": number(n, n)}
            yield Call("POST", _UPSERT, [body])
