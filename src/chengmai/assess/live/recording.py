"""Computed indicators as entities `CityIndicator`: one an indicator, whose history is what it was each day."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from chengmai.assess.live.model import Live
from chengmai.kernel.ids import urn
from chengmai.kernel.instants import parse_instant
from chengmai.ngsild.entity import Entity, entity, instances, name_iri, opaque, prop, words

TYPE = "CityIndicator"
VALUE = "currentValue"
VALUE_IRI = name_iri(VALUE)


def indicator_id(indicator: str) -> str:
    """Return the id of the entity of an indicator."""
    return urn(TYPE, indicator)


def entity_of(found: Live) -> Entity:
    """Return the entity of an indicator that was computed, observed when it was."""
    at, one = parse_instant(found.computed_at), found.indicator
    quality = found.quality
    return entity(
        indicator_id(one.id),
        TYPE,
        name=words({"zh": one.name, "en": one.name_en}),
        indicator=prop(one.id),
        computed=prop(True),
        currentValue=prop(found.value, at=at),
        numerator=prop(found.numerator, at=at),
        denominator=prop(found.denominator, at=at) if found.denominator is not None else None,
        unitName=prop(one.unit),
        quality=prop(quality.grade, at=at) if quality else None,
        period=opaque(list(found.period), at=at) if found.period else None,
        entityCount=prop(found.entity_count, at=at),
    )


def day_of(kept: Entity, zone: ZoneInfo) -> date | None:
    """Return the day of the city of which an entity tells."""
    for instance in instances(kept, VALUE):
        if "observedAt" in instance:
            return parse_instant(instance["observedAt"]).astimezone(zone).date()
    return None
