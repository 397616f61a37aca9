"""Builders for the tests of pools: car parks whose use is made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from chengmai.kernel.instants import to_us
from chengmai.kernel.texts import Text
from chengmai.packs.model import AttributeSpec, EntitySpec
from chengmai.packs.pools import PoolSpec
from chengmai.pools.model import Ahead, Basis, Hour, Member, Outlook, Pool, Suggestion
from chengmai.pools.planning import Planned, plan
from chengmai.pools.rules import idle_of, shortage_of
from chengmai.pools.solving import Needy, Pair, Task
from chengmai.pools.telling import Teller

SHANGHAI = ZoneInfo("Asia/Shanghai")
EIGHT = datetime(2026, 11, 23, 8, tzinfo=UTC)
AT_US = to_us(EIGHT)
HOUR_US = 3_600_000_000
WEEK_US = 168 * HOUR_US


def a_text(words: str) -> Text:
    return Text(zh=f"{words}（中）", en=words)


def a_spec(**more: Any) -> PoolSpec:
    move = {"kind": "use", **more.pop("move", {})}
    known: dict[str, Any] = {
        "id": "parking",
        "title": a_text("Parking"),
        "about": a_text("Car parks"),
        "entity": "ParkingObserved",
        "use": "occupiedSpaces",
        "capacity": "spaces",
        "unit": a_text("spaces"),
        "horizon": timedelta(hours=3),
        "move": move,
        "opens": "parking_guidance",
        "source": a_text("a city's choice"),
        "trust": "C",
    }
    return PoolSpec.model_validate(known | more)


def a_pool(**more: Any) -> Pool:
    number = AttributeSpec(title=a_text("number"), unit="C62")
    kind = EntitySpec(
        type="ParkingObserved",
        title=a_text("Car park"),
        view="parking",
        attributes={"occupiedSpaces": number, "spaces": number, "carsWaiting": number},
    )
    return Pool("transport", a_spec(**more), kind)


def an_hour(used: float, capacity: float, *, waiting: float = 0.0, reserve: float = 0.0) -> Hour:
    demand = used + waiting
    idle, shortage = (one(demand, capacity, reserve) for one in (idle_of, shortage_of))
    return Hour(used, waiting, capacity, idle, shortage)


def a_member(
    name: str,
    capacity: float = 100,
    *,
    area: str = "",
    place: tuple[float, float] | None = None,
    hours: Mapping[int, Hour] | None = None,
) -> Member:
    """Return a member that was half full in the hour before eight."""
    last = {AT_US - HOUR_US: an_hour(capacity / 2, capacity)}
    return Member(
        f"urn:{name}", a_text(name), area or name, place, last if hours is None else hours
    )


def an_outlook(*demand: float | tuple[float, float, float], basis: Basis = "forecast") -> Outlook:
    """Return what is expected from nine on; a number stands for low, median and high alike."""
    steps = []
    for number, one in enumerate(demand, 1):
        low, median, high = one if isinstance(one, tuple) else (one, one, one)
        steps.append(Ahead(AT_US + number * HOUR_US, low, median, high, median))
    return Outlook(basis, tuple(steps), a_text("because"), "model")


def planned(pool: Pool, members: Sequence[Member], outlooks: Mapping[str, Outlook]) -> Planned:
    """Return what is planned at eight for members named without `urn:` in `outlooks`."""
    return plan(
        pool,
        members,
        {f"urn:{name}": one for name, one in outlooks.items()},
        at_us=AT_US,
        tenant="city",
        teller=Teller(pool.spec, SHANGHAI),
    )


def a_suggestion(**more: Any) -> tuple[Pool, Suggestion]:
    """Return a pool and what is suggested when the east falls 30 short for three hours and the west has 60."""
    pool = a_pool(**more)
    found = planned(
        pool,
        [a_member("east"), a_member("west")],
        {"east": an_outlook(130, 130, 130), "west": an_outlook(40, 40, 40)},
    )
    assert found.suggestion is not None
    return pool, found.suggestion


def a_task(
    lacks: Sequence[Sequence[float]],
    spare: Sequence[int],
    costs: Sequence[Sequence[float]],
    **more: Any,
) -> Task:
    """Return a task in which every scenario is alike and every helper can help everybody."""
    needy = tuple(Needy(np.array([lack] * 3, dtype=float), 1000) for lack in lacks)
    pairs = tuple(Pair(i, j, cost) for i, row in enumerate(costs) for j, cost in enumerate(row))
    return Task(needy, tuple(spare), pairs, **more)
