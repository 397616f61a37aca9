"""The desk of a running city: the port of the screens, put onto the rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from chengmai.app import City
from chengmai.assess.frameworks.service import FrameworkService
from chengmai.assess.outlook.service import OutlookService
from chengmai.assess.service import AssessService
from chengmai.assess.surveys.service import SurveyService
from chengmai.cases.model import State
from chengmai.connect.health import feed_id
from chengmai.connect.simulate.town import town_geojson
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import from_us
from chengmai.kernel.texts import Text
from chengmai.ngsild.entity import name_iri
from chengmai.trust.audit import AuditRecord
from chengmai.trust.policy import allow, may
from chengmai.web.cockpit.views import (
    AbnormalPlace,
    AuditFilter,
    AuditLineView,
    AuditPage,
    BaseMap,
    CaseDetail,
    CaseFilter,
    CaseList,
    CaseRow,
    CategoryChoice,
    CityBanner,
    FeedView,
    Handover,
    LogLine,
    Report,
    SearchHit,
    StepOrder,
    VitalCard,
    VitalDetail,
    VitalHistory,
)
from chengmai.web.desk import news
from chengmai.web.desk.cases import CaseScreens
from chengmai.web.desk.feeds import feed_ref, feed_view
from chengmai.web.desk.incidents import IncidentScreens
from chengmai.web.desk.indicators import IndicatorScreens
from chengmai.web.desk.pools import PoolScreens
from chengmai.web.desk.rules import RuleScreens
from chengmai.web.desk.seen import SeenVitals
from chengmai.web.desk.vitals import VitalScreens

_EVERY_CASE = 500
_MANY_FEEDS = 1000


class CityDesk:
    """Implements `cockpit.ports.Desk`."""

    def __init__(self, city: City) -> None:
        self._city = city
        self.rules = RuleScreens(city.rules, city.packs)
        self.indicators = IndicatorScreens(city)
        self.pools = PoolScreens(city.pools, city.packs, city.zone)
        self._cases = CaseScreens(city.cases, city.packs)
        seen = SeenVitals(city.board, city.history, city.clock)
        city.news.append(seen.told)
        self._vitals = VitalScreens(
            city.board, city.packs, city.clock, seen, city.day_kinds.kind_at
        )
        self._incidents = IncidentScreens(
            city.incidents, self._cases, self._vitals, city.clock, city.settings.alarms_per_hour
        )

    @property
    def incidents(self) -> IncidentScreens:
        return self._incidents

    @property
    def assess(self) -> AssessService:
        return self._city.assess

    @property
    def outlook(self) -> OutlookService:
        return self._city.outlook

    @property
    def frameworks(self) -> FrameworkService:
        return self._city.frameworks

    @property
    def surveys(self) -> SurveyService:
        return self._city.surveys

    def passer_by(self) -> Actor:
        return Actor("public", self._city.settings.tenant, frozenset({"public"}), "public")

    def banner(self) -> CityBanner:
        settings = self._city.settings
        simulated = self._city.is_simulated
        return CityBanner(
            city=settings.city,
            zone=settings.zone,
            now=self._city.clock.now(),
            truth="simulated" if simulated else "replayed" if settings.source_data else "live",
            rate=settings.clock_rate,
        )

    async def base_map(self) -> BaseMap:
        if not self._city.is_simulated:
            return BaseMap()
        features = tuple(_named(feature) for feature in town_geojson()["features"])
        invented = Text(zh="虚构城镇，非真实地图", en="An invented town; not a real map")
        return BaseMap(features, attribution=invented)

    async def board(self, actor: Actor) -> Sequence[VitalCard]:
        return await self._vitals.cards(actor, await self._cases_of_vitals(actor))

    async def vital(self, actor: Actor, vital_id: str) -> VitalDetail:
        allow(actor, "vitals.read")
        live = await self._live_cases(actor)
        row = next((row for row in live if row.vital_id == vital_id), None)
        behind = self._feeds_behind(vital_id)
        feeds = tuple(
            feed_ref(entity)
            for entity in await self._feed_entities(actor)
            if entity["id"] in behind
        )
        detail = await self._vitals.detail(actor, vital_id, row.id if row else None, feeds)
        abnormal = detail.card.level != "normal"
        if (fault := detail.fault) is not None:
            doubt = next((one.id for one in live if one.sensor_id == vital_id), None)
            detail = replace(detail, fault=replace(fault, case_id=doubt))
        return replace(
            detail, case=row, may_open_case=abnormal and row is None and may(actor, "cases.report")
        )

    def _feeds_behind(self, vital_id: str) -> frozenset[str]:
        """Return the ids of the feeds that bring what a sign is made of."""
        parts = vital_id.split(":")
        types = self._city.board.entity_types(parts[3], parts[4]) if len(parts) > 4 else frozenset()
        return frozenset(
            feed_id(pack.info.id, feed.id)
            for pack in self._city.packs
            for feed in pack.feeds
            if name_iri(feed.entity) in types
        )

    async def vital_history(
        self, actor: Actor, vital_id: str, start: datetime, end: datetime
    ) -> VitalHistory:
        return await self._vitals.history(actor, vital_id, start, end)

    async def queue(self, actor: Actor, filters: CaseFilter) -> CaseList:
        return await self._cases.queue(actor, filters)

    async def case(self, actor: Actor, case_id: str) -> CaseDetail:
        return await self._cases.detail(actor, case_id)

    async def case_log(self, actor: Actor, case_id: str) -> Sequence[LogLine]:
        return await self._cases.log(actor, case_id)

    async def take_step(self, actor: Actor, case_id: str, order: StepOrder) -> None:
        await self._cases.take_step(actor, case_id, order)

    async def categories(self, actor: Actor) -> Sequence[CategoryChoice]:
        allow(actor, "cases.report")
        return self._cases.categories()

    async def areas(self, actor: Actor) -> Sequence[str]:
        allow(actor, "cases.report")
        views = await self._city.board.board(actor.tenant)
        return sorted({view.area for view in views})

    async def report(self, actor: Actor, report: Report) -> str:
        return await self._cases.report(actor, report)

    async def open_case(self, actor: Actor, vital_id: str, key: str) -> str:
        return await self._cases.open_about(actor, await self._vitals.seen(actor, vital_id), key)

    async def feeds(self, actor: Actor) -> Sequence[FeedView]:
        allow(actor, "feeds.read")
        return [feed_view(entity, self._city.packs) for entity in await self._feed_entities(actor)]

    async def abnormal_places(self, actor: Actor) -> Sequence[AbnormalPlace]:
        return news.abnormal(await self.plain_cards(actor), await self._live_cases(actor))

    async def handover(self, actor: Actor, since: datetime | None = None) -> Handover:
        now = self._city.clock.now().astimezone(self._city.zone)
        start = since or news.shift_began(now)
        ended = await self._cases.queue(
            actor, CaseFilter(open_only=False, state=State.CLOSED.value, limit=_EVERY_CASE)
        )
        rows = [*await self._live_cases(actor), *ended.rows]
        closed = sum(row.opened_at >= start for row in ended.rows)
        cards = await self.plain_cards(actor)
        return news.handover(start, cards, rows, await self.feeds(actor), closed)

    async def search(self, actor: Actor, text: str) -> Sequence[SearchHit]:
        rows = await self._cases.queue(actor, CaseFilter(open_only=False, limit=_EVERY_CASE))
        cards = await self.plain_cards(actor)
        return news.search(text, cards, rows.rows, await self.feeds(actor))

    async def audit(self, actor: Actor, filters: AuditFilter) -> AuditPage:
        trail = self._city.trust.audit
        head = await trail.head(actor)
        last = head.seq + 1 if filters.before is None else filters.before
        found: list[AuditRecord] = []
        while last > 1 and len(found) < filters.limit:
            after = max(0, last - 1001)
            part = await trail.read(actor, after=after, limit=min(1000, last - 1 - after))
            found += [one for one in reversed(part) if _holds(one, filters.text)]
            last = after + 1
        broken = await trail.check(actor)
        page = found[: filters.limit]
        more = len(found) > filters.limit or last > 1
        return AuditPage(
            lines=tuple(_line(one) for one in page),
            intact=not broken,
            checked=head.seq,
            broken_at=broken[0].seq if broken else None,
            next_before=page[-1].seq if page and more else None,
        )

    async def _live_cases(self, actor: Actor) -> tuple[CaseRow, ...]:
        return (await self._cases.queue(actor, CaseFilter(limit=_EVERY_CASE))).rows

    async def _cases_of_vitals(self, actor: Actor) -> dict[str, str]:
        return {row.vital_id: row.id for row in await self._live_cases(actor) if row.vital_id}

    async def sign(self, actor: Actor, vital_id: str) -> VitalDetail:
        """Return one vital sign without its case and its feeds."""
        return await self._vitals.detail(actor, vital_id, None, ())

    async def domain_cards(self, actor: Actor, pack: str) -> list[VitalCard]:
        """Return the vital signs of a domain, each with its last day."""
        return await self._vitals.cards(actor, await self._cases_of_vitals(actor), pack=pack)

    async def plain_cards(self, actor: Actor) -> list[VitalCard]:
        """Return every vital sign once, without its last day."""
        return await self._vitals.cards(actor, {}, recent=False)

    async def _feed_entities(self, actor: Actor) -> list[dict[str, Any]]:
        model = self._city.model
        return await self._city.store.work.read(
            lambda tx: model.find(tx, actor.tenant, "DataFeed", limit=_MANY_FEEDS)
        )


def _named(feature: dict[str, Any]) -> dict[str, Any]:
    properties = dict(feature["properties"])
    zh, _, en = str(properties.get("name", "")).partition(" ")
    return {**feature, "properties": {**properties, "name:zh": zh, "name:en": en or zh}}


def _holds(record: AuditRecord, text: str | None) -> bool:
    wanted = (text or "").casefold()
    return wanted in f"{record.actor} {record.action} {record.object} {record.detail}".casefold()


def _line(record: AuditRecord) -> AuditLineView:
    detail: dict[str, Any] = orjson.loads(record.detail)
    return AuditLineView(
        sequence=record.seq,
        at=from_us(record.at_us),
        by=record.actor,
        action=record.action,
        subject=record.object,
        note=", ".join(f"{key}: {value}" for key, value in detail.items()),
        digest=record.hash,
    )
