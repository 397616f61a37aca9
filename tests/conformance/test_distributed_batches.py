"""Batches that concern context sources (clauses 5.6.7 to 5.6.10, 5.6.20), against real HTTP servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import a_house
from tests.conformance.context_source import Asking, Source, registered, sources, vehicle
from tests.conformance.distributed import (
    CAR,
    Always,
    answering,
    held,
    here,
)


@pytest.mark.clause("5.6.7", "5.6.8", "4.20")
async def test_a_source_that_takes_no_batches_gets_the_entities_one_by_one(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, mode="redirect", operations=["redirectionOps"])
        cars = [vehicle(str(number), speed=number) for number in range(20)]
        answer = await house.ask("POST", "/entityOperations/create", cars)
        assert answer.status_code == 201, answer.text
        assert sorted(answer.json()) == sorted(one["id"] for one in cars)
        assert {one.path for one in source.got} == {"/entities"}
        sent = sorted((one.body for one in source.got), key=lambda car: str(car["id"]))
        assert sent == sorted(cars, key=lambda car: str(car["id"]))


@pytest.mark.clause("5.6.8")
@pytest.mark.parametrize(("options", "change"), [("update", "PATCH"), ("replace", "PUT")])
async def test_an_upsert_at_a_source_without_batches_changes_what_is_there_and_creates_what_is_not(
    tmp_path: Path, options: str, change: str
) -> None:
    def answer(asking: Asking) -> tuple[int, Any]:
        if asking.method == "POST":
            return 201, b""
        return (204, b"") if "Vehicle:1" in asking.path else (404, b"")

    cars = [vehicle("1", speed=1), vehicle("2", speed=2)]
    source = Source(answers=Always(answer))  # type: ignore[arg-type]
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, mode="redirect", operations=["redirectionOps"])
        path = f"/entityOperations/upsert?options={options}"
        told = await house.ask("POST", path, cars)
        assert told.status_code == 201
        assert told.json() == [cars[1]["id"]]
        assert sorted(one.method for one in source.got) == sorted([change, change, "POST"])


@pytest.mark.clause("5.6.7", "5.2.16")
async def test_a_batch_tells_which_entities_a_source_did_not_take(tmp_path: Path) -> None:
    cars = [vehicle(name, speed=1) for name in "abc"]
    said = {
        "success": [cars[0]["id"]],
        "errors": [{"entityId": cars[1]["id"], "error": {"status": 409, "detail": "it exists"}}],
    }
    source = answering(207, said)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, mode="redirect", operations=["createBatch"])
        boat = {"id": "urn:ngsi-ld:Boat:1", "type": "Boat"}
        answer = await house.ask("POST", "/entityOperations/create", [*cars, boat])
        assert answer.status_code == 207
        told = answer.json()
        assert sorted(told["success"]) == [boat["id"], cars[0]["id"]]
        failed = {one["entityId"]: one["error"]["status"] for one in told["errors"]}
        # The third is in neither list of the source: nobody said that it was done.
        assert failed == {cars[1]["id"]: 409, cars[2]["id"]: 502}


@pytest.mark.clause("5.6.10")
async def test_a_batch_delete_tells_what_a_source_does_not_have_and_deletes_what_is_here(
    tmp_path: Path,
) -> None:
    source = answering(404)
    async with a_house(tmp_path) as house, sources(source):
        await here(house, "brand")
        other = "urn:ngsi-ld:Vehicle:2"
        there = {"entities": [{"id": other, "type": "Vehicle"}]}
        await registered(house, source, there, mode="redirect", operations=["redirectionOps"])
        answer = await house.ask("POST", "/entityOperations/delete", [CAR, other])
        assert answer.status_code == 207
        assert answer.json()["success"] == [CAR]
        assert [one["entityId"] for one in answer.json()["errors"]] == [other]
        assert await held(house) is None
