"""Which registrations cannot stand beside each other or beside what is here (clauses 4.3.6 and 5.9.2.4). Pure.

What is registered as exclusive is held by that source alone: no other exclusive or redirecting source may
claim the same attributes of the same entity, and no entity here may have them. What is redirected is not
held here at all. Inclusive and auxiliary sources conflict with nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chengmai.broker.registry.model import EntityInfo, Information, Mode, Registration
from chengmai.broker.registry.problems import RegistrationConflict
from chengmai.ngsild.entity import Entity


def check_against_others(new: Registration, others: Sequence[Registration], *, now_us: int) -> None:
    """Raise `RegistrationConflict` when a live registration of another id claims the same."""
    if not new.mode.is_proxied:
        return
    for other in others:
        if other.id == new.id or not other.mode.is_proxied or not other.is_live(now_us):
            continue
        if Mode.EXCLUSIVE in (new.mode, other.mode) and _overlap(new, other):
            raise RegistrationConflict(
                f"{other.id} ({other.mode}) has some of these attributes already",
                param="information",
                fix="leave out what it has, or delete it first",
            )


def check_against_entities(new: Registration, entities: Iterable[Entity]) -> None:
    """Raise `RegistrationConflict` when an entity here has what the source alone should hold."""
    if not new.mode.is_proxied:
        return
    for entity in entities:
        if any(_holds(part, entity) for part in new.information):
            raise RegistrationConflict(
                f"{entity['id']} is here and has what is registered as {new.mode}",
                param="information",
                fix="delete it here first, or register the source as inclusive",
            )


def _overlap(one: Registration, other: Registration) -> bool:
    return any(
        _share_attributes(left, right) and _share_entities(left, right)
        for left in one.information
        for right in other.information
    )


def _share_attributes(left: Information, right: Information) -> bool:
    if not left.attributes or not right.attributes:
        return True
    return not left.attributes.isdisjoint(right.attributes)


def _share_entities(left: Information, right: Information) -> bool:
    if not left.entities or not right.entities:
        return True
    return any(_meet(a, b) for a in left.entities for b in right.entities)


def _meet(a: EntityInfo, b: EntityInfo) -> bool:
    if a.id is not None and b.id is not None:
        return a.id == b.id  # an id is one entity, whatever types it is said to have
    if a.types and b.types and a.types.isdisjoint(b.types):
        return False
    for one, other in ((a, b), (b, a)):
        if one.id is not None and other.pattern is not None:
            return bool(other.pattern.search(one.id))
    return True


def _holds(part: Information, entity: Entity) -> bool:
    if part.attributes and not any(name in entity for name in part.attributes):
        return False
    return not part.entities or any(_is(info, entity) for info in part.entities)


def _is(info: EntityInfo, entity: Entity) -> bool:
    if info.id is not None:
        return bool(info.id == entity["id"])
    if info.types and info.types.isdisjoint(entity["type"]):
        return False
    return info.pattern is None or bool(info.pattern.search(entity["id"]))
