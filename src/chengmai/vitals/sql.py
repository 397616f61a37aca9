"""The query of a sign, checked before it is ever run.

Everything is refused that is not on a list: kinds of expression, functions, views, columns. A list of what
is forbidden would have to foresee every function that reads a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError, SqlglotError
from sqlglot.optimizer.qualify import qualify

from chengmai.vitals.problems import SqlRefused

OUTPUT = ("area", "tick", "value")
SHARES = ("area", "tick", "numerator", "denominator")
"""What the query of an indicator gives in place of it."""
KEYS = ("entity", "area", "at", "tick")
"""Columns that every view has beside its attributes."""
TABLE_KEYS = ("name", "since", "until")
"""Columns that every table of a pack has beside its own: of what its row is, from when, before when."""
_LONGEST = 8_000

# Only what both engines know, or sqlglot says in the words of each.
_FUNCTIONS = (
    "Abs AnyValue Avg Cast Ceil Coalesce Corr Count CountIf Exp Extract FirstValue Floor Greatest If Lag "
    "LastValue Lead Least Ln Max Median Min Nullif PercentileCont PercentileDisc Pow RegrSlope Round "
    "RowNumber Sign Sqrt Stddev StddevPop StddevSamp Sum TimestampTrunc Variance VariancePop Case And Or"
)
_GRAMMAR = (
    "Select Alias Column Identifier Table TableAlias From Where Group Having Order Ordered Limit Join "
    "Subquery CTE With Union Distinct Paren Literal Boolean Null Star Interval Var DataType DataTypeParam "
    "Add Sub Mul Div IntDiv Mod Neg Not EQ NEQ GT GTE LT LTE Between In Is Tuple Filter "
    "Window WindowSpec WithinGroup"
)
_ALLOWED = frozenset(f"{_FUNCTIONS} {_GRAMMAR}".split())
_TYPES = frozenset({"DOUBLE", "FLOAT", "INT", "BIGINT", "BOOLEAN", "DATE", "TIMESTAMP", "DECIMAL"})


@dataclass(frozen=True)
class CheckedSql:
    """A query that passed: its text, its views, and the columns of each that it may touch."""

    text: str
    views: Mapping[str, tuple[str, ...]]
    tables: frozenset[str] = frozenset()
    """The tables of packs that it joins."""
    names_entities: bool = True
    """Whether it makes any difference to it which entity a row is of."""

    def sql_for(self, dialect: Literal["duckdb", "postgres"]) -> str:
        """Return the query in the words of an engine; it is kept in those of DuckDB."""
        if dialect == "duckdb":
            return self.text
        return sqlglot.parse_one(self.text, read="duckdb").sql(dialect)


def check_sql(
    sql: str,
    views: Mapping[str, Sequence[str]],
    param: str = "sql",
    *,
    tables: Mapping[str, Sequence[str]] | None = None,
    output: Sequence[str] = OUTPUT,
) -> CheckedSql:
    """Return the query of a sign when it is one SELECT over `views` that gives area, tick and value.

    `views` maps the name of each view to its attribute columns; `entity`, `area`, `at`, `tick` are there
    as well; `output` are other columns that it has to give. `tables` are those of packs, which have `name`,
    `since` and `until`. `param` names the query in the problem. Raises `SqlRefused`, which names the
    offending piece and what is allowed instead.
    """
    joined = tables or {}
    tree = _one_select(sql, param)
    for node in tree.walk():
        _check_node(node, param)
    used = _check_views(tree, {**views, **joined}, param)
    if not used & set(views):
        raise _refused(param, "the query reads no view", _choices(views))
    _check_output(tree, output, param)
    known = {view: (*KEYS, *columns) for view, columns in views.items()}
    known |= {table: (*TABLE_KEYS, *columns) for table, columns in joined.items()}
    _check_columns(tree, known, used, param)
    named = {column.name.lower() for column in tree.find_all(exp.Column)}
    columns = {
        view: tuple(c for c in views[view] if c.lower() in named)
        for view in sorted(used & set(views))
    }
    every = any(not isinstance(star.parent, exp.Count) for star in tree.find_all(exp.Star))
    return CheckedSql(
        tree.sql("duckdb"),
        columns,
        frozenset(used & set(joined)),
        names_entities=every or "entity" in named,
    )


def _one_select(sql: str, param: str) -> exp.Query:
    if len(sql) > _LONGEST:
        raise _refused(param, f"the query is longer than {_LONGEST} characters", "make it shorter")
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="duckdb") if tree is not None]
    except (SqlglotError, RecursionError) as error:
        said = str(error).splitlines()[0]
        raise _refused(param, f"the query cannot be read: {said}", "correct the SQL") from error
    if len(trees) != 1:
        raise _refused(param, f"there are {len(trees)} statements", "write exactly one SELECT")
    tree = trees[0]
    if not isinstance(tree, exp.Select | exp.Union):
        kind = type(tree).__name__.upper()
        raise _refused(param, f"{kind} is not a SELECT", "write one SELECT; WITH is allowed")
    return tree


def _check_node(node: exp.Expr, param: str) -> None:
    kind = type(node).__name__
    if isinstance(node, exp.Anonymous):
        raise _no_function(node.name, param)
    if kind not in _ALLOWED:
        if isinstance(node, exp.Func):
            raise _no_function(node.sql_name().lower(), param)
        piece = node.sql("duckdb")[:60]
        raise _refused(
            param, f"{kind.lower()} is not allowed: {piece}", "use SELECT, JOIN, WITH, GROUP BY"
        )
    if isinstance(node, exp.DataType) and node.this.name not in _TYPES | {"INTERVAL"}:
        raise _refused(
            param, f"type {node.sql()} is not allowed", "use " + ", ".join(sorted(_TYPES)).lower()
        )
    if isinstance(node, exp.With) and node.recursive:
        raise _refused(
            param, "WITH RECURSIVE is not allowed", "write a WITH that does not call itself"
        )


def _check_views(tree: exp.Query, views: Mapping[str, Sequence[str]], param: str) -> set[str]:
    named = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    shadowed = named & set(views)
    if shadowed:
        raise _refused(
            param, f"WITH names a view again: {sorted(shadowed)[0]}", "give it another name"
        )
    used = set()
    for table in tree.find_all(exp.Table):
        if table.db or table.catalog or not isinstance(table.this, exp.Identifier):
            piece = table.sql("duckdb")[:60]
            raise _refused(param, f"{piece} is not a view", _choices(views))
        if table.name in named:
            continue
        if table.name not in views:
            raise _refused(param, f"there is no view {table.name!r}", _choices(views))
        used.add(table.name)
    return used


def _check_output(tree: exp.Query, output: Sequence[str], param: str) -> None:
    names = tuple(tree.named_selects)
    if sorted(names) != sorted(output):
        given = ", ".join(names) or "nothing"
        raise _refused(
            param,
            f"the query gives {given}",
            f"give exactly the columns {', '.join(output)} (name them with AS)",
        )


def _check_columns(
    tree: exp.Query, views: Mapping[str, Sequence[str]], used: set[str], param: str
) -> None:
    # Only what the query reads: a schema of every view costs more than the query.
    schema: dict[str, object] = {view: dict.fromkeys(views[view], "DOUBLE") for view in used}
    try:
        qualify(tree.copy(), schema=schema, dialect="duckdb", quote_identifiers=False)
    except (OptimizeError, SqlglotError) as error:
        said = str(error).splitlines()[0]
        every = "; ".join(f"{view}: {', '.join(c)}" for view, c in views.items())
        raise _refused(param, said[0].lower() + said[1:], f"the columns are {every}") from error


def _no_function(name: str, param: str) -> SqlRefused:
    known = ", ".join(sorted(_names(_FUNCTIONS.split())))
    return _refused(param, f"function {name}() is not allowed", f"use one of {known}")


def _names(kinds: Iterable[str]) -> set[str]:
    classes = (getattr(exp, kind) for kind in kinds if kind not in {"And", "Or", "Case"})
    return {kind.sql_name().lower() for kind in classes}


def _choices(views: Mapping[str, Sequence[str]]) -> str:
    return "use the views " + ", ".join(sorted(views))


def _refused(param: str, detail: str, fix: str) -> SqlRefused:
    return SqlRefused(detail, param=param, fix=fix)
