"""Entity maps: pages of one set, whatever happens in between (clauses 5.5.9.3, 5.5.14, 5.14, 6.32–6.35)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.house import House, a_house, created, number, to_second

LOCAL: dict[str, Any] = {"token": "", "Host": "localhost:9090"}
V1 = "/ngsi-ld/v1"
WINDOW = "timerel=before&timeAt=2030-01-01T00:00:00Z&timeproperty=modifiedAt"


def a_bus(n: int) -> dict[str, Any]:
    return {"id": f"urn:x:bus:{n}", "type": "Bus", "speed": number(10 * n)}


async def _with_map(house: House, path: str, status: int = 201) -> str:
    answer = await house.ask("GET", path)
    assert answer.status_code == status, answer.text
    return str(answer.headers["ngsild-entitymap"])


async def _paged(house: House, where: str, query: str) -> httpx2.Response:
    return await house.ask("GET", f"/entities?{query}", NGSILD_EntityMap=where)


async def _held(house: House, where: str) -> list[str]:
    return list((await house.get(where.removeprefix(V1)))["entityMap"])


@pytest.mark.clause("5.14.4", "5.2.39", "6.34")
async def test_a_map_holds_what_the_query_finds_and_ends_by_itself(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1), a_bus(9))
        made = await house.ask("GET", "/entityMaps?type=Bus&q=speed%3E50")
        document = made.json()
        assert (made.status_code, document["type"]) == (201, "EntityMap")
        assert document["entityMap"] == {"urn:x:bus:9": ["@none"]}
        assert to_second(document["expiresAt"]) == "2026-11-22T09:00:00Z"
        where = made.headers["ngsild-entitymap"]
        assert await house.get(where.removeprefix(V1)) == document
        house.clock.advance(timedelta(hours=1, seconds=1))
        assert (await house.ask("GET", where.removeprefix(V1))).status_code == 404


@pytest.mark.clause("5.14.4", "6.4.3.2")
@pytest.mark.parametrize(
    ("lifetime", "end"),
    [("PT5M", "2026-11-22T08:05:00Z"), ("P3650D", "2026-11-23T08:00:00Z")],
)
async def test_the_lifetime_asked_for_is_kept_up_to_a_day(
    tmp_path: Path, lifetime: str, end: str
) -> None:
    async with a_house(tmp_path) as house:
        made = await house.ask("GET", f"/entityMaps?type=Bus&entityMapLifetime={lifetime}")
        assert made.json()["expiresAt"] == end


@pytest.mark.clause("5.14.4", "5.14.5")
@pytest.mark.parametrize(
    "path",
    [
        "/entityMaps?id=urn:x:1",
        "/entityMaps?type=Bus&entityMapLifetime=1hour",
        "/temporal/entityMaps?type=Bus",
        "/entities?type=Bus&entityMap=perhaps",
    ],
)
async def test_what_is_no_query_makes_no_map(tmp_path: Path, path: str) -> None:
    async with a_house(tmp_path) as house:
        answer = await house.ask("GET", path)
        assert (answer.status_code, "ngsild-entitymap" in answer.headers) == (400, False)


@pytest.mark.clause("5.5.9.3", "5.5.14", "6.3.10")
async def test_pages_are_of_the_set_that_the_first_query_found(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, *map(a_bus, range(4)))
        where = await _with_map(house, "/entities?type=Bus&limit=2&entityMap=true")
        await created(house, a_bus(5))
        second = await _paged(house, where, "type=Bus&limit=2&offset=2&count=true")
        assert [one["id"] for one in second.json()] == ["urn:x:bus:2", "urn:x:bus:3"]
        assert second.headers["ngsild-results-count"] == "4"
        assert second.headers["ngsild-entitymap"] == where
        assert 'rel="next"' not in second.headers["link"]


@pytest.mark.clause("5.5.9.3")
async def test_what_no_longer_fits_leaves_the_map_and_pages_stay_full(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, *map(a_bus, range(1, 6)))
        where = await _with_map(house, "/entities?type=Bus&q=speed&entityMap=true")
        await house.ask("DELETE", "/entities/urn:x:bus:1")
        await house.ask("DELETE", "/entities/urn:x:bus:3/attrs/speed")
        page = await _paged(house, where, "type=Bus&q=speed&limit=2")
        assert [one["id"] for one in page.json()] == ["urn:x:bus:2", "urn:x:bus:4"]
        assert await _held(house, where) == ["urn:x:bus:2", "urn:x:bus:4", "urn:x:bus:5"]


@pytest.mark.clause("5.5.14", "5.7.1", "5.7.2")
@pytest.mark.parametrize(
    ("path", "status"), [("/entities?type=Bus", 201), ("/entities/urn:x:bus:1", 200)]
)
async def test_a_map_that_is_not_there_is_made_anew(tmp_path: Path, path: str, status: int) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        answer = await house.ask("GET", path, NGSILD_EntityMap="urn:ngsi-ld:EntityMap:dead")
        where = answer.headers["ngsild-entitymap"]
        assert (answer.status_code, "dead" in where) == (status, False)
        assert await _held(house, where) == ["urn:x:bus:1"]


@pytest.mark.clause("5.14.5", "5.7.3", "5.7.4", "6.35")
async def test_the_past_is_paged_by_a_map_too(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1), a_bus(2))
        made = await house.ask("GET", f"/temporal/entityMaps?type=Bus&id=urn:x:bus:1&{WINDOW}")
        where = made.headers["ngsild-entitymap"]
        path = f"/temporal/entities?type=Bus&{WINDOW}"
        answer = await house.ask("GET", path, NGSILD_EntityMap=where)
        assert [one["id"] for one in answer.json()] == ["urn:x:bus:1"]
        one = await _with_map(house, "/temporal/entities/urn:x:bus:2?entityMap=true", 200)
        assert await _held(house, one) == ["urn:x:bus:2"]


@pytest.mark.clause("5.14.2")
async def test_only_the_end_of_a_map_can_be_changed(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        where = (await _with_map(house, "/entityMaps?type=Bus")).removeprefix(V1)
        told = {"expiresAt": "2026-11-22T08:30:00Z", "entityMap": {"urn:x:other": ["@none"]}}
        assert (await house.ask("PATCH", where, told)).status_code == 204
        kept = await house.get(where)
        assert (kept["expiresAt"], list(kept["entityMap"])) == (told["expiresAt"], ["urn:x:bus:1"])
        await house.ask("PATCH", where, {"expiresAt": "2099-01-01T00:00:00Z"})
        assert to_second((await house.get(where))["expiresAt"]) == "2026-11-23T08:00:00Z"
        assert (await house.ask("PATCH", where, {"expiresAt": "tomorrow"})).status_code == 400
        await house.ask("PATCH", where, {"expiresAt": "2000-01-01T00:00:00Z"})
        assert (await house.ask("GET", where)).status_code == 404


@pytest.mark.clause("5.14.1", "5.14.2", "5.14.3")
@pytest.mark.parametrize(("map_id", "status"), [("urn:x:none", 404), ("no%20uri", 400)])
async def test_a_map_that_does_not_exist_is_told(tmp_path: Path, map_id: str, status: int) -> None:
    async with a_house(tmp_path) as house:
        end = {"expiresAt": "2030-01-01T00:00:00Z"}
        assert (await house.ask("GET", f"/entityMaps/{map_id}")).status_code == status
        assert (await house.ask("PATCH", f"/entityMaps/{map_id}", end)).status_code == status
        assert (await house.ask("DELETE", f"/entityMaps/{map_id}")).status_code == status


@pytest.mark.clause("5.14.3", "4.14")
async def test_a_map_belongs_to_its_tenant_and_its_end_is_audited(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_bus(1))
        where = (await _with_map(house, "/entityMaps?type=Bus")).removeprefix(V1)
        other = await house.token("manager", tenant="north")
        for method in ("GET", "DELETE"):
            assert (await house.ask(method, where, token=other)).status_code == 404
        assert (await house.ask("DELETE", where)).status_code == 204
        assert (await house.ask("GET", where)).status_code == 404
        assert (await house.audit())[-1].action == "entity_map.delete"
