"""The entities `VitalSign` and `Forecast`: how a sign in an area is kept in the model."""

from __future__ import annotations

from typing import Any

from chengmai.kernel.ids import urn
from chengmai.kernel.instants import format_us, from_us, parse_us
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import (
    Entity,
    entity,
    geo,
    instances,
    name_iri,
    opaque,
    prop,
    rel,
    value_of,
    words,
)
from chengmai.vitals.model import Prediction, Sign, Standing, State

VALUE = "currentValue"
"""The attribute that holds the newest value; `value` is a term of the core context and means another thing."""
VALUE_IRI = name_iri(VALUE)


def vital_id(sign: Sign, area: str) -> str:
    """Return the id of the entity `VitalSign` of a sign in an area."""
    return urn("VitalSign", sign.pack, sign.spec.id, area)


def forecast_id(sign: Sign, area: str) -> str:
    """Return the id of the entity `Forecast` beside it."""
    return urn("Forecast", sign.pack, sign.spec.id, area)


def state_of(found: Entity | None) -> State:
    """Return what the evaluation remembers; a fresh state when there is nothing."""
    kept = value_of(found, "evaluation") if found is not None else None
    if not kept:
        return State()
    prediction = kept["prediction"]
    return State(
        base=Standing(**kept["base"]),
        trail=tuple((us, value) for us, value in kept["trail"]),
        floor_us=kept["floor_us"],
        told=kept["told"],
        known=kept["known"],
        prediction=Prediction(**prediction),
    )


def state_json(state: State) -> dict[str, Any]:
    """Return the state as kept in the attribute `evaluation`."""
    return {
        "base": vars(state.base),
        "trail": [list(tick) for tick in state.trail],
        "floor_us": state.floor_us,
        "told": state.told,
        "known": state.known,
        "prediction": vars(state.prediction),
    }


def new_vital(sign: Sign, area: str, location: dict[str, Any] | None) -> Entity:
    """Return the part of the entity that does not change with the readings."""
    title = sign.spec.title
    return entity(
        vital_id(sign, area),
        "VitalSign",
        name=words(Text(zh=f"{title.zh} · {area}", en=f"{title.en} · {area}").as_language_map()),
        sign=prop(sign.spec.id),
        pack=prop(sign.pack),
        areaServed=prop(area),
        location=geo(location) if location else None,
    )


def value_instance(sign: Sign, tick_us: int, value: float) -> dict[str, Any]:
    """Return the value of a tick, observed at its start."""
    return prop(value, unit=sign.spec.unit, at=from_us(tick_us))


def with_state(
    made: Entity,
    sign: Sign,
    state: State,
    standing: Standing,
    *,
    at_us: int,
    because: Text,
) -> Entity:
    """Add value, level, reason and memory to the entity; `at_us` is when the level was found."""
    if state.trail:
        made[VALUE_IRI] = [value_instance(sign, *state.trail[-1])]
    made[name_iri("level")] = [prop(standing.level, at=from_us(at_us))]
    since = standing.since_us if standing.since_us is not None else at_us
    made[name_iri("since")] = [prop(format_us(since))]
    made[name_iri("reason")] = [words(because.as_language_map())]
    made[name_iri("evaluation")] = [opaque(state_json(state))]
    return made


def with_look_back(
    made: Entity, baseline: dict[str, Any] | None, anomaly: dict[str, Any] | None
) -> Entity:
    """Add baseline and anomaly where they are known."""
    for term, found in (("baseline", baseline), ("anomaly", anomaly)):
        if found is not None:
            made[name_iri(term)] = [opaque(found)]
    return made


def forecast_entity(
    sign: Sign,
    area: str,
    forecast: dict[str, Any],
    expected: tuple[str, int | None] | None,
) -> Entity:
    """Return the entity `Forecast`; `expected` is the worst level ahead and when it is reached first."""
    level, at_us = expected or ("unknown", None)
    return entity(
        forecast_id(sign, area),
        "Forecast",
        refVital=rel(vital_id(sign, area)),
        areaServed=prop(area),
        forecast=opaque(forecast),
        expectedLevel=prop(level),
        # An attribute stays until it is overwritten, so "no instant" is written down as an empty text.
        expectedAt=prop(format_us(at_us) if at_us is not None else ""),
    )


def last_tick(found: Entity | None) -> tuple[int, float] | None:
    """Return instant and value of the last tick kept, None when there is none."""
    if found is None:
        return None
    for instance in instances(found, VALUE):
        if "observedAt" in instance:
            return parse_us(instance["observedAt"]), float(instance["value"])
    return None
