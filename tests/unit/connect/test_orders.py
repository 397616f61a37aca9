"""What the simulated city makes of what people decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chengmai.connect.simulate import SimulateConnector, SimulatedCity
from chengmai.connect.simulate.orders import Order, obeyed
from chengmai.connect.simulate.signals import Values
from chengmai.kernel.ids import urn
from chengmai.packs.feeds import SimulateFeed
from tests.unit.connect.builders import (
    NOW,
    SHANGHAI,
    ListSink,
    StridingPace,
    run_until_enough,
)

HOUR = timedelta(hours=1)


def an_order(**more: Any) -> Order:
    end = NOW + 6 * HOUR
    plain = Order("o 1", "use", "full", "free", 10, NOW, end, "inUse", "points", "waiting")
    return replace(plain, **more)


def a_thing(used: int, there: int, waiting: int = 0) -> Values:
    return {"inUse": used, "points": there, "waiting": waiting}


def laid_over(order: Order, at: datetime = NOW, **things: Values) -> dict[str, Values]:
    return obeyed(things, [order], at, 7)


def test_of_those_who_are_led_elsewhere_most_follow_and_nobody_is_lost() -> None:
    found = laid_over(an_order(), full=a_thing(20, 20, 12), free=a_thing(5, 20))
    followed = int(found["free"]["inUse"]) - 5
    assert 7 <= followed <= 10
    assert found["full"] == a_thing(20, 20, 12 - followed)


def test_those_who_find_no_room_where_they_are_led_wait_there() -> None:
    found = laid_over(an_order(), full=a_thing(20, 20, 12), free=a_thing(19, 20))
    assert found["free"]["inUse"] == 20
    assert int(found["free"]["waiting"]) + int(found["full"]["waiting"]) == 12 - 1


def test_what_is_carried_arrives_in_full_and_is_used_by_those_who_wait() -> None:
    order = an_order(kind="capacity", source="free", target="full")
    found = laid_over(order, full=a_thing(20, 20, 12), free=a_thing(5, 20))
    assert found == {"full": a_thing(30, 30, 2), "free": a_thing(5, 10)}


def test_an_order_holds_from_when_it_is_carried_out_until_its_end() -> None:
    things = {"full": a_thing(20, 20, 12), "free": a_thing(5, 20)}
    changed = [
        laid_over(an_order(), NOW + hour * HOUR, **things) != things for hour in (-1, 0, 5, 6)
    ]
    assert changed == [False, True, True, False]


def test_an_order_about_a_thing_that_is_silent_changes_nothing() -> None:
    assert laid_over(an_order(), full=a_thing(20, 20, 12)) == {"full": a_thing(20, 20, 12)}


def test_use_without_a_count_of_those_who_wait_is_led_as_well() -> None:
    order = an_order(waits=None)
    found = laid_over(
        order, full={"inUse": 95, "points": 100}, free={"inUse": 10, "points": 100, "kind": "x"}
    )
    assert int(found["full"]["inUse"]) + int(found["free"]["inUse"]) == 105
    assert found["free"]["kind"] == "x"


@given(
    st.sampled_from(["use", "capacity"]),
    st.integers(0, 60),
    st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 30)),
    st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 30)),
)
def test_units_and_demand_are_conserved(
    kind: Any, units: int, full: tuple[int, int, int], free: tuple[int, int, int]
) -> None:
    def a_valid(used: int, there: int, waiting: int) -> Values:
        return a_thing(min(used, there), there, waiting)

    before = {"full": a_valid(*full), "free": a_valid(*free)}
    after = obeyed(before, [an_order(kind=kind, units=units)], NOW, 7)

    def total(things: dict[str, Values], *names: str) -> int:
        return sum(int(thing[name]) for thing in things.values() for name in names)

    assert total(after, "points") == total(before, "points")
    assert total(after, "inUse", "waiting") == total(before, "inUse", "waiting")
    assert all(0 <= int(one["inUse"]) <= int(one["points"]) for one in after.values())


async def test_the_simulated_city_obeys_in_what_is_to_come_and_leaves_the_past_as_it_was() -> None:
    city = SimulatedCity(7, NOW, SHANGHAI)
    things, _ = city.generator("charging_sites")
    source, target = (urn("ChargingSiteObserved", thing.id) for thing in things[:2])
    names = ("pointsInUse", "chargingPoints", "vehiclesWaiting")
    order = Order("o 1", "capacity", source, target, 7, NOW - HOUR, NOW + 90 * HOUR, *names)
    asked: list[str] = []

    async def orders(entity_type: str, since: datetime) -> list[Order]:
        asked.append(entity_type)
        return [order]

    feed = SimulateFeed.model_validate(
        {
            "id": "sim",
            "title": {"zh": "模拟", "en": "simulated"},
            "connector": "simulate",
            "entity": "ChargingSiteObserved",
            "period": "PT1H",
            "source": {"generator": "charging_sites", "backfill": "PT5H"},
        }
    )
    sink = ListSink()
    await run_until_enough(SimulateConnector(feed, city, StridingPace(), orders), sink)
    there = {
        (one.entity_id, is_past): one.values["chargingPoints"]
        for is_past, some in ((True, sink.past), (False, sink.live))
        for one in some
        if one.entity_id in (source, target)
    }
    assert there == {
        (source, True): 120,
        (target, True): 120,
        (source, False): 113,
        (target, False): 127,
    }
    assert set(asked) == {"ChargingSiteObserved"}
