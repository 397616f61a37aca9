"""What the room needs: a store for what must not be patched by hand, channels to devices, and the past.

A port takes `tx` as `Any`: only the adapter knows what its transaction really is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chengmai.ngsild.entity import Entity, Instance
from chengmai.rules.model import Command, CommandState, Firing, FiringFilter, Rule


class RuleStore(Protocol):
    """Port: rules and their versions, what is counted, firings, commands."""

    def put_rule(self, tx: Any, rule: Rule) -> None:
        """Keep a rule as it stands now, and its version for ever."""
        ...

    def rule(self, tx: Any, tenant: str, rule_id: str) -> Rule | None:
        """Return the rule, or None."""
        ...

    def rules(self, tx: Any, tenant: str | None = None) -> list[Rule]:
        """Return every rule of a tenant (None: of all), those that are gone included, ordered by id."""
        ...

    def versions(self, tx: Any, tenant: str, rule_id: str) -> list[Rule]:
        """Return every version of a rule, the newest first."""
        ...

    def counted(
        self, tx: Any, tenant: str, rule_id: str, version: int, entity: str
    ) -> dict[str, Any] | None:
        """Return what was counted of an entity for a version of a rule, or None."""
        ...

    def count(
        self,
        tx: Any,
        tenant: str,
        rule_id: str,
        version: int,
        entity: str,
        counted: Mapping[str, Any],
        due_us: int | None,
    ) -> None:
        """Keep what was counted; `due_us` is when time alone has something to say."""
        ...

    def drop_counts(self, tx: Any, tenant: str, rule_id: str, version: int) -> None:
        """Forget what was counted for versions of a rule up to `version`."""
        ...

    def due_counts(self, tx: Any, now_us: int, limit: int) -> list[tuple[str, str, int, str]]:
        """Return (tenant, rule, version, entity) where something is due, the longest due first."""
        ...

    def next_due_us(self, tx: Any) -> int | None:
        """Return when first time alone has something to say, or None."""
        ...

    def put_firing(self, tx: Any, firing: Firing) -> None:
        """Create or replace a firing."""
        ...

    def firing(self, tx: Any, tenant: str, firing_id: str) -> Firing | None:
        """Return the firing, or None."""
        ...

    def firings(self, tx: Any, tenant: str, which: FiringFilter) -> list[Firing]:
        """Return a page of firings, the newest first."""
        ...

    def fired_since(self, tx: Any, tenant: str, since_us: int) -> dict[str, tuple[int, int]]:
        """Return how often each rule fired since an instant, and how many of all its firings are active."""
        ...

    def put_command(self, tx: Any, command: Command, due_us: int | None) -> None:
        """Create or replace a command; `due_us` is when something must be done about it."""
        ...

    def command(self, tx: Any, tenant: str, command_id: str) -> Command | None:
        """Return the command, or None."""
        ...

    def commands(
        self, tx: Any, tenant: str, states: Sequence[CommandState], limit: int, offset: int = 0
    ) -> list[Command]:
        """Return commands in `states` (none: all), the newest first."""
        ...

    def due_commands(self, tx: Any, now_us: int, limit: int) -> list[Command]:
        """Return commands of all tenants about which something must be done, the longest due first."""
        ...

    def watched_commands(self, tx: Any, tenant: str, entity: str) -> list[Command]:
        """Return the commands that were sent and whose effect is awaited on an entity."""
        ...

    def watched_entities(self, tx: Any) -> set[tuple[str, str]]:
        """Return (tenant, entity) of every effect that is awaited."""
        ...


@dataclass(frozen=True)
class Order:
    """What goes out: `body` is JSON; `answers` is the topic of the answer, empty for none."""

    command_id: str
    channel: str
    to: str
    body: bytes
    answers: str
    timeout_s: float


@dataclass(frozen=True)
class Answer:
    """What came back: whether it was accepted, by whom (`device`, `broker`), and in which words."""

    accepted: bool
    by: str
    detail: str = ""


class Channels(Protocol):
    """Port: the ways to devices."""

    def names(self) -> Sequence[str]:
        """Return the names of the channels that have an address, sorted."""
        ...

    async def send(self, order: Order, on_sent: Callable[[], Awaitable[None]]) -> Answer:
        """Return the answer; `on_sent` is awaited once the other side of the wire has the command.

        Raises `Invalid` where it can never go (no such channel, a bad address) and `Unavailable` when nothing
        was taken or no answer came in time.
        """
        ...

    async def close(self) -> None:
        """Close idle connections."""
        ...


class RulePast(Protocol):
    """Port: entities and their past, for trials."""

    def entity(self, tx: Any, tenant: str, entity_id: str) -> Entity | None:
        """Return an entity as it stands, or None."""
        ...

    def linking(
        self,
        tx: Any,
        tenant: str,
        types: Sequence[str] | None,
        path: tuple[str, ...],
        target: str,
        *,
        limit: int,
    ) -> list[Entity]:
        """Return entities of some types (None: any) whose relationship at `path` leads to `target`, by id."""
        ...

    def entities(self, tx: Any, tenant: str, types: Sequence[str], after: str) -> list[Entity]:
        """Return the next entities of some types (IRIs) with ids above `after`, by id; empty at the end."""
        ...

    def past(
        self,
        tx: Any,
        tenant: str,
        entity: str,
        attributes: Sequence[str],
        start_us: int,
        end_us: int,
    ) -> dict[str, list[tuple[int, Instance]]]:
        """Return the default instances of each attribute in [start, end) with their instants, oldest first.

        The instant is that of observation, else that of the change. One before `start` comes too when known.
        """
        ...
