"""Writes on the past that concern context sources (clauses 4.3.6, 5.6.11–5.6.16), against real HTTP servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house, number
from tests.conformance.context_source import registered, sources
from tests.conformance.distributed import (
    CAR,
    ITS_SPEED,
    REGISTRATION,
    SPEED,
    WHOLE,
    Write,
    answering,
    bodies,
    of,
)

pytestmark = pytest.mark.clause("4.3.3", "4.3.6")
"""The clause of each write stands beside it, in `distributed.of`."""

OPERATIONS = [
    "upsertTemporal",
    "appendAttrsTemporal",
    "deleteAttrsTemporal",
    "updateAttrInstanceTemporal",
    "deleteAttrInstanceTemporal",
    "deleteTemporal",
]
AT = f"/temporal/entities/{CAR}"
INSTANCE = "urn:ngsi-ld:instance:1"
NINE, TEN = "2026-11-01T09:00:00Z", "2026-11-01T10:00:00Z"
SPEEDS = [number(80, NINE), number(99, TEN)]
DOORS = [number(7, NINE)]


def over_time(**attributes: Any) -> dict[str, Any]:
    """Return the car over time as a client sends it."""
    return {"id": CAR, "type": "Vehicle", **attributes}


TELL = Write(
    "tell",
    "5.6.11",
    "POST",
    "/temporal/entities",
    over_time(speed=SPEEDS, doors=DOORS),
    over_time(speed=SPEEDS),
    201,
)
APPEND = Write(
    "append",
    "5.6.12",
    "POST",
    f"{AT}/attrs",
    {"speed": SPEEDS, "doors": DOORS},
    {"speed": SPEEDS},
)
DELETE_ATTRIBUTE = Write("delete attribute", "5.6.13", "DELETE", f"{AT}/attrs/speed?deleteAll=true")
CHANGE_INSTANCE = Write(
    "change instance",
    "5.6.14",
    "PATCH",
    f"{AT}/attrs/speed/{INSTANCE}",
    number(50, NINE),
    number(50, NINE),
)
DELETE_INSTANCE = Write("delete instance", "5.6.15", "DELETE", f"{AT}/attrs/speed/{INSTANCE}")
DELETE = Write("delete", "5.6.16", "DELETE", AT)
INSTANCES = [CHANGE_INSTANCE, DELETE_INSTANCE]
LATER = [APPEND, DELETE_ATTRIBUTE, *INSTANCES, DELETE]
ALL = [TELL, *LATER]


async def ask(house: House, write: Write) -> Any:
    """Ask for a write."""
    return await house.ask(write.method, write.path, write.body)


async def told_here(house: House) -> None:
    """Let this broker have a past of the car already."""
    made = await house.ask(
        "POST", "/temporal/entities?local=true", over_time(speed=SPEEDS, doors=DOORS)
    )
    assert made.status_code == 201, made.text


async def past(house: House) -> dict[str, Any] | None:
    """Return what this broker itself has of the car's past."""
    answer = await house.ask("GET", f"{AT}?local=true")
    return answer.json() if answer.status_code == 200 else None


@of([TELL, APPEND])
async def test_an_exclusive_source_takes_its_attributes_and_the_rest_is_done_here(
    tmp_path: Path, write: Write
) -> None:
    source = answering(write.status)
    async with a_house(tmp_path) as house, sources(source):
        if write is APPEND:
            await house.ask("POST", "/temporal/entities", over_time(doors=[number(5, NINE)]))
        await registered(house, source, ITS_SPEED, mode="exclusive", operations=OPERATIONS)
        answer = await ask(house, write)
        assert answer.status_code == write.status, answer.text
        assert bodies(source, write) == [write.sent]
        stored = await past(house)
        assert stored is not None
        assert ("doors" in stored, "speed" in stored) == (True, False)


@of(ALL)
async def test_redirecting_sources_all_get_it_and_nothing_is_done_here(
    tmp_path: Path, write: Write
) -> None:
    one, two = answering(write.status), answering(write.status)
    async with a_house(tmp_path) as house, sources(one, two):
        for name, source in (("1", one), ("2", two)):
            await registered(
                house, source, WHOLE, name=name, mode="redirect", operations=OPERATIONS
            )
        answer = await ask(house, write)
        assert answer.status_code == write.status, answer.text
        assert bodies(one, write) == bodies(two, write) == [write.body]
        assert await past(house) is None


@of([TELL, APPEND, DELETE_ATTRIBUTE, DELETE])
async def test_an_inclusive_source_gets_all_of_it_besides_this_broker(
    tmp_path: Path, write: Write
) -> None:
    source = answering(write.status)
    async with a_house(tmp_path) as house, sources(source):
        if write is not TELL:
            await told_here(house)
        await registered(house, source, WHOLE, operations=OPERATIONS)
        answer = await ask(house, write)
        assert answer.status_code == write.status, answer.text
        assert bodies(source, write) == [write.body]
        stored = await past(house)
        assert ("speed" in (stored or {})) == (write in (TELL, APPEND))


@of(ALL)
async def test_an_auxiliary_source_gets_nothing(tmp_path: Path, write: Write) -> None:
    source = answering(write.status)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, mode="auxiliary")
        await ask(house, write)
        assert source.got == []


@of(ALL)
async def test_nothing_is_forwarded_of_a_local_write(tmp_path: Path, write: Write) -> None:
    source = answering(write.status)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, mode="redirect", operations=OPERATIONS)
        joint = "&" if "?" in write.path else "?"
        answer = await house.ask(write.method, f"{write.path}{joint}local=true", write.body)
        assert answer.status_code == (201 if write is TELL else 404), answer.text
        assert source.got == []


@of(ALL)
async def test_a_write_that_the_holder_does_not_offer_is_a_conflict(
    tmp_path: Path, write: Write
) -> None:
    source = answering(204)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, mode="redirect", operations=["redirectionOps"])
        answer = await ask(house, write)
        assert answer.status_code == 409
        assert answer.json()["type"] == "https://uri.etsi.org/ngsi-ld/errors/Conflict"
        assert source.got == []


@of(ALL)
async def test_a_source_with_the_usual_operations_is_not_told_of_the_past(
    tmp_path: Path, write: Write
) -> None:
    source = answering(write.status)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE)
        await ask(house, write)
        assert source.got == []


@of(LATER)
async def test_what_nobody_has_is_not_found(tmp_path: Path, write: Write) -> None:
    source = answering(404, {"type": "ResourceNotFound"})
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, operations=OPERATIONS)
        answer = await ask(house, write)
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("ResourceNotFound")
        assert len(source.got) == 1


@pytest.mark.clause("5.6.11", "6.18.3.1")
async def test_an_evolution_that_a_holding_source_had_already_is_not_new(tmp_path: Path) -> None:
    source = answering(204)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, mode="redirect", operations=OPERATIONS)
        answer = await ask(house, TELL)
        assert (answer.status_code, "Location" in answer.headers) == (204, False)


@pytest.mark.clause("5.6.11", "5.2.16", "5.2.17")
async def test_an_evolution_that_one_holder_refuses_names_the_holder(tmp_path: Path) -> None:
    source = answering(400, {"detail": "no doors here"})
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, operations=OPERATIONS)
        answer = await ask(house, TELL)
        assert answer.status_code == 207
        assert answer.json()["success"] == [CAR]
        (error,) = answer.json()["errors"]
        assert (error["entityId"], error["registrationId"]) == (CAR, REGISTRATION)
        assert "no doors here" in error["error"]["detail"]
        assert await past(house) is not None


@pytest.mark.clause("5.6.12", "5.2.18", "5.2.19")
async def test_added_instances_that_a_source_did_not_take_are_told(tmp_path: Path) -> None:
    source = answering(500)
    async with a_house(tmp_path) as house, sources(source):
        await told_here(house)
        await registered(house, source, ITS_SPEED, operations=OPERATIONS)
        answer = await ask(house, APPEND)
        assert answer.status_code == 207
        (refused,) = answer.json()["notUpdated"]
        assert (refused["attributeName"], refused["registrationId"]) == (SPEED, REGISTRATION)


@of(INSTANCES)
async def test_an_instance_that_only_a_source_knows_is_changed_there(
    tmp_path: Path, write: Write
) -> None:
    source = answering(204)
    async with a_house(tmp_path) as house, sources(source):
        await told_here(house)
        await registered(house, source, WHOLE, operations=OPERATIONS)
        answer = await ask(house, write)
        assert (answer.status_code, answer.text) == (204, "")
        assert bodies(source, write) == [write.sent]


@of(INSTANCES)
async def test_an_instance_that_only_this_broker_knows_is_changed_here(
    tmp_path: Path, write: Write
) -> None:
    source = answering(404)
    async with a_house(tmp_path) as house, sources(source):
        await told_here(house)
        stored = await past(house)
        assert stored is not None
        name = stored["speed"][0]["instanceId"]
        await registered(house, source, WHOLE, operations=OPERATIONS)
        path = write.path.replace(INSTANCE, name)
        assert (await house.ask(write.method, path, write.body)).status_code == 204
        assert len(source.got) == 1


@pytest.mark.clause("5.6.11", "4.5.7")
async def test_deleted_instances_and_ends_go_along(tmp_path: Path) -> None:
    source = answering(201)
    gone = {"type": "Property", "value": "urn:ngsi-ld:null", "observedAt": TEN}
    scope = [{"type": "Property", "value": ["/a"], "observedAt": NINE}]
    whole = over_time(speed=[number(80, NINE), gone], scope=scope, expiresAt="2036-01-01T00:00:00Z")
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, mode="redirect", operations=OPERATIONS)
        answer = await house.ask("POST", "/temporal/entities", whole)
        assert answer.status_code == 201, answer.text
        assert bodies(source, TELL) == [whole]


@pytest.mark.clause("5.6.13")
async def test_one_dataset_of_an_attribute_is_deleted_at_the_source(tmp_path: Path) -> None:
    source = answering(204)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, mode="redirect", operations=OPERATIONS)
        path = f"{AT}/attrs/speed"
        for asked, parameters in (
            ("", {}),
            ("?datasetId=urn:x:d", {"datasetId": "urn:x:d"}),
            ("?deleteAll=true", {"deleteAll": "true"}),
        ):
            assert (await house.ask("DELETE", path + asked)).status_code == 204
            assert source.got[-1].parameters == parameters


@pytest.mark.clause("6.3.18")
async def test_a_write_that_comes_back_is_a_loop(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        alias = house.city.alias.of("city")
        answer = await house.ask("POST", "/temporal/entities", TELL.body, Via=f"1.1 {alias}")
        assert answer.status_code == 508
        assert await past(house) is None
