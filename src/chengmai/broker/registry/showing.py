"""A registration as an answer or a notification shows it: its names in the context asked for (clause 5.5.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chengmai.broker.registry.documents import SYSTEM
from chengmai.ngsild.contexts import Context


def compacted(document: dict[str, Any], context: Context) -> dict[str, Any]:
    """Return a registration's document with the names of a context."""
    made = {
        context.compact(name) if ":" in name else name: value for name, value in document.items()
    }
    made["information"] = [_part(one, context) for one in document["information"]]
    return made


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a document without some of its members."""
    return {name: value for name, value in document.items() if name not in names}


def without_system(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document without the instants at which it came and changed."""
    return without(document, *SYSTEM)


def relevant(document: dict[str, Any], positions: Sequence[int]) -> dict[str, Any]:
    """Return the document with some entries of `information` alone (clause 5.11.7)."""
    return {**document, "information": [document["information"][at] for at in positions]}


def _part(part: dict[str, Any], context: Context) -> dict[str, Any]:
    made = dict(part)
    if "entities" in part:
        made["entities"] = [_entity(one, context) for one in part["entities"]]
    for name in ("propertyNames", "relationshipNames"):
        if name in part:
            made[name] = [context.compact(one) for one in part[name]]
    return made


def _entity(info: dict[str, Any], context: Context) -> dict[str, Any]:
    types = info.get("type")
    if isinstance(types, list):
        return {**info, "type": [context.compact(one) for one in types]}
    return dict(info) if types is None else {**info, "type": context.compact(types)}
