"""Querying what is held elsewhere (clauses 4.3.6, 5.7.2 and 5.14)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import a_house, created
from tests.conformance.context_source import OWNER, Source, registered, sources, vehicle

CAR = "urn:ngsi-ld:Vehicle:a"
DEAD = "http://127.0.0.1:9"


def _names(found: Sequence[dict[str, Any]]) -> list[str]:
    return [one["id"].rpartition(":")[2] for one in found]


def _observed(value: Any, at: str) -> dict[str, Any]:
    return {"type": "Property", "value": value, "observedAt": at}


@pytest.mark.clause("5.7.2")
async def test_a_query_finds_each_entity_once_wherever_it_is(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1), vehicle("c", speed=3)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        await created(house, vehicle("a", brand="x"), vehicle("b", brand="y"))

        found = await house.get("/entities?type=Vehicle")
        assert _names(found) == ["a", "b", "c"]
        assert (found[0]["brand"]["value"], found[0]["speed"]["value"]) == ("x", 1)


@pytest.mark.clause("5.7.2", "5.5.9", "6.3.13")
async def test_pages_and_counts_go_over_all_holders(tmp_path: Path) -> None:
    one = Source([vehicle("a", speed=1), vehicle("c", speed=1)])
    other = Source([vehicle("b", speed=1), vehicle("c", brand="x")])
    async with a_house(tmp_path) as house, sources(one, other):
        await registered(house, one)
        await registered(house, other, name="2")
        await created(house, vehicle("d", speed=1))

        first = await house.ask("GET", "/entities?type=Vehicle&limit=3&count=true")
        second = await house.ask("GET", "/entities?type=Vehicle&limit=3&offset=3")
        assert (_names(first.json()), _names(second.json())) == (["a", "b", "c"], ["d"])
        assert first.headers["ngsild-results-count"] == "4"
        assert 'rel="next"' in first.headers["link"]
        assert 'rel="prev"' in second.headers["link"]


@pytest.mark.clause("5.7.2")
async def test_all_pages_of_a_source_are_read(tmp_path: Path) -> None:
    source = Source([vehicle(f"{n:03}", speed=n) for n in range(230)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)

        answer = await house.ask("GET", "/entities?type=Vehicle&count=true&offset=229")
        assert answer.headers["ngsild-results-count"] == "230"
        assert _names(answer.json()) == ["229"]


@pytest.mark.clause("5.7.2.4")
async def test_filters_are_handed_on_and_hold_for_what_comes_back(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1, scope="/A"), vehicle("b", speed=99, scope="/A")])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)

        assert _names(await house.get("/entities?type=Vehicle&q=speed>50&scopeQ=/A")) == ["b"]
        handed = source.got[0].parameters
        assert (handed["q"], handed["scopeQ"], handed["type"]) == ("speed>50", "/A", "Vehicle")


@pytest.mark.clause("5.7.2.4")
@pytest.mark.parametrize("asked", ["&splitEntities=true", ""])
async def test_a_filter_on_parts_at_several_holders_is_judged_on_the_whole(
    tmp_path: Path, asked: str
) -> None:
    source = Source([vehicle("a", speed=42), vehicle("b", speed=42)])
    async with a_house(tmp_path) as house, sources(source):
        limited = {} if asked else {"propertyNames": ["speed"]}
        await registered(house, source, {"entities": [{"type": "Vehicle"}], **limited})
        await created(house, vehicle("a", brand="x"))

        found = await house.get(f'/entities?type=Vehicle{asked}&q=speed>20;brand=="x"')
        assert _names(found) == ["a"]
        assert "q" not in source.got[0].parameters


@pytest.mark.clause("5.7.2.4")
async def test_an_entity_whose_newest_value_does_not_match_is_not_found(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=_observed(1, "2026-12-01T00:00:00Z"))])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        await created(house, vehicle("a", speed=_observed(99, "2026-01-01T00:00:00Z")))

        assert await house.get("/entities?type=Vehicle&q=speed>50&splitEntities=true") == []


@pytest.mark.clause("5.7.2", "4.10")
async def test_a_geo_query_reaches_places_at_sources(tmp_path: Path) -> None:
    def at(longitude: float) -> dict[str, Any]:
        return {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [longitude, 41]}}

    source = Source([vehicle("near", location=at(8.6)), vehicle("far", location=at(17))])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)

        near = "georel=near;maxDistance==1000&geometry=Point&coordinates=[8.6,41]"
        assert _names(await house.get(f"/entities?type=Vehicle&{near}")) == ["near"]
        assert source.got[0].parameters["coordinates"] == "[8.6,41]"


@pytest.mark.clause("5.7.2", "6.23")
async def test_a_query_by_body_asks_sources_too(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1), vehicle("b", speed=2), vehicle("c", speed=3)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=["queryBatch"])
        ids = [{"type": "Vehicle", "id": f"urn:ngsi-ld:Vehicle:{name}"} for name in "ab"]

        answer = await house.ask(
            "POST",
            "/entityOperations/query",
            {"type": "Query", "entities": ids, "attrs": ["speed"]},
        )
        assert _names(answer.json()) == ["a", "b"]
        (asking,) = source.got
        assert (asking.body["entities"], asking.body["attrs"]) == (ids, ["speed"])


@pytest.mark.clause("5.7.2", "5.2.33")
async def test_ids_and_patterns_narrow_what_sources_are_asked(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1), vehicle("b", speed=1)])
    async with a_house(tmp_path) as house, sources(source):
        information = {"entities": [{"id": CAR, "type": "Vehicle"}], "propertyNames": ["speed"]}
        await registered(house, source, information)

        assert _names(await house.get("/entities?type=Vehicle&idPattern=a$")) == ["a"]
        assert await house.get("/entities?type=Vehicle&id=urn:ngsi-ld:Vehicle:b") == []
        assert [one.parameters["id"] for one in source.got] == [CAR]


@pytest.mark.clause("5.12")
async def test_a_pattern_that_is_asked_and_one_that_is_registered_are_taken_to_meet(
    tmp_path: Path,
) -> None:
    source = Source([vehicle("a", speed=1)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, {"entities": [{"type": "Vehicle", "idPattern": "b$"}]})

        assert _names(await house.get("/entities?type=Vehicle&idPattern=a$")) == ["a"]
        assert source.got[0].parameters["idPattern"] == "a$"


@pytest.mark.clause("5.12")
async def test_a_source_of_other_datasets_is_not_asked(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, datasetId=["urn:x:b"])

        assert await house.get("/entities?type=Vehicle&datasetId=urn:x:a") == []
        assert source.got == []
        assert _names(await house.get("/entities?type=Vehicle")) == ["a"]


@pytest.mark.clause("5.7.2.4", "4.9")
async def test_a_context_source_filter_chooses_among_sources(tmp_path: Path) -> None:
    sensor, archive = Source([vehicle("a", speed=1)]), Source([vehicle("b", speed=1)])
    async with a_house(tmp_path) as house, sources(sensor, archive):
        await registered(house, sensor, sourceType={"type": "Property", "value": "sensor"})
        await registered(house, archive, name="2")

        assert _names(await house.get('/entities?type=Vehicle&csf=sourceType=="sensor"')) == ["a"]
        assert archive.got == []


@pytest.mark.clause("5.7.2.4", "4.23.1")
async def test_what_comes_from_several_brokers_has_no_order(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        answer = await house.ask("GET", "/entities?type=Vehicle&orderBy=speed")

        assert answer.status_code == 400
        assert answer.json()["type"].endswith("BadRequestData")
        assert source.got == []
        assert await house.get("/entities?type=Vehicle&orderBy=speed&local=true") == []


@pytest.mark.clause("4.21", "4.5.4", "5.7.2")
async def test_projection_and_form_are_those_of_the_requester(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1, brand="x")])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        await created(house, vehicle("a", colour="red"))

        found = await house.get("/entities?type=Vehicle&pick=id,speed,colour&options=keyValues")
        assert found == [{"id": CAR, "speed": 1, "colour": "red"}]


@pytest.mark.clause("4.5.23")
async def test_linked_entities_are_fetched_from_their_holders(tmp_path: Path) -> None:
    garage = {"id": "urn:x:g", "type": "Garage", "name": {"type": "Property", "value": "G"}}
    source = Source([garage])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, {"entities": [{"type": "Garage"}]})
        await created(house, vehicle("a", parkedAt={"type": "Relationship", "object": "urn:x:g"}))

        (found,) = await house.get("/entities?type=Vehicle&join=inline")
        assert found["parkedAt"]["entity"]["name"]["value"] == "G"


@pytest.mark.clause("5.2.39")
async def test_it_can_be_told_who_holds_each_entity_and_a_page_be_read_from_that(
    tmp_path: Path,
) -> None:
    from chengmai.broker.distribution.asked import Asked
    from chengmai.broker.distribution.narrowing import Filters
    from chengmai.broker.model import EntityQuery, Which
    from chengmai.ngsild.select import parse_types

    source = Source([vehicle("a", speed=1), vehicle("c", speed=1)])
    async with a_house(tmp_path) as house, sources(source):
        name = await registered(house, source)
        await created(house, vehicle("a", brand="x"), vehicle("b", brand="x"))
        core = house.city.contexts.core
        asked, reads = Asked(OWNER, core), house.city.reads
        query = EntityQuery(which=[Which(types=parse_types("Vehicle", core))], limit=2)

        holders = await reads.holders(asked, query, Filters(), most=10)
        assert [*holders.values()] == [(name, "@none"), ("@none",), (name,)]
        source.entities.append(vehicle("late", speed=1))
        page = await reads.page_among(asked, query, Filters(), holders)
        assert (_names(page.entities), page.more) == (["a", "b"], True)

        source.entities.clear()
        left = await reads.holders(asked, query, Filters(), most=10, among=holders)
        assert [*left.values()] == [("@none",), ("@none",)]
