"""The common forms of an attribute, read in one pass without a call for each member.

What is read here is read as `expand` reads it; a property test holds the two together. Whatever is rarer
than these forms, or wrong, is left to `expand`, which also says what is wrong and where.
"""

from __future__ import annotations

from typing import Any

from chengmai.ngsild.entity import Instance
from chengmai.ngsild.members import NULL, holds_null, is_plain_instant, is_uri


def quick_instance(given: Any, instants: set[str]) -> Instance | None:
    """Return a whole Property, Relationship or GeoProperty point with common members; None for all else.

    `instants` are texts known to be instants as they are stored; what is found to be one is added.
    """
    if type(given) is not dict:
        return None
    kind = given.get("type")
    if kind == "Property" or kind is None:
        return _property(given, instants)
    if kind == "Relationship":
        return _relationship(given, instants)
    if kind == "GeoProperty":
        return _point(given)
    return None


def quick_instances(given: list[Any], instants: set[str]) -> list[Instance] | None:
    """Return the instances of a list of such, told apart by their `datasetId`; None for all else."""
    made = []
    datasets = set()
    for one in given:
        instance = quick_instance(one, instants)
        if instance is None:
            return None
        made.append(instance)
        datasets.add(instance.get("datasetId"))
    return made if len(datasets) == len(given) > 0 else None


def _property(given: dict[str, Any], instants: set[str]) -> Instance | None:
    made: Instance = {"type": "Property"}
    for key, value in given.items():
        if key == "type":
            continue
        if key == "value":
            shape = type(value)
            if (
                (shape is str and value == NULL)
                or shape is dict
                or value is None
                or (shape is list and holds_null(value))
            ):
                return None
        elif key == "observedAt":
            if type(value) is not str or (value not in instants and not _noted(value, instants)):
                return None
        elif key == "unitCode":
            if type(value) is not str or not value:
                return None
        elif key == "datasetId":
            if value == NULL or not is_uri(value):
                return None
        else:
            return None
        made[key] = value
    return made if "value" in made else None


def _relationship(given: dict[str, Any], instants: set[str]) -> Instance | None:
    made: Instance = {"type": "Relationship"}
    for key, value in given.items():
        if key == "type":
            continue
        if key == "object":
            if value == NULL or not is_uri(value):
                return None
        elif key == "observedAt":
            if type(value) is not str or (value not in instants and not _noted(value, instants)):
                return None
        elif key == "datasetId":
            if value == NULL or not is_uri(value):
                return None
        else:
            return None
        made[key] = value
    return made if "object" in made else None


def _noted(text: str, instants: set[str]) -> bool:
    if not is_plain_instant(text):
        return False
    instants.add(text)
    return True


def _point(given: dict[str, Any]) -> Instance | None:
    value = given.get("value")
    if len(given) != 2 or type(value) is not dict or len(value) != 2:
        return None
    at = value.get("coordinates")
    if value.get("type") != "Point" or type(at) is not list or len(at) != 2:
        return None
    east, north = at
    if type(east) is not float or type(north) is not float:
        return None
    if -180.0 <= east <= 180.0 and -90.0 <= north <= 90.0:  # which no NaN is
        return {"type": "GeoProperty", "value": value}
    return None
