"""How answers are cut, joined and ordered, and queries by body (clauses 5.7.1, 5.7.2 and 5.6.21)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chengmai.ngsild.contexts import CORE_URL
from tests.api.house import House, a_house, created, number


async def _street(house: House) -> None:
    """Two houses in a town; the town is in a land that is not here."""
    town = {"id": "urn:x:town", "type": "Town", "people": number(9), "in": _link("urn:x:land")}
    await created(house, town)
    for name, storeys in (("h1", 3), ("h2", 1)):
        await created(
            house,
            {
                "id": f"urn:x:{name}",
                "type": "House",
                "scope": f"/street/{name}",
                "storeys": number(storeys),
                "in": _link("urn:x:town"),
                "location": {
                    "type": "GeoProperty",
                    "value": {"type": "Point", "coordinates": [8, 40 + storeys / 10]},
                },
            },
        )


def _link(target: str) -> dict[str, str]:
    return {"type": "Relationship", "object": target}


async def _ids(house: House, asked: str) -> list[str]:
    return [one["id"].rpartition(":")[2] for one in await house.get(f"/entities?{asked}")]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("type=House&orderBy=storeys", ["h2", "h1"]),
        ("type=House&orderBy=storeys;desc", ["h1", "h2"]),
        ("type=House&orderBy=location;dist-asc&orderFrom=[8,40]", ["h2", "h1"]),
        ("type=House&orderBy=storeys&limit=1&offset=1", ["h1"]),
        ("scopeQ=/street/%2B", ["h1", "h2"]),
        ("scopeQ=/street/h2", ["h2"]),
        ("local=true", ["h1", "h2", "town"]),
        ("type=House&q=in{people}==9&join=inline", ["h1", "h2"]),
    ],
)
@pytest.mark.clause("4.23")
async def test_entities_come_in_the_order_asked_for(
    tmp_path: Path, asked: str, found: list[str]
) -> None:
    async with a_house(tmp_path) as house:
        await _street(house)
        assert await _ids(house, asked) == found


@pytest.mark.clause("4.21", "4.5.23")
async def test_an_answer_holds_what_is_picked_also_of_linked_entities(tmp_path: Path) -> None:
    """Clauses 4.21 and 4.5.23."""
    async with a_house(tmp_path) as house:
        await _street(house)
        options = "join=inline&options=keyValues"
        house_one = await house.get(f"/entities/urn:x:h1?pick=id,in{{people}}&{options}")
        assert house_one == {"id": "urn:x:h1", "in": {"people": 9}}
        flat = await house.get("/entities?type=House&join=flat&pick=id,in{id}&options=keyValues")
        assert [one["id"] for one in flat] == ["urn:x:h1", "urn:x:h2", "urn:x:town"]
        left = await house.get("/entities/urn:x:h1?omit=in,location,scope&options=keyValues")
        assert left == {"id": "urn:x:h1", "type": "House", "storeys": 3}


@pytest.mark.clause("4.5.23", "5.7.1")
async def test_a_flat_answer_about_one_entity_is_a_list_only_when_it_links(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _street(house)
        found = await house.get("/entities/urn:x:h1?join=flat&pick=id,in{id}")
        assert [one["id"] for one in found] == ["urn:x:h1", "urn:x:town"]
        assert (await house.get("/entities/urn:x:town?join=flat&pick=id,in{id}"))["id"]


@pytest.mark.parametrize("asked", ["pick=other", "attrs=other", "type=Town"])
@pytest.mark.clause("4.21", "5.7.1")
async def test_an_entity_of_which_nothing_is_left_is_not_there(tmp_path: Path, asked: str) -> None:
    async with a_house(tmp_path) as house:
        await _street(house)
        assert (await house.ask("GET", f"/entities/urn:x:h1?{asked}")).status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        "pick=a&omit=a",
        "pick=a&attrs=b",
        "pick=a{b}",
        "pick=a{b{c}}&join=inline&joinLevel=1",
        "pick=a{}",
        "join=sideways",
        "joinLevel=0",
        "orderBy=a;dist-asc",
        "orderBy=a&collation=!!",
        "geometryProperty=location",
        "scopeQ=street",
        "expandValues=a&q=a==",
        "q=in{people}==9",
        "q=in{in{people}}==9&join=inline",
    ],
)
@pytest.mark.clause("4.21", "6.3.2")
async def test_a_view_that_makes_no_sense_is_refused(tmp_path: Path, asked: str) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("GET", f"/entities?type=T&{asked}")
        assert response.status_code == 400, response.text
        assert response.json()["type"].endswith("BadRequestData")


@pytest.mark.clause("6.3.15", "4.5.16")
async def test_geojson_takes_the_geometry_and_the_context_asked_for(tmp_path: Path) -> None:
    """Clauses 4.5.16 and 6.3.6: the context is in the body unless `Prefer` says otherwise."""
    async with a_house(tmp_path) as house:
        await _street(house)
        geo: dict[str, Any] = {"Accept": "application/geo+json"}
        feature = await house.get("/entities/urn:x:h1?pick=storeys", **geo)
        assert (feature["id"], feature["type"]) == ("urn:x:h1", "Feature")
        assert feature["geometry"]["coordinates"] == [8, 40.3]
        assert set(feature["properties"]) == {"storeys"}
        assert feature["@context"] == CORE_URL
        other = await house.get("/entities/urn:x:h1?geometryProperty=other", **geo)
        assert other["geometry"] is None
        plain = await house.ask("GET", "/entities/urn:x:h1", Prefer="body=json", **geo)
        assert "@context" not in plain.json()
        assert CORE_URL in plain.headers["link"]


async def _query(house: House, **body: Any) -> Any:
    return await house.ask("POST", "/entityOperations/query", {"type": "Query", **body})


@pytest.mark.clause("5.2.23", "6.23.3")
async def test_a_query_in_a_body_asks_what_parameters_ask(tmp_path: Path) -> None:
    """Clause 5.2.23."""
    async with a_house(tmp_path) as house:
        await _street(house)
        response = await _query(
            house,
            entities=[{"type": "House", "idPattern": "h"}, {"type": "Town", "id": "urn:x:town"}],
            q="storeys>=1|people==9",
            pick=["id"],
            ordering={"orderBy": ["storeys;desc"]},
        )
        assert response.status_code == 200, response.text
        assert [one["id"] for one in response.json()] == ["urn:x:h1", "urn:x:h2", "urn:x:town"]
        near = {"georel": "near;maxDistance==20000", "geometry": "Point", "coordinates": [8, 40.1]}
        assert len((await _query(house, entities=[{"type": "*"}], geoQ=near)).json()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"entities": []},
        {"entities": [{"id": "urn:x:h1"}]},
        {"entities": [{"type": 5}]},
        {"type": "Other", "entities": [{"type": "T"}]},
        {"entities": [{"type": "T"}], "attrs": []},
        {"entities": [{"type": "T"}], "q": 5},
        {"entities": [{"type": "T"}], "temporalQ": {}},
        {"entities": [{"type": "T"}], "join": "inline", "joinLevel": 0},
        {"entities": [{"type": "T"}], "geoQ": {"georel": "within"}},
        {"entities": [{"type": "T"}], "ordering": {"orderBy": ["l;dist-asc"]}},
    ],
)
@pytest.mark.clause("5.2.23")
async def test_a_body_that_is_no_query_is_refused(tmp_path: Path, body: dict[str, Any]) -> None:
    async with a_house(tmp_path) as house:
        response = await _query(house, **body)
        assert response.status_code == 400, response.text
        assert response.json()["type"].endswith("BadRequestData")


@pytest.mark.clause("5.6.21")
async def test_a_purge_deletes_what_matches(tmp_path: Path) -> None:
    """Clause 5.6.21."""
    async with a_house(tmp_path) as house:
        await _street(house)
        assert (await house.ask("DELETE", "/entities?type=House&q=storeys>2")).status_code == 204
        assert await _ids(house, "local=true") == ["h2", "town"]


@pytest.mark.parametrize(
    ("asked", "left"),
    [("drop=storeys", {"in", "location", "scope"}), ("keep=storeys", {"storeys"})],
)
@pytest.mark.clause("5.6.21")
async def test_a_purge_of_attributes_leaves_the_entities(
    tmp_path: Path, asked: str, left: set[str]
) -> None:
    async with a_house(tmp_path) as house:
        await _street(house)
        assert (await house.ask("DELETE", f"/entities?type=House&{asked}")).status_code == 204
        assert set(await house.get("/entities/urn:x:h1")) == {"id", "type"} | left


@pytest.mark.parametrize("asked", ["", "?id=urn:x:h1", "?type=House&keep=a&drop=b"])
@pytest.mark.clause("5.6.21")
async def test_a_purge_must_say_what(tmp_path: Path, asked: str) -> None:
    async with a_house(tmp_path) as house:
        assert (await house.ask("DELETE", f"/entities{asked}")).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "", None),
        ("PATCH", "", {"storeys": {"value": 9}}),
        ("POST", "/attrs", {"storeys": {"value": 9}}),
        ("PATCH", "/attrs", {"storeys": {"value": 9}}),
        ("PUT", "/attrs/storeys", {"value": 9}),
        ("PATCH", "/attrs/storeys", {"value": 9}),
        ("DELETE", "/attrs/storeys", None),
    ],
)
@pytest.mark.clause("5.6.2", "4.17")
async def test_a_change_is_made_only_to_an_entity_of_the_type_named(
    tmp_path: Path, method: str, path: str, body: Any
) -> None:
    """Clauses 5.6.2 to 5.6.6, 5.6.17 and 5.6.19."""
    async with a_house(tmp_path) as house:
        await _street(house)
        wrong = await house.ask(method, f"/entities/urn:x:h1{path}?type=Town", body)
        assert wrong.status_code == 404
        assert (await house.get("/entities/urn:x:h1?options=keyValues"))["storeys"] == 3
        right = await house.ask(method, f"/entities/urn:x:h1{path}?type=House", body)
        assert right.status_code == 204, right.text


@pytest.mark.parametrize("place", ["location", "observationSpace", "operationSpace"])
@pytest.mark.clause("5.5.4", "4.7")
async def test_a_place_must_be_a_geoproperty(tmp_path: Path, place: str) -> None:
    """Clause 4.7."""
    async with a_house(tmp_path) as house:
        body = {"id": "urn:x:a", "type": "T", place: {"type": "Property", "value": 5}}
        assert (await house.ask("POST", "/entities", body)).status_code == 400
        good = {"id": "urn:x:a", "type": "T"}
        assert (await house.ask("POST", "/entities", good)).status_code == 201
        path = f"/entities/urn:x:a/attrs/{place}"
        assert (await house.ask("PATCH", path, {"value": 5})).status_code == 400


@pytest.mark.parametrize("unseen", ["\u200b", "\u202e", "\u2028", "\u00a0", "\u3164", "\ufe0f"])
@pytest.mark.clause("5.5.4", "4.6.4")
async def test_an_id_holds_no_character_that_cannot_be_seen(tmp_path: Path, unseen: str) -> None:
    async with a_house(tmp_path) as house:
        body = {"id": f"urn:x:a{unseen}b", "type": "T"}
        assert (await house.ask("POST", "/entities", body)).status_code == 400
        chinese = {"id": "urn:x:东城区", "type": "T"}
        assert (await house.ask("POST", "/entities", chinese)).status_code == 201


@pytest.mark.clause("5.7.1", "4.17")
async def test_a_type_that_is_not_wanted_is_not_given(tmp_path: Path) -> None:
    """Clause 6.3.4, RFC 9110, 12.5.1: the most particular range decides."""
    async with a_house(tmp_path) as house:
        response = await house.ask("GET", "/types", Accept="application/json;q=0, */*")
        assert response.headers["content-type"] == "application/ld+json"


@pytest.mark.clause("5.7.5", "5.7.6", "5.7.8", "5.7.9", "5.7.10")
async def test_types_and_attributes_are_told(tmp_path: Path) -> None:
    """Clauses 5.7.5 to 5.7.10."""
    async with a_house(tmp_path) as house:
        await _street(house)
        assert (await house.get("/types"))["typeList"] == ["House", "Town"]
        details = await house.get("/types?details=true")
        assert details[1]["attributeNames"] == ["in", "people"]
        info = await house.get("/types/House")
        assert (info["entityCount"], len(info["attributeDetails"])) == (2, 3)
        names = (await house.get("/attributes"))["attributeList"]
        assert sorted(names) == ["in", "location", "people", "storeys"]
        assert (await house.get("/attributes?details=true"))[0]["type"] == "Attribute"
        link = await house.get("/attributes/in")
        assert link["attributeCount"] == 3
        assert link["attributeTypes"] == ["Relationship"]
        assert sorted(link["typeNames"]) == ["House", "Town"]
        for path in ("/types/Other", "/attributes/other"):
            assert (await house.ask("GET", path)).status_code == 404
