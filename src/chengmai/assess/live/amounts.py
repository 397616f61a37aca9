"""Calculations over the newest state of entities: signs, amounts, shares. Entities arrive as arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from chengmai.assess.live.model import Amount, Measured, OfEntities, OfParts, OfSign
from chengmai.kernel.instants import parse_us
from chengmai.kernel.texts import WHOLE_CITY
from chengmai.ngsild.entity import Entity, instances, value_of

VALUE = "currentValue"
_VITALS = '/ngsi-ld/v1/entities?type=VitalSign&q=pack=="{pack}";sign=="{sign}"'
Find = Callable[[str, str | None], Sequence[Entity]]
"""Gives the entities of a type (short name) that match a `q`."""


@dataclass(frozen=True)
class Counted:
    """An amount with the entities that it is of."""

    amount: float
    used: tuple[Entity, ...]
    known: int


def counted(amount: Amount, entity_type: str, find: Find, since_us: int) -> Counted:
    """Return an amount; an entity without one of the attributes to sum does not count."""
    found = find(amount.type or entity_type, amount.q)
    if amount.but is not None:
        out = {one["id"] for one in find(amount.type or entity_type, amount.but)}
        found = [one for one in found if one["id"] not in out]
    used, total = [], 0.0
    for one in found:
        if amount.live is not None and not _is_live(one, amount.live, since_us):
            continue
        values = [_number(one, name.removeprefix("-")) for name in amount.sum]
        if None in values:
            continue
        signs = [-1 if name.startswith("-") else 1 for name in amount.sum]
        total += (
            sum(s * v for s, v in zip(signs, values, strict=True) if v is not None) if values else 1
        )
        used.append(one)
    return Counted(total, tuple(used), len(found))


def of_entities(definition: OfEntities, find: Find, now_us: int) -> Measured:
    """Return two amounts; an entity that lacks one of the two does not count where both are of one type."""
    since_us = now_us - _us(definition)
    up = counted(definition.numerator, definition.type, find, since_us)
    down = counted(definition.denominator, definition.type, find, since_us)
    if _sums_of_one(definition):
        both = {one["id"] for one in up.used} & {one["id"] for one in down.used}

        def only(_type: str, q: str | None) -> Sequence[Entity]:
            return [one for one in find(_type, q) if one["id"] in both]

        up = counted(definition.numerator, definition.type, only, since_us)
        down = counted(definition.denominator, definition.type, only, since_us)
        known = len(find(definition.type, definition.denominator.q))
    else:
        known = down.known
    used = {one["id"]: one for one in (*up.used, *down.used)}
    known = max(known, len(used))
    fresh = sum(_newest(one) is None or _newest(one, 0) >= since_us for one in used.values())
    types = dict.fromkeys(
        (
            definition.numerator.type or definition.type,
            definition.denominator.type or definition.type,
        )
    )
    return Measured(
        up.amount,
        down.amount,
        entities=sorted(used),
        known=known,
        fresh=fresh,
        areas=_by_area(definition, up, down) if _are_of_one(definition) else {},
        links=[f"/ngsi-ld/v1/entities?type={one}" for one in types],
    )


def of_parts(definition: OfParts, find: Find, now_us: int) -> Measured | None:
    """Return the mean of shares; None when one of them has nothing to be divided by."""
    since_us, shares, used = now_us - _us(definition), [], set()
    links = []
    for part in definition.parts:
        up = counted(part.numerator, "", find, since_us)
        down = counted(part.denominator, "", find, since_us)
        if not down.amount:
            return None
        shares.append((part.title, up.amount / down.amount))
        used |= {one["id"] for one in down.used}
        links.append(f"/ngsi-ld/v1/entities?type={part.denominator.type}")
    return Measured(
        sum(share for _, share in shares),
        len(shares),
        entities=sorted(used),
        parts=[(title, share * definition.scale) for title, share in shares],
        links=list(dict.fromkeys(links)),
    )


def of_sign(definition: OfSign, signs: Iterable[Entity]) -> Measured | None:
    """Return a sign's value; None where it is of no area.

    The sign of the whole city counts where there is one, else its areas together. A sign that is unknown
    does not count: what is missing is unknown.
    """
    found = [
        one
        for one in signs
        if value_of(one, "pack") == definition.pack and value_of(one, "sign") == definition.sign
    ]
    city = [one for one in found if value_of(one, "areaServed") == WHOLE_CITY]
    chosen = city or found
    live = {
        one["id"]: (str(value_of(one, "areaServed")), number)
        for one in chosen
        if value_of(one, "level") != "unknown" and (number := _number(one, VALUE)) is not None
    }
    if not chosen:
        return None
    each = {
        area: (float(v <= definition.at_most) if definition.at_most is not None else v, 1.0)
        for area, v in live.values()
    }
    total = sum(up for up, _ in each.values())
    is_sum = definition.take == "sum" and bool(live)
    return Measured(
        total,
        None if is_sum else float(len(each)),
        entities=sorted(live),
        known=len(chosen),
        fresh=len(live),
        areas=each,
        links=[_VITALS.format(pack=definition.pack, sign=definition.sign)],
    )


def _by_area(definition: OfEntities, up: Counted, down: Counted) -> dict[str, tuple[float, float]]:
    areas: dict[str, list[float]] = {}
    for place, found, amount in ((0, up, definition.numerator), (1, down, definition.denominator)):
        for one in found.used:
            area = value_of(one, "areaServed")
            if isinstance(area, str):
                areas.setdefault(area, [0.0, 0.0])[place] += _amount_of(one, amount)
    return {area: (found[0], found[1]) for area, found in areas.items()}


def _amount_of(one: Entity, amount: Amount) -> float:
    if not amount.sum:
        return 1.0
    return sum(
        (-1 if name.startswith("-") else 1) * (_number(one, name.removeprefix("-")) or 0.0)
        for name in amount.sum
    )


def _are_of_one(definition: OfEntities) -> bool:
    one = definition.type
    return (definition.numerator.type or one) == (definition.denominator.type or one)


def _sums_of_one(definition: OfEntities) -> bool:
    up, down = definition.numerator, definition.denominator
    return bool(up.sum and down.sum and up.live is None and _are_of_one(definition))


def _number(one: Entity, name: str) -> float | None:
    value = value_of(one, name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_live(one: Entity, name: str, since_us: int) -> bool:
    return any(
        "observedAt" in instance and parse_us(instance["observedAt"]) >= since_us
        for instance in instances(one, name)
        if "datasetId" not in instance
    )


def _newest(one: Entity, otherwise: int | None = None) -> int:
    """Return the newest observation of an entity in µs; a thing without any is as old as its change."""
    found = [
        parse_us(instance["observedAt"])
        for name, held in one.items()
        if ":" in name
        for instance in held
        if "observedAt" in instance
    ]
    return max(found, default=parse_us(one["modifiedAt"]))


def _us(definition: OfEntities | OfParts) -> int:
    return round(definition.fresh.total_seconds() * 1_000_000)
