"""Notifications of sources, handed on to who subscribed here (GS CIM 009 V1.9.1, clause 5.8.6).

What a source tells of an entity is put together with what is here of it, judged by the subscription's own
filters, and goes out as a notification of that subscription. What says nothing new is not told again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from typing import Any

import orjson

from chengmai.broker.distribution.answers import AnswerInvalid, Reader
from chengmai.broker.distribution.asked import Asked as Request
from chengmai.broker.distribution.merging import Fragment, merged
from chengmai.broker.distribution.placed import Placed
from chengmai.broker.distribution.placing import Placing
from chengmai.broker.distribution.reads import DistributedReads
from chengmai.broker.model import EntityQuery
from chengmai.broker.notifying import data_of
from chengmai.broker.ports import EntityStore, SubscriptionStore
from chengmai.broker.registry.matching import Asked
from chengmai.broker.registry.model import Registration, compile_registration
from chengmai.broker.subscription import Key, Subscription
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.kernel.actors import system
from chengmai.kernel.instants import to_us
from chengmai.kernel.problems import NotFound, Unavailable
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.members import checked_instant

MOST_ENTITIES = 1000
"""In one notification of a source."""
MOST_COMPLETED = 50
"""Entities of a notification that all holders are asked for; others are put together with what is here."""
MOST_DUE = 200
"""Notifications that may wait for one subscriber before sources are asked to come again later."""
_MOST_REMEMBERED = 10_000


class ReturnNotFound(NotFound):
    """Nothing comes back under this address."""

    code = "subscription.return"


class ReturnBusy(Unavailable):
    """The subscriber has not taken what came before."""

    code = "subscription.return_busy"


class HandingOn:
    """Takes the notifications of sources."""

    def __init__(
        self,
        work: Work[Tx],
        placing: Placing,
        book: SubscriptionBook,
        outbox: SubscriptionStore,
        entities: EntityStore,
        contexts: ContextCompiler,
        reader: Reader,
        reads: DistributedReads,
    ) -> None:
        self._work = work
        self._placing = placing
        self._book = book
        self._outbox = outbox
        self._entities = entities
        self._contexts = contexts
        self._reader = reader
        self._reads = reads
        self._last: OrderedDict[tuple[Key, str], bytes] = OrderedDict()

    def placed(self, secret: str) -> Placed:
        """Return what comes back under a secret; raises `ReturnNotFound`."""
        found = self._placing.by_secret(secret)
        if found is None:
            raise ReturnNotFound("no subscription of this broker is told here")
        return found

    async def receive(self, placed: Placed, document: Any, context: Context) -> None:
        """Hand on a notification; raises `Invalid` when it is none, `ReturnBusy` when too many wait."""
        listed = _data(placed, document)
        subscription = self._book.get((placed.tenant, placed.subscription))
        if subscription is None:
            return
        registration = compile_registration(placed.tenant, placed.registration, self._contexts)
        gone = {one["id"]: one for one in listed if "deletedAt" in one and "id" in one}
        alive = [_without_ended(one) for one in listed if "deletedAt" not in one]
        told = [
            part
            for one in await self._reader.entities(alive, context)
            if (part := _registered(one, registration)) is not None
        ]
        ended = [
            (part, checked_instant(gone[part["id"]]["deletedAt"], "deletedAt"))
            for one in await self._reader.entities([_head(one) for one in gone.values()], context)
            if (part := _registered(one, registration)) is not None
        ]
        elsewhere: dict[str, Entity] = {}
        if subscription.document.get("splitEntities"):
            elsewhere = await self._elsewhere(placed, [one["id"] for one in told])

        def hand_on(tx: Tx) -> None:
            if not subscription.is_due(to_us(tx.now)):
                return
            if len(self._outbox.due(tx, *subscription.key, MOST_DUE)) == MOST_DUE:
                raise ReturnBusy("too much waits for the subscriber", fix="send it again later")
            self._hand_on(tx, subscription, told, ended, elsewhere)

        await self._work.write(hand_on)

    async def _elsewhere(self, placed: Placed, ids: list[str]) -> dict[str, Entity]:
        """Return what all holders have of entities, where a subscription says that they are split."""
        actor = system("subscriptions", placed.tenant)

        async def one_of(entity_id: str) -> Entity | None:
            asked = Request(actor, self._contexts.core, via=tuple(placed.via))
            try:
                found = await self._reads.show(asked, entity_id, EntityQuery())
            except NotFound:
                return None
            return found.entities[0] if found.entities else None

        ids = list(dict.fromkeys(ids))[:MOST_COMPLETED]
        found = await asyncio.gather(*map(one_of, ids))
        return {one["id"]: one for one in found if one is not None}

    def _hand_on(
        self,
        tx: Tx,
        subscription: Subscription,
        told: list[Entity],
        ended: list[tuple[Entity, str]],
        elsewhere: dict[str, Entity],
    ) -> None:
        tenant = subscription.key[0]

        def lookup(entity_id: str) -> Entity | None:
            return self._entities.get(tx, tenant, entity_id)

        shown = []
        for one in told:
            others = (lookup(one["id"]), elsewhere.get(one["id"]))
            whole = merged(
                [*(Fragment(each) for each in others if each is not None), Fragment(one)]
            )
            if SubscriptionBook.selects(subscription, whole, lookup) and self._is_news(
                subscription, whole, ""
            ):
                shown.append(whole)
        self._due(tx, subscription, data_of(subscription, shown, lookup) if shown else None)
        for one, at in ended:
            # Who deleted its part has not deleted ours.
            covered = any(info.covers(one) for info in subscription.entities)
            is_gone = lookup(one["id"]) is None and (covered or not subscription.entities)
            if is_gone and self._is_news(subscription, one, at):
                data = data_of(subscription, [one], lookup, deleted_at=at)
                self._due(tx, subscription, data)

    def _due(self, tx: Tx, subscription: Subscription, data: Any) -> None:
        if data is not None:
            due = self._outbox.add_due(tx, *subscription.key, "", orjson.dumps(data))
            tx.after_commit(lambda: self._book.wake(subscription.key, due))

    def _is_news(self, subscription: Subscription, entity: Entity, deleted_at: str) -> bool:
        """Return whether this is not what was told last of the entity; periodic ones tell regardless."""
        key = (subscription.key, str(entity["id"]))
        told = orjson.dumps([entity, deleted_at], option=orjson.OPT_SORT_KEYS)
        digest = hashlib.sha256(told).digest()
        if self._last.get(key) == digest and subscription.interval_s is None:
            return False
        self._last[key] = digest
        self._last.move_to_end(key)
        if len(self._last) > _MOST_REMEMBERED:
            self._last.popitem(last=False)
        return True


def _data(placed: Placed, document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, dict) or document.get("type") != "Notification":
        raise AnswerInvalid("the body is no Notification", param="type")
    if document.get("subscriptionId") != placed.id:
        raise AnswerInvalid("it is of another subscription", param="subscriptionId")
    data = document.get("data")
    listed: list[Any] = data if isinstance(data, list) else [data]
    if len(listed) > MOST_ENTITIES:
        raise AnswerInvalid(f"more than {MOST_ENTITIES} entities", param="data")
    if not all(isinstance(one, dict) for one in listed):
        raise AnswerInvalid("an entry is no entity", param="data")
    return listed


def _head(one: dict[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in ("id", "type", "scope", "@context") if name in one}


def _without_ended(one: dict[str, Any]) -> dict[str, Any]:
    """Return an entity as a source tells it without attributes that it says are deleted."""
    made: dict[str, Any] = {}
    for name, value in one.items():
        if isinstance(value, list) and any(_is_ended(each) for each in value):
            value = [each for each in value if not _is_ended(each)]
            if not value:
                continue
        if not _is_ended(value):
            made[name] = value
    return made


def _is_ended(value: Any) -> bool:
    return isinstance(value, dict) and "deletedAt" in value and "type" in value


def _registered(one: Entity, registration: Registration) -> Entity | None:
    """Return what of an entity the source is registered for; the rest of what it says does not count."""
    match = Asked([one["id"]], None, one["type"], None).match(registration)
    if match is None:
        return None
    names = match.attributes
    return {k: v for k, v in one.items() if names is None or ":" not in k or k in names}
