"""Recent observations in SQLite: one row a change, which holds all that was recorded with it.

With a row an observation, and its place in an index, a change wrote twenty rows where it now writes one. What
is recent is found by the entity that it is of; it is sealed within seconds, and sorted by series and time then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import orjson

from chengmai.kernel.instants import format_us, parse_us, to_us
from chengmai.ngsild.entity import VALUE_MEMBER, Instance
from chengmai.store.duckdb.taking import Row
from chengmai.store.sqlite.register import (
    Series,
    Wanted,
    entries,
    put,
    register_of,
    registered,
)
from chengmai.store.sqlite.rows import Insert
from chengmai.store.sqlite.work import SqliteTx

_PLAIN = frozenset(
    {"type", "value", "unitCode", "observedAt", "createdAt", "modifiedAt", "datasetId"}
)
DELETED = '{"deletedAt":'
"""How the body of a deletion begins, and no other: its members are written in this order."""
_MAX_EXACT = 2**53
_RECORD = Insert("INSERT INTO recent (owner, recorded_us, rows)", 3)
_MOST_A_ROW = 100
"""How many observations are packed into one row, so that a long past can be sealed bit by bit."""
LAST_SEQ = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'recent'"
_DROP = Insert(
    "INSERT INTO history_drop (series, seq)",
    2,
    "ON CONFLICT (series) DO UPDATE SET seq = excluded.seq",
)
RECENT = "SELECT seq, recorded_us, rows FROM recent"
Packed: TypeAlias = tuple[int, int, bytes]
"""seq, recorded_us and rows, as `RECENT` finds them."""


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


def unpacked(changes: Iterable[Packed]) -> Iterator[Row]:
    """Yield the observations of some changes in the order in which they were recorded.

    One that comes again, of the same series and instant, corrects those before it.
    """
    for seq, recorded_us, rows in changes:
        for series, at_us, observed, num, body, *stamp in orjson.loads(rows):
            yield series, at_us, stamp[0] if stamp else recorded_us, seq, observed, num, body


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
    register = register_of(tx, tenant, entity_id)
    find = register.find
    unobserved: dict[tuple[int, int], int] = {}
    instants: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    for attribute, instance in changes:
        get = instance.get
        series = find(attribute, get("datasetId", ""))
        if series is None:
            wanted = [_wanted(*one) for one in changes]
            register = registered(tx, tenant, entity_id, wanted, register)
            find = register.find
            series = find(attribute, get("datasetId", ""))
            assert series is not None
        number = number_of(instance)
        text = get("observedAt")
        observed = text is not None
        recorded_us, born = _stamps(instance, now_us) if stamped else (now_us, None)
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
        if recorded_us == now_us:
            rows.append((series[0], at_us, observed, number, body))
        else:
            rows.append((series[0], at_us, observed, number, body, recorded_us))
    for begin in range(0, len(rows), _MOST_A_ROW):
        some = orjson.dumps(rows[begin : begin + _MOST_A_ROW])
        tx.insert(_RECORD, (register.owner, now_us, some))


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


def last_seq(tx: SqliteTx) -> int:
    """Return the highest seq that was ever given out."""
    ((seq,),) = tx.db.execute(LAST_SEQ)
    return int(seq)


def take_seq(tx: SqliteTx) -> int:
    """Return a seq that no change has: what is sealed without having been recent lies between what was
    recorded before and what comes after, as a deletion does."""
    tx.db.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'recent'")
    if not tx.db.changes():
        tx.db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('recent', 1)")
    return last_seq(tx)


def void(tx: SqliteTx, owner: int, series: int, at_us: int) -> None:
    """Remove one observation: an empty row hides what is sealed until the sealer has dropped it."""
    tx.insert(_RECORD, (owner, to_us(tx.now), orjson.dumps([(series, at_us, False, None, None)])))


def forget(
    tx: SqliteTx, tenant: str, entity_id: str, attribute: str | None, dataset_id: str | None
) -> None:
    """Hide everything recorded so far of the series named; the sealed part drops it when it next seals."""
    dataset = "" if dataset_id == "@none" else dataset_id
    numbers = [
        one.series
        for one in entries(tx, tenant, entity_id, None if attribute is None else [attribute])
        if dataset is None or one.dataset == dataset
    ]
    if not numbers:
        return
    register = register_of(tx, tenant, entity_id)
    # Nothing sealed later may carry a seq at or below this one: it is the highest ever given out.
    seq = last_seq(tx)
    if attribute is None and dataset is None:
        tx.db.execute("DELETE FROM recent WHERE owner = ?", (register.owner,))
    put(tx, tenant, entity_id, register.hide(numbers, seq))
    tx.insert_all(_DROP, [(number, seq) for number in numbers])
