"""The composition root: the only place that knows how the parts fit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from chengmai.broker.commit import CommitPath
from chengmai.broker.contexts import ContextShelf
from chengmai.broker.delivery import Delivery
from chengmai.broker.distribution.answers import Reader
from chengmai.broker.distribution.batches import DistributedBatches
from chengmai.broker.distribution.discovering import DistributedDiscovery
from chengmai.broker.distribution.gathering import Gatherer
from chengmai.broker.distribution.loops import HostAlias
from chengmai.broker.distribution.past import DistributedPast
from chengmai.broker.distribution.past_writes import DistributedPastWrites
from chengmai.broker.distribution.reads import DistributedReads
from chengmai.broker.distribution.room import FarSubscriptions
from chengmai.broker.distribution.rounds import periodic
from chengmai.broker.distribution.sharing import Sharing
from chengmai.broker.distribution.sources import Forwarder
from chengmai.broker.distribution.writes import DistributedWrites
from chengmai.broker.entity_maps import EntityMaps
from chengmai.broker.expiring import DueTimes, Expiring
from chengmai.broker.identity import SourceIdentity
from chengmai.broker.letters import EntityLetters
from chengmai.broker.model import Change
from chengmai.broker.registry.book import RegistryBook
from chengmai.broker.registry.room import Watching
from chengmai.broker.registry.service import Registry
from chengmai.broker.service import Broker
from chengmai.broker.snapshots.room import Stores, snapshots_of
from chengmai.broker.spaces import Spaces, is_space
from chengmai.broker.subscribing import TO_ENTITIES, Subscribing
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.broker.temporal import TemporalBroker
from chengmai.broker.timetable import EntityRounds
from chengmai.cases.calendar_file import shipped_calendar
from chengmai.cases.service import CaseService
from chengmai.city_time import city_clock
from chengmai.connect.documents import DocumentFetcher
from chengmai.connect.feeds import FeedFactory
from chengmai.connect.intake import Intake
from chengmai.connect.mqtt_out import MqttPublisher
from chengmai.connect.outbound import HttpReceiver
from chengmai.connect.runner import FeedRunner
from chengmai.connect.simulate.city import SimulatedCity
from chengmai.connect.sources import HttpSources
from chengmai.forecast.service import Foresight
from chengmai.history.service import HistoryService
from chengmai.kernel.actors import system
from chengmai.kernel.clock import Clock, SystemClock
from chengmai.kernel.events import Events, VitalCrossed
from chengmai.kernel.instants import format_instant, parse_instant
from chengmai.loads import Loads
from chengmai.packs.model import Pack, SimulateFeed
from chengmai.packs.reader import read_packs, shipped_packs
from chengmai.rounds import attempt, every
from chengmai.settings import Settings
from chengmai.store.duckdb.analysis import DuckAnalysis
from chengmai.store.opened import open_store
from chengmai.store.retaining import Retaining
from chengmai.store.sqlite.cases import SqliteCaseStore
from chengmai.store.sqlite.contexts import SqliteContexts
from chengmai.store.sqlite.entities import SqliteEntities
from chengmai.store.sqlite.entity_maps import SqliteEntityMaps
from chengmai.store.sqlite.feeds import SqliteFeedStore
from chengmai.store.sqlite.file import kept_text, load_or_make_key
from chengmai.store.sqlite.forwarded import SqliteForwarded
from chengmai.store.sqlite.models import SqliteModels
from chengmai.store.sqlite.registrations import SqliteRegistrations
from chengmai.store.sqlite.snapshots import SqliteSnapshotNotices, SqliteSnapshots
from chengmai.store.sqlite.subscriptions import SqliteSubscriptions
from chengmai.store.sqlite.transients import SqliteTransients
from chengmai.store.sqlite.trust import SqliteTrustStore
from chengmai.store.vitals import VitalsHistory
from chengmai.trust.load import AccessLoads
from chengmai.trust.service import Trust, build_trust
from chengmai.vitals.board import VitalsBoard
from chengmai.vitals.ports import Ports
from chengmai.vitals.service import VitalsService
from chengmai.vitals.signs import signs_of

News = Callable[[str, str, dict[str, Any]], None]
"""Told (tenant, topic, data) after each commit."""

_SEAL_AT_MOST = 50_000
_INDEX_EVERY_S = 1.0
_LOOK_AT_SOURCES_EVERY_S = 30.0
_RETAIN_EVERY_S = 3600.0
_log = structlog.get_logger(__name__)
_TOPICS = {"VitalSign": "vitals", "Forecast": "vitals", "CityCase": "cases", "DataFeed": "feeds"}


class City:
    """A city: its rooms, put together. `start` sets it going, `stop` ends it in order."""

    def __init__(self, settings: Settings, *, real_clock: Clock | None = None) -> None:
        self.settings = settings
        self.real_clock = real_clock or SystemClock()
        # The history file is not encrypted: nobody but its owner looks into the folder.
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = load_or_make_key(settings.data / "state.key", protects=settings.data / "state.db")
        self.clock = city_clock(settings, key, self.real_clock)
        self.zone = ZoneInfo(settings.zone)
        self.packs: list[Pack] = read_packs(settings.packs or (shipped_packs(),))
        self.news: list[News] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.store = open_store(settings, key, self.clock)
        self.events = Events()
        self._build_broker()
        self._build_federation()
        self._build_rooms()

    def _build_broker(self) -> None:
        work, subscriptions = self.store.work, SqliteSubscriptions()
        book = self._book = SubscriptionBook()
        self._outbox = subscriptions
        self.trust: Trust = build_trust(
            work=work,
            store=SqliteTrustStore(),
            clock=self.real_clock,
            own_tenant=self.settings.tenant,
        )
        spaces = self._spaces = Spaces(SqliteSnapshots(), self.trust.audit)
        self._documents = DocumentFetcher(private=self.settings.private_egress)
        self.shelf = ContextShelf(
            work,
            SqliteContexts(),
            self.trust.audit,
            self._documents,
            self.real_clock,
            local=self.settings.contexts,
            hosts=self.settings.context_hosts,
        )
        self.contexts = self.shelf.compiler
        transients, due = SqliteTransients(), DueTimes()
        self._entities = entities = SqliteEntities()
        self.model = CommitPath(
            entities,
            self.store.history,
            subscriptions,
            book,
            spaces,
            self.contexts.core,
            self._publish,
            transients,
            due.note,
        )
        self.expiring = Expiring(work, self.model, entities, transients, due, self.clock)
        self.broker = Broker(work, self.model, entities)
        self.temporal = TemporalBroker(
            work, self.model, entities, self.store.history, spaces, transients
        )
        self.history = HistoryService(work, self.store.history)
        self.subscribing = Subscribing(
            work, subscriptions, book, spaces, self.contexts, TO_ENTITIES
        )
        self._receiver = HttpReceiver(private=self.settings.private_egress)
        self._publisher = MqttPublisher(private=self.settings.private_egress)
        self.delivery = Delivery(
            work,
            subscriptions,
            book,
            EntityLetters(),
            self._receiver,
            self._publisher,
            self.clock,
            most_due=self.settings.most_due,
        )
        self.subscribing.on_look(self.delivery.settle)

    def _build_federation(self) -> None:
        work, entities, registrations = self.store.work, self._entities, SqliteRegistrations()
        self.watching = Watching(
            work,
            SqliteSubscriptions(of_registrations=True),
            registrations,
            self.trust.audit,
            self.contexts,
            self._receiver,
            self._publisher,
            self.clock,
        )
        self.registry = Registry(
            work,
            registrations,
            RegistryBook(),
            entities,
            self.trust.audit,
            self.contexts,
            self.clock,
            self.watching.changed,
        )
        self._sources = HttpSources(private=self.settings.private_egress)
        self.alias = HostAlias(self._host_alias(), self.settings.tenant)
        self.maps = EntityMaps(work, SqliteEntityMaps(), self.trust.audit)
        self.identity = SourceIdentity(self.alias, self.real_clock)
        self.forwarder = Forwarder(
            self._sources, self.contexts, self.alias, self.registry, self.real_clock
        )
        reader = Reader(self.contexts, self.shelf.fetch)
        gatherer = Gatherer(self.registry.book, self.forwarder, reader, self.real_clock)
        self.reads = DistributedReads(self.broker, work, entities, gatherer)
        self.discovery = DistributedDiscovery(self.broker, gatherer)
        self.past = DistributedPast(self.temporal, gatherer)
        self.timetable = periodic(
            work, self._outbox, self._book, EntityRounds(entities), self.reads, self.contexts
        )
        self.snapshots = snapshots_of(
            work,
            Stores(
                SqliteSnapshots(),
                SqliteSnapshotNotices(),
                entities,
                self.store.history,
                SqliteTransients(),
            ),
            (self.reads, self.past),
            (self._receiver, self._publisher),
            self.contexts.core,
            self._spaces,
            self.subscribing.end_all,
            self.clock,
        )
        sharing = Sharing(
            work, self.broker, self.registry.book, self.forwarder, self.trust.audit, self.clock
        )
        self.writes, self.batches = DistributedWrites(sharing), DistributedBatches(sharing)
        self.past_writes = DistributedPastWrites(sharing, self.temporal)
        self.far = FarSubscriptions(
            work,
            (SqliteForwarded(), self._outbox, entities),
            (self._book, self.registry.book),
            self.forwarder,
            reader,
            self.reads,
            self.contexts,
            self.trust.audit,
            self.real_clock,
            self.settings.return_url,
        )

    def _build_rooms(self) -> None:
        work, tenant = self.store.work, self.settings.tenant
        past = VitalsHistory(self.store.history)
        analysis = DuckAnalysis(memory_limit=self.settings.duckdb_memory)
        looking = (past, Foresight(), SqliteModels())
        ports = Ports(work, self.model, past, analysis, *looking, self.events, self.clock)
        signs = signs_of(self.packs)
        self.vitals = VitalsService(ports, signs, self.zone)
        self.board = VitalsBoard(work, self.model, past, signs, self.zone)
        self.cases = CaseService(
            work=work,
            model=self.model,
            store=SqliteCaseStore(),
            events=self.events,
            categories={c.id: c for pack in self.packs for c in pack.cases.categories},
            units=[unit for pack in self.packs for unit in pack.cases.units],
            calendar=shipped_calendar(self.settings.zone),
        )
        self.events.subscribe(VitalCrossed, self.cases.on_vital_crossed)
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
            credentials=self.settings.credentials,
        )
        running = [feed for _, feed in self.feeds.chosen()] if self.settings.feeds else []
        access = AccessLoads(work, SqliteTrustStore(), self.model, self.real_clock)
        self.loads = Loads(tenant, self.clock, self.cases, self.intake, running, access)
        self.runner = FeedRunner(self.feeds.jobs() if self.settings.feeds else ())

    def _host_alias(self) -> str:
        if self.settings.host_alias is not None:
            return self.settings.host_alias
        # Two brokers of the same name would take each other's requests for their own.
        return kept_text(self.settings.data / "host-alias", lambda: f"chengmai-{token_hex(8)}")

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

    async def start(self) -> None:
        """Mend what a crash left, then set feeds, vital signs, sealing and delivery going."""
        await self.store.history.recover()
        await self.shelf.load()
        await self.subscribing.load()
        await self.registry.load()
        await self.watching.start()
        await self.snapshots.load()
        await self.delivery.start()
        await self.timetable.start()
        await self.far.placing.load()
        self._spawn("placing", self.far.placing.run())
        self._spawn("expiring", self.expiring.run())
        self._spawn("feeds", self.runner.run())
        if (log := self.feeds.incident_log(self.store.work, self.model)) is not None:
            self._spawn("incidents", log.run())
        self._spawn("vitals", self._watch())
        if self.settings.keep_history:
            by = system("history", self.settings.tenant)
            kept, rolled = self.settings.keep_history, self.settings.keep_rollups
            store, audit = self.store, self.trust.audit
            old = Retaining(store.work, store.sealed, audit, self.clock, kept, rolled, by)
            self._spawn("retaining", every(_RETAIN_EVERY_S, old.round))
        self._spawn("values", every(_INDEX_EVERY_S, self._index))
        self._spawn("snapshots", every(5.0, self.snapshots.round))
        self._spawn("sources", every(_LOOK_AT_SOURCES_EVERY_S, self._sources_round))
        self._spawn("sealing", every(self.settings.seal_every_s, self._seal))
        self._spawn("tending", every(self.settings.seal_every_s, self.store.history.tend))

    async def stop(self) -> None:
        """Stop everything and close the files; what was acknowledged is on disk long before."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.timetable.stop()
        await self.delivery.stop()
        await self.watching.stop()
        await self.snapshots.stop()
        await attempt(self.registry.save_tallies)
        await self._sources.close()
        await self._receiver.close()
        await self._documents.close()
        await asyncio.to_thread(self.store.close)

    async def evaluate(self) -> None:
        """Evaluate every vital sign now, and look ahead where a step was completed."""
        if self.settings.feeds:
            await self.loads.publish()
        report = await self.vitals.tick(self.settings.tenant)
        for failure in report.failures:
            _log.warning("vital.failed", sign=failure.sign, why=failure.detail)
        await self.vitals.forecast(self.settings.tenant)

    def secret(self, name: str) -> bytes:
        """Return 32 random bytes kept in the data folder under `name`; made at first use."""
        return bytes.fromhex(load_or_make_key(self.settings.data / f"{name}.key"))

    async def _watch(self) -> None:
        # Vital signs begin when the feeds have brought their past, so that none starts without a history.
        await self.feeds.filled()
        await attempt(self._look_back)
        await every(self.settings.vitals_every_s, self.evaluate)

    async def _look_back(self) -> None:
        await self.vitals.backfill(self.settings.tenant, self.clock.now() - timedelta(weeks=6))

    async def _sources_round(self) -> None:
        await self.registry.end_expired()
        await self.registry.save_tallies()

    async def _seal(self) -> None:
        moved = _SEAL_AT_MOST
        while moved == _SEAL_AT_MOST:
            moved = await self.store.history.seal(at_most=_SEAL_AT_MOST)

    async def _index(self) -> None:
        await self._entities.values.fill(self.store.work)

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    def _publish(self, change: Change) -> None:
        if is_space(change.tenant):
            return
        for type_iri in change.types:
            if (topic := _TOPICS.get(type_iri.rpartition("/")[2])) is not None:
                for tell in self.news:
                    tell(change.tenant, topic, {"id": change.entity_id})
