"""The linter of packs: what is well formed and still wrong. Every finding names file, key and fix."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise

from chengmai.kernel.units import UNITS, UnknownUnit, unit
from chengmai.packs.check_chains import check_chains, check_circles
from chengmai.packs.check_feeds import check_feeds
from chengmai.packs.check_pools import pool_findings
from chengmai.packs.check_rules import RuleCheck, check_rules
from chengmai.packs.model import (
    Band,
    EntitySpec,
    Expectation,
    Pack,
    TableRow,
    TableSpec,
    VitalSpec,
)
from chengmai.packs.problems import Finding

SqlCheck = Callable[[VitalSpec], list[str]]
"""Says what is wrong with a vital's query; the deep check lives with the engine that runs it."""

_NAME_AFTER_FROM = re.compile(r"\b(?:from|join)\s+([A-Za-z_][A-Za-z0-9_]*)", re.IGNORECASE)
_NAME_BEFORE_AS = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*)\s+as\s*\(", re.IGNORECASE)
_OF_A_PART = re.compile(r"\b(?:extract|trim|substring)\s*\([^()]*\)", re.IGNORECASE)
_ANY = (float("-inf"), float("inf"))
_POSSIBLE = {
    "speed": (0.0, 500.0),
    "temperature": (0.0, 3000.0),
    "mass_concentration": (0.0, 0.1),
    "pressure": (0.0, 1e9),
    "frequency": (0.0, 1e6),
    "time": (0.0, 1e10),
    "rate": (0.0, float("inf")),
}
"""What a city's sensor can measure at all, in base units: a range beyond it betrays the wrong unit."""
_POSSIBLE_IN = {"M1": (0.0, 10.0)}
"""The same by unit: what is dissolved in water is told in mg/L, and there may be more of it than in air."""


def check_pack(
    pack: Pack, *, sql_check: SqlCheck | None = None, rule_check: RuleCheck | None = None
) -> list[Finding]:
    """Return what is wrong in `pack`; empty when it may be used.

    `sql_check` adds the engine's word on SQL, `rule_check` that of the room that runs rules.
    """
    files = _Files(pack)
    return [
        *_ids(pack, files),
        *(f for entity in pack.entities for f in _entity(entity, files)),
        *(f for table in pack.tables for f in _table(table, files)),
        *check_feeds(pack, lambda feed: files.of("feeds", feed.id)),
        *(f for vital in pack.vitals for f in _vital(pack, vital, files, sql_check)),
        *pool_findings(pack, files.of),
        *_cases(pack, files),
        *check_rules(pack, files.of, rule_check),
        *(f for expectation in pack.expectations for f in _expectation(pack, expectation, files)),
    ]


def check_packs(
    packs: Sequence[Pack],
    *,
    sql_check: SqlCheck | None = None,
    rule_check: RuleCheck | None = None,
) -> list[Finding]:
    """Return what is wrong in several packs, what they say of the same id included."""
    found = [
        finding
        for pack in packs
        for finding in check_pack(pack, sql_check=sql_check, rule_check=rule_check)
    ]
    found += [finding for pack in packs for finding in check_chains(pack, packs)]
    found += check_circles(packs)
    for kind, ids in (
        ("pack", [pack.info.id for pack in packs]),
        ("category", [c.id for pack in packs for c in pack.cases.categories]),
        ("feed", [feed.id for pack in packs for feed in pack.feeds]),
        ("entity type", [entity.type for pack in packs for entity in pack.entities]),
        ("view or table", [name for pack in packs for name in _tables_and_views(pack)]),
    ):
        found += [
            Finding("pack.toml", "id", f"{kind} {name!r} is in two packs", "rename one of them")
            for name in _twice(ids)
        ]
    return found


class _Files:
    """Finds the file of a part again: the one whose `id` (or `type`) it is."""

    def __init__(self, pack: Pack) -> None:
        self._names: dict[tuple[str, str], str] = {}
        for path in sorted(pack.folder.glob("*/*.toml")):
            document = tomllib.loads(path.read_text(encoding="utf-8"))
            name = document.get("id") or document.get("type") or ""
            title = document.get("title", {}).get("en", "") if not name else ""
            relative = f"{path.parent.name}/{path.name}"
            self._names.setdefault((path.parent.name, str(name or title)), relative)
            for category in document.get("categories", []):
                self._names.setdefault(("cases", str(category.get("id"))), relative)

    def of(self, part: str, name: str) -> str:
        return self._names.get((part, name), f"{part}/")


def _ids(pack: Pack, files: _Files) -> Iterator[Finding]:
    for part, ids in (
        ("feeds", [feed.id for feed in pack.feeds]),
        ("vitals", [vital.id for vital in pack.vitals]),
        ("entities", [entity.type for entity in pack.entities]),
        ("entities", [entity.view for entity in pack.entities]),
        ("tables", [table.id for table in pack.tables]),
        ("rules", [rule.id for rule in pack.rules]),
        ("pools", [pool.id for pool in pack.pools]),
        ("cases", [category.id for category in pack.cases.categories]),
        ("cases", [responsible.id for responsible in pack.cases.units]),
        ("chains", [chain.id for chain in pack.chains]),
    ):
        for name in _twice(ids):
            yield Finding(
                files.of(part, name), "id", f"{name!r} is there twice", "rename one of them"
            )


def _entity(entity: EntitySpec, files: _Files) -> Iterator[Finding]:
    file = files.of("entities", entity.type)
    for name, spec in entity.attributes.items():
        key = f"attributes.{name}"
        if spec.value == "number" and spec.unit is None:
            yield Finding(file, key, "a number without a unit", "add unit, C62 for a plain number")
        if spec.unit is not None and spec.value != "number":
            yield Finding(file, key, "only numbers have units", "remove unit")
        if spec.unit is not None:
            yield from _unit(file, f"{key}.unit", spec.unit)
        if spec.value == "number" and (spec.min is None or spec.max is None):
            yield Finding(file, key, "no plausible range", "add min and max in the unit")
        elif spec.min is not None and spec.max is not None:
            yield from _range(file, key, spec.min, spec.max, spec.unit)


def _range(file: str, key: str, low: float, high: float, code: str | None) -> Iterator[Finding]:
    """Find a range that is empty, or impossible for what the unit measures."""
    known = UNITS.get(code or "")
    least, most = _POSSIBLE.get(known.dimension, _ANY) if known else _ANY
    least, most = _POSSIBLE_IN.get(code or "", (least, most))
    if low >= high:
        yield Finding(file, key, "the plausible range is empty", "give min below max")
    elif known and (known.to_base(low) < least or known.to_base(high) > most):
        message = f"{low:g} … {high:g} {known.symbol} cannot be: a wrong unit?"
        yield Finding(file, key, message, "correct min, max or unit")


def _table(table: TableSpec, files: _Files) -> Iterator[Finding]:
    file = files.of("tables", table.id)
    for name, column in table.columns.items():
        yield from _unit(file, f"columns.{name}.unit", column.unit)
    for number, row in enumerate(table.rows):
        key = f"rows.{number}"
        if set(row.values) != set(table.columns):
            columns = ", ".join(table.columns)
            yield Finding(file, f"{key}.values", "not the columns of the table", f"give {columns}")
        if row.from_ and row.until and row.from_ > row.until:
            yield Finding(file, key, "ends before it begins", "correct from or until")
    for one, other in combinations(table.rows, 2):
        if one.name == other.name and _start(one) <= _end(other) and _start(other) <= _end(one):
            yield Finding(
                file,
                f"rows ({one.name})",
                "two rows hold on the same day",
                "set until to the day before from",
            )


def _tables_and_views(pack: Pack) -> list[str]:
    return [*(entity.view for entity in pack.entities), *(table.id for table in pack.tables)]


def _vital(
    pack: Pack, vital: VitalSpec, files: _Files, sql_check: SqlCheck | None
) -> Iterator[Finding]:
    file = files.of("vitals", vital.id)
    yield from _unit(file, "unit", vital.unit)
    for number, band in enumerate(vital.bands):
        if not (band.source.zh.strip() and band.source.en.strip()):
            yield Finding(file, f"bands.{number}.source", "no source", "name standard and clause")
        if band.from_ and band.until and band.from_ > band.until:
            yield Finding(file, f"bands.{number}", "ends before it begins", "correct from or until")
    yield from _effective(file, vital.bands)
    if vital.stale_after < vital.step:
        yield Finding(file, "stale_after", "shorter than a step", "give at least one step")
    views = set(_tables_and_views(pack))
    for name in sorted(_views_named(vital.sql) - views):
        choice = ", ".join(sorted(views))
        yield Finding(
            file, "sql", f"there is no view {name!r} in the pack", f"use one of: {choice}"
        )
    if vital.opens and vital.opens.category not in {c.id for c in pack.cases.categories}:
        yield Finding(
            file,
            "opens.category",
            f"no category {vital.opens.category!r}",
            "add it to cases/*.toml, or correct the name",
        )
    if vital.opens and vital.opens.at not in {band.level for band in vital.bands}:
        yield Finding(
            file, "opens.at", f"no band has the level {vital.opens.at!r}", "add such a band"
        )
    for message in sql_check(vital) if sql_check else ():
        yield Finding(file, "sql", message, "correct the query")


def _effective(file: str, bands: Sequence[Band]) -> Iterator[Finding]:
    """Find bands of one name and side that hold on the same day, or leave days between them unruled."""
    kinds = {(band.level, band.grade or "", band.above is not None) for band in bands}
    for level, grade, above in sorted(kinds):
        same = [b for b in bands if _kind(b) == (level, grade, above)]
        key = f"bands ({grade or level}, {'above' if above else 'below'})"
        for one, other in combinations(same, 2):
            if _start(one) <= _end(other) and _start(other) <= _end(one):
                yield Finding(
                    file, key, "two bands hold on the same day", "set until to the day before from"
                )
        same.sort(key=_start)
        for earlier, later in pairwise(same):
            if _end(earlier) < _start(later) - timedelta(days=1):
                yield Finding(
                    file,
                    key,
                    f"no band holds between {earlier.until} and {later.from_}",
                    "close the gap; until is the last day a band holds",
                )


def _cases(pack: Pack, files: _Files) -> Iterator[Finding]:
    units = {unit.id for unit in pack.cases.units}
    for category in pack.cases.categories:
        if category.responsible not in units:
            yield Finding(
                files.of("cases", category.id),
                f"categories.{category.id}.responsible",
                f"no unit {category.responsible!r}",
                f"use one of: {', '.join(sorted(units)) or 'add [[units]]'}",
            )


def _expectation(pack: Pack, expectation: Expectation, files: _Files) -> Iterator[Finding]:
    file = files.of("expect", expectation.title.en)
    entities = {entity.type: entity for entity in pack.entities}
    for number, given in enumerate(expectation.given):
        key = f"given.{number}"
        if given.sample is not None:
            if not (pack.folder / given.sample).is_file():
                yield Finding(file, f"{key}.sample", f"no file {given.sample}", "add the file")
            continue
        entity = entities.get(given.entity)
        if entity is None:
            yield Finding(file, f"{key}.entity", f"no entity {given.entity!r}", "correct the name")
            continue
        for name in sorted(set(given.values) - set(entity.attributes)):
            yield Finding(
                file,
                f"{key}.values.{name}",
                f"{entity.type} declares no {name!r}",
                "correct the name",
            )
    signs = {vital.id for vital in pack.vitals}
    for number, expected in enumerate(expectation.vitals):
        if expected.sign not in signs:
            yield Finding(
                file, f"vitals.{number}.sign", f"no sign {expected.sign!r}", "correct the name"
            )
    categories = {category.id for category in pack.cases.categories}
    for number, case in enumerate(expectation.cases):
        if case.category not in categories:
            yield Finding(
                file,
                f"cases.{number}.category",
                f"no category {case.category!r}",
                "correct the name",
            )

    pools = {pool.id for pool in pack.pools}
    for number, expected_pool in enumerate(expectation.pools):
        if expected_pool.pool not in pools:
            what = f"no pool {expected_pool.pool!r}"
            yield Finding(file, f"pools.{number}.pool", what, "correct the name")


def _unit(file: str, key: str, code: str) -> Iterator[Finding]:
    try:
        unit(code)
    except UnknownUnit as problem:
        yield Finding(file, key, problem.detail, problem.fix or "correct the unit")


def _views_named(sql: str) -> set[str]:
    """Return the names after FROM and JOIN that no WITH defines: a light look, not a parse."""
    plain = _OF_A_PART.sub("", sql)
    defined = {name.lower() for name in _NAME_BEFORE_AS.findall(plain)}
    return {name for name in _NAME_AFTER_FROM.findall(plain) if name.lower() not in defined}


def _kind(band: Band) -> tuple[str, str, bool]:
    return band.level, band.grade or "", band.above is not None


def _start(band: Band | TableRow) -> date:
    return band.from_ or date.min + timedelta(days=1)


def _end(band: Band | TableRow) -> date:
    return band.until or date.max


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
