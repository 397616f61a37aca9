"""Each kind of attribute in each representation, written in one and read in the others (clause 4.5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import a_house, created, number

E = "urn:ngsi-ld:Thing:1"
POINT = {"type": "Point", "coordinates": [116.4, 39.9]}
ROAD, SQUARE = "urn:ngsi-ld:Road:1", "urn:ngsi-ld:Square:2"

KINDS = [
    pytest.param(
        {"type": "Property", "value": 5, "unitCode": "CEL"},
        {"value": 5, "unitCode": "CEL"},
        5,
        marks=pytest.mark.clause("4.5.2", "4.5.4"),
        id="Property",
    ),
    pytest.param(
        {"type": "Relationship", "object": ROAD},
        {"object": ROAD},
        ROAD,
        marks=pytest.mark.clause("4.5.3", "4.5.4"),
        id="Relationship",
    ),
    pytest.param(
        {"type": "Relationship", "object": [ROAD, SQUARE], "objectType": "Road"},
        {"object": [ROAD, SQUARE], "objectType": "Road"},
        [ROAD, SQUARE],
        marks=pytest.mark.clause("4.5.3", "4.5.4"),
        id="Relationship to several",
    ),
    pytest.param(
        {"type": "GeoProperty", "value": POINT},
        POINT,
        POINT,
        marks=pytest.mark.clause("4.7.1", "4.5.4"),
        id="GeoProperty",
    ),
    pytest.param(
        {"type": "LanguageProperty", "languageMap": {"zh": "路", "en": "road"}},
        {"languageMap": {"zh": "路", "en": "road"}},
        {"languageMap": {"zh": "路", "en": "road"}},
        marks=pytest.mark.clause("4.5.18"),
        id="LanguageProperty",
    ),
    pytest.param(
        {"type": "VocabProperty", "vocab": "commercial"},
        {"vocab": "commercial"},
        {"vocab": "commercial"},
        marks=pytest.mark.clause("4.5.20"),
        id="VocabProperty",
    ),
    pytest.param(
        {"type": "ListProperty", "valueList": [3, [1, 2], 3]},
        {"valueList": [3, [1, 2], 3]},
        [3, [1, 2], 3],
        marks=pytest.mark.clause("4.5.21"),
        id="ListProperty",
    ),
    pytest.param(
        {"type": "ListRelationship", "objectList": [{"object": ROAD}, {"object": SQUARE}]},
        {"objectList": [{"object": ROAD}, {"object": SQUARE}]},
        [ROAD, SQUARE],
        marks=pytest.mark.clause("4.5.22"),
        id="ListRelationship",
    ),
    pytest.param(
        {"type": "JsonProperty", "json": {"type": "Property", "id": None, "@value": [1]}},
        {"json": {"type": "Property", "id": None, "@value": [1]}},
        {"json": {"type": "Property", "id": None, "@value": [1]}},
        marks=pytest.mark.clause("4.5.24"),
        id="JsonProperty",
    ),
]


@pytest.mark.clause("6.3.7")
@pytest.mark.parametrize(("normalized", "concise", "simplified"), KINDS)
async def test_an_attribute_is_the_same_whichever_form_it_was_written_in(
    tmp_path: Path, normalized: Any, concise: Any, simplified: Any
) -> None:
    async with a_house(tmp_path) as house:
        for number_, written in enumerate((normalized, concise)):
            entity = {"id": f"{E}{number_}", "type": "Thing", "a": written}
            await created(house, entity)
            for form, expected in (
                ("normalized", normalized),
                ("concise", concise),
                ("simplified", simplified),
            ):
                got = await house.get(f"/entities/{E}{number_}?format={form}")
                assert got["a"] == expected, (form, written)


@pytest.mark.clause("4.5.2.2", "4.5.3.2", "5.5.4")
@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "Property"},
        {"type": "Property", "value": None},
        {"type": "Property", "object": ROAD},
        {"type": "Relationship", "value": ROAD},
        {"type": "Relationship", "object": "no uri"},
        {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [200, 0]}},
        {"type": "GeoProperty", "value": "here"},
        {"type": "LanguageProperty", "languageMap": {"en": 5}},
        {"type": "LanguageProperty", "value": "road"},
        {"type": "VocabProperty", "vocab": 5},
        {"type": "ListProperty", "valueList": 5},
        {"type": "ListRelationship", "objectList": ["no uri"]},
        {"type": "JsonProperty", "value": {}},
        {"type": "Sensor", "value": 5},
        {"type": "Property", "value": 5, "observedAt": "yesterday"},
        {"type": "Property", "value": 5, "datasetId": "no uri"},
        {"type": "Property", "value": 5, "unitCode": 7},
        [number(1), number(2)],
    ],
)
async def test_an_attribute_that_is_none_is_refused_by_its_name(tmp_path: Path, wrong: Any) -> None:
    async with a_house(tmp_path) as house:
        entity = {"id": E, "type": "Thing", "a": wrong}
        response = await house.ask("POST", "/entities", entity)
        assert response.status_code == 400, response.text
        assert response.json()["type"].endswith("/BadRequestData")
        assert "a" in response.json()["param"]
        assert (await house.ask("GET", f"/entities/{E}")).status_code == 404


@pytest.mark.clause("4.5.2.3", "4.5.3.3")
async def test_attributes_of_attributes_keep_theirs(tmp_path: Path) -> None:
    inner = {"type": "Property", "value": 0.9, "by": {"type": "Relationship", "object": ROAD}}
    entity = {"id": E, "type": "Thing", "a": number(5) | {"quality": inner}}
    async with a_house(tmp_path) as house:
        await created(house, entity)
        assert await house.get(f"/entities/{E}") == entity
        concise = await house.get(f"/entities/{E}?format=concise")
        assert concise["a"] == {"value": 5, "quality": {"value": 0.9, "by": {"object": ROAD}}}


@pytest.mark.clause("4.5.5", "5.5.11")
async def test_instances_are_told_apart_by_their_dataset(tmp_path: Path) -> None:
    gps = number(54) | {"datasetId": "urn:x:gps"}
    entity = {"id": E, "type": "Thing", "speed": [number(55), gps]}
    async with a_house(tmp_path) as house:
        await created(house, entity)
        simplified = await house.get(f"/entities/{E}?format=simplified")
        assert simplified["speed"] == {"dataset": {"@none": 55, "urn:x:gps": 54}}
        one = await house.get(f"/entities/{E}?datasetId=urn:x:gps")
        assert one["speed"] == gps
        default = await house.get(f"/entities/{E}?datasetId=@none")
        assert default["speed"] == number(55)


@pytest.mark.clause("4.16", "4.17")
async def test_an_entity_of_several_types_is_found_by_each(tmp_path: Path) -> None:
    both = {"id": E, "type": ["Sensor", "Lamp"]}
    other = {"id": f"{E}:2", "type": "Lamp"}
    async with a_house(tmp_path) as house:
        await created(house, both, other)
        for wanted, found in (
            ("Sensor", {E}),
            ("Lamp", {E, f"{E}:2"}),
            ("(Sensor;Lamp)", {E}),
            ("Sensor,Lamp", {E, f"{E}:2"}),
            ("Sensor|Nothing", {E}),
        ):
            shown = await house.get(f"/entities?type={wanted}")
            assert {one["id"] for one in shown} == found, wanted


@pytest.mark.clause("4.5.16", "4.5.17", "6.3.15")
async def test_entities_are_features_of_a_collection(tmp_path: Path) -> None:
    geo = {"type": "GeoProperty", "value": POINT}
    placed = {"id": E, "type": "Thing", "a": number(5), "location": geo}
    placeless = {"id": f"{E}:2", "type": "Thing"}
    async with a_house(tmp_path) as house:
        await created(house, placed, placeless)
        shown = await house.get(
            "/entities?type=Thing&format=simplified",
            Accept="application/geo+json",
            Prefer="body=json",
        )
        assert shown["type"] == "FeatureCollection"
        first, second = shown["features"]
        assert (first["id"], first["type"], first["geometry"]) == (E, "Feature", POINT)
        assert first["properties"] == {"type": "Thing", "a": 5, "location": POINT}
        assert second["geometry"] is None
