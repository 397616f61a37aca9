"""Batches of entities that may be held elsewhere too (GS CIM 009 V1.9.1, 5.6.7 to 5.6.10 and 5.6.20).

Each source gets what concerns it: in one request when it takes batches, else one by one. An entity is
done when every holder did its share of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.combining import failed_of_batch, not_offered, problem_of
from chengmai.broker.distribution.ports import Answer, Failure, Forward, Kind, Reply
from chengmai.broker.distribution.sharing import Sharing
from chengmai.broker.distribution.splitting import Share, Split, Target, attributes_of, part_of
from chengmai.broker.distribution.writes import entity_path, without_id
from chengmai.broker.model import BatchOutcome
from chengmai.broker.registry.model import Registration
from chengmai.kernel.problems import NotFound, Problem
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.represent import compact_entity

MOST_PER_REQUEST = 1000
"""Entities in one request to a source; larger batches are sent in pieces."""
_ONE_BY_ONE = 8
"""Requests at a time to a source that takes no batches."""

Here = Callable[[Sequence[Entity]], Awaitable[BatchOutcome]]


@dataclass(frozen=True)
class Single:
    """A request about one entity, for a source that takes no batches: operation, method, path, parameters."""

    operation: str
    method: str
    tail: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def path(self, entity_id: str) -> str:
        """Return the path of the request."""
        return "/entities" if self.method == "POST" and not self.tail else self._below(entity_id)

    def _below(self, entity_id: str) -> str:
        return entity_path(entity_id) + self.tail


@dataclass(frozen=True)
class How:
    """A batch operation, its path and parameters, and the single ones that stand for it, best first.

    The next one is for an entity that the source says it does not have.
    """

    operation: str
    tail: str
    singles: tuple[Single, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def operations(self) -> frozenset[str]:
        """Return the operations of which a source must offer one."""
        return frozenset((self.operation, *(one.operation for one in self.singles)))


@dataclass
class _Item:
    entity: Entity
    plan: Split
    problems: list[Problem] = field(default_factory=list)
    created: bool = False
    answered: bool = False

    @property
    def id(self) -> str:
        return str(self.entity["id"])


_CREATE = Single("createEntity", "POST")


class DistributedBatches:
    """Batch operations, here and at the sources that are registered for the entities."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing
        self._broker = sharing.broker
        self._forwarder = sharing.forwarder

    async def create(self, asked: Asked, entities: Sequence[Entity]) -> BatchOutcome:
        """Create each entity (clause 5.6.7)."""
        how = How("createBatch", "create", (_CREATE,))
        outcome = await self._run(
            asked, entities, how, lambda own: self._broker.batch_create(asked.actor, own)
        )
        return replace(outcome, created=[*outcome.created, *outcome.updated], updated=[])

    async def upsert(
        self, asked: Asked, entities: Sequence[Entity], *, update: bool = False
    ) -> BatchOutcome:
        """Create or replace each entity, or with `update` append to it (clause 5.6.8)."""
        change = (
            Single("updateEntity", "PATCH", "/attrs") if update else Single("replaceEntity", "PUT")
        )
        parameters = {"options": "update"} if update else {}
        how = How("upsertBatch", "upsert", (change, _CREATE), parameters)
        return await self._run(
            asked,
            entities,
            how,
            lambda own: self._broker.batch_upsert(asked.actor, own, update=update),
        )

    async def update(
        self, asked: Asked, entities: Sequence[Entity], *, overwrite: bool = True
    ) -> BatchOutcome:
        """Append to each entity (clause 5.6.9)."""
        parameters = {} if overwrite else {"options": "noOverwrite"}
        single = Single("appendAttrs", "POST", "/attrs", parameters)
        how = How("updateBatch", "update", (single,), parameters)
        return await self._run(
            asked,
            entities,
            how,
            lambda own: self._broker.batch_update(asked.actor, own, overwrite=overwrite),
        )

    async def merge(self, asked: Asked, entities: Sequence[Entity]) -> BatchOutcome:
        """Merge into each entity (clause 5.6.20)."""
        how = How("mergeBatch", "merge", (Single("mergeEntity", "PATCH"),))
        return await self._run(
            asked, entities, how, lambda own: self._broker.batch_merge(asked.actor, own)
        )

    async def delete(self, asked: Asked, ids: Sequence[str]) -> BatchOutcome:
        """Delete each entity (clause 5.6.10); it need not be here when a source alone holds it."""
        how = How("deleteBatch", "delete", (Single("deleteEntity", "DELETE"),))

        async def here(own: Sequence[Entity]) -> BatchOutcome:
            return await self._broker.batch_delete(asked.actor, [one["id"] for one in own])

        return await self._run(asked, [{"id": one} for one in ids], how, here, whole=True)

    async def _run(
        self,
        asked: Asked,
        entities: Sequence[Entity],
        how: How,
        here: Here,
        *,
        whole: bool = False,
    ) -> BatchOutcome:
        if asked.local or not self._sharing.has_sources(asked):
            return await here(entities)
        items = [
            _Item(entity, await self._plan(asked, entity, how, whole=whole)) for entity in entities
        ]
        own = [one for one in items if one.plan.is_here]
        groups = _groups(items)
        sent = [self._requests(asked, how, shares, whole=whole) for shares in groups]
        outcome, _ = await asyncio.gather(
            here([part_of(one.entity, one.plan.names) for one in own]),
            asyncio.gather(*(self._ask(asked, one) for one in sent)),
        )
        return _combined(items, own, outcome, whole=whole)

    async def _plan(self, asked: Asked, entity: Entity, how: How, *, whole: bool) -> Split:
        names = None if whole else attributes_of(entity)
        types = frozenset(entity["type"]) if "type" in entity else None
        target = Target((entity["id"],), types, names)
        plan = self._sharing.plan(asked, how.operations, target)
        if not plan.shares or types is not None:
            return plan
        held = await self._sharing.types_held(asked, entity["id"])
        if held is None:
            return plan
        return self._sharing.plan(asked, how.operations, replace(target, types=held))

    def _requests(self, asked: Asked, how: How, shares: _Shares, *, whole: bool) -> list[_Piece]:
        registration = shares.registration
        pairs = shares.pairs
        if how.operation not in registration.operations:
            singles = [one for one in how.singles if one.operation in registration.operations]
            return [
                _Piece(
                    registration,
                    [item],
                    [self._single(asked, share, item, one, whole=whole) for one in singles],
                )
                for item, share in pairs
            ]
        return [
            self._batch(asked, registration, how, pairs[at : at + MOST_PER_REQUEST], whole=whole)
            for at in range(0, len(pairs), MOST_PER_REQUEST)
        ]

    def _batch(
        self,
        asked: Asked,
        registration: Registration,
        how: How,
        pairs: Sequence[tuple[_Item, Share]],
        *,
        whole: bool,
    ) -> _Piece:
        def document(context: Context) -> list[Any]:
            if whole:
                return [item.id for item, _ in pairs]
            return [
                compact_entity(part_of(item.entity, share.names), context, sys_attrs=True)
                for item, share in pairs
            ]

        forward = self._forwarder.forward(
            asked,
            registration,
            "POST",
            f"/entityOperations/{how.tail}",
            parameters=dict(how.parameters),
            body=document,
        )
        return _Piece(registration, [item for item, _ in pairs], [forward], is_batch=True)

    def _single(
        self, asked: Asked, share: Share, item: _Item, how: Single, *, whole: bool
    ) -> Forward:
        part = part_of(item.entity, share.names)
        if how is not _CREATE:
            part = without_id(part)
        return self._forwarder.forward(
            asked,
            share.registration,
            how.method,
            how.path(item.id),
            parameters=dict(how.parameters),
            body=None if whole else lambda context: compact_entity(part, context, sys_attrs=True),
        )

    async def _ask(self, asked: Asked, pieces: Sequence[_Piece]) -> None:
        """Ask one source for its pieces, some at a time; one that gives no answer is not asked on."""
        if not pieces:
            return
        dead: Failure | None = None
        for at in range(0, len(pieces), _ONE_BY_ONE):
            some = pieces[at : at + _ONE_BY_ONE]
            if dead is not None:
                for piece in some:
                    piece.take(dead)
                continue
            answers = await asyncio.gather(*(self._piece(asked, piece) for piece in some))
            for piece, answer in zip(some, answers, strict=True):
                piece.take(answer)
                if isinstance(answer, Failure):
                    dead = answer
        await self._sharing.note(
            asked,
            "batch",
            pieces[0].forwards[0],
            {pieces[0].registration.id: sorted({str(p.said) for p in pieces})},
        )

    async def _piece(self, asked: Asked, piece: _Piece) -> Answer:
        answer: Answer = Reply(501, {})
        for forward in piece.forwards:
            (answer,) = await self._forwarder.ask(asked, [forward])
            if not (isinstance(answer, Reply) and answer.status == 404):
                break
        return answer


@dataclass
class _Piece:
    """What goes to one source in one request; `forwards` after the first are for what it does not have."""

    registration: Registration
    items: list[_Item]
    forwards: list[Forward]
    is_batch: bool = False
    said: int | str = ""

    def take(self, answer: Answer) -> None:
        """Keep with each entity what became of it."""
        self.said = answer.status if isinstance(answer, Reply) else answer.kind.value
        is_loop = isinstance(answer, Failure) and answer.kind is Kind.LOOP
        if is_loop and not self.registration.mode.is_proxied:
            return  # it would bring the request back here, where it is done already
        ids = [item.id for item in self.items]
        if self.is_batch:
            failed = failed_of_batch(self.registration, ids, answer)
        else:
            problem = problem_of(self.registration, answer)
            failed = {} if problem is None else dict.fromkeys(ids, problem)
        created = _created(answer, ids) if self.registration.mode.is_proxied else frozenset()
        for item in self.items:
            item.answered = True
            item.created = item.created or item.id in created
            if item.id in failed:
                item.problems.append(failed[item.id])


@dataclass
class _Shares:
    """What one source gets of a batch."""

    registration: Registration
    pairs: list[tuple[_Item, Share]] = field(default_factory=list)


def _groups(items: Sequence[_Item]) -> list[_Shares]:
    """Return what each source gets; where one holds something and does not offer this, the item knows."""
    groups: dict[str, _Shares] = {}
    for item in items:
        for share in item.plan.shares:
            one = share.registration
            if share.is_offered:
                groups.setdefault(one.id, _Shares(one)).pairs.append((item, share))
            else:
                refused = not_offered(one, ()).problem
                item.problems += [] if refused is None else [refused]
    return list(groups.values())


def _created(answer: Answer, ids: Sequence[str]) -> frozenset[str]:
    """Return which entities a source says it created; an answer without a list means all."""
    if not isinstance(answer, Reply) or answer.status != 201:
        return frozenset()
    if isinstance(answer.document, list):
        return frozenset(one for one in answer.document if isinstance(one, str))
    return frozenset(ids)


def _combined(
    items: Sequence[_Item], own: Sequence[_Item], outcome: BatchOutcome, *, whole: bool
) -> BatchOutcome:
    here: dict[str, Problem] = dict(outcome.failed)
    created = frozenset(outcome.created)
    is_own = {id(one) for one in own}
    made = BatchOutcome()
    for item in items:
        problem = here.get(item.id) if id(item) in is_own else None
        # To delete what only a source has is no failure here (clause 5.6.6).
        is_elsewhere = whole and isinstance(problem, NotFound) and item.plan.is_proxied
        if problem is not None and not is_elsewhere:
            item.problems.insert(0, problem)
        if item.problems:
            made.failed += [(item.id, one) for one in item.problems]
        elif item.id in created or item.created:
            made.created.append(item.id)
        else:
            made.updated.append(item.id)
    return made
