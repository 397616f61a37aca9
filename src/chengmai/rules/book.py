"""The rules that are on, made ready: found by the type of an entity, their queries parsed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from chengmai.kernel.problems import Problem
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity, name_iri, value_of
from chengmai.ngsild.linking import Lookup
from chengmai.ngsild.problems import QueryInvalid
from chengmai.ngsild.q import And, Comparison, Or, Query, attributes_of, matches, parse_q
from chengmai.ngsild.qparse import links_of
from chengmai.ngsild.select import (
    Selector,
    matches_scopes,
    matches_types,
    parse_scopes,
    parse_types,
)
from chengmai.packs.rules import RuleSpec
from chengmai.rules.counting import Reading, Timing
from chengmai.rules.linked import Links, links_in
from chengmai.rules.model import Rule
from chengmai.rules.problems import RuleInvalid

T = TypeVar("T")
OWN_TYPES = frozenset(
    name_iri(one) for one in ("Rule", "RuleFiring", "DeviceCommand", "CityCase", "DataFeed")
)
"""What rules write or bring about themselves: a rule on it could fire on itself for ever."""


@dataclass(frozen=True)
class Watch:
    """A rule made ready. `names` are the attributes (expanded) that its queries look at."""

    spec: RuleSpec
    types: Selector
    ids: frozenset[str] | None
    scopes: Selector | None
    condition: Query
    recovery: Query | None
    names: frozenset[str]
    shown: Mapping[str, str]
    """Expanded name to short name of what is shown of a reading."""
    needs_all: bool
    timing: Timing
    links: Links
    core: Context

    def covers(self, entity: Entity) -> bool:
        """Return whether the rule is about an entity."""
        on = self.spec.on
        return (
            matches_types(self.types, entity["type"])
            and (self.ids is None or entity["id"] in self.ids)
            and (self.scopes is None or matches_scopes(self.scopes, entity.get("scope", ())))
            and (on.area is None or value_of(entity, on.area_from) == on.area)
        )

    def read(self, entity: Entity, at_us: int, lookup: Lookup | None = None) -> Reading:
        """Return what an entity says. Without its attributes nothing holds, and nothing has recovered.

        `lookup` finds the entities that it links to.
        """
        holds = matches(self.condition, entity, lookup)
        if self.recovery is not None:
            return Reading(at_us, holds, matches(self.recovery, entity, lookup))
        whole = not self.needs_all or (
            all(name in entity for name in self.names) and self.links.are_known(entity, lookup)
        )
        return Reading(at_us, holds, whole and not holds)

    def values(self, entity: Entity, lookup: Lookup | None = None) -> dict[str, object]:
        """Return what is shown of a reading: attribute to value, of linked entities `link.attribute`."""
        found = ((short, value_of(entity, iri)) for iri, short in self.shown.items())
        plain = {short: value for short, value in found if value is not None}
        return plain | self.links.values(entity, lookup, self.core) if self.links.terms else plain


def made_ready(spec: RuleSpec, core: Context) -> Watch:
    """Return a rule made ready; raises `RuleInvalid`, which names the field and the place in it."""
    types = _parsed("on.type", lambda: parse_types(spec.on.type, core))
    if own := sorted(types.names & OWN_TYPES):
        raise RuleInvalid(
            f"a rule on {core.compact(own[0])} could fire on what it does itself",
            code="rule.own_type",
            param="on.type",
            fix="watch the entities that are read, not those that rules and cases write",
        )
    scope = spec.on.scope
    condition = _query("q", spec.q, core)
    over = spec.recovers.q
    recovery = None if over is None else _query("recovers.q", over, core)
    if spec.command is not None and spec.command.effect is not None:
        _alone("command.effect.q", _query("command.effect.q", spec.command.effect.q, core))
    links = links_in({"q": condition} | ({} if recovery is None else {"recovers.q": recovery}))
    names = attributes_of(condition) | (attributes_of(recovery) if recovery else frozenset())
    if not names:
        raise RuleInvalid(
            "the condition looks at no attribute",
            code="rule.no_attribute",
            param="q",
            fix="write it as tilt>15",
        )
    return Watch(
        spec=spec,
        types=types,
        ids=frozenset(spec.on.ids) or None,
        scopes=None if scope is None else _parsed("on.scope", lambda: parse_scopes(scope)),
        condition=condition,
        recovery=recovery,
        names=names,
        shown={name: core.compact(name) for name in sorted(names)},
        needs_all=not _asks_for_absence(condition),
        timing=timing_of(spec),
        links=links,
        core=core,
    )


def timing_of(spec: RuleSpec) -> Timing:
    """Return the lengths of a rule."""
    return Timing(
        count=spec.count,
        within_us=None if spec.within is None else us(spec.within),
        for_us=0 if spec.for_ is None else us(spec.for_),
        recovers_us=us(spec.recovers.for_),
        silent_us=None if spec.silent_after is None else us(spec.silent_after),
        late_us=us(spec.late),
    )


def us(length: timedelta) -> int:
    """Return a length in microseconds."""
    return length // timedelta(microseconds=1)


def _query(param: str, text: str, core: Context) -> Query:
    return _parsed(param, lambda: parse_q(text, core))


def _alone(param: str, query: Query) -> None:
    if links_of(query):
        raise RuleInvalid(
            f"{param} follows a link, and an effect is looked for on one entity",
            code="rule.effect_link",
            param=param,
            fix="name the entity that should change as the entity of the effect",
        )


def _parsed(param: str, parse: Callable[[], T]) -> T:
    try:
        return parse()
    except QueryInvalid as problem:
        raise RuleInvalid(
            problem.detail if param == problem.param else f"{param}: {problem.detail}",
            param=param,
            fix=problem.fix,
            position=problem.facts.get("position"),
        ) from None
    except Problem as problem:
        raise RuleInvalid(f"{param}: {problem.detail}", param=param, fix=problem.fix) from None


def _asks_for_absence(query: Query) -> bool:
    if isinstance(query, And | Or):
        return any(_asks_for_absence(term) for term in query.terms)
    assert isinstance(query, Comparison)
    return query.op in ("absent", "exists")


@dataclass(frozen=True)
class Kept:
    """A rule that is on, made ready."""

    rule: Rule
    watch: Watch


class RuleBook:
    """Every rule that is on, found by the types it is about.

    The tables are replaced, never changed: the writer thread reads them without a lock.
    """

    def __init__(self) -> None:
        self._by_id: dict[tuple[str, str], Kept] = {}
        self._by_type: dict[tuple[str, str], tuple[Kept, ...]] = {}
        self._linked: dict[tuple[str, str], tuple[Kept, ...]] = {}

    def of(self, tenant: str, types: Iterable[str]) -> Sequence[Kept]:
        """Return the rules that may be about an entity of these types, each once."""
        found: tuple[Kept, ...] = ()
        for type_iri in types:
            for kept in self._by_type.get((tenant, type_iri), ()):
                if kept not in found:
                    found = (*found, kept)
        return found

    def linked(self, tenant: str, names: Iterable[str]) -> Sequence[Kept]:
        """Return the rules that ask linked entities about any of the attributes `names`, each once."""
        if not self._linked:
            return ()
        found = (kept for name in names for kept in self._linked.get((tenant, name), ()))
        return tuple({kept.rule.id: kept for kept in found}.values())

    def get(self, tenant: str, rule_id: str) -> Kept | None:
        """Return a rule that is on, or None."""
        return self._by_id.get((tenant, rule_id))

    def put(self, kept: Kept) -> None:
        """Add or replace a rule."""
        self._replace((kept.rule.tenant, kept.rule.id), kept)

    def drop(self, tenant: str, rule_id: str) -> None:
        """Take a rule out, if it is there."""
        self._replace((tenant, rule_id), None)

    def _replace(self, key: tuple[str, str], kept: Kept | None) -> None:
        by_id = {one: known for one, known in self._by_id.items() if one != key}
        if kept is not None:
            by_id[key] = kept
        by_type: dict[tuple[str, str], tuple[Kept, ...]] = {}
        linked: dict[tuple[str, str], tuple[Kept, ...]] = {}
        for (tenant, _), known in by_id.items():
            for type_iri in known.watch.types.names:
                place = (tenant, type_iri)
                by_type[place] = (*by_type.get(place, ()), known)
            for name in known.watch.links.names:
                linked[tenant, name] = (*linked.get((tenant, name), ()), known)
        self._by_id, self._by_type, self._linked = by_id, by_type, linked
