"""Rules for the screens: none at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chengmai.kernel.actors import Actor
from chengmai.rules.model import CommandState


class NoRules:
    """The part of `RuleDesk` that other screens ask."""

    async def commands(self, actor: Actor, states: Sequence[CommandState]) -> list[Any]:
        return []
