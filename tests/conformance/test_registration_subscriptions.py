"""Being told of context sources: subscriptions to registrations and their notifications (clause 5.11)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house
from tests.api.receiver import Received, Receiver, a_receiver

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
SOURCES = "/csourceRegistrations"
WATCH = "/csourceSubscriptions"
ONE = "urn:ngsi-ld:Subscription:one"


def a_source(name: str, *types: str, **members: Any) -> dict[str, Any]:
    """Return a registration of entities of some types."""
    return {
        "id": f"urn:ngsi-ld:ContextSourceRegistration:{name}",
        "type": "ContextSourceRegistration",
        "information": [{"entities": [{"type": one}]} for one in types or ("Building",)],
        "endpoint": "http://source.example",
        **members,
    }


def a_watch(receiver: Receiver | None = None, **members: Any) -> dict[str, Any]:
    """Return a subscription to sources of buildings."""
    uri = "http://127.0.0.1:9/nobody" if receiver is None else receiver.url()
    told: dict[str, Any] = {"endpoint": {"uri": uri, "accept": "application/json"}}
    return {
        "id": ONE,
        "type": "Subscription",
        "entities": [{"type": "Building"}],
        "notification": told | members.pop("told", {}),
        **members,
    }


async def register(house: House, *sources: dict[str, Any]) -> None:
    """Register sources that must be new."""
    for source in sources:
        answer = await house.ask("POST", SOURCES, source)
        assert answer.status_code == 201, answer.text


async def watch(house: House, receiver: Receiver, **members: Any) -> None:
    """Subscribe to sources."""
    answer = await house.ask("POST", WATCH, a_watch(receiver, **members))
    assert answer.status_code == 201, answer.text


def told(one: Received) -> tuple[str, list[str]]:
    """Return why and of which sources a notification tells."""
    names = [item["id"].rpartition(":")[2] for item in one.body["data"]]
    return one.body["triggerReason"], sorted(names)


@pytest.mark.clause("5.11.2", "6.12.3.1", "5.11.4", "6.13.3.1")
async def test_a_subscription_to_sources_is_kept_and_shown(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        answer = await house.ask("POST", WATCH, a_watch(description="谁有建筑"))
        assert (answer.status_code, answer.content) == (201, b"")
        assert answer.headers["location"] == f"/ngsi-ld/v1{WATCH}/{ONE}"
        shown = await house.get(f"{WATCH}/{ONE}")
        assert shown.pop("status") == "active"
        assert shown == a_watch(description="谁有建筑")
        again = await house.ask("POST", WATCH, a_watch())
        assert (again.status_code, again.json()["type"]) == (409, ERRORS + "AlreadyExists")
        assert (await house.ask("GET", f"/subscriptions/{ONE}")).status_code == 404


@pytest.mark.clause("5.11.2", "5.2.12")
async def test_a_subscription_that_breaks_a_rule_is_refused(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {"type": "Watch"},
        {"notification": None},
        {"q": "speed>"},
        {"csf": "(x"},
        {"entities": None},
        {"expiresAt": "2026-11-22T07:00:00Z"},
        {"temporalQ": {"timeAt": "2026-11-22T07:00:00Z"}},
        {"temporalQ": {"timerel": "after", "timeAt": 5}},
        {"geoQ": {"georel": "near", "geometry": "Point", "coordinates": [0, 0]}},
        {"timeInterval": 5, "throttling": 5},
    ]
    async with a_house(tmp_path) as house:
        for change in changes:
            answer = await house.ask("POST", WATCH, a_watch() | change)
            assert answer.status_code == 400, change
            assert answer.json()["type"] == ERRORS + "BadRequestData"
        assert await house.get(WATCH) == []


@pytest.mark.clause("5.11.3", "6.13.3.2", "5.11.6", "6.13.3.3")
async def test_a_subscription_to_sources_is_changed_and_ended(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", WATCH, a_watch())
        answer = await house.ask("PATCH", f"{WATCH}/{ONE}", {"isActive": False})
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await house.get(f"{WATCH}/{ONE}"))["status"] == "paused"
        for path, status in ((f"{WATCH}/nonsense", 400), (f"{WATCH}/urn:x:unknown", 404)):
            assert (await house.ask("PATCH", path, {"isActive": True})).status_code == status
            assert (await house.ask("DELETE", path)).status_code == status
            assert (await house.ask("GET", path)).status_code == status
        assert (await house.ask("DELETE", f"{WATCH}/{ONE}")).status_code == 204
        assert (await house.ask("GET", f"{WATCH}/{ONE}")).status_code == 404


@pytest.mark.clause("5.11.5", "6.12.3.2")
async def test_subscriptions_to_sources_are_paged(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for n in range(3):
            await house.ask("POST", WATCH, a_watch() | {"id": f"urn:ngsi-ld:Subscription:{n}"})
        page = await house.ask("GET", f"{WATCH}?limit=1&offset=1&count=true")
        assert [one["id"] for one in page.json()] == ["urn:ngsi-ld:Subscription:1"]
        assert page.headers["ngsild-results-count"] == "3"
        for bad in ("limit=-5", "offset=-1"):
            assert (await house.ask("GET", f"{WATCH}?{bad}")).status_code == 400


@pytest.mark.clause("5.11.7", "5.3.2")
async def test_what_matches_is_told_at_the_beginning(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await register(house, a_source("a"), a_source("b"), a_source("c", "Bus"))
        await watch(house, receiver)
        (first,) = await receiver.wait_for(1)
        assert told(first) == ("newlyMatching", ["a", "b"])
        assert first.body["type"] == "ContextSourceNotification"
        assert first.body["subscriptionId"] == ONE
        assert first.body["notifiedAt"] == "2026-11-22T08:00:00Z"


@pytest.mark.clause("5.11.7", "5.3.2")
async def test_each_change_of_a_source_is_told_with_its_reason(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await watch(house, receiver)
        await register(house, a_source("a"), a_source("other", "Bus"))
        path = f"{SOURCES}/urn:ngsi-ld:ContextSourceRegistration:a"
        for change in (
            {"endpoint": "http://new.example"},
            {"information": [{"entities": [{"type": "Tram"}]}]},
            {"information": [{"entities": [{"type": "Building"}]}]},
        ):
            await house.ask("PATCH", path, change)
        await house.ask("DELETE", path)
        assert [told(one) for one in await receiver.wait_for(5)] == [
            ("newlyMatching", ["a"]),
            ("updated", ["a"]),
            ("noLongerMatching", ["a"]),
            ("newlyMatching", ["a"]),
            ("noLongerMatching", ["a"]),
        ]
        assert receiver.got[1].entity["endpoint"] == "http://new.example"


@pytest.mark.clause("5.11.7")
async def test_only_what_is_relevant_of_a_source_is_told_and_no_keys(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await watch(house, receiver)
        keys = [{"key": "X-Key", "value": "s3cret"}]
        await register(house, a_source("a", "Building", "Bus", contextSourceInfo=keys))
        (one,) = await receiver.wait_for(1)
        assert one.entity["information"] == [{"entities": [{"type": ["Building"]}]}]
        assert "s3cret" not in str(one.body)


@pytest.mark.clause("5.11.7")
async def test_sources_are_chosen_by_every_filter(tmp_path: Path) -> None:
    here = {"type": "Point", "coordinates": [116.4, 39.9]}
    past = {"startAt": "2020-08-01T00:00:00Z", "endAt": "2021-08-01T00:00:00Z"}
    near = {"georel": "near;maxDistance==1000", "geometry": "Point", "coordinates": [116.4, 39.9]}
    after = {"timerel": "after", "timeAt": "2020-06-01T00:00:00Z"}
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["attributes", "owned", "placed", "plain", "scoped"]),
        ({"watchedAttributes": ["height"]}, ["attributes", "owned", "placed", "plain", "scoped"]),
        ({"watchedAttributes": ["width"]}, ["owned", "placed", "plain", "scoped"]),
        ({"entities": [{"type": "Building", "id": "urn:x:1"}], "csf": "owner"}, ["owned"]),
        ({"csf": 'owner=="交委"'}, ["owned"]),
        ({"q": 'owner=="水务"'}, []),
        ({"scopeQ": "/a/#"}, ["scoped"]),
        ({"geoQ": near}, ["placed"]),
        ({"temporalQ": after}, ["observed"]),
        ({"temporalQ": {**after, "timeproperty": "createdAt"}}, ["managed"]),
        (
            {"entities": [{"type": "*"}]},
            ["attributes", "bus", "owned", "placed", "plain", "scoped"],
        ),
    ]
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        height = [{"entities": [{"type": "Building"}], "propertyNames": ["height"]}]
        await register(
            house,
            a_source("plain"),
            a_source("bus", "Bus"),
            a_source("attributes", information=height),
            a_source("owned", owner="交委"),
            a_source("scoped", scope="/a/b"),
            a_source("placed", location=here),
            a_source("observed", observationInterval=past),
            a_source("managed", managementInterval=past),
        )
        for n, (filters, found) in enumerate(cases):
            count = len(receiver.got)
            await watch(house, receiver, **(filters | {"id": f"urn:ngsi-ld:Subscription:{n}"}))
            names = told((await receiver.wait_for(count + 1))[-1])[1] if found else []
            assert names == found, filters


@pytest.mark.clause("5.11.3", "5.11.7")
async def test_a_changed_subscription_is_told_what_matches_it_now(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await register(house, a_source("a", "Vehicle"), a_source("b", "Bus"))
        await watch(house, receiver)
        change = {"entities": [{"type": "Vehicle"}, {"type": "Bus"}]}
        await house.ask("PATCH", f"{WATCH}/{ONE}", change)
        (one,) = await receiver.wait_for(1)
        assert told(one) == ("newlyMatching", ["a", "b"])


@pytest.mark.clause("5.11.7")
async def test_nobody_is_told_while_paused_or_after_the_end(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await watch(house, receiver, isActive=False)
        ends = {"id": "urn:ngsi-ld:Subscription:ends", "expiresAt": "2026-11-22T08:30:00Z"}
        await watch(house, receiver, **ends)
        house.clock.advance(timedelta(hours=1))
        await register(house, a_source("a"))
        assert (await house.get(f"{WATCH}/urn:ngsi-ld:Subscription:ends"))["status"] == "expired"
        await watch(house, receiver, id="urn:ngsi-ld:Subscription:active")
        (one,) = await receiver.wait_for(1)
        assert one.body["subscriptionId"] == "urn:ngsi-ld:Subscription:active"


@pytest.mark.clause("5.11.7")
async def test_a_periodic_subscription_is_told_again_and_again(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await register(house, a_source("a"))
        await watch(house, receiver, timeInterval=0.05)
        assert [told(one) for one in await receiver.wait_for(3)] == [("newlyMatching", ["a"])] * 3


@pytest.mark.clause("5.11.7")
async def test_the_end_of_a_registration_is_told(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await watch(house, receiver)
        await register(house, a_source("a", expiresAt="2026-11-22T08:30:00Z"))
        house.clock.advance(timedelta(hours=1))
        for _ in range(2):
            await house.city.registry.end_expired()
        await house.ask("DELETE", f"{SOURCES}/urn:ngsi-ld:ContextSourceRegistration:a")
        await register(house, a_source("b"))
        assert [told(one) for one in await receiver.wait_for(3)] == [
            ("newlyMatching", ["a"]),
            ("noLongerMatching", ["a"]),
            ("newlyMatching", ["b"]),
        ]


@pytest.mark.clause("5.9.2", "5.11.7")
async def test_the_end_of_a_registration_while_the_city_stood_still_is_told(
    tmp_path: Path,
) -> None:
    async with a_receiver() as receiver:
        async with a_house(tmp_path) as house:
            await watch(house, receiver)
            await register(house, a_source("a", expiresAt="2026-11-22T08:30:00Z"))
            counted: dict[str, Any] = {}
            while counted.get("status") != "ok":
                counted = (await house.get(f"{WATCH}/{ONE}"))["notification"]
            house.clock.advance(timedelta(hours=1))
        async with a_house(tmp_path, clock=house.clock) as later:
            for _ in range(2):
                await later.city.registry.end_expired()
            await register(later, a_source("b"))
            assert [told(one) for one in await receiver.wait_for(3)][1:] == [
                ("noLongerMatching", ["a"]),
                ("newlyMatching", ["b"]),
            ]
            assert "registration.expire" in [line.action for line in await later.audit()]


@pytest.mark.clause("5.11.7", "5.2.14")
async def test_what_a_receiver_did_not_take_is_sent_again_and_counted(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        receiver.answers = [500]
        await watch(house, receiver)
        await register(house, a_source("a"))
        first, second = await receiver.wait_for(2)
        assert first.body["id"] == second.body["id"]
        counted: dict[str, Any] = {}
        while counted.get("status") != "ok":
            counted = (await house.get(f"{WATCH}/{ONE}"))["notification"]
        assert (counted["timesSent"], counted["timesFailed"]) == (1, 1)


@pytest.mark.clause("5.11.7")
async def test_a_slow_receiver_delays_nobody_else(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as slow, a_receiver() as quick:
        slow.hangs = True
        await watch(house, slow, id="urn:ngsi-ld:Subscription:a-slow")
        await watch(house, quick, id="urn:ngsi-ld:Subscription:b-quick")
        await register(house, a_source("a"))
        assert told((await quick.wait_for(1))[0]) == ("newlyMatching", ["a"])


@pytest.mark.clause("5.11.7")
async def test_a_throttled_subscription_is_told_the_last_of_each_source(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        receiver.answers = [503]
        await watch(house, receiver, throttling=0.2)
        await register(house, a_source("a"), a_source("b"))
        await house.ask(
            "PATCH", f"{SOURCES}/urn:ngsi-ld:ContextSourceRegistration:a", {"scope": "/a"}
        )
        async with asyncio.timeout(60):
            while len(receiver.got) < 2:
                house.clock.advance(timedelta(seconds=1))
                await asyncio.sleep(0.05)
        assert told(receiver.got[1]) == ("newlyMatching", ["a", "b"])


@pytest.mark.clause("5.11.7")
async def test_what_was_due_survives_a_restart(tmp_path: Path) -> None:
    async with a_receiver() as receiver:
        async with a_house(tmp_path) as house:
            receiver.answers = [500] * 20
            await watch(house, receiver)
            await register(house, a_source("a"))
            await receiver.wait_for(1)
        count = len(receiver.got)
        receiver.answers.clear()
        async with a_house(tmp_path):
            got = await receiver.wait_for(count + 1)
            assert got[0].body["id"] == got[-1].body["id"]


@pytest.mark.clause("5.11.7", "5.3.2")
async def test_a_receiver_of_json_ld_gets_the_context(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        endpoint = {"uri": receiver.url(), "accept": "application/ld+json"}
        await watch(house, receiver, told={"endpoint": endpoint, "sysAttrs": True})
        await register(house, a_source("a"))
        (one,) = await receiver.wait_for(1)
        assert one.body["@context"].endswith("-v1.9.jsonld")
        assert one.entity["createdAt"] == one.entity["modifiedAt"]


@pytest.mark.clause("4.14", "5.11.7")
async def test_a_tenant_is_not_told_of_the_sources_of_another(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await watch(house, receiver)
        other = await house.token("manager", tenant="elsewhere")
        await house.ask("POST", SOURCES, a_source("theirs"), token=other)
        await register(house, a_source("ours"))
        (one,) = await receiver.wait_for(1)
        assert told(one) == ("newlyMatching", ["ours"])
        assert (await house.ask("GET", f"{WATCH}/{ONE}", token=other)).status_code == 404
        citizen = await house.token("citizen")
        assert (await house.ask("GET", WATCH, token=citizen)).status_code == 403
