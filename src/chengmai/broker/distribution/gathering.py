"""Asking the sources that a request concerns, all at the same time, and keeping what they may contribute.

What a source does wrong becomes a warning (clause 6.3.17) and costs its own part of the answer alone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from chengmai.broker.distribution.answers import Reader
from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.merging import Fragment, merged, without_attributes
from chengmai.broker.distribution.narrowing import (
    Question,
    attributes_of_entity,
    contributed,
)
from chengmai.broker.distribution.ports import Forward, Reply
from chengmai.broker.distribution.sources import Forwarder
from chengmai.broker.registry.book import RegistryBook
from chengmai.broker.registry.matching import Match, matching
from chengmai.broker.registry.model import Mode
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import Clock
from chengmai.kernel.instants import to_us
from chengmai.kernel.problems import Problem
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.expiry import has_expired

PAGE = 100
"""How many entities a source is asked for at a time: what every broker allows."""
MOST_OF_A_SOURCE = 2000
"""How many entities of one source go into one answer; a warning says when there were more."""
_WARNINGS = re.compile(r'(\d{3}) \S+ "([^"]*)"')
_WHOLE_S = 20.0
"""Longest time that all pages of one source may take."""
LOCAL = "@none"
"""Stands for this broker among the holders of an entity (clause 5.2.39)."""

Holders = Mapping[str, Sequence[str]]
"""Entity id to who holds it: ids of registrations, and `LOCAL`."""

Ask = Callable[[Match], list[Question]]


@dataclass
class Gathered:
    """What sources hold: entity id to registration id to what it contributed, in the order asked."""

    matches: Sequence[Match]
    held: dict[str, dict[str, Entity]] = field(default_factory=dict)

    def holders(self, entity_id: str) -> tuple[str, ...]:
        """Return the ids of the registrations whose sources have the entity."""
        return tuple(self.held.get(entity_id, ()))

    def whole(self, entity_id: str, local: Entity | None) -> Entity | None:
        """Return the entity that the parts of all holders make up; None when there is none."""
        parts = self.held.get(entity_id, {})
        claimed = self._claimed(entity_id, parts)
        found = [] if local is None else [Fragment(local)]
        for match in self.matches:
            one = parts.get(match.registration.id)
            if one is None:
                continue
            if match.registration.mode is not Mode.EXCLUSIVE and claimed:
                one = without_attributes(one, claimed)
            if one is not None:
                found.append(Fragment(one, match.registration.mode is Mode.AUXILIARY))
        return merged(found) if found else None

    def here(self, local: Entity | None) -> Entity | None:
        """Return what of a local entity counts: without what sources alone are registered for (4.3.6.3)."""
        for match in self.matches if local is not None else ():
            if local is not None and match.registration.mode.is_proxied:
                names = attributes_of_entity(match, local)
                if names is None or any(name in local for name in names):
                    local = without_attributes(local, names)
        return local

    def _claimed(self, entity_id: str, parts: Mapping[str, Entity]) -> frozenset[str]:
        claimed: frozenset[str] = frozenset()
        for match in self.matches:
            if match.registration.mode is Mode.EXCLUSIVE:
                for one in parts.values():
                    claimed |= attributes_of_entity(match, one) or frozenset()
        return claimed


class Gatherer:
    """Finds the sources that a request concerns and asks them."""

    def __init__(
        self, book: RegistryBook, forwarder: Forwarder, reader: Reader, clock: Clock
    ) -> None:
        self._book = book
        self._forwarder = forwarder
        self.reader = reader
        self._clock = clock

    @property
    def core(self) -> Context:
        """The core context."""
        return self.reader.core

    def is_alone(self, asked: Asked) -> bool:
        """Return whether a request concerns this broker alone, whatever it is about."""
        return self.is_local(asked.actor, local=asked.local)

    def is_local(self, actor: Actor, *, local: bool) -> bool:
        """Return the same of who asks, and whether for `local` entities alone."""
        return local or not self._book.has(actor.tenant)

    def concerned(
        self,
        asked: Asked,
        operations: Sequence[str],
        *,
        ids: Sequence[str] | None = None,
        id_pattern: str | None = None,
        types: Collection[str] | None = None,
        attributes: Collection[str] | None = None,
        datasets: Collection[str] | None = None,
    ) -> list[Match]:
        """Return the registrations that a request concerns, () where nothing is to be forwarded.

        Each offers one of `operations`. None means that nothing is asked about that part.
        """
        if self.is_alone(asked):
            return []
        # A source that the request came through already is left out (clause 6.3.18).
        live = [
            one
            for one in self._book.of(asked.actor.tenant)
            if one.alias not in asked.via and _shares(one.datasets, datasets)
        ]
        found: dict[str, Match] = {}
        for operation in operations:
            for match in matching(
                live,
                operation=operation,
                ids=ids,
                id_pattern=id_pattern,
                types=types,
                attributes=attributes,
                now_us=to_us(self._clock.now()),
            ):
                found.setdefault(match.registration.id, match)
        return sorted(found.values(), key=lambda match: match.registration.id)

    async def gather(self, asked: Asked, matches: Sequence[Match], ask: Ask) -> Gathered:
        """Return what the sources answer to what `ask` makes of each match."""
        gathered = Gathered(matches)
        answers = await asyncio.gather(*(self._of_one(asked, one, ask(one)) for one in matches))
        for match, entities in zip(matches, answers, strict=True):
            for entity in entities:
                one = contributed(match, _alive(entity, to_us(self._clock.now())))
                if one is not None:
                    held = gathered.held.setdefault(one["id"], {})
                    before = held.get(match.registration.id)
                    held[match.registration.id] = (
                        one if before is None else merged([Fragment(before), Fragment(one)])
                    )
        return gathered

    async def reply(
        self, asked: Asked, match: Match, question: Question, more: dict[str, str] | None = None
    ) -> tuple[Forward, Reply] | None:
        """Return the request and the answer of a source that has one to give; else None, with a warning."""
        try:
            forward = await self._forward(asked, match, question, more or {})
        except Problem as problem:
            asked.warn(199, match.registration.id, problem.detail)
            return None
        (answer,) = await self._forwarder.ask(asked, [forward])
        if not isinstance(answer, Reply):
            return None
        # What is missing there is missing here as well.
        for code, text in _WARNINGS.findall(answer.headers.get("ngsild-warning", "")):
            asked.warn(int(code), match.registration.id, text)
        usable = answer.status < 300 and answer.document is not None
        return (forward, answer) if usable else None

    async def _forward(
        self, asked: Asked, match: Match, question: Question, more: dict[str, str]
    ) -> Forward:
        if (url := match.registration.context_url) is not None:
            await self.reader.context(url)
        return self._forwarder.forward(
            asked,
            match.registration,
            question.method,
            question.path,
            parameters=lambda context: question.parameters(context) | more,
            body=question.body,
        )

    async def _of_one(
        self, asked: Asked, match: Match, questions: Sequence[Question]
    ) -> list[Entity]:
        found: dict[str, Entity] = {}
        try:
            async with asyncio.timeout(_WHOLE_S):
                for question in questions:
                    await self._pages(asked, match, question, found)
        except TimeoutError:
            asked.warn(199, match.registration.id, f"it took more than {_WHOLE_S:g} s")
        return list(found.values())

    async def _pages(
        self, asked: Asked, match: Match, question: Question, found: dict[str, Entity]
    ) -> None:
        offset = 0
        while True:
            paging = {"limit": str(PAGE)} | ({"offset": str(offset)} if offset else {})
            answered = await self.reply(asked, match, question, paging if question.pages else None)
            if answered is None:
                return
            forward, reply = answered
            try:
                entities = await self.reader.entities(reply.document, forward.context)
            except Problem as problem:
                asked.warn(111, match.registration.id, problem.detail)
                return
            new = {one["id"]: one for one in entities if one["id"] not in found}
            found |= new
            if not question.pages or not new or len(entities) < PAGE:
                return
            if len(found) >= MOST_OF_A_SOURCE:
                asked.warn(199, match.registration.id, f"only {len(found)} of its entities count")
                return
            offset += PAGE


def _shares(held: Collection[str], asked: Collection[str] | None) -> bool:
    """Return whether two sets of datasets have one in common; one that is not told holds any (5.12)."""
    return not held or not asked or not set(held).isdisjoint(asked)


def _alive(entity: Entity, now_us: int) -> Entity | None:
    """Return what of an answered entity has not expired (clause 4.22); None when it has as a whole."""
    if has_expired(entity, now_us):
        return None
    return {
        key: [one for one in value if not has_expired(one, now_us)] if ":" in key else value
        for key, value in entity.items()
    }


def wanted(matches: list[Match], among: Holders | None) -> list[Match]:
    """Return the matches that hold something of a map; all of them without one."""
    if among is None:
        return matches
    holders = {holder for held in among.values() for holder in held}
    return [match for match in matches if match.registration.id in holders]
