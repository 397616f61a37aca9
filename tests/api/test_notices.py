"""What notifications say and when they go (clauses 5.8.6, 5.2.12–5.2.15), and MQTT receivers (7.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest

from tests import mosquitto
from tests.api.house import STATION, House, a_house, a_station, created, number, to_second
from tests.api.receiver import WAIT_S, Receiver, a_receiver
from tests.api.test_subscriptions import a_subscription

NULL = "urn:ngsi-ld:null"
NOW = "2026-11-22T08:00:00Z"
DELETED = ["attributeDeleted"]


async def _subscribe(house: House, uri: str, **members: Any) -> None:
    told = {"endpoint": {"uri": uri}} | members.pop("told", {})
    response = await house.ask(
        "POST", "/subscriptions", a_subscription(notification=told, **members)
    )
    assert response.status_code == 201, response.text


async def _only(receiver: Receiver) -> dict[str, Any]:
    (one,) = await receiver.wait_for(1)
    return one.entity


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({}, {"type": "Property", "value": NULL}),
        ({"format": "simplified"}, NULL),
        ({"showChanges": True}, {"type": "Property", "value": NULL, "previousValue": "东城区"}),
    ],
)
@pytest.mark.clause("5.8.6")
async def test_a_deleted_attribute_is_told_as_null(
    tmp_path: Path, told: dict[str, Any], shown: Any
) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(house, receiver.url(), told=told, notificationTrigger=DELETED)
        await created(house, a_station())
        await house.ask("DELETE", f"/entities/{STATION}/attrs/areaServed")
        entity = await _only(receiver)
        assert entity["areaServed"] == shown
        assert "pm25" in entity


@pytest.mark.clause("5.8.6", "4.5.5")
async def test_a_deleted_instance_is_told_beside_those_that_stay(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(house, receiver.url(), notificationTrigger=DELETED)
        pair = [number(1), number(2) | {"datasetId": "urn:x:d"}]
        await created(house, a_station(pm25=pair))
        await house.ask("DELETE", f"/entities/{STATION}/attrs/pm25?datasetId=urn:x:d")
        assert [one["value"] for one in (await _only(receiver))["pm25"]] == [1, NULL]


@pytest.mark.clause("5.8.6")
async def test_a_deleted_entity_is_told_with_what_it_was(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(
            house,
            receiver.url(),
            told={"showChanges": True},
            notificationTrigger=["entityDeleted"],
        )
        await created(house, {"id": STATION, "type": "AirQualityObserved", "pm25": number(5)})
        await house.ask("DELETE", f"/entities/{STATION}")
        entity = await _only(receiver)
        assert to_second(entity["deletedAt"]) == NOW
        assert entity["pm25"] == {"type": "Property", "value": NULL, "previousValue": 5}


@pytest.mark.clause("5.8.6", "5.2.14")
async def test_changes_are_shown_where_something_changed(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(
            house,
            receiver.url(),
            told={"showChanges": True},
            notificationTrigger=["attributeUpdated"],
        )
        await created(house, a_station(pm25=number(1)))
        await house.ask("PATCH", f"/entities/{STATION}/attrs/pm25", {"value": 2})
        entity = await _only(receiver)
        assert entity["pm25"] == {"type": "Property", "value": 2, "previousValue": 1}
        assert "previousObject" not in entity["ownedBy"]


@pytest.mark.parametrize(
    ("members", "told", "shown"),
    [
        ({}, {"pick": ["id", "areaServed"]}, {"id", "areaServed"}),
        ({}, {"omit": ["pm25", "type", "name", "location"]}, {"id", "areaServed", "ownedBy"}),
        ({}, {"attributes": ["pm25"]}, {"id", "type", "pm25"}),
        ({"datasetId": ["urn:x:none"]}, {"attributes": ["pm25"]}, {"id", "type"}),
    ],
)
@pytest.mark.clause("5.8.6", "4.21")
async def test_only_the_members_asked_for_are_told(
    tmp_path: Path, members: dict[str, Any], told: dict[str, Any], shown: set[str]
) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(house, receiver.url(), told=told, **members)
        await created(house, a_station())
        assert set(await _only(receiver)) == shown


@pytest.mark.clause("5.8.6", "4.15", "4.19")
async def test_a_language_and_a_scope_may_be_asked_for(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(
            house, receiver.url(), told={"format": "simplified"}, lang="zh", scopeQ="/city/#"
        )
        await created(house, a_station("urn:x:elsewhere"), a_station(scope="/city/east"))
        entity = await _only(receiver)
        assert (entity["id"], entity["name"]) == (STATION, "东四")


@pytest.mark.clause("5.8.6", "4.5.23")
async def test_linked_entities_are_told_along(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(house, receiver.url(), told={"join": "flat", "joinLevel": 1})
        await created(house, {"id": "urn:ngsi-ld:Organization:eco", "type": "Organization"})
        await created(house, a_station())
        (one,) = await receiver.wait_for(1)
        assert [entity["type"] for entity in one.body["data"]] == [
            "AirQualityObserved",
            "Organization",
        ]


@pytest.mark.clause("5.8.6", "4.5.16")
async def test_a_receiver_of_geo_json_gets_features(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        endpoint = {"uri": receiver.url(), "accept": "application/geo+json"}
        await _subscribe(house, receiver.url(), told={"endpoint": endpoint})
        await created(house, a_station())
        (one,) = await receiver.wait_for(1)
        assert one.headers["content-type"] == "application/geo+json"
        (feature,) = one.body["data"]["features"]
        assert feature["geometry"]["coordinates"] == [116.417, 39.929]


@pytest.mark.clause("5.8.6", "6.3.8")
async def test_json_ld_has_its_context_in_every_entity(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        endpoint = {"uri": receiver.url(), "accept": "application/ld+json"}
        await _subscribe(house, receiver.url(), told={"endpoint": endpoint})
        await created(house, a_station())
        (one,) = await receiver.wait_for(1)
        assert one.entity["@context"] == one.body["@context"]
        assert "link" not in one.headers


@pytest.mark.clause("5.8.6", "5.2.12")
async def test_a_periodic_subscription_tells_without_a_change(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await created(house, a_station(), a_station("urn:x:other"))
        await _subscribe(house, receiver.url(), timeInterval=0.01)
        got = await receiver.wait_for(2)
        assert {entity["id"] for entity in got[1].body["data"]} == {STATION, "urn:x:other"}
        await house.ask("DELETE", "/subscriptions/urn:x:sub")
        assert not house.city.timetable._tasks


@pytest.mark.clause("5.8.6", "5.2.12")
async def test_a_throttled_subscription_waits_and_then_tells_the_latest(tmp_path: Path) -> None:
    slept: list[float] = []
    async with a_house(tmp_path) as house, a_receiver() as receiver:

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            while len(slept) == 1 and not released.is_set():
                await asyncio.wait_for(released.wait(), WAIT_S)
            house.clock.advance(timedelta(seconds=seconds))

        released = asyncio.Event()
        house.city.delivery._sleep = sleep
        await _subscribe(house, receiver.url(), throttling=60)
        await created(house, a_station(pm25=number(1)))
        await receiver.wait_for(1)
        for value in (2, 3):
            await house.ask("PATCH", f"/entities/{STATION}/attrs/pm25", {"value": value})
        released.set()
        got = await receiver.wait_for(2)
        assert [one.entity["pm25"]["value"] for one in got] == [1, 3]
        assert slept[0] == pytest.approx(60, abs=1)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with mosquitto.a_mosquitto(tmp_path) as port:
        yield port


@pytest.mark.skipif(mosquitto.PROGRAM is None, reason="mosquitto is not installed")
@pytest.mark.parametrize("version", ["mqtt3.1.1", "mqtt5.0"])
@pytest.mark.clause("7.2")
async def test_a_topic_of_an_mqtt_broker_is_told(tmp_path: Path, port: int, version: str) -> None:
    async with (
        a_house(tmp_path / "data") as house,
        aiomqtt.Client("127.0.0.1", port) as client,
    ):
        await client.subscribe("city/air", qos=1)
        endpoint = {
            "uri": f"mqtt://user@127.0.0.1:{port}/city/air",
            "receiverInfo": [{"key": "X-Zone", "value": "east"}],
            "notifierInfo": [
                {"key": "MQTT-Version", "value": version},
                {"key": "MQTT-QoS", "value": "1"},
            ],
        }
        await _subscribe(house, "", told={"endpoint": endpoint})
        await created(house, a_station())
        async with asyncio.timeout(WAIT_S):
            message = await anext(aiter(client.messages))
        assert isinstance(message.payload, bytes)
        told = orjson.loads(message.payload)
        assert told["metadata"]["Content-Type"] == "application/json"
        assert told["metadata"]["X-Zone"] == "east"
        assert told["body"]["data"][0]["id"] == STATION
