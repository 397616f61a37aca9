"""The past written and asked for: /temporal/entities (clauses 5.6.11–5.6.16, 5.7.3, 5.7.4, 6.3.10)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import V1, House, a_house, number, to_second

BUS = "urn:ngsi-ld:Bus:1"
AT = f"/temporal/entities/{BUS}"
WINDOW = "timerel=between&timeAt=2026-11-01T00:00:00Z&endTimeAt=2026-11-02T00:00:00Z"


def _hour(hour: int) -> str:
    return f"2026-11-01T{hour:02}:00:00Z"


def a_bus(*speeds: float, entity_id: str = BUS, **members: Any) -> dict[str, Any]:
    """Return a bus over time, one speed an hour from midnight on."""
    told = [number(speed, _hour(hour)) for hour, speed in enumerate(speeds)]
    return {"id": entity_id, "type": "Bus", "speed": told} | members


async def _tell(house: House, *buses: dict[str, Any]) -> None:
    for bus in buses:
        assert (await house.ask("POST", "/temporal/entities", bus)).status_code == 201


async def _ids(house: House, asked: str) -> list[str]:
    found = await house.get(f"/temporal/entities?type=Bus&{WINDOW}&{asked}")
    return [one["id"] for one in found]


def _values(document: dict[str, Any], name: str = "speed") -> list[Any]:
    return [one["value"] for one in document[name]]


@pytest.mark.clause("5.6.11")
async def test_what_is_told_of_the_past_is_the_present_too(tmp_path: Path) -> None:
    # 5.6.11: created once, extended afterwards; the newest instance is the current state.
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/temporal/entities", a_bus(10, 20))
        assert (response.status_code, response.text) == (201, "")
        assert response.headers["Location"] == f"{V1}{AT}"
        assert (await house.get(f"/entities/{BUS}"))["speed"]["value"] == 20
        more = a_bus(0, 0, 30) | {"type": ["Bus", "Tram"]}
        assert (await house.ask("POST", "/temporal/entities", more)).status_code == 204
        found = await house.get(AT)
        assert sorted(found["type"]) == ["Bus", "Tram"]
        # One instance a dataset and instant: the second word on it corrects the first.
        assert _values(found) == [0, 0, 30]


@pytest.mark.clause("5.6.12")
async def test_what_is_older_than_the_present_leaves_it_alone(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _tell(house, a_bus(10, 20))
        body = {"speed": [number(99, "2026-10-01T00:00:00Z")]}
        assert (await house.ask("POST", f"{AT}/attrs", body)).status_code == 204
        assert (await house.get(f"/entities/{BUS}"))["speed"]["value"] == 20
        assert _values(await house.get(AT)) == [99, 10, 20]


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.clause("5.6.14")
async def test_one_instance_is_changed_and_keeps_its_name(tmp_path: Path, sealed: bool) -> None:
    # 5.6.14
    async with a_house(tmp_path) as house:
        await _tell(house, a_bus(10, 20, 30))
        name = (await house.get(AT))["speed"][1]["instanceId"]
        if sealed:
            await house.city.store.history.seal()
        body = number(25, "2026-11-01T05:00:00Z")
        response = await house.ask("PATCH", f"{AT}/attrs/speed/{name}", body)
        assert response.status_code == 204, response.text
        for _ in range(2):
            found = await house.get(AT)
            assert _values(found) == [10, 30, 25]
            assert found["speed"][2]["instanceId"] == name
            await house.city.store.history.seal()


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.clause("5.6.15")
async def test_one_instance_is_deleted(tmp_path: Path, sealed: bool) -> None:
    # 5.6.15
    async with a_house(tmp_path) as house:
        await _tell(house, a_bus(10, 20, 30))
        name = (await house.get(AT))["speed"][1]["instanceId"]
        if sealed:
            await house.city.store.history.seal()
        path = f"{AT}/attrs/speed/{name}"
        assert (await house.ask("DELETE", path)).status_code == 204
        for _ in range(2):
            assert _values(await house.get(AT)) == [10, 30]
            assert _values(await house.get(f"{AT}?lastN=2")) == [30, 10]
            await house.city.store.history.seal()
        assert (await house.ask("DELETE", path)).status_code == 404


@pytest.mark.clause("5.6.13")
async def test_the_past_of_an_attribute_is_deleted_by_dataset(tmp_path: Path) -> None:
    # 5.6.13
    async with a_house(tmp_path) as house:
        other = number(7, _hour(0)) | {"datasetId": "urn:x:d"}
        bus = a_bus(10, 20)
        bus["speed"].append(other)
        await _tell(house, bus)
        path = f"{AT}/attrs/speed"
        assert (await house.ask("DELETE", f"{path}?datasetId=urn:x:d")).status_code == 204
        assert _values(await house.get(AT)) == [10, 20]
        assert (await house.ask("DELETE", f"{path}?datasetId=urn:x:e")).status_code == 404
        assert (await house.ask("DELETE", f"{path}?deleteAll=true")).status_code == 204
        assert (await house.ask("DELETE", path)).status_code == 404


@pytest.mark.clause("5.6.16")
async def test_the_past_is_deleted_and_the_present_stays(tmp_path: Path) -> None:
    # 5.6.16
    async with a_house(tmp_path) as house:
        await _tell(house, a_bus(10))
        assert (await house.ask("DELETE", AT)).status_code == 204
        assert (await house.ask("GET", AT)).status_code == 404
        assert (await house.ask("DELETE", AT)).status_code == 404
        assert (await house.get(f"/entities/{BUS}"))["speed"]["value"] == 10
        await _tell(house, a_bus(11))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"id": BUS, "speed": [number(1)]}, "type"),
        ({"type": "Bus", "speed": [number(1)]}, "id"),
        (a_bus(1, expiresAt="urn:ngsi-ld:null"), "expiresAt"),
        (a_bus(1, scope=[{"type": "Property", "value": "no scope"}]), "scope[0].value"),
        (a_bus(1, speed=[{"type": "Property"}]), "speed"),
    ],
)
@pytest.mark.clause("5.6.11", "6.3.2")
async def test_a_wrong_evolution_is_refused(tmp_path: Path, body: Any, param: str) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/temporal/entities", body)
        assert (response.status_code, response.json()["param"]) == (400, param)
        assert (await house.ask("GET", AT)).status_code == 404


@pytest.mark.clause("5.7.4")
async def test_filters_ask_the_instances_in_the_window(tmp_path: Path) -> None:
    # 5.7.4: a value outside the window satisfies no filter.
    async with a_house(tmp_path) as house:
        late = number(500, "2026-11-05T00:00:00Z")
        slow = a_bus(10, entity_id="urn:x:slow")
        slow["speed"].append(late)
        await _tell(house, a_bus(10, 90), slow)
        assert await _ids(house, "q=speed>80") == [BUS]
        assert await _ids(house, "q=speed>8") == [BUS, "urn:x:slow"]
        assert await _ids(house, "orderBy=id;desc") == ["urn:x:slow", BUS]
        assert await _ids(house, "idPattern=slow$") == ["urn:x:slow"]


@pytest.mark.clause("5.7.4", "6.3.10")
async def test_entities_come_in_pages_and_are_counted(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _tell(house, *(a_bus(10, entity_id=f"urn:x:{n}") for n in range(3)))
        path = f"/temporal/entities?type=Bus&{WINDOW}&limit=2&count=true"
        response = await house.ask("GET", path)
        assert [one["id"] for one in response.json()] == ["urn:x:0", "urn:x:1"]
        assert response.headers["NGSILD-Results-Count"] == "3"
        assert 'rel="next"' in response.headers["Link"]
        # A page that ends early must not leave its reader with an old view of the data.
        for n in range(8):
            await _tell(house, a_bus(10, entity_id=f"urn:x:more{n}"))
            assert len(await _ids(house, f"id=urn:x:more{n}")) == 1


@pytest.mark.clause("6.3.10")
async def test_more_than_a_page_of_instances_is_cut_by_time(tmp_path: Path) -> None:
    # 6.3.10: 206 with the range that the page covers.
    async with a_house(tmp_path) as house:
        told = [number(n, f"2026-11-01T00:{n:02}:00Z") for n in range(20)]
        await _tell(house, {"id": BUS, "type": "Bus", "a": told, "b": told})
        response = await house.ask("GET", f"{AT}?timerel=after&timeAt=2026-10-01T00:00:00Z")
        assert response.status_code == 206
        end = response.headers["Content-Range"]
        assert end == "date-time 2026-10-01T00:00:00Z-2026-11-01T00:14:00Z/*"
        assert [len(response.json()[name]) for name in "ab"] == [15, 15]
        response = await house.ask("GET", f"{AT}?lastN=20")
        assert response.status_code == 206
        end = response.headers["Content-Range"]
        assert end == "date-time 2026-11-01T00:19:00Z-2026-11-01T00:05:00Z/20"
        assert (await house.ask("GET", f"{AT}?lastN=5")).status_code == 200


@pytest.mark.clause("4.18", "5.7.4")
async def test_scopes_are_part_of_the_past(tmp_path: Path) -> None:
    # 4.5.6, 4.18: a scope holds until the next one.
    async with a_house(tmp_path) as house:
        scopes = [
            {"type": "Property", "value": "/old", "observedAt": _hour(0)},
            {"type": "Property", "value": "/new", "observedAt": _hour(2)},
        ]
        await _tell(house, a_bus(10, 20, 30, scope=scopes))
        assert (await house.get(f"/entities/{BUS}"))["scope"] == "/new"
        (old,) = await house.get(f"/temporal/entities?type=Bus&{WINDOW}&scopeQ=/old")
        assert _values(old) == [10, 20]
        assert await _ids(house, "scopeQ=/other") == []
        await house.ask("DELETE", f"/entities/{BUS}/attrs/scope")
        (gone,) = (await house.get(f"{AT}?timeproperty=deletedAt"))["scope"]
        assert (gone["value"], to_second(gone["deletedAt"])) == ([], "2026-11-22T08:00:00Z")


@pytest.mark.clause("6.24.3", "5.7.4")
async def test_the_same_is_asked_by_a_body(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _tell(house, a_bus(10, 20))
        window = {"timerel": "after", "timeAt": _hour(1)}
        body = {"type": "Query", "entities": [{"type": "Bus"}], "temporalQ": window}
        path = "/temporal/entityOperations/query"
        response = await house.ask("POST", path, body)
        assert [_values(one) for one in response.json()] == [[20]]
        body["aggrParams"] = {"aggrMethods": ["avg"], "aggrPeriodDuration": "PT0S"}
        (found,) = (await house.ask("POST", path, body)).json()
        assert found["speed"]["avg"][0][0] == 20


@pytest.mark.parametrize(
    "asked",
    [
        "id=urn:x:1",
        "attrs=createdAt",
        "type=Bus&pick=owner{name}",
        "type=Bus&orderBy=name",
        "type=Bus&pick=speed&omit=speed",
        "type=Bus&pick=speed&attrs=speed",
        "type=Bus&options=aggregatedValues",
        "type=Bus&limit=0",
    ],
)
@pytest.mark.clause("5.7.4", "6.3.2")
async def test_a_wrong_query_over_time_is_refused(tmp_path: Path, asked: str) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("GET", f"/temporal/entities?{WINDOW}&{asked}")
        assert response.status_code == 400
        assert response.json()["type"].endswith("/BadRequestData")
        response = await house.ask("GET", "/temporal/entities?type=Bus")
        assert response.json()["param"] == "timerel"
