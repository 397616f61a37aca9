"""What the room keeps: rules, their firings, and the commands they give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from chengmai.kernel.texts import Text
from chengmai.packs.rules import RuleSpec

CITY = "city"
"""What stands for the pack in the id of a rule that people made."""
Ended = Literal["recovered", "withdrawn", "changed", "deleted"]
"""Why a firing is over: the recovery held; a late reading undid it; the rule was changed or switched off; the
entity was deleted."""


class Line(BaseModel):
    """One line of a trace: when, what, and the sentence for people."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    what: str
    text: Text


class Rule(BaseModel):
    """A rule as it stands. `origin` is the pack it came with, `city` when people made it.

    `version` counts every change, switching included; firings name the version that judged them.
    """

    model_config = ConfigDict(frozen=True)

    tenant: str
    id: str
    origin: str
    spec: RuleSpec
    version: int
    is_on: bool
    by_id: str
    by_name: str
    at: datetime
    note: str = ""
    is_gone: bool = False
    """The pack no longer has it, or people deleted it; its firings stay."""

    @property
    def key(self) -> str:
        """Return how people and commands name it: `sensing/pole_tilt`."""
        return f"{self.origin}/{self.spec.id}"


class Firing(BaseModel):
    """One firing: from when the rule fired on an entity until it was over."""

    model_config = ConfigDict(frozen=True)

    tenant: str
    id: str
    rule: str
    rule_key: str
    rule_version: int
    title: Text
    entity: str
    entity_name: Text
    area: str = ""
    location: dict[str, Any] | None = None
    level: str
    fired_at: datetime
    told_at: datetime
    ended_at: datetime | None = None
    ended: Ended | None = None
    reason: Text
    evidence: tuple[dict[str, Any], ...] = ()
    """The readings behind it, each `{"at": iso, "values": {attribute: value}, "holds": bool}`, oldest first."""
    lines: tuple[Line, ...] = ()
    case: str | None = None
    command: str | None = None

    @property
    def is_active(self) -> bool:
        return self.ended_at is None


class CommandState(StrEnum):
    """Where a command stands."""

    WAITING = "waiting"
    PENDING = "pending"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    REFUSED = "refused"
    TIMED_OUT = "timedOut"
    NO_EFFECT = "noEffect"


LIVE = (
    CommandState.WAITING,
    CommandState.PENDING,
    CommandState.SENT,
    CommandState.ACKNOWLEDGED,
)


class Command(BaseModel):
    """One command to one device. Its id is sent with it: a device that sees it twice does it once.

    `acknowledged` ends it when no effect is watched for. Lengths are in seconds.
    """

    model_config = ConfigDict(frozen=True)

    tenant: str
    id: str
    name: str
    title: Text
    rule: str
    rule_key: str
    rule_version: int
    rule_by: str
    firing: str
    entity: str
    device: str
    channel: str
    to: str
    payload: dict[str, Any]
    answers: str
    acknowledged_within_s: float
    retries: int
    valid_until: datetime
    effect_q: str = ""
    effect_entity: str = ""
    effect_within_s: float = 0.0
    high_impact: bool
    state: CommandState
    attempts: int = 0
    made_at: datetime
    decided_by: str = ""
    decided_by_name: str = ""
    decided_at: datetime | None = None
    reason: str = ""
    sent_at: datetime | None = None
    acknowledged_at: datetime | None = None
    ended_at: datetime | None = None
    lines: tuple[Line, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether something may still become of it."""
        return self.ended_at is None


@dataclass(frozen=True)
class FiringFilter:
    """Which firings are asked for; the newest come first."""

    rule: str | None = None
    entity: str | None = None
    active: bool | None = None
    limit: int = 50
    offset: int = 0
