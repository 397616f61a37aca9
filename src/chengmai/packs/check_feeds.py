"""The linter of feeds: what is well formed and still wrong in feeds/*.toml."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

from chengmai.kernel.problems import Invalid
from chengmai.kernel.units import convert
from chengmai.packs.columns import columns_of
from chengmai.packs.feeds import AddressedFeed, FeedSpec, MapSpec, SimulateFeed
from chengmai.packs.model import EntitySpec, Pack
from chengmai.packs.problems import Finding

_FIELD = re.compile(r"\{([^{}]+)\}")


def check_feeds(pack: Pack, file_of: Callable[[FeedSpec], str]) -> Iterator[Finding]:
    """Yield what is wrong in the feeds of `pack`; `file_of` names the file of each."""
    entities = {entity.type: entity for entity in pack.entities}
    for feed in pack.feeds:
        file = file_of(feed)
        entity = entities.get(feed.entity)
        if entity is None:
            choice = ", ".join(sorted(entities)) or "add one"
            yield Finding(file, "entity", f"no entity {feed.entity!r}", f"use one of: {choice}")
        elif not isinstance(feed, SimulateFeed):
            yield from _mapping(file, feed.map, entity)
        if isinstance(feed, AddressedFeed):
            yield from _columns(file, feed)
        if feed.period <= timedelta(0):
            yield Finding(file, "period", "the period is not positive", "write PT1H")
        if feed.licence is None:
            yield Finding(file, "licence", "no licence", "say under which terms the data come")


def _columns(file: str, feed: AddressedFeed) -> Iterator[Finding]:
    """Find columns that the format does not give; a format with columns of its own choosing is not judged."""
    offered = columns_of(feed)
    if offered is None:
        return
    rules = feed.map
    named = [("map.id", name) for name in _FIELD.findall(rules.id)]
    named += [("map.name", name) for name in _FIELD.findall(rules.name or "")]
    named += [(f"map.attributes.{name}", rule.column) for name, rule in rules.attributes.items()]
    named += [(f"map.attributes.{n}", rule.unit_column) for n, rule in rules.attributes.items()]
    named += [("map.area", rules.area.column), ("time", feed.time.column)]
    if rules.location is not None:
        where = rules.location
        named += [("map.location", c) for c in (where.longitude, where.latitude, where.column)]
    for key, column in named:
        if column is not None and column not in offered:
            choice = ", ".join(sorted(offered))
            yield Finding(
                file, key, f"{feed.connector} gives no column {column!r}", f"use one of: {choice}"
            )


def _mapping(file: str, rules: MapSpec, entity: EntitySpec) -> Iterator[Finding]:
    for name, rule in rules.attributes.items():
        key = f"map.attributes.{name}"
        spec = entity.attributes.get(name)
        if spec is None:
            yield Finding(
                file,
                key,
                f"{entity.type} declares no attribute {name!r}",
                "declare it, or correct the name",
            )
        elif rule.unit is not None and spec.unit is None:
            yield Finding(file, key, "a unit for an attribute without one", "remove unit")
        elif rule.unit is not None and spec.unit is not None:
            try:
                convert(1.0, rule.unit, spec.unit)
            except Invalid as problem:
                yield Finding(
                    file, f"{key}.unit", problem.detail, problem.fix or "correct the unit"
                )
