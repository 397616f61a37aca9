"""Operations that a registration may name, and what the names of groups stand for (clause 4.20).

Tables 4.20-1 and 4.20-2 of GS CIM 009 V1.9.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

_DISCOVER = frozenset(
    {
        "retrieveEntityTypes",
        "retrieveEntityTypeDetails",
        "retrieveEntityTypeInfo",
        "retrieveAttrTypes",
        "retrieveAttrTypeDetails",
        "retrieveAttrTypeInfo",
    }
)
_SUBSCRIBE = frozenset(
    {
        "createSubscription",
        "updateSubscription",
        "retrieveSubscription",
        "querySubscription",
        "deleteSubscription",
    }
)
_MAPS = frozenset(
    {"retrieveEntityMap", "updateEntityMap", "deleteEntityMap", "createEntityMapQueryEntity"}
)
_RETRIEVE = frozenset({"retrieveEntity", "queryEntity"})
_UPDATE = frozenset({"updateEntity", "updateAttrs", "replaceEntity", "replaceAttrs"})
_ASSOCIATE = _RETRIEVE | _DISCOVER | _SUBSCRIBE | {"queryBatch", "retrieveContextSourceIdentity"}
_ALTER = _UPDATE | {
    "createEntity",
    "appendAttrs",
    "deleteAttrs",
    "deleteEntity",
    "mergeEntity",
    "purgeEntity",
}

GROUPS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "federationOps": _ASSOCIATE | _MAPS,
        "associationOps": _ASSOCIATE,
        "retrieveOps": _RETRIEVE,
        "updateOps": _UPDATE,
        "redirectionOps": _ALTER | _RETRIEVE | _DISCOVER | _MAPS,
    }
)
"""Names of groups and the operations in them."""

OPERATIONS: frozenset[str] = frozenset().union(*GROUPS.values()) | {
    "createBatch",
    "upsertBatch",
    "updateBatch",
    "deleteBatch",
    "mergeBatch",
    "upsertTemporal",
    "appendAttrsTemporal",
    "deleteAttrsTemporal",
    "updateAttrInstanceTemporal",
    "deleteAttrInstanceTemporal",
    "deleteTemporal",
    "retrieveTemporal",
    "queryTemporal",
    "createEntityMapQueryTemporal",
}
"""Names of single operations."""

DEFAULT_OPERATIONS = ("federationOps",)
AUXILIARY_OPERATIONS = ("retrieveOps",)
"""All that an auxiliary source is ever asked for (clause 5.9.2.4)."""


def resolved(names: Iterable[str]) -> frozenset[str]:
    """Return the single operations that names of operations and groups stand for."""
    return frozenset(one for name in names for one in GROUPS.get(name, (name,)))
