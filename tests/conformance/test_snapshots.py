"""Snapshots: what queries found, kept apart as it was (clauses 5.5.15, 5.16, 6.3.22, 6.36 to 6.38)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chengmai.broker.snapshots import filling, model
from tests.api.house import House, a_house, created, number
from tests.conformance.context_source import Source, registered, sources

ALL = "/snapshots"
ONE = "urn:ngsi-ld:Snapshot:one"
BUSES: dict[str, Any] = {"type": "Query", "entities": [{"type": "Bus"}]}
WINDOW = {"timerel": "after", "timeAt": "2000-01-01T00:00:00Z"}
EVER = {**BUSES, "temporalQ": {**WINDOW, "timeproperty": "modifiedAt"}}
AVERAGES = {"aggrMethods": ["avg"], "aggrPeriodDuration": "PT1H"}


def a_bus(n: int, **members: Any) -> dict[str, Any]:
    return {"id": f"urn:x:bus:{n}", "type": "Bus", "speed": number(10 * n), **members}


def a_snapshot(*queries: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"id": ONE, "type": "Snapshot", "snapshotQueries": list(queries or (BUSES,)), **members}


async def ready(house: House, snapshot_id: str = ONE) -> dict[str, Any]:
    """Return a snapshot once it is complete."""
    while (shown := await house.get(f"{ALL}/{snapshot_id}"))["snapshotStatus"] == "preparing":
        await asyncio.sleep(0.01)
    return dict(shown)


async def taken(house: House, *queries: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Take a snapshot and return it once it is complete."""
    answer = await house.ask("POST", ALL, a_snapshot(*queries, **members))
    assert answer.status_code == 201, answer.text
    return await ready(house, str(answer.headers["location"].rpartition("/")[2]))


async def within(house: House, path: str, snapshot_id: str = ONE, **more: Any) -> Any:
    """Return what a GET within a snapshot answers."""
    return await house.get(path, NGSILD_Snapshot=snapshot_id, **more)


async def ids(house: House, snapshot_id: str = ONE) -> list[str]:
    return [one["id"] for one in await within(house, "/entities?type=Bus", snapshot_id)]


@pytest.mark.clause("5.16.1", "5.16.3", "5.2.41", "6.36", "6.37")
async def test_a_snapshot_tells_where_it_is_what_it_holds_and_when_it_ends(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        answer = await house.ask("POST", ALL, a_snapshot())
        assert answer.headers["location"] == f"/ngsi-ld/v1{ALL}/{ONE}"
        shown = await ready(house)
        assert shown["snapshotStatus"] == "success"
        assert shown["snapshotQueriesDetails"] == [{"resultStatus": "success"}]
        assert (shown["snapshotPriority"], shown["snapshotQueries"]) == (5, [BUSES])
        assert shown["expiresAt"].startswith("2026-11-23T08:0")
        assert {"createdAt", "modifiedAt", "lastUsedAt"} <= shown.keys()
        assert (await house.ask("POST", ALL, a_snapshot())).status_code == 409


@pytest.mark.clause("5.5.15", "6.3.22", "5.7.2")
async def test_what_a_snapshot_holds_stays_as_it_was(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1), a_bus(9))
        await taken(house, {**BUSES, "q": "speed>50"})
        await house.ask("PATCH", "/entities/urn:x:bus:9/attrs", {"speed": number(1)})
        await house.ask("DELETE", "/entities/urn:x:bus:1")
        await created(house, a_bus(8))
        assert await ids(house) == ["urn:x:bus:9"]
        assert (await within(house, "/entities/urn:x:bus:9"))["speed"]["value"] == 90
        body = {"type": "Query", "entities": [{"type": "Bus"}]}
        answer = await house.ask("POST", "/entityOperations/query", body, NGSILD_Snapshot=ONE)
        assert [one["id"] for one in answer.json()] == ["urn:x:bus:9"]
        assert answer.headers["ngsild-snapshot"] == ONE
        assert (await within(house, "/types"))["typeList"] == ["Bus"]
        assert (await house.get("/entities/urn:x:bus:9"))["speed"]["value"] == 1


@pytest.mark.clause("5.5.15", "4.14")
async def test_a_snapshot_is_seen_by_its_tenant_alone(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        await taken(house)
        other = await house.token("manager", tenant="other")
        for path in (f"{ALL}/{ONE}", "/entities?type=Bus"):
            answer = await house.ask("GET", path, token=other, NGSILD_Snapshot=ONE)
            assert answer.status_code in (404, 422)
        assert (await house.ask("GET", f"{ALL}/{ONE}", token=other)).status_code == 404
        answer = await house.ask("DELETE", f"{ALL}?q=snapshotPriority%3E0", token=other)
        assert answer.status_code == 204
        assert await ids(house) == ["urn:x:bus:1"]


@pytest.mark.clause("5.5.15", "4.14")
async def test_nobody_can_name_the_space_of_a_snapshot(tmp_path: Path) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        local: dict[str, Any] = {"token": "", "Host": "localhost:9090"}
        await house.ask("POST", "/entities", a_bus(1), **local)
        await taken(house)
        spaces = await house.city.store.work.read(
            lambda tx: [row[0] for row in tx.db.execute("SELECT space FROM snapshot")]
        )
        for space in spaces:
            answer = await house.ask("GET", "/entities?type=Bus", **local, NGSILD_Tenant=space)
            assert answer.status_code == 400


@pytest.mark.clause("5.5.15")
async def test_what_is_of_no_snapshot_is_not_offered_within_one(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        await taken(house)
        asked: list[tuple[str, str, Any]] = [
            ("GET", "/csourceRegistrations", None),
            ("GET", "/jsonldContexts", None),
            ("POST", "/snapshots", a_snapshot()),
            ("GET", "/entities?type=Bus&entityMap=true", None),
        ]
        for method, path, body in asked:
            answer = await house.ask(method, path, body, NGSILD_Snapshot=ONE)
            assert answer.status_code == 422, path
            assert answer.json()["type"].endswith("OperationNotSupported")


@pytest.mark.clause("6.3.22")
async def test_an_unknown_snapshot_is_told(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        answer = await house.ask("GET", "/entities?type=Bus", NGSILD_Snapshot=ONE)
        assert (answer.status_code, answer.headers["ngsild-snapshot"]) == (404, ONE)


@pytest.mark.clause("5.16.1", "5.2.41")
@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"snapshotQueries": None}, 400),
        ({"snapshotTemporalQueries": [BUSES]}, 400),
        ({"snapshotTemporalQueries": []}, 400),
        ({"snapshotTemporalQueries": [EVER] * 10}, 400),
        ({"snapshotTemporalQueries": [{**EVER, "aggrParams": AVERAGES}]}, 400),
        ({"snapshotQueries": []}, 400),
        ({"snapshotQueries": [BUSES] * 11}, 400),
        ({"snapshotQueries": [{**BUSES, "temporalQ": {"timerel": "before"}}]}, 400),
        ({"snapshotQueries": [{**BUSES, "join": "inline"}]}, 400),
        ({"snapshotQueries": [{"type": "Query"}]}, 400),
        ({"snapshotPriority": 11}, 400),
        ({"snapshotLifetime": "a day"}, 400),
        ({"id": "one"}, 400),
        ({"colour": "red"}, 400),
        ({"type": "Query"}, 400),
        ({"endpoint": "receiver"}, 400),
        ({"endpoint": 1}, 400),
        ({"endpoint": "ftp://receiver.example/x"}, 400),
        ({"endpoint": "http://a.example", "receiverInfo": [{"key": "Host", "value": "x"}]}, 400),
        ({"endpoint": "http://a.example", "receiverInfo": {"key": "X"}}, 400),
    ],
)
async def test_what_is_no_snapshot_is_refused(
    tmp_path: Path, wrong: dict[str, Any], status: int
) -> None:
    async with a_house(tmp_path) as house:
        answer = await house.ask("POST", ALL, {**a_snapshot(), **wrong})
        assert answer.status_code == status, answer.text
        assert (await house.ask("GET", f"{ALL}/{ONE}")).status_code == 404


@pytest.mark.clause("5.16.1", "5.2.42")
async def test_queries_are_put_together_and_each_tells_what_became_of_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1, line={"type": "Property", "value": "7"}))
        shown = await taken(
            house,
            {**BUSES, "pick": ["id", "type", "speed"]},
            {**BUSES, "attrs": ["line"]},
            {"type": "Query", "entities": [{"type": "Tram"}]},
        )
        told = [one["resultStatus"] for one in shown["snapshotQueriesDetails"]]
        assert (told, shown["snapshotStatus"]) == (["success", "success", "empty"], "partial")
        assert {"speed", "line"} <= (await within(house, "/entities/urn:x:bus:1")).keys()


@pytest.mark.clause("5.16.1", "4.21")
async def test_a_snapshot_holds_what_its_queries_pick(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1, line={"type": "Property", "value": "7"}))
        await taken(house, {**BUSES, "pick": ["line"]})
        assert await within(house, "/entities/urn:x:bus:1") == {
            "id": "urn:x:bus:1",
            "type": "Bus",
            "line": {"type": "Property", "value": "7"},
        }


@pytest.mark.clause("5.16.1", "5.7.2")
async def test_what_sources_hold_is_in_a_snapshot(tmp_path: Path) -> None:
    source = Source([a_bus(7)])
    async with a_house(tmp_path) as house, sources(source):
        await created(house, a_bus(1))
        await registered(house, source, {"entities": [{"type": "Bus"}]})
        shown = await taken(house)
        assert shown["snapshotStatus"] == "success", shown
        asked = len(source.got)
        assert await ids(house) == ["urn:x:bus:1", "urn:x:bus:7"]
        assert len(source.got) == asked


@pytest.mark.clause("5.16.1")
async def test_more_than_a_snapshot_holds_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling.Budget, "entities", 1)
    monkeypatch.setattr(filling.Budget.__init__, "__defaults__", (1, 10_000, 10))
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1), a_bus(2))
        shown = await taken(house)
        (told,) = shown["snapshotQueriesDetails"]
        assert (shown["snapshotStatus"], told["resultStatus"]) == ("failure", "failure")
        assert told["problemDetails"]["code"] == "snapshot.size"
        assert await ids(house) == []


@pytest.mark.clause("5.16.1")
async def test_a_tenant_has_a_number_of_snapshots(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for n in range(model.MOST_SNAPSHOTS + 1):
            answer = await house.ask("POST", ALL, a_snapshot(id=f"urn:x:s:{n}"))
        assert (answer.status_code, answer.json()["code"]) == (413, "snapshot.many")


@pytest.mark.clause("5.16.2", "6.38")
async def test_a_clone_outlives_what_it_was_made_from(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        await taken(house)
        members = {"type": "Snapshot", "id": "urn:x:clone", "snapshotPriority": 9}
        answer = await house.ask("POST", f"{ALL}/{ONE}/clone", members)
        assert answer.headers["location"] == "/ngsi-ld/v1/snapshots/urn:x:clone"
        shown = await ready(house, "urn:x:clone")
        assert (shown["snapshotStatus"], shown["snapshotPriority"]) == ("success", 9)
        await house.ask("DELETE", f"{ALL}/{ONE}")
        await house.city.snapshots.round()
        assert await ids(house, "urn:x:clone") == ["urn:x:bus:1"]
        answer = await house.ask("POST", f"{ALL}/{ONE}/clone", members)
        assert answer.status_code == 404


@pytest.mark.clause("5.16.4")
async def test_priority_and_lifetime_of_a_snapshot_can_be_changed(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await taken(house)
        change = {"snapshotPriority": 2, "snapshotLifetime": "P3650D"}
        answer = await house.ask("PATCH", f"{ALL}/{ONE}", change)
        assert (answer.status_code, answer.json()["snapshotPriority"]) == (200, 2)
        assert (await ready(house))["expiresAt"].startswith("2026-11-29T08:0")
        for wrong in ({"id": "urn:x:other"}, {"snapshotQueries": [BUSES]}):
            assert (await house.ask("PATCH", f"{ALL}/{ONE}", wrong)).status_code == 400


@pytest.mark.clause("5.16.5", "5.16.7")
async def test_snapshots_are_deleted_and_purged_and_nothing_of_them_stays(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        for name, priority in (("a", 1), ("b", 3), ("c", 8)):
            await taken(house, id=f"urn:x:{name}", snapshotPriority=priority)
        assert (await house.ask("DELETE", f"{ALL}/urn:x:a")).status_code == 204
        assert (await house.ask("DELETE", f"{ALL}?q=speed%3E50")).status_code == 400
        assert (await house.ask("DELETE", ALL)).status_code == 400
        assert (await house.ask("DELETE", f"{ALL}?q=snapshotPriority%3C5")).status_code == 204
        await house.city.snapshots.round()
        found = [(await house.ask("GET", f"{ALL}/urn:x:{n}")).status_code for n in "abc"]
        assert found == [404, 404, 200]
        left = await house.city.store.work.read(
            lambda tx: tx.db.execute(
                "SELECT tenant LIKE '#snapshot:%', count(*) FROM entity GROUP BY 1 ORDER BY 1"
            ).fetchall()
        )
        assert left == [(0, 1), (1, 1)]


@pytest.mark.clause("5.16.1", "5.2.41")
async def test_a_snapshot_ends_by_itself(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        await taken(house, snapshotLifetime="PT1H")
        house.clock.advance(timedelta(hours=1, minutes=1))
        answer = await house.ask("GET", "/entities?type=Bus", NGSILD_Snapshot=ONE)
        assert answer.status_code == 404
        await house.city.snapshots.round()
        assert await taken(house)


@pytest.mark.clause("5.16.3")
async def test_what_was_being_prepared_when_the_city_stopped_has_failed(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        kept = model.Snapshot(
            "city", ONE, "#x", 2 * 10**15, model.with_defaults({"id": ONE}, "2026-11-22T08:00:00Z")
        )
        snapshots = house.city.snapshots
        await house.city.store.work.write(lambda tx: snapshots._store.put(tx, kept))
        answer = await house.ask("GET", "/entities?type=Bus", NGSILD_Snapshot=ONE)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        await snapshots.load()
        assert (await ready(house))["snapshotStatus"] == "failure"


@pytest.mark.clause("5.16.1")
async def test_snapshots_are_for_who_may_manage_them_and_have_their_lines(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        worker = await house.token("worker")
        answer = await house.ask("POST", ALL, a_snapshot(), token=worker)
        assert answer.status_code == 403
        await created(house, a_bus(1))
        await taken(house)
        assert await within(house, "/entities?type=Bus", token=worker)
        await house.ask("DELETE", f"{ALL}/{ONE}")
        lines = [line.action for line in await house.audit() if "snapshot" in line.action]
        assert lines == ["snapshot.create", "snapshot.delete"]
        assert await house.broken() == []
