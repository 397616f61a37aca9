"""A program that writes to a city and notes each answer: `python -m tests.fault.steady_writer DATA ACKS COUNT`.

It is run under a tracer, which sees its writes, its syncs and its notes in one order.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

from chengmai.app import City
from chengmai.kernel.actors import Actor
from chengmai.ngsild.expand import expand_attribute, expand_entity
from chengmai.settings import Settings
from tests.fault.ledger import a_body
from tests.fault.replayed import PACK

WRITERS = 8
UPDATES = 12
_ACTOR = Actor("sys:tests", "city", frozenset({"manager"}), "tests")


async def _writer(
    city: City, name: str, acks: int, tickets: itertools.count[int], most: int
) -> None:
    core = city.contexts.core
    for number in itertools.count():
        entity_id = f"urn:ngsi-ld:Counter:{name}-{number}"
        for n in range(UPDATES + 1):
            if next(tickets) >= most:
                return
            if n == 0:
                made = {"id": entity_id, "type": "Counter", "n": a_body(0)}
                await city.broker.create(_ACTOR, expand_entity(made, core))
            else:
                found = expand_attribute("n", a_body(n), core)
                await city.broker.update_attribute(_ACTOR, entity_id, core.expand("n"), found[0])
            os.write(acks, f"{entity_id} {n}\n".encode())


async def _seal(city: City) -> None:
    while True:
        await city.store.history.seal(at_most=40)
        await asyncio.sleep(0.05)


async def run(data: Path, acks: int, most: int, *, careless: bool) -> None:
    """Write `most` times to the city in `data`, sealing meanwhile; `careless` is the control."""
    city = City(Settings(data=data, packs=(PACK,), feeds=False))
    try:
        await city.store.history.recover()
        if careless:
            city.store.work._db.pragma("synchronous", "off")
        sealing = asyncio.create_task(_seal(city))
        tickets = itertools.count()
        await asyncio.gather(*(_writer(city, str(w), acks, tickets, most) for w in range(WRITERS)))
        sealing.cancel()
        await asyncio.gather(sealing, return_exceptions=True)
    finally:
        await city.stop()


if __name__ == "__main__":
    folder, notes, count, *rest = sys.argv[1:]
    handle = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    asyncio.run(run(Path(folder), handle, int(count), careless="careless" in rest))
