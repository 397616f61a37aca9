"""The inner form of an entity: what is stored, matched, patched and sent.

An `Entity` is a plain dictionary, so that stored JSON is the model and nothing is built per request:

    {"id": "urn:…", "type": ["<type IRI>", …], "scope": ["/a/b"]?, "createdAt": "…Z", "modifiedAt": "…Z",
     "<attribute IRI>": [<Instance>, …], …}

An `Instance` is one attribute instance (one per `datasetId`):

    {"type": "Property", "value": …, "unitCode": "GQ"?, "observedAt": "…Z"?, "datasetId": "urn:…"?,
     "createdAt": "…Z", "modifiedAt": "…Z", "instanceId": "urn:…"?, "<sub-attribute IRI>": [<Instance>, …]}

Keys that hold a `:` are expanded attribute names; all others are members of the standard. `type` inside an
instance is the short kind (`Property`, `Relationship`, …); `VALUE_MEMBER` says which member holds its
value. Values are kept as sent, except that `vocab` and `objectType` are expanded IRIs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeAlias

from chengmai.kernel.instants import format_instant

Entity: TypeAlias = dict[str, Any]
Instance: TypeAlias = dict[str, Any]

NGSI_LD = "https://uri.etsi.org/ngsi-ld/"
DEFAULT_VOCAB = "https://uri.etsi.org/ngsi-ld/default-context/"
LOCATION = NGSI_LD + "location"
OBSERVATION_SPACE = NGSI_LD + "observationSpace"
OPERATION_SPACE = NGSI_LD + "operationSpace"

VALUE_MEMBER: dict[str, str] = {
    "Property": "value",
    "GeoProperty": "value",
    "Relationship": "object",
    "LanguageProperty": "languageMap",
    "VocabProperty": "vocab",
    "JsonProperty": "json",
    "ListProperty": "valueList",
    "ListRelationship": "objectList",
}
"""Which member holds the value of each kind of attribute (GS CIM 009 V1.9.1, clause 4.5)."""

_CORE_NAMES = {
    "location": LOCATION,
    "observationSpace": OBSERVATION_SPACE,
    "operationSpace": OPERATION_SPACE,
    "status": NGSI_LD + "status",
    "reason": NGSI_LD + "reason",
    "title": "http://purl.org/dc/terms/title",
    "description": "http://purl.org/dc/terms/description",
}


def name_iri(term: str) -> str:
    """Return the IRI of a type or attribute name as our own packs and rooms use it.

    Our own entities use the core context only, so a name is its core term where the core has one and a
    name of the default vocabulary otherwise; a name with a `:` is an IRI already.
    """
    return term if ":" in term else _CORE_NAMES.get(term, DEFAULT_VOCAB + term)


def attribute_names(entity: Entity) -> Iterator[str]:
    """Yield the expanded names of the attributes of `entity`."""
    return (key for key in entity if ":" in key)


def instances(entity: Entity, term: str) -> list[Instance]:
    """Return the instances of the attribute `term` (a name of ours or an IRI); empty when absent."""
    found: list[Instance] = entity.get(name_iri(term), [])
    return found


def value_of(entity: Entity, term: str) -> Any:
    """Return the value of the default instance of `term`, or None when absent."""
    for instance in instances(entity, term):
        if "datasetId" not in instance:
            return instance.get(VALUE_MEMBER[instance["type"]])
    return None


def prop(value: Any, *, unit: str | None = None, at: datetime | None = None) -> Instance:
    """Return a Property instance; `unit` is a UN/CEFACT Rec 20 code, `at` its `observedAt`."""
    made: Instance = {"type": "Property", "value": value}
    if unit is not None:
        made["unitCode"] = unit
    return _observed(made, at)


def rel(target: str, *, at: datetime | None = None) -> Instance:
    """Return a Relationship instance to the entity `target`."""
    return _observed({"type": "Relationship", "object": target}, at)


def geo(geometry: dict[str, Any]) -> Instance:
    """Return a GeoProperty instance of a GeoJSON geometry."""
    return {"type": "GeoProperty", "value": geometry}


def words(language_map: dict[str, str], *, at: datetime | None = None) -> Instance:
    """Return a LanguageProperty instance of `{"zh": …, "en": …}`."""
    return _observed({"type": "LanguageProperty", "languageMap": language_map}, at)


def opaque(value: Any, *, at: datetime | None = None) -> Instance:
    """Return a JsonProperty instance: JSON that the standard does not look into."""
    return _observed({"type": "JsonProperty", "json": value}, at)


def entity(entity_id: str, entity_type: str, **attributes: Instance | None) -> Entity:
    """Return an entity of ours with one default instance an attribute; None leaves the attribute out."""
    made: Entity = {"id": entity_id, "type": [name_iri(entity_type)]}
    for term, instance in attributes.items():
        if instance is not None:
            made[name_iri(term)] = [instance]
    return made


def _observed(instance: Instance, at: datetime | None) -> Instance:
    if at is not None:
        instance["observedAt"] = format_instant(at)
    return instance
