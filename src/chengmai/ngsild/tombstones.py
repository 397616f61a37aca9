"""What stands for a deleted attribute instance, and what it was before (clauses 4.5.0, 4.5.7, 5.8.6)."""

from __future__ import annotations

from typing import Any

from chengmai.ngsild.entity import VALUE_MEMBER, Instance
from chengmai.ngsild.members import NULL

PREVIOUS: dict[str, str] = {
    kind: "previous" + member[0].upper() + member[1:] for kind, member in VALUE_MEMBER.items()
}
"""Which member of a notification holds the value before the change, for each kind."""


def tombstone(instance: Instance, at: str) -> Instance:
    """Return what tells of the deletion of an instance at an instant; its value is the NGSI-LD null.

    `deletedValue` of the instance, where there is one, is shown instead of the null.
    """
    kind = instance["type"]
    null: Any = {"@none": NULL} if kind == "LanguageProperty" else NULL
    gone: Instance = {"type": kind, VALUE_MEMBER[kind]: instance.get("deletedValue", null)}
    for member in ("datasetId", "createdAt", "modifiedAt"):
        if member in instance:
            gone[member] = instance[member]
    return {**gone, "deletedAt": at}
