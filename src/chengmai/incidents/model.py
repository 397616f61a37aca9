"""What an incident is: its members, its state, its log, and what people ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from chengmai.kernel.texts import Text

Nature = Literal["event", "fault"]
"""What an incident is about: the city itself, or the sensors that watch it. The two are never folded
together."""
AlarmKind = Literal["real", "predicted", "fault"]
LEVEL_RANK = {"normal": 0, "watch": 1, "act": 2}


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    MERGED = "merged"
    ENDED = "ended"


class Step(StrEnum):
    """What happened to an incident. The first seven are the platform's, the others a person's."""

    OPEN = "open"
    EXTEND = "extend"
    RISE = "rise"
    RECOVER = "recover"
    REOPEN = "reopen"
    END = "end"
    CASE = "case"
    MERGE = "merge"
    JOINED = "joined"
    SPLIT = "split"
    RAISE = "raise_level"
    STAND_DOWN = "stand_down"
    COMMENT = "comment"
    UNDO = "undo"


DECISIONS = (Step.MERGE, Step.SPLIT, Step.RAISE, Step.STAND_DOWN)
"""What people decide about an incident, each with a reason code; each can be undone."""


class Member(BaseModel):
    """A vital sign whose alarm belongs to an incident, or the firing of a rule (`vital` is then its id).

    The alarm began at `since` and stands while `until` is None; `times` is how often it came. A sign that has
    fallen silent stands: missing data is no recovery. `case` is the case that is open about it.
    """

    model_config = ConfigDict(frozen=True)

    vital: str
    sign: str
    """`pack/sign`, or `pack/rule` of a firing."""
    group: str
    """The category of its cases, or the kind of fault: alarms of one group in one place belong together."""
    title: Text
    area: str
    location: dict[str, Any] | None = None
    kind: AlarmKind = "real"
    level: str
    reason: Text
    since: datetime
    until: datetime | None = None
    expected_at: datetime | None = None
    times: int = 1
    case: str | None = None

    @property
    def stands(self) -> bool:
        """Whether the alarm is not over."""
        return self.until is None


class Incident(BaseModel):
    """Alarms that belong together. `version` is the number of its last log line.

    `cause` and `effects` are ids of members by the chains of the packs. `raised` is the level that a
    person gave
    it, which it never falls below. `apart` holds incidents that people parted from it: they are not
    folded again.
    """

    model_config = ConfigDict(frozen=True)

    tenant: str
    id: str
    number: str
    nature: Nature
    state: State = State.OPEN
    title: Text
    level: str
    raised: str | None = None
    since: datetime
    ended_at: datetime | None = None
    members: tuple[Member, ...]
    cause: str | None = None
    effects: tuple[str, ...] = ()
    because: tuple[Text, ...] = ()
    """Why the members belong together, one sentence a link of a chain."""
    merged_into: str | None = None
    apart: tuple[str, ...] = ()
    stood_down: bool = False
    version: int = 0

    @property
    def standing(self) -> tuple[Member, ...]:
        """The members whose alarm is not over."""
        return tuple(member for member in self.members if member.stands)

    @property
    def areas(self) -> tuple[str, ...]:
        """Where it is, by name."""
        return tuple(dict.fromkeys(member.area for member in self.members))

    @property
    def cases(self) -> tuple[str, ...]:
        """The cases of its members."""
        return tuple(dict.fromkeys(one.case for one in self.members if one.case))

    @property
    def is_only_expected(self) -> bool:
        """Whether nothing of it has happened yet."""
        return all(member.kind == "predicted" for member in self.members)

    def member(self, vital: str) -> Member | None:
        """Return the member of a vital sign, or None."""
        return next((one for one in self.members if one.vital == vital), None)


class LogLine(BaseModel):
    """One line of the log, never changed. `facts` are what an undo needs, and what the sentence names."""

    model_config = ConfigDict(frozen=True)

    tenant: str
    incident_id: str
    n: int
    at: datetime
    by_id: str
    by_name: str
    step: Step
    reason: str = ""
    """The code of the reason, of `words.REASONS`; empty where none is asked for."""
    note: str = ""
    facts: dict[str, Any] = {}
    key: str | None = None


@dataclass(frozen=True)
class Order:
    """What a person asks of an incident.

    `reason` is a code of `words.REASONS`; `other` the incident to merge into, `members` the signs to split off,
    `level` the one to raise to. With `key` the same order again changes nothing; `version` is the one that was
    seen, None for any.
    """

    step: Step
    reason: str = ""
    note: str = ""
    other: str = ""
    members: tuple[str, ...] = ()
    level: str = ""
    key: str | None = None
    version: int | None = None
