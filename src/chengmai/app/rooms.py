"""The rooms people know: vital signs, cases and feeds."""

from __future__ import annotations

from typing import Any

from chengmai.app.federation import FederationFloor
from chengmai.app.obeying import PoolOrders
from chengmai.assess.frameworks.service import FrameworkService
from chengmai.assess.live.chain import ChainWatch
from chengmai.assess.live.own import OwnValues
from chengmai.assess.live.service import LiveIndicators
from chengmai.assess.live.service import Ports as IndicatorPorts
from chengmai.assess.outlook.service import OutlookService
from chengmai.assess.service import AssessService
from chengmai.assess.surveys.service import Parts as SurveyParts
from chengmai.assess.surveys.service import SurveyService
from chengmai.cases.calendar_file import shipped_calendar
from chengmai.cases.service import CaseService
from chengmai.connect.commands import CommandChannels
from chengmai.connect.feeds import FeedFactory
from chengmai.connect.formats.fetching import Reach
from chengmai.connect.health import feed_id
from chengmai.connect.intake import Intake
from chengmai.connect.runner import FeedRunner
from chengmai.connect.simulate.city import SimulatedCity
from chengmai.forecast.quality import ForecastQuality
from chengmai.forecast.service import Foresight
from chengmai.incidents.folding import Chains
from chengmai.incidents.service import IncidentService
from chengmai.kernel.actors import system
from chengmai.kernel.clock import Clock
from chengmai.kernel.events import CaseMoved, RuleFired, SensorSuspected, VitalCrossed, WorkAsked
from chengmai.kernel.instants import format_instant, parse_instant
from chengmai.loads import Loads
from chengmai.ngsild.entity import name_iri
from chengmai.packs.model import SimulateFeed
from chengmai.pools.model import pools_of
from chengmai.pools.ports import Ports as PoolPorts
from chengmai.pools.service import PoolService
from chengmai.rules.room import RulesRoom
from chengmai.settings import Settings
from chengmai.store.duckdb.analysis import DuckAnalysis
from chengmai.store.indicators import CaseFacts, IndicatorReadings
from chengmai.store.pools import PoolViews
from chengmai.store.rules import RulesPast
from chengmai.store.sqlite.cases import SqliteCaseStore
from chengmai.store.sqlite.feeds import SqliteFeedStore
from chengmai.store.sqlite.file import kept_text
from chengmai.store.sqlite.incidents import SqliteIncidentStore
from chengmai.store.sqlite.models import SqliteModels
from chengmai.store.sqlite.rules import SqliteRules
from chengmai.store.sqlite.suggestions import SqliteSuggestions
from chengmai.store.sqlite.surveys import SqliteSurveys
from chengmai.store.sqlite.thresholds import SqliteChanges
from chengmai.store.sqlite.trust import SqliteTrustStore
from chengmai.store.vitals import VitalsHistory
from chengmai.trust.load import AccessLoads
from chengmai.vitals.board import VitalsBoard
from chengmai.vitals.lookback.days import DayKinds
from chengmai.vitals.lookback.notes import Notes
from chengmai.vitals.lookback.ports import rain_gauge_of
from chengmai.vitals.lookback.service import LookBack
from chengmai.vitals.ports import Ports
from chengmai.vitals.service import VitalsService
from chengmai.vitals.signs import PreparedPacks
from chengmai.vitals.thresholds.file import read_thresholds
from chengmai.vitals.thresholds.service import Thresholds


class RoomsFloor(FederationFloor):
    """Vital signs, cases and feeds over the model."""

    def __init__(
        self,
        settings: Settings,
        real_clock: Clock | None = None,
        prepared: PreparedPacks | None = None,
    ) -> None:
        super().__init__(settings, real_clock, prepared)
        work, tenant = self.store.work, self.settings.tenant
        past = VitalsHistory(self.store.history)
        analysis = DuckAnalysis(memory_limit=self.settings.duckdb_memory)
        calendar = shipped_calendar(self.settings.zone)
        self.day_kinds = DayKinds(calendar, self.zone)
        looking = (past, Foresight(kind_of=self.day_kinds.kind_at), SqliteModels())
        ports = Ports(work, self.model, past, analysis, *looking, self.events, self.clock)
        signs = list(self.prepared.signs)
        filed = read_thresholds(self.settings.thresholds_file, signs)
        self.thresholds = Thresholds(
            work, self.model, SqliteChanges(), past, signs, self.zone, self.clock, filed=filed
        )
        self.vitals = VitalsService(ports, signs, self.zone, standing=self.thresholds)
        self.board = VitalsBoard(work, self.model, past, signs, self.zone, standing=self.thresholds)
        self.notes = Notes(work, self.model, self.clock)
        self.past_of_vitals = past
        self.forecast_quality = ForecastQuality(work, self.model, past, self.clock)
        self.look_back = LookBack(
            ports,
            self.thresholds,
            past,
            calendar,
            self.zone,
            rain_gauge_of(self.packs),
            {
                feed_id(pack.info.id, feed.id): name_iri(feed.entity)
                for pack in self.packs
                for feed in pack.feeds
            },
        )
        self.cases = CaseService(
            work=work,
            model=self.model,
            store=SqliteCaseStore(),
            events=self.events,
            categories={c.id: c for pack in self.packs for c in pack.cases.categories},
            units=[unit for pack in self.packs for unit in pack.cases.units],
            calendar=calendar,
        )
        self._build_incidents()
        self.events.subscribe(VitalCrossed, self.cases.on_vital_crossed)
        self.events.subscribe(SensorSuspected, self.cases.on_sensor_suspected)
        self.events.subscribe(RuleFired, self.cases.on_rule_fired)
        self.rules = RulesRoom(
            work,
            self.model,
            SqliteRules(),
            RulesPast(self._entities, self.store.history),
            CommandChannels(self.settings.command_channels, private=self.settings.private_egress),
            self.events,
            self.contexts.core,
            self.clock,
            self.zone,
            [(pack.info.id, spec) for pack in self.packs for spec in pack.rules],
            tenant,
        )
        self.model.on_commit(self.rules.watcher.on_commit)
        self.events.subscribe(CaseMoved, self.rules.ledger.on_case_moved)
        self._build_pools(PoolViews(self.model, past, analysis, self.zone))
        home = self.settings.place
        self.assess = AssessService(
            work, self.model, self.store.history, self.clock, self.zone, home
        )
        self._build_indicators(past, analysis)
        own = OwnValues(self.indicators, self.settings.place, self.settings.city, self.clock)
        self.frameworks = FrameworkService(work, self.model, self.assess, own)
        self.outlook = OutlookService(work, self.model, self.assess, self.frameworks, own)
        self.assess.after_values.append(self.outlook.settle)
        self.surveys = SurveyService(
            SurveyParts(
                work,
                self.model,
                SqliteSurveys(),
                self.trust.audit,
                self.clock,
                self.zone,
                self.secret("surveys"),
                self.assess.values_came,
            )
        )
        self.news.append(self._tell_assess)
        self.intake = Intake(
            work, self.model, SqliteFeedStore(), self.store.history, by=system("feeds", tenant)
        )
        self.feeds = FeedFactory(
            self.packs,
            self.intake,
            clock=self.clock,
            machine_now=self.real_clock.now,
            rate=self.settings.clock_rate,
            zone=self.zone,
            source=self.settings.source_data,
            simulated=self._simulated(),
            orders=PoolOrders(self.pools, tenant),
            credentials=self.settings.credentials,
            addresses=self.settings.feed_addresses,
            reach=Reach(self.settings.private_egress, self.settings.feed_files),
        )
        running = [feed for _, feed in self.feeds.chosen()] if self.settings.feeds else []
        access = AccessLoads(work, SqliteTrustStore(), self.model, self.real_clock)
        self.loads = Loads(tenant, self.clock, self.cases, self.intake, running, access)
        self.runner = FeedRunner(self.feeds.jobs() if self.settings.feeds else ())

    def _build_pools(self, uses: PoolViews) -> None:
        self.events.subscribe(WorkAsked, self.cases.on_work_asked)
        ports = PoolPorts(
            work=self.store.work,
            model=self.model,
            uses=uses,
            foresight=Foresight(kind_of=self.day_kinds.kind_at),
            suggestions=SqliteSuggestions(),
            events=self.events,
            audit=self.trust.audit,
            clock=self.clock,
        )
        self.pools = PoolService(ports, pools_of(self.packs), self.zone)
        self.events.subscribe(CaseMoved, self.pools.on_case_moved)

    def _build_indicators(self, past: VitalsHistory, analysis: DuckAnalysis) -> None:
        readings = IndicatorReadings(
            self.packs, self.model, past, analysis, self.zone, self.prepared.bound
        )
        chain = ChainWatch(self.trust.audit, self.real_clock)
        self.indicators = LiveIndicators(
            IndicatorPorts(
                self.store.work,
                self.model,
                readings,
                CaseFacts(self.packs),
                chain,
                self.assess,
                past,
                self.clock,
                self.zone,
            )
        )
        self.changed.append(self.indicators.noticed)

    def _tell_assess(self, tenant: str, topic: str, data: dict[str, Any]) -> None:
        if topic == "assess":
            self.assess.noticed(tenant, data["id"])

    def _build_incidents(self) -> None:
        incidents = self.incidents = IncidentService(
            work=self.store.work,
            model=self.model,
            store=SqliteIncidentStore(),
            chains=Chains.of(self.packs),
            zone=self.zone,
            budget=self.settings.alarms_per_hour,
        )
        # Before the cases: a case that a crossing opens finds the incident that it belongs to.
        self.events.subscribe(VitalCrossed, incidents.on_vital_crossed)
        self.events.subscribe(SensorSuspected, incidents.on_sensor_suspected)
        self.events.subscribe(RuleFired, incidents.on_rule_fired)
        self.events.subscribe(CaseMoved, incidents.on_case_moved)

    def _simulated(self) -> SimulatedCity | None:
        if not self.is_simulated:
            return None
        # The story of the first day is told once, from when the data folder began.
        path = self.settings.data / "simulated-since"
        since = kept_text(path, lambda: format_instant(self.clock.now()))
        return SimulatedCity(self.settings.seed, parse_instant(since), self.zone)

    @property
    def is_simulated(self) -> bool:
        """Whether readings are made up: a pack's generator runs where there are no recordings."""
        if not self.settings.feeds or self.settings.source_data is not None:
            return False
        return any(isinstance(feed, SimulateFeed) for pack in self.packs for feed in pack.feeds)
