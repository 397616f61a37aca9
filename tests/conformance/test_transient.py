"""Entities and attributes that live until an instant (clauses 4.22, 4.8, 6.3.11)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house, created, number
from tests.api.receiver import a_receiver
from tests.api.test_subscriptions import a_subscription

BUS = "urn:ngsi-ld:Bus:1"
SOON = "2026-11-22T08:00:10Z"
LATER = "2026-11-22T09:00:00Z"
PAST = "timerel=before&timeAt=2030-01-01T00:00:00Z&timeproperty=modifiedAt&options=temporalValues"
AFTER = timedelta(seconds=10)


def a_bus(**members: Any) -> dict[str, Any]:
    return {"id": BUS, "type": "Bus", "speed": number(30)} | members


async def _status(house: House, path: str) -> int:
    return (await house.ask("GET", path)).status_code


@pytest.mark.clause("4.22", "5.6.1")
async def test_an_entity_is_served_until_it_expires_and_its_id_is_free_after(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(expiresAt=SOON))
        house.clock.advance(timedelta(seconds=9.9))
        assert await _status(house, f"/entities/{BUS}") == 200
        house.clock.advance(timedelta(seconds=0.1))
        assert await _status(house, f"/entities/{BUS}") == 404
        assert await house.get("/entities?type=Bus") == []
        assert (await house.get("/types"))["typeList"] == []
        await created(house, a_bus())


@pytest.mark.clause("4.22")
async def test_the_first_request_after_the_end_may_be_a_write(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(expiresAt=SOON))
        house.clock.advance(AFTER)
        await created(house, a_bus())
        assert "expiresAt" not in await house.get(f"/entities/{BUS}?options=sysAttrs")


@pytest.mark.clause("4.22", "5.6.7", "5.6.8")
@pytest.mark.parametrize("operation", ["create", "upsert"])
async def test_entities_of_a_batch_expire_too(tmp_path: Path, operation: str) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", f"/entityOperations/{operation}", [a_bus(expiresAt=SOON)])
        assert await _status(house, f"/entities/{BUS}") == 200
        house.clock.advance(AFTER)
        assert await _status(house, f"/entities/{BUS}") == 404


@pytest.mark.clause("4.22", "5.6.17", "5.5.12")
async def test_the_end_can_be_set_moved_and_taken_away_later(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus())
        for end in (SOON, LATER, None):
            answer = await house.ask("PATCH", f"/entities/{BUS}", {"expiresAt": end})
            assert answer.status_code == 204
        house.clock.advance(timedelta(days=1))
        assert await _status(house, f"/entities/{BUS}") == 200
        await house.ask("PATCH", f"/entities/{BUS}", {"expiresAt": SOON})
        assert await _status(house, f"/entities/{BUS}") == 404


@pytest.mark.clause("4.22", "4.5.5")
async def test_instances_of_an_attribute_expire_each_for_itself(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        gps = number(31) | {"datasetId": "urn:x:gps", "expiresAt": SOON}
        owner = {"type": "Relationship", "object": "urn:x:o", "expiresAt": SOON}
        line = number(7) | {"expiresAt": LATER}
        await created(house, a_bus(speed=[number(30), gps], ownedBy=owner, line=line))
        house.clock.advance(AFTER)
        assert await house.get(f"/entities/{BUS}") == a_bus(line=number(7))
        found = await house.get("/entities?type=Bus&q=ownedBy")
        assert found == []


@pytest.mark.clause("4.22", "5.5.8", "5.6.2", "5.6.4")
async def test_a_whole_new_attribute_forgets_the_end_and_a_partial_update_keeps_it(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        ends = {name: number(1) | {"expiresAt": SOON} for name in ("a", "b", "c")}
        await created(house, a_bus(**ends))
        await house.ask("PATCH", f"/entities/{BUS}/attrs", {"a": number(2)})
        await house.ask("PATCH", f"/entities/{BUS}/attrs/b", {"value": 2})
        await house.ask("PATCH", f"/entities/{BUS}", {"c": {"value": 2}})
        house.clock.advance(AFTER)
        assert await house.get(f"/entities/{BUS}") == a_bus(a=number(2))


@pytest.mark.clause("4.22", "5.7.3")
async def test_the_past_of_an_entity_outlives_it_and_that_of_an_attribute_does_not(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(flash=number(1) | {"expiresAt": SOON}, expiresAt=LATER))
        house.clock.advance(AFTER)
        assert "flash" not in await house.get(f"/temporal/entities/{BUS}?{PAST}")
        house.clock.advance(timedelta(hours=1))
        assert await _status(house, f"/entities/{BUS}") == 404
        found = await house.get(f"/temporal/entities/{BUS}?{PAST}")
        assert [value for value, _ in found["speed"]["values"]] == [30]
        listed = await house.get(f"/temporal/entities?type=Bus&{PAST}")
        assert [one["id"] for one in listed] == [BUS]
        assert (await house.ask("DELETE", f"/temporal/entities/{BUS}")).status_code == 204
        assert await _status(house, f"/temporal/entities/{BUS}?{PAST}") == 404


@pytest.mark.clause("4.8", "6.3.11")
async def test_the_end_is_shown_with_the_system_attributes_only(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        sub = number(2) | {"expiresAt": LATER}
        speed = number(1) | {"expiresAt": LATER, "sub": sub}
        await created(house, a_bus(speed=speed, expiresAt=LATER))
        assert "expiresAt" not in (await house.ask("GET", f"/entities/{BUS}")).text
        found = await house.get(f"/entities/{BUS}?options=sysAttrs")
        assert found["expiresAt"] == found["speed"]["expiresAt"] == LATER
        assert found["speed"]["sub"]["expiresAt"] == LATER
        over_time = await house.ask("GET", f"/temporal/entities/{BUS}")
        assert "expiresAt" not in over_time.text


@pytest.mark.clause("4.6.3", "4.22")
@pytest.mark.parametrize("end", ["soon", "2026-13-45T00:00:00Z", 7])
async def test_an_end_that_is_no_instant_is_refused(tmp_path: Path, end: Any) -> None:
    async with a_house(tmp_path) as house:
        for entity in (a_bus(expiresAt=end), a_bus(speed=number(1) | {"expiresAt": end})):
            answer = await house.ask("POST", "/entities", entity)
            assert (answer.status_code, "expiresAt" in answer.json()["param"]) == (400, True)


@pytest.mark.clause("4.22", "5.8.6")
@pytest.mark.parametrize(
    ("trigger", "bus"),
    [
        ("entityDeleted", a_bus(expiresAt=SOON)),
        ("attributeDeleted", a_bus(speed=number(30) | {"expiresAt": SOON})),
    ],
)
async def test_subscriptions_are_told_of_the_end_and_the_audit_has_it(
    tmp_path: Path, trigger: str, bus: dict[str, Any]
) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        told = {"endpoint": {"uri": receiver.url()}}
        subscription = a_subscription(
            entities=[{"type": "Bus"}],
            watchedAttributes=None,
            notification=told,
            notificationTrigger=[trigger],
        )
        subscription = {key: one for key, one in subscription.items() if one is not None}
        assert (await house.ask("POST", "/subscriptions", subscription)).status_code == 201
        await created(house, bus)
        house.clock.advance(AFTER)
        await house.city.expiring.settle()
        (got,) = await receiver.wait_for(1)
        assert got.entity["id"] == BUS
        line = (await house.audit())[-1]
        assert (line.actor, line.object) == ("sys:expiry", BUS)
        assert await house.broken() == []


@pytest.mark.clause("4.22")
async def test_what_expires_is_known_after_a_restart(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(expiresAt=SOON))
        clock = house.clock
    async with a_house(tmp_path, clock=clock) as house:
        assert await _status(house, f"/entities/{BUS}") == 200
        clock.advance(AFTER)
        assert await _status(house, f"/entities/{BUS}") == 404


@pytest.mark.clause("4.22")
async def test_many_that_end_together_are_all_gone_at_the_next_request(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        buses = [a_bus(id=f"urn:x:{n}", expiresAt=SOON) for n in range(1100)]
        await house.ask("POST", "/entityOperations/create", buses)
        house.clock.advance(AFTER)
        answer = await house.ask("GET", "/entities?type=Bus&count=true&limit=1")
        assert (answer.json(), answer.headers["ngsild-results-count"]) == ([], "0")
