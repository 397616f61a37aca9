"""Immutable facts, told to whoever subscribed, inside the transaction that made them true.

Siblings never import each other; they meet here and in the entities. A handler gets the transaction, so
what it does (open a case, say) is committed together with its cause or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from chengmai.kernel.actors import Actor
from chengmai.kernel.texts import Text


@dataclass(frozen=True)
class Event:
    """Something that became true at `at` in `tenant`."""

    tenant: str
    at: datetime


@dataclass(frozen=True)
class VitalCrossed(Event):
    """A vital sign went to another level, or is expected to.

    `kind` is `real`, `predicted` or `recovered`. `evidence` holds the readings that show it, each
    `{"at": iso, "value": number, …}`, newest last. `fault` names what is wrong with the sensor behind it, None
    when nothing speaks against it: a crossing of a suspected sensor is a matter of data quality first.
    """

    kind: str
    vital_id: str
    sign: str
    pack: str
    area: str
    level: str
    previous_level: str
    value: float | None
    unit: str
    title: Text
    reason: Text
    category: str | None
    location: dict[str, Any] | None = None
    expected_at: datetime | None = None
    evidence: tuple[dict[str, Any], ...] = ()
    fault: str | None = None


@dataclass(frozen=True)
class SensorSuspected(Event):
    """What a vital sign is made of is suspected to be wrong (`begun`), or no longer is.

    `fault` is `stuck`, `drift`, `silent`, `gap`, `late`, `implausible` or `spike`; `reason` says in a
    sentence why.
    """

    vital_id: str
    sign: str
    pack: str
    area: str
    fault: str
    begun: bool
    since: datetime
    title: Text
    reason: Text
    location: dict[str, Any] | None = None
    evidence: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class CaseMoved(Event):
    """A case took a step (`step`) and now stands in `state`; `vital` is the sign or sensor that it is about."""

    case_id: str
    step: str
    state: str
    by: str
    vital: str | None = None
    about_sensor: bool = False
    firing: str | None = None
    """The firing of a rule that the case is about."""


@dataclass(frozen=True)
class RuleFired(Event):
    """A rule fired on an entity, or (`kind` is `recovered`) what it fired on is over.

    `key` is `pack/rule` (`city/rule` of those that people made). `category` is that of the case to open,
    None for none. `evidence` is as that of `VitalCrossed`.
    """

    kind: str
    rule: str
    key: str
    firing: str
    entity: str
    area: str
    level: str
    title: Text
    reason: Text
    category: str | None
    location: dict[str, Any] | None = None
    evidence: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class WorkAsked(Event):
    """A person decided that something is to be done: a case of `category` is wanted for it.

    `by` is who decided. Whoever opens the case tells its id to `opened`, in the same transaction.
    """

    by: Actor
    category: str
    title: Text
    reason: Text
    area: str
    facts: dict[str, Any]
    opened: Callable[[str], None]
    location: dict[str, Any] | None = None


E_ = TypeVar("E_", bound=Event)
Handler = Callable[[Any, Any], None]


@dataclass
class Events:
    """Hands an event to the handlers of its class, in the order they subscribed."""

    _handlers: dict[type[Event], list[Handler]] = field(default_factory=lambda: defaultdict(list))

    def subscribe(self, kind: type[E_], handler: Callable[[Any, E_], None]) -> None:
        """Call `handler(tx, event)` for every event of class `kind`."""
        self._handlers[kind].append(handler)

    def emit(self, tx: Any, event: Event) -> None:
        """Tell every handler; a handler that raises undoes the whole transaction."""
        for handler in self._handlers[type(event)]:
            handler(tx, event)
