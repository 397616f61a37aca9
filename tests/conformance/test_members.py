"""What an attribute may and may not hold (clauses 4.5.2–4.5.24, 4.6, 4.7, 5.5.4, 5.5.7, 5.5.8)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import a_house, created, number

NULL = "urn:ngsi-ld:null"
ETSI = "https://uri.etsi.org/ngsi-ld/errors/"
T = "2026-11-22T08:00:00Z"
PROOF = {"type": "DataIntegrityProof", "proofValue": "z1"}


def an_entity(**members: Any) -> dict[str, Any]:
    return {"id": "urn:x:1", "type": "T"} | members


def lang(**members: Any) -> dict[str, Any]:
    return {"type": "LanguageProperty", "languageMap": {"en": "hello"}} | members


@pytest.mark.clause(
    "4.5.2", "4.5.3", "4.5.18", "4.5.24", "4.6.2", "4.6.3", "4.6.5", "5.5.4", "5.5.7"
)
@pytest.mark.parametrize(
    "members",
    [
        {"a": number(1) | {"previousValue": 0}},
        {"a": number(1) | {"entityIdSealed": "urn:x:1"}},
        {"a": number(1) | {"@context": {"a": "https://example.org/a"}}},
        {"a": number(1, "2026-11-22T10:00:00+02:00")},
        {"a": {"type": "Relationship", "object": "urn:x:2", "unitCode": "MTR"}},
        {"a": {"type": "Relationship", "object": "urn:x:2", "previousObject": "urn:x:3"}},
        {"a": {"type": "JsonProperty", "json": 5}},
        {"a": {"type": "JsonProperty", "json": {"b": 1}, "unitCode": "MTR"}},
        {"a": lang(languageMap={"@none": NULL})},
        {"a": lang(languageMap={"": "x"})},
        {"a": lang(valueType="xsd:string")},
        {"a": {"type": "Property", "value": {"b": NULL}}},
        {"a": {"type": "Property", "value": [1, {"b": [NULL]}]}},
        {"a": [number(1), number(2) | {"datasetId": NULL}]},
        {"ngsildproof": {"type": "Property", "value": "no proof"}},
        {"ngsildproof": {"type": "Property", "value": PROOF, "entityTypeSealed": 42}},
        {"scope": NULL},
        {"id": NULL},
        {"type": "9T"},
        {"expiresAt": "2026-11-22T08:00:00+01:00"},
    ],
    ids=str,
)
async def test_what_the_standard_forbids_is_refused_and_nothing_is_stored(
    tmp_path: Path, members: dict[str, Any]
) -> None:
    async with a_house(tmp_path) as house:
        answer = await house.ask("POST", "/entities", an_entity(**members))
        assert (answer.status_code, answer.json()["type"]) == (400, ETSI + "BadRequestData")
        assert answer.json()["param"]
        assert (await house.get("/types"))["typeList"] == []


@pytest.mark.clause("4.5.2.2", "4.5.21", "4.5.22", "4.5.24", "4.7.2")
@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"type": "JsonProperty", "json": [{"type": NULL}]}, None),
        ({"type": "ListProperty", "valueList": [1, "b"], "unitCode": "MTR"}, None),
        ({"type": "ListRelationship", "objectList": [{"object": "urn:x:2"}]}, None),
        ({"type": "Property", "value": 1, "observedAt": "2022-03-14T13:00:00.000Z"}, None),
        (
            {"type": "GeoProperty", "value": '{"type": "Point", "coordinates": [17.1, 48.7]}'},
            {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [17.1, 48.7]}},
        ),
    ],
    ids=str,
)
async def test_what_is_allowed_comes_back_as_it_was_sent(
    tmp_path: Path, sent: dict[str, Any], shown: Any
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, an_entity(a=sent))
        assert (await house.get("/entities/urn:x:1"))["a"] == (shown or sent)


@pytest.mark.clause("4.5.2.2")
async def test_a_proof_keeps_what_it_seals(tmp_path: Path) -> None:
    proof = {
        "type": "Property",
        "value": PROOF,
        "entityIdSealed": "urn:x:1",
        "entityTypeSealed": "T",
    }
    async with a_house(tmp_path) as house:
        await created(house, an_entity(ngsildproof=proof))
        assert (await house.get("/entities/urn:x:1"))["ngsildproof"] == proof


@pytest.mark.clause("4.5.4")
async def test_lists_are_bare_in_the_simplified_form(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        values = {"type": "ListProperty", "valueList": [1.2, 3.4]}
        roads = {"type": "ListRelationship", "objectList": [{"object": "urn:x:2"}]}
        await created(house, an_entity(a=values, b=roads, c=lang()))
        shown = await house.get("/entities/urn:x:1?options=keyValues")
        assert (shown["a"], shown["b"]) == ([1.2, 3.4], ["urn:x:2"])
        assert shown["c"] == {"languageMap": {"en": "hello"}}


@pytest.mark.clause("5.5.4", "5.5.8", "5.5.12", "5.6.4")
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/attrs/a", {"value": {"c": NULL}}, 400),
        ("PATCH", "/attrs", {"a": {"type": "Property", "value": {"c": NULL}}}, 400),
        ("PATCH", "/attrs/a", {"datasetId": NULL}, 400),
        ("PATCH", "/attrs/scope", {"value": "/b"}, 400),
        ("PATCH", "", {"a": {"value": {"c": NULL}}}, 204),
    ],
)
async def test_only_a_merge_removes_from_inside_a_value(
    tmp_path: Path, method: str, path: str, body: dict[str, Any], status: int
) -> None:
    async with a_house(tmp_path) as house:
        value = {"type": "Property", "value": {"b": 1, "c": 2}}
        await created(house, an_entity(a=value, scope="/a"))
        answer = await house.ask(method, f"/entities/urn:x:1{path}", body)
        assert answer.status_code == status
        kept = (await house.get("/entities/urn:x:1"))["a"]["value"]
        assert kept == ({"b": 1} if status == 204 else {"b": 1, "c": 2})


@pytest.mark.clause("5.5.7")
async def test_a_context_of_the_user_has_no_scoped_contexts(tmp_path: Path) -> None:
    scoped = {"T": {"@id": "https://example.org/T", "@context": {"a": "https://example.org/a"}}}
    async with a_house(tmp_path) as house:
        answer = await house.ask("POST", "/entities", an_entity() | {"@context": [scoped]}, ld=True)
        assert (answer.status_code, answer.json()["param"]) == (400, "@context")


@pytest.mark.clause("5.7.4", "4.18")
async def test_entities_without_a_scope_are_found_by_none(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        held = [{"type": "Property", "value": "/a", "observedAt": "2026-11-22T05:00:00Z"}]
        read = [number(1, "2026-11-22T07:00:00Z")]
        for n, scope in ((1, {"scope": held}), (2, {})):
            body = {"id": f"urn:x:{n}", "type": "T", "a": read} | scope
            assert (await house.ask("POST", "/temporal/entities", body)).status_code == 201
        window = "timerel=after&timeAt=2026-11-22T06:00:00Z"
        (found,) = await house.get(f"/temporal/entities?type=T&scopeQ=/a&{window}")
        assert found["id"] == "urn:x:1"
        assert [one["value"] for one in found["scope"]] == [["/a"]]
