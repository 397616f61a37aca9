"""Writing within a snapshot changes that and nothing else (clauses 5.5.15 and 6.3.22)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chengmai.broker import spaces
from tests.api.house import House, a_house, created, number
from tests.api.receiver import a_receiver
from tests.conformance.context_source import Source, registered, sources
from tests.conformance.test_snapshots import (
    ALL,
    BUSES,
    EVER,
    ONE,
    a_bus,
    ids,
    ready,
    taken,
    within,
)

pytestmark = pytest.mark.clause("5.5.15", "6.3.22")
BUS = "urn:x:bus:1"
PAST = f"/temporal/entities/{BUS}"
ALWAYS = "timerel=after&timeAt=2000-01-01T00:00:00Z&timeproperty=modifiedAt&options=sysAttrs"
SUBSCRIPTION = "urn:ngsi-ld:Subscription:within"


async def do(
    house: House, method: str, path: str, body: Any = None, **more: Any
) -> httpx2.Response:
    """Return the answer to a request within the snapshot."""
    return await house.ask(method, path, body, NGSILD_Snapshot=more.pop("snapshot", ONE), **more)


async def speed(house: House, *, inside: bool = True) -> Any:
    """Return how fast the bus is, within the snapshot or in the city."""
    found = await (within(house, f"/entities/{BUS}") if inside else house.get(f"/entities/{BUS}"))
    return found.get("speed", {}).get("value")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "then"),
    [
        ("PATCH", f"/entities/{BUS}/attrs", {"speed": number(1)}, 204, 1),
        ("POST", f"/entities/{BUS}/attrs", {"speed": number(2)}, 204, 2),
        ("PATCH", f"/entities/{BUS}/attrs/speed", {"value": 3}, 204, 3),
        ("PUT", f"/entities/{BUS}/attrs/speed", number(4), 204, 4),
        ("DELETE", f"/entities/{BUS}/attrs/speed", None, 204, None),
        ("PATCH", f"/entities/{BUS}", {"speed": number(5)}, 204, 5),
        ("PUT", f"/entities/{BUS}", a_bus(1, speed=number(6)), 204, 6),
        ("POST", "/entityOperations/upsert", [a_bus(1, speed=number(7))], 204, 7),
        ("POST", "/entityOperations/update", [a_bus(1, speed=number(8))], 204, 8),
        ("POST", "/entityOperations/merge", [a_bus(1, speed=number(9))], 204, 9),
        ("DELETE", "/entities?type=Bus&drop=speed", None, 204, None),
        (
            "POST",
            "/temporal/entities",
            a_bus(1, speed=[number(11, "2026-11-22T09:00:00Z")]),
            201,
            11,
        ),
    ],
)
@pytest.mark.clause(
    *("5.6.2", "5.6.3", "5.6.4", "5.6.5", "5.6.17", "5.6.18", "5.6.19", "5.6.21"),
    *("5.6.8", "5.6.9", "5.6.20", "5.6.11"),
)
async def test_a_write_within_changes_the_snapshot_alone(
    tmp_path: Path, method: str, path: str, body: Any, status: int, then: Any
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        await taken(house)
        lines = len(await house.audit())
        answer = await do(house, method, path, body)
        assert answer.status_code == status, answer.text
        assert answer.headers["ngsild-snapshot"] == ONE
        assert await speed(house) == then
        assert await speed(house, inside=False) == 10
        (line,) = (await house.audit())[lines:]
        assert f'"snapshot":"{ONE}"' in line.detail
        assert (line.object, line.tenant) == (BUS, "city")
        assert await house.broken() == []


@pytest.mark.clause("5.6.1", "5.6.6", "5.6.7", "5.6.10")
async def test_entities_come_and_go_within_a_snapshot(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        await taken(house)
        assert (await do(house, "POST", "/entities", a_bus(2))).status_code == 201
        assert (await do(house, "POST", "/entities", a_bus(2))).status_code == 409
        made = await do(house, "POST", "/entityOperations/create", [a_bus(3), a_bus(4)])
        assert made.status_code == 201
        assert (await do(house, "DELETE", f"/entities/{BUS}")).status_code == 204
        gone = await do(house, "POST", "/entityOperations/delete", ["urn:x:bus:3"])
        assert gone.status_code == 204
        assert await ids(house) == ["urn:x:bus:2", "urn:x:bus:4"]
        assert (await do(house, "DELETE", "/entities?type=Bus")).status_code == 204
        assert await ids(house) == []
        assert [one["id"] for one in await house.get("/entities?type=Bus")] == [BUS]


@pytest.mark.clause("5.6.12", "5.6.13", "5.6.14", "5.6.15", "5.6.16")
async def test_the_past_is_edited_within_a_snapshot(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1, line={"type": "Property", "value": "7"}))
        await taken(house, BUSES, snapshotTemporalQueries=[EVER])
        before = await house.get(f"{PAST}?{ALWAYS}")
        one = before["speed"][0]["instanceId"]
        told = {"speed": [number(99, "2026-01-01T00:00:00Z")]}
        assert (await do(house, "POST", f"{PAST}/attrs", told)).status_code == 204
        answer = await do(house, "PATCH", f"{PAST}/attrs/speed/{one}", number(12))
        assert answer.status_code == 204, answer.text
        inside = await within(house, f"{PAST}?{ALWAYS}")
        assert sorted(each["value"] for each in inside["speed"]) == [12, 99]
        assert (await do(house, "DELETE", f"{PAST}/attrs/speed/{one}")).status_code == 204
        assert (await do(house, "DELETE", f"{PAST}/attrs/line")).status_code == 204
        inside = await within(house, f"{PAST}?{ALWAYS}")
        assert [each["value"] for each in inside["speed"]] == [99]
        assert "line" not in inside
        assert (await do(house, "DELETE", PAST)).status_code == 204
        assert (await do(house, "GET", f"{PAST}?{ALWAYS}")).status_code == 404
        assert await house.get(f"{PAST}?{ALWAYS}") == before


@pytest.mark.clause("4.3.6")
async def test_nothing_of_a_write_within_a_snapshot_is_forwarded(tmp_path: Path) -> None:
    bus = {"id": BUS, "type": "Bus", "speed": number(10)}
    source = Source(answers={"/entities": (200, [bus]), f"/entities/{BUS}": (200, bus)})
    async with a_house(tmp_path) as house, sources(source):
        await registered(
            house,
            source,
            {"entities": [{"type": "Bus"}]},
            mode="redirect",
            operations=["redirectionOps"],
        )
        await taken(house)
        asked = len(source.got)
        assert (await do(house, "POST", "/entities", a_bus(2))).status_code == 201
        change = {"speed": number(1)}
        assert (await do(house, "PATCH", f"/entities/{BUS}/attrs", change)).status_code == 204
        assert (await do(house, "DELETE", "/entities?type=Bus")).status_code == 204
        assert len(source.got) == asked


def a_subscription(uri: str, **members: Any) -> dict[str, Any]:
    return {
        "id": SUBSCRIPTION,
        "type": "Subscription",
        "entities": [{"type": "Bus"}],
        "notification": {"endpoint": {"uri": uri}},
        **members,
    }


@pytest.mark.clause("5.8.1", "5.8.2", "5.8.3", "5.8.4", "5.8.5", "5.8.6")
async def test_subscriptions_hear_of_their_own_side_alone(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_receiver() as receiver:
        await created(house, a_bus(1))
        await taken(house)
        inner = a_subscription(receiver.url("/inner"))
        outer = a_subscription(receiver.url("/outer"), id="urn:x:outer")
        assert (await do(house, "POST", "/subscriptions", inner)).status_code == 201
        assert (await house.ask("POST", "/subscriptions", outer)).status_code == 201
        change = {"description": "of what might have been"}
        path = f"/subscriptions/{SUBSCRIPTION}"
        assert (await do(house, "PATCH", path, change)).status_code == 204
        await do(house, "PATCH", f"/entities/{BUS}/attrs", {"speed": number(77)})
        (one,) = await receiver.wait_for(1)
        assert (one.path, one.entity["speed"]["value"]) == ("/inner", 77)
        assert one.headers["ngsild-snapshot"] == ONE
        await house.ask("PATCH", f"/entities/{BUS}/attrs", {"speed": number(55)})
        (_, two) = await receiver.wait_for(2)
        assert (two.path, two.entity["speed"]["value"]) == ("/outer", 55)
        assert "ngsild-snapshot" not in two.headers
        (shown,) = await within(house, "/subscriptions")
        assert (shown["id"], shown["notification"]["timesSent"]) == (SUBSCRIPTION, 1)
        assert "snapshot" not in shown
        assert [each["id"] for each in await house.get("/subscriptions")] == ["urn:x:outer"]
        assert (await house.ask("GET", path)).status_code == 404
        assert (await do(house, "DELETE", path)).status_code == 204
        assert await within(house, "/subscriptions") == []


@pytest.mark.clause("5.16.5")
async def test_nothing_of_what_was_done_in_a_snapshot_outlives_it(tmp_path: Path) -> None:
    async with a_house(tmp_path, private_egress=False) as house:
        await created(house, a_bus(1))
        await taken(house)
        subscription = a_subscription("http://127.0.0.1:9/")
        assert (await do(house, "POST", "/subscriptions", subscription)).status_code == 201
        await do(house, "PATCH", f"/entities/{BUS}/attrs", {"speed": number(77)})
        soon = {**a_bus(2), "expiresAt": "2026-11-23T00:00:00Z"}
        assert (await do(house, "POST", "/entities", soon)).status_code == 201
        assert (await house.ask("DELETE", f"{ALL}/{ONE}")).status_code == 204
        assert (await do(house, "POST", "/entities", a_bus(3))).status_code == 404
        await house.city.snapshots.round()
        await house.city.store.history.seal()
        for table in ("entity", "register", "remnant", "transient", "subscription", "outbox"):
            count = f"SELECT count(*) FROM {table} WHERE tenant LIKE '#%'"
            assert await house.city.store.work.read(partial(_one, query=count)) == 0, table
        assert house.city._book.every() == []
        assert not any("#" in line.tenant for line in await house.audit())
        house.clock.advance(timedelta(days=2))
        assert (await house.get("/entities?type=Bus"))[0]["id"] == BUS


def _one(tx: Any, query: str) -> Any:
    ((found,),) = tx.db.execute(query)
    return found


@pytest.mark.clause("4.22")
async def test_what_is_written_in_a_snapshot_expires_there(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        await taken(house)
        soon = {**a_bus(2), "expiresAt": "2026-11-22T09:00:00Z"}
        assert (await do(house, "POST", "/entities", soon)).status_code == 201
        assert await ids(house) == [BUS, "urn:x:bus:2"]
        house.clock.advance(timedelta(hours=2))
        assert await ids(house) == [BUS]
        last = (await house.audit())[-1]
        assert (last.actor, last.tenant, last.object) == ("sys:expiry", "city", "urn:x:bus:2")
        assert await house.broken() == []


async def test_a_snapshot_is_changed_by_who_may_write_and_manages_snapshots(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        await taken(house)
        for role in ("partner", "worker"):
            token = await house.token(role)
            change = {"speed": number(1)}
            path = f"/entities/{BUS}/attrs"
            answer = await do(house, "PATCH", path, change, token=token)
            assert answer.status_code == 403, role
        assert await speed(house) == 10


@pytest.mark.parametrize(
    ("limit", "most", "body"),
    [
        ("MOST_ENTITIES", 1, a_bus(2)),
        ("MOST_INSTANCES", 2, a_bus(2, line=number(1), seats=number(1))),
        ("MOST_BYTES", 2000, a_bus(2, note={"type": "Property", "value": "x" * 1000})),
    ],
)
async def test_no_more_is_written_than_a_snapshot_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, body: dict[str, Any]
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        await taken(house)
        monkeypatch.setattr(spaces, limit, most)
        answer = await do(house, "POST", "/entities", body)
        assert (answer.status_code, answer.json()["code"]) == (413, "snapshot.size")
        assert await ids(house) == [BUS]
        assert (await do(house, "DELETE", f"/entities/{BUS}")).status_code == 204
        await created(house, body)


@pytest.mark.clause("5.16.2")
async def test_a_clone_has_what_was_written_and_what_is_written_later_is_its_own(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        await taken(house)
        await do(house, "PATCH", f"/entities/{BUS}/attrs", {"speed": number(1)})
        members = {"type": "Snapshot", "id": "urn:x:clone"}
        assert (await house.ask("POST", f"{ALL}/{ONE}/clone", members)).status_code == 201
        await ready(house, "urn:x:clone")
        change = {"speed": number(2)}
        await do(house, "PATCH", f"/entities/{BUS}/attrs", change, snapshot="urn:x:clone")
        assert await speed(house) == 1
        assert (await within(house, f"/entities/{BUS}", "urn:x:clone"))["speed"]["value"] == 2
        sizes = await house.city.store.work.read(
            lambda tx: [row[0] for row in tx.db.execute("SELECT entities FROM snapshot")]
        )
        assert sizes == [1, 1]


@pytest.mark.clause("5.16.2")
async def test_a_snapshot_that_is_being_copied_waits_with_writes(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        await taken(house)
        (space,) = await house.city.store.work.read(
            lambda tx: [row[0] for row in tx.db.execute("SELECT space FROM snapshot")]
        )
        house.city._spaces.hold_still(space)
        answer = await do(house, "POST", "/entities", a_bus(2))
        assert (answer.status_code, answer.json()["code"]) == (503, "snapshot.copied")
        assert await ids(house) == [BUS]
        house.city._spaces.let_go(space)
        assert (await do(house, "POST", "/entities", a_bus(2))).status_code == 201


async def test_contexts_of_subscriptions_within_belong_to_the_tenant(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await taken(house)
        subscription = a_subscription("http://receiver.example/") | {
            "@context": [{"Bus": "https://x.example/Bus"}]
        }
        answer = await do(house, "POST", "/subscriptions", subscription, ld=True)
        assert answer.status_code == 201, answer.text
        (kept,) = await house.get("/jsonldContexts?kind=ImplicitlyCreated&details=true")
        assert kept["kind"] == "ImplicitlyCreated"
        lines = [line.tenant for line in await house.audit() if line.action == "context.create"]
        assert lines == ["city"]


async def test_subscriptions_within_a_snapshot_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chengmai.web.api.subscriptions.MOST_WITHIN", 1)
    async with a_house(tmp_path) as house:
        await taken(house)
        one = a_subscription("http://receiver.example/")
        assert (await do(house, "POST", "/subscriptions", one)).status_code == 201
        answer = await do(house, "POST", "/subscriptions", one | {"id": "urn:x:two"})
        assert (answer.status_code, answer.json()["code"]) == (413, "snapshot.subscriptions")
