"""Entities as an earlier edition of the standard knows them (GS CIM 009 V1.9.1, clause 4.3.6.8). Pure.

A kind of attribute that came later is shown as a Property or a Relationship, a member that came later is left
out. Attributes are recognised by their `type`: simplified values are the same in every edition.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Version: TypeAlias = tuple[int, int]

NATIVE: Version = (1, 9)
_SINCE_KIND: dict[str, tuple[Version, str, str]] = {
    "LanguageProperty": ((1, 4), "languageMap", "Property"),
    "JsonProperty": ((1, 8), "json", "Property"),
    "VocabProperty": ((1, 8), "vocab", "Property"),
    "ListProperty": ((1, 8), "valueList", "Property"),
    "ListRelationship": ((1, 8), "objectList", "Relationship"),
}
_SINCE_MEMBER: dict[str, Version] = {
    "datasetId": (1, 3),
    "objectType": (1, 8),
    "valueType": (1, 9),
    "expiresAt": (1, 9),
}
_SINCE_ENTITY_MEMBER: dict[str, Version] = {"scope": (1, 4), "expiresAt": (1, 9)}
_MANY: Version = (1, 3)
"""Since when an entity has several types, and an attribute several instances."""
_VALUES = frozenset({"value", "object", "languageMap", "json", "vocab", "valueList", "objectList"})
_HEAD = frozenset({"id", "type", "@context", "createdAt", "modifiedAt", "deletedAt"})


def amended(document: Any, version: Version, *, over_time: bool = False) -> Any:
    """Return an entity, a list of them or GeoJSON as `version` knows it; equal to `document` where nothing
    in it is newer. `over_time` keeps all instances of an attribute, since they are its evolution.
    """
    if isinstance(document, list):
        return [amended(one, version, over_time=over_time) for one in document]
    if not isinstance(document, dict):
        return document
    kind = document.get("type")
    if kind == "FeatureCollection" and "features" in document:
        return {**document, "features": amended(document["features"], version)}
    if kind == "Feature" and "properties" in document:
        return {**document, "properties": _entity(document["properties"], version, over_time)}
    return _entity(document, version, over_time)


def _entity(entity: dict[str, Any], version: Version, over_time: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in entity.items():
        if version < _SINCE_ENTITY_MEMBER.get(name, (0, 0)):
            continue
        if name == "type" and isinstance(value, list) and version < _MANY:
            made[name] = value[0]
        elif name in _HEAD or name in _SINCE_ENTITY_MEMBER:
            made[name] = value
        else:
            made[name] = _attribute(value, version, over_time)
    return made


def _attribute(value: Any, version: Version, over_time: bool) -> Any:
    if isinstance(value, list):
        if version < _MANY and not over_time and value and _are_instances(value):
            default = next((one for one in value if "datasetId" not in one), value[0])
            return _attribute(default, version, over_time)
        return [_attribute(one, version, over_time) for one in value]
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return value
    since, member, shown_as = _SINCE_KIND.get(value["type"], ((0, 0), "", ""))
    is_newer = version < since
    made: dict[str, Any] = {}
    for name, inner in value.items():
        if version < _SINCE_MEMBER.get(name, (0, 0)):
            continue
        if name == "type":
            made[name] = shown_as if is_newer else inner
        elif name in _VALUES:
            new_name = "object" if shown_as == "Relationship" else "value"
            made[new_name if is_newer and name == member else name] = inner
        else:
            made[name] = _attribute(inner, version, over_time)
    return made


def _are_instances(values: list[Any]) -> bool:
    return all(isinstance(one, dict) and isinstance(one.get("type"), str) for one in values)
