"""Notifications at a real receiver: which changes are told, how, and what survives a failure."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import STATION, House, a_house, a_station, created, number, to_second
from tests.api.receiver import Receiver, a_receiver
from tests.api.test_subscriptions import a_subscription


async def _subscribe(house: House, receiver: Receiver, **members: Any) -> None:
    told = {"endpoint": {"uri": receiver.url()}} | members.pop("told", {})
    body = a_subscription(notification=told, **members)
    response = await house.ask("POST", "/subscriptions", body)
    assert response.status_code == 201, response.text


async def _set(house: House, value: float, entity_id: str = STATION) -> None:
    response = await house.ask("PATCH", f"/entities/{entity_id}/attrs/pm25", {"value": value})
    assert response.status_code == 204


def _values(receiver: Receiver) -> list[Any]:
    return [one.entity["pm25"] for one in receiver.got]


NOW = "2026-11-22T08:00:00Z"
SIMPLE = {"format": "keyValues"}


@pytest.mark.clause("5.8.6", "5.3.1")
async def test_a_change_is_told_with_the_entity_as_it_is(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(house, receiver)
        await created(house, a_station())
        (first,) = await receiver.wait_for(1)
        assert first.path == "/notify"
        assert first.body["type"] == "Notification"
        assert first.body["subscriptionId"] == "urn:x:sub"
        assert to_second(first.body["notifiedAt"]) == NOW
        assert first.body["id"].startswith("urn:ngsi-ld:Notification:")
        assert first.entity == a_station()
        assert first.headers["content-type"] == "application/json"
        assert "json-ld#context" in first.headers["link"]


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({}, [10, 60, 70]),
        ({"q": "pm25>50"}, [60, 70]),
        ({"watchedAttributes": ["pm10"]}, [70]),
        ({"watchedAttributes": ["pm10"], "q": "pm25<50"}, []),
        ({"notificationTrigger": ["entityCreated"]}, [10]),
        ({"notificationTrigger": ["attributeUpdated"]}, [60]),
        ({"entities": [{"type": "AirQualityObserved", "id": "urn:x:other"}]}, []),
        ({"entities": [{"type": "*", "idPattern": "dongsi$"}]}, [10, 60, 70]),
        (
            {"entities": [{"type": "*", "id": "urn:x:other", "idPattern": "dongsi$"}]},
            [],
        ),
        ({"entities": [{"type": "*", "id": STATION, "idPattern": "other$"}]}, [10, 60, 70]),
        ({"entities": [{"type": "Other"}]}, []),
        ({"isActive": False}, []),
    ],
    ids=str,
)
@pytest.mark.clause("5.8.6")
async def test_only_what_matches_is_told(
    tmp_path: Path, filters: dict[str, Any], told: list[float]
) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver, a_receiver() as end:
        await _subscribe(house, receiver, told=SIMPLE, **filters)
        await _subscribe(house, end, id="urn:x:end", entities=[{"type": "End"}])
        await created(house, a_station(pm25=number(10)))
        await _set(house, 60)
        body = {"pm10": number(1), "pm25": number(70)}
        if filters.get("notificationTrigger") == ["attributeUpdated"]:
            body = {"pm10": number(1)}
        await house.ask("POST", f"/entities/{STATION}/attrs", body)
        await created(house, {"id": "urn:x:end-of-test", "type": "End"})
        await end.wait_for(1)
        await receiver.wait_for(len(told))
        await _all_delivered(house)
        assert _values(receiver) == told


async def _all_delivered(house: House) -> None:
    """Return when the outbox is empty: what was not told by now is not going to be."""

    def waiting(tx: Any) -> int:
        ((count,),) = tx.db.execute("SELECT count(*) FROM outbox")
        return int(count)

    while await house.city.store.work.read(waiting):
        pass


@pytest.mark.clause("5.8.6", "4.10")
async def test_a_place_filters_changes(tmp_path: Path) -> None:
    near = {
        "georel": "near;maxDistance==2000",
        "geometry": "Point",
        "coordinates": [116.417, 39.929],
    }
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(house, receiver, told=SIMPLE, geoQ=near)
        far = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [116.6, 40.3]}}
        await created(house, a_station("urn:x:far", location=far), a_station())
        await receiver.wait_for(1)
        await _all_delivered(house)
        assert [one.entity["id"] for one in receiver.got] == [STATION]


@pytest.mark.clause("5.8.6", "5.2.14")
async def test_the_receiver_gets_the_form_it_asked_for(tmp_path: Path) -> None:
    told: dict[str, Any] = {"format": "concise", "attributes": ["pm25"], "sysAttrs": True}
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(house, receiver, told=told)
        await created(house, a_station())
        (first,) = await receiver.wait_for(1)
        assert set(first.entity) == {"id", "type", "createdAt", "modifiedAt", "pm25"}
        assert first.entity["pm25"]["value"] == 42.5
        assert "type" not in first.entity["pm25"]


@pytest.mark.clause("6.3.8", "5.2.15")
async def test_the_receiver_gets_its_headers_and_json_ld(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        endpoint = {
            "uri": receiver.url("/in?key=1"),
            "accept": "application/ld+json",
            "receiverInfo": [{"key": "X-City", "value": "a b"}],
        }
        await _subscribe(house, receiver, told={"endpoint": endpoint})
        await created(house, a_station())
        (first,) = await receiver.wait_for(1)
        assert first.path == "/in?key=1"
        assert first.headers["x-city"] == "a b"
        assert first.headers["content-type"] == "application/ld+json"
        assert first.headers["host"] == f"127.0.0.1:{receiver.port}"
        assert "link" not in first.headers
        assert first.body["@context"]


@pytest.mark.clause("5.8.6", "5.2.12")
async def test_a_deletion_is_told_when_asked_for(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(house, receiver, notificationTrigger=["entityDeleted"])
        await created(house, a_station())
        await house.ask("DELETE", f"/entities/{STATION}")
        (only,) = await receiver.wait_for(1)
        gone = {"id": STATION, "type": "AirQualityObserved", "deletedAt": NOW}
        assert only.entity | {"deletedAt": to_second(only.entity["deletedAt"])} == gone


async def test_what_a_receiver_refused_comes_again_with_its_id_and_in_order(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house, a_receiver(500, 302) as receiver:
        await _subscribe(house, receiver, told=SIMPLE)
        await created(house, a_station(pm25=number(1)))
        for value in (2, 3):
            await _set(house, value)
        got = await receiver.wait_for(5)
        assert _values(receiver) == [1, 1, 1, 2, 3]
        ids = [one.body["id"] for one in got]
        assert len(set(ids[:3])) == 1
        assert len(set(ids)) == 3
        await _all_delivered(house)
        told = (await house.get("/subscriptions/urn:x:sub"))["notification"]
        # Notifications are counted, not attempts.
        assert (told["timesSent"], told["timesFailed"], told["status"]) == (3, 1, "ok")
        assert {to_second(told[name]) for name in ("lastFailure", "lastSuccess")} == {NOW}


async def test_a_dead_receiver_delays_nobody_else(tmp_path: Path) -> None:
    async with (
        a_house(tmp_path) as house,
        a_receiver(hangs=True) as dead,
        a_receiver() as receiver,
    ):
        await _subscribe(house, dead, id="urn:x:dead")
        await _subscribe(house, receiver, told=SIMPLE)
        await created(house, a_station(pm25=number(0)))
        for value in range(1, 30):
            await _set(house, value)
        await receiver.wait_for(30)
        assert _values(receiver) == list(range(30))
        assert dead.got == []


async def test_what_is_due_survives_a_restart(tmp_path: Path) -> None:
    async with a_receiver(500) as receiver:
        async with a_house(tmp_path) as house:
            await _subscribe(house, receiver, told=SIMPLE)
            await created(house, a_station(pm25=number(1)))
            await receiver.wait_for(1)
            await _set(house, 2)
        async with a_house(tmp_path) as house:
            got = await receiver.wait_for(3)
            assert _values(receiver) == [1, 1, 2]
            assert got[0].body["id"] == got[1].body["id"]
            await _set(house, 3)
            await receiver.wait_for(4)
        assert _values(receiver) == [1, 1, 2, 3]


async def test_a_receiver_that_comes_back_gets_everything(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        async with a_receiver() as receiver:
            await _subscribe(house, receiver, told=SIMPLE)
            port = receiver.port
        await created(house, a_station(pm25=number(1)))
        await _set(house, 2)
        async with a_receiver(port=port) as receiver:
            await receiver.wait_for(2)
            assert _values(receiver) == [1, 2]


async def test_private_addresses_are_not_reached_unless_allowed(tmp_path: Path) -> None:
    async with a_receiver() as receiver, a_house(tmp_path, private_egress=False) as house:
        await _subscribe(house, receiver)
        await created(house, a_station())
        told: dict[str, Any] = {}
        while told.get("status") != "failed":
            told = (await house.get("/subscriptions/urn:x:sub"))["notification"]
        assert told["timesFailed"] >= 1
        assert receiver.got == []


@pytest.mark.clause("5.8.2", "5.8.6")
async def test_a_changed_subscription_goes_by_its_new_terms(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await _subscribe(house, receiver, told=SIMPLE, q="pm25>1000")
        await created(house, a_station(pm25=number(1)))
        await house.ask("PATCH", "/subscriptions/urn:x:sub", {"q": "pm25>1"})
        await _set(house, 2)
        await receiver.wait_for(1)
        house.clock.advance(timedelta(minutes=1))
        await house.ask("DELETE", "/subscriptions/urn:x:sub")
        await _set(house, 3)
        await _all_delivered(house)
        assert _values(receiver) == [2]


@pytest.mark.clause("5.8.6")
async def test_with_too_much_undelivered_changes_are_refused_until_there_is_room(
    tmp_path: Path,
) -> None:
    async with (
        a_receiver(hangs=True) as dead,
        a_house(tmp_path, most_due=2) as house,
    ):
        await _subscribe(house, dead)
        await created(house, a_station(pm25=number(1)))
        await _set(house, 2)
        for method, path, body in (
            ("PATCH", f"/entities/{STATION}/attrs/pm25", {"value": 3}),
            ("POST", "/entityOperations/upsert", [a_station()]),
            ("DELETE", f"/entities/{STATION}", None),
        ):
            refused = await house.ask(method, path, body)
            assert refused.status_code == 429, refused.text
            assert int(refused.headers["retry-after"]) > 0
            assert refused.json()["code"] == "outbox.full"
        station = await house.get(f"/entities/{STATION}?options=keyValues")
        assert station["pm25"] == 2
        found = await house.ask(
            "POST",
            "/entityOperations/query",
            {"type": "Query", "entities": [{"type": "AirQualityObserved"}]},
        )
        assert found.status_code == 200
        assert house.city.delivery.depth == 2
        await house.ask("DELETE", "/subscriptions/urn:x:sub")
        await _set(house, 3)
        assert house.city.delivery.depth == 0


async def test_what_an_earlier_run_left_counts_as_waiting(tmp_path: Path) -> None:
    async with a_receiver(hangs=True) as dead:
        async with a_house(tmp_path) as house:
            await _subscribe(house, dead)
            await created(house, a_station(pm25=number(1)))
        async with a_house(tmp_path, most_due=1) as house:
            refused = await house.ask("PATCH", f"/entities/{STATION}/attrs/pm25", {"value": 3})
            assert refused.status_code == 429
