"""The beginning of an order, without the rest: entities by an attribute, from the index of values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chengmai.broker.model import Stored
from chengmai.broker.ports import Candidates, Rank
from chengmai.store.sqlite.choosing import is_narrow
from chengmai.store.sqlite.qsql import Asked, Sql
from chengmai.store.sqlite.values import INSTANT, LINK, NUMBER, OTHER, TEXT, TRUTH, WRAPPED
from chengmai.store.sqlite.work import SqliteTx

_ODD = " OR ".join(["EXISTS (SELECT 1 FROM entity_value WHERE key = ? AND kind = ?)"] * 4)
_RANKS: dict[int, Callable[[Any], Rank]] = {
    NUMBER: lambda value: (0, value),
    TEXT: lambda value: (1, (value,)),
    TRUTH: lambda value: (2, bool(value)),
}
"""As `ngsild.ordering` ranks plain values; the numbers of the kinds stand in the same order."""


def are_more(tx: SqliteTx, tenant: str, which: Candidates, than: int) -> bool:
    """Return whether there are more entities of the types than so many."""
    where, values = _of_types(which, "t.type", "t.tenant = ?", tenant)
    text = f"SELECT 1 FROM entity_type t WHERE {where} LIMIT 1 OFFSET ?"
    return bool(tx.db.execute(text, (*values, than)).fetchall())


def walked(
    tx: SqliteTx, tenant: str, which: Candidates, asked: Asked, key: int, *, descending: bool
) -> Sql | None:
    """Return the statement that reads (kind, value, row) in order, equal ones by id.

    None where values are among them that no order can go by, or where few entities are meant.
    """
    odd = [value for kind in (INSTANT, LINK, WRAPPED, OTHER) for value in (key, kind)]
    ((is_odd,),) = tx.db.execute(f"SELECT {_ODD}", odd)
    if is_odd or which.ids is not None or is_narrow(tx, which, asked):
        return None
    where, values = ["v.key = ?"], [key]
    if which.types is not None:
        of_type, more = _of_types(which, "t.type", "t.tenant = ? AND t.id = e.id", tenant)
        where.append(f"EXISTS (SELECT 1 FROM entity_type t WHERE {of_type})")
        values += more
    if asked.judged is not None:
        where.append(f"({asked.judged.where.text})".replace("{row}", "v.row"))
        values += asked.judged.where.values
    down = " DESC" if descending else ""
    return Sql(
        "SELECT v.kind, v.val, v.row FROM entity_value v INDEXED BY entity_value_by"
        f" CROSS JOIN entity e ON e.row = v.row WHERE {' AND '.join(where)}"
        f" ORDER BY v.kind{down}, v.val{down}, e.id",
        tuple(values),
    )


def ranked(db: Any, walk: Sql) -> Iterator[tuple[Rank, Stored]]:
    """Yield what `walked` reads; whoever stops early does not leave the statement open."""
    rows = db.execute(walk.text, walk.values)
    try:
        for kind, value, row in rows:
            # Not read together: of many that are equal few are wanted.
            ((doc,),) = db.execute("SELECT doc FROM entity WHERE row = ?", (row,)).fetchall()
            yield _RANKS[kind](value), (row, doc)
    finally:
        rows.close()


def _of_types(
    which: Candidates, column: str, where: str, tenant: str
) -> tuple[str, tuple[Any, ...]]:
    if which.types is None:
        return where, (tenant,)
    marks = ", ".join("?" * len(which.types))
    return f"{where} AND {column} IN ({marks})", (tenant, *which.types)
