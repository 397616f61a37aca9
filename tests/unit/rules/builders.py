"""Builders for the tests of rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chengmai.kernel.actors import Actor
from chengmai.ngsild.entity import Entity, entity, prop
from chengmai.packs.rules import RuleSpec
from chengmai.rules.commands import new_command
from chengmai.rules.entities import rule_id
from chengmai.rules.model import Command, Firing, Rule

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
POLE = "urn:ngsi-ld:Pole:p1"


def words(text: str) -> dict[str, str]:
    return {"zh": f"{text}（中）", "en": text}


def manager(name: str = "m1") -> Actor:
    return Actor(f"usr_{name}", "city", frozenset({"manager"}), name)


def officer(name: str = "o1") -> Actor:
    return Actor(f"usr_{name}", "city", frozenset({"duty_officer"}), name)


def a_command(**more: Any) -> dict[str, Any]:
    """Return the command of a rule as a pack writes it."""
    told = {"id": "light", "title": words("Light"), "channel": "lamps", "to": "poles/{key}/set"}
    return told | more


def a_spec(**more: Any) -> RuleSpec:
    """Return a rule on poles: tilted by more than 15 degrees."""
    told: dict[str, Any] = {
        "id": "tilt",
        "title": words("Tilt"),
        "about": words("A pole leans"),
        "on": {"type": "Pole"},
        "q": "tilt>15",
        "recovers": {"q": "tilt<10"},
        "source": words("a city's choice"),
        "trust": "C",
    }
    return RuleSpec.model_validate(told | more)


def a_rule(spec: RuleSpec | None = None, **more: Any) -> Rule:
    spec = spec or a_spec()
    told: dict[str, Any] = {
        "tenant": "city",
        "id": rule_id("city", spec.id),
        "origin": "city",
        "spec": spec,
        "version": 1,
        "is_on": True,
        "by_id": "usr_m1",
        "by_name": "m1",
        "at": NOON,
    }
    return Rule.model_validate(told | more)


def a_pole(**attributes: Any) -> Entity:
    return entity(POLE, "Pole", **{name: prop(value) for name, value in attributes.items()})


def a_firing(rule: Rule) -> Firing:
    return Firing(
        tenant="city",
        id="urn:ngsi-ld:RuleFiring:city:tilt:20261122T040000Z-0",
        rule=rule.id,
        rule_key=rule.key,
        rule_version=rule.version,
        title=rule.spec.title,
        entity=POLE,
        entity_name=rule.spec.title,
        level="act",
        fired_at=NOON,
        told_at=NOON,
        reason=rule.spec.title,
    )


def a_made_command(**more: Any) -> Command:
    """Return a command as a firing gives it."""
    rule = a_rule(a_spec(command=a_command(**more)))
    assert rule.spec.command is not None
    return new_command(rule, a_firing(rule), rule.spec.command, a_pole(tilt=20), NOON)
