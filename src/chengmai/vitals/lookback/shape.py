"""What kind of figure a query gives: a sum, a mean, a ratio, or some other formula. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlglot
from sqlglot import exp

from chengmai.vitals.lookback.explaining import Kind
from chengmai.vitals.sql import CheckedSql


@dataclass(frozen=True)
class Shape:
    """The kind, and for all but a formula the queries that give total and weight of each entity.

    Their column `area` holds the id of the entity. The sign's value of an area is
    factor · Σ total / Σ weight (of a sum: factor · Σ total).
    """

    kind: Kind
    factor: float = 1.0
    total: CheckedSql | None = None
    weight: CheckedSql | None = None


FORMULA = Shape("formula")


def shape_of(checked: CheckedSql) -> Shape:
    """Return the shape of a checked query.

    Known are `factor * SUM(a)`, `factor * AVG(a)` and `factor * SUM(a) / SUM(b)` over one view, grouped by area
    and tick and nothing else. All other queries are formulas.
    """
    tree = sqlglot.parse_one(checked.text, read="duckdb")
    if not isinstance(tree, exp.Select) or not _is_plain(tree):
        return FORMULA
    value = next(one.unalias() for one in tree.selects if one.alias_or_name == "value")
    factor, bare = _factored(value)
    match bare:
        case exp.Sum():
            return Shape("sum", factor, _by_entity(checked, tree, bare))
        case exp.Avg():
            total, count = exp.Sum(this=bare.this.copy()), exp.Count(this=bare.this.copy())
            return Shape(
                "mean", factor, _by_entity(checked, tree, total), _by_entity(checked, tree, count)
            )
        case exp.Div():
            return _ratio(checked, tree, factor, bare)
        case _:
            return FORMULA


def _ratio(checked: CheckedSql, tree: exp.Select, factor: float, bare: exp.Div) -> Shape:
    above, total = _factored(bare.this)
    below = bare.expression
    if isinstance(below, exp.Nullif) and isinstance(below.expression, exp.Literal):
        below = below.this
    under, weight = _factored(below)
    if not isinstance(total, exp.Sum) or not isinstance(weight, exp.Sum) or not under:
        return FORMULA
    return Shape(
        "ratio",
        factor * above / under,
        _by_entity(checked, tree, total),
        _by_entity(checked, tree, weight),
    )


def _is_plain(tree: exp.Select) -> bool:
    if any(
        tree.args.get(part) for part in ("with_", "with", "joins", "having", "distinct", "limit")
    ):
        return False
    source = tree.args.get("from_") or tree.args.get("from")
    if source is None or not isinstance(source.this, exp.Table):
        return False
    group = tree.args.get("group")
    names = sorted(one.name for one in group.expressions) if group else []
    return names == ["area", "tick"] and not any(tree.find_all(exp.Window, exp.Subquery))


def _factored(node: exp.Expr) -> tuple[float, exp.Expr]:
    """Return a node without the numbers that it is multiplied with, and their product."""
    factor = 1.0
    while True:
        node = node.unnest()
        if not isinstance(node, exp.Mul):
            return factor, node
        left, right = node.this.unnest(), node.expression.unnest()
        if isinstance(left, exp.Literal) and not left.is_string:
            factor, node = factor * float(left.name), right
        elif isinstance(right, exp.Literal) and not right.is_string:
            factor, node = factor * float(right.name), left
        else:
            return factor, node


def _by_entity(checked: CheckedSql, tree: exp.Select, value: exp.Expr) -> CheckedSql:
    """Return the query that gives `value` of each entity and tick."""
    made = tree.copy()
    made.set(
        "expressions",
        [
            exp.alias_(exp.column("entity"), "area"),
            exp.column("tick"),
            exp.alias_(value.copy(), "value"),
        ],
    )
    made.set("group", exp.Group(expressions=[exp.column("entity"), exp.column("tick")]))
    made.set("order", None)
    # A table alias before the columns of the group would name what is not grouped any more.
    return replace(checked, text=made.sql("duckdb"), names_entities=True)
