"""What periodic subscriptions are told where sources are registered: all that matches (clause 5.8.6).

At every interval the sources that can be queried are, as for a query of the same meaning. Those that cannot be
queried get the subscription instead, and each tells in its own time (`placing`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

import orjson
import structlog

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.narrowing import Filters
from chengmai.broker.distribution.reads import DistributedReads
from chengmai.broker.model import EntityQuery, Which
from chengmai.broker.notifying import data_of
from chengmai.broker.ports import SubscriptionStore
from chengmai.broker.subscription import EntityInfo, Subscription
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.broker.timetable import MOST_ENTITIES, EntityRounds, Timetable
from chengmai.kernel.actors import system
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import ContextCompiler
from chengmai.ngsild.q import parse_q

_log = structlog.get_logger(__name__)
Compose = Callable[[Tx, Subscription], bytes | None]


class DistributedRounds:
    """Finds what is due at an interval, here and at sources."""

    def __init__(self, reads: DistributedReads, contexts: ContextCompiler, here: Compose) -> None:
        self._reads = reads
        self._contexts = contexts
        self._here = here

    async def compose(self, subscription: Subscription) -> Compose:
        """Return what makes the notification, once its part of sources is known."""
        document = subscription.document
        asked = Asked(
            system("subscriptions", subscription.key[0]),
            subscription.context,
            via=tuple(document.get("via", ())),
            local=bool(document.get("localOnly")),
        )
        if self._reads.is_alone(asked):
            return self._here
        query = _query_of(subscription)
        found = await self._reads.query(
            asked, replace(query, join=None), self._filters_of(subscription)
        )
        if asked.warnings:
            _log.warning("timetable.sources", subscription=subscription.id, why=asked.warnings)
        entities = list(found.entities)
        lookup = await self._reads.linked(asked, query, entities)

        def compose(_tx: Tx, one: Subscription) -> bytes | None:
            data = data_of(one, entities, lookup) if entities else None
            return None if data is None else orjson.dumps(data)

        return compose

    def _filters_of(self, subscription: Subscription) -> Filters:
        document = subscription.document
        own = self._contexts.compile(document.get("@context") or subscription.context_source)
        csf, q = document.get("csf"), document.get("q")
        return Filters(
            context=own,
            q=None if q is None else unquote(q),
            scope_q=document.get("scopeQ"),
            geo=document.get("geoQ") or {},
            csf=None if csf is None else parse_q(unquote(csf), own),
            split=document.get("splitEntities"),
        )


def periodic(
    work: Work[Tx],
    outbox: SubscriptionStore,
    book: SubscriptionBook,
    here: EntityRounds,
    reads: DistributedReads,
    contexts: ContextCompiler,
) -> Timetable[Subscription]:
    """Return the timetable of subscriptions to entities, here and at sources."""
    rounds = DistributedRounds(reads, contexts, here.compose)
    return Timetable(work, outbox, book, here.compose, prepare=rounds.compose)


def _query_of(subscription: Subscription) -> EntityQuery:
    return EntityQuery(
        which=tuple(map(_which, subscription.entities)) or (Which(),),
        q=subscription.q,
        scopes=subscription.scopes,
        geoq=subscription.geoq,
        view=subscription.view,
        join=subscription.join,
        join_level=subscription.join_level,
        limit=MOST_ENTITIES,
    )


def _which(info: EntityInfo) -> Which:
    if info.id is not None:
        # An id takes precedence over a pattern (clause 5.2.33).
        return Which(types=info.types, ids=[info.id])
    pattern = None if info.id_pattern is None else info.id_pattern.pattern
    return Which(types=info.types, id_pattern=pattern)
