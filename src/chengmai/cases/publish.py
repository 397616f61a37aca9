"""A case as an NGSI-LD entity: what everybody else sees of it."""

from __future__ import annotations

from datetime import datetime

from chengmai.cases.model import Case, CaseLoad
from chengmai.kernel.ids import urn
from chengmai.kernel.instants import format_instant
from chengmai.kernel.texts import WHOLE_CITY
from chengmai.ngsild.entity import Entity, entity, geo, opaque, prop, rel, words


def as_entity(case: Case) -> Entity:
    """Return the `CityCase` entity of a case.

    The case store decides what a case is; the entity is written with every step and never read back, so
    that nobody can walk round the flow by patching it. `dueAt` of an ended case keeps its last deadline.
    """
    return entity(
        case.id,
        "CityCase",
        caseNumber=prop(case.number),
        name=words(case.title.as_language_map()),
        category=prop(case.category),
        caseState=prop(case.state.value),
        kind=prop(case.kind),
        level=prop(case.level),
        refVital=rel(case.vital) if case.vital else None,
        refRule=rel(case.rule) if case.rule else None,
        refFiring=rel(case.firing) if case.firing else None,
        refEntity=rel(case.about) if case.about else None,
        refSensor=rel(case.sensor) if case.sensor else None,
        areaServed=prop(case.area) if case.area else None,
        location=geo(case.location) if case.location else None,
        responsibleUnit=prop(case.unit),
        responsibleUnitName=words(case.unit_title.as_language_map()),
        openedAt=prop(format_instant(case.opened_at)) if case.opened_at else None,
        dueAt=prop(format_instant(case.due_at)) if case.due_at else None,
        dueCertain=prop(case.due_certain),
        recovered=prop(case.recovered),
        rework=prop(case.rework),
        evidence=opaque(list(case.evidence)),
    )


def load_entity(load: CaseLoad, at: datetime) -> Entity:
    """Return the `CaseLoad` entity of a city at an instant; opened and handled are of the 30 days before."""
    return entity(
        urn("CaseLoad", "city"),
        "CaseLoad",
        areaServed=prop(WHOLE_CITY),
        openCases=prop(load.live, unit="C62", at=at),
        overdueCases=prop(load.overdue, unit="C62", at=at),
        opened30d=prop(load.opened, unit="C62", at=at),
        recordDays=prop(round(load.days, 2), unit="DAY", at=at),
        handled30d=prop(load.handled, unit="C62", at=at),
        handledInTime30d=prop(load.in_time, unit="C62", at=at),
    )
