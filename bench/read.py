"""Queries over entities and over the past."""

from __future__ import annotations

from collections.abc import Iterator

from bench.load import Call, Target, run
from bench.measure import Row
from bench.servers import a_city
from bench.shapes import ENTITIES, at, entity, entity_id, number
from bench.write import COUNT

_UPSERT = "/ngsi-ld/v1/entityOperations/upsert"
_SIZE = 500


async def query() -> list[Row]:
    """Return queries by type, by q, near a point and counted, over 1,000 and 10,000 entities."""
    rows = []
    async with a_city() as (target, _):
        stored = 0
        for total, times in ((1000, 400), (10_000, 60)):
            await _fill(target, stored, total)
            stored = total
            for shape, asked in _QUERIES.items():
                calls = (
                    Call("GET", f"{ENTITIES}?type=Sensor&limit=20{asked}") for _ in range(times)
                )
                row = await run(target, "query", f"{shape}, {total:,} entities", calls, in_flight=8)
                rows.append(row)
    return rows


async def temporal() -> list[Row]:
    """Return the evolution of an entity with 100, 1,000 and 10,000 updates in three forms."""
    rows = []
    async with a_city(seal_every_s=1) as (target, _):
        for number_of, (updates, times) in enumerate(((100, 200), (1000, 100), (10_000, 10))):
            writes = _updates(number_of, updates)
            rows.append(
                await run(target, "temporal", f"write {updates:,} updates of one entity", writes)
            )
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
    "type and near 500 m": (
        "&georel=near;maxDistance%3D%3D500&geometry=Point&coordinates=%5B116.5,39.5%5D"
    ),
    "type and count": "&count=true",
}
_EVOLUTIONS = {
    "whole evolution": "",
    "temporalValues": "&options=temporalValues",
    "lastN=100": "&lastN=100",
    "aggregates per PT1M": "&aggrMethods=avg,max&aggrPeriodDuration=PT1M",
}


async def _fill(target: Target, first: int, total: int) -> None:
    calls = (
        Call("POST", _UPSERT, [entity(n) for n in range(start, min(start + _SIZE, total))])
        for start in range(first, total, _SIZE)
    )
    await run(target, "query", "fill", calls, in_flight=2)


def _updates(number_of: int, updates: int) -> Iterator[Call]:
    entity_of = {"id": entity_id(number_of), "type": "Sensor", "pm25": number(0, 0)}
    yield Call("POST", _UPSERT, [entity_of])
    for start in range(1, updates, COUNT):
        for n in range(start, min(start + COUNT, updates)):
            body = {**entity_of, "pm25": {"type": "Property", "value": n, "observedAt": at(n)}}
            yield Call("POST", _UPSERT, [body])
