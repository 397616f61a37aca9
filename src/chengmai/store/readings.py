"""Numbers of many series at once, recent and sealed, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chengmai.history.model import Columns, Span
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.sqlite.register import Sought, entries_of, entries_of_type
from chengmai.store.sqlite.work import SqliteTx
from chengmai.store.visible import visible_numbers

_AREAS = (
    "SELECT t.id, coalesce(json_extract(e.doc, ?), '')"
    " FROM entity_type t JOIN entity e ON e.row = t.row WHERE t.tenant = ? AND t.type = ?"
)


def numbers_of(
    tx: SqliteTx,
    sealed: SealedHistory,
    tenant: str,
    entity_ids: Sequence[str],
    attribute: str,
    span: Span,
) -> dict[str, list[tuple[int, float]]]:
    """Return (instant in µs, number) of one attribute of each entity that has it, in order of time."""
    known = [one for one in entries_of(tx, tenant, entity_ids, [attribute]) if not one.dataset]
    if not known:
        return {}
    series, at_us, value = visible_numbers(tx, sealed, Sought.of(known), span)
    numbers = np.array([one.series for one in known])
    begins = np.searchsorted(series, numbers, side="left").tolist()
    ends = np.searchsorted(series, numbers, side="right").tolist()
    return {
        one.entity: list(zip(at_us[i:j].tolist(), value[i:j].tolist(), strict=True))
        for one, i, j in zip(known, begins, ends, strict=True)
    }


def columns(
    tx: SqliteTx,
    sealed: SealedHistory,
    tenant: str,
    entity_type: str,
    attributes: Sequence[str],
    area: str,
    span: Span,
) -> Columns:
    """Return the numbers of some attributes of all entities of a type."""
    asked = (f'$."{area}"[0].value', tenant, entity_type)
    areas = dict(tx.db.execute(_AREAS, asked).fetchall())
    of_type = entries_of_type(tx, tenant, entity_type, attributes)
    known = [one for one in of_type if not one.dataset and one.entity in areas]
    entities = sorted({one.entity for one in known})
    entity_at = {entity: i for i, entity in enumerate(entities)}
    attribute_at = {attribute: i for i, attribute in enumerate(attributes)}
    numbers = np.array([one.series for one in known], dtype=np.int64)
    entity_of = np.array([entity_at[one.entity] for one in known], dtype=np.int32)
    attribute_of = np.array([attribute_at[one.attribute] for one in known], dtype=np.int32)
    series, at_us, value = visible_numbers(tx, sealed, Sought.of(known), span)
    where = np.searchsorted(numbers, series)
    none: Any = np.empty(0, np.int32)
    return Columns(
        entities=entities,
        areas=[str(areas[entity]) for entity in entities],
        attributes=list(attributes),
        entity=entity_of[where] if len(series) else none,
        attribute=attribute_of[where] if len(series) else none,
        at_us=at_us,
        value=value,
    )
