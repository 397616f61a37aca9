"""Subscriptions to registrations, put together from what all subscriptions are made of."""

from __future__ import annotations

from chengmai.broker.delivery import Delivery, Publisher, Receiver
from chengmai.broker.ports import SubscriptionStore
from chengmai.broker.registry.model import Registration
from chengmai.broker.registry.ports import RegistrationStore
from chengmai.broker.registry.watched import (
    SourceSubscription,
    WatchBook,
    compile_source_subscription,
)
from chengmai.broker.registry.watching import SourceLetters, Watcher
from chengmai.broker.subscribing import Kind, Subscribing
from chengmai.broker.timetable import Timetable
from chengmai.kernel.clock import Clock
from chengmai.kernel.work import BriefWork, Tx
from chengmai.ngsild.contexts import ContextCompiler
from chengmai.trust.ports import Audit


class Watching:
    """Who is told of registrations: use cases, delivery and timetable; `start` once, `stop` at the end."""

    def __init__(
        self,
        work: BriefWork[Tx],
        outbox: SubscriptionStore,
        registrations: RegistrationStore,
        audit: Audit,
        contexts: ContextCompiler,
        receiver: Receiver,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        book = WatchBook()
        self._watcher = Watcher(outbox, book, registrations, contexts)
        kind = Kind(
            "registration_subscription", compile_source_subscription, begun=self._watcher.begun
        )
        self.subscribing: Subscribing[SourceSubscription] = Subscribing(
            work, outbox, book, audit, contexts, kind
        )
        self.delivery: Delivery[SourceSubscription] = Delivery(
            work, outbox, book, SourceLetters(), receiver, publisher, clock
        )
        self.subscribing.on_look(self.delivery.settle)
        self.timetable: Timetable[SourceSubscription] = Timetable(
            work, outbox, book, self._watcher.compose
        )

    def changed(
        self, tx: Tx, tenant: str, before: Registration | None, after: Registration | None
    ) -> None:
        """Note what is due because a registration came, changed or went, in its transaction."""
        self._watcher.changed(tx, tenant, before, after)

    async def start(self) -> None:
        """Take up what an earlier run left, then tell whatever becomes due."""
        await self.subscribing.load()
        await self.delivery.start()
        await self.timetable.start()

    async def stop(self) -> None:
        """Stop telling; what is due stays in the outbox."""
        await self.timetable.stop()
        await self.delivery.stop()
