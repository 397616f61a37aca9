"""Who gets what of a write: taken away by those that alone hold it, copied to others, kept here. Pure.

GS CIM 009 V1.9.1, clauses 4.3.6.2 and 4.3.6.3 and the behaviour of each operation in 5.6: exclusive sources
come first, then redirecting ones, and what they match is not processed further; what is left is done here
and also sent to inclusive sources that offer the operation. Auxiliary sources never get a write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from chengmai.broker.registry.matching import Asked as Wanted
from chengmai.broker.registry.model import Mode, Registration
from chengmai.ngsild.entity import Entity

Names = frozenset[str]
HOW_TO_MERGE = ("observedAt", "lang")
"""Members of a fragment that say how it is merged (clause 5.6.17.3); others are told in parameters."""
_MEMBERS = ("id", "type", "scope", "expiresAt", *HOW_TO_MERGE)


@dataclass(frozen=True, slots=True)
class Target:
    """What a write is about: ids, pattern, types (expanded) and attributes; None where it does not say."""

    ids: Sequence[str] | None = None
    types: Collection[str] | None = None
    names: Names | None = None
    id_pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one source gets: `names` of attributes, None where the write names none.

    `is_whole`: the source is registered for every attribute, and so for the entity itself.
    """

    registration: Registration
    names: Names | None
    is_offered: bool
    is_whole: bool

    @property
    def is_proxied(self) -> bool:
        """Whether the source holds this alone."""
        return self.registration.mode.is_proxied


@dataclass(frozen=True, slots=True)
class Split:
    """Shares of sources, and the attributes that are left for this broker; `is_here`: it has a part."""

    shares: tuple[Share, ...]
    names: Names | None
    is_here: bool

    @property
    def is_proxied(self) -> bool:
        """Whether any source holds part of this alone."""
        return any(share.is_proxied for share in self.shares)


def split(
    registrations: Iterable[Registration], operations: Names, target: Target, *, now_us: int
) -> Split:
    """Return who gets what of a write; a source offers it when it has one of `operations`."""
    live = [one for one in registrations if one.is_live(now_us)]
    left, whole_is_taken = target.names, False
    shares: list[Share] = []
    for mode in (Mode.EXCLUSIVE, Mode.REDIRECT):
        # Sources of one mode do not take from each other: several may redirect the same.
        taken = [
            share
            for one in live
            if one.mode is mode and (share := _share(one, operations, target, left)) is not None
        ]
        shares += taken
        whole_is_taken = whole_is_taken or any(share.is_whole for share in taken)
        if left is not None:
            left = left.difference(*(share.names or frozenset() for share in taken))
    if whole_is_taken and target.names is not None:
        return Split(tuple(shares), frozenset(), is_here=False)
    is_here = not shares or left is None or bool(left)
    if is_here:
        copies = (
            _share(one, operations, target, left) for one in live if one.mode is Mode.INCLUSIVE
        )
        shares += [share for share in copies if share is not None and share.is_offered]
    return Split(tuple(shares), left, is_here)


def _share(
    one: Registration, operations: Names, target: Target, left: Names | None
) -> Share | None:
    if target.names and not left:
        return None
    match = Wanted(target.ids, target.id_pattern, target.types, left).match(one)
    if match is None:
        return None
    is_whole = match.attributes is None
    names = left if is_whole else match.attributes
    return Share(one, names, not operations.isdisjoint(one.operations), is_whole)


def part_of(entity: Entity, names: Names | None) -> Entity:
    """Return what an entity or fragment holds of these attributes, with the members that all share."""
    if names is None:
        return entity
    return {key: value for key, value in entity.items() if key in names or key in _MEMBERS}


def attributes_of(entity: Entity) -> Names:
    """Return the expanded names of the attributes of an entity or fragment."""
    return frozenset(key for key in entity if ":" in key)
