"""From packs to signs: every query checked and bound to the attributes behind its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chengmai.ngsild.entity import name_iri
from chengmai.packs.model import AttributeSpec, EntitySpec, Pack
from chengmai.vitals.model import Sign, Source
from chengmai.vitals.sql import CheckedSql, check_sql

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def column_of(name: str, spec: AttributeSpec) -> str:
    """Return the SQL column of an attribute: the declared one, else its name in snake case."""
    return spec.column or _HUMP.sub("_", name).lower()


def numeric_columns(entity: EntitySpec) -> dict[str, str]:
    """Return column to attribute name of every numeric attribute of an entity type."""
    return {
        column_of(name, spec): name
        for name, spec in entity.attributes.items()
        if spec.kind == "Property" and spec.value == "number"
    }


def views_of(entities: Sequence[EntitySpec]) -> dict[str, tuple[str, ...]]:
    """Return the views that queries may read, each with its attribute columns."""
    return {entity.view: tuple(numeric_columns(entity)) for entity in entities}


def signs_of(packs: Sequence[Pack]) -> list[Sign]:
    """Return the signs of all packs; a query may read the views of every pack.

    Raises `SqlRefused`, naming pack and sign, when a query may not be run.
    """
    entities = [entity for pack in packs for entity in pack.entities]
    views = views_of(entities)
    by_view = {entity.view: entity for entity in entities}
    signs = []
    for pack in packs:
        for spec in pack.vitals:
            checked = check_sql(spec.sql, views, param=f"{pack.info.id}/vitals/{spec.id}.sql")
            sources = tuple(_source(by_view[view], checked) for view in checked.views)
            signs.append(Sign(pack.info.id, spec, checked, sources))
    return signs


def _source(entity: EntitySpec, checked: CheckedSql) -> Source:
    names = numeric_columns(entity)
    used = checked.views[entity.view]
    moving = [c for c in names if not entity.attributes[names[c]].static]
    # A query that counts entities names no attribute: then every series shows that they are there.
    columns = [c for c in moving if c in used] or moving
    return Source(
        view=entity.view,
        entity_type=name_iri(entity.type),
        area_from=name_iri(entity.area_from),
        columns={c: name_iri(names[c]) for c in columns},
        constants={c: name_iri(names[c]) for c in used if entity.attributes[names[c]].static},
    )
