"""Types and attributes that occur elsewhere (clauses 5.7.5 to 5.7.10)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import a_house, created
from tests.conformance.context_source import Source, registered, sources, vehicle

_ALL = {"entities": [{"type": "Vehicle"}, {"type": "Tram"}]}


def _source(**answers: Any) -> Source:
    return Source(answers={f"/{path}": (200, document) for path, document in answers.items()})


@pytest.mark.clause("5.7.5")
async def test_types_of_sources_are_listed(tmp_path: Path) -> None:
    source = _source(types={"type": "EntityTypeList", "typeList": ["Tram", "NotRegistered"]})
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, _ALL)
        await created(house, vehicle("a", speed=1))

        assert (await house.get("/types"))["typeList"] == ["Tram", "Vehicle"]
        assert (await house.get("/types?local=true"))["typeList"] == ["Vehicle"]


@pytest.mark.clause("5.7.6")
async def test_attributes_of_types_are_those_of_all_holders(tmp_path: Path) -> None:
    told = [{"id": "x", "type": "EntityType", "typeName": "Vehicle", "attributeNames": ["brand"]}]
    source = _source(types=told)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, _ALL)
        await created(house, vehicle("a", speed=1))

        (found,) = await house.get("/types?details=true")
        assert (found["typeName"], found["attributeNames"]) == ("Vehicle", ["brand", "speed"])
        assert source.got[0].parameters == {"details": "true"}


@pytest.mark.clause("5.7.7")
async def test_what_is_known_of_a_type_is_added_up(tmp_path: Path) -> None:
    detail = {"id": "x", "attributeName": "speed", "attributeTypes": ["Relationship"]}
    told = {"type": "EntityTypeInfo", "entityCount": 3, "attributeDetails": [detail]}
    source = Source(answers={"/types/Vehicle": (200, told)})
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, _ALL)
        await created(house, vehicle("a", speed=1))

        found = await house.get("/types/Vehicle")
        assert found["entityCount"] == 4
        assert found["attributeDetails"][0]["attributeTypes"] == ["Property", "Relationship"]
        assert (await house.ask("GET", "/types/Tram")).status_code == 404


@pytest.mark.clause("5.7.8")
async def test_attributes_of_sources_are_listed(tmp_path: Path) -> None:
    told = {"type": "AttributeList", "attributeList": ["brand", "notRegistered"]}
    source = _source(attributes=told)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, {**_ALL, "propertyNames": ["brand"]})
        await created(house, vehicle("a", speed=1))

        assert (await house.get("/attributes"))["attributeList"] == ["brand", "speed"]


@pytest.mark.clause("5.7.9")
async def test_types_of_attributes_are_those_of_all_holders(tmp_path: Path) -> None:
    source = _source(attributes=[{"id": "x", "attributeName": "speed", "typeNames": ["Tram"]}])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, _ALL)
        await created(house, vehicle("a", speed=1))

        (found,) = await house.get("/attributes?details=true")
        assert (found["attributeName"], found["typeNames"]) == ("speed", ["Tram", "Vehicle"])


@pytest.mark.clause("5.7.10")
async def test_what_is_known_of_an_attribute_is_added_up(tmp_path: Path) -> None:
    told = {"attributeCount": 2, "attributeTypes": ["Property"], "typeNames": ["Tram"]}
    source = Source(answers={"/attributes/speed": (200, told)})
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, _ALL)

        found = await house.get("/attributes/speed")
        assert (found["attributeCount"], found["typeNames"]) == (2, ["Tram"])


@pytest.mark.clause("6.3.17")
@pytest.mark.parametrize("told", [["x"], {"typeList": [7]}, {"typeList": ["a b"]}])
async def test_a_list_that_is_none_is_left_out(tmp_path: Path, told: Any) -> None:
    source = _source(types=told)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, _ALL)
        await created(house, vehicle("a", speed=1))
        answer = await house.ask("GET", "/types")

        assert answer.json()["typeList"] == ["Vehicle"]
        assert answer.headers["ngsild-warning"].startswith("111 ")
