"""The SQL view of an entity type: which column holds which attribute."""

from __future__ import annotations

import re

from chengmai.packs.model import AttributeSpec, EntitySpec

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def column_of(name: str, spec: AttributeSpec) -> str:
    """Return the SQL column of an attribute: the declared one, else its name in snake case."""
    return spec.column or _HUMP.sub("_", name).lower()


def columns_of(entity: EntitySpec) -> dict[str, str]:
    """Return column to attribute name: of every number, and of texts that do not change (a class, a kind)."""
    return {
        column_of(name, spec): name
        for name, spec in entity.attributes.items()
        if spec.kind == "Property"
        and (spec.value == "number" or (spec.value == "text" and spec.static))
    }
