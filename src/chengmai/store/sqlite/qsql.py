"""From the tree of `q` to SQL over the index of values (`values.py`): never fewer entities than match.

Each term becomes a condition on one row of the store and, where a range of the index holds all that can
match, that range, so that a narrow question starts from it. Where nothing but plain values is indexed the
condition is exact, and the store can count and skip by itself; elsewhere `ngsild.q` judges again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from chengmai.ngsild.q import And, Comparison, Or, Query, Range
from chengmai.store.sqlite.values import (
    INSTANT,
    LINK,
    NUMBER,
    OTHER,
    TEXT,
    TRUTH,
    WRAPPED,
    us_of,
)

_OPERATORS = {"==": "=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_TERMS_AT_MOST = 64


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of a statement and the values bound in it."""

    text: str
    values: tuple[Any, ...] = ()


KeyOf: TypeAlias = Callable[[Comparison], int | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """A condition on `{row}`; `inexact` are the (key, kind) whose presence makes it a superset only.

    `ranges` select the `row` of all that can match, each from one stretch of the index; None: all may.
    """

    where: Sql
    inexact: frozenset[tuple[int, int]] = frozenset()
    ranges: tuple[Sql, ...] | None = None


@dataclass(slots=True)
class Asked:
    """What the index knows of a query: the condition on a row, or None when no part of it has an index.

    `missing` are terms without one, `ways` the ranges to start from (of each, all that can match lies in
    them), `is_whole` says that nothing is left to judge where no value is odd.
    """

    judged: Judged | None = None
    missing: list[Comparison] = field(default_factory=list)
    ways: list[tuple[Sql, ...]] = field(default_factory=list)
    is_whole: bool = False
    odd: Sql | None = None
    """Tells whether there is a value that only the entity can answer for; without a text: there is none."""


def judged(query: Query, key_of: KeyOf) -> Asked:
    """Return what the index knows of `query`."""
    asked = Asked()
    if _size(query) <= _TERMS_AT_MOST:
        asked.judged, asked.is_whole = _made(query, key_of, asked, at_top=True)
    return asked


def _size(query: Query) -> int:
    return 1 if isinstance(query, Comparison) else sum(map(_size, query.terms))


def _made(query: Query, key_of: KeyOf, asked: Asked, *, at_top: bool) -> tuple[Judged | None, bool]:
    if isinstance(query, And | Or):
        below = at_top and isinstance(query, And)
        parts = [_made(term, key_of, asked, at_top=below) for term in query.terms]
        known = [part for part, _ in parts if part is not None]
        is_whole = all(whole for _, whole in parts)
        if not known or (isinstance(query, Or) and len(known) < len(parts)):
            return None, False
        made = _both(known) if isinstance(query, And) else _either(known)
    elif query.via:
        return None, False
    elif (key := key_of(query)) is None:
        asked.missing.append(query)
        return None, False
    else:
        made, is_whole = _term(query, key), query.op not in ("~=", "!~=")
    if at_top and made.ranges is not None:
        asked.ways.append(made.ranges)
    return made, is_whole


def _both(parts: list[Judged]) -> Judged:
    return Judged(_joined(parts, " AND "), _inexact(parts), None)


def _either(parts: list[Judged]) -> Judged:
    ranges = [one for part in parts for one in part.ranges or ()]
    whole = all(part.ranges is not None for part in parts)
    return Judged(_joined(parts, " OR "), _inexact(parts), tuple(ranges) if whole else None)


def _joined(parts: list[Judged], word: str) -> Sql:
    text = word.join(f"({part.where.text})" for part in parts)
    return Sql(text, tuple(value for part in parts for value in part.where.values))


def _inexact(parts: list[Judged]) -> frozenset[tuple[int, int]]:
    return frozenset[tuple[int, int]]().union(*(part.inexact for part in parts))


def _term(term: Comparison, key: int) -> Judged:
    if term.op == "absent":
        return Judged(Sql(f"NOT EXISTS ({_OF_ROW})", (key,)))
    if term.op in ("exists", "~=", "!~="):
        return Judged(_exists(key, Sql("1")), frozenset(), (_stretch(key, None, Sql("1")),))
    held, unsure = _compared("==" if term.op == "!=" else term.op, term.value)
    odd = (OTHER, *unsure)
    plain = " OR ".join(f"v.kind = {kind} AND {holds.text}" for kind, holds in held) or "0"
    values = tuple(value for _, holds in held for value in holds.values)
    also = f" OR v.kind IN ({', '.join(map(str, odd))})"
    inexact = frozenset((key, kind) for kind in odd)
    if term.op == "!=":
        unlike = f"v.kind <> {WRAPPED} AND NOT ({plain}){also}"
        return Judged(_exists(key, Sql(unlike, values)), inexact)
    ranges = [_stretch(key, kind, holds) for kind, holds in held]
    ranges += [_stretch(key, kind, Sql("1")) for kind in odd]
    return Judged(_exists(key, Sql(f"({plain}){also}", values)), inexact, tuple(ranges))


_OF_ROW = "SELECT 1 FROM entity_value v WHERE v.key = ? AND v.row = {row}"


def _exists(key: int, holds: Sql) -> Sql:
    # The unary plus keeps the planner on the key and row: the range of values would be read for every row.
    text = holds.text.replace("v.kind", "+v.kind").replace("v.val", "+v.val")
    return Sql(f"EXISTS ({_OF_ROW} AND ({text}))", (key, *holds.values))


def _stretch(key: int, kind: int | None, holds: Sql) -> Sql:
    start = "SELECT v.row FROM entity_value v INDEXED BY entity_value_by WHERE v.key = ?"
    if kind is None:
        return Sql(start, (key,))
    return Sql(f"{start} AND v.kind = ? AND {holds.text}", (key, kind, *holds.values))


def _compared(op: str, value: Any) -> tuple[list[tuple[int, Sql]], tuple[int, ...]]:
    """Return (kind, condition on `v.val`) of each kind of value that may stand so to `value`.

    Beside them the kinds that only the entity can answer for.
    """
    if isinstance(value, tuple):
        known = [_kinds_for(one, ordered=False) for one in value]
        unsure = {kind for _, odd in known for kind in odd}
        made: list[tuple[int, Sql]] = []
        for kind in sorted({kind for kinds, _ in known for kind in kinds} - unsure):
            wanted = tuple(kinds[kind] for kinds, _ in known if kind in kinds)
            made.append((kind, Sql(f"v.val IN ({', '.join('?' * len(wanted))})", wanted)))
        return made, tuple(sorted(unsure))
    bounds = [(">=", value.low), ("<=", value.high)] if isinstance(value, Range) else [(op, value)]
    known = [_kinds_for(bound, ordered=op != "==") for _, bound in bounds]
    unsure = {kind for _, odd in known for kind in odd}
    shared = set(known[0][0]).intersection(*(set(kinds) for kinds, _ in known)) - unsure
    text = " AND ".join(f"v.val {_OPERATORS[relation]} ?" for relation, _ in bounds)
    return [
        (kind, Sql(text, tuple(kinds[kind] for kinds, _ in known))) for kind in sorted(shared)
    ], tuple(sorted(unsure))


def _kinds_for(value: Any, *, ordered: bool) -> tuple[dict[int, Any], tuple[int, ...]]:
    """Return what `value` is compared as, by kind of the stored value, and the kinds left to the entity."""
    if isinstance(value, bool):
        return ({} if ordered else {TRUTH: int(value)}), ()
    if isinstance(value, int | float):
        return {NUMBER: value}, ()
    links = {} if ordered else {LINK: value}
    at_us = us_of(value)
    if at_us is None:
        # A stored instant is compared as a text here, and its text is not in the index.
        return {TEXT: value, **links}, (INSTANT,)
    return {TEXT: value, INSTANT: at_us, **links}, ()
