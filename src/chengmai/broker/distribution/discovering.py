"""What types and attributes there are, here and at context sources (clauses 5.7.5 to 5.7.10).

Counts are sums over the holders: an entity that several of them have a part of is counted by each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from chengmai.broker.distribution.answers import AnswerInvalid
from chengmai.broker.distribution.asked import Asked
from chengmai.broker.distribution.gathering import Gatherer
from chengmai.broker.distribution.narrowing import Question
from chengmai.broker.registry.matching import Match
from chengmai.broker.service import Broker
from chengmai.kernel.problems import Problem
from chengmai.ngsild.contexts import Context
from chengmai.ngsild.entity import VALUE_MEMBER
from chengmai.ngsild.members import checked_name

T = TypeVar("T")
Read = Callable[[Any, Context], T]


@dataclass
class TypeInfo:
    """One type: how many entities, and the kinds of each of their attributes."""

    count: int = 0
    attributes: dict[str, set[str]] = field(default_factory=dict)


@dataclass
class AttributeInfo:
    """One attribute: how many instances, of which kinds, with entities of which types."""

    count: int = 0
    kinds: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)


class DistributedDiscovery:
    """Lists types and attributes wherever they occur; every name is an expanded one."""

    def __init__(self, broker: Broker, gatherer: Gatherer) -> None:
        self._broker = broker
        self._gatherer = gatherer

    async def types(self, asked: Asked) -> list[str]:
        """Return the types that occur (clause 5.7.5), ordered."""
        here = {name for name, _ in await self._broker.types(asked.actor)}
        there = await self._asked(asked, "retrieveEntityTypes", "/types", _list_of("typeList"))
        return sorted(here.union(*(_registered(match, "types", found) for match, found in there)))

    async def type_details(self, asked: Asked) -> dict[str, list[str]]:
        """Return the attributes that occur with each type (clause 5.7.6), both ordered."""
        found: dict[str, set[str]] = {
            name: set() for name, _ in await self._broker.types(asked.actor)
        }
        for name, attribute, _ in await self._broker.attributes(asked.actor):
            found.setdefault(name, set()).add(attribute)
        operation, read = "retrieveEntityTypeDetails", _pairs_of("typeName", "attributeNames")
        for match, pairs in await self._asked(asked, operation, "/types", read, details=True):
            for name, attributes in pairs.items():
                if _registered(match, "types", [name]):
                    kept = found.setdefault(name, set())
                    kept |= _registered(match, "attributes", attributes)
        return {name: sorted(found[name]) for name in sorted(found)}

    async def type_info(self, asked: Asked, name: str) -> TypeInfo | None:
        """Return what is known of one type (clause 5.7.7); None when it does not occur."""
        made = TypeInfo(dict(await self._broker.types(asked.actor)).get(name, 0))
        for its, attribute, kind in await self._broker.attributes(asked.actor):
            if its == name:
                made.attributes.setdefault(attribute, set()).add(kind)
        path, operation = _path("/types/", name), "retrieveEntityTypeInfo"
        there = await self._asked(asked, operation, path, _type_info, types=[name])
        for match, found in there:
            made.count += found.count
            for attribute in _registered(match, "attributes", found.attributes):
                made.attributes.setdefault(attribute, set()).update(found.attributes[attribute])
        return made if made.count or made.attributes or there else None

    async def attributes(self, asked: Asked) -> list[str]:
        """Return the attributes that occur (clause 5.7.8), ordered."""
        here = {name for _, name, _ in await self._broker.attributes(asked.actor)}
        read = _list_of("attributeList")
        there = await self._asked(asked, "retrieveAttrTypes", "/attributes", read)
        found = (_registered(match, "attributes", names) for match, names in there)
        return sorted(here.union(*found))

    async def attribute_details(self, asked: Asked) -> dict[str, list[str]]:
        """Return the types that each attribute occurs with (clause 5.7.9), both ordered."""
        found: dict[str, set[str]] = {}
        for its, name, _ in await self._broker.attributes(asked.actor):
            found.setdefault(name, set()).add(its)
        operation, read = "retrieveAttrTypeDetails", _pairs_of("attributeName", "typeNames")
        for match, pairs in await self._asked(asked, operation, "/attributes", read, details=True):
            for name in _registered(match, "attributes", pairs):
                kept = found.setdefault(name, set())
                kept |= _registered(match, "types", pairs[name])
        return {name: sorted(found[name]) for name in sorted(found)}

    async def attribute_info(self, asked: Asked, name: str) -> AttributeInfo | None:
        """Return what is known of one attribute (clause 5.7.10); None when it does not occur."""
        made = AttributeInfo(await self._broker.attribute_count(asked.actor, name))
        for its, attribute, kind in await self._broker.attributes(asked.actor):
            if attribute == name:
                made.types.add(its)
                made.kinds.add(kind)
        path, operation = _path("/attributes/", name), "retrieveAttrTypeInfo"
        there = await self._asked(asked, operation, path, _attribute_info, attributes=[name])
        for match, found in there:
            made.count += found.count
            made.kinds |= found.kinds
            made.types |= _registered(match, "types", found.types)
        return made if made.types or there else None

    async def _asked(
        self,
        asked: Asked,
        operation: str,
        path: str | Callable[[Context], str],
        read: Read[T],
        *,
        details: bool = False,
        types: Collection[str] | None = None,
        attributes: Collection[str] | None = None,
    ) -> list[tuple[Match, T]]:
        matches = self._gatherer.concerned(asked, [operation], types=types, attributes=attributes)
        parameters = {"details": "true"} if details else {}
        question = Question("GET", path, lambda _context: parameters)
        answers = await asyncio.gather(
            *(self._one(asked, match, question, read) for match in matches)
        )
        return [
            (match, found)
            for match, found in zip(matches, answers, strict=True)
            if found is not None
        ]

    async def _one(self, asked: Asked, match: Match, question: Question, read: Read[T]) -> T | None:
        answered = await self._gatherer.reply(asked, match, question)
        if answered is None:
            return None
        forward, reply = answered
        try:
            return read(reply.document, forward.context)
        except Problem as problem:
            asked.warn(111, match.registration.id, problem.detail)
            return None


def _path(before: str, name: str) -> Callable[[Context], str]:
    return lambda context: before + quote(context.compact(name), safe="")


def _registered(match: Match, part: str, names: Iterable[str]) -> set[str]:
    """Return those of `names` (types or attributes) that the source is registered for."""
    if part == "types":
        infos = match.entities
        known = frozenset().union(*(one.types for one in infos))
        everything = not infos or not all(one.types for one in infos)
    else:
        known, everything = match.attributes or frozenset(), match.attributes is None
    return {name for name in names if everything or name in known}


def _list_of(member: str) -> Read[list[str]]:
    def read(document: Any, context: Context) -> list[str]:
        return _names(_object(document).get(member), context)

    return read


def _pairs_of(key: str, values: str) -> Read[Mapping[str, list[str]]]:
    def read(document: Any, context: Context) -> dict[str, list[str]]:
        if not isinstance(document, list):
            raise AnswerInvalid("the answer is no list")
        return {
            _name(_object(one).get(key, _object(one).get("id")), context): _names(
                _object(one).get(values), context
            )
            for one in document
        }

    return read


def _type_info(document: Any, context: Context) -> TypeInfo:
    given = _object(document)
    made = TypeInfo(_count(given.get("entityCount")))
    details = given.get("attributeDetails", [])
    for one in details if isinstance(details, list) else ():
        name = _name(_object(one).get("attributeName", _object(one).get("id")), context)
        made.attributes[name] = _kinds(_object(one).get("attributeTypes"))
    return made


def _attribute_info(document: Any, context: Context) -> AttributeInfo:
    given = _object(document)
    return AttributeInfo(
        _count(given.get("attributeCount")),
        _kinds(given.get("attributeTypes")),
        set(_names(given.get("typeNames"), context)),
    )


def _object(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise AnswerInvalid("the answer is no object")
    return document


def _names(given: Any, context: Context) -> list[str]:
    listed = [] if given is None else given if isinstance(given, list) else [given]
    return [_name(one, context) for one in listed]


def _name(given: Any, context: Context) -> str:
    return context.expand(checked_name(given, "name"))


def _kinds(given: Any) -> set[str]:
    listed = given if isinstance(given, list) else [given]
    return {one for one in listed if isinstance(one, str) and one in VALUE_MEMBER}


def _count(given: Any) -> int:
    return given if isinstance(given, int) and not isinstance(given, bool) and given > 0 else 0
