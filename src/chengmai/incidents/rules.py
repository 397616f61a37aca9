"""Pure rules of an incident: what an alarm, a recovery or a decision makes of it. No clock, no store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from chengmai.incidents.folding import Alarm, Chains, cause_of
from chengmai.incidents.model import (
    DECISIONS,
    LEVEL_RANK,
    Incident,
    LogLine,
    Member,
    Nature,
    State,
    Step,
)
from chengmai.incidents.problems import LevelNotHigher, SplitInvalid
from chengmai.incidents.words import title_of
from chengmai.kernel.events import RuleFired, SensorSuspected, VitalCrossed
from chengmai.kernel.geo import point_of
from chengmai.kernel.ids import urn
from chengmai.kernel.instants import to_us

FORGOTTEN = timedelta(hours=2)
"""How long after its time a predicted crossing that did not come stands."""


def member_of(crossing: VitalCrossed) -> Member:
    """Return the member that a crossing makes of its vital sign."""
    return Member(
        vital=crossing.vital_id,
        sign=f"{crossing.pack}/{crossing.sign}",
        group=crossing.category or f"{crossing.pack}/{crossing.sign}",
        title=crossing.title,
        area=crossing.area,
        location=crossing.location,
        kind="predicted" if crossing.kind == "predicted" else "real",
        level=crossing.level,
        reason=crossing.reason,
        since=crossing.at,
        expected_at=crossing.expected_at,
    )


def member_of_fault(suspicion: SensorSuspected) -> Member:
    """Return the member that a suspected sensor is."""
    return Member(
        vital=suspicion.vital_id,
        sign=f"{suspicion.pack}/{suspicion.sign}",
        group=suspicion.fault,
        title=suspicion.title,
        area=suspicion.area,
        location=suspicion.location,
        kind="fault",
        level="watch",
        reason=suspicion.reason,
        since=suspicion.at,
    )


def member_of_firing(fired: RuleFired) -> Member:
    """Return the member that a firing is.

    An entity that says no area is an area of its own: what nobody placed is near nothing else.
    """
    return Member(
        vital=fired.firing,
        sign=fired.key,
        group=fired.category or fired.key,
        title=fired.title,
        area=fired.area or fired.entity,
        location=fired.location,
        level=fired.level,
        reason=fired.reason,
        since=fired.at,
    )


def alarm_of(member: Member, nature: Nature) -> Alarm:
    """Return a member as folding sees it."""
    return Alarm(
        vital=member.vital,
        sign=member.sign,
        group=member.group,
        area=member.area,
        start_us=to_us(member.since),
        end_us=to_us(member.until) if member.until else None,
        place=point_of(member.location) if member.location else None,
        nature=nature,
    )


def alarms_of(incident: Incident) -> list[Alarm]:
    """Return the members of an incident as folding sees them."""
    return [alarm_of(member, incident.nature) for member in incident.members]


def begun(
    tenant: str, number: str, nature: Nature, members: tuple[Member, ...], chains: Chains
) -> Incident:
    """Return the incident that alarms begin."""
    blank = Incident(
        tenant=tenant,
        id=urn("Incident", number),
        number=number,
        nature=nature,
        title=members[0].title,
        level=members[0].level,
        since=min(member.since for member in members),
        members=members,
    )
    return settled(blank, chains)


def settled(incident: Incident, chains: Chains) -> Incident:
    """Return the incident with what follows from its members: level, cause, effects, title and beginning."""
    cause, effects, because = cause_of(alarms_of(incident), chains)
    standing = incident.standing
    levels = [one.level for one in standing] or [incident.level]
    if incident.raised is not None:
        levels.append(incident.raised)
    return incident.model_copy(
        update={
            "level": max(levels, key=lambda level: LEVEL_RANK.get(level, 0)),
            "cause": cause,
            "effects": effects,
            "because": because,
            "title": title_of(incident.members, incident.nature, cause, effects),
            "since": min(member.since for member in incident.members),
        }
    )


def with_alarm(incident: Incident, alarm: Member, chains: Chains) -> tuple[Incident, Step | None]:
    """Return the incident with an alarm, and what that is in its log; None when it says nothing new."""
    known = incident.member(alarm.vital)
    if known is None:
        return settled(_with(incident, alarm), chains), Step.EXTEND
    came_back = not known.stands
    became_real = known.kind == "predicted" and alarm.kind == "real"
    rose = LEVEL_RANK.get(alarm.level, 0) > LEVEL_RANK.get(known.level, 0)
    if not (came_back or became_real or rose):
        return incident, None
    level = alarm.level if came_back or rose else known.level
    after = known.model_copy(
        update={
            "level": level,
            "kind": "real" if became_real else alarm.kind if came_back else known.kind,
            "reason": alarm.reason,
            "until": None,
            "times": known.times + came_back,
            "expected_at": alarm.expected_at,
        }
    )
    step = Step.REOPEN if came_back else Step.RISE
    return settled(_with(incident, after), chains), step


def reopens(incident: Incident, alarm: Member) -> bool:
    """Return whether an alarm that belongs to an ended incident opens it again.

    One that people stood down stays so unless something comes at `act`, or above the level it had.
    """
    if not incident.stood_down:
        return True
    rank = LEVEL_RANK.get(alarm.level, 0)
    return alarm.level == "act" or rank > LEVEL_RANK.get(incident.level, 0)


def recovered(incident: Incident, vital: str, at: datetime, chains: Chains) -> Incident:
    """Return the incident after the alarm of a member was over; without standing members it has ended."""
    members = tuple(
        one.model_copy(update={"until": at}) if one.vital == vital and one.stands else one
        for one in incident.members
    )
    after = settled(incident.model_copy(update={"members": members}), chains)
    return after if after.standing else ended(after, at)


def ended(incident: Incident, at: datetime) -> Incident:
    """Return the incident as it ends at an instant."""
    return incident.model_copy(update={"state": State.ENDED, "ended_at": at})


def opened_again(incident: Incident) -> Incident:
    """Return an incident that has ended as open."""
    return incident.model_copy(update={"state": State.OPEN, "ended_at": None, "stood_down": False})


def forgotten(incident: Incident, now: datetime) -> list[Member]:
    """Return the members that were expected and did not come within two hours after their time."""
    return [
        one
        for one in incident.standing
        if one.kind == "predicted" and now > (one.expected_at or one.since) + FORGOTTEN
    ]


def merged(
    kept: Incident, gone: Incident, at: datetime, chains: Chains
) -> tuple[Incident, Incident]:
    """Return the incident with the members of both, and the other as merged into it."""
    members = {one.vital: one for one in (*gone.members, *kept.members)}
    for one in gone.members:
        own = kept.member(one.vital)
        if own is not None and one.stands and not own.stands:
            members[one.vital] = one
    joined = settled(
        kept.model_copy(
            update={
                "members": tuple(sorted(members.values(), key=lambda m: (m.since, m.vital))),
                "apart": tuple(sorted({*kept.apart, *gone.apart} - {kept.id, gone.id})),
            }
        ),
        chains,
    )
    away = gone.model_copy(update={"state": State.MERGED, "merged_into": kept.id, "ended_at": at})
    return joined, away


def parted(
    incident: Incident, vitals: Iterable[str], number: str, chains: Chains
) -> tuple[Incident, Incident]:
    """Return the incident without some members, and a new one of those; raises `SplitInvalid`."""
    wanted = set(vitals)
    unknown = wanted - {one.vital for one in incident.members}
    off = tuple(one for one in incident.members if one.vital in wanted)
    left = tuple(one for one in incident.members if one.vital not in wanted)
    if unknown or not off or not left:
        why = f"not members: {', '.join(sorted(unknown))}" if unknown else "none or all were chosen"
        raise SplitInvalid(why, param="members", fix="choose some members and leave at least one")
    new = begun(incident.tenant, number, incident.nature, off, chains)
    new = new.model_copy(update={"apart": (*incident.apart, incident.id)})
    rest = incident.model_copy(update={"members": left, "apart": (*incident.apart, new.id)})
    return settled(rest, chains), new


def raised(incident: Incident, level: str, chains: Chains) -> Incident:
    """Return the incident at a level that a person gives it; raises `LevelNotHigher`."""
    if level not in ("watch", "act") or LEVEL_RANK[level] <= LEVEL_RANK.get(incident.level, 0):
        raise LevelNotHigher(level, incident.level)
    return settled(incident.model_copy(update={"raised": level}), chains)


def undoable(log: Iterable[LogLine]) -> LogLine | None:
    """Return the last decision of people that was not undone, or None.

    Only the last can be undone: an earlier one may be what it was built on.
    """
    undone = {line.facts.get("n") for line in log if line.step is Step.UNDO}
    decisions = [
        line for line in log if line.step in DECISIONS and not line.by_id.startswith("sys:")
    ]
    last = decisions[-1] if decisions else None
    return last if last is not None and last.n not in undone else None


def facts_of(member: Member, name: Any) -> dict[str, Any]:
    """Return what the log keeps of a member's alarm."""
    return {
        "vital": member.vital,
        "member": name.as_language_map(),
        "level": member.level,
        "kind": member.kind,
        "reason": member.reason.as_language_map(),
    }


def _with(incident: Incident, member: Member) -> Incident:
    others = [one for one in incident.members if one.vital != member.vital]
    members = sorted([*others, member], key=lambda one: (one.since, one.vital))
    return incident.model_copy(update={"members": tuple(members)})
