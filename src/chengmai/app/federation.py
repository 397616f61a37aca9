"""What a broker does with others: registrations, distributed operations, snapshots."""

from __future__ import annotations

from secrets import token_hex

from chengmai.app.broker import BrokerFloor
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
from chengmai.broker.identity import SourceIdentity
from chengmai.broker.registry.book import RegistryBook
from chengmai.broker.registry.room import Watching
from chengmai.broker.registry.service import Registry
from chengmai.broker.snapshots.room import Stores, snapshots_of
from chengmai.broker.timetable import EntityRounds
from chengmai.connect.sources import HttpSources
from chengmai.kernel.clock import Clock
from chengmai.settings import Settings
from chengmai.store.sqlite.entity_maps import SqliteEntityMaps
from chengmai.store.sqlite.file import kept_text
from chengmai.store.sqlite.forwarded import SqliteForwarded
from chengmai.store.sqlite.registrations import SqliteRegistrations
from chengmai.store.sqlite.snapshots import SqliteSnapshotNotices, SqliteSnapshots
from chengmai.store.sqlite.subscriptions import SqliteSubscriptions
from chengmai.store.sqlite.transients import SqliteTransients
from chengmai.vitals.signs import PreparedPacks


class FederationFloor(BrokerFloor):
    """The rooms in which several brokers meet."""

    def __init__(
        self,
        settings: Settings,
        real_clock: Clock | None = None,
        prepared: PreparedPacks | None = None,
    ) -> None:
        super().__init__(settings, real_clock, prepared)
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

    def _host_alias(self) -> str:
        if self.settings.host_alias is not None:
            return self.settings.host_alias
        # Two brokers of the same name would take each other's requests for their own.
        return kept_text(self.settings.data / "host-alias", lambda: f"chengmai-{token_hex(8)}")
