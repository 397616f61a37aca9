"""Changing an entity over HTTP: append, update, partial update, merge, replace, delete (6.5 to 6.7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chengmai.ngsild.entity import name_iri
from tests.api.house import STATION, a_house, a_station, created, number

AT = f"/entities/{STATION}"


@pytest.mark.clause("5.6.3")
async def test_append_adds_and_overwrites(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        body = {"pm10": number(80), "pm25": number(50)}
        assert (await house.ask("POST", f"{AT}/attrs", body)).status_code == 204
        found = await house.get(f"{AT}?format=keyValues")
        assert (found["pm10"], found["pm25"]) == (80, 50)


@pytest.mark.clause("5.6.3", "5.2.18")
async def test_append_without_overwriting_tells_what_it_left(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        body = {"pm10": number(80), "pm25": number(50)}
        response = await house.ask("POST", f"{AT}/attrs?options=noOverwrite", body)
        assert response.status_code == 207
        assert response.json()["updated"] == [name_iri("pm10")]
        left = [one["attributeName"] for one in response.json()["notUpdated"]]
        assert left == [name_iri("pm25")]
        assert (await house.get(f"{AT}?format=keyValues"))["pm25"] == 42.5


@pytest.mark.clause("5.6.2")
async def test_update_replaces_what_is_there_and_adds_what_is_not(tmp_path: Path) -> None:
    """Clause 5.6.2."""
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        body = {"pm10": number(80), "pm25": number(50), "type": "Monument"}
        response = await house.ask("PATCH", f"{AT}/attrs", body)
        assert response.status_code == 204
        found = await house.get(f"{AT}?format=keyValues")
        assert (found["pm25"], found["pm10"]) == (50, 80)
        assert found["type"] == ["AirQualityObserved", "Monument"]


@pytest.mark.clause("5.6.2", "5.2.18")
async def test_an_update_with_null_tells_what_was_not_there(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask("PATCH", f"{AT}/attrs", {"pm10": None, "pm25": number(50)})
        assert response.status_code == 207
        assert response.json()["updated"] == [name_iri("pm25")]


@pytest.mark.clause("5.6.19")
async def test_replacing_an_attribute_leaves_nothing_of_the_old_one(tmp_path: Path) -> None:
    """Clause 5.6.19: the instance with the same datasetId is replaced as a whole, others stay."""
    async with a_house(tmp_path) as house:
        other = number(1) | {"datasetId": "urn:d:1"}
        await created(house, a_station(pm25=[number(2, "2026-11-22T07:00:00Z"), other]))
        assert (await house.ask("PUT", f"{AT}/attrs/pm25", {"value": 7})).status_code == 204
        assert (await house.get(AT))["pm25"] == [number(7), other]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/attrs/nothing", 404),
        ("/attrs/scope", 400),
        ("/attrs/@bad", 400),
    ],
)
@pytest.mark.clause("5.6.19")
async def test_only_an_attribute_that_is_there_can_be_replaced(
    tmp_path: Path, path: str, status: int
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        assert (await house.ask("PUT", AT + path, {"value": 7})).status_code == status


@pytest.mark.clause("5.6.4", "5.5.8")
async def test_a_partial_update_keeps_the_other_members(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask("PATCH", f"{AT}/attrs/pm25", {"value": 7})
        assert response.status_code == 204
        assert (await house.get(AT))["pm25"] == a_station()["pm25"] | {"value": 7}


@pytest.mark.clause("5.6.4", "4.5.5")
async def test_a_partial_update_of_one_of_several_instances_leaves_the_others(
    tmp_path: Path,
) -> None:
    two = [number(1), number(2) | {"datasetId": "urn:x:b"}]
    async with a_house(tmp_path) as house:
        await created(house, a_station(pm25=two))
        body = {"value": 3, "datasetId": "urn:x:b"}
        assert (await house.ask("PATCH", f"{AT}/attrs/pm25", body)).status_code == 204
        found = (await house.get(AT))["pm25"]
        assert found == [two[0], two[1] | {"value": 3}]


@pytest.mark.clause("5.6.17", "5.5.12")
async def test_a_merge_goes_into_values(tmp_path: Path) -> None:
    start = {"type": "Property", "value": {"a": 1, "b": {"c": 2, "d": 3}}}
    async with a_house(tmp_path) as house:
        await created(house, a_station(state=start))
        body = {
            "state": {"type": "Property", "value": {"b": {"c": 9, "d": "urn:ngsi-ld:null"}}},
            "pm10": number(80),
            "pm25": "urn:ngsi-ld:null",
        }
        assert (await house.ask("PATCH", AT, body)).status_code == 204
        found = await house.get(f"{AT}?format=keyValues")
        assert found["state"] == {"a": 1, "b": {"c": 9}}
        assert found["pm10"] == 80
        assert "pm25" not in found


@pytest.mark.clause("5.6.17", "6.3.4")
async def test_merge_takes_the_merge_patch_type(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask(
            "PATCH", AT, {"pm25": None}, Content_Type="application/merge-patch+json"
        )
        assert response.status_code == 204
        assert "pm25" not in await house.get(AT)


@pytest.mark.clause("5.6.18")
async def test_replace_leaves_only_what_came(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        new = {"id": STATION, "type": "AirQualityObserved", "pm10": number(3)}
        assert (await house.ask("PUT", AT, new)).status_code == 204
        assert await house.get(AT) == new
        del new["id"]
        assert (await house.ask("PUT", AT, new)).status_code == 204


@pytest.mark.clause("5.6.5", "4.5.5")
async def test_an_attribute_is_deleted_with_one_or_all_of_its_instances(tmp_path: Path) -> None:
    several = [number(1), number(2) | {"datasetId": "urn:x:b"}]
    async with a_house(tmp_path) as house:
        await created(house, a_station(pm25=several, pm10=several))
        assert (await house.ask("DELETE", f"{AT}/attrs/pm25")).status_code == 204
        assert (await house.get(AT))["pm25"] == several[1]
        one = await house.ask("DELETE", f"{AT}/attrs/pm25?datasetId=urn:x:b")
        every = await house.ask("DELETE", f"{AT}/attrs/pm10?deleteAll=true")
        assert (one.status_code, every.status_code) == (204, 204)
        assert {"pm25", "pm10"}.isdisjoint(await house.get(AT))


@pytest.mark.clause("5.6.5", "4.18")
async def test_the_scope_is_deleted_like_an_attribute(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station(scope="/beijing/dongcheng"))
        assert (await house.ask("DELETE", f"{AT}/attrs/scope")).status_code == 204
        assert "scope" not in await house.get(AT)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/entities/urn:x:none/attrs", {"a": number(1)}),
        ("PATCH", "/entities/urn:x:none/attrs", {"a": number(1)}),
        ("PATCH", "/entities/urn:x:none/attrs/a", {"value": 1}),
        ("DELETE", "/entities/urn:x:none/attrs/a", None),
        ("PATCH", "/entities/urn:x:none", {"a": number(1)}),
        ("PUT", "/entities/urn:x:none", {"type": "T", "a": number(1)}),
        ("DELETE", "/entities/urn:x:none", None),
        ("GET", "/entities/urn:x:none", None),
        ("GET", "/temporal/entities/urn:x:none", None),
        ("PATCH", f"{AT}/attrs/absent", {"value": 1}),
        ("DELETE", f"{AT}/attrs/absent", None),
        ("DELETE", f"{AT}/attrs/pm25?datasetId=urn:x:absent", None),
        ("DELETE", f"{AT}/attrs/scope", None),
    ],
)
@pytest.mark.clause("6.3.2", "5.5.2")
async def test_what_is_not_there_is_not_found(
    tmp_path: Path, method: str, path: str, body: Any
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask(method, path, body)
        assert response.status_code == 404, response.text
        assert response.json()["type"].endswith("/ResourceNotFound")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{AT}/attrs", {"pm25": None}),
        ("POST", f"{AT}/attrs", {"pm25": {"type": "Property"}}),
        ("POST", f"{AT}/attrs", [1]),
        ("PATCH", f"{AT}/attrs", {"pm25": {"type": "Relationship", "object": "no uri"}}),
        ("PATCH", f"{AT}/attrs/pm25", {"type": "Relationship", "object": "urn:x:1"}),
        ("PATCH", f"{AT}/attrs/pm25", [{"value": 1}, {"value": 2, "datasetId": "urn:x:b"}]),
        ("PATCH", f"{AT}/attrs/pm25", {"observedAt": "nonsense"}),
        ("PATCH", AT, {"id": "urn:x:other", "pm25": number(1)}),
        ("PUT", AT, {"id": "urn:x:other", "type": "T"}),
        ("PUT", AT, {"pm25": number(1)}),
        ("PUT", AT, 7),
        ("DELETE", f"{AT}/attrs/pm25?deleteAll=perhaps", None),
    ],
)
@pytest.mark.clause("5.5.4", "6.3.2")
async def test_a_wrong_change_is_refused_and_changes_nothing(
    tmp_path: Path, method: str, path: str, body: Any
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station())
        response = await house.ask(method, path, body)
        assert response.status_code == 400, response.text
        assert await house.get(AT) == a_station()
