"""From packs to signs: every query checked and bound to the attributes behind its columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chengmai.ngsild.entity import name_iri
from chengmai.packs.model import EntitySpec, Pack
from chengmai.packs.reader import read_packs
from chengmai.packs.views import columns_of
from chengmai.vitals.model import Sign, Source
from chengmai.vitals.sql import CheckedSql, check_sql


@dataclass(frozen=True)
class PreparedPacks:
    """Packs with their signs, every query checked: what many cities of one process may share."""

    packs: tuple[Pack, ...]
    signs: tuple[Sign, ...]
    bound: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """Queries of other rooms, by their text, as the views of these packs made them."""

    @classmethod
    def of(cls, packs: Sequence[Pack]) -> PreparedPacks:
        """Return packs with their signs; raises `SqlRefused` when a query may not be run."""
        return cls(tuple(packs), tuple(signs_of(packs)))

    @classmethod
    def read(cls, folders: Iterable[Path]) -> PreparedPacks:
        """Return the packs in folders; raises `PackInvalid` when one is not well formed, and `SqlRefused`."""
        return cls.of(read_packs(folders))


def views_of(entities: Sequence[EntitySpec]) -> dict[str, tuple[str, ...]]:
    """Return the views that queries may read, each with its attribute columns."""
    return {entity.view: tuple(columns_of(entity)) for entity in entities}


def tables_of(packs: Iterable[Pack]) -> dict[str, tuple[str, ...]]:
    """Return the tables that queries may join, each with its own columns."""
    return {table.id: tuple(table.columns) for pack in packs for table in pack.tables}


def signs_of(packs: Sequence[Pack]) -> list[Sign]:
    """Return the signs of all packs; a query may read the views of every pack.

    Raises `SqlRefused`, naming pack and sign, when a query may not be run.
    """
    entities = [entity for pack in packs for entity in pack.entities]
    views, tables = views_of(entities), {t.id: t for pack in packs for t in pack.tables}
    by_view = {entity.view: entity for entity in entities}
    signs = []
    for pack in packs:
        for spec in pack.vitals:
            param = f"{pack.info.id}/vitals/{spec.id}.sql"
            checked = check_sql(spec.sql, views, param, tables=tables_of(packs))
            sources = tuple(source_of(by_view[view], checked) for view in checked.views)
            joined = tuple(tables[name] for name in sorted(checked.tables))
            signs.append(Sign(pack.info.id, spec, checked, sources, joined))
    return signs


def source_of(entity: EntitySpec, checked: CheckedSql) -> Source:
    """Return a view of a query bound to the attributes behind its columns."""
    names = columns_of(entity)
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
        texts=frozenset(c for c in used if entity.attributes[names[c]].value == "text"),
    )
