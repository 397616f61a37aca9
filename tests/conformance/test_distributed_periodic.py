"""Periodic notifications tell all that matches, wherever it is held (clauses 5.8.6 and 4.3.6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house, created, number
from tests.api.receiver import Received, Receiver, a_receiver
from tests.conformance.context_source import Source, registered, sources, vehicle

pytestmark = pytest.mark.clause("5.8.6", "4.3.6")


async def subscribed(house: House, receiver: Receiver, **members: Any) -> None:
    """Subscribe to vehicles at short intervals."""
    told = {"endpoint": {"uri": receiver.url()}} | members.pop("told", {})
    subscription = {
        "id": "urn:x:sub",
        "type": "Subscription",
        "entities": [{"type": "Vehicle"}],
        "timeInterval": 0.01,
        "notification": told,
        **members,
    }
    answer = await house.ask("POST", "/subscriptions", subscription)
    assert answer.status_code == 201, answer.text


async def told(receiver: Receiver) -> Received:
    """Return a notification that began after what was done before."""
    return (await receiver.wait_for(len(receiver.got) + 2))[-1]


def names(one: Received) -> list[str]:
    return [entity["id"].rpartition(":")[2] for entity in one.body["data"]]


async def test_a_notification_unites_what_is_here_and_at_sources(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=99), vehicle("b", speed=60), vehicle("c", speed=1)])
    async with a_house(tmp_path) as house, sources(source), a_receiver() as receiver:
        await registered(house, source)
        await created(house, vehicle("a", brand="x"), vehicle("d", speed=70))
        await subscribed(house, receiver, q="speed>50", splitEntities=True)
        one = await told(receiver)
        assert names(one) == ["a", "b", "d"]
        whole = one.body["data"][0]
        assert (whole["brand"]["value"], whole["speed"]["value"]) == ("x", 99)


async def test_filters_go_along_to_sources_that_have_whole_entities(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=99)])
    async with a_house(tmp_path) as house, sources(source), a_receiver() as receiver:
        await registered(house, source)
        await subscribed(house, receiver, q="speed%3E50")
        assert names(await told(receiver)) == ["a"]
        assert {one.parameters.get("q") for one in source.asked_for("/entities")} == {"speed>50"}


async def test_linked_entities_come_from_sources_too(tmp_path: Path) -> None:
    place = {"id": "urn:ngsi-ld:Place:p", "type": "Place", "size": number(9)}
    source = Source([place])
    async with a_house(tmp_path) as house, sources(source), a_receiver() as receiver:
        await registered(house, source, {"entities": [{"type": "Place"}]})
        parked = {"type": "Relationship", "object": place["id"]}
        await created(house, vehicle("a", parkedAt=parked), vehicle("b"))
        await subscribed(house, receiver, q="parkedAt{size}>5", told={"join": "inline"})
        one = await told(receiver)
        assert names(one) == ["a"]
        assert one.body["data"][0]["parkedAt"]["entity"]["size"]["value"] == 9


async def test_a_dead_source_costs_its_part_alone(tmp_path: Path) -> None:
    source = Source(answers={"/entities": (500, {})})
    async with a_house(tmp_path) as house, sources(source), a_receiver() as receiver:
        await registered(house, source)
        await created(house, vehicle("d"))
        await subscribed(house, receiver)
        assert names(await told(receiver)) == ["d"]


@pytest.mark.clause("5.8.1.4")
@pytest.mark.parametrize(("operations", "placed"), [("queryEntity", 0), ("retrieveEntity", 1)])
async def test_a_source_that_can_be_queried_gets_no_periodic_subscription(
    tmp_path: Path, operations: str, placed: int
) -> None:
    source = Source(answers={"/subscriptions": (201, None)})
    async with a_house(tmp_path) as house, sources(source), a_receiver() as receiver:
        await house.city.far.placing.load()
        await registered(house, source, operations=[operations, "createSubscription"])
        await created(house, vehicle("d"))
        await subscribed(house, receiver)
        await house.city.far.placing.round()
        assert len(source.asked_for("/subscriptions")) == placed


@pytest.mark.clause("5.8.1")
async def test_a_subscription_for_here_alone_asks_no_source(tmp_path: Path) -> None:
    source = Source([vehicle("a")])
    async with a_house(tmp_path) as house, sources(source), a_receiver() as receiver:
        await registered(house, source)
        await house.ask("POST", "/entities?local=true", vehicle("d"))
        await subscribed(house, receiver, localOnly=True)
        assert names(await told(receiver)) == ["d"]
        assert source.got == []
