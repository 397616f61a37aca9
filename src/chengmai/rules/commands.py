"""Pure rules of a command: how it is made, and what may become of it. No clock, no store, no wire."""

from __future__ import annotations

from datetime import datetime, timedelta

from chengmai.kernel.actors import Actor
from chengmai.ngsild.entity import Entity, instances
from chengmai.packs.rules import CommandSpec
from chengmai.rules.entities import command_id, key_of
from chengmai.rules.model import LIVE, Command, CommandState, Firing, Rule
from chengmai.rules.problems import CommandDecided, ReasonNeeded, SecondPersonNeeded
from chengmai.rules.words import line

_TO: dict[CommandState, frozenset[CommandState]] = {
    CommandState.WAITING: frozenset(
        {CommandState.PENDING, CommandState.REFUSED, CommandState.TIMED_OUT}
    ),
    CommandState.PENDING: frozenset(
        {
            CommandState.SENT,
            CommandState.REFUSED,
            CommandState.TIMED_OUT,
            CommandState.VERIFIED,
        }
    ),
    CommandState.SENT: frozenset(
        {
            CommandState.ACKNOWLEDGED,
            CommandState.REFUSED,
            CommandState.TIMED_OUT,
            CommandState.VERIFIED,
        }
    ),
    CommandState.ACKNOWLEDGED: frozenset({CommandState.VERIFIED, CommandState.NO_EFFECT}),
}


def may_become(command: Command, state: CommandState) -> bool:
    """Return whether a command may go to `state`: it never goes back, and what ended stays ended."""
    return command.is_live and state in _TO.get(command.state, frozenset())


def new_command(
    rule: Rule, firing: Firing, spec: CommandSpec, entity: Entity, now: datetime
) -> Command:
    """Return the command that a firing gives, waiting for a person when its impact is high."""
    device = _target(spec.device, entity, rule)
    effect = spec.effect
    waits = spec.high_impact
    state = CommandState.WAITING if waits else CommandState.PENDING
    made = line(
        now,
        state.value,
        f"指令“{spec.title.zh}”已生成，" + ("影响大，等人决定。" if waits else "即将发送。"),
        f"The command {spec.title.en} was made"
        + ("; its impact is high, so it waits for a person." if waits else " and is to be sent."),
    )
    return Command(
        tenant=rule.tenant,
        id=command_id(firing.id, spec.id),
        name=spec.id,
        title=spec.title,
        rule=rule.id,
        rule_key=rule.key,
        rule_version=rule.version,
        rule_by=rule.by_id,
        firing=firing.id,
        entity=firing.entity,
        device=device,
        channel=spec.channel,
        to=_filled(spec.to, device, spec, rule),
        payload=spec.payload,
        answers=_filled(spec.answers, device, spec, rule),
        acknowledged_within_s=spec.acknowledged_within.total_seconds(),
        retries=spec.retries,
        valid_until=now + spec.valid_for,
        effect_q=effect.q if effect else "",
        effect_entity=_target(effect.entity, entity, rule) if effect else "",
        effect_within_s=effect.within.total_seconds() if effect else 0.0,
        high_impact=waits,
        state=state,
        made_at=now,
        lines=(made,),
    )


def _target(named: str, entity: Entity, rule: Rule) -> str:
    """Return the entity that is meant: the one of the rule, one it relates to, or one by its id."""
    if not named:
        return str(entity["id"])
    if ":" in named:
        return named.replace("{key}", key_of(entity["id"])).replace("{rule}", rule.spec.id)
    for instance in instances(entity, named):
        target = instance.get("object")
        if isinstance(target, str):
            return target
        if isinstance(target, list) and target:
            return str(target[0])
    return str(entity["id"])


def _filled(text: str, device: str, spec: CommandSpec, rule: Rule) -> str:
    for name, value in (
        ("key", key_of(device)),
        ("device", device),
        ("command", spec.id),
        ("rule", rule.spec.id),
    ):
        text = text.replace("{" + name + "}", _harmless(value))
    return text


def _harmless(value: str) -> str:
    """Return an id as one level of a topic or path."""
    return "".join("_" if sign in "/+#?&%\\" or not sign.isprintable() else sign for sign in value)


def body_of(command: Command) -> dict[str, object]:
    """Return what is sent; the id is what makes the same command the same."""
    return {
        **command.payload,
        "commandId": command.id,
        "command": command.name,
        "device": command.device,
    }


def moved(
    command: Command, state: CommandState, now: datetime, zh: str, en: str, **changes: object
) -> Command:
    """Return the command in `state` with a line that says so."""
    ends = state not in LIVE or (state is CommandState.ACKNOWLEDGED and not command.effect_q)
    said = line(now, state.value, zh, en)
    return command.model_copy(
        update={
            "state": state,
            "ended_at": now if ends else None,
            "lines": (*command.lines, said),
            **changes,
        }
    )


def noted(
    command: Command, what: str, now: datetime, zh: str, en: str, **changes: object
) -> Command:
    """Return the command with a line and changes, in the state it is in."""
    said = line(now, what, zh, en)
    return command.model_copy(update={"lines": (*command.lines, said), **changes})


def decided(command: Command, by: Actor, now: datetime, *, approve: bool, reason: str) -> Command:
    """Return the command as a person decided on it.

    Raises `CommandDecided`, `ReasonNeeded`, or `SecondPersonNeeded` when `by` changed the rule last.
    """
    if command.state is not CommandState.WAITING or not command.is_live:
        raise CommandDecided(command.id, command.state.value)
    if approve and by.id == command.rule_by:
        raise SecondPersonNeeded(command.id)
    if not reason:
        raise ReasonNeeded
    who = by.name or by.id
    facts = {"decided_by": by.id, "decided_by_name": who, "decided_at": now, "reason": reason}
    if approve:
        return moved(
            command,
            CommandState.PENDING,
            now,
            f"{who} 批准：{reason}",
            f"{who} approved: {reason}",
            **facts,
        )
    return moved(
        command,
        CommandState.REFUSED,
        now,
        f"{who} 否决：{reason}",
        f"{who} refused: {reason}",
        **facts,
    )


def due_at(command: Command) -> datetime | None:
    """Return when something must be done about a command by itself, None once it ended."""
    if not command.is_live:
        return None
    if command.state is CommandState.WAITING:
        return command.valid_until
    if command.state is CommandState.ACKNOWLEDGED:
        assert command.sent_at is not None
        return command.sent_at + timedelta(seconds=command.effect_within_s)
    # Whoever takes it up anew, after a crash, does so at once.
    return command.made_at


def called_off(command: Command, now: datetime) -> Command | None:
    """Return the command called off because its firing is over; None when it went out already."""
    unsent = command.state is CommandState.WAITING or (
        command.state is CommandState.PENDING and command.attempts == 0
    )
    if not command.is_live or not unsent:
        return None
    return moved(
        command,
        CommandState.REFUSED,
        now,
        "触发已经结束，指令不再发送。",
        "The firing is over, so the command is not sent.",
    )
