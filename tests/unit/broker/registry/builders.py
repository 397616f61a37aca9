"""Builders of registrations."""

from __future__ import annotations

from typing import Any

from chengmai.broker.registry.model import Registration, compile_registration
from chengmai.ngsild.contexts import ContextCompiler

CONTEXTS = ContextCompiler()
TENANT = "city"


def an_info(*entities: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return an entry of `information`; `properties` and `relationships` are names."""
    names = {"properties": "propertyNames", "relationships": "relationshipNames"}
    told: dict[str, Any] = {names[name]: list(value) for name, value in members.items()}
    return {"entities": list(entities), **told} if entities else told


def a_document(name: str = "one", *information: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a registration as a client sends it; about all vehicles unless told otherwise."""
    return {
        "id": f"urn:ngsi-ld:ContextSourceRegistration:{name}",
        "type": "ContextSourceRegistration",
        "information": list(information) or [an_info({"type": "Vehicle"})],
        "endpoint": "http://source.example:1026",
        **members,
    }


def a_registration(name: str = "one", *information: dict[str, Any], **members: Any) -> Registration:
    """Return a registration, compiled."""
    return compile_registration(TENANT, a_document(name, *information, **members), CONTEXTS)


def iri(name: str) -> str:
    """Return what a name stands for in the core context."""
    return CONTEXTS.core.expand(name)
