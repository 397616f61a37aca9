"""Which definition reads what, and what it gives on a snapshot. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chengmai.assess.live.amounts import counted, of_entities, of_parts, of_sign
from chengmai.assess.live.cases import CaseFact, of_cases
from chengmai.assess.live.model import (
    Amount,
    Definition,
    Measured,
    OfCases,
    OfChain,
    OfEntities,
    OfParts,
    OfRegistry,
    OfSign,
)
from chengmai.assess.live.registry import MEASURES
from chengmai.assess.records import KINDS
from chengmai.assess.registry import Registry
from chengmai.kernel.instants import to_us
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import Entity

_HOUR_US = 3_600_000_000
SIGN = "VitalSign"
CASE = "CityCase"
NOT_HELD = Text(
    zh="平台没有这项数据：请带证据录入（指标值）。",
    en="The platform holds no such data: enter it with its evidence (values of indicators).",
)
NO_PACK = Text(
    zh="没有装载提供这项数据的领域包。",
    en="No domain pack is loaded that brings these data.",
)
NOTHING = Text(zh="还没有读数或记录。", en="There is no reading or record yet.")


@dataclass(frozen=True)
class Snapshot:
    """What was read of a tenant in one transaction."""

    now: datetime
    entities: Mapping[tuple[str, str | None], Sequence[Entity]]
    cases: Sequence[CaseFact]
    readings: Any


@dataclass(frozen=True)
class Records:
    """What is known of a tenant beside the snapshot: lines of the audit chain, those broken, the registry."""

    lines: int
    broken: int
    registry: Registry | None


def amounts_of(definition: Definition) -> list[tuple[str, Amount]]:
    """Return the amounts over entities that a definition has, with the type of each."""
    found: list[tuple[str, Amount]] = []
    if isinstance(definition, OfEntities):
        found = [(definition.type, a) for a in (definition.numerator, definition.denominator)]
    elif isinstance(definition, OfParts):
        found = [("", a) for part in definition.parts for a in (part.numerator, part.denominator)]
    elif isinstance(definition, OfCases) and definition.people is not None:
        found = [("", definition.people)]
    return [(amount.type or entity_type, amount) for entity_type, amount in found]


def types_of(definition: Definition) -> set[str]:
    """Return the types (short names) whose entities decide on an indicator, but for recorded readings."""
    types = {entity_type for entity_type, _ in amounts_of(definition)}
    if isinstance(definition, OfSign):
        types.add(SIGN)
    elif isinstance(definition, OfCases):
        types.add(CASE)
    elif isinstance(definition, OfRegistry):
        types |= {kind.entity_type for kind in KINDS.values()}
    return types


def wanted_of(table: Iterable[Definition]) -> list[tuple[str, str | None]]:
    """Return which entities, by type and `q`, definitions look at."""
    wanted: dict[tuple[str, str | None], None] = {}
    for one in table:
        if isinstance(one, OfSign):
            wanted[SIGN, None] = None
        for entity_type, amount in amounts_of(one):
            wanted[entity_type, amount.q] = None
            if amount.but is not None:
                wanted[entity_type, amount.but] = None
    return list(wanted)


def of_state(definition: Definition, snapshot: Snapshot, records: Records) -> Measured | None:
    """Return what a definition that reads no recorded readings gives; None where there is nothing."""

    def find(entity_type: str, q: str | None) -> Sequence[Entity]:
        return snapshot.entities[entity_type, q]

    now_us = to_us(snapshot.now)
    if isinstance(definition, OfChain):
        held = float(records.lines - records.broken)
        return Measured(held, float(records.lines), links=["/audit"])
    if isinstance(definition, OfRegistry):
        return MEASURES[definition.measure](records.registry) if records.registry else None
    if isinstance(definition, OfSign):
        return of_sign(definition, find(SIGN, None))
    if isinstance(definition, OfEntities):
        return of_entities(definition, find, now_us)
    if isinstance(definition, OfParts):
        return of_parts(definition, find, now_us)
    if isinstance(definition, OfCases):
        people = counted(definition.people, "", find, 0).amount if definition.people else None
        return of_cases(definition, snapshot.cases, people)
    return None


def reliability(outages: Measured | None, now: datetime) -> Measured | None:
    """Return the hours with supply of a mean customer, of all hours since the records begin."""
    if outages is None or not outages.denominator or outages.since_us is None:
        return None
    hours = (to_us(now) - outages.since_us) / _HOUR_US
    if hours <= 0:
        return None
    return Measured(
        hours - outages.numerator / outages.denominator,
        hours,
        entities=outages.entities,
        known=outages.known,
        fresh=outages.fresh,
        since_us=outages.since_us,
        links=outages.links,
    )
