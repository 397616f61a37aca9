"""Recent observations in SQLite, and the register of series."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from chengmai.kernel.instants import format_us, parse_us, to_us
from chengmai.ngsild.entity import VALUE_MEMBER, Instance
from chengmai.store.sqlite.work import SqliteTx

Series = tuple[int, str, str]
"""number of the series, kind, unit code"""
Wanted = tuple[str, str, str, str]
"""attribute, dataset, and the kind and unit code it is made with when it is new"""

_PLAIN = frozenset(
    {"type", "value", "unitCode", "observedAt", "createdAt", "modifiedAt", "datasetId"}
)
DELETED = '{"deletedAt":'
"""How the body of a deletion begins, and no other: its members are written in this order."""
_MAX_EXACT = 2**53
_AT_ONCE = 100
_FIND = "SELECT series, attr, dataset, kind, unit FROM series WHERE tenant = ? AND entity = ?"
_ADD = (
    "INSERT INTO series (tenant, entity, attr, dataset, kind, unit) VALUES {}"
    " RETURNING series, attr, dataset, kind, unit"
)
# A correction takes a new seq, so that sealing, which works by seq, never overlooks it.
_RECORD = (
    "INSERT OR REPLACE INTO observation (series, at_us, modified_us, observed, num, body)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)


def number_of(instance: Instance) -> float | None:
    """Return the value of a Property when a float keeps it exactly, else None."""
    value = instance.get("value")
    if instance["type"] != "Property" or isinstance(value, bool):
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and abs(value) <= _MAX_EXACT:
        return float(value)
    return None


def body_of(instance: Instance, number: float | None, series: Series) -> str | None:
    """Return the JSON to keep beside the number, or None when the number and the series say it all."""
    _, kind, unit = series
    if (
        number is not None
        and instance["type"] == kind
        and instance.get("unitCode", "") == unit
        and _PLAIN.issuperset(instance)
    ):
        return None
    kept = {k: v for k, v in instance.items() if k not in ("createdAt", "modifiedAt", "deletedAt")}
    if "deletedAt" in instance:
        kept = {"deletedAt": instance["deletedAt"], **kept}
    return orjson.dumps(kept).decode()


def instance_of(
    series: Series, dataset: str, at_us: int, modified_us: int, observed: bool, num: Any, body: Any
) -> Instance:
    """Return the instance that was recorded, with its `instanceId`."""
    number, kind, unit = series
    if body is not None:
        made: Instance = orjson.loads(body)
    else:
        # Beyond 2^53 a float is not the whole number it looks like, and JSON could not hold it either.
        value = int(num) if abs(num) <= _MAX_EXACT and float(num).is_integer() else num
        made = {"type": kind, VALUE_MEMBER[kind]: value}
        if unit:
            made["unitCode"] = unit
        if dataset:
            made["datasetId"] = dataset
        if observed:
            made["observedAt"] = format_us(at_us)
    made.setdefault("instanceId", f"urn:ngsi-ld:Instance:{number}:{at_us}")
    made["createdAt"] = made["modifiedAt"] = format_us(modified_us)
    return made


def series_of(
    tx: SqliteTx, tenant: str, entity_id: str, wanted: Sequence[Wanted]
) -> dict[tuple[str, str], Series]:
    """Return the series of (attribute, dataset), made with the kind and unit given when they are new."""
    found: dict[tuple[str, str], Series] = {}
    missing: dict[tuple[str, str], Wanted] = {}
    for one in wanted:
        known = tx.recall(("series", tenant, entity_id, one[0], one[1]))
        if known is None:
            missing[one[0], one[1]] = one
        else:
            found[one[0], one[1]] = known
    if missing:
        for series, attr, dataset, kind, unit in tx.db.execute(_FIND, (tenant, entity_id)):
            if missing.pop((attr, dataset), None) is not None:
                found[attr, dataset] = (series, kind, unit)
                tx.remember(("series", tenant, entity_id, attr, dataset), (series, kind, unit))
    for begin in range(0, len(missing), _AT_ONCE):
        new = list(missing.values())[begin : begin + _AT_ONCE]
        marks = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(new))
        values = [value for one in new for value in (tenant, entity_id, *one)]
        for series, attr, dataset, kind, unit in tx.db.execute(_ADD.format(marks), values):
            found[attr, dataset] = (series, kind, unit)
            tx.remember(("series", tenant, entity_id, attr, dataset), (series, kind, unit))
    return found


def record(
    tx: SqliteTx,
    tenant: str,
    entity_id: str,
    changes: Sequence[tuple[str, Instance]],
) -> None:
    """Write each (attribute IRI, instance) as an observation."""
    now_us = to_us(tx.now)
    rows = []
    wanted = [
        (name, one.get("datasetId", ""), one["type"], one.get("unitCode", ""))
        for name, one in changes
    ]
    known = series_of(tx, tenant, entity_id, wanted)
    unobserved: Counter[int] = Counter()
    for attribute, instance in changes:
        series = known[attribute, instance.get("datasetId", "")]
        number = number_of(instance)
        observed = "observedAt" in instance
        if observed:
            at_us = parse_us(instance["observedAt"])
        elif "deletedAt" in instance:
            at_us = parse_us(instance["deletedAt"])
        else:
            # Several that came together without an instant of their own stand side by side.
            at_us = now_us + unobserved[series[0]]
            unobserved[series[0]] += 1
        rows.append((series[0], at_us, now_us, observed, number, body_of(instance, number, series)))
    tx.db.executemany(_RECORD, rows)


def void(tx: SqliteTx, series: int, at_us: int) -> None:
    """Remove one observation: an empty row hides what is sealed until the sealer has dropped it."""
    tx.db.execute(_RECORD, (series, at_us, to_us(tx.now), False, None, None))


def forget(
    tx: SqliteTx, tenant: str, entity_id: str, attribute: str | None, dataset_id: str | None
) -> None:
    """Hide everything recorded so far of the series named; the sealed part drops it when it next seals."""
    where, values = "tenant = ? AND entity = ?", [tenant, entity_id]
    if attribute is not None:
        where += " AND attr = ?"
        values.append(attribute)
    if dataset_id is not None:
        where += " AND dataset = ?"
        values.append("" if dataset_id == "@none" else dataset_id)
    numbers = [row[0] for row in tx.db.execute(f"SELECT series FROM series WHERE {where}", values)]
    for number in numbers:
        tx.db.execute("DELETE FROM observation WHERE series = ?", (number,))
        # Nothing sealed later may carry a seq at or below this one: it is the highest ever given out.
        tx.db.execute(
            "UPDATE series SET hidden_seq ="
            " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'observation'), 0)"
            " WHERE series = ?",
            (number,),
        )
        tx.db.execute(
            "INSERT INTO history_drop (series, seq) SELECT series, hidden_seq FROM series"
            " WHERE series = ? ON CONFLICT (series) DO UPDATE SET seq = excluded.seq",
            (number,),
        )
