"""A pass over vital signs with 10,000 entities behind them: the 55 of `bench.signs`, then all that are shipped.

Every entity type that one of the signs reads has equally many entities in twelve areas, with a reading an
hour of each number for the last 27 hours: those before the last in the sealed history, the last written like
a feed's. The passes take turns: after a new hour with a reading of every entity, after new readings of one
entity in a hundred within the same hour, and with nothing new. CPU is that of the process, all its threads.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench.measure import Row, against
from bench.servers import http_reference
from bench.shapes import entity as a_body
from bench.signs import listed
from bench.sizes import size
from chengmai.app import City
from chengmai.history.model import PastRow
from chengmai.kernel.actors import Actor, system
from chengmai.kernel.clock import FixedClock
from chengmai.kernel.instants import to_us
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, entity, geo, name_iri, prop
from chengmai.packs.model import EntitySpec, TableSpec
from chengmai.packs.reader import shipped_packs
from chengmai.settings import Settings
from chengmai.vitals.signs import PreparedPacks, signs_of

_BEGIN = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_AREAS, _PAST, _ROUNDS, _A_BATCH, _SEED = 12, 26, 3, 500, 7
_OTHER = {"roadClass": ("expressway", "arterial", "local"), "waterBody": ("river", "lake")}


@dataclass(frozen=True)
class Thing:
    """An entity that is read: its type, its area, and what never changes of it."""

    id: str
    spec: EntitySpec
    area: str
    fixed: dict[str, float | str]


class Filled:
    """A city of the packs shipped with so many entities, and the readings that come to it."""

    def __init__(self, city: City, clock: FixedClock, total: int) -> None:
        self.city, self.clock = city, clock
        self._random = Random(_SEED)
        read = {source.entity_type for sign in signs_of(city.packs) for source in sign.sources}
        specs = [s for pack in city.packs for s in pack.entities if name_iri(s.type) in read]
        tables = [table for pack in city.packs for table in pack.tables]
        self.things = [self._thing(specs[n % len(specs)], n, tables) for n in range(total)]

    def _thing(self, spec: EntitySpec, n: int, tables: Sequence[TableSpec]) -> Thing:
        fixed: dict[str, float | str] = {}
        for name, one in spec.attributes.items():
            if one.static and one.value == "number":
                fixed[name] = self._number(one.min, one.max)
            elif one.static and one.value == "text":
                fixed[name] = self._random.choice(_OTHER.get(name, ("1", "2", "general")))
        place = n // 37 % _AREAS
        return Thing(f"urn:ngsi-ld:{spec.type}:{n:05}", spec, f"{place:02} 区 Area", fixed)

    def _number(self, low: float | None, high: float | None) -> float:
        low = 0.0 if low is None else low
        high = low + 100.0 if high is None else high
        return round(low + (high - low) * self._random.uniform(0.2, 0.3), 3)

    def values(self, thing: Thing) -> Iterator[tuple[str, float, str]]:
        """Yield name, a number and unit of each attribute that is read of a thing."""
        for name, one in thing.spec.attributes.items():
            if one.kind == "Property" and one.value == "number" and not one.static:
                yield name, self._number(one.min, one.max), one.unit or ""

    async def bring_past(self) -> None:
        """Put the hours before now into the sealed history."""
        now = to_us(self.clock.now())
        for hour in range(_PAST, 0, -1):
            at_us = now - hour * 3_600_000_000
            rows = [
                PastRow(thing.id, name_iri(name), at_us, value, unit)
                for thing in self.things
                for name, value, unit in self.values(thing)
            ]
            await self.city.store.history.import_block("city", f"bench/{hour}", rows)

    async def read(self, things: Sequence[Thing]) -> None:
        """Take a reading of each of some things, as a feed does."""
        by = system("feeds", "city")
        for start in range(0, len(things), _A_BATCH):
            some = [self._reading(thing) for thing in things[start : start + _A_BATCH]]
            await self.city.store.work.write(_put(self.city, some, by))

    def _reading(self, thing: Thing) -> Entity:
        now = self.clock.now()
        moving = {name: prop(v, unit=unit, at=now) for name, v, unit in self.values(thing)}
        fixed = {name: prop(value) for name, value in thing.fixed.items()}
        return entity(
            thing.id,
            thing.spec.type,
            **{thing.spec.area_from: prop(thing.area)},
            location=geo({"type": "Point", "coordinates": [116.4, 39.9]}),
            **moving,
            **fixed,
        )

    async def seal(self) -> None:
        """Seal what is recent, as a city does every twenty seconds."""
        while await self.city.store.history.seal():
            pass


def _put(city: City, made: Sequence[Entity], by: Actor) -> Callable[[Tx], None]:
    def put(tx: Tx) -> None:
        for one in made:
            city.model.put(tx, one, by=by)

    return put


@dataclass
class _Passes:
    """What the passes of a shape took."""

    shape: str
    cpu_s: list[float]
    wall_s: list[float]
    note: str = ""

    def row(self, total: int) -> Row:
        cpu, wall = statistics.median(self.cpu_s), statistics.median(self.wall_s)
        return Row(
            "vitals",
            self.shape,
            total,
            cpu_us=cpu / total * 1e6,
            per_second=total / wall,
            p50_ms=wall * 1000,
            p95_ms=max(self.wall_s) * 1000,
            p99_ms=max(self.wall_s) * 1000,
            note=f"{self.note}, {cpu:.2f} s CPU a pass",
        )


async def vitals() -> list[Row]:
    """Return passes over 55 signs, then over all: a new hour, a hundredth with news, nothing new."""
    total = size("BENCH_VITALS_ENTITIES", 10_000)
    bare = await http_reference("vitals", a_body(0), 2500)
    every = PreparedPacks.read([shipped_packs()])
    rows = [bare]
    for prepared in (listed(every), every):
        rows += await _measured(prepared, total)
    return against(bare, rows)


async def _measured(prepared: PreparedPacks, total: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        clock = FixedClock(_BEGIN)
        settings = Settings(data=Path(folder) / "data", feeds=False)
        city = City(settings, real_clock=clock, prepared=prepared)
        try:
            await city.store.history.recover()
            filled = Filled(city, clock, total)
            await filled.bring_past()
            await filled.read(filled.things)
            await filled.seal()
            return await _passes(filled, total, len(prepared.signs))
        finally:
            await city.stop()


async def _passes(filled: Filled, total: int, signs: int) -> list[Row]:
    first = _Passes(f"{signs} signs: first pass", [], [])
    hour = _Passes(f"{signs} signs: a new hour, every entity read", [], [])
    some = _Passes(f"{signs} signs: one entity in a hundred read again", [], [])
    quiet = _Passes(f"{signs} signs: nothing new", [], [])
    await _timed(filled, first)
    for turn in range(_ROUNDS):
        filled.clock.advance(_HOUR)
        await filled.read(filled.things)
        await filled.seal()
        await _timed(filled, hour)
        filled.clock.advance(timedelta(seconds=10))
        await filled.read(filled.things[turn::100])
        await _timed(filled, some)
        filled.clock.advance(timedelta(seconds=10))
        await _timed(filled, quiet)
    return [one.row(total) for one in (first, hour, some, quiet)]


async def _timed(filled: Filled, into: _Passes) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    report = await filled.city.vitals.tick("city")
    into.wall_s.append(time.perf_counter() - wall)
    into.cpu_s.append(time.process_time() - cpu)
    into.note = f"{len(report.changed)} written"
    if report.failures:
        raise RuntimeError(f"{report.failures[0].sign}: {report.failures[0].detail}")
