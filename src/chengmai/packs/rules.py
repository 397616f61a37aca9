"""What a rule on entities may say: `rules/*.toml` of a pack, and the rules that people make in the cockpit."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from chengmai.kernel.texts import Text
from chengmai.packs.forms import Duration, Slug, Spec

Level = Literal["watch", "act"]
Trust = Literal["S", "M", "C", "D"]
MOST_TIMES = 100
LONGEST = timedelta(days=31)
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
KNOWN = frozenset({"device", "key", "command", "rule"})
"""What a topic, a path, an id or a text of a payload may hold in braces."""


class Selects(Spec):
    """Which entities a rule is about; every part that is given must match."""

    type: str = Field(min_length=1, max_length=300)
    ids: tuple[str, ...] = Field(default=(), max_length=500)
    scope: str | None = None
    """An NGSI-LD scope query, such as `/City/East/#`."""
    area: str | None = None
    """The value of the attribute `area_from` of the type (`areaServed` unless its pack says otherwise)."""
    area_from: str = "areaServed"


class Recovers(Spec):
    """When it is over: `q` (left out: the condition no longer holds) without a break for `for`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    q: str | None = None
    for_: Duration = Field(default=timedelta(0), alias="for")


class EffectSpec(Spec):
    """What should change after a command: `q` holds on `entity` by `within` after it was sent."""

    q: str = Field(min_length=1, max_length=4000)
    within: Duration
    entity: str = ""
    """Empty: the entity of the rule. A relationship of it, or an id that may hold `{key}`."""

    @field_validator("within")
    @classmethod
    def _some_time(cls, within: timedelta) -> timedelta:
        return _between("within", within, timedelta(seconds=1))


class CommandSpec(Spec):
    """What is sent to a device, and how it is known that it came, and that it worked.

    `channel` names an address that the city sets (`CHENGMAI_COMMAND_CHANNELS`): a pack knows no address.
    """

    id: Slug
    title: Text
    channel: Slug
    to: str = Field(min_length=1, max_length=300)
    """MQTT: the topic. HTTP: what is put behind the address of the channel. May hold `{key}` and `{device}`."""
    payload: dict[str, Any] = Field(default_factory=dict)
    """Members of the JSON that is sent, beside `commandId`, `command` and `device`."""
    device: str = ""
    """Empty: the entity of the rule. A relationship of it, or an id that may hold `{key}`."""
    answers: str = ""
    """MQTT: the topic on which the device answers `{"commandId": …, "status": "accepted"|"refused"}`. Empty:
    that the broker took it counts as acknowledged."""
    acknowledged_within: Duration = timedelta(seconds=10)
    retries: int = Field(default=2, ge=0, le=10)
    valid_for: Duration = timedelta(minutes=30)
    """A command that was not sent by then is not sent any more."""
    high_impact: bool = True
    """Whether a person decides before it is sent."""
    effect: EffectSpec | None = None

    @model_validator(mode="after")
    def _bounded(self) -> CommandSpec:
        _between("acknowledged_within", self.acknowledged_within, timedelta(milliseconds=100))
        if self.acknowledged_within > timedelta(minutes=10):
            raise ValueError("acknowledged_within: wait ten minutes at most")
        _between("valid_for", self.valid_for, timedelta(seconds=1))
        for name, text in (("to", self.to), ("answers", self.answers), ("device", self.device)):
            if wrong := sorted(set(_PLACEHOLDER.findall(text)) - KNOWN):
                raise ValueError(
                    f"{name}: {{{wrong[0]}}} is not known; use {{key}}, {{device}}, {{command}} or {{rule}}"
                )
        if ".." in self.to.split("/") or any(sign in self.to for sign in "?\\ "):
            raise ValueError("to: write names joined by /, without .., ?, blanks and backslashes")
        if any(sign in self.to for sign in "+#"):
            raise ValueError("to: a command goes to one topic, without + and #")
        return self


class RuleSpec(Spec):
    """rules/*.toml: one rule. See `docs/build/packs.md`.

    It fires when `q` holds: at once; `count` times `within` a length; or without a break `for` a length.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: Slug
    title: Text
    about: Text
    on: Selects
    q: str = Field(min_length=1, max_length=4000)
    count: int = Field(default=1, ge=1, le=MOST_TIMES)
    within: Duration | None = None
    for_: Duration | None = Field(default=None, alias="for")
    recovers: Recovers = Recovers()
    silent_after: Duration | None = None
    """How long a reading speaks; left out: until the next one (a state that is told when it changes)."""
    late: Duration = timedelta(minutes=10)
    """Readings that come this much late or out of order are still judged in their place."""
    level: Level = "act"
    opens: Slug | None = None
    """The category of the case that is opened; left out: none."""
    command: CommandSpec | None = None
    source: Text
    trust: Trust
    active: bool = True
    """Whether it is switched on where nobody decided otherwise."""

    @model_validator(mode="after")
    def _one_way(self) -> RuleSpec:
        if (self.count > 1) is not (self.within is not None):
            raise ValueError("count and within belong together: 3 times within PT10S")
        if self.for_ is not None and self.within is not None:
            raise ValueError("use count and within, or for, not both")
        for name, length in (
            ("within", self.within),
            ("for", self.for_),
            ("silent_after", self.silent_after),
        ):
            if length is not None:
                _between(name, length, timedelta(milliseconds=1))
        for name, length in (("recovers.for", self.recovers.for_), ("late", self.late)):
            _between(name, length, timedelta(0))
        return self

    @property
    def is_idle(self) -> bool:
        """Whether it does nothing but say that it fired."""
        return self.opens is None and self.command is None


def _between(name: str, length: timedelta, shortest: timedelta) -> timedelta:
    if not shortest <= length <= LONGEST:
        raise ValueError(
            f"{name}: give a length of {shortest.total_seconds():g} s up to {LONGEST.days} days"
        )
    return length


class ExpectedFiring(Spec):
    """expect/*.toml, [[rules]]: so often the rule has fired on an entity at the end, and still holds or not."""

    rule: Slug
    entity: str
    """Id of the thing, as in `given`."""
    count: int = Field(default=1, ge=0)
    active: bool | None = None
    commands: int | None = Field(default=None, ge=0)
    """How many commands were made by then."""
