"""An incident as an NGSI-LD entity: what everybody else sees of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chengmai.incidents.model import Incident
from chengmai.kernel.geo import point_of
from chengmai.kernel.instants import format_instant
from chengmai.ngsild.entity import Entity, Instance, entity, geo, prop, rel, words


def as_entity(incident: Incident) -> Entity:
    """Return the `Incident` entity.

    The store of incidents decides what an incident is; the entity is written with every step and never
    read back.
    What an incident no longer has is an empty list or an empty text: an attribute stays until it is
    overwritten.
    """
    ended = incident.ended_at
    return entity(
        incident.id,
        "Incident",
        incidentNumber=prop(incident.number),
        name=words(incident.title.as_language_map()),
        incidentState=prop(incident.state.value),
        nature=prop(incident.nature),
        level=prop(incident.level),
        since=prop(format_instant(incident.since)),
        endedAt=prop(format_instant(ended) if ended else ""),
        hasMember=_targets([one.vital for one in incident.members]),
        standing=prop([one.vital for one in incident.standing]),
        hasCase=_targets(incident.cases),
        cause=rel(incident.cause) if incident.cause else None,
        effects=_targets(incident.effects),
        areasServed=prop(list(incident.areas)),
        location=_place(incident),
        mergedInto=rel(incident.merged_into) if incident.merged_into else None,
        stoodDown=prop(incident.stood_down),
    )


def _targets(ids: Sequence[str]) -> Instance:
    return {"type": "ListRelationship", "objectList": [{"object": one} for one in ids]}


def _place(incident: Incident) -> Instance | None:
    found = [point_of(one.location) for one in incident.members if one.location]
    points = sorted({point for point in found if point is not None})
    if not points:
        return None
    if len(points) == 1:
        return geo({"type": "Point", "coordinates": list(points[0])})
    geometry: dict[str, Any] = {"type": "MultiPoint", "coordinates": [list(p) for p in points]}
    return geo(geometry)
