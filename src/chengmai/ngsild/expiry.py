"""Entities and attributes that live until an instant, `expiresAt` (GS CIM 009 V1.9.1, clause 4.22). Pure."""

from __future__ import annotations

from chengmai.kernel.instants import parse_us
from chengmai.ngsild.entity import Entity, Instance
from chengmai.ngsild.merging import copied
from chengmai.ngsild.patch import PatchResult

EXPIRES = "expiresAt"
_TELLS = b'"expiresAt"'


def touches_expiry(before: Entity | None, result: PatchResult, doc: bytes) -> bool:
    """Return whether a change may alter when something of an entity expires.

    `doc` is what it made of the entity, as JSON: most entities say nothing of expiry, and that is seen at once.
    """
    if EXPIRES in result.entity or (before is not None and EXPIRES in before):
        return True
    told = (*result.changed, *result.removed) if _TELLS in doc else result.removed
    return any(_carries(one) for _, one in told)


def next_expiry_us(entity: Entity) -> int | None:
    """Return when first something of an entity expires, in microseconds since 1970; None for never."""
    due = [parse_us(entity[EXPIRES])] if EXPIRES in entity else []
    for key, instances in entity.items():
        if ":" in key:
            due += [at for one in instances for at in _instants(one)]
    return min(due, default=None)


def has_expired(member: Entity | Instance, now_us: int) -> bool:
    """Return whether an entity, or an instance of an attribute, is over at an instant."""
    return EXPIRES in member and parse_us(member[EXPIRES]) <= now_us


def without_expired(entity: Entity, now_us: int, now: str) -> PatchResult:
    """Return an entity without the attribute instances that are over; `changed` lost a sub-attribute."""
    made: Entity = {}
    result = PatchResult(made)
    for key, instances in entity.items():
        if ":" not in key:
            made[key] = copied(instances)
            continue
        kept = [_alive_below(one, now_us) for one in instances if not has_expired(one, now_us)]
        result.removed += [(key, one) for one in instances if has_expired(one, now_us)]
        before = [one for one in instances if not has_expired(one, now_us)]
        result.changed += [(key, new) for old, new in zip(before, kept, strict=True) if old != new]
        if kept:
            made[key] = kept
    result.updated = sorted({name for name, _ in [*result.changed, *result.removed]})
    if result.updated:
        made["modifiedAt"] = now
    return result


def _alive_below(instance: Instance, now_us: int) -> Instance:
    made: Instance = {}
    for key, value in instance.items():
        if ":" not in key:
            made[key] = copied(value)
        elif kept := [_alive_below(one, now_us) for one in value if not has_expired(one, now_us)]:
            made[key] = kept
    return made


def _carries(instance: Instance) -> bool:
    if EXPIRES in instance:
        return True
    for key, below in instance.items():
        if type(below) is list and ":" in key and any(_carries(one) for one in below):
            return True
    return False


def _instants(instance: Instance) -> list[int]:
    made = [parse_us(instance[EXPIRES])] if EXPIRES in instance else []
    for key, below in instance.items():
        if ":" in key:
            made += [at for one in below for at in _instants(one)]
    return made
