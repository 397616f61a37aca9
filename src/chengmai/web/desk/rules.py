"""Rules, as the screens see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chengmai.kernel.actors import Actor
from chengmai.kernel.texts import Text
from chengmai.packs.model import Pack
from chengmai.packs.rules import RuleSpec
from chengmai.rules.model import Command, CommandState, Firing, FiringFilter, Rule
from chengmai.rules.room import RulesRoom
from chengmai.rules.service import Preview, RuleView
from chengmai.rules.trial import Curve
from chengmai.rules.trials import RunningTrial
from chengmai.trust.policy import may


class RuleScreens:
    """Implements `cockpit.rules.port.RuleDesk`. Who may do what is asked in the room."""

    def __init__(self, room: RulesRoom, packs: Sequence[Pack]) -> None:
        self._room, self._service = room, room.service
        self._categories = [(c.id, c.title) for pack in packs for c in pack.cases.categories]
        self._types = [(entity.type, entity.title) for pack in packs for entity in pack.entities]

    def may(self, actor: Actor, action: str) -> bool:
        return may(actor, action)

    def channels(self) -> Sequence[str]:
        return self._room.channels.names()

    def categories(self) -> Sequence[tuple[str, Text]]:
        return self._categories

    def types(self) -> Sequence[tuple[str, Text]]:
        return self._types

    async def rules(self, actor: Actor) -> list[RuleView]:
        return await self._service.rules(actor)

    async def rule(self, actor: Actor, name: str) -> Rule:
        return await self._service.rule(actor, name)

    async def versions(self, actor: Actor, name: str) -> list[Rule]:
        return await self._service.versions(actor, name)

    async def make(self, actor: Actor, spec: RuleSpec, note: str) -> Rule:
        return await self._service.make(actor, spec, note)

    async def change(
        self, actor: Actor, name: str, spec: RuleSpec, version: int, note: str
    ) -> Rule:
        return await self._service.change(actor, name, spec, expecting=version, note=note)

    async def switch(self, actor: Actor, name: str, on: bool, version: int, note: str) -> Rule:
        return await self._service.switch(actor, name, on=on, expecting=version, note=note)

    async def undo(self, actor: Actor, name: str, version: int) -> Rule:
        return await self._service.undo(actor, name, expecting=version)

    async def remove(self, actor: Actor, name: str, version: int) -> None:
        await self._service.remove(actor, name, expecting=version)

    async def preview(self, actor: Actor, spec: RuleSpec) -> Preview:
        return await self._service.preview(actor, spec)

    async def firings(self, actor: Actor, which: FiringFilter) -> list[Firing]:
        return await self._service.firings(actor, which)

    async def firing(self, actor: Actor, firing_id: str) -> Firing:
        return await self._service.firing(actor, firing_id)

    async def commands(self, actor: Actor, states: Sequence[CommandState]) -> list[Command]:
        return await self._service.commands(actor, states)

    async def command(self, actor: Actor, command_id: str) -> Command:
        return await self._service.command(actor, command_id)

    async def decide(self, actor: Actor, command_id: str, approve: bool, reason: str) -> Command:
        return await self._service.decide(actor, command_id, approve=approve, reason=reason)

    def start_trial(
        self,
        actor: Actor,
        rule: str,
        spec: RuleSpec,
        start: datetime | None,
        end: datetime | None,
    ) -> RunningTrial:
        return self._room.trials.start(actor, rule, spec, start, end)

    def trial(self, actor: Actor, trial_id: str) -> RunningTrial:
        return self._room.trials.get(actor, trial_id)

    def stop_trial(self, actor: Actor, trial_id: str) -> None:
        self._room.trials.cancel(actor, trial_id)

    async def curve(self, actor: Actor, trial: RunningTrial, entity: str) -> Curve | None:
        return await self._room.trying.curve(actor, trial.spec, entity, trial.start, trial.end)
