"""Which registrations a request concerns (GS CIM 009 V1.9.1, clauses 4.3.6 and 5.12). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chengmai.broker.finding import id_pattern as compiled_pattern
from chengmai.broker.registry.model import EntityInfo, Information, Registration


@dataclass(frozen=True, slots=True)
class Match:
    """A registration that matches, and with what of it.

    `attributes` are those asked for that the source has; None: every attribute. `entities` are the infos
    that matched, () where one of them stands for any entity. `information` holds the parts that matched,
    each narrowed to its infos that did: use it where several parts differ. `positions` say which parts of
    the registration they are.
    """

    registration: Registration
    attributes: frozenset[str] | None
    entities: tuple[EntityInfo, ...]
    information: tuple[Information, ...]
    positions: tuple[int, ...] = ()


def matching(
    registrations: Sequence[Registration],
    *,
    operation: str,
    ids: Sequence[str] | None,
    types: Iterable[str] | None,
    attributes: Iterable[str] | None,
    now_us: int,
    id_pattern: str | None = None,
) -> list[Match]:
    """Return the live registrations for an operation on entities, in the order given.

    None means that nothing is asked about that part; `types` and `attributes` are expanded names, of which
    one is enough. An id takes precedence over a pattern. Two patterns are taken to meet. Raises `Invalid` on
    a pattern that is none.
    """
    asked = Asked(ids, id_pattern, types, attributes)
    found = []
    for one in registrations:
        if operation in one.operations and one.is_live(now_us):
            match = asked.match(one)
            if match is not None:
                found.append(match)
    return found


class Asked:
    """What is asked for: entities by id, pattern and type, and attributes."""

    def __init__(
        self,
        ids: Sequence[str] | None,
        id_pattern: str | None,
        types: Iterable[str] | None,
        attributes: Iterable[str] | None,
    ) -> None:
        self._ids = None if ids is None else frozenset(ids)
        self._pattern = None if ids is not None else compiled_pattern(id_pattern)
        self._types = None if types is None else frozenset(types)
        self._attributes = None if attributes is None else frozenset(attributes)

    def match(self, registration: Registration) -> Match | None:
        """Return how a registration matches, or None."""
        told = [self._part(info) for info in registration.information]
        parts = tuple(part for part in told if part is not None)
        if not parts:
            return None
        everything = any(not part.attributes for part in parts)
        anybody = any(not part.entities for part in parts)
        return Match(
            registration=registration,
            attributes=None if everything else frozenset().union(*(p.attributes for p in parts)),
            entities=() if anybody else tuple(one for part in parts for one in part.entities),
            information=parts,
            positions=tuple(at for at, part in enumerate(told) if part is not None),
        )

    def _part(self, information: Information) -> Information | None:
        attributes = information.attributes
        if attributes and self._attributes is not None:
            attributes &= self._attributes
            if not attributes:
                return None
        entities = tuple(one for one in information.entities if self._covers(one))
        if information.entities and not entities:
            return None
        return Information(entities, attributes)

    def _covers(self, info: EntityInfo) -> bool:
        if self._types is not None and info.types and self._types.isdisjoint(info.types):
            return False
        if info.id is not None:
            if self._ids is not None:
                return info.id in self._ids
            return self._pattern is None or self._pattern.search(info.id) is not None
        if info.pattern is not None and self._ids is not None:
            return any(info.pattern.search(one) is not None for one in self._ids)
        return True
