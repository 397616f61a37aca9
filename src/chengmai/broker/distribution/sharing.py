"""Sharing a write out: who gets what, all at the same time, and one outcome (clauses 4.3.6 and 6.3.17)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.combining import (
    Outcome,
    Part,
    not_offered,
    part_of_answer,
    settled,
)
from chengmai.broker.distribution.ports import Failure, Forward, Kind
from chengmai.broker.distribution.sources import Forwarder
from chengmai.broker.distribution.splitting import Names, Share, Split, Target, split
from chengmai.broker.model import UpdateOutcome
from chengmai.broker.problems import EntityNotFound
from chengmai.broker.registry.book import RegistryBook
from chengmai.broker.service import Broker
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import to_us
from chengmai.kernel.problems import NotFound, Problem
from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.select import Selector, matches_types
from chengmai.trust.ports import Audit

Here = Callable[[], Awaitable[UpdateOutcome | None]]
Shared = Callable[[Share], Forward]
_ALL_DONE = Outcome(())


class Sharing:
    """Shares writes out among this broker and the sources that are registered.

    What is done here is done at once and never waits for a source; the outcome waits for all.
    """

    def __init__(
        self,
        work: Work[Tx],
        broker: Broker,
        book: RegistryBook,
        forwarder: Forwarder,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self.broker = broker
        self.forwarder = forwarder
        self._work = work
        self._book = book
        self._audit = audit
        self._clock = clock

    def has_sources(self, asked: Asked) -> bool:
        """Return whether any source is registered in the tenant."""
        return self._book.has(asked.actor.tenant)

    def is_alone(self, asked: Asked) -> bool:
        """Return whether nobody else can have a share: no source is registered, or only we are asked."""
        return asked.local or not self._book.has(asked.actor.tenant)

    async def alone(self, here: Here) -> Outcome:
        """Return the outcome where nobody else has a share; raises what is wrong."""
        outcome = await here()
        if outcome is None or not outcome.not_updated:
            return _ALL_DONE
        return settled([_part_here(outcome)])

    def plan(self, asked: Asked, operations: Names, target: Target) -> Split:
        """Return who gets what; without registrations, or with `local`, all of it stays here."""
        registrations = () if asked.local else self._book.of(asked.actor.tenant)
        if not registrations:
            return Split((), target.names, is_here=True)
        now_us = to_us(self._clock.now())
        return split(registrations, operations, target, now_us=now_us)

    async def plan_for(
        self,
        asked: Asked,
        operation: str,
        entity_id: str,
        names: Names | None,
        types: Selector | None,
        given: Iterable[str] = (),
    ) -> Split:
        """Return who gets what of a write on an entity whose type need not be said.

        Where the entity is here its own types count too: a source of other types is not bothered.
        """
        said = frozenset(given) | (frozenset() if types is None else types.names)
        target = Target((entity_id,), said or None, names)
        operations = frozenset((operation,))
        plan = self.plan(asked, operations, target)
        if not plan.shares or types is not None:
            return plan
        held = await self.types_held(asked, entity_id)
        if held is None:
            return plan
        return self.plan(asked, operations, replace(target, types=said | held))

    async def types_held(self, asked: Asked, entity_id: str) -> Names | None:
        """Return the types of an entity that is here, or None."""
        try:
            entity = await self.broker.retrieve(asked.actor, entity_id)
        except EntityNotFound:
            return None
        return frozenset(entity["type"])

    async def check_type(self, asked: Asked, entity_id: str, types: Selector | None) -> None:
        """Raise `NotFound` when the entity here is not of the types that the request names."""
        if types is None:
            return
        entity = await self.broker.retrieve(asked.actor, entity_id)
        if not matches_types(types, entity["type"]):
            raise NotFound(f"{entity_id} is not of the type asked for", param="type", id=entity_id)

    async def run(
        self,
        asked: Asked,
        plan: Split,
        entity_id: str,
        forward: Shared,
        here: Here,
        *,
        names: Names = frozenset(),
        may_be_missing: bool = False,
    ) -> Outcome:
        if not plan.shares:
            return settled([await _here(here, names)])
        # What is forwarded is made before anything is done: a context may have to be fetched first.
        offered = [share for share in plan.shares if share.is_offered]
        forwards = [forward(share) for share in offered]
        refused = [
            not_offered(share.registration, _named(share, names))
            for share in plan.shares
            if not share.is_offered
        ]
        if not plan.is_here:
            parts = await self._forwarded(asked, entity_id, offered, forwards, names)
            return settled([*parts, *refused])
        own, parts = await asyncio.gather(
            _here(here, plan.names if names else names),
            self._forwarded(asked, entity_id, offered, forwards, names),
        )
        if may_be_missing and isinstance(own.problem, NotFound) and (parts or refused):
            return settled([*parts, *refused])
        return settled([own, *parts, *refused])

    async def _forwarded(
        self,
        asked: Asked,
        entity_id: str,
        shares: Sequence[Share],
        forwards: Sequence[Forward],
        names: Names,
    ) -> list[Part]:
        if not forwards:
            return []
        answers = await self.forwarder.ask(asked, forwards)
        parts = []
        for share, sent, answer in zip(shares, forwards, answers, strict=True):
            is_loop = isinstance(answer, Failure) and answer.kind is Kind.LOOP
            if is_loop and not share.is_proxied:
                continue  # it would bring the request back here, where it is done already
            parts.append(
                part_of_answer(share.registration, _named(share, names), answer, sent.context)
            )
        said = {
            str(part.registration): "ok" if part.problem is None else part.problem.code
            for part in parts
        }
        await self.note(asked, entity_id, forwards[0], said)
        return parts

    async def note(
        self, asked: Asked, about: str, sent: Forward, said: Mapping[str, str | list[str]]
    ) -> None:
        """Write the audit line of what was forwarded, and what each source said."""
        detail = {"method": sent.method, "path": sent.path, "sources": dict(said)}
        await self._work.write(
            lambda tx: self._audit.line(tx, asked.actor, "entity.forward", about, detail)
        )


def _named(share: Share, names: Names) -> list[str]:
    return sorted(names if share.names is None else share.names & names)


async def _here(do: Here, names: Names | None) -> Part:
    """Return what became of our own share; a problem is kept with it."""
    try:
        outcome = await do()
    except Problem as problem:
        return Part(tuple(sorted(names or ())), problem=problem)
    if outcome is None:
        return Part(tuple(sorted(names or ())))
    return _part_here(outcome)


def _part_here(outcome: UpdateOutcome) -> Part:
    refused = tuple(outcome.not_updated)
    return Part((*outcome.updated, *(name for name, _ in refused)), refused=refused)
