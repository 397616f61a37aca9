"""Entities in the words of SensorThings. Pure.

A Thing is an entity; a Datastream is one of its Properties that is observed, named `<entity>~<attribute>`; an
Observation is an instance of it, named by its Datastream and its time in microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chengmai.kernel.instants import parse_us
from chengmai.kernel.units import UNITS
from chengmai.ngsild.entity import DEFAULT_VOCAB, Entity, Instance, attribute_names, name_iri

Resource = dict[str, Any]
_MODEL = "http://www.opengis.net/def/observationType/OGC-OM/2.0/"
_LANGUAGES = ("zh", "en")


def short(iri: str) -> str:
    """Return the term of a name of the default vocabulary; any other name as it is."""
    return iri.removeprefix(DEFAULT_VOCAB)


def link(root: str, name: str, identity: str) -> str:
    """Return the address of a resource."""
    quoted = identity.replace("'", "''").replace("%", "%25").replace("#", "%23").replace("/", "%2F")
    return f"{root}/{name}('{quoted}')"


def thing(root: str, entity: Entity) -> Resource:
    """Return an entity as a Thing; what is not observed and plain stands in its properties."""
    here = link(root, "Things", entity["id"])
    return {
        "@iot.id": entity["id"],
        "@iot.selfLink": here,
        "name": name_of(entity),
        "description": ", ".join(sorted(short(one) for one in entity["type"])),
        "properties": {"type": [short(one) for one in entity["type"]], **_plain(entity)},
        "Locations@iot.navigationLink": f"{here}/Locations",
        "Datastreams@iot.navigationLink": f"{here}/Datastreams",
    }


def name_of(entity: Entity) -> str:
    """Return what an entity is called, its id where it has no name."""
    told = _default(entity.get(name_iri("name")) or [])
    found = (told or {}).get("languageMap") or {}
    for language in (*_LANGUAGES, *found):
        if isinstance(found.get(language), str):
            return str(found[language])
    value = (told or {}).get("value")
    return value if isinstance(value, str) else str(entity["id"])


def location(root: str, entity: Entity) -> Resource | None:
    """Return where an entity is, None when it says nothing of it."""
    place = _default(entity.get(name_iri("location")) or [])
    if place is None or not isinstance(place.get("value"), dict):
        return None
    here = link(root, "Locations", entity["id"])
    return {
        "@iot.id": entity["id"],
        "@iot.selfLink": here,
        "name": name_of(entity),
        "description": "",
        "encodingType": "application/geo+json",
        "location": place["value"],
        "Things@iot.navigationLink": f"{here}/Things",
    }


def observed(entity: Entity) -> dict[str, Instance]:
    """Return the newest instance of each Property of an entity that is observed, by attribute name."""
    found = {}
    for name in attribute_names(entity):
        instance = _default(entity[name])
        if instance is not None and instance["type"] == "Property" and "observedAt" in instance:
            found[name] = instance
    return found


def stream_id(entity_id: str, attribute: str) -> str:
    """Return the id of a Datastream."""
    return f"{entity_id}~{short(attribute)}"


def parts_of(identity: str) -> tuple[str, str]:
    """Return (entity id, attribute name) of the id of a Datastream."""
    entity_id, _, attribute = identity.rpartition("~")
    return entity_id, attribute if ":" in attribute else name_iri(attribute)


def datastream(root: str, entity: Entity, attribute: str, newest: Instance) -> Resource:
    """Return an observed Property of an entity as a Datastream."""
    here = link(root, "Datastreams", stream_id(entity["id"], attribute))
    code = newest.get("unitCode")
    unit = UNITS.get(str(code))
    return {
        "@iot.id": stream_id(entity["id"], attribute),
        "@iot.selfLink": here,
        "name": f"{name_of(entity)} {short(attribute)}",
        "description": "",
        "observationType": _MODEL + _kind(newest.get("value")),
        "unitOfMeasurement": {
            "name": str(code) if code else None,
            "symbol": (unit.symbol if unit else str(code)) if code else None,
            "definition": "https://unece.org/trade/cefact/unece-recommendation-20"
            if code
            else None,
        },
        "Thing@iot.navigationLink": f"{here}/Thing",
        "ObservedProperty@iot.navigationLink": f"{here}/ObservedProperty",
        "Observations@iot.navigationLink": f"{here}/Observations",
    }


def observed_property(root: str, attribute: str) -> Resource:
    """Return an attribute as what is observed."""
    return {
        "@iot.id": short(attribute),
        "@iot.selfLink": link(root, "ObservedProperties", short(attribute)),
        "name": short(attribute),
        "definition": attribute,
        "description": "",
    }


def observation(root: str, stream: str, instance: Instance) -> Resource:
    """Return an instance of a Property as an Observation."""
    at = str(instance["observedAt"])
    identity = f"{stream}~{parse_us(at)}"
    return {
        "@iot.id": identity,
        "@iot.selfLink": link(root, "Observations", identity),
        "phenomenonTime": at,
        "resultTime": at,
        "result": instance.get("value"),
        "Datastream@iot.navigationLink": f"{link(root, 'Observations', identity)}/Datastream",
    }


def _default(instances: list[Instance]) -> Instance | None:
    return next((one for one in instances if "datasetId" not in one), None)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "OM_TruthObservation"
    return "OM_Measurement" if isinstance(value, int | float) else "OM_Observation"


def _plain(entity: Entity) -> Mapping[str, Any]:
    found = {}
    for name in attribute_names(entity):
        instance = _default(entity[name])
        if instance is None or "observedAt" in instance or instance["type"] != "Property":
            continue
        if isinstance(instance.get("value"), str | int | float | bool):
            found[short(name)] = instance["value"]
    return found
