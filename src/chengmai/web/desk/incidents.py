"""Incidents, as the screens see them, and the queue of the duty desk with its alarm budget."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from chengmai.incidents.budget import ACCEPTABLE, MANAGEABLE, Waiting
from chengmai.incidents.model import LEVEL_RANK, Incident, Member, Order, State, Step
from chengmai.incidents.model import LogLine as IncidentLine
from chengmai.incidents.problems import OrderUnknown
from chengmai.incidents.rules import undoable
from chengmai.incidents.service import IncidentService
from chengmai.incidents.words import REASONS, STATE_WORDS, STEP_WORDS, sentence
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.geo import metres_between, point_of
from chengmai.kernel.problems import Invalid, NotFound
from chengmai.trust.policy import allow, may
from chengmai.web.cockpit.incidents.shown import (
    AHEAD,
    AlarmReview,
    Choice,
    IncidentDetail,
    IncidentFilter,
    IncidentList,
    IncidentMember,
    IncidentOrder,
    IncidentRow,
    WorkItem,
    WorkList,
    waiting_level,
)
from chengmai.web.cockpit.views import CaseFilter, CaseRow, Level, LogLine, Position
from chengmai.web.desk.cases import CaseScreens
from chengmai.web.desk.vitals import VitalScreens

_EVERY = 500
_MOST_CURVES = 8
"""Members that are drawn; the others of a large incident are listed with their last day."""
_NEAR_M = 3000.0
_MOST_NEAR = 10
_BUDGETED = "duty_officer"


class IncidentScreens:
    """Implements `cockpit.incidents.shown.IncidentDesk`."""

    def __init__(
        self,
        incidents: IncidentService,
        cases: CaseScreens,
        vitals: VitalScreens,
        clock: Clock,
        budget: int,
    ) -> None:
        self._incidents, self._cases, self._vitals = incidents, cases, vitals
        self._clock, self._budget = clock, budget

    async def list(self, actor: Actor, filters: IncidentFilter) -> IncidentList:
        allow(actor, "incidents.read")
        if filters.state not in set(State):
            raise Invalid(
                f"there is no state {filters.state!r}",
                param="state",
                fix=f"give one of: {', '.join(State)}",
            )
        found, total = await self._incidents.page(
            actor.tenant, state=State(filters.state), limit=filters.limit, offset=filters.offset
        )
        states = tuple((state.value, words) for state, words in STATE_WORDS.items())
        return IncidentList(tuple(row(one) for one in found), total, states)

    async def one(self, actor: Actor, incident_id: str) -> IncidentDetail:
        allow(actor, "incidents.read")
        incident = await self._incidents.get(actor.tenant, incident_id)
        log, others, live = await asyncio.gather(
            self._incidents.log(actor.tenant, incident_id),
            self._incidents.page(actor.tenant, limit=50),
            self._cases.queue(actor, CaseFilter(open_only=False, limit=_EVERY)),
        )
        members = await self._members(actor, incident)
        decides = may(actor, "incidents.decide")
        is_open = incident.state is State.OPEN
        last = undoable(log)
        own = tuple(case for case in live.rows if case.id in incident.cases)
        return IncidentDetail(
            row=row(incident),
            because=incident.because,
            members=members,
            log=tuple(_line(one) for one in log),
            cases=own,
            nearby=_nearby(incident, [c for c in live.rows if not c.closed and c not in own]),
            choices=_choices(incident) if decides and is_open else (),
            others=tuple(
                (one.id, one.number, one.title)
                for one in others[0]
                if one.id != incident.id and one.nature == incident.nature
            ),
            undo=STEP_WORDS[last.step] if last is not None and decides else None,
            may_note=decides,
            merged_into=incident.merged_into,
            positions=_positions(incident),
        )

    async def decide(self, actor: Actor, incident_id: str, order: IncidentOrder) -> None:
        allow(actor, "incidents.decide")
        if order.step not in set(Step):
            raise OrderUnknown(order.step, (step.value for step in REASONS))
        await self._incidents.decide(
            incident_id,
            actor,
            Order(
                step=Step(order.step),
                reason=order.reason,
                note=order.note,
                other=order.other,
                members=order.members,
                level=order.level,
                key=order.key or None,
                version=order.version if order.version >= 0 else None,
            ),
        )

    async def worklist(self, actor: Actor, limit: int) -> WorkList:
        allow(actor, "incidents.read")
        waiting, (found, open_count) = await asyncio.gather(
            self._cases.queue(actor, CaseFilter(needs_person=True, limit=_EVERY)),
            self._incidents.page(actor.tenant, limit=_EVERY),
        )
        items = _grouped(waiting.rows, found)
        if not actor.has_role(_BUDGETED):
            return WorkList(tuple(items[:limit]), len(items), open_incidents=open_count)
        named = {_alarm(item, found): item for item in items}
        told = await self._incidents.ration(
            actor, [Waiting(name, waiting_level(item)) for name, item in named.items()]
        )
        return WorkList(
            items=tuple(named[name] for name in told.shown)[:limit],
            total=len(items),
            held=tuple(named[name] for name in told.held),
            used=told.used,
            budget=told.budget,
            open_incidents=open_count,
        )

    async def review(self, actor: Actor) -> AlarmReview:
        allow(actor, "incidents.read")
        found = await self._incidents.review(actor.tenant, timedelta(days=7))
        return AlarmReview(
            **asdict(found), acceptable=ACCEPTABLE, manageable=MANAGEABLE, budget=self._budget
        )

    async def _members(self, actor: Actor, incident: Incident) -> tuple[IncidentMember, ...]:
        ranked = sorted(incident.members, key=lambda one: (not one.stands, one.since, one.vital))
        drawn = {one.vital for one in ranked[:_MOST_CURVES]}
        return tuple(
            [await self._member(actor, incident, one, one.vital in drawn) for one in ranked]
        )

    async def _member(
        self, actor: Actor, incident: Incident, member: Member, is_drawn: bool
    ) -> IncidentMember:
        now = self._clock.now()
        made: dict[str, Any] = {
            "vital_id": member.vital,
            "title": member.title,
            "area": member.area,
            "role": _role(incident, member),
            "kind": member.kind,
            "level": _level(member.level),
            "since": member.since,
            "until": member.until,
            "reason": member.reason,
            "times": member.times,
            "case_id": member.case,
        }
        if is_drawn:
            try:
                detail = await self._vitals.detail(actor, member.vital, member.case, ())
            except NotFound:
                # Its pack was taken out since: what is on record stays.
                return IncidentMember(**made)
            look = detail.forecast
            points = look.points if look is not None and look.shown else ()
            made |= {
                "card": detail.card,
                "history": await self._vitals.history(
                    actor, member.vital, now - timedelta(hours=24), now
                ),
                "ahead": tuple(p for p in points if now < p.at <= now + max(AHEAD, detail.step)),
                "interval": look.interval if look is not None else 0.8,
            }
        return IncidentMember(**made)


def row(incident: Incident) -> IncidentRow:
    """Return an incident as a line."""
    return IncidentRow(
        id=incident.id,
        number=incident.number,
        title=incident.title,
        nature=incident.nature,
        state=incident.state.value,
        state_label=STATE_WORDS[incident.state],
        level=_level(incident.level),
        since=incident.since,
        ended_at=incident.ended_at,
        areas=incident.areas,
        members=len(incident.members),
        standing=len(incident.standing),
        is_expected=incident.is_only_expected,
        version=incident.version,
        reason=max(
            incident.standing or incident.members, key=lambda one: LEVEL_RANK.get(one.level, 0)
        ).reason,
        cases=incident.cases,
    )


def _grouped(rows: Sequence[CaseRow], incidents: Sequence[Incident]) -> list[WorkItem]:
    """Return the waiting cases, those of one incident as one item, in the order of the first deadline.

    An incident at level act that no case is about comes after them: somebody has to look.
    """
    home = {case: one for one in incidents if len(one.members) > 1 for case in one.cases}
    items: dict[str, list[CaseRow]] = {}
    for case in rows:
        name = home[case.id].id if case.id in home else case.id
        items.setdefault(name, []).append(case)
    by_id = {one.id: one for one in incidents}
    waiting = [
        WorkItem(row(by_id[name]) if name in by_id else None, tuple(cases))
        for name, cases in items.items()
    ]
    return waiting + [
        WorkItem(row(one), ()) for one in incidents if one.level == "act" and not one.cases
    ]


def _alarm(item: WorkItem, incidents: Sequence[Incident]) -> str:
    """Return what an item is called in the budget: its incident where there is one, and its level."""
    if item.incident is not None:
        return f"{item.incident.id} {waiting_level(item)}"
    name = item.cases[0].id
    for one in incidents:
        if name in one.cases:
            name = one.id
    return f"{name} {waiting_level(item)}"


def _choices(incident: Incident) -> tuple[Choice, ...]:
    steps = [Step.STAND_DOWN, Step.MERGE]
    if len(incident.members) > 1:
        steps.append(Step.SPLIT)
    if incident.level != "act":
        steps.insert(0, Step.RAISE)
    return tuple(
        Choice(step.value, STEP_WORDS[step], tuple(REASONS[step].items())) for step in steps
    )


def _line(line: IncidentLine) -> LogLine:
    automatic = line.by_id.startswith("sys:")
    return LogLine(
        at=line.at,
        label=STEP_WORDS[line.step],
        by=line.by_name or line.by_id,
        detail=sentence(line),
        automatic=automatic,
    )


def _nearby(incident: Incident, rows: Sequence[CaseRow]) -> tuple[CaseRow, ...]:
    points = _positions(incident)

    def far(case: CaseRow) -> float:
        if case.area in incident.areas:
            return 0.0
        if case.position is None or not points:
            return float("inf")
        return min(metres_between(case.position, point) for point in points)

    near = [case for case in rows if far(case) <= _NEAR_M]
    return tuple(sorted(near, key=lambda case: (far(case), case.number))[:_MOST_NEAR])


def _positions(incident: Incident) -> tuple[Position, ...]:
    found = [point_of(one.location) for one in incident.members if one.location]
    return tuple(sorted({point for point in found if point is not None}))


def _role(incident: Incident, member: Member) -> str:
    if member.vital == incident.cause:
        return "cause"
    return "effect" if member.vital in incident.effects else "member"


def _level(level: str) -> Level:
    known: dict[str, Level] = {"normal": "normal", "watch": "watch", "act": "act"}
    return known.get(level, "unknown")
