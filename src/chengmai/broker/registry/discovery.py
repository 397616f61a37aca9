"""Discovery: which registrations a client asks for (GS CIM 009 V1.9.1, clause 5.10.2). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chengmai.broker.registry.matching import Asked, Match
from chengmai.broker.registry.model import Interval, Registration
from chengmai.ngsild import geoq, q
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import VALUE_MEMBER, Entity
from chengmai.ngsild.qparse import MEMBERS
from chengmai.ngsild.select import Selector, matches_scopes
from chengmai.ngsild.temporal import TemporalQuery

_PLACES = ("location", "observationSpace", "operationSpace")


@dataclass(frozen=True)
class Discovery:
    """What sources are asked for; every part that is given must match.

    `filters` are conditions on properties of the source itself (`q` and `csf`). Without a `window` only
    sources of the latest information count, those registered with no interval.
    """

    types: Selector | None = None
    ids: Sequence[str] | None = None
    id_pattern: str | None = None
    attributes: Sequence[str] | None = None
    filters: tuple[q.Query, ...] = ()
    scopes: Selector | None = None
    geoq: geoq.GeoQuery | None = None
    window: TemporalQuery | None = None


def discovered(
    discovery: Discovery, registrations: Sequence[Registration], core: Context, *, now_us: int
) -> Iterator[Match]:
    """Yield the live registrations that a discovery asks for, in the order given."""
    asked = Asked(
        discovery.ids,
        discovery.id_pattern,
        None if discovery.types is None else discovery.types.names,
        discovery.attributes,
    )
    for one in registrations:
        if one.is_live(now_us) and fits(discovery, one, core):
            match = asked.match(one)
            if match is not None:
                yield match


def fits(discovery: Discovery, one: Registration, core: Context) -> bool:
    """Return whether a registration is of the scope, time, place and kind that are asked for."""
    if discovery.scopes is not None and not matches_scopes(discovery.scopes, one.scopes):
        return False
    if not _in_time(discovery.window, one):
        return False
    if discovery.geoq is None and not discovery.filters:
        return True
    portrait = portrait_of(one, core)
    return (discovery.geoq is None or geoq.matches(discovery.geoq, portrait)) and all(
        q.matches(condition, portrait) for condition in discovery.filters
    )


def _in_time(window: TemporalQuery | None, one: Registration) -> bool:
    if window is None:
        return one.observation is None and one.management is None
    observed = window.timeproperty == "observedAt"
    interval = one.observation if observed else one.management
    return interval is not None and _meet(interval, window)


def _meet(interval: Interval, window: TemporalQuery) -> bool:
    begins = window.end_us is None or interval.start_us < window.end_us
    lasts = window.start_us is None or interval.end_us is None or interval.end_us >= window.start_us
    return begins and lasts


def portrait_of(registration: Registration, core: Context) -> Entity:
    """Return a registration as an entity, so that queries about entities can be asked of it."""
    made: Entity = {"id": registration.id, "type": [core.expand("ContextSourceRegistration")]}
    for name, value in registration.document.items():
        if name in MEMBERS:
            made[name] = value
        elif name not in ("id", "type", "information"):
            made[name if ":" in name else core.expand(name)] = [_instance(name, value)]
    return made


def _instance(name: str, value: Any) -> dict[str, Any]:
    if name in _PLACES:
        return {"type": "GeoProperty", "value": value}
    if isinstance(value, dict):
        member = VALUE_MEMBER.get(str(value.get("type")))
        if member is not None and member in value:
            return value
    return {"type": "Property", "value": value}
