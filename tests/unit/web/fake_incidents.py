"""Invented incidents, and the queue of the desk over the invented cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chengmai.kernel.actors import Actor
from chengmai.kernel.problems import Conflict, NotFound
from chengmai.web.cockpit.incidents.shown import (
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
)
from chengmai.web.cockpit.views import CaseFilter, FaultView, LogLine
from tests.unit.web.fake_signs import FIRST_CASE, text

if TYPE_CHECKING:
    from tests.unit.web.fake_city import FakeCity

INCIDENT = "urn:ngsi-ld:Incident:I202611220001"
MEMBER = "urn:ngsi-ld:VitalSign:environment:pm25:East-Lake"


def stuck(now: datetime, hostile: str = "") -> FaultView:
    """Return the fault of a sensor whose value has not moved for nine hours."""
    said = text("读数九小时未变。", "The value has not moved for nine hours." + hostile)
    return FaultView("stuck", now - timedelta(hours=9), said, FIRST_CASE)


class FakeIncidents:
    """One incident of two alarms, and the waiting cases each on its own."""

    def __init__(self, city: FakeCity) -> None:
        self._city = city
        self.orders: list[IncidentOrder] = []

    def row(self) -> IncidentRow:
        now = self._city.now
        return IncidentRow(
            id=INCIDENT,
            number="I202611220001",
            title=text("东湖 暴雨 → 积水", "Rain, East Lake → ponding" + self._city.hostile),
            nature="event",
            state="open",
            state_label=text("进行中", "Open"),
            level="act",
            since=now - timedelta(hours=1),
            ended_at=None,
            areas=("East Lake" + self._city.hostile,),
            members=2,
            standing=1,
            is_expected=False,
            version=4,
            reason=text("32 毫米", "32 mm in three hours"),
            cases=("c1",),
        )

    async def list(self, actor: Actor, filters: IncidentFilter) -> IncidentList:
        rows = () if self._city.empty else (self.row(),)
        states = (("open", text("进行中", "Open")), ("ended", text("已结束", "Ended")))
        return IncidentList(rows, len(rows), states)

    async def one(self, actor: Actor, incident_id: str) -> IncidentDetail:
        if incident_id != INCIDENT:
            raise NotFound("no such incident", code="incident.not_found")
        city = self._city
        vital = await city.vital(actor, MEMBER)
        history = await city.vital_history(actor, MEMBER, city.now - timedelta(hours=24), city.now)
        first = IncidentMember(
            vital_id=MEMBER,
            title=vital.card.title,
            area=vital.card.area,
            role="cause",
            kind="real",
            level="act",
            since=city.now - timedelta(hours=1),
            until=None,
            reason=vital.card.reason,
            times=2,
            case_id="c1",
            card=vital.card,
            history=history,
            ahead=vital.forecast.points[:2] if vital.forecast else (),
        )
        second = replace(
            first,
            role="effect",
            kind="predicted",
            until=city.now,
            card=None,
            history=None,
            ahead=(),
        )
        cases = tuple(city._rows())
        return IncidentDetail(
            row=self.row(),
            because=(text("雨水来不及排走", "Rain cannot drain away" + city.hostile),),
            members=(first, second),
            log=(
                LogLine(city.now, text("事件形成", "Opened"), "sys", detail=text("雨", "rain")),
                LogLine(
                    city.now, text("备注", "Note"), "Li", detail=text("看", city.hostile or "x")
                ),
            ),
            cases=cases[:1],
            nearby=cases[1:],
            choices=(
                Choice(
                    "raise_level", text("提级", "Raise level"), (("spreading", text("扩", "S")),)
                ),
                Choice("merge", text("合并", "Merge"), (("same_cause", text("同", "Same")),)),
                Choice("split", text("拆分", "Split"), (("other_cause", text("异", "Other")),)),
            ),
            others=(("urn:ngsi-ld:Incident:I2", "I2", text("另一起", "Another")),),
            undo=text("提级", "Raise level"),
            may_note=True,
        )

    async def decide(self, actor: Actor, incident_id: str, order: IncidentOrder) -> None:
        if order.version != self.row().version:
            raise Conflict("changed", code="incident.changed")
        self.orders.append(order)

    async def worklist(self, actor: Actor, limit: int) -> WorkList:
        found = await self._city.queue(actor, CaseFilter(needs_person=True, limit=limit))
        items = tuple(WorkItem(None, (row,)) for row in found.rows)
        if not items:
            return WorkList((), 0)
        told = WorkItem(self.row(), found.rows[:2])
        bare = replace(self.row(), id="i2", title=text("无案件", "Without a case"), cases=())
        told_too = WorkItem(bare, ())
        return WorkList((*items, told, told_too), found.total + 2, (items[0],), 6, 6, 1)

    async def review(self, actor: Actor) -> AlarmReview:
        return AlarmReview(7.0, 90, 20, 40, 5, 1, 8, 12, 3.3, 9, 0.1, 0.0, 6, 12, 6)
