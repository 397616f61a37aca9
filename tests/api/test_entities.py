"""One entity over HTTP: created, read in every form, deleted (clauses 6.4 and 6.5)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import CORE_LINK, STATION, V1, a_house, a_station, created, number


@pytest.mark.clause("5.6.1", "5.7.1")
async def test_a_created_entity_is_found_at_its_location(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/entities", a_station())
        assert response.status_code == 201
        assert response.headers["Location"] == f"{V1}/entities/{STATION}"
        assert response.content == b""
        found = await house.client.get(
            response.headers["Location"], headers={"Authorization": f"Bearer {house.bearer}"}
        )
        assert found.json() == a_station()
        assert found.headers["Content-Type"] == "application/json"
        assert found.headers["Link"] == CORE_LINK


@pytest.mark.clause("5.6.1")
async def test_an_id_with_odd_characters_is_found_at_its_location(tmp_path: Path) -> None:
    odd = "urn:ngsi-ld:Station:东四?50%#1"
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/entities", a_station(odd))
        location = response.headers["Location"]
        found = await house.ask("GET", location.removeprefix(V1))
        assert found.status_code == 200, location
        assert found.json()["id"] == odd


@pytest.mark.parametrize(
    ("asked", "member", "shown"),
    [
        ("", "pm25", a_station()["pm25"]),
        ("?options=normalized", "pm25", a_station()["pm25"]),
        ("?options=concise", "ownedBy", {"object": "urn:ngsi-ld:Organization:eco"}),
        ("?format=concise", "areaServed", "东城区"),
        ("?options=keyValues", "pm25", 42.5),
        ("?options=keyValues", "ownedBy", "urn:ngsi-ld:Organization:eco"),
        ("?format=simplified", "name", {"languageMap": {"zh": "东四", "en": "Dongsi"}}),
        ("?format=keyValues&lang=en", "name", "Dongsi"),
        ("?lang=zh", "name", {"type": "Property", "value": "东四", "lang": "zh"}),
        ("?lang=fr,en;q=0.5", "name", {"type": "Property", "value": "Dongsi", "lang": "en"}),
    ],
)
@pytest.mark.clause("6.3.7", "4.5.4")
async def test_an_entity_is_shown_in_the_form_asked_for(
    tmp_path: Path, asked: str, member: str, shown: Any
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        assert (await house.get(f"/entities/{STATION}{asked}"))[member] == shown


@pytest.mark.clause("6.3.11", "4.8")
async def test_system_attributes_come_only_when_asked_for(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        assert "createdAt" not in await house.get(f"/entities/{STATION}")
        house.clock.advance(timedelta(minutes=1))
        await house.ask("PATCH", f"/entities/{STATION}/attrs/pm25", {"value": 43})
        found = await house.get(f"/entities/{STATION}?options=sysAttrs,concise")
        assert found["createdAt"] == "2026-11-22T08:00:00Z"
        assert found["modifiedAt"] == "2026-11-22T08:01:00Z"
        assert found["pm25"]["createdAt"] == "2026-11-22T08:00:00Z"
        assert found["pm25"]["modifiedAt"] == "2026-11-22T08:01:00Z"
        assert found["location"]["modifiedAt"] == "2026-11-22T08:00:00Z"


@pytest.mark.clause("5.7.1")
async def test_attrs_keeps_the_attributes_named(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        found = await house.get(f"/entities/{STATION}?attrs=pm25,absent")
        assert set(found) == {"id", "type", "pm25"}


@pytest.mark.clause("6.3.5", "6.3.6")
async def test_json_ld_carries_its_context_in_the_body(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask("GET", f"/entities/{STATION}", Accept="application/ld+json")
        assert response.headers["Content-Type"] == "application/ld+json"
        assert "Link" not in response.headers
        assert response.json()["@context"].endswith("ngsi-ld-core-context-v1.9.jsonld")


@pytest.mark.clause("6.3.15", "4.5.16")
async def test_geojson_shows_a_feature(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask(
            "GET", f"/entities/{STATION}?options=keyValues", Accept="application/geo+json"
        )
        assert response.headers["Content-Type"] == "application/geo+json"
        feature = response.json()
        assert feature["type"] == "Feature"
        assert feature["geometry"] == {"type": "Point", "coordinates": [116.417, 39.929]}
        assert feature["properties"]["pm25"] == 42.5


@pytest.mark.clause("5.5.7", "6.3.5")
async def test_names_are_expanded_by_the_context_of_the_body(tmp_path: Path) -> None:
    context = {"fine": "https://city.example/pm25", "Air": "https://city.example/Air"}
    async with a_house(tmp_path) as house:
        entity = {"id": STATION, "type": "Air", "fine": {"type": "Property", "value": 1}}
        response = await house.ask("POST", "/entities", entity | {"@context": context}, ld=True)
        assert response.status_code == 201
        found = await house.get(f"/entities/{STATION}?format=keyValues")
        assert found == {
            "id": STATION,
            "type": "https://city.example/Air",
            "https://city.example/pm25": 1,
        }


async def test_head_is_a_get_without_its_body(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask("HEAD", f"/entities/{STATION}")
        assert response.status_code == 200
        assert response.content == b""
        assert int(response.headers["Content-Length"]) > 100


@pytest.mark.clause("5.6.1", "6.3.2")
async def test_an_entity_is_created_once(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask("POST", "/entities", a_station(pm25=number(1)))
        assert response.status_code == 409
        assert response.json()["type"].endswith("/AlreadyExists")
        assert (await house.get(f"/entities/{STATION}"))["pm25"]["value"] == 42.5


@pytest.mark.clause("5.6.6")
async def test_a_deleted_entity_is_gone_with_its_past(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        assert (await house.ask("DELETE", f"/entities/{STATION}")).status_code == 204
        for path in (f"/entities/{STATION}", f"/temporal/entities/{STATION}"):
            assert (await house.ask("GET", path)).status_code == 404
        assert (await house.ask("DELETE", f"/entities/{STATION}")).status_code == 404
        await created(house, a_station(pm25={"type": "Property", "value": 1}))
        assert "pm25" not in await house.get(f"/temporal/entities/{STATION}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "no-uri", "type": "T"},
        {"type": "T"},
        {"id": "urn:x:1"},
        {"id": "urn:x:1", "type": 5},
        {"id": "urn:x:1", "type": []},
        {"id": "urn:x:1", "type": "T", "a": {"type": "Property"}},
        {"id": "urn:x:1", "type": "T", "a": {"type": "Relationship", "object": 5}},
        {"id": "urn:x:1", "type": "T", "a": {"type": "Property", "value": None}},
        {"id": "urn:x:1", "type": "T", "a": {"type": "Nonsense", "value": 1}},
        {"id": "urn:x:1", "type": "T", "a": {"value": 1, "observedAt": "yesterday"}},
        {"id": "urn:x:1", "type": "T", "a": [{"value": 1}, {"value": 2}]},
        {
            "id": "urn:x:1",
            "type": "T",
            "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [500]}},
        },
        {"id": "urn:x:1", "type": "T", "scope": 3},
    ],
)
@pytest.mark.clause("5.5.4", "5.6.1")
async def test_a_malformed_entity_is_refused_and_nothing_is_written(
    tmp_path: Path, wrong: Any
) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("POST", "/entities", wrong)
        assert response.status_code == 400, response.text
        assert response.json()["type"].endswith("/BadRequestData")
        assert (await house.get("/types"))["typeList"] == []


@pytest.mark.clause("5.7.7")
async def test_types_are_counted(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(
            house,
            a_station(),
            a_station("urn:x:2"),
            {"id": "urn:x:3", "type": ["Pump", "Device"]},
        )
        listed = await house.get("/types")
        assert listed["type"] == "EntityTypeList"
        assert sorted(listed["typeList"]) == ["AirQualityObserved", "Device", "Pump"]
        about = await house.get("/types/AirQualityObserved")
        assert (about["typeName"], about["entityCount"]) == ("AirQualityObserved", 2)
        missing = await house.ask("GET", "/types/Unheard")
        assert missing.status_code == 404
        assert missing.json()["type"].endswith("/ResourceNotFound")
