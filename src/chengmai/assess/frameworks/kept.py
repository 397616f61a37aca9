"""Frameworks that a tenant took in, as entities."""

from __future__ import annotations

import json

from chengmai.assess.frameworks.model import Framework, read_framework
from chengmai.assess.problems import FrameworkInvalid
from chengmai.kernel.ids import urn
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity, entity, opaque, prop, value_of, words
from chengmai.ngsild.model import Model

TYPE = "IndicatorFramework"
MOST = 100


def to_entity(framework: Framework, text: str) -> Entity:
    """Return the entity of a framework; `text` is its package."""
    return entity(
        urn(TYPE, framework.id),
        TYPE,
        frameworkId=prop(framework.id),
        name=words(framework.title.as_language_map()),
        inForceFrom=prop(framework.in_force_from.isoformat()),
        package=opaque(json.loads(text)),
    )


def from_entity(found: Entity) -> Framework:
    """Return the framework that an entity is; raises `FrameworkInvalid`."""
    return read_framework(json.dumps(value_of(found, "package")))


def kept_frameworks(model: Model, tx: Tx, tenant: str) -> dict[str, Framework]:
    """Return the frameworks of a tenant by id; what is none is passed over."""
    found: dict[str, Framework] = {}
    for one in model.find(tx, tenant, TYPE, limit=MOST):
        try:
            made = from_entity(one)
        except FrameworkInvalid:
            continue
        found[made.id] = made
    return found
