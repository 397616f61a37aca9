"""The linter of pools: what is well formed and still wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chengmai.packs.model import AttributeSpec, EntitySpec, Pack
from chengmai.packs.pools import PoolSpec
from chengmai.packs.problems import Finding

FileOf = Callable[[str, str], str]
"""Returns the file of a part of the pack: (folder, id)."""


def pool_findings(pack: Pack, file_of: FileOf) -> Iterator[Finding]:
    """Yield what is wrong in the pools of `pack`."""
    entities = {entity.type: entity for entity in pack.entities}
    categories = {category.id for category in pack.cases.categories}
    for pool in pack.pools:
        file = file_of("pools", pool.id)
        entity = entities.get(pool.entity)
        if entity is None:
            choice = ", ".join(sorted(entities)) or "add one"
            what = f"no entity {pool.entity!r}"
            yield Finding(file, "entity", what, f"use one of: {choice}")
        else:
            yield from _attributes(file, pool, entity)
        if pool.opens not in categories:
            what = f"no category {pool.opens!r}"
            yield Finding(file, "opens", what, "add it to cases/*.toml, or correct the name")
        if not (pool.source.zh.strip() and pool.source.en.strip()):
            yield Finding(file, "source", "no source", "say where the limits come from")
        yield from _routes(file, pool)


def _attributes(file: str, pool: PoolSpec, entity: EntitySpec) -> Iterator[Finding]:
    named = {"use": pool.use, "capacity": pool.capacity, "waiting": pool.waiting}
    found: dict[str, AttributeSpec] = {}
    for key, name in named.items():
        if name is None:
            continue
        spec = entity.attributes.get(name)
        if spec is None or spec.kind != "Property" or spec.value != "number":
            numbers = ", ".join(n for n, s in entity.attributes.items() if s.value == "number")
            what = f"{entity.type} declares no number {name!r}"
            yield Finding(file, key, what, f"use one of: {numbers or 'none is declared'}")
            continue
        found[key] = spec
        if key != "capacity" and spec.static:
            what = f"{name!r} is static, and use is a time series"
            yield Finding(file, key, what, "remove static, or name another attribute")
    units = {spec.unit for spec in found.values()}
    if len(units) > 1:
        what = f"counted in different units: {', '.join(sorted(map(str, units)))}"
        yield Finding(file, "use", what, "declare the attributes in one unit")
    capacity = found.get("capacity")
    if pool.move.kind == "capacity" and capacity is not None and capacity.static:
        what = f"{pool.capacity!r} is static, and moves would change it"
        yield Finding(file, "capacity", what, "remove static from the attribute")


def _routes(file: str, pool: PoolSpec) -> Iterator[Finding]:
    told = set()
    for number, route in enumerate(pool.routes):
        key = f"routes.{number}"
        if route.from_ == route.to:
            yield Finding(file, key, "leads from an area to itself", "name two areas")
        if (route.from_, route.to) in told:
            yield Finding(file, key, "is there twice", "remove one of them")
        told.add((route.from_, route.to))
        for name in {route.from_, route.to} - set(pool.areas or (route.from_, route.to)):
            what = f"{name!r} is none of the pool's areas"
            yield Finding(file, key, what, "add it to areas, or correct the name")
