"""The SensorThings view over real HTTP: what the city holds, in the words of the standard, for who may read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from chengmai.connect.formats.sensorthings import SensorThingsFormat
from chengmai.packs.sources import SensorThingsSource
from tests.api.house import STATION, House, a_house, a_station

ROOT = "/sta/v1.1"
STREAM = f"{STATION}~pm25"


def an_instance(hour: int, value: float) -> dict[str, Any]:
    at = f"2026-11-22T{hour:02}:00:00Z"
    return {"type": "Property", "value": value, "unitCode": "GQ", "observedAt": at}


@asynccontextmanager
async def a_city(folder: Path) -> AsyncIterator[House]:
    """Give a city with one station, observed at 05, 06 and 07, and one without a past."""
    async with a_house(folder) as house:
        await house.ask("POST", "/entities", a_station(pm25=an_instance(5, 10)))
        for hour, value in ((6, 20.0), (7, 42.5)):
            change = {"pm25": an_instance(hour, value)}
            await house.ask("PATCH", f"/entities/{STATION}/attrs", change)
        other = a_station("urn:ngsi-ld:AirQualityObserved:wanliu", pm25=an_instance(7, 8))
        await house.ask("POST", "/entities", other)
        yield house


async def ask(house: House, path: str, token: str | None = None) -> httpx2.Response:
    bearer = house.bearer if token is None else token
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return await house.client.get(ROOT + path, headers=headers)


async def get(house: House, path: str) -> Any:
    response = await ask(house, path)
    assert response.status_code == 200, response.text
    return response.json()


async def test_the_root_names_the_sets(tmp_path: Path) -> None:
    async with a_city(tmp_path) as house:
        names = [one["name"] for one in (await get(house, ""))["value"]]
    assert names == ["Things", "Locations", "Datastreams", "ObservedProperties", "Observations"]


async def test_entities_are_things_with_location_and_datastreams(tmp_path: Path) -> None:
    async with a_city(tmp_path) as house:
        found = await get(house, f"/Things('{STATION}')?$expand=Locations,Datastreams")
    assert (found["name"], found["description"]) == ("东四", "AirQualityObserved")
    assert found["properties"]["areaServed"] == "东城区"
    assert found["Locations"][0]["location"]["type"] == "Point"
    assert [one["@iot.id"] for one in found["Datastreams"]] == [STREAM]
    assert found["Datastreams"][0]["unitOfMeasurement"]["symbol"] == "µg/m³"


async def test_pages_follow_the_next_link_and_the_count_is_of_all(tmp_path: Path) -> None:
    async with a_city(tmp_path) as house:
        asked = "$filter=description eq 'AirQualityObserved'&$top=1&$count=true"
        first = await get(house, f"/Things?{asked}")
        following = first["@iot.nextLink"].partition(ROOT)[2]
        second = await get(house, following)
    assert first["@iot.count"] == 2
    assert first["value"][0]["@iot.id"] < second["value"][0]["@iot.id"]
    assert "@iot.nextLink" not in second


async def test_observations_are_those_of_the_past_in_either_order(tmp_path: Path) -> None:
    async with a_city(tmp_path) as house:
        path = f"/Datastreams('{STREAM}')/Observations"
        down = await get(house, path)
        up = await get(house, f"{path}?$orderby=phenomenonTime asc&$top=2&$count=true")
        one = await get(house, f"{path}?$top=1")
        single = await get(house, f"/Observations('{one['value'][0]['@iot.id']}')")
    assert [o["result"] for o in down["value"]] == [42.5, 20.0, 10.0]
    assert ([o["result"] for o in up["value"]], up["@iot.count"]) == ([10.0, 20.0], 3)
    assert single["result"] == 42.5
    assert "@iot.nextLink" in up


async def test_observations_are_filtered_by_time_and_result(tmp_path: Path) -> None:
    async with a_city(tmp_path) as house:
        path = f"/Datastreams('{STREAM}')/Observations?$filter="
        later = await get(house, f"{path}phenomenonTime gt 2026-11-22T05:00:00Z and result lt 40")
        before = await get(house, f"{path}phenomenonTime le 2026-11-22T05:00:00Z")
    assert [o["result"] for o in later["value"]] == [20.0]
    assert [o["result"] for o in before["value"]] == [10.0]


async def test_datastreams_are_filtered_by_what_they_belong_to(tmp_path: Path) -> None:
    async with a_city(tmp_path) as house:
        mine = f"Thing/@iot.id eq '{STATION}' and ObservedProperty/name eq 'pm25'"
        found = await get(house, f"/Datastreams?$filter={mine}&$expand=Thing,Observations($top=1)")
        (stream,) = found["value"]
        none = await get(house, "/Datastreams?$filter=startswith(name,'x')")
    assert stream["Thing"]["@iot.id"] == STATION
    assert stream["Observations"][0]["result"] == 42.5
    assert none["value"] == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Sensors", 404),
        ("/Things('urn:ngsi-ld:X:none')", 404),
        ("/Things/Datastreams", 404),
        ("/Observations", 400),
        ("/Things?$select=name", 400),
        ("/Things?$filter=name like 'x'", 400),
        ("/Things?$filter=name eq 'x' or name eq 'y'", 400),
        ("/Things?$top=-1", 400),
        ("/Things?$expand=Things", 400),
        ("/Things?$expand=Datastreams(", 400),
        (f"/Datastreams('{STREAM}')/Observations?$orderby=result", 400),
        (f"/Datastreams('{STREAM}')/Observations?$filter=phenomenonTime gt yesterday", 400),
    ],
)
async def test_what_is_not_offered_is_refused_with_a_reason(
    tmp_path: Path, path: str, status: int
) -> None:
    async with a_city(tmp_path) as house:
        response = await ask(house, path)
    assert response.status_code == status, response.text
    assert response.json()["detail"]


async def test_nobody_reads_without_the_right_to_and_nothing_is_written(tmp_path: Path) -> None:
    async with a_city(tmp_path) as house:
        citizen = await house.token("citizen")
        statuses = [
            (await ask(house, "/Things", token="")).status_code,
            (await ask(house, "/Things", token=citizen)).status_code,
            (await house.client.post(f"{ROOT}/Things", headers=bearer(house), json={})).status_code,
        ]
    assert statuses == [401, 403, 405]


async def test_another_tenant_sees_nothing_of_it(tmp_path: Path) -> None:
    async with a_city(tmp_path) as house:
        token = await house.token("manager", tenant="city")
        assert (await ask(house, f"/Things('{STATION}')", token=token)).status_code == 200
        stranger = await a_stranger(house)
        assert (await ask(house, f"/Things('{STATION}')", token=stranger)).status_code == 404


async def a_stranger(house: House) -> str:
    from chengmai.kernel.actors import Actor

    admin = Actor("sys:tests", "town", frozenset({"admin"}), "tests")
    return (await house.city.trust.tokens.create_token("x", ("manager",), by=admin)).secret


def bearer(house: House) -> dict[str, str]:
    return {"Authorization": f"Bearer {house.bearer}"}


async def test_our_own_reader_of_sensorthings_reads_the_view(tmp_path: Path) -> None:
    async with a_city(tmp_path / "city") as house:
        get_ = Through(house, tmp_path)
        form = SensorThingsFormat(SensorThingsSource(latest=2), "http://city.test" + ROOT)
        documents = await form.gather(get_)
        items = list(form.items(documents, house.clock.now()))
    records = [item.record for item in items if item.record and item.record["thing_id"] == STATION]
    assert [(r["pm25"], r["unit_code"], r["thing"]) for r in records] == [
        (20.0, "GQ", "东四"),
        (42.5, "GQ", "东四"),
    ]


class Through:
    """Fetches through the city's own application; implements `formats.ports.Get` as far as it is needed."""

    def __init__(self, house: House, folder: Path) -> None:
        self._house, self._folder, self._count = house, folder, 0

    async def __call__(self, address: str, /, *, most: int | None = None) -> Any:
        from chengmai.connect.formats.ports import Document

        self._count += 1
        response = await self._house.client.get(
            quote(address, safe="$(),;=/:'@~?&%"), headers=bearer(self._house)
        )
        assert response.status_code == 200, response.text
        path = self._folder / f"{self._count}.json"
        path.write_bytes(response.content)
        return Document(address, path, str(self._count))

    def beside(self, address: str, link: str) -> str:
        return link

    def matching(self, address: str) -> list[str]:
        return [address]

    async def keep(self, address: str, content: bytes) -> Any: ...

    async def host(self, host: str, port: int) -> str:
        return host
