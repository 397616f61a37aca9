"""Recent observations in SQLite, and the register of series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import orjson

from chengmai.kernel.instants import format_us, parse_us, to_us
from chengmai.ngsild.entity import VALUE_MEMBER, Instance
from chengmai.store.sqlite.rows import Insert, Row
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
NUMBERS = 4096
"""How many numbers of series are taken at once."""
_FIND = "SELECT attr, dataset, series, kind, unit FROM series WHERE tenant = ? AND entity = ?"
_ADD = Insert("INSERT INTO series (series, tenant, entity, attr, dataset, kind, unit)", 7)
_TAKE = Insert(
    "INSERT INTO series_number (id, upto)", 2, "ON CONFLICT DO UPDATE SET upto = excluded.upto"
)
# A correction takes a new seq, so that sealing, which works by seq, never overlooks it.
_RECORD = Insert(
    "INSERT OR REPLACE INTO observation (series, at_us, modified_us, observed, num, body)", 6
)
Register = dict[tuple[str, str], Series]
"""The series of one entity by attribute and dataset."""


def number_of(instance: Instance) -> float | None:
    """Return the value of a Property when a float keeps it exactly, else None."""
    value = instance.get("value")
    if instance["type"] != "Property" or value is True or value is False:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and -_MAX_EXACT <= value <= _MAX_EXACT:
        return float(value)
    return None


def body_of(
    instance: Instance, number: float | None, series: Series, *, born: str | None = None
) -> str | None:
    """Return the JSON to keep beside the number, or None when the number and the series say it all.

    `born` is `createdAt` where that is not the instant at which the observation was recorded.
    """
    _, kind, unit = series
    if (
        number is not None
        and born is None
        and instance["type"] == kind
        and instance.get("unitCode", "") == unit
        and _PLAIN.issuperset(instance)
    ):
        return None
    kept = {k: v for k, v in instance.items() if k not in ("createdAt", "modifiedAt", "deletedAt")}
    if born is not None:
        kept["createdAt"] = born
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
    made["modifiedAt"] = format_us(modified_us)
    made.setdefault("createdAt", made["modifiedAt"])
    return made


def series_of(tx: SqliteTx, tenant: str, entity_id: str, wanted: Sequence[Wanted]) -> Register:
    """Return the series of an entity; those wanted are made, with kind and unit given, when they are new."""
    key = ("series", tenant, entity_id)
    known: Register | None = tx.recall(key)
    if known is None:
        rows = tx.peek.execute(_FIND, (tenant, entity_id))
        known = {(row[0], row[1]): row[2:] for row in rows}
        tx.remember(key, known, 250 * len(known))
    new = {one[:2]: one for one in reversed(wanted) if one[:2] not in known}
    if new:
        number = _numbers(tx, len(new))
        added: list[Row] = []
        # A unit of work that is undone must leave no trace in what others remember.
        known = dict(known)
        for place, (attribute, dataset, kind, unit) in enumerate(reversed(new.values()), number):
            known[attribute, dataset] = (place, kind, unit)
            added.append((place, tenant, entity_id, attribute, dataset, kind, unit))
        tx.insert_all(_ADD, added)
        tx.remember(key, known, 250 * len(known))
    return known


def _numbers(tx: SqliteTx, count: int) -> int:
    """Return the first of `count` numbers that no series has had.

    Numbers are taken in blocks, and few are never used.
    """
    block: tuple[int, int] | None = tx.recall("series numbers")
    if block is None:
        ((taken,),) = tx.peek.execute("SELECT upto FROM series_number").fetchall()
        block = (taken, taken)
    last, upto = block
    if last + count > upto:
        upto += max(NUMBERS, count)
        tx.insert(_TAKE, (1, upto))
    tx.remember("series numbers", (last + count, upto))
    return last + 1


def record(
    tx: SqliteTx,
    tenant: str,
    entity_id: str,
    changes: Sequence[tuple[str, Instance]],
    *,
    stamped: bool = False,
) -> None:
    """Write each (attribute IRI, instance) as an observation, recorded now or, `stamped`, when it says."""
    if not changes:
        return
    now_us = to_us(tx.now)
    known: Register = tx.recall(("series", tenant, entity_id)) or {}
    unobserved: dict[tuple[int, int], int] = {}
    instants: dict[str, int] = {}
    rows: list[Row] = []
    recorded_us, born = now_us, None
    for attribute, instance in changes:
        get = instance.get
        series = known.get((attribute, get("datasetId", "")))
        if series is None:
            known = series_of(tx, tenant, entity_id, [_wanted(*one) for one in changes])
            series = known[attribute, get("datasetId", "")]
        number = number_of(instance)
        text = get("observedAt")
        observed = text is not None
        if stamped:
            recorded_us, born = _stamps(instance, now_us)
        if not text and (text := get("deletedAt")) is None:
            # Several that came together without an instant of their own stand side by side.
            beside = unobserved.get((series[0], recorded_us), 0)
            at_us = recorded_us + beside
            unobserved[series[0], recorded_us] = beside + 1
        elif (at := instants.get(text)) is not None:
            at_us = at
        else:
            at_us = instants[text] = parse_us(text)
        body = body_of(instance, number, series, born=born)
        rows.append((series[0], at_us, recorded_us, observed, number, body))
    tx.insert_all(_RECORD, rows)


def _wanted(attribute: str, instance: Instance) -> Wanted:
    return (
        attribute,
        instance.get("datasetId", ""),
        instance["type"],
        instance.get("unitCode", ""),
    )


def _stamps(instance: Instance, now_us: int) -> tuple[int, str | None]:
    """Return when an instance was recorded where it comes from, and `createdAt` when that is another instant.

    Who does not tell the one is taken at the next best: it cannot be later than that it was observed.
    """
    told = ("modifiedAt", "createdAt", "deletedAt", "observedAt")
    text = next((instance[name] for name in told if name in instance), None)
    recorded_us = now_us if text is None else parse_us(text)
    born = instance.get("createdAt")
    return recorded_us, None if born is None or parse_us(born) == recorded_us else str(born)


def take_seq(tx: SqliteTx) -> int:
    """Return a seq that no observation has: what is sealed without having been recent lies between what was
    recorded before and what comes after, as a deletion does."""
    tx.db.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'observation'")
    if not tx.db.changes():
        tx.db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('observation', 1)")
    ((seq,),) = tx.db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'observation'")
    return int(seq)


def void(tx: SqliteTx, series: int, at_us: int) -> None:
    """Remove one observation: an empty row hides what is sealed until the sealer has dropped it."""
    tx.insert(_RECORD, (series, at_us, to_us(tx.now), False, None, None))


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
            " WHERE tenant = ? AND entity = ? AND series = ?",
            (tenant, entity_id, number),
        )
        tx.db.execute(
            "INSERT INTO history_drop (series, seq) SELECT series, hidden_seq FROM series"
            " WHERE tenant = ? AND entity = ? AND series = ?"
            " ON CONFLICT (series) DO UPDATE SET seq = excluded.seq",
            (tenant, entity_id, number),
        )
