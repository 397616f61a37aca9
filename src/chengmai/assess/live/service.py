"""Use cases on indicators: work them out from what the platform holds, and write them down once a day."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from chengmai.assess.catalogue import catalogue
from chengmai.assess.live.earlier import Numbers, asked, days_before, earlier, end_us, rows
from chengmai.assess.live.grading import made, missing, start_of
from chengmai.assess.live.model import (
    Definition,
    Live,
    Measured,
    OfCases,
    OfChain,
    OfOutages,
    OfReadings,
    OfRegistry,
)
from chengmai.assess.live.ports import Asked, Cases, Chain, Past, Readings, Registries
from chengmai.assess.live.recording import TYPE, VALUE_IRI, day_of, entity_of, indicator_id
from chengmai.assess.live.table import definitions, reasons
from chengmai.assess.live.working import (
    NO_PACK,
    NOT_HELD,
    NOTHING,
    SIGN,
    Records,
    Snapshot,
    of_state,
    reliability,
    types_of,
    wanted_of,
)
from chengmai.assess.problems import IndicatorUnknown
from chengmai.kernel.actors import Actor, system
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import from_us, to_us
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import Entity, name_iri
from chengmai.ngsild.model import Model
from chengmai.trust.policy import allow

_MANY = 100_000
_QUICK_S, _REST = 5.0, 20.0
_DAY_US = 86_400_000_000
_SHORT_S, _LONG_S = 60, 3600
"""How long something that depends on the present instant stays good: a state, and a period of days."""
Mark: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Ports:
    """Everything that indicators are worked out with."""

    work: Work[Tx]
    model: Model
    readings: Readings
    cases: Cases
    chain: Chain
    registries: Registries
    past: Past
    clock: Clock
    zone: ZoneInfo


@dataclass
class _Tenant:
    """What is kept of a tenant: changes by type, and what was found, when, of which changes."""

    changes: Counter[str] = field(default_factory=Counter)
    found: dict[str, tuple[Mark, datetime, Measured | None]] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    rests_until: float = 0.0
    """Until when, on the monotonic clock, recorded readings are not gone through again."""


def _reads_the_past(one: Definition) -> bool:
    return isinstance(one, OfReadings | OfOutages)


class LiveIndicators:
    """Indicators of all tenants. One is worked out again when an entity of its types has changed.

    Where going through recorded readings takes longer than five seconds, it is not done again before twenty
    times as long has passed: a year of a large city is not read anew with every reading that comes.
    """

    def __init__(
        self,
        ports: Ports,
        table: Mapping[str, Definition] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ports, self._monotonic = ports, monotonic
        self._table = dict(definitions() if table is None else table)
        self._held: dict[str, Definition] = {}
        self._types: dict[str, tuple[str, ...]] = {}
        for key, one in self._table.items():
            types: frozenset[str] | None = frozenset(name_iri(name) for name in types_of(one))
            if isinstance(one, OfReadings):
                types = ports.readings.types(one)
            if types is not None:
                self._held[key], self._types[key] = one, tuple(sorted(types))
        self._tenants: dict[str, _Tenant] = {}

    def noticed(self, tenant: str, types: Sequence[str]) -> None:
        """Note that an entity of some types (IRIs) of a tenant has changed."""
        if (kept := self._tenants.get(tenant)) is not None:
            kept.changes.update(types)

    async def all(self, actor: Actor) -> tuple[Live, ...]:
        """Return every indicator of the catalogue; raises `ActionNotAllowed`."""
        allow(actor, "assess.read")
        allow(actor, "vitals.read")
        return await self._of(actor.tenant)

    async def one(self, actor: Actor, indicator: str) -> Live:
        """Return one indicator; raises `IndicatorUnknown` or `ActionNotAllowed`."""
        for found in await self.all(actor):
            if found.indicator.id == indicator:
                return found
        raise IndicatorUnknown(indicator, [one.id for one in catalogue()])

    @property
    def zone(self) -> ZoneInfo:
        """The zone by which days are those of the city."""
        return self._ports.zone

    async def present(self, tenant: str) -> tuple[Live, ...]:
        """Return what `all` does, for a room that has asked who may know."""
        return await self._of(tenant)

    async def until(self, tenant: str, end: datetime) -> dict[str, Sequence[tuple[int, float]]]:
        """Return (instant in µs, value) of what was written down before an instant, by indicator and time."""
        names = {indicator_id(one.id): one.id for one in catalogue()}
        found = await self._ports.work.read(
            lambda tx: self._ports.past.numbers_of(
                tx, tenant, list(names), VALUE_IRI, 0, to_us(end)
            )
        )
        return {names[entity]: points for entity, points in found.items() if points}

    async def past(self, actor: Actor, indicator: str) -> list[tuple[datetime, float]]:
        """Return what was written down of an indicator, a value a day, the oldest first."""
        allow(actor, "assess.read")
        now_us = to_us(self._ports.clock.now()) + 1
        found = await self._ports.work.read(
            lambda tx: self._ports.past.numbers(
                tx, actor.tenant, indicator_id(indicator), VALUE_IRI, 0, now_us
            )
        )
        return [(from_us(at), value) for at, value in found]

    async def record(self, tenant: str) -> int:
        """Write down what was not yet today; return how many indicators that were.

        Only those are worked out: what is on record for the day costs nothing more. The days before the
        first one are brought in from what was recorded, so that an indicator does not begin without a past.
        """
        today = self._ports.clock.now().astimezone(self._ports.zone).date()

        def waiting(tx: Tx) -> set[str]:
            return self._held.keys() - of_day(tx)[0]

        def of_day(tx: Tx) -> tuple[set[str], set[str]]:
            kept = self._ports.model.find(tx, tenant, TYPE, limit=_MANY)
            done = {one["id"] for one in kept if day_of(one, self._ports.zone) == today}
            known = {one["id"] for one in kept}
            return (
                {key for key in self._held if indicator_id(key) in done},
                {key for key in self._held if indicator_id(key) in known},
            )

        done, known = await self._ports.work.read(of_day)
        wanted = self._held.keys() - done
        if not wanted:
            return 0
        found = [one for one in await self._of(tenant, wanted) if one.is_computed]
        await self._bring_past(tenant, {one.indicator.id for one in found} - known, today)

        def write(tx: Tx) -> int:
            still = waiting(tx)
            due = [entity_of(one) for one in found if one.indicator.id in still]
            for new in due:
                self._ports.model.put(tx, new, by=system("assess", tenant), note="indicator")
            return len(due)

        return await self._ports.work.write(write)

    async def _bring_past(self, tenant: str, new: Set[str], today: date) -> None:
        ports, zone = self._ports, self._ports.zone
        definitions = {key: self._held[key] for key in sorted(new)}
        if not definitions:
            return
        start_us = end_us(days_before(today)[0], zone)

        def read(tx: Tx) -> tuple[Any, list[Entity], Numbers]:
            signs = ports.model.find(tx, tenant, SIGN, limit=_MANY)
            ids = [one["id"] for one in signs]
            until = end_us(today - timedelta(days=1), zone) + 1_000_000
            past = ports.past.numbers_of(tx, tenant, ids, VALUE_IRI, start_us - _DAY_US, until)
            return ports.readings.read(tx, tenant, asked(definitions, today, zone)), signs, past

        readings, signs, past = await ports.work.read(read)
        measured = await asyncio.to_thread(ports.readings.measure, readings)
        units = {one.id: one.unit for one in catalogue()}
        for key, values in earlier(definitions, measured, signs, past, today, zone).items():
            told = rows(indicator_id(key), VALUE_IRI, units[key], values, zone)
            await ports.past.import_values(tenant, f"indicators/{key}", told)

    async def _of(self, tenant: str, wanted: Set[str] | None = None) -> tuple[Live, ...]:
        """Return the indicators that are wanted; without `wanted` all of the catalogue."""
        kept = self._tenants.setdefault(tenant, _Tenant())
        async with kept.lock:
            await self._work_out(tenant, kept, self._held.keys() if wanted is None else wanted)
        now, zone = self._ports.clock.now(), self._ports.zone
        lines = []
        for indicator in catalogue():
            if wanted is not None and indicator.id not in wanted:
                continue
            definition = self._table.get(indicator.id)
            if definition is None or indicator.id not in self._held:
                because = NO_PACK if definition else reasons().get(indicator.id, NOT_HELD)
                lines.append(missing(indicator, because, now))
                continue
            _, at, found = kept.found[indicator.id]
            lines.append(
                missing(indicator, NOTHING, at, definition)
                if found is None
                else made(indicator, definition, found, at, zone)
            )
        return tuple(lines)

    async def _work_out(self, tenant: str, kept: _Tenant, wanted: Set[str]) -> None:
        """Work out again what has changed since it was, and what it is worked out from."""
        held = [self._held.get(key) for key in wanted]
        needed = {*wanted, *(one.of for one in held if isinstance(one, OfOutages))}
        marks = {key: self._mark(key, kept) for key in self._held if key in needed}
        resting = self._monotonic() < kept.rests_until
        due = {
            key: self._held[key]
            for key, mark in marks.items()
            if key not in kept.found
            or (kept.found[key][0] != mark and not (resting and _reads_the_past(self._held[key])))
        }
        if not due:
            return
        began = self._monotonic()
        snapshot = await self._ports.work.read(lambda tx: self._read(tx, tenant, due))
        records = await self._records(tenant, due)
        found = await asyncio.to_thread(self._ports.readings.measure, snapshot.readings)
        ended = self._monotonic()
        if ended - began > _QUICK_S and any(map(_reads_the_past, due.values())):
            kept.rests_until = ended + _REST * (ended - began)
        for key, one in due.items():
            if not isinstance(one, OfOutages):
                measured = (
                    found.get(key)
                    if isinstance(one, OfReadings)
                    else of_state(one, snapshot, records)
                )
                kept.found[key] = (marks[key], snapshot.now, measured)
        for key, one in due.items():
            if isinstance(one, OfOutages):
                at, outages = (
                    kept.found[one.of][1:] if one.of in kept.found else (snapshot.now, None)
                )
                kept.found[key] = (marks[key], at, reliability(outages, at))

    def _mark(self, key: str, kept: _Tenant) -> Mark:
        one = self._held[key]
        if isinstance(one, OfOutages) and one.of in self._held:
            return self._mark(one.of, kept)
        every = _LONG_S if isinstance(one, OfReadings) else _SHORT_S
        instant = self._ports.clock.now().timestamp()
        if isinstance(one, OfChain):
            return (int(instant * 1000),)
        return (int(instant // every), *(kept.changes[name] for name in self._types[key]))

    async def _records(self, tenant: str, due: Mapping[str, Definition]) -> Records:
        ports, registry, chain = self._ports, None, (0, 0)
        if any(isinstance(one, OfChain) for one in due.values()):
            chain = await ports.chain.check(tenant)
        if any(isinstance(one, OfRegistry) for one in due.values()):
            registry = await ports.registries.registry(system("assess", tenant))
        return Records(*chain, registry)

    def _read(self, tx: Tx, tenant: str, due: Mapping[str, Definition]) -> Snapshot:
        ports, now, zone = self._ports, tx.now, self._ports.zone
        end_us = to_us(now) + 1
        readings = [
            Asked(
                key,
                one,
                to_us(start_of(one.since, now, zone)),
                end_us,
                end_us - round(one.fresh.total_seconds() * 1_000_000),
            )
            for key, one in due.items()
            if isinstance(one, OfReadings)
        ]
        has_cases = any(isinstance(one, OfCases) for one in due.values())
        since = start_of("P30D", now, zone)
        return Snapshot(
            now,
            {
                (entity_type, q): ports.model.find(tx, tenant, entity_type, q=q, limit=_MANY)
                for entity_type, q in wanted_of(due.values())
            },
            ports.cases.facts(tx, tenant, since, now) if has_cases else [],
            ports.readings.read(tx, tenant, readings),
        )
