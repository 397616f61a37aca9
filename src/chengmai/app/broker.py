"""The broker of a city: model, contexts, trust, history and delivery."""

from __future__ import annotations

from chengmai.app.ground import Ground
from chengmai.app.published import published
from chengmai.assess.door import gates
from chengmai.broker.commit import CommitPath
from chengmai.broker.contexts import ContextShelf
from chengmai.broker.delivery import Delivery
from chengmai.broker.expiring import DueTimes, Expiring
from chengmai.broker.letters import EntityLetters
from chengmai.broker.published import ClientCommit
from chengmai.broker.recent import Recent
from chengmai.broker.service import Broker
from chengmai.broker.spaces import Spaces
from chengmai.broker.subscribing import TO_ENTITIES, Subscribing
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.broker.temporal import TemporalBroker
from chengmai.connect.documents import DocumentFetcher
from chengmai.connect.mqtt_out import MqttPublisher
from chengmai.connect.outbound import HttpReceiver
from chengmai.history.service import HistoryService
from chengmai.kernel.clock import Clock
from chengmai.settings import Settings
from chengmai.store.sheets import EntitySheets
from chengmai.store.sqlite.contexts import SqliteContexts
from chengmai.store.sqlite.entities import SqliteEntities
from chengmai.store.sqlite.snapshots import SqliteSnapshots
from chengmai.store.sqlite.subscriptions import SqliteSubscriptions
from chengmai.store.sqlite.transients import SqliteTransients
from chengmai.store.sqlite.trust import SqliteTrustStore
from chengmai.trust.service import Trust, build_trust
from chengmai.vitals.signs import PreparedPacks


class BrokerFloor(Ground):
    """The rooms of one broker."""

    def __init__(
        self,
        settings: Settings,
        real_clock: Clock | None = None,
        prepared: PreparedPacks | None = None,
    ) -> None:
        super().__init__(settings, real_clock, prepared)
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
        clients = ClientCommit(self.model, entities, published(), gates(self.model))
        self.broker = Broker(work, clients, entities, EntitySheets(work), Recent(work.tide))
        self.temporal = TemporalBroker(
            work, clients, entities, self.store.history, spaces, transients
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
