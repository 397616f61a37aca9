"""Registering context sources: create, update, delete, and what conflicts (clauses 4.3.6, 5.2.9, 5.9)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house, a_station, created

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
ALL = "/csourceRegistrations"
ONE = "urn:ngsi-ld:ContextSourceRegistration:one"
VEHICLE = "urn:ngsi-ld:Vehicle:1"


def a_registration(name: str = "one", **members: Any) -> dict[str, Any]:
    """Return a registration of all vehicles, as a client sends it."""
    return {
        "id": f"urn:ngsi-ld:ContextSourceRegistration:{name}",
        "type": "ContextSourceRegistration",
        "information": [{"entities": [{"type": "Vehicle"}]}],
        "endpoint": "http://source.example:1026",
        **members,
    }


def of_one_vehicle(name: str, mode: str, *attributes: str) -> dict[str, Any]:
    """Return a registration of some attributes of one vehicle; of all when none are named."""
    part: dict[str, Any] = {"entities": [{"id": VEHICLE, "type": "Vehicle"}]}
    if attributes:
        part["propertyNames"] = list(attributes)
    return a_registration(name, mode=mode, information=[part])


async def status_of(house: House, document: dict[str, Any]) -> tuple[int, str]:
    """Register and return the status and the kind of error, if any."""
    answer = await house.ask("POST", ALL, document)
    error = answer.json()["type"].removeprefix(ERRORS) if answer.content else ""
    return answer.status_code, error


@pytest.mark.clause("5.9.2", "6.8.3.1")
async def test_a_registration_that_is_created_is_told_where_it_is(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        answer = await house.ask("POST", ALL, a_registration())
        assert answer.status_code == 201
        assert answer.content == b""
        assert answer.headers["location"] == f"/ngsi-ld/v1{ALL}/{ONE}"


@pytest.mark.clause("5.9.2")
async def test_a_registration_without_an_id_gets_one(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        document = a_registration()
        del document["id"]
        answer = await house.ask("POST", ALL, document)
        made = answer.headers["location"].removeprefix("/ngsi-ld/v1")
        assert (await house.get(made))["information"] == document["information"]


@pytest.mark.clause("5.2.9", "5.10.1", "6.9.3.1")
async def test_a_registration_is_shown_with_the_defaults_that_hold_for_it(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration(description="交通"))
        assert await house.get(f"{ALL}/{ONE}") == a_registration(
            description="交通", mode="inclusive", operations=["federationOps"]
        )


@pytest.mark.clause("5.2.9")
async def test_instants_of_the_registration_are_shown_to_those_who_ask(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration())
        shown = await house.get(f"{ALL}/{ONE}?options=sysAttrs")
        assert shown["createdAt"] == shown["modifiedAt"]


@pytest.mark.clause("5.9.2")
async def test_the_same_id_twice_is_refused(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert await status_of(house, a_registration()) == (201, "")
        assert await status_of(house, a_registration()) == (409, "AlreadyExists")


@pytest.mark.clause("5.9.2", "5.2.9")
async def test_a_registration_that_breaks_a_rule_is_refused_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    changes: list[dict[str, Any]] = [
        {"type": "Source"},
        {"information": None},
        {"information": [{"entities": [{"id": "nonsense", "type": "Vehicle"}]}]},
        {"endpoint": "nowhere"},
        {"expiresAt": "2026-11-21T08:00:00Z"},
        {"mode": "sometimes"},
        {"operations": ["everything"]},
        {"contextSourceInfo": [{"key": "X-Key", "value": 5}]},
        {"management": {"timeout": -1}},
        {"location": {"type": "Point", "coordinates": [200, 0]}},
    ]
    async with a_house(tmp_path) as house:
        for change in changes:
            answer = await status_of(house, a_registration(**change))
            assert answer == (400, "BadRequestData"), change
        assert (await house.ask("GET", f"{ALL}/{ONE}")).status_code == 404


@pytest.mark.clause("4.3.6.3", "5.9.2")
async def test_an_exclusive_registration_names_entity_and_attributes(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert await status_of(house, of_one_vehicle("one", "exclusive")) == (400, "BadRequestData")
        assert await status_of(house, a_registration(mode="exclusive")) == (400, "BadRequestData")
        assert await status_of(house, of_one_vehicle("one", "exclusive", "speed")) == (201, "")


@pytest.mark.clause("4.3.6.3", "5.9.2")
async def test_what_is_exclusive_is_not_registered_again(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, of_one_vehicle("one", "exclusive", "speed"))
        for mode in ("exclusive", "redirect"):
            again = of_one_vehicle("two", mode, "speed", "colour")
            assert await status_of(house, again) == (409, "Conflict")
        assert await status_of(house, of_one_vehicle("two", "inclusive", "speed")) == (201, "")
        assert await status_of(house, of_one_vehicle("three", "exclusive", "colour")) == (201, "")


@pytest.mark.clause("4.3.6.3", "5.9.2")
async def test_of_two_exclusive_registrations_at_once_one_is_refused(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        answers = await asyncio.gather(
            *(
                house.ask("POST", ALL, of_one_vehicle(str(n), "exclusive", "speed"))
                for n in range(4)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


@pytest.mark.clause("4.3.6.3", "5.9.2")
async def test_what_is_held_here_does_not_become_exclusive_or_redirected(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, {"id": VEHICLE, "type": "Vehicle", "speed": 3})
        assert await status_of(house, of_one_vehicle("a", "exclusive", "speed")) == (
            409,
            "Conflict",
        )
        assert await status_of(house, a_registration("b", mode="redirect")) == (409, "Conflict")
        assert await status_of(house, of_one_vehicle("c", "exclusive", "colour")) == (201, "")


@pytest.mark.clause("4.3.6.3", "5.9.3")
async def test_a_change_is_held_against_the_same_rules(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, of_one_vehicle("one", "exclusive", "speed"))
        await house.ask("POST", ALL, of_one_vehicle("two", "inclusive", "speed"))
        path = f"{ALL}/urn:ngsi-ld:ContextSourceRegistration:two"
        answer = await house.ask("PATCH", path, {"mode": "exclusive"})
        assert (answer.status_code, answer.json()["type"]) == (409, ERRORS + "Conflict")
        assert (await house.get(path))["mode"] == "inclusive"


@pytest.mark.clause("4.3.6.3", "5.9.3")
async def test_what_came_to_be_here_later_does_not_stop_a_source_from_moving(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration(mode="redirect"))
        entity = {"id": VEHICLE, "type": "Vehicle", "speed": 3}
        assert (await house.ask("POST", "/entities?local=true", entity)).status_code == 201
        moved = await house.ask("PATCH", f"{ALL}/{ONE}", {"endpoint": "http://new.example"})
        assert moved.status_code == 204
        part = {"entities": [{"type": "Vehicle"}, {"type": "Bus"}]}
        more = await house.ask("PATCH", f"{ALL}/{ONE}", {"information": [part]})
        assert more.status_code == 409


@pytest.mark.clause("5.9.2")
async def test_an_auxiliary_source_is_not_registered_for_writes(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        document = a_registration(mode="auxiliary", operations=["retrieveOps", "createEntity"])
        assert await status_of(house, document) == (400, "BadRequestData")


@pytest.mark.clause("5.9.3", "6.9.3.2")
async def test_a_change_replaces_members_and_null_removes_one(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration(expiresAt="2027-01-01T00:00:00Z", scope="/a"))
        change = {"endpoint": "http://new.example", "expiresAt": None}
        answer = await house.ask("PATCH", f"{ALL}/{ONE}", change)
        assert (answer.status_code, answer.content) == (204, b"")
        shown = await house.get(f"{ALL}/{ONE}")
        assert (shown["endpoint"], shown["scope"]) == ("http://new.example", "/a")
        assert "expiresAt" not in shown


@pytest.mark.clause("5.9.3")
async def test_a_change_that_cannot_be_is_refused(tmp_path: Path) -> None:
    changes: list[tuple[str, Any, int]] = [
        ("/nonsense", {"scope": "/a"}, 400),
        ("/urn:x:unknown", {"scope": "/a"}, 404),
        (f"/{ONE}", {"information": None}, 400),
        (f"/{ONE}", {"type": "Building"}, 400),
        (f"/{ONE}", ["scope"], 400),
    ]
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration())
        for path, body, status in changes:
            assert (await house.ask("PATCH", ALL + path, body)).status_code == status, path


@pytest.mark.clause("5.9.4", "6.9.3.3")
async def test_a_registration_that_is_deleted_is_gone(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration())
        answer = await house.ask("DELETE", f"{ALL}/{ONE}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await house.ask("GET", f"{ALL}/{ONE}")).status_code == 404
        assert (await house.ask("DELETE", f"{ALL}/{ONE}")).status_code == 404
        assert (await house.ask("DELETE", f"{ALL}/nonsense")).status_code == 400
        assert (await house.ask("DELETE", f"{ALL}/")).status_code == 405


@pytest.mark.clause("5.5.7", "6.3.5")
async def test_names_are_told_in_the_context_that_is_asked_for(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        document = a_registration(sourceOwner="交委")
        document["information"][0]["propertyNames"] = ["speed"]
        document["@context"] = {"Vehicle": "https://ex.org/Car", "speed": "https://ex.org/velocity"}
        assert (await house.ask("POST", ALL, document, ld=True)).status_code == 201
        (part,) = (await house.get(f"{ALL}/{ONE}"))["information"]
        assert part == {
            "entities": [{"type": "https://ex.org/Car"}],
            "propertyNames": ["https://ex.org/velocity"],
        }


@pytest.mark.clause("5.2.9")
async def test_an_expired_registration_is_not_found_by_discovery(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration(expiresAt="2026-11-22T08:30:00Z"))
        assert len(await house.get(f"{ALL}?type=Vehicle")) == 1
        house.clock.advance(timedelta(hours=1))
        assert await house.get(f"{ALL}?type=Vehicle") == []


@pytest.mark.clause("5.9.2", "5.10.1")
async def test_an_expired_registration_is_there_no_more(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration(expiresAt="2026-11-22T08:30:00Z"))
        house.clock.advance(timedelta(minutes=30))
        answers = [
            await house.ask("GET", f"{ALL}/{ONE}"),
            await house.ask("PATCH", f"{ALL}/{ONE}", {"endpoint": "http://new.example"}),
            await house.ask("DELETE", f"{ALL}/{ONE}"),
        ]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert await status_of(house, a_registration()) == (201, "")
        assert "expiresAt" not in await house.get(f"{ALL}/{ONE}")


@pytest.mark.clause("5.2.9")
async def test_what_became_of_requests_to_a_source_is_shown_and_survives(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration())
        registry = house.city.registry
        one = registry.book.get("city", ONE)
        assert one is not None
        assert "status" not in await house.get(f"{ALL}/{ONE}")
        for failure in (None, None, "no answer"):
            registry.note_forward(one, at=house.clock.now(), failure=failure)
            house.clock.advance(timedelta(minutes=1))
    async with a_house(tmp_path) as house:
        shown = await house.get(f"{ALL}/{ONE}")
        told = {name: shown[name] for name in ("status", "timesSent", "timesFailed")}
        assert told == {"status": "failed", "timesSent": 3, "timesFailed": 1}
        assert shown["lastSuccess"] < shown["lastFailure"]
        found = house.city.registry.book.get("city", ONE)
        assert found is not None
        assert found.endpoint == "http://source.example:1026"


@pytest.mark.clause("5.10.1")
async def test_who_may_look_at_sources_sees_no_keys_and_changes_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        told = [{"key": "X-Key", "value": "s3cret"}]
        await house.ask("POST", ALL, a_registration(contextSourceInfo=told))
        assert (await house.get(f"{ALL}/{ONE}"))["contextSourceInfo"] == told
        partner, citizen = await house.token("partner"), await house.token("citizen")
        assert "contextSourceInfo" not in await house.get(f"{ALL}/{ONE}", token=partner)
        assert "s3cret" not in str(await house.get(f"{ALL}?type=Vehicle", token=partner))
        for method, path, body in (
            ("POST", ALL, a_registration("two")),
            ("PATCH", f"{ALL}/{ONE}", {"endpoint": "http://thief.example"}),
            ("DELETE", f"{ALL}/{ONE}", None),
        ):
            assert (await house.ask(method, path, body, token=partner)).status_code == 403
        assert (await house.ask("GET", f"{ALL}/{ONE}", token=citizen)).status_code == 403


@pytest.mark.clause("4.14")
async def test_a_tenant_does_not_see_the_sources_of_another(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration())
        other = await house.token("manager", tenant="elsewhere")
        assert (await house.ask("GET", f"{ALL}/{ONE}", token=other)).status_code == 404
        assert (await house.ask("GET", f"{ALL}?type=Vehicle", token=other)).json() == []
        assert (await house.ask("DELETE", f"{ALL}/{ONE}", token=other)).status_code == 404
        assert (await house.ask("POST", ALL, a_registration(), token=other)).status_code == 201


@pytest.mark.clause("5.9.2")
async def test_every_change_leaves_a_line_in_the_audit_trail(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration())
        await house.ask("PATCH", f"{ALL}/{ONE}", {"scope": "/a"})
        await house.ask("DELETE", f"{ALL}/{ONE}")
        lines = [line for line in await house.audit() if line.object == ONE]
        assert [line.action for line in lines] == [
            "registration.create",
            "registration.update",
            "registration.delete",
        ]


@pytest.mark.clause("4.3.6.2")
async def test_a_registration_does_not_disturb_what_is_local(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", ALL, a_registration())
        await created(house, a_station())
        assert len(await house.get("/entities?type=AirQualityObserved")) == 1
