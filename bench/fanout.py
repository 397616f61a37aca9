"""10,000 subscriptions in eight classes of filters, changes at a rate: is all told, once, in order, and when?

What is due is reckoned here from what was changed, by the arithmetic that the filters were made with, and knows
nothing of how the city matches. What was delivered is what came at a receiver in a process of its own.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.fill import fill
from bench.load import Call, Target, run
from bench.measure import Row, Timed, cpu_s, rss_mb
from bench.openloop import OpenLoop
from bench.receiver import Letter, Receiver, a_receiver
from bench.servers import a_city
from bench.shapes import ENTITIES, at, entity, entity_id
from bench.sizes import size

EACH = 1250
"""Subscriptions of a class."""
_SUBSCRIPTIONS = "/ngsi-ld/v1/subscriptions"
_SMALL, _LARGE = 20_000, 1_000_000
_RATES = (200, 500, 1000)
_SLOTS = 2000
"""Entities that are changed, over and over."""
_KINDS, _DISTRICTS = 2500, 2500
_LIMIT = 1000
Due = tuple[str, str, int]
"""subscription, entity, number of the change"""


async def fanout() -> list[Row]:
    """Return the delays at 200, 500 and 1000 changes a second, over 20,000 entities."""
    return await _fanout("fanout", _SMALL)


async def fanout_large() -> list[Row]:
    """Return the same over a million entities, or as many as BENCH_ENTITIES says."""
    return await _fanout("fanout-large", size("BENCH_ENTITIES", _LARGE))


async def _fanout(bench: str, total: int) -> list[Row]:
    async def prepare(data: Path) -> None:
        await fill(data, total, shape)

    rows: list[Row] = []
    async with a_receiver() as receiver, a_city(prepare, private_egress="true") as (target, _):
        made = (Call("POST", _SUBSCRIPTIONS, one) for one in _subscriptions(receiver.port))
        rows.append(await run(target, bench, "create a subscription", made))
        source = _Changes(total)
        for rate in _RATES:
            rows.append(await _at_rate(bench, target, receiver, source, rate))
        rows[-1] = replace(rows[-1], note=f"{rows[-1].note}; {rss_mb(target.process.pid):,.0f} MiB")
    return rows


def shape(n: int) -> dict[str, Any]:
    """Return the n-th entity: that of all measurements, with a kind and a scope."""
    made = entity(n)
    return made | {
        "type": ["Sensor", f"Kind{n % _KINDS}"],
        "scope": f"/city/d{n % _DISTRICTS}",
        "pm25": made["pm25"] | {"value": 0},
    }


def _filters(j: int) -> dict[str, dict[str, Any]]:
    """Return what the j-th subscription of each class asks for."""
    near = {
        "georel": "near;maxDistance==30",
        "geometry": "Point",
        "coordinates": shape(11 * j)["location"]["value"]["coordinates"],
    }
    return {
        "id": {"entities": [{"type": "Sensor", "id": entity_id(j)}]},
        "type": {"entities": [{"type": f"Kind{j}"}]},
        "pattern": {"entities": [{"type": "Sensor", "idPattern": f"^urn:ngsi-ld:Sensor:{j:04}.*"}]},
        "watched": {"watchedAttributes": [f"extra{j}"]},
        "equal": {"q": f'name=="Sensor {7 * j}"'},
        "above": {"q": f"pm25>{_LIMIT + j}"},
        "near": {"geoQ": near},
        "scope": {"scopeQ": f"/city/d{j}"},
    }


def _due(n: int, value: int, extra: int | None) -> Iterator[tuple[str, int]]:
    """Yield (class, subscription) of what is due when pm25 of the n-th entity becomes `value`."""
    if n < EACH:
        yield "id", n
    if n % _KINDS < EACH:
        yield "type", n % _KINDS
    if n // 100 < EACH:
        yield "pattern", n // 100
    if extra is not None:
        yield "watched", extra
    if n % 7 == 0 and n // 7 < EACH:
        yield "equal", n // 7
    for j in range(min(EACH, max(0, value - _LIMIT))):
        yield "above", j
    if n % 11 == 0 and n // 11 < EACH:
        yield "near", n // 11
    if n % _DISTRICTS < EACH:
        yield "scope", n % _DISTRICTS


def _subscriptions(port: int) -> Iterator[dict[str, Any]]:
    for j in range(EACH):
        for name, asked in _filters(j).items():
            yield {
                "id": f"urn:ngsi-ld:Subscription:{name}-{j}",
                "type": "Subscription",
                "entities": [{"type": "Sensor"}],
                "notification": {"endpoint": {"uri": f"http://127.0.0.1:{port}/{name}"}},
            } | asked


@dataclass
class _Changes:
    """Makes changes, one of an entity at a time, and keeps what is due because of them."""

    total: int
    number: int = 0
    due: Counter[Due] = field(default_factory=Counter)
    sent_at: dict[int, float] = field(default_factory=dict)
    failed: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(2026)
        near = self._chance.sample(range(min(self.total, 11 * EACH)), _SLOTS // 2)
        others = set(self._chance.sample(range(self.total), 2 * _SLOTS)) - set(near)
        self._places = [*near, *sorted(others)][:_SLOTS]
        self._locks = [asyncio.Lock() for _ in self._places]

    def begin(self) -> None:
        """Forget what was due."""
        self.due.clear()
        self.sent_at.clear()
        self.failed = 0

    async def one(self, loop: OpenLoop, target: Target, timed: Timed) -> None:
        """Change an entity, and keep what is due when it is answered well."""
        self.number += 1
        number = self.number
        slot = number % _SLOTS
        place = self._places[slot]
        high = self._chance.random() < 0.1
        value = _LIMIT + self._chance.randrange(10) if high else self._chance.randrange(100)
        extra = self._chance.randrange(EACH) if number % 4 == 0 else None
        async with self._locks[slot]:
            self.sent_at[number], since = time.time(), time.perf_counter()
            status = await loop.ask(target.encode(_call(place, value, extra, number)))
        timed.seconds.append(time.perf_counter() - since)
        if status != 204:
            self.failed += 1
            return
        for name, j in _due(place, value, extra):
            self.due[f"urn:ngsi-ld:Subscription:{name}-{j}", entity_id(place), number] += 1


def _call(place: int, value: int, extra: int | None, number: int) -> Call:
    told = {"type": "Property", "value": value, "observedAt": at(number)}
    path = f"{ENTITIES}/{entity_id(place)}/attrs"
    if extra is None:
        return Call("PATCH", f"{path}/pm25", told)
    return Call("POST", path, {"pm25": told, f"extra{extra}": told})


async def _at_rate(
    bench: str, target: Target, receiver: Receiver, source: _Changes, rate: int
) -> Row:
    source.begin()
    timed, loop = Timed(), OpenLoop(target.port)
    before, start = cpu_s(target.process.pid), time.perf_counter()
    tasks = []
    for n in range(rate * size("BENCH_SECONDS", 10)):
        if (early := start + n / rate - time.perf_counter()) > 0.001:
            await asyncio.sleep(early)
        tasks.append(asyncio.create_task(source.one(loop, target, timed)))
    await asyncio.gather(*tasks)
    wall = time.perf_counter() - start
    await receiver.settled(source.due.total(), patience_s=20)
    used = cpu_s(target.process.pid) - before
    await loop.close()
    return _judged(timed.row(bench, f"{rate} changes/s", used, wall), source, await receiver.take())


def _judged(row: Row, source: _Changes, letters: list[Letter]) -> Row:
    """Return the row with the delays of delivery for its times, and what was lost, doubled or out of order."""
    came: Counter[Due] = Counter()
    delays, last = Timed(), dict[tuple[str, str], int]()
    unordered = 0
    for letter in letters:
        about, told = str(letter.body["subscriptionId"]), letter.body["data"][0]  # type: ignore[index]
        number = _number(told["pm25"]["observedAt"])
        came[about, told["id"], number] += 1
        delays.seconds.append(letter.at - source.sent_at.get(number, letter.at))
        unordered += number < last.get((about, told["id"]), 0)
        last[about, told["id"]] = number
    lost = (source.due - came).total()
    wrong = sum(1 for one in came if one not in source.due)
    doubled = came.total() - len(came)
    note = (
        f"answered p99 {row.p99_ms:.0f} ms; {source.due.total():,} due, {lost} lost, {wrong} not due,"
        f" {doubled} twice, {unordered} out of order"
    )
    if source.failed:
        note += f"; {source.failed} changes refused"
    return replace(
        row,
        p50_ms=delays.percentile_ms(0.5),
        p95_ms=delays.percentile_ms(0.95),
        p99_ms=delays.percentile_ms(0.99),
        note=note,
    )


def _number(observed_at: str) -> int:
    since = datetime.fromisoformat(observed_at) - datetime.fromisoformat(at(0))
    return round(since.total_seconds())
