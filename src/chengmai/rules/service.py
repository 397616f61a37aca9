"""Use cases on rules, firings and commands: make, change, switch, undo, look, decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog

from chengmai.kernel.actors import Actor, system
from chengmai.kernel.instants import to_us
from chengmai.kernel.problems import Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.model import Model
from chengmai.packs.rules import RuleSpec
from chengmai.rules.book import Kept, RuleBook, made_ready
from chengmai.rules.commands import decided
from chengmai.rules.entities import rule_entity, rule_id
from chengmai.rules.ledger import Ledger
from chengmai.rules.model import CITY, Command, CommandState, Firing, FiringFilter, Rule
from chengmai.rules.ports import RulePast, RuleStore
from chengmai.rules.problems import (
    CommandNotFound,
    FiringNotFound,
    NothingToUndo,
    RuleChanged,
    RuleExists,
    RuleInvalid,
    RuleNotFound,
    RuleOfPack,
)
from chengmai.rules.watching import Watcher
from chengmai.trust.policy import allow

MOST_RULES = 2000
MOST_PREVIEWED = 50_000
_EXAMPLES = 5
_DAY = timedelta(days=1)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RuleView:
    """A rule with how often it fired in the last 24 h, and on how many entities it holds now."""

    rule: Rule
    fired: int
    active: int


@dataclass(frozen=True)
class Preview:
    """How many entities a rule is about, on how many its condition holds now, and a few of those.

    With `is_cut` there are more entities than were looked at.
    """

    selected: int
    holding: int
    examples: tuple[str, ...]
    is_cut: bool = False


class RuleService:
    """Rules of all tenants. Every change is a version, an entity with history, and an audit line."""

    def __init__(
        self,
        work: Work[Tx],
        model: Model,
        store: RuleStore,
        past: RulePast,
        book: RuleBook,
        ledger: Ledger,
        watcher: Watcher,
        core: Context,
        shipped: Sequence[tuple[str, RuleSpec]],
        tenant: str,
    ) -> None:
        self._work, self._model, self._store, self._past = work, model, store, past
        self._book, self._ledger, self._watcher = book, ledger, watcher
        self.core = core
        self._shipped, self._tenant = shipped, tenant

    async def load(self) -> None:
        """Bring the rules of the packs up to date, and watch by every rule that is on."""
        await self._work.write(self._bring_packs)
        for rule in await self._work.read(self._store.rules):
            self._watch(rule)
        await self._watcher.load()

    async def rules(self, by: Actor) -> list[RuleView]:
        """Return the rules that are not gone, ordered by key; needs `rules.read`."""
        allow(by, "rules.read")

        def do(tx: Tx) -> list[RuleView]:
            counts = self._store.fired_since(tx, by.tenant, to_us(tx.now - _DAY))
            found = [one for one in self._store.rules(tx, by.tenant) if not one.is_gone]
            return [RuleView(one, *counts.get(one.id, (0, 0))) for one in found]

        return sorted(await self._work.read(do), key=lambda one: one.rule.key)

    async def rule(self, by: Actor, name: str) -> Rule:
        """Return a rule by its id, or by `pack/rule`; raises `RuleNotFound`."""
        allow(by, "rules.read")
        return await self._work.read(lambda tx: self._find(tx, by.tenant, name))

    async def versions(self, by: Actor, name: str) -> list[Rule]:
        """Return every version of a rule, the newest first; raises `RuleNotFound`."""
        allow(by, "rules.read")

        def do(tx: Tx) -> list[Rule]:
            rule = self._find(tx, by.tenant, name)
            return self._store.versions(tx, by.tenant, rule.id)

        return await self._work.read(do)

    async def make(self, by: Actor, spec: RuleSpec, note: str = "") -> Rule:
        """Return a new rule of the city, switched off: it is to be tried first.

        Needs `rules.edit`. Raises `RuleInvalid` or `RuleExists`.
        """
        allow(by, "rules.edit")
        made_ready(spec, self.core)

        def do(tx: Tx) -> Rule:
            known = self._store.rules(tx, by.tenant)
            if len(known) >= MOST_RULES:
                raise RuleInvalid(f"there are {MOST_RULES} rules already", param="id")
            wanted = rule_id(CITY, spec.id)
            before = next((one for one in known if one.id == wanted), None)
            if before is not None and not before.is_gone:
                raise RuleExists(before.key)
            rule = Rule(
                tenant=by.tenant,
                id=wanted,
                origin=CITY,
                spec=spec,
                version=before.version + 1 if before else 1,
                is_on=False,
                by_id=by.id,
                by_name=by.name or by.id,
                at=tx.now,
                note=note[:500],
            )
            return self._write(tx, rule, by, "rule made")

        return await self._work.write(do)

    async def change(
        self, by: Actor, name: str, spec: RuleSpec, *, expecting: int, note: str = ""
    ) -> Rule:
        """Return a rule of the city as changed; its counts begin anew. Needs `rules.edit`.

        Raises `RuleInvalid`, `RuleNotFound`, `RuleOfPack` or `RuleChanged`.
        """
        allow(by, "rules.edit")
        made_ready(spec, self.core)

        def do(tx: Tx) -> Rule:
            rule = self._mine(tx, by, name, expecting)
            if rule.origin != CITY:
                raise RuleOfPack(rule.key)
            if spec.id != rule.spec.id:
                raise RuleInvalid("the id of a rule stays", param="id", fix=f"use {rule.spec.id}")
            return self._write(tx, self._next(tx, rule, by, note, spec=spec), by, "rule changed")

        return await self._work.write(do)

    async def switch(
        self, by: Actor, name: str, *, on: bool, expecting: int, note: str = ""
    ) -> Rule:
        """Return a rule switched on or off; off ends its firings. Needs `rules.edit`."""
        allow(by, "rules.edit")

        def do(tx: Tx) -> Rule:
            rule = self._mine(tx, by, name, expecting)
            if rule.is_on is on:
                return rule
            said = "rule switched on" if on else "rule switched off"
            return self._write(tx, self._next(tx, rule, by, note, is_on=on), by, said)

        return await self._work.write(do)

    async def undo(self, by: Actor, name: str, *, expecting: int) -> Rule:
        """Return a rule as its version before was: what it says, and whether it is on. Needs `rules.edit`.

        Undoing twice leads back. Raises `NothingToUndo`.
        """
        allow(by, "rules.edit")

        def do(tx: Tx) -> Rule:
            rule = self._mine(tx, by, name, expecting)
            earlier = self._store.versions(tx, by.tenant, rule.id)[1:2]
            if not earlier or earlier[0].is_gone:
                raise NothingToUndo(rule.key)
            then = earlier[0]
            spec = then.spec if rule.origin == CITY else rule.spec
            back = self._next(tx, rule, by, f"undo of version {rule.version}", spec=spec)
            return self._write(tx, back.model_copy(update={"is_on": then.is_on}), by, "rule undone")

        return await self._work.write(do)

    async def remove(self, by: Actor, name: str, *, expecting: int) -> None:
        """Take a rule of the city away; its versions and firings stay. Needs `rules.edit`."""
        allow(by, "rules.edit")

        def do(tx: Tx) -> None:
            rule = self._mine(tx, by, name, expecting)
            if rule.origin != CITY:
                raise RuleOfPack(rule.key)
            gone = self._next(tx, rule, by, "", is_on=False, is_gone=True)
            self._write(tx, gone, by, "rule removed")

        await self._work.write(do)

    async def preview(self, by: Actor, spec: RuleSpec) -> Preview:
        """Return on how many entities a rule would look and hold now; nothing is kept. Needs `rules.try`."""
        allow(by, "rules.try")
        watch = made_ready(spec, self.core)
        types = sorted(watch.types.names)

        def page(tx: Tx, after: str) -> tuple[int, int, list[str], str, int]:
            found = self._past.entities(tx, by.tenant, types, after)
            mine = [one for one in found if watch.covers(one)]
            look = partial(self._past.entity, tx, by.tenant)
            holding = [str(one["id"]) for one in mine if watch.read(one, 0, look).holds]
            return len(mine), len(holding), holding, found[-1]["id"] if found else "", len(found)

        selected = held = looked = 0
        examples: list[str] = []
        after = ""
        while looked < MOST_PREVIEWED:
            start = after
            some, holding, ids, after, seen = await self._work.read(lambda tx: page(tx, start))  # noqa: B023
            selected, held, looked = selected + some, held + holding, looked + seen
            examples += ids[: _EXAMPLES - len(examples)]
            if not seen:
                break
        return Preview(selected, held, tuple(examples), is_cut=looked >= MOST_PREVIEWED)

    async def firings(self, by: Actor, which: FiringFilter) -> list[Firing]:
        """Return a page of firings, the newest first; needs `rules.read`."""
        allow(by, "rules.read")
        return await self._work.read(lambda tx: self._store.firings(tx, by.tenant, which))

    async def firing(self, by: Actor, firing_id: str) -> Firing:
        """Return a firing with its trace; raises `FiringNotFound`."""
        allow(by, "rules.read")
        found = await self._work.read(lambda tx: self._store.firing(tx, by.tenant, firing_id))
        if found is None:
            raise FiringNotFound(firing_id)
        return found

    async def commands(
        self, by: Actor, states: Sequence[CommandState] = (), *, limit: int = 100
    ) -> list[Command]:
        """Return commands in `states` (none: all), the newest first; needs `rules.read`."""
        allow(by, "rules.read")
        return await self._work.read(
            lambda tx: self._store.commands(tx, by.tenant, states, min(limit, 1000))
        )

    async def command(self, by: Actor, command_id: str) -> Command:
        """Return a command; raises `CommandNotFound`."""
        allow(by, "rules.read")
        found = await self._work.read(lambda tx: self._store.command(tx, by.tenant, command_id))
        if found is None:
            raise CommandNotFound(command_id)
        return found

    async def decide(self, by: Actor, command_id: str, *, approve: bool, reason: str) -> Command:
        """Return a command that waited, as `by` decided on it. Needs `commands.approve`.

        Raises `CommandNotFound`, `CommandDecided`, `ReasonNeeded`, `SecondPersonNeeded`.
        """
        allow(by, "commands.approve")
        why = " ".join(reason.split())[:500]

        def do(tx: Tx) -> Command:
            command = self._store.command(tx, by.tenant, command_id)
            if command is None:
                raise CommandNotFound(command_id)
            after = decided(command, by, tx.now, approve=approve, reason=why)
            self._ledger.write_command(tx, after, by)
            return after

        return await self._work.write(do)

    def _find(self, tx: Tx, tenant: str, name: str) -> Rule:
        origin, _, slug = name.partition("/")
        wanted = rule_id(origin, slug) if slug and not name.startswith("urn:") else name
        found = self._store.rule(tx, tenant, wanted)
        if found is None or found.is_gone:
            raise RuleNotFound(name)
        return found

    def _mine(self, tx: Tx, by: Actor, name: str, expecting: int) -> Rule:
        rule = self._find(tx, by.tenant, name)
        if rule.version != expecting:
            raise RuleChanged(rule.key, expecting, rule.version)
        return rule

    @staticmethod
    def _next(tx: Tx, rule: Rule, by: Actor, note: str, **changes: object) -> Rule:
        made = {
            "version": rule.version + 1,
            "by_id": by.id,
            "by_name": by.name or by.id,
            "at": tx.now,
            "note": note[:500],
        }
        return rule.model_copy(update=made | changes)

    def _write(self, tx: Tx, rule: Rule, by: Actor, note: str) -> Rule:
        self._store.put_rule(tx, rule)
        self._watcher.end_rule(tx, rule.tenant, rule.id, rule.version - 1)
        self._model.put(tx, rule_entity(rule), by=by, note=note)
        tx.after_commit(lambda: self._watch(rule))
        return rule

    def _watch(self, rule: Rule) -> None:
        if not rule.is_on or rule.is_gone:
            self._book.drop(rule.tenant, rule.id)
            return
        try:
            self._book.put(Kept(rule, made_ready(rule.spec, self.core)))
        except Problem as problem:
            _log.warning("rule.not_watched", rule=rule.key, why=problem.detail)

    def _bring_packs(self, tx: Tx) -> None:
        by = system("packs", self._tenant)
        known = {one.id: one for one in self._store.rules(tx, self._tenant)}
        shipped: set[str] = set()
        for origin, spec in self._shipped:
            wanted = rule_id(origin, spec.id)
            shipped.add(wanted)
            before = known.get(wanted)
            if before is None:
                rule = Rule(
                    tenant=self._tenant,
                    id=wanted,
                    origin=origin,
                    spec=spec,
                    version=1,
                    is_on=spec.active,
                    by_id=by.id,
                    by_name=by.name,
                    at=tx.now,
                )
                self._write(tx, rule, by, "rule of a pack")
            elif before.spec != spec or before.is_gone:
                is_on = spec.active if before.is_gone else before.is_on
                after = self._next(tx, before, by, "", spec=spec, is_on=is_on, is_gone=False)
                self._write(tx, after, by, "rule of a pack changed")
        for rule in known.values():
            if rule.origin != CITY and rule.id not in shipped and not rule.is_gone:
                gone = self._next(tx, rule, by, "", is_on=False, is_gone=True)
                self._write(tx, gone, by, "rule of a pack is gone")
