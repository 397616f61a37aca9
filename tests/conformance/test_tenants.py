"""Tenants, and what every request must bring and every answer carries (clauses 4.14, 5.5.10, 6.3.4, 6.3.14)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.api.house import House, a_house, a_station, created

LOCAL: dict[str, Any] = {"token": "", "Host": "localhost:9090"}
NONEXISTENT = "https://uri.etsi.org/ngsi-ld/errors/NonexistentTenant"
SUBSCRIPTION = {
    "id": "urn:ngsi-ld:Subscription:one",
    "type": "Subscription",
    "entities": [{"type": "T"}],
    "notification": {"endpoint": {"uri": "http://127.0.0.1:9/there"}},
}


async def _in(
    house: House, tenant: str, method: str, path: str, body: Any = None
) -> httpx2.Response:
    return await house.ask(method, path, body, **(LOCAL | {"NGSILD_Tenant": tenant}))


@pytest.mark.clause("5.5.10")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/entities?type=T", None),
        ("GET", "/entities/urn:x:1", None),
        ("DELETE", "/entities/urn:x:1", None),
        ("PATCH", "/entities/urn:x:1/attrs", {"a": 1}),
        ("POST", "/entityOperations/update", [{"id": "urn:x:1", "type": "T"}]),
        ("POST", "/entityOperations/delete", ["urn:x:1"]),
        ("GET", "/temporal/entities?type=T&timerel=before&timeAt=2026-01-01T00:00:00Z", None),
        ("GET", "/types", None),
        ("GET", "/subscriptions", None),
    ],
)
async def test_what_does_not_create_is_refused_in_a_tenant_that_is_not_there(
    tmp_path: Path, method: str, path: str, body: Any
) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        answer = await _in(house, "nowhere", method, path, body)
        assert (answer.status_code, answer.json()["type"]) == (404, NONEXISTENT)
        assert answer.headers["ngsild-tenant"] == "nowhere"


@pytest.mark.clause("5.5.10", "4.14")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/entities", a_station()),
        ("/entityOperations/create", [a_station()]),
        ("/entityOperations/upsert", [a_station()]),
        ("/temporal/entities", {"id": "urn:x:1", "type": "T", "a": [{"value": 1}]}),
        ("/subscriptions", SUBSCRIPTION),
    ],
)
async def test_what_creates_makes_the_tenant_and_no_other_sees_it(
    tmp_path: Path, path: str, body: Any
) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        made = await _in(house, "north", "POST", path, body)
        assert (made.status_code, made.headers["ngsild-tenant"]) == (201, "north")
        assert (await _in(house, "north", "GET", "/types")).status_code == 200
        assert (await _in(house, "south", "GET", "/types")).status_code == 404
        own = await house.ask("GET", "/types", **LOCAL)
        assert own.json()["typeList"] == []
        assert (await house.ask("GET", "/subscriptions", **LOCAL)).json() == []


@pytest.mark.clause("5.5.10")
async def test_a_creation_that_fails_makes_no_tenant(tmp_path: Path) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        assert (await _in(house, "north", "POST", "/entities", {"id": 1})).status_code == 400
        assert (await _in(house, "north", "GET", "/types")).status_code == 404


@pytest.mark.clause("5.5.10")
async def test_a_tenant_stays_when_it_is_emptied_and_after_a_restart(tmp_path: Path) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        await _in(house, "north", "POST", "/entities", a_station("urn:x:1"))
        assert (await _in(house, "north", "DELETE", "/entities/urn:x:1")).status_code == 204
    async with a_house(tmp_path, open_access=True) as house:
        answer = await _in(house, "north", "GET", "/entities?type=AirQualityObserved")
        assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.clause("5.5.10", "6.3.14")
async def test_who_names_no_tenant_asks_the_default_one(tmp_path: Path) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        answer = await house.ask("GET", "/entities?type=T", **LOCAL)
        assert (answer.status_code, "ngsild-tenant" in answer.headers) == (200, False)


@pytest.mark.clause("4.14")
@pytest.mark.parametrize("name", ["a b", "-a", "a'b", "ä", "x" * 300])
async def test_a_name_that_no_tenant_can_have_is_refused(tmp_path: Path, name: str) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        headers = {b"Host": b"localhost:9090", b"NGSILD-Tenant": name.encode()}
        answer = await house.client.request(
            "POST", "/ngsi-ld/v1/entities", headers=headers, json=a_station()
        )
        assert (answer.status_code, answer.json()["param"]) == (400, "NGSILD-Tenant")


@pytest.mark.clause("4.14")
async def test_credentials_belong_to_one_tenant_whatever_the_header_says(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        other = await house.token("manager", tenant="north")
        assert await house.get("/entities?type=AirQualityObserved", token=other) == []
        answer = await house.ask("GET", "/types", token=other, NGSILD_Tenant="city")
        assert answer.status_code == 400
        assert (await house.ask("GET", "/types", token=other, NGSILD_Tenant="north")).is_success


async def _chunks() -> AsyncIterator[bytes]:
    yield b'{"id": "urn:x:1", "type": "T"}'


@pytest.mark.clause("6.3.2", "6.3.4")
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/entities"), ("PATCH", "/entities/urn:x:1/attrs"), ("PUT", "/entities/urn:x:1")],
)
async def test_a_body_without_its_length_is_answered_with_a_bare_411(
    tmp_path: Path, method: str, path: str
) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        headers = {
            "Host": "localhost:9090",
            "Content-Type": "application/json",
            "NGSILD-Tenant": "nowhere",
        }
        answer = await house.client.request(
            method, "/ngsi-ld/v1" + path, headers=headers, content=_chunks()
        )
        assert (answer.status_code, answer.content) == (411, b"")


@pytest.mark.clause("6.3.6")
async def test_an_answer_without_content_has_no_length(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station("urn:x:1"))
        answer = await house.ask("DELETE", "/entities/urn:x:1")
        assert (answer.status_code, "content-length" in answer.headers) == (204, False)
