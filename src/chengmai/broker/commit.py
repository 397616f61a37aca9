"""The commit path: one accepted change becomes state, history, due notifications and an audit line.

All four are written in the caller's transaction. Whoever changes the model, an API client, a feed, a vital
sign or a case, comes through here; there is no other way in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import orjson

from chengmai.broker.model import Change
from chengmai.broker.notifying import notice
from chengmai.broker.ports import (
    Candidates,
    Chronicle,
    EntityStore,
    SubscriptionStore,
    TransientStore,
)
from chengmai.broker.spaces import Spaces, is_space
from chengmai.broker.subscriptions import SubscriptionBook
from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import format_instant, to_us
from chengmai.kernel.work import Tx
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity, Instance, attribute_names, name_iri
from chengmai.ngsild.expiry import next_expiry_us, touches_expiry
from chengmai.ngsild.model import Committed, OnCommit
from chengmai.ngsild.patch import PatchResult, append, created
from chengmai.ngsild.q import matches, parse_q
from chengmai.trust.audit import canonical

_MOST_DETAILS = 1000


class CommitPath:
    """Implements `ngsild.model.Model`; the broker's use cases share it."""

    def __init__(
        self,
        entities: EntityStore,
        chronicle: Chronicle,
        outbox: SubscriptionStore,
        book: SubscriptionBook,
        spaces: Spaces,
        core: Context,
        publish: Callable[[Change], None],
        transients: TransientStore,
        note_due: Callable[[int], None],
    ) -> None:
        self._entities = entities
        self._chronicle = chronicle
        self._outbox = outbox
        self._book = book
        self._spaces = spaces
        self._core = core
        self._publish = publish
        self._transients = transients
        self._note_due = note_due
        self._hearing: tuple[OnCommit, ...] = ()
        self._details: dict[tuple[str, ...], str] = {}
        """What audit lines say, by names and note: most changes are of the same few attributes."""

    def on_commit(self, hear: OnCommit) -> None:
        """Call `hear(tx, committed)` inside the transaction of every change of a tenant's entities."""
        self._hearing = (*self._hearing, hear)

    def get(self, tx: Tx, tenant: str, entity_id: str) -> Entity | None:
        return self._entities.get(tx, tenant, entity_id)

    def put(self, tx: Tx, entity: Entity, *, by: Actor, note: str = "") -> None:
        before = self._entities.get(tx, by.tenant, entity["id"])
        if before is None:
            self.create(tx, entity, by=by, note=note)
            return
        result = append(before, entity, format_instant(tx.now))
        self.save(tx, before, result, by=by, action="entity.append", note=note)

    def remove(
        self,
        tx: Tx,
        tenant: str,
        entity_id: str,
        *,
        by: Actor,
        note: str = "",
        keep_past: bool = False,
    ) -> bool:
        before = self._entities.get(tx, tenant, entity_id)
        if before is None:
            return False
        self._entities.remove(tx, tenant, entity_id)
        self._spaces.weigh(tx, tenant, before, None)
        if not keep_past:
            self._chronicle.forget(tx, tenant, entity_id)
        self._announce(tx, tenant, before, None, list(attribute_names(before)))
        self._line(tx, by, "entity.delete", entity_id, [], note)
        self._tell(tx, Committed(tenant, entity_id, None))
        return True

    def remember(
        self, tx: Tx, entity_id: str, changes: Sequence[tuple[str, Instance]], *, by: Actor
    ) -> None:
        """Record what became known late of an entity; its state and its subscribers hear nothing of it."""
        self._spaces.weigh(tx, by.tenant, None, None, changes)
        self._chronicle.record(tx, by.tenant, entity_id, changes)
        self._line(tx, by, "entity.late", entity_id, sorted({name for name, _ in changes}), "")
        if self._hearing:
            present = self._entities.get(tx, by.tenant, entity_id)
            self._tell(tx, Committed(by.tenant, entity_id, present, changes, is_late=True))

    def find(
        self, tx: Tx, tenant: str, entity_type: str, *, q: str | None = None, limit: int = 1000
    ) -> list[Entity]:
        query = parse_q(q, self._core) if q else None
        found: list[Entity] = []
        for entity in self.each(tx, tenant, entity_type):
            if query is None or matches(query, entity):
                found.append(entity)
                if len(found) == limit:
                    break
        return found

    def each(self, tx: Tx, tenant: str, entity_type: str) -> Iterator[Entity]:
        yield from self._entities.candidates(tx, tenant, Candidates(types=[name_iri(entity_type)]))

    def create(self, tx: Tx, entity: Entity, *, by: Actor, note: str = "") -> Entity:
        """Write an entity that is known not to exist; return it with its system attributes."""
        result = created(entity, format_instant(tx.now))
        self.save(tx, None, result, by=by, action="entity.create", note=note)
        return result.entity

    def save(
        self,
        tx: Tx,
        before: Entity | None,
        result: PatchResult,
        *,
        by: Actor,
        action: str,
        note: str = "",
        history: Sequence[tuple[str, Instance]] | None = None,
    ) -> None:
        """Commit what a patch made of an entity; nothing is written when it changed nothing.

        `history` is what is recorded, where that is not what the patch changed.
        """
        if not result.is_changed and before is not None:
            return
        tenant, after = by.tenant, result.entity
        doc = self._entities.put(tx, tenant, after, before)
        if history is None:
            history = [*result.changed, *_scopes(before, after, tx)]
        self._spaces.weigh(tx, tenant, before, after, history)
        gone = [*result.removed, *_lost_scopes(before, after)]
        self._chronicle.note_deleted(tx, tenant, after["id"], gone)
        self._chronicle.record(tx, tenant, after["id"], history)
        names = sorted({name for name, _ in (*result.changed, *result.removed)})
        if touches_expiry(before, result, doc):
            self._follow_expiry(tx, tenant, after)
        self._announce(tx, tenant, before, after, names)
        self._line(tx, by, action, after["id"], names, note)
        if result.changed:
            self._tell(tx, Committed(tenant, after["id"], after, result.changed))

    def _tell(self, tx: Tx, committed: Committed) -> None:
        # What lies in a snapshot happened before; nothing is to be done about it.
        if self._hearing and not is_space(committed.tenant):
            for hear in self._hearing:
                hear(tx, committed)

    def expire(self, tx: Tx, before: Entity, result: PatchResult, *, by: Actor) -> None:
        """Commit that attributes of an entity are over: of them, nothing is kept (clause 4.22)."""
        tenant, after = by.tenant, result.entity
        self._entities.put(tx, tenant, after, before)
        self._spaces.weigh(tx, tenant, before, after)
        for name, instance in result.removed:
            dataset_id = instance.get("datasetId", "@none")
            self._chronicle.forget(tx, tenant, after["id"], name, dataset_id)
        self._announce(tx, tenant, before, after, result.updated)
        self._line(tx, by, "entity.expire", after["id"], result.updated, "")

    def _follow_expiry(self, tx: Tx, tenant: str, entity: Entity) -> None:
        due_us = next_expiry_us(entity)
        self._transients.put(tx, tenant, entity["id"], due_us)
        if due_us is not None:
            tx.after_commit(lambda: self._note_due(due_us))

    def _announce(
        self, tx: Tx, tenant: str, before: Entity | None, after: Entity | None, names: list[str]
    ) -> None:
        entity = after if after is not None else before
        assert entity is not None

        def lookup(entity_id: str) -> Entity | None:
            return self._entities.get(tx, tenant, entity_id)

        now_us = to_us(tx.now)
        said: dict[bytes, bytes | None] = {}
        for subscription in self._book.matching(tenant, before, after, names, now_us, lookup):
            if (telling := subscription.telling) not in said:
                told = notice(subscription, before, after, names, format_instant(tx.now), lookup)
                said[telling] = None if told is None else orjson.dumps(told)
            if (body := said[telling]) is None:
                continue
            due = self._outbox.add_due(tx, tenant, subscription.id, entity["id"], body)
            tx.after_commit(partial(self._book.wake, subscription.key, due))
        change = Change(tenant, entity["id"], entity["type"], names, after)
        tx.after_commit(lambda: self._publish(change))

    def _line(
        self, tx: Tx, by: Actor, action: str, entity_id: str, names: list[str], note: str
    ) -> None:
        told = (*names, note)
        detail = self._details.get(told)
        if detail is None:
            said: dict[str, object] = {"attributes": [self._core.compact(name) for name in names]}
            if note:
                said["note"] = note
            detail = canonical(said)
            if len(self._details) >= _MOST_DETAILS:
                self._details.clear()
            self._details[told] = detail
        self._spaces.line(tx, by, action, entity_id, detail)


def _scopes(before: Entity | None, after: Entity, tx: Tx) -> list[tuple[str, Instance]]:
    """Return the scopes, when they changed, as their temporal representation has them (clause 4.5.6)."""
    if "scope" not in after or (before or {}).get("scope") == after["scope"]:
        return []
    now = format_instant(tx.now)
    return [("scope", {"type": "Property", "value": after["scope"], "observedAt": now})]


def _lost_scopes(before: Entity | None, after: Entity) -> list[tuple[str, Instance]]:
    lost = before is not None and "scope" in before and "scope" not in after
    return [("scope", {"type": "Property", "deletedValue": []})] if lost else []
