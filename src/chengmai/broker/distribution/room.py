"""Subscriptions over sources, put together: what is placed there, and what comes back."""

from __future__ import annotations

from chengmai.broker.distribution.answers import Reader
from chengmai.broker.distribution.handing_on import HandingOn
from chengmai.broker.distribution.placed import PlacedStore
from chengmai.broker.distribution.placing import Placing
from chengmai.broker.distribution.reads import DistributedReads
from chengmai.broker.distribution.sources import Forwarder
from chengmai.broker.ports import EntityStore, SubscriptionStore
from chengmai.broker.registry.book import RegistryBook
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.kernel.clock import Clock
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import ContextCompiler
from chengmai.trust.ports import Audit


class FarSubscriptions:
    """Subscriptions at sources: `placing` keeps them there, `handing_on` takes what they bring."""

    def __init__(
        self,
        work: Work[Tx],
        stores: tuple[PlacedStore, SubscriptionStore, EntityStore],
        books: tuple[SubscriptionBook, RegistryBook],
        forwarder: Forwarder,
        reader: Reader,
        reads: DistributedReads,
        contexts: ContextCompiler,
        audit: Audit,
        clock: Clock,
        return_url: str | None,
    ) -> None:
        placed, outbox, entities = stores
        subscriptions, registrations = books
        self.placing = Placing(
            work,
            placed,
            subscriptions,
            registrations,
            forwarder,
            contexts,
            audit,
            clock,
            return_url,
        )
        self.handing_on = HandingOn(
            work, self.placing, subscriptions, outbox, entities, contexts, reader, reads
        )
