"""Open access: a test profile that answers without credentials, on this machine only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from chengmai.cli.doctor import _access
from chengmai.settings import Settings
from tests.api.house import House, a_house, a_station, created

LOCAL: dict[str, Any] = {"token": "", "Host": "localhost:9090"}


async def _local(house: House, method: str, path: str, body: object = None, **headers: str) -> int:
    response = await house.ask(method, path, body, **(LOCAL | headers))
    return response.status_code


def test_it_is_off_unless_it_is_asked_for() -> None:
    assert not Settings().open_access


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "city.example"])
def test_it_is_refused_where_other_machines_can_ask(host: str) -> None:
    with pytest.raises(ValidationError, match="listen on 127"):
        Settings(host=host, open_access=True)


async def test_a_program_without_credentials_reads_writes_and_deletes(tmp_path: Path) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        station = a_station()
        assert await _local(house, "POST", "/entities", station) == 201
        assert await _local(house, "GET", f"/entities/{station['id']}") == 200
        assert await _local(house, "DELETE", f"/entities/{station['id']}") == 204
        assert [line.actor for line in await house.audit()][-1] == "open:local"


async def test_the_tenant_header_chooses_whose_city_it_is(tmp_path: Path) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        station = a_station()
        assert await _local(house, "POST", "/entities", station, NGSILD_Tenant="north") == 201
        assert await _local(house, "GET", f"/entities/{station['id']}") == 404
        path = f"/entities/{station['id']}"
        found = await house.ask("GET", path, **(LOCAL | {"NGSILD_Tenant": "north"}))
        assert (found.status_code, found.headers["ngsild-tenant"]) == (200, "north")


async def test_a_page_of_another_site_is_kept_out(tmp_path: Path) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        assert await _local(house, "GET", "/types", Host="evil.example") == 401
        assert await _local(house, "GET", "/types", Origin="https://evil.example") == 401
        assert await _local(house, "GET", "/types", Origin="http://localhost:8026") == 200


async def test_a_wrong_token_is_not_turned_into_open_access(tmp_path: Path) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        assert await _local(house, "GET", "/types", Authorization="Bearer nonsense") == 401


async def test_without_it_nobody_is_let_in(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        assert await _local(house, "GET", "/types") == 401


async def test_health_and_doctor_show_it(tmp_path: Path) -> None:
    async with a_house(tmp_path, open_access=True) as house:
        assert (await house.client.get("/health")).json() == {"status": "ok", "access": "open"}
        assert "OPEN" in _access(house.city.settings).seen
    assert "OPEN" not in _access(Settings()).seen
