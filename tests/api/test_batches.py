"""/entityOperations: every entity of a batch has its own outcome (clauses 6.14 to 6.17)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import a_house, created, number


def _entity(name: str, **attributes: Any) -> dict[str, Any]:
    return {"id": f"urn:x:{name}", "type": "T", **attributes}


@pytest.mark.clause("5.6.7")
async def test_a_batch_creates_what_is_new(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        body = [_entity("a", n=number(1)), _entity("b", n=number(2))]
        response = await house.ask("POST", "/entityOperations/create", body)
        assert response.status_code == 201
        assert response.json() == ["urn:x:a", "urn:x:b"]
        assert len(await house.get("/entities?type=T")) == 2


@pytest.mark.clause("5.6.7", "5.2.16")
async def test_a_batch_tells_each_failure_and_does_the_rest(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, _entity("a", n=number(1)))
        body = [
            _entity("a", n=number(5)),
            _entity("b", n=number(2)),
            {"id": "urn:x:c"},
            "nothing",
            _entity("d", n={"type": "Property"}),
        ]
        response = await house.ask("POST", "/entityOperations/create", body)
        assert response.status_code == 207
        assert response.json()["success"] == ["urn:x:b"]
        errors = {one["entityId"]: one["error"]["status"] for one in response.json()["errors"]}
        assert errors == {"urn:x:c": 400, "": 400, "urn:x:d": 400, "urn:x:a": 409}
        assert (await house.get("/entities/urn:x:a?format=keyValues"))["n"] == 1


@pytest.mark.parametrize(("options", "left"), [("", {"n"}), ("?options=update", {"n", "m"})])
@pytest.mark.clause("5.6.8")
async def test_an_upsert_replaces_or_updates(tmp_path: Path, options: str, left: set[str]) -> None:
    async with a_house(tmp_path) as house:
        await created(house, _entity("a", n=number(1), m=number(1)))
        body = [_entity("a", n=number(5)), _entity("b", n=number(2))]
        response = await house.ask("POST", f"/entityOperations/upsert{options}", body)
        assert response.status_code == 201
        assert response.json() == ["urn:x:b"]
        found = await house.get("/entities/urn:x:a?format=keyValues")
        assert found["n"] == 5
        assert set(found) - {"id", "type"} == left
        again = await house.ask("POST", f"/entityOperations/upsert{options}", body)
        assert again.status_code == 204


@pytest.mark.clause("5.6.9")
async def test_an_update_needs_what_it_updates(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, _entity("a", n=number(1)))
        body = [_entity("a", n=number(5), m=number(2)), _entity("b", n=number(2))]
        response = await house.ask("POST", "/entityOperations/update", body)
        assert response.status_code == 207
        assert response.json()["success"] == ["urn:x:a"]
        assert response.json()["errors"][0]["error"]["status"] == 404
        again = await house.ask(
            "POST", "/entityOperations/update?options=noOverwrite", [_entity("a", n=number(9))]
        )
        assert again.status_code == 207  # clause 5.6.9: what is there was left
        assert again.json()["errors"][0]["entityId"] == "urn:x:a"
        found = await house.get("/entities/urn:x:a?format=keyValues")
        assert (found["n"], found["m"]) == (5, 2)


@pytest.mark.clause("5.6.20")
async def test_a_merge_goes_into_each(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, _entity("a", n=number(1), m=number(1)))
        body = [{"id": "urn:x:a", "n": {"value": 4}, "m": None}]
        assert (await house.ask("POST", "/entityOperations/merge", body)).status_code == 204
        found = await house.get("/entities/urn:x:a?format=keyValues")
        assert found == {"id": "urn:x:a", "type": "T", "n": 4}


@pytest.mark.clause("5.6.10")
async def test_a_batch_deletes_by_id(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, _entity("a"), _entity("b"), _entity("c"))
        response = await house.ask("POST", "/entityOperations/delete", ["urn:x:a", "urn:x:b"])
        assert response.status_code == 204
        again = await house.ask("POST", "/entityOperations/delete", ["urn:x:a", "urn:x:c"])
        assert again.status_code == 207
        assert again.json()["success"] == ["urn:x:c"]
        assert again.json()["errors"][0]["entityId"] == "urn:x:a"


@pytest.mark.clause("5.6.8")
async def test_the_same_entity_twice_in_a_batch_is_taken_in_order(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        body = [_entity("a", n=number(n)) for n in range(50)]
        response = await house.ask("POST", "/entityOperations/upsert", body)
        assert response.status_code == 201
        assert (await house.get("/entities/urn:x:a?format=keyValues"))["n"] == 49


@pytest.mark.clause("6.3.5", "5.6.7")
async def test_each_entity_of_a_batch_may_bring_its_context(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        body = [
            _entity("a", n=number(1)) | {"@context": {"n": "https://one.example/n"}},
            _entity("b", n=number(2)) | {"@context": {"n": "https://two.example/n"}},
        ]
        response = await house.ask("POST", "/entityOperations/create", body, ld=True)
        assert response.status_code == 201
        assert "https://one.example/n" in await house.get("/entities/urn:x:a")
        assert "https://two.example/n" in await house.get("/entities/urn:x:b")


@pytest.mark.parametrize("operation", ["create", "upsert", "update", "merge", "delete"])
@pytest.mark.parametrize("wrong", [[], {}, "text", None])
@pytest.mark.clause("5.6.7", "6.3.2")
async def test_a_batch_is_a_list_with_something_in_it(
    tmp_path: Path, operation: str, wrong: Any
) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask(
            "POST", f"/entityOperations/{operation}", b"null" if wrong is None else wrong
        )
        assert response.status_code == 400, response.text


@pytest.mark.clause("6.3.2")
async def test_a_batch_has_a_limit(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        body = [f"urn:x:{n}" for n in range(10_001)]
        response = await house.ask("POST", "/entityOperations/delete", body)
        assert response.status_code == 413


@pytest.mark.clause("5.6.7", "5.2.17")
async def test_an_id_that_is_no_uri_in_a_batch_is_told(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, _entity("a"))
        response = await house.ask("POST", "/entityOperations/delete", ["urn:x:a", 5])
        assert response.status_code == 207
        assert response.json()["success"] == ["urn:x:a"]
