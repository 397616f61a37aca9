"""A small invented city behind the screens: enough of everything to look at, nothing to wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock, FixedClock
from chengmai.kernel.problems import Conflict, NotFound, Unauthenticated
from chengmai.kernel.texts import Text
from chengmai.web.cockpit.views import (
    AbnormalPlace,
    AuditFilter,
    AuditLineView,
    AuditPage,
    BaselinePoint,
    BaseMap,
    CaseDetail,
    CaseFilter,
    CaseList,
    CaseRow,
    CategoryChoice,
    CityBanner,
    EvidenceReading,
    FeedRef,
    FeedView,
    Handover,
    HandoverLine,
    LogLine,
    Point,
    RejectSample,
    Report,
    SearchHit,
    Session,
    StepOrder,
    VitalCard,
    VitalDetail,
    VitalHistory,
)
from tests.unit.web.fake_assessment import FakeAssessment, FakeScores
from tests.unit.web.fake_cases import RETURN, case_rows
from tests.unit.web.fake_incidents import FakeIncidents, stuck
from tests.unit.web.fake_pools import FakePools
from tests.unit.web.fake_rules import NoRules
from tests.unit.web.fake_signs import (
    AREAS,
    FIRST_CASE,
    HOUR,
    NOW,
    SIGNS,
    SOUTH,
    WEST,
    bands,
    card,
    find_sign,
    forecast,
    observed,
    polygon,
    sign_value,
    silent,
    text,
)

PASSWORD = "a long pass phrase"


def district(index: int) -> dict[str, Any]:
    area = AREAS[index]
    return polygon("district", area.zh, area.en, 0.1 * index, 0.03 * index, 0.1, 0.14)


@dataclass
class FakeCity(FakeScores):
    """Desk and accounts over invented data. `steps` and `reports` keep what was asked of it."""

    clock: Clock = field(default_factory=lambda: FixedClock(NOW))
    rate: float = 30.0
    hostile: str = ""
    empty: bool = False
    roles: frozenset[str] = frozenset({"admin"})
    steps: list[StepOrder] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    signed_in: dict[str, Actor] = field(default_factory=dict)

    @cached_property
    def pools(self) -> FakePools:
        return FakePools(self.hostile, self.empty)

    # --- accounts

    async def sign_in(self, name: str, password: str, address: str) -> Session:
        if password != PASSWORD:
            raise Unauthenticated("wrong name or password")
        actor = Actor(f"usr_{name}", roles=self.roles, name=name)
        token = f"token-{len(self.signed_in)}-{name}"
        self.signed_in[token] = actor
        return Session(token, actor, timedelta(hours=12))

    async def sign_out(self, token: str) -> None:
        self.signed_in.pop(token, None)

    async def actor_of(self, token: str) -> Actor | None:
        return self.signed_in.get(token)

    # --- desk

    @cached_property
    def incidents(self) -> FakeIncidents:
        return FakeIncidents(self)

    @property
    def rules(self) -> Any:
        return NoRules()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def assess(self) -> FakeAssessment:
        return FakeAssessment(self.now.date(), self.hostile, self.empty)

    def banner(self) -> CityBanner:
        city = text("澄湾市", "Chengwan")
        return CityBanner(city, "Asia/Shanghai", self.now, "simulated", self.rate)

    async def base_map(self) -> BaseMap:
        features = tuple(district(index) for index in range(len(AREAS)))
        lake = polygon("water", "澄湖", "Lake", 0.02, 0.06, 0.05, 0.04)
        park = polygon("park", "公园", "Park", 0.16, 0.12, 0.04, 0.04)
        road = {
            "type": "Feature",
            "properties": {"kind": "road"},
            "geometry": {
                "type": "LineString",
                "coordinates": [
                    [WEST, SOUTH + 0.03],
                    [WEST + 0.14, SOUTH + 0.1],
                    [WEST + 0.3, SOUTH + 0.11],
                ],
            },
        }
        return BaseMap((*features, park, lake, road), text("虚构城市示意图", "Invented city"))

    async def board(self, actor: Actor) -> Sequence[VitalCard]:
        if self.empty:
            return ()
        return [
            card(sign, area, self.now, self.hostile) for sign in SIGNS for area in range(len(AREAS))
        ]

    async def vital(self, actor: Actor, vital_id: str) -> VitalDetail:
        sign, area = find_sign(vital_id)
        shown = card(sign, area, self.now, self.hostile)
        case = next((c for c in self._rows() if c.vital_id == vital_id), None)
        return VitalDetail(
            card=shown,
            about=text("反映居民每天呼吸的空气。", "What the people of the area breathe."),
            definition=text(
                "区域内有效站点小时均值的平均。",
                "Mean of the hourly means of the stations that reported.",
            ),
            sql="SELECT area, tick, avg(pm25) AS value\nFROM air_quality_observed\nGROUP BY area, tick",
            step=HOUR,
            stale_after=timedelta(hours=3),
            bands=bands(sign),
            fault=stuck(self.now, self.hostile),
            forecast=forecast(sign, area, self.now),
            anomaly=text(
                "比同一时段通常水平高 3.1 个标准差。",
                "3.1 deviations above the usual level of this hour.",
            )
            if shown.level == "act"
            else None,
            case=case,
            feeds=(FeedRef("air", text("空气质量站", "Air quality stations"), "live"),),
        )

    async def vital_history(
        self, actor: Actor, vital_id: str, start: datetime, end: datetime
    ) -> VitalHistory:
        sign, area = find_sign(vital_id)
        step = HOUR if end - start > timedelta(hours=48) else timedelta(minutes=15)
        count = int((end - start) / step)
        times = [start + step * n for n in range(count + 1)]
        points = tuple(
            Point(at, observed(sign, area, at, self.now))
            for at in times
            if not silent(at, self.now)
        )
        baseline = tuple(
            BaselinePoint(at, mid - sign.swing * 0.5, mid, mid + sign.swing * 0.5)
            for at in times
            for mid in [sign_value(sign, area, at - timedelta(days=7))]
        )
        return VitalHistory(start, end, points, baseline)

    async def queue(self, actor: Actor, filters: CaseFilter) -> CaseList:
        rows = [
            row
            for row in self._rows()
            if (not filters.level or row.level == filters.level)
            and (not filters.text or filters.text in row.title.zh + row.title.en + row.area)
            and not (filters.needs_person and row.next_step is None)
        ]
        page = rows[filters.offset : filters.offset + filters.limit]
        states = (("open", text("立案", "Opened")), ("handle", text("处置中", "In hand")))
        return CaseList(tuple(page), len(rows), states)

    async def case(self, actor: Actor, case_id: str) -> CaseDetail:
        row = next((c for c in self._rows() if c.id == case_id), None)
        if row is None:
            raise NotFound(f"there is no case {case_id}", code="case.not_found")
        evidence = tuple(
            EvidenceReading(self.now - HOUR * n, 142.3 - 9 * n, "µg/m³") for n in range(5, -1, -1)
        )
        return CaseDetail(
            row=row,
            reason=text("PM2.5 连续 2 小时高于 115 µg/m³。", "PM2.5 above 115 µg/m³ for 2 hours."),
            steps=(row.next_step, RETURN) if row.next_step else (),
            evidence=evidence,
            description=self.hostile,
            checklist=(
                text("核对周边工地是否停工", "Check that building sites nearby have stopped"),
            ),
            open_when=text("连续两小时处于处置级别", "Two hours at level act"),
            close_when=text(
                "连续三小时恢复正常并经现场核查", "Three hours normal, verified on site"
            ),
            limit=text("4 个工作小时", "4 working hours"),
            source=Text(zh="重污染应急预案 4.2", en="Heavy pollution emergency plan, section 4.2"),
            trust="M",
        )

    async def case_log(self, actor: Actor, case_id: str) -> Sequence[LogLine]:
        at = self.now - timedelta(minutes=38)
        return (
            LogLine(at, text("上报", "Reported"), "vitals", automatic=True),
            LogLine(
                at,
                text("立案", "Opened"),
                "cases",
                automatic=True,
                detail=text("责任单位按规则匹配", "Unit found by rule"),
            ),
            LogLine(
                at + timedelta(minutes=20),
                text("备注", "Note"),
                "Li Wei",
                self.hostile or "已电话通知街道。",
            ),
        )

    async def take_step(self, actor: Actor, case_id: str, order: StepOrder) -> None:
        row = (await self.case(actor, case_id)).row
        if order.version != row.version:
            raise Conflict("somebody else changed the case", code="case.version", fix="look again")
        self.steps.append(order)

    async def categories(self, actor: Actor) -> Sequence[CategoryChoice]:
        group = text("生态环境", "Environment")
        return (
            CategoryChoice("smoke", text("露天焚烧", "Open burning"), group),
            CategoryChoice("dust", text("工地扬尘", "Dust from a building site"), group),
        )

    async def areas(self, actor: Actor) -> Sequence[str]:
        return [area.en for area in AREAS]

    async def report(self, actor: Actor, report: Report) -> str:
        self.reports.append(report)
        return FIRST_CASE

    async def open_case(self, actor: Actor, vital_id: str, key: str) -> str:
        await self.vital(actor, vital_id)
        return (await self.queue(actor, CaseFilter(limit=1))).rows[0].id

    async def feeds(self, actor: Actor) -> Sequence[FeedView]:
        if self.empty:
            return ()
        now = self.now
        rejects = tuple(
            RejectSample(
                now - timedelta(minutes=5 * n),
                "instant.invalid",
                f"line {1200 + n}",
                "'2026-13-45T99:00' is not an instant",
                "Haidian,2026-13-45T99:00,88.1",
            )
            for n in range(3, 0, -1)
        )
        return (
            FeedView(
                "urn:ngsi-ld:DataFeed:environment:air",
                text("空气质量站", "Air quality stations"),
                "replay",
                "live",
                now - timedelta(minutes=2),
                182_340,
                182_291,
                49,
                (("instant.invalid", 31), ("unit.unknown", 18)),
                rejects,
                74.0,
                False,
                text("北京 12 个国控点的历史实测数据。", "Measured at 12 stations in Beijing."),
                HOUR,
            ),
            FeedView(
                "urn:ngsi-ld:DataFeed:transport:loops",
                text("道路线圈", "Road loops"),
                "simulate",
                "late",
                now - timedelta(minutes=21),
                96_002,
                96_002,
                0,
                simulated=True,
                lag_s=4.2,
            ),
            FeedView(
                "urn:ngsi-ld:DataFeed:power:ett",
                text("变压器监测", "Transformers"),
                "mqtt",
                "silent",
                now - timedelta(hours=3),
                5_120,
                5_120,
                0,
            ),
        )

    async def abnormal_places(self, actor: Actor) -> Sequence[AbnormalPlace]:
        cards = [
            card for card in await self.board(actor) if card.level != "normal" and card.position
        ]
        found = [
            AbnormalPlace("vital", c.id, c.title, c.area, c.level, c.position or (0, 0))
            for c in cards
        ]
        cases = self._rows()
        found += [
            AbnormalPlace("case", c.id, c.title, c.area, c.level, c.position)
            for c in cases
            if c.position
        ]
        return found

    async def handover(self, actor: Actor, since: datetime | None = None) -> Handover:
        start = since or self.now.replace(hour=0, minute=0)
        lines = (
            HandoverLine(
                self.now - timedelta(minutes=38),
                text("PM2.5 案件自动立案", "PM2.5 case opened by the platform"),
                "case",
                FIRST_CASE,
            ),
            HandoverLine(
                self.now - timedelta(hours=3),
                text("变压器监测数据源静默", "Transformer feed fell silent"),
                "feed",
                "ett",
            ),
        )
        return Handover(start, 3, 1, 4, 2, lines)

    async def search(self, actor: Actor, text: str) -> Sequence[SearchHit]:
        hits = [
            SearchHit("vital", c.id, c.title, c.area, c.level)
            for c in await self.board(actor)
            if text.casefold() in f"{c.title.zh} {c.title.en} {c.area}".casefold()
        ]
        return hits[:50]

    async def audit(self, actor: Actor, filters: AuditFilter) -> AuditPage:
        lines = tuple(
            AuditLineView(
                400 - n,
                self.now - timedelta(minutes=n),
                "Li Wei",
                "case.dispatch",
                FIRST_CASE,
                self.hostile,
                f"{n:064x}",
            )
            for n in range(20)
        )
        return AuditPage(lines, intact=True, checked=400, next_before=381)

    def _rows(self) -> list[CaseRow]:
        return [] if self.empty else case_rows(self.now, self.hostile)
