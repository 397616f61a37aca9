"""Rules, firings and commands as NGSI-LD entities: what everybody else sees of them, with history.

The store decides what they are; the entities are written with every change and never read back, so that nobody
can make a rule, or approve a command, by patching an entity.
"""

from __future__ import annotations

from hashlib import sha256

from chengmai.kernel.ids import urn
from chengmai.kernel.instants import format_instant, format_us
from chengmai.ngsild.entity import Entity, entity, geo, opaque, prop, rel, words
from chengmai.rules.model import Command, Firing, Rule


def rule_id(origin: str, slug: str) -> str:
    """Return the id of a rule; `origin` is its pack, or `city`."""
    return urn("Rule", origin, slug)


def firing_id(rule: Rule, entity_id: str, start_us: int) -> str:
    """Return the id of a firing: the same for the same rule, entity and beginning."""
    digest = sha256(f"{entity_id} {rule.version}".encode()).hexdigest()[:8]
    stamp = format_us(start_us).replace("-", "").replace(":", "")
    return urn("RuleFiring", rule.origin, rule.spec.id, f"{stamp}-{digest}")


def command_id(firing: str, slug: str) -> str:
    """Return the id of the command that a firing gives: there is one for each firing and name."""
    return urn("DeviceCommand", *firing.split(":")[3:], slug)


def key_of(entity_id: str) -> str:
    """Return the last part of an id, as it may stand in a topic or a path."""
    return entity_id.rpartition(":")[2]


def rule_entity(rule: Rule) -> Entity:
    """Return the entity `Rule`."""
    spec = rule.spec
    return entity(
        rule.id,
        "Rule",
        name=words(spec.title.as_language_map()),
        description=words(spec.about.as_language_map()),
        origin=prop(rule.origin),
        isOn=prop(rule.is_on),
        isGone=prop(rule.is_gone),
        ruleVersion=prop(rule.version),
        watchedType=prop(spec.on.type),
        condition=prop(spec.q),
        rule=opaque(spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)),
        changedBy=prop(rule.by_id),
    )


def firing_entity(firing: Firing) -> Entity:
    """Return the entity `RuleFiring`."""
    return entity(
        firing.id,
        "RuleFiring",
        name=words(firing.title.as_language_map()),
        refRule=rel(firing.rule),
        ruleVersion=prop(firing.rule_version),
        refEntity=rel(firing.entity),
        level=prop(firing.level),
        firingState=prop("active" if firing.is_active else str(firing.ended)),
        firedAt=prop(format_instant(firing.fired_at)),
        endedAt=prop(format_instant(firing.ended_at)) if firing.ended_at else None,
        reason=words(firing.reason.as_language_map()),
        areaServed=prop(firing.area) if firing.area else None,
        location=geo(firing.location) if firing.location else None,
        refCase=rel(firing.case) if firing.case else None,
        refCommand=rel(firing.command) if firing.command else None,
        trace=opaque([one.model_dump(mode="json") for one in firing.lines]),
    )


def command_entity(command: Command) -> Entity:
    """Return the entity `DeviceCommand`; who decided is in it by account, the words of the reason too."""
    return entity(
        command.id,
        "DeviceCommand",
        name=words(command.title.as_language_map()),
        commandName=prop(command.name),
        commandState=prop(command.state.value),
        refDevice=rel(command.device),
        refRule=rel(command.rule),
        refFiring=rel(command.firing),
        channel=prop(command.channel),
        attempts=prop(command.attempts),
        highImpact=prop(command.high_impact),
        effectCondition=prop(command.effect_q) if command.effect_q else None,
        refEffectEntity=rel(command.effect_entity) if command.effect_q else None,
        decidedBy=prop(command.decided_by) if command.decided_by else None,
        decisionReason=prop(command.reason) if command.reason else None,
        sentAt=prop(format_instant(command.sent_at)) if command.sent_at else None,
        acknowledgedAt=(
            prop(format_instant(command.acknowledged_at)) if command.acknowledged_at else None
        ),
        endedAt=prop(format_instant(command.ended_at)) if command.ended_at else None,
        trace=opaque([one.model_dump(mode="json") for one in command.lines]),
    )
