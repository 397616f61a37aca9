"""/subscriptions: kept, shown, changed, ended, and refused when it cannot be honoured (6.10, 6.11)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import CORE_LINK, V1, a_house

HERE = "http://127.0.0.1:9/notify"


def a_subscription(uri: str = HERE, **members: Any) -> dict[str, Any]:
    """Return a subscription to stations as a client sends it; `members` are added or replaced."""
    return {
        "id": "urn:x:sub",
        "type": "Subscription",
        "entities": [{"type": "AirQualityObserved"}],
        "notification": {"endpoint": {"uri": uri}},
    } | members


@pytest.mark.clause("5.8.1", "5.8.3")
async def test_a_subscription_is_kept_and_shown_with_its_status(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/subscriptions", a_subscription(description="d"))
        assert response.status_code == 201
        assert response.headers["Location"] == f"{V1}/subscriptions/urn:x:sub"
        found = await house.get("/subscriptions/urn:x:sub")
        assert found.items() >= a_subscription(description="d").items()
        assert found["status"] == "active"
        assert found["notificationTrigger"] == ["attributeCreated", "attributeUpdated"]
        response = await house.ask("GET", "/subscriptions?count=true&limit=1")
        assert [one["id"] for one in response.json()] == ["urn:x:sub"]
        assert response.headers["NGSILD-Results-Count"] == "1"
        assert response.headers["Link"] == CORE_LINK


@pytest.mark.clause("5.8.1")
async def test_a_subscription_without_an_id_gets_one(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        body = a_subscription()
        del body["id"]
        response = await house.ask("POST", "/subscriptions", body)
        found = await house.get(response.headers["Location"].removeprefix(V1))
        assert found["id"].startswith("urn:ngsi-ld:Subscription:")


@pytest.mark.clause("5.8.1", "6.3.2")
async def test_a_subscription_is_made_once(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert (await house.ask("POST", "/subscriptions", a_subscription())).status_code == 201
        response = await house.ask("POST", "/subscriptions", a_subscription())
        assert response.status_code == 409
        assert response.json()["type"].endswith("/AlreadyExists")


@pytest.mark.clause("5.8.2")
async def test_members_are_changed_and_by_null_removed(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", "/subscriptions", a_subscription(q="pm25>10"))
        change = {"isActive": False, "q": None, "watchedAttributes": ["pm25"]}
        response = await house.ask("PATCH", "/subscriptions/urn:x:sub", change)
        assert response.status_code == 204
        found = await house.get("/subscriptions/urn:x:sub")
        assert found["status"] == "paused"
        assert found["watchedAttributes"] == ["pm25"]
        assert "q" not in found


@pytest.mark.clause("5.8.2")
async def test_an_end_in_the_past_is_no_change(tmp_path: Path) -> None:
    # Clause 5.8.2.4
    async with a_house(tmp_path) as house:
        await house.ask("POST", "/subscriptions", a_subscription())
        body = {"expiresAt": "2026-11-22T07:00:00Z"}
        response = await house.ask("PATCH", "/subscriptions/urn:x:sub", body)
        assert (response.status_code, response.json()["param"]) == (400, "expiresAt")


@pytest.mark.clause("5.8.2", "5.2.14")
async def test_a_change_cannot_set_the_counters(tmp_path: Path) -> None:
    told = {"endpoint": {"uri": HERE}, "timesSent": 99, "status": "ok"}
    async with a_house(tmp_path) as house:
        await house.ask("POST", "/subscriptions", a_subscription(notification=told))
        await house.ask("PATCH", "/subscriptions/urn:x:sub", {"notification": told})
        found = await house.get("/subscriptions/urn:x:sub")
        assert found["notification"] == {"endpoint": {"uri": HERE}}


@pytest.mark.clause("5.8.1", "5.2.12")
async def test_a_subscription_expires(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        body = a_subscription(expiresAt="2026-11-22T08:10:00Z")
        await house.ask("POST", "/subscriptions", body)
        assert (await house.get("/subscriptions/urn:x:sub"))["status"] == "active"
        house.clock.advance(timedelta(minutes=10))
        assert (await house.get("/subscriptions/urn:x:sub"))["status"] == "expired"


@pytest.mark.clause("5.8.5")
async def test_an_ended_subscription_is_gone(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", "/subscriptions", a_subscription())
        assert (await house.ask("DELETE", "/subscriptions/urn:x:sub")).status_code == 204
        for method, body in (("GET", None), ("PATCH", {"isActive": True}), ("DELETE", None)):
            response = await house.ask(method, "/subscriptions/urn:x:sub", body)
            assert response.status_code == 404


@pytest.mark.clause("5.8.3", "6.3.5")
async def test_json_ld_shows_the_context_that_was_given(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        body = a_subscription() | {"@context": {"pm25": "https://city.example/pm25"}}
        assert (await house.ask("POST", "/subscriptions", body, ld=True)).status_code == 201
        found = await house.get("/subscriptions/urn:x:sub", Accept="application/ld+json")
        assert "/jsonldContexts/" in found["@context"]


def _told(**members: Any) -> dict[str, Any]:
    return {"endpoint": {"uri": HERE}} | members


def _at(**members: Any) -> dict[str, Any]:
    return {"endpoint": {"uri": HERE} | members}


_WRONG: list[dict[str, Any]] = [
    {"type": "Wish"},
    {"id": "no-uri"},
    {"id": 5},
    {"entities": "Station"},
    {"entities": [{"id": "urn:x:1"}]},
    {"entities": [5]},
    {"entities": [{"type": 5}]},
    {"entities": [{"type": "T", "idPattern": "("}]},
    {"entities": [], "watchedAttributes": []},
    {"entities": None, "watchedAttributes": [5]},
    {"watchedAttributes": {"pm25": 1}},
    {"notificationTrigger": 5},
    {"notificationTrigger": ["sometimes"]},
    {"q": "pm25>"},
    {"q": 5},
    {"geoQ": "near"},
    {"geoQ": {"georel": "near;maxDistance==5", "geometry": "Point"}},
    {"geoQ": {"georel": "near;maxDistance==5", "geometry": "Point", "coordinates": [1]}},
    {"geoQ": {"georel": 5, "geometry": "Point", "coordinates": [1, 2]}},
    {"scopeQ": "no scope"},
    {"timeInterval": 0},
    {"timeInterval": 60, "throttling": 5},
    {"timeInterval": 60, "watchedAttributes": ["pm25"]},
    {"throttling": -1},
    {"jsonldContext": "no address"},
    {"isActive": "yes"},
    {"expiresAt": "soon"},
    {"notification": None},
    {"notification": "there"},
    {"notification": {}},
    {"notification": _told(format="xml")},
    {"notification": _told(format=5)},
    {"notification": _told(attributes="pm25")},
    {"notification": _told(sysAttrs="yes")},
    {"notification": _told(showChanges=True, format="keyValues")},
    {"notification": _told(join="loosely")},
    {"notification": _told(pick=["id"], attributes=["pm25"])},
    {"notification": _told(pick=["id"], omit=["id"])},
    {"notification": _at(uri="mqtt://broker")},
    {"notification": _at(uri="mqtt://broker/a/#")},
    {"notification": _at(notifierInfo=[{"key": "MQTT-QoS", "value": "3"}])},
    {"notification": _at(timeout=-5)},
    {"notification": _at(uri=5)},
    {"notification": _at(uri="http://")},
    {"notification": _at(uri="http://[::1/x")},
    {"notification": _at(uri="http://host:99999/x")},
    {"notification": _at(uri="http://host/a b")},
    {"notification": _at(receiverInfo={"a": "b"})},
    {"notification": _at(receiverInfo=[{"key": "Host", "value": "b"}])},
    {"notification": _at(receiverInfo=[{"key": "X", "value": "a\r\nY: b"}])},
    {"notification": _at(receiverInfo=[{"key": "X Y", "value": "b"}])},
    {"notification": _at(receiverInfo=[{"key": "X", "value": 5}])},
]
_NOT_OFFERED: list[dict[str, Any]] = [
    {"temporalQ": {"timerel": "before", "timeAt": "2026-11-22T08:00:00Z"}},
    {"notification": _at(accept="application/xml")},
    {"notification": _at(uri="file:///etc/passwd")},
]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [(one, 400) for one in _WRONG] + [(one, 422) for one in _NOT_OFFERED],
    ids=str,
)
@pytest.mark.clause("5.8.1", "5.2.12")
async def test_what_cannot_be_honoured_is_refused(
    tmp_path: Path, wrong: dict[str, Any], status: int
) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/subscriptions", a_subscription(**wrong))
        assert response.status_code == status, response.text
        assert response.json()["param"]
        assert await house.get("/subscriptions") == []
        await house.ask("POST", "/subscriptions", a_subscription())
        if not {"id", "isActive"} & set(wrong):
            change = await house.ask("PATCH", "/subscriptions/urn:x:sub", wrong)
            assert change.status_code in (status, 400), change.text
        assert (await house.get("/subscriptions/urn:x:sub"))["status"] == "active"


@pytest.mark.parametrize("body", [[], "text", 5, {"type": "Subscription"}])
@pytest.mark.clause("5.8.1")
async def test_something_else_is_no_subscription(tmp_path: Path, body: Any) -> None:
    async with a_house(tmp_path) as house:
        assert (await house.ask("POST", "/subscriptions", body)).status_code == 400
