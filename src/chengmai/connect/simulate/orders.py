"""What people decided for the simulated city, and what it makes of it: the town does as it is told, in part.

The signals stay pure functions of (seed, thing, instant); this is laid over them. Units that are carried
arrive in full. Of users who are led elsewhere some follow: a share between 70 and 100 % that depends on the
order alone, so that an effect is measured and not known beforehand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chengmai.connect.simulate.chance import key_of, uniform
from chengmai.connect.simulate.signals import Values

_LEAST_FOLLOW = 0.7


@dataclass(frozen=True)
class Order:
    """Units that are led (`use`) or carried (`capacity`) between two entities in [start, end).

    `used`, `there` and `waits` name the attributes that count use, capacity and what waits (None: nothing).
    """

    id: str
    kind: Literal["use", "capacity"]
    source: str
    target: str
    units: int
    start: datetime
    end: datetime
    used: str
    there: str
    waits: str | None = None


Orders = Callable[[str, datetime], Awaitable[Sequence[Order]]]
"""Returns the orders for entities of a type that ended after an instant."""


def obeyed(
    values: Mapping[str, Values], orders: Sequence[Order], at: datetime, seed: int
) -> dict[str, Values]:
    """Return the values of the things of a feed, by entity id, as the orders in force at `at` leave them."""
    found = dict(values)
    for order in orders:
        source, target = found.get(order.source), found.get(order.target)
        if not order.start <= at < order.end or source is None or target is None:
            continue
        if order.kind == "capacity":
            moved = min(order.units, round(_number(source, order.there)))
            found[order.source] = _met(source, order, 0, -moved)
            found[order.target] = _met(target, order, 0, moved)
            continue
        follow = _LEAST_FOLLOW + (1 - _LEAST_FOLLOW) * uniform(key_of(seed, order.id), 0)
        moved = min(round(order.units * follow), round(_asked(source, order)))
        found[order.source] = _met(source, order, -moved, 0)
        found[order.target] = _met(target, order, moved, 0)
    return found


def _met(values: Values, order: Order, asked: int, there: int) -> Values:
    """Return values with so many units more asked for, and so many more there."""
    wanted = _asked(values, order) + asked
    capacity = max(0.0, _number(values, order.there) + there)
    used = min(wanted, capacity)
    met: Values = {**values, order.used: round(used), order.there: round(capacity)}
    if order.waits is not None:
        met[order.waits] = round(wanted - used)
    return met


def _asked(values: Values, order: Order) -> float:
    waits = _number(values, order.waits) if order.waits is not None else 0.0
    return _number(values, order.used) + waits


def _number(values: Values, name: str) -> float:
    found = values.get(name, 0)
    return float(found) if isinstance(found, int | float) else 0.0
