"""One entity out of the parts that several holders have of it (GS CIM 009 V1.9.1, clauses 4.3.6.2 and 4.5.5).

Pure. Of two instances of one attribute with the same `datasetId` the one observed last counts; where that does
not decide, the one modified last. What an auxiliary source says counts only where nobody else says anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from chengmai.kernel.instants import parse_us
from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.evolution import Series
from chengmai.ngsild.temporal import TimeProperty

_Rank: TypeAlias = tuple[bool, int, int, bytes]
_NEVER = -(2**63)


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one holder has of an entity; `auxiliary` when it is a source of that mode."""

    entity: Entity
    auxiliary: bool = False


def merged(fragments: Sequence[Fragment]) -> Entity:
    """Return the entity that its fragments (at least one, all with the same id) make up.

    Types and scopes are those of all holders but auxiliary ones; `createdAt` is the oldest, `modifiedAt`
    the newest.
    The order of the fragments does not matter, except for the order of names and of instances.
    """
    holders = [one.entity for one in fragments if not one.auxiliary]
    helpers = [one.entity for one in fragments if one.auxiliary]
    made = _united(holders or helpers)
    for name, instances in _attributes(holders or helpers).items():
        made[name] = instances
    if holders and helpers:
        for name, instances in _attributes(helpers).items():
            held = {one.get("datasetId") for one in made.get(name, ())}
            more = [one for one in instances if one.get("datasetId") not in held]
            if more:
                made[name] = [*made.get(name, ()), *more]
    return made


def merged_series(parts: Sequence[Series], by: TimeProperty) -> Series:
    """Return the evolution that its parts make up, each series in order of time.

    What two holders have of the same `datasetId` at the same instant of the time property is one instance: that
    of the holder who modified it last. Instances without the time property are left out.
    """
    made: Series = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        made[name] = _one_series([part[name] for part in parts if name in part], by)
    return {name: found for name, found in made.items() if found}


def without_attributes(entity: Entity, names: frozenset[str] | None) -> Entity | None:
    """Return the entity without the attributes `names` (None: all); None when none is left of it."""
    kept = {
        key: value
        for key, value in entity.items()
        if ":" not in key or (names is not None and key not in names)
    }
    return kept if any(":" in key for key in kept) else None


def _united(entities: Sequence[Entity]) -> Entity:
    made: Entity = {"id": entities[0]["id"]}
    made["type"] = _union(one["type"] for one in entities)
    if scopes := _union(one.get("scope", ()) for one in entities):
        made["scope"] = scopes
    ends = [one["expiresAt"] for one in entities if "expiresAt" in one]
    if len(ends) == len(entities):
        # The entity is there as long as one holder has it.
        made["expiresAt"] = max(ends, key=parse_us)
    for member, choose in (("createdAt", min), ("modifiedAt", max)):
        if times := [one[member] for one in entities if member in one]:
            made[member] = choose(times, key=parse_us)
    return made


def _union(lists: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in lists for name in names))


def _attributes(entities: Sequence[Entity]) -> dict[str, list[Instance]]:
    made: dict[str, dict[str | None, Instance]] = {}
    for entity in entities:
        for name, instances in entity.items():
            if ":" not in name:
                continue
            best = made.setdefault(name, {})
            for one in instances:
                held = best.get(one.get("datasetId"))
                if held is None or (one is not held and _rank(one) > _rank(held)):
                    best[one.get("datasetId")] = one
    return {name: list(best.values()) for name, best in made.items()}


def _rank(instance: Instance) -> _Rank:
    observed, modified = instance.get("observedAt"), instance.get("modifiedAt")
    return (
        observed is not None,
        _NEVER if observed is None else parse_us(observed),
        _NEVER if modified is None else parse_us(modified),
        # What nothing distinguishes is chosen by what it says, so that the order does not matter.
        orjson.dumps(instance, option=orjson.OPT_SORT_KEYS),
    )


def _one_series(parts: Sequence[list[Instance]], by: TimeProperty) -> list[Instance]:
    chosen: dict[tuple[Any, int], list[Instance]] = {}
    for part in parts:
        mine: dict[tuple[Any, int], list[Instance]] = {}
        for one in part:
            if by in one:
                mine.setdefault((one.get("datasetId"), parse_us(one[by])), []).append(one)
        for key, instances in mine.items():
            held = chosen.get(key)
            if held is None or max(map(_rank, instances)) > max(map(_rank, held)):
                chosen[key] = instances
    keyed = sorted(chosen.items(), key=lambda item: (item[0][1], item[0][0] or ""))
    return [one for _, instances in keyed for one in instances]
