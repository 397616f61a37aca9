"""Small makers for the tests of this room."""

from __future__ import annotations

from typing import Any

from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.entity import Entity, prop

NOW = "2026-11-22T07:43:00Z"
LATER = "2026-11-22T08:00:00Z"
NULL = "urn:ngsi-ld:null"
CTX: Context = ContextCompiler().core


def iri(name: str) -> str:
    """Return the expanded name of `name` in the core context."""
    return CTX.expand(name)


def a_body(**attributes: Any) -> dict[str, Any]:
    """Return an entity as a client sends it."""
    return {"id": "urn:ngsi-ld:Thing:1", "type": "Thing", **attributes}


def an_entity(**attributes: Any) -> Entity:
    """Return a stored entity; a value that is no instance becomes a Property."""
    made: Entity = {
        "id": "urn:ngsi-ld:Thing:1",
        "type": [iri("Thing")],
        "createdAt": NOW,
        "modifiedAt": NOW,
    }
    for name, value in attributes.items():
        listed = value if isinstance(value, list) else [value]
        whole = [one if isinstance(one, dict) and "type" in one else prop(one) for one in listed]
        made[iri(name)] = [{**one, "createdAt": NOW, "modifiedAt": NOW} for one in whole]
    return made
