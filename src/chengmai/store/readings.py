"""Numbers of many series at once, recent and sealed, as columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from chengmai.history.model import Columns, Span
from chengmai.store.duckdb.sealed import SealedHistory
from chengmai.store.sqlite.work import SqliteTx
from chengmai.store.visible import visible_numbers

_OF_ENTITIES = (
    "SELECT series, entity, hidden_seq FROM series"
    " WHERE tenant = ? AND entity IN (SELECT value FROM json_each(?)) AND attr = ? AND dataset = ''"
    " ORDER BY series"
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
    registered = tx.db.execute(
        _OF_ENTITIES, (tenant, json.dumps(list(entity_ids)), attribute)
    ).fetchall()
    if not registered:
        return {}
    hidden = {row[0]: row[2] for row in registered}
    series, at_us, value = visible_numbers(tx, sealed, hidden, span)
    numbers = np.array([row[0] for row in registered])
    begins = np.searchsorted(series, numbers, side="left").tolist()
    ends = np.searchsorted(series, numbers, side="right").tolist()
    return {
        row[1]: list(zip(at_us[i:j].tolist(), value[i:j].tolist(), strict=True))
        for row, i, j in zip(registered, begins, ends, strict=True)
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
    marks = ", ".join("?" * len(attributes))
    registered = tx.db.execute(
        "SELECT s.series, s.entity, s.attr, s.hidden_seq,"
        " coalesce(json_extract(e.doc, ?), '')"
        # In this order: every series of the tenant would be looked at the other way round.
        " FROM entity_type t CROSS JOIN entity e ON e.row = t.row"
        " CROSS JOIN series s ON s.tenant = t.tenant AND s.entity = t.id"
        f" WHERE t.tenant = ? AND t.type = ? AND s.attr IN ({marks}) AND s.dataset = ''"
        " ORDER BY s.series",
        (f'$."{area}"[0].value', tenant, entity_type, *attributes),
    ).fetchall()
    areas = {row[1]: str(row[4]) for row in registered}
    entities = sorted(areas)
    entity_at = {entity: i for i, entity in enumerate(entities)}
    attribute_at = {attribute: i for i, attribute in enumerate(attributes)}
    numbers = np.array([row[0] for row in registered], dtype=np.int64)
    entity_of = np.array([entity_at[row[1]] for row in registered], dtype=np.int32)
    attribute_of = np.array([attribute_at[row[2]] for row in registered], dtype=np.int32)
    hidden = {row[0]: row[3] for row in registered}
    series, at_us, value = visible_numbers(tx, sealed, hidden, span)
    where = np.searchsorted(numbers, series)
    none: Any = np.empty(0, np.int32)
    return Columns(
        entities=entities,
        areas=[areas[entity] for entity in entities],
        attributes=list(attributes),
        entity=entity_of[where] if len(series) else none,
        attribute=attribute_of[where] if len(series) else none,
        at_us=at_us,
        value=value,
    )
