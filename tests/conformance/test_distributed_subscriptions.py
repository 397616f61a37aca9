"""Subscriptions that concern context sources (clauses 4.3.6, 5.8.1.4, 5.8.2.4, 5.8.5.4, 5.8.6)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from tests.api.house import House, a_house
from tests.conformance.context_source import Source, registered, sources, vehicle
from tests.conformance.distributed import answering

pytestmark = pytest.mark.clause("4.3.6", "5.8.1")

SUBSCRIPTION = "urn:ngsi-ld:Subscription:far"
ONE = f"/subscriptions/{SUBSCRIPTION}"
RECEIVER = "http://receiver.example:9/told"


def a_subscription(**members: Any) -> dict[str, Any]:
    """Return a subscription to vehicles as a client sends it."""
    return {
        "id": SUBSCRIPTION,
        "type": "Subscription",
        "entities": [{"type": "Vehicle"}],
        "notification": {"endpoint": {"uri": RECEIVER}},
        **members,
    }


@asynccontextmanager
async def a_house_with(folder: Path, source: Source, **members: Any) -> AsyncIterator[House]:
    """Yield a house with one registered source of vehicles; nobody delivers what is due."""
    async with a_house(folder) as house, sources(source):
        await house.city.delivery.stop()
        await house.city.far.placing.load()
        await registered(house, source, **members)
        yield house


async def subscribed(house: House, query: str = "", **members: Any) -> None:
    """Subscribe, and let what follows be sent."""
    answer = await house.ask("POST", f"/subscriptions{query}", a_subscription(**members))
    assert answer.status_code == 201, answer.text
    await house.city.far.placing.round()


def sent(source: Source) -> list[dict[str, Any]]:
    """Return the subscriptions that a source was sent."""
    return [one.body for one in source.got if (one.method, one.path) == ("POST", "/subscriptions")]


async def tell(house: House, placed: dict[str, Any], *entities: Any, **members: Any) -> Any:
    """Notify as a source does, to where it was told to."""
    path = urlsplit(placed["notification"]["endpoint"]["uri"]).path
    body = {
        "id": "urn:ngsi-ld:Notification:1",
        "type": "Notification",
        "subscriptionId": placed["id"],
        "notifiedAt": "2026-11-22T08:00:00Z",
        "data": list(entities),
    }
    return await house.client.post(path, json=body | members)


async def due(house: House) -> list[Any]:
    """Return the data of the notifications that wait for the subscriber."""
    city = house.city
    rows = await city.store.work.read(lambda tx: city._outbox.due(tx, "city", SUBSCRIPTION, 100))
    return [orjson.loads(one.body) for one in rows]


@pytest.mark.clause("5.8.1.4")
async def test_a_source_gets_the_subscription_and_tells_this_broker(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house_with(tmp_path, source) as house:
        await subscribed(house, q="speed>50")
        (placed,) = sent(source)
        assert placed["entities"] == [{"type": "Vehicle"}]
        assert placed["q"] == "speed>50"
        assert placed["id"] != SUBSCRIPTION
        endpoint = placed["notification"]["endpoint"]
        assert endpoint["uri"].startswith("http://127.0.0.1:8026/ngsi-ld/ex/remote-notify/")
        assert len(endpoint["uri"].rpartition("/")[2]) >= 40
        assert "receiver.example" not in str(placed)
        assert source.got[0].headers["via"].endswith(house.city.alias.of("city"))
        await house.city.far.placing.round()
        assert len(source.got) == 1


@pytest.mark.clause("5.8.1.4")
@pytest.mark.parametrize("how", ["parameter", "member", "operations", "auxiliary", "type"])
async def test_what_concerns_no_source_stays_here(tmp_path: Path, how: str) -> None:
    source = answering(201)
    members: dict[str, dict[str, Any]] = {
        "operations": {"operations": ["retrieveOps"]},
        "auxiliary": {"mode": "auxiliary"},
    }
    async with a_house_with(tmp_path, source, **members.get(how, {})) as house:
        given: dict[str, Any] = {"localOnly": True} if how == "member" else {}
        if how == "type":
            given = {"entities": [{"type": "Boat"}]}
        await subscribed(house, "?local=true" if how == "parameter" else "", **given)
        assert source.got == []


@pytest.mark.clause("5.8.6")
async def test_what_a_source_tells_is_handed_on_once_with_what_is_here(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house_with(tmp_path, source) as house:
        await subscribed(house, notification={"endpoint": {"uri": RECEIVER}, "format": "keyValues"})
        await house.ask("POST", "/entities?local=true", vehicle("1", brand="BMW", speed=1))
        before = len(await due(house))
        (placed,) = sent(source)
        speed = {"type": "Property", "value": 99, "modifiedAt": "2036-01-01T00:00:00Z"}
        for _ in range(2):
            answer = await tell(house, placed, vehicle("1", speed=speed))
            assert answer.status_code == 204, answer.text
        (data,) = (await due(house))[before:]
        assert data == [
            {"id": "urn:ngsi-ld:Vehicle:1", "type": "Vehicle", "brand": "BMW", "speed": 99}
        ]


@pytest.mark.clause("5.8.1.4", "5.8.6")
async def test_filters_of_split_entities_are_judged_here_on_the_whole(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house_with(tmp_path, source) as house:
        await subscribed(house, q='speed>50;brand=="BMW"', splitEntities=True)
        (placed,) = sent(source)
        assert ("q" in placed, placed["splitEntities"]) == (False, True)
        await house.ask("POST", "/entities?local=true", vehicle("1", brand="BMW"))
        await tell(house, placed, vehicle("1", speed=99))
        await tell(house, placed, vehicle("1", speed=10))
        await tell(house, placed, vehicle("2", speed=99))
        ((one,),) = await due(house)
        assert (one["brand"]["value"], one["speed"]["value"]) == ("BMW", 99)


@pytest.mark.clause("5.8.6")
async def test_a_split_entity_is_put_together_from_all_sources(tmp_path: Path) -> None:
    source, other = answering(201), Source(entities=[vehicle("1", brand="BMW")])
    async with a_house_with(tmp_path, source) as house, sources(other):
        await registered(house, other, name="2", operations=["retrieveOps"])
        await subscribed(house, q='brand=="BMW"', splitEntities=True)
        (placed,) = sent(source)
        answer = await tell(house, placed, vehicle("1", speed=99))
        assert answer.status_code == 204, answer.text
        ((one,),) = await due(house)
        assert (one["brand"]["value"], one["speed"]["value"]) == ("BMW", 99)


@pytest.mark.clause("4.3.6")
async def test_a_source_is_believed_about_what_it_is_registered_for_alone(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house(tmp_path) as house, sources(source):
        await house.city.delivery.stop()
        await house.city.far.placing.load()
        info = {"entities": [{"type": "Vehicle"}], "propertyNames": ["speed"]}
        await registered(house, source, info)
        await subscribed(house, q="speed>50")
        (placed,) = sent(source)
        assert (placed["watchedAttributes"], "q" in placed) == (["speed"], False)
        await tell(house, placed, vehicle("1", speed=99, brand="x"))
        await tell(house, placed, {"id": "urn:ngsi-ld:Boat:1", "type": "Boat", "speed": 99})
        ((one,),) = await due(house)
        assert ("speed" in one, "brand" in one) == (True, False)


@pytest.mark.clause("5.8.6")
async def test_an_entity_that_ended_at_a_source_is_told_unless_it_is_here(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house_with(tmp_path, source) as house:
        await subscribed(house, notificationTrigger=["entityDeleted"])
        await house.ask("POST", "/entities?local=true", vehicle("1", brand="BMW"))
        (placed,) = sent(source)
        at = {"deletedAt": "2026-11-22T08:00:00Z"}
        await tell(house, placed, vehicle("1") | at, vehicle("2") | at)
        ((one,),) = await due(house)
        assert one == vehicle("2") | at


@pytest.mark.clause("5.8.2", "5.8.5")
async def test_changes_and_the_end_of_a_subscription_follow(tmp_path: Path) -> None:
    source = answering(204)
    async with a_house_with(tmp_path, source) as house:
        await subscribed(house)
        (first,) = sent(source)
        await house.ask("PATCH", ONE, {"q": "speed>70"})
        await house.city.far.placing.round()
        _, second = sent(source)
        assert second["q"] == "speed>70"
        deleted = [one.path for one in source.got if one.method == "DELETE"]
        assert deleted == [f"/subscriptions/{first['id']}"]
        assert (await tell(house, first, vehicle("1", speed=1))).status_code == 404
        assert (await house.ask("DELETE", ONE)).status_code == 204
        await house.city.far.placing.round()
        assert source.got[-1].path == f"/subscriptions/{second['id']}"
        assert (await tell(house, second, vehicle("1", speed=1))).status_code == 404


@pytest.mark.clause("5.8.1.4")
async def test_sources_that_come_and_go_later_are_followed(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house_with(tmp_path, source) as house:
        await subscribed(house)
        path = "/csourceRegistrations/urn:ngsi-ld:ContextSourceRegistration:1"
        answer = await house.ask("DELETE", path, token=await house.token("admin"))
        assert answer.status_code == 204, answer.text
        await house.city.far.placing.round()
        assert source.got[-1].method == "DELETE"
        await registered(house, source, name="2")
        await house.city.far.placing.round()
        assert len(sent(source)) == 2


@pytest.mark.clause("5.8.1.4")
@pytest.mark.parametrize(("status", "times"), [(400, 1), (508, 1), (503, 3)])
async def test_a_source_that_refuses_is_left_alone_and_a_failing_one_is_asked_again(
    tmp_path: Path, status: int, times: int
) -> None:
    source = answering(status)
    async with a_house_with(tmp_path, source) as house:
        await subscribed(house)
        await house.city.far.placing.round()
        await house.city.far.placing.round()
        assert len(source.got) == times
        lines = [one for one in await house.audit() if one.action == "subscription.forward"]
        assert len(lines) == 1


@pytest.mark.clause("6.3.18", "5.8.1.4")
async def test_a_subscription_never_goes_back_where_it_came_from(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house_with(tmp_path, source, contextSourceAlias="other") as house:
        answer = await house.ask("POST", "/subscriptions", a_subscription(), Via="1.1 other")
        assert answer.status_code == 201, answer.text
        await house.city.far.placing.round()
        assert source.got == []
        assert "via" not in await house.get(ONE)


@pytest.mark.clause("5.8.6")
async def test_nobody_notifies_without_the_secret(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house_with(tmp_path, source) as house:
        await subscribed(house)
        (placed,) = sent(source)
        for path in ("/ngsi-ld/ex/remote-notify/", "/ngsi-ld/ex/remote-notify/guess"):
            assert (await house.client.post(path, json={})).status_code == 404
        assert (
            await tell(house, placed, vehicle("1"), subscriptionId="urn:x:y")
        ).status_code == 400
        assert (await tell(house, placed, *[vehicle("1")] * 1001)).status_code == 400
        assert await due(house) == []


@pytest.mark.clause("5.8.6")
async def test_what_a_subscriber_does_not_take_is_bounded(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house_with(tmp_path, source) as house:
        await subscribed(house)
        (placed,) = sent(source)
        told = [(await tell(house, placed, vehicle("1", speed=n))).status_code for n in range(202)]
        assert told == [204] * 200 + [503] * 2


async def test_what_was_forwarded_is_known_after_a_restart(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house_with(tmp_path, source) as house:
        await subscribed(house)
        (placed,) = sent(source)
        await house.city.far.placing.load()
        await house.city.far.placing.round()
        assert len(source.got) == 1
        assert (await tell(house, placed, vehicle("1", speed=1))).status_code == 204
