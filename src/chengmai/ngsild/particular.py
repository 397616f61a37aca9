"""Attributes that the core context gives a meaning of their own: places, and the proof of an entity."""

from __future__ import annotations

from chengmai.ngsild.entity import (
    LOCATION,
    NGSI_LD,
    OBSERVATION_SPACE,
    OPERATION_SPACE,
    VALUE_MEMBER,
    Instance,
)
from chengmai.ngsild.members import NULL, refused

_PLACES = frozenset([LOCATION, OBSERVATION_SPACE, OPERATION_SPACE])
_PROOF = NGSI_LD + "ngsildproof"
PARTICULAR = _PLACES | {_PROOF}
"""Attributes of which more is asked than of others."""


def check_particular(iri: str, param: str, instances: list[Instance]) -> None:
    """Raise `Invalid` when an attribute is not what its name promises (clauses 4.5.2.2 and 4.7)."""
    check_place(iri, param, instances)
    check_proof(iri, param, instances)


def check_place(iri: str, param: str, instances: list[Instance]) -> None:
    """Raise `Invalid` when an attribute that the core context makes a place is none (clause 4.7)."""
    if iri not in _PLACES:
        return
    for one in instances:
        if one.get("type", "GeoProperty") != "GeoProperty" and not is_null(one):
            raise refused(f"it is a {one['type']}", param, "give it as a GeoProperty")


def check_proof(iri: str, param: str, instances: list[Instance]) -> None:
    """Raise `Invalid` when a proof has none, or another attribute is sealed as only a proof is (4.5.2.2)."""
    if iri != _PROOF:
        for one in instances:
            if "entityIdSealed" in one or "entityTypeSealed" in one:
                raise refused("only ngsildproof is sealed", param, "leave the sealed members out")
        return
    for one in instances:
        if not is_null(one) and type(one.get("value", {})) is not dict:
            raise refused("its value is no proof", param, "give the proof as an object")


def is_null(instance: Instance) -> bool:
    """Return whether an instance of a fragment asks for the removal of the stored one."""
    kind = instance.get("type")
    if kind is None:
        return False
    value = instance.get(VALUE_MEMBER[kind])
    return value == NULL or (kind == "LanguageProperty" and value == {"@none": NULL})
