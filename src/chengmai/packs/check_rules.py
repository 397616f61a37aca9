"""The linter of rules: what is well formed and still wrong. The deep word on `q` is that of who will run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

from chengmai.kernel.problems import Problem
from chengmai.packs.model import EntitySpec, Pack
from chengmai.packs.problems import Finding
from chengmai.packs.rules import RuleSpec

RuleCheck = Callable[[RuleSpec], Sequence[str]]
"""Raises a problem when a rule cannot run, else returns the names of the attributes that it looks at."""
_EVERYWHERE = frozenset({"name", "location", "areaServed"})


def check_rules(
    pack: Pack, file_of: Callable[[str, str], str], rule_check: RuleCheck | None
) -> Iterator[Finding]:
    """Yield what is wrong with the rules of a pack."""
    entities = {entity.type: entity for entity in pack.entities}
    categories = {category.id for category in pack.cases.categories}
    for rule in pack.rules:
        file = file_of("rules", rule.id)
        if rule.opens is not None and rule.opens not in categories:
            yield Finding(
                file,
                "opens",
                f"no category {rule.opens!r}",
                "add it to cases/*.toml, or correct the name",
            )
        entity = entities.get(rule.on.type)
        if entity is None:
            choice = ", ".join(sorted(entities)) or "add one"
            yield Finding(file, "on.type", f"no entity {rule.on.type!r}", f"use one of: {choice}")
        is_timed = rule.for_ is not None or rule.recovers.for_ > timedelta(0)
        if rule.silent_after is not None and not is_timed:
            what = "it has no effect without a length"
            yield Finding(file, "silent_after", what, "give for or recovers.for, or remove it")
        yield from _queries(file, rule, entity, rule_check)
    rules = {rule.id: rule for rule in pack.rules}
    yield from _expected(pack, rules, file_of)


def _queries(
    file: str, rule: RuleSpec, entity: EntitySpec | None, rule_check: RuleCheck | None
) -> Iterator[Finding]:
    if rule_check is None:
        return
    try:
        names = rule_check(rule)
    except Problem as problem:
        yield Finding(
            file, problem.param or "q", problem.detail, problem.fix or "correct the query"
        )
        return
    declared = set(entity.attributes) | _EVERYWHERE if entity is not None else set(names)
    for name in sorted(set(names) - declared):
        yield Finding(
            file,
            "q",
            f"{rule.on.type} declares no attribute {name!r}",
            "declare it, or correct the name",
        )


def _expected(
    pack: Pack, rules: Mapping[str, RuleSpec], file_of: Callable[[str, str], str]
) -> Iterator[Finding]:
    tested = set()
    for expectation in pack.expectations:
        file = file_of("expect", expectation.title.en)
        for number, expected in enumerate(expectation.rules):
            tested.add(expected.rule)
            if expected.rule not in rules:
                yield Finding(
                    file, f"rules.{number}.rule", f"no rule {expected.rule!r}", "correct the name"
                )
    for name in sorted(set(rules) - tested):
        yield Finding(
            file_of("rules", name),
            "id",
            "no expectation tries it",
            "add [[rules]] to a file of expect/",
        )
