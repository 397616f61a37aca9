"""What the screens of rules need; `web.desk.rules` puts it onto the room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chengmai.kernel.actors import Actor
from chengmai.kernel.texts import Text
from chengmai.packs.rules import RuleSpec
from chengmai.rules.model import Command, CommandState, Firing, FiringFilter, Rule
from chengmai.rules.service import Preview, RuleView
from chengmai.rules.trial import Curve
from chengmai.rules.trials import RunningTrial


class RuleDesk(Protocol):
    """Port: rules as people see and change them. Raises problems of `kernel.problems`, never anything else."""

    def may(self, actor: Actor, action: str) -> bool:
        """Return whether an actor may do an action of the policy."""
        ...

    def channels(self) -> Sequence[str]:
        """Return the names of the channels that have an address."""
        ...

    def categories(self) -> Sequence[tuple[str, Text]]:
        """Return id and title of the categories of cases."""
        ...

    def types(self) -> Sequence[tuple[str, Text]]:
        """Return name and title of the entity types that packs declare."""
        ...

    async def rules(self, actor: Actor) -> list[RuleView]: ...

    async def rule(self, actor: Actor, name: str) -> Rule: ...

    async def versions(self, actor: Actor, name: str) -> list[Rule]: ...

    async def make(self, actor: Actor, spec: RuleSpec, note: str) -> Rule: ...

    async def change(
        self, actor: Actor, name: str, spec: RuleSpec, version: int, note: str
    ) -> Rule: ...

    async def switch(self, actor: Actor, name: str, on: bool, version: int, note: str) -> Rule: ...

    async def undo(self, actor: Actor, name: str, version: int) -> Rule: ...

    async def remove(self, actor: Actor, name: str, version: int) -> None: ...

    async def preview(self, actor: Actor, spec: RuleSpec) -> Preview: ...

    async def firings(self, actor: Actor, which: FiringFilter) -> list[Firing]: ...

    async def firing(self, actor: Actor, firing_id: str) -> Firing: ...

    async def commands(self, actor: Actor, states: Sequence[CommandState]) -> list[Command]: ...

    async def command(self, actor: Actor, command_id: str) -> Command: ...

    async def decide(
        self, actor: Actor, command_id: str, approve: bool, reason: str
    ) -> Command: ...

    def start_trial(
        self,
        actor: Actor,
        rule: str,
        spec: RuleSpec,
        start: datetime | None,
        end: datetime | None,
    ) -> RunningTrial: ...

    def trial(self, actor: Actor, trial_id: str) -> RunningTrial: ...

    def stop_trial(self, actor: Actor, trial_id: str) -> None: ...

    async def curve(self, actor: Actor, trial: RunningTrial, entity: str) -> Curve | None: ...
