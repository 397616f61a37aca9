"""Checking packs as a whole: the linter of `packs`, the SQL check of `vitals`, and `expect/` on a real city."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import orjson

from chengmai.app import City
from chengmai.checking_pools import PoolsCheck
from chengmai.kernel.actors import system
from chengmai.kernel.clock import FixedClock
from chengmai.kernel.ids import urn
from chengmai.kernel.instants import format_instant, from_us, to_us
from chengmai.kernel.problems import Problem
from chengmai.ngsild.contexts import ContextCompiler
from chengmai.ngsild.entity import Entity, entity, name_iri, prop
from chengmai.packs.check import check_packs as lint_packs
from chengmai.packs.model import Expectation, ExpectedVital, GivenReading, Pack, VitalSpec
from chengmai.packs.problems import Finding, PackInvalid
from chengmai.packs.reader import read_packs
from chengmai.packs.rules import RuleSpec
from chengmai.rules.book import made_ready
from chengmai.rules.model import FiringFilter
from chengmai.settings import Settings
from chengmai.vitals.signs import PreparedPacks, tables_of, views_of
from chengmai.vitals.sql import check_sql

_AFTER = timedelta(seconds=1)
_AT_ONCE = 4
Seen = dict[tuple[str, str, datetime], tuple[float | None, str]]
"""(sign, area, tick) to (value, level), as it stood when the tick was evaluated last"""


@dataclass
class CheckResult:
    """What was checked, and what is wrong."""

    packs: int = 0
    signs: int = 0
    rules: int = 0
    expectations: int = 0
    findings: list[Finding] = field(default_factory=list)


def check_packs(
    folders: Iterable[Path], *, advance: Callable[[int, int], None] = lambda done, total: None
) -> CheckResult:
    """Return what is wrong with packs in `folders`; `advance` is told how many steps of how many are over."""
    result = CheckResult()
    try:
        packs = read_packs(folders)
    except PackInvalid as problem:
        result.findings += problem.findings
        return result
    views, tables = views_of([spec for pack in packs for spec in pack.entities]), tables_of(packs)

    def sql_check(vital: VitalSpec) -> list[str]:
        try:
            check_sql(vital.sql, views, tables=tables)
        except Problem as problem:
            return [problem.detail + (f"; {problem.fix}" if problem.fix else "")]
        return []

    core = ContextCompiler().core

    def rule_check(rule: RuleSpec) -> list[str]:
        return list(made_ready(rule, core).shown.values())

    result.packs = len(packs)
    result.rules = sum(len(pack.rules) for pack in packs)
    result.signs = sum(len(pack.vitals) for pack in packs)
    result.findings += lint_packs(packs, sql_check=sql_check, rule_check=rule_check)
    if result.findings:
        return result
    result.expectations = sum(len(pack.expectations) for pack in packs)
    for findings in asyncio.run(_try_all(PreparedPacks.of(packs), advance)):
        result.findings += findings
    return result


async def _try_all(
    prepared: PreparedPacks, advance: Callable[[int, int], None]
) -> list[list[Finding]]:
    """Run every query, then try every expectation, some at a time: each waits for its own disk mostly."""
    turn = asyncio.Semaphore(_AT_ONCE)
    wanted = [(pack, each) for pack in prepared.packs for each in pack.expectations]
    done = count()

    async def one(trial: Awaitable[list[Finding]]) -> list[Finding]:
        async with turn:
            findings = await trial
            advance(next(done) + 1, len(wanted) + 1)
            return findings

    trials = [_run_queries(prepared)]
    trials += [_try(_concerned(prepared, *each), *each) for each in wanted]
    return list(await asyncio.gather(*map(one, trials)))


async def _run_queries(prepared: PreparedPacks) -> list[Finding]:
    """Return which signs have a query that fails in a city without readings."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), feeds=False)
        city = City(settings, prepared=prepared)
        try:
            report = await city.vitals.tick(city.settings.tenant)
        finally:
            await city.stop()
    return [
        Finding(
            file=f"{sign.pack}/vitals",
            key=sign.spec.id,
            message=failure.detail,
            fix="correct the query of the sign",
        )
        for sign in prepared.signs
        for failure in report.failures
        if failure.sign == sign.key
    ]


def _concerned(prepared: PreparedPacks, pack: Pack, expectation: Expectation) -> PreparedPacks:
    """Return the packs with those signs alone that the readings of an expectation can move, or it names."""
    given = {name_iri(one.entity) for one in _readings(pack, expectation.given)}
    named = {f"{pack.info.id}/{one.sign}" for one in expectation.vitals}
    signs = (
        sign
        for sign in prepared.signs
        if sign.key in named or given.intersection(source.entity_type for source in sign.sources)
    )
    return replace(prepared, signs=tuple(signs))


async def _try(prepared: PreparedPacks, pack: Pack, expectation: Expectation) -> list[Finding]:
    """Run the readings of an expectation through a real city and compare."""
    pools = PoolsCheck(pack, expectation)
    moments = _moments(pack, expectation, pools.moments)
    clock = FixedClock(moments[0][0])
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data=Path(folder), packs=tuple(one.folder for one in prepared.packs), feeds=False
        )
        city = City(settings, real_clock=clock, prepared=prepared)
        try:
            await city.rules.load()
            wanted = {one.at for one in expectation.vitals}
            seen = await _play(city, clock, moments, wanted, pools)
            return [
                *pools.findings,
                *_wrong_vitals(pack, expectation, seen),
                *await _wrong_cases(city, pack, expectation),
                *await _wrong_firings(city, pack, expectation),
            ]
        finally:
            await city.stop()


async def _play(
    city: City,
    clock: FixedClock,
    moments: Sequence[tuple[datetime, list[Entity]]],
    wanted: set[datetime],
    pools: PoolsCheck,
) -> Seen:
    seen: Seen = {}
    expected = {*wanted, moments[-1][0]}
    by = system("expectation", city.settings.tenant)
    for at, entities in moments:
        clock.at = at + _AFTER

        def put(tx: object, entities: list[Entity] = entities) -> None:
            for one in entities:
                city.model.put(tx, one, by=by)  # type: ignore[arg-type]

        await city.rules.watcher.settle()
        await city.store.work.write(put)
        await pools.compare(city, at)
        # A pass evaluates every tick since the one before, so only what is expected needs one.
        if at not in expected:
            continue
        report = await city.vitals.tick(city.settings.tenant)
        for failure in report.failures:
            raise Problem(f"{failure.sign}: {failure.detail}")
        for view in await city.board.board(city.settings.tenant):
            if view.at is not None:
                tick = datetime.fromisoformat(view.at)
                value = None if view.level == "unknown" else view.value
                seen[view.sign, view.area, tick] = (value, view.level)
                seen[view.sign, view.area, at] = (value, view.level)
    return seen


def _moments(
    pack: Pack, expectation: Expectation, more: Iterable[datetime] = ()
) -> list[tuple[datetime, list[Entity]]]:
    """Return the instants at which something is read or expected, with the readings of each."""
    found: dict[datetime, list[Entity]] = {}
    for given in _readings(pack, expectation.given):
        assert given.at is not None
        for number in range(given.repeat):
            at = given.at + number * given.every
            found.setdefault(at, []).append(_entity(pack, given, at))
    for vital in expectation.vitals:
        found.setdefault(vital.at, [])
    for at in more:
        found.setdefault(at, [])
    return sorted(found.items(), key=lambda item: item[0])


def _readings(pack: Pack, given: Sequence[GivenReading]) -> Iterator[GivenReading]:
    for one in given:
        if one.sample is None:
            yield one
            continue
        for line in (pack.folder / one.sample).read_bytes().splitlines():
            if line.strip():
                yield GivenReading.model_validate(orjson.loads(line))


def _entity(pack: Pack, given: GivenReading, at: datetime) -> Entity:
    spec = next(spec for spec in pack.entities if spec.type == given.entity)
    attributes = {
        name: prop(value, unit=spec.attributes[name].unit, at=at)
        for name, value in given.values.items()
    }
    attributes[spec.area_from] = prop(given.area)
    return entity(urn(given.entity, given.id), given.entity, **attributes)


def _wrong_vitals(pack: Pack, expectation: Expectation, seen: Seen) -> Iterator[Finding]:
    for wanted in expectation.vitals:
        found = seen.get((wanted.sign, wanted.area, from_us(to_us(wanted.at))))
        if found is None:
            yield _finding(pack, expectation, f"{_name(wanted)} was not evaluated")
        elif found[1] != wanted.level:
            yield _finding(
                pack, expectation, f"{_name(wanted)} is {found[1]}, expected {wanted.level}"
            )
        elif wanted.value is not None and (
            found[0] is None or abs(found[0] - wanted.value) > wanted.tolerance
        ):
            yield _finding(
                pack, expectation, f"{_name(wanted)} has {found[0]}, expected {wanted.value}"
            )


async def _wrong_cases(city: City, pack: Pack, expectation: Expectation) -> list[Finding]:
    page = await city.cases.queue(city.settings.tenant, limit=500)
    findings = []
    for wanted in expectation.cases:
        count = sum(
            view.case.category == wanted.category and view.case.area == wanted.area
            for view in page.items
        )
        if count != wanted.count:
            what = f"{count} cases of {wanted.category} in {wanted.area}, expected {wanted.count}"
            findings.append(_finding(pack, expectation, what))
    return findings


async def _wrong_firings(city: City, pack: Pack, expectation: Expectation) -> list[Finding]:
    findings = []
    by = system("expectation", city.settings.tenant)
    await city.rules.watcher.settle()
    for wanted in expectation.rules:
        rule = urn("Rule", pack.info.id, wanted.rule)
        spec = next(one for one in pack.rules if one.id == wanted.rule)
        which = FiringFilter(rule=rule, entity=urn(spec.on.type, wanted.entity), limit=1000)
        found = await city.rules.service.firings(by, which)
        commands = sum(one.command is not None for one in found)
        seen = (len(found), any(one.is_active for one in found), commands)
        asked = (wanted.count, wanted.active, wanted.commands)
        if any(ask is not None and ask != saw for ask, saw in zip(asked, seen, strict=True)):
            said = f"fired {seen[0]} times, active {seen[1]}, {seen[2]} commands"
            hoped = f"{asked[0]} times, active {asked[1]}, {asked[2]} commands"
            what = f"rule {wanted.rule} on {wanted.entity}: {said}; expected {hoped}"
            findings.append(_finding(pack, expectation, what))
    return findings


def _name(wanted: ExpectedVital) -> str:
    return f"{wanted.sign} in {wanted.area} at {format_instant(wanted.at)}"


def _finding(pack: Pack, expectation: Expectation, message: str) -> Finding:
    return Finding(
        file=f"{pack.folder.name}/expect",
        key=expectation.title.en,
        message=message,
        fix="correct the sign, the rule or the expectation",
    )
