"""What the platform publishes is read over the API, and written by nobody but the platform."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house
from tests.api.test_rules import TILTED, on, tell

NOTE = "urn:ngsi-ld:VitalNote:1"


def a_property(value: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value}


async def a_case(house: House) -> dict[str, Any]:
    """Return the case that a rule opened."""
    await on(house, **TILTED)
    for tilt in (16, 17, 18):
        await tell(house, tilt=tilt)
    (case,) = await house.get("/entities?type=CityCase")
    return dict(case)


@pytest.mark.parametrize("kind", ["VitalNote", "VitalSign", "CityCase", "Incident", "RuleFiring"])
async def test_an_entity_of_a_published_type_is_not_created(tmp_path: Path, kind: str) -> None:
    async with a_house(tmp_path) as house:
        made = {"id": NOTE, "type": ["Note", kind], "author": a_property("the mayor")}
        answer = await house.ask("POST", "/entities", made)
        assert answer.status_code == 403
        assert kind in answer.json()["detail"]
        past = {**made, "author": [a_property("x") | {"observedAt": "2026-01-01T00:00:00Z"}]}
        assert (await house.ask("POST", "/temporal/entities", past)).status_code == 403
        assert (await house.ask("GET", f"/entities/{NOTE}")).status_code == 404


async def test_no_operation_changes_a_case_or_its_past(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        case = await a_case(house)
        this, past = f"/entities/{case['id']}", f"/temporal/entities/{case['id']}"
        state = {"caseState": a_property("closed")}
        observed = {"caseState": [state["caseState"] | {"observedAt": "2026-01-01T00:00:00Z"}]}
        tried = [
            ("PATCH", this, state),
            ("PUT", this, {"id": case["id"], "type": "Note", **state}),
            ("PATCH", f"{this}/attrs", state),
            ("POST", f"{this}/attrs", state),
            ("PATCH", f"{this}/attrs/caseState", a_property("closed")),
            ("PUT", f"{this}/attrs/caseState", a_property("closed")),
            ("DELETE", f"{this}/attrs/caseState", None),
            ("DELETE", this, None),
            ("DELETE", "/entities?type=CityCase", None),
            ("POST", f"{past}/attrs", observed),
            ("DELETE", f"{past}/attrs/caseState", None),
            ("DELETE", past, None),
        ]
        answers = {(verb, path): await house.ask(verb, path, body) for verb, path, body in tried}
        assert {key: one.status_code for key, one in answers.items()} == dict.fromkeys(answers, 403)
        assert await house.get("/entities?type=CityCase") == [case]


async def test_a_batch_tells_which_of_its_entities_was_refused_and_writes_the_others(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        batch = [
            {"id": NOTE, "type": "VitalNote", "author": a_property("the mayor")},
            {"id": "urn:ngsi-ld:Lamp:1", "type": "Lamp", "on": a_property(True)},
        ]
        answer = await house.ask("POST", "/entityOperations/upsert", batch)
        assert answer.status_code == 207
        assert [one["entityId"] for one in answer.json()["errors"]] == [NOTE]
        assert (await house.ask("GET", "/entities/urn:ngsi-ld:Lamp:1")).status_code == 200


async def test_an_entity_does_not_become_one_that_the_platform_publishes(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        lamp = {"id": "urn:ngsi-ld:Lamp:1", "type": "Lamp", "on": a_property(True)}
        assert (await house.ask("POST", "/entities", lamp)).status_code == 201
        more = {"type": ["Lamp", "CityCase"], "on": a_property(False)}
        assert (await house.ask("PATCH", f"/entities/{lamp['id']}", more)).status_code == 403


async def test_a_purge_of_everything_leaves_what_the_platform_publishes(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        case = await a_case(house)
        assert (await house.ask("DELETE", "/entities?local=true")).status_code == 204
        assert await house.get("/entities?type=CityCase") == [case]
        assert await house.get("/entities?type=Pole") == []


async def test_a_city_without_feeds_holds_nothing_but_what_clients_wrote(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert not house.city.settings.feeds
        await house.city.start()
        assert await house.city.indicators.present("city")
        assert "indicators" not in {task.get_name() for task in asyncio.all_tasks()}
        assert await house.get("/entities?local=true") == []
