"""Writes that concern context sources (clauses 4.3.3, 4.3.6, 5.6.x, 6.3.17), against real HTTP servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.house import a_house
from tests.conformance.context_source import registered, sources
from tests.conformance.distributed import (
    ATTRS,
    BATCH_DELETE,
    BATCHES,
    BOTH,
    CAR,
    CHANGES,
    CREATE,
    DELETE,
    FRAGMENT,
    ITS_SPEED,
    OF_BATCH,
    ONE,
    REGISTRATION,
    SINGLES,
    SPEED,
    WHOLE,
    Write,
    a_car,
    answering,
    ask,
    bodies,
    held,
    here,
    of,
)

pytestmark = pytest.mark.clause("4.3.3", "4.3.6")
"""The clause of each write stands beside it, in `distributed.of`."""


@of([CREATE, *CHANGES, *OF_BATCH])
async def test_an_exclusive_source_takes_its_attributes_and_the_rest_is_done_here(
    tmp_path: Path, write: Write
) -> None:
    source = answering(write.status)
    async with a_house(tmp_path) as house, sources(source):
        if write.name not in ("create", "upsert"):
            await here(house, "brand")
        await registered(
            house,
            source,
            ITS_SPEED,
            mode="exclusive",
            operations=["redirectionOps", *BATCHES],
        )
        answer = await ask(house, write)
        assert answer.status_code == write.status, answer.text
        assert bodies(source, write) == [write.sent]
        stored = await held(house)
        assert stored is not None
        assert (stored["brand"], "speed" in stored) == ("BMW", False)


@of([CREATE, *CHANGES, *SINGLES, DELETE, *OF_BATCH, BATCH_DELETE])
async def test_redirecting_sources_all_get_what_they_match_and_nothing_is_stored_here(
    tmp_path: Path, write: Write
) -> None:
    one, two = answering(write.status), answering(write.status)
    async with a_house(tmp_path) as house, sources(one, two):
        for name, source in (("1", one), ("2", two)):
            await registered(
                house,
                source,
                WHOLE,
                name=name,
                mode="redirect",
                operations=["redirectionOps", *BATCHES],
            )
        answer = await ask(house, write)
        assert answer.status_code == write.status, answer.text
        assert len(bodies(one, write)) == len(bodies(two, write)) == 1
        assert await held(house) is None


@of([CREATE, *CHANGES, *SINGLES, DELETE, *OF_BATCH, BATCH_DELETE])
async def test_an_inclusive_source_gets_all_of_it_besides_this_broker(
    tmp_path: Path, write: Write
) -> None:
    source = answering(write.status)
    async with a_house(tmp_path) as house, sources(source):
        if write.name not in ("create", "upsert"):
            await here(house, "speed", "brand")
        await registered(house, source, WHOLE, operations=["redirectionOps", *BATCHES])
        answer = await ask(house, write)
        assert answer.status_code == write.status, answer.text
        (sent,) = bodies(source, write)
        if write.name not in ("delete", "delete attribute", "partial update"):
            assert sent == write.body
        stored = await held(house)
        if write in (DELETE, BATCH_DELETE):
            assert stored is None
        else:
            assert (stored or {}).get("speed") == (None if write.method == "DELETE" else 99)


@of([CREATE, *CHANGES, *SINGLES, DELETE, *OF_BATCH, BATCH_DELETE])
async def test_an_auxiliary_source_gets_no_write(tmp_path: Path, write: Write) -> None:
    source = answering(write.status)
    async with a_house(tmp_path) as house, sources(source):
        if write.name not in ("create", "upsert"):
            await here(house, "speed", "brand")
        await registered(house, source, WHOLE, mode="auxiliary")
        assert (await ask(house, write)).status_code == write.status
        assert source.got == []


@of([CREATE, *CHANGES, *SINGLES, DELETE, *OF_BATCH, BATCH_DELETE])
async def test_nothing_is_forwarded_of_a_local_write(tmp_path: Path, write: Write) -> None:
    source = answering(write.status)
    async with a_house(tmp_path) as house, sources(source):
        await registered(
            house, source, WHOLE, mode="redirect", operations=["redirectionOps", *BATCHES]
        )
        if write.name not in ("create", "upsert"):
            await here(house, "speed", "brand")
        answer = await house.ask(write.method, f"{write.path}?local=true", write.body)
        assert answer.status_code == write.status, answer.text
        assert source.got == []


@of([CREATE, *CHANGES, *SINGLES, DELETE, *OF_BATCH])
async def test_a_write_that_the_holder_does_not_offer_is_a_conflict(
    tmp_path: Path, write: Write
) -> None:
    source = answering(204)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, mode="redirect", operations=["retrieveOps"])
        answer = await ask(house, write)
        if write in OF_BATCH:
            assert answer.status_code == 207
            (error,) = answer.json()["errors"]
            assert (error["entityId"], error["registrationId"]) == (CAR, REGISTRATION)
            problem = error["error"]
        else:
            assert answer.status_code == 409
            problem = answer.json()
        assert problem["type"] == "https://uri.etsi.org/ngsi-ld/errors/Conflict"
        assert source.got == []
        assert await held(house) is None


@pytest.mark.clause("5.6.1", "4.3.6.2")
async def test_an_inclusive_source_that_does_not_offer_a_write_is_left_out(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, operations=["retrieveOps"])
        assert (await ask(house, CREATE)).status_code == 201
        assert source.got == []


@pytest.mark.clause("5.6.1", "5.2.16", "5.2.17")
async def test_a_creation_that_one_holder_refuses_names_the_holder_and_the_reason(
    tmp_path: Path,
) -> None:
    source = answering(409, {"detail": "it is here already"})
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, operations=["redirectionOps"])
        answer = await ask(house, CREATE)
        assert answer.status_code == 207
        assert answer.json()["success"] == [CAR]
        (error,) = answer.json()["errors"]
        assert (error["entityId"], error["registrationId"]) == (CAR, REGISTRATION)
        assert error["error"]["status"] == 409
        assert "it is here already" in error["error"]["detail"]
        assert await held(house) is not None


@pytest.mark.clause("5.6.1", "5.2.16")
async def test_a_creation_that_is_a_conflict_here_is_done_at_the_source_all_the_same(
    tmp_path: Path,
) -> None:
    source = answering(201)
    async with a_house(tmp_path) as house, sources(source):
        await here(house, "brand")
        await registered(house, source, WHOLE, operations=["redirectionOps"])
        answer = await ask(house, CREATE)
        assert answer.status_code == 207
        (error,) = answer.json()["errors"]
        assert error["error"]["status"] == 409
        assert "registrationId" not in error
        assert len(source.got) == 1


@pytest.mark.clause("5.6.2", "5.2.18", "5.2.19")
async def test_an_update_says_which_attributes_were_not_updated_and_by_whom(tmp_path: Path) -> None:
    source = answering(500)
    async with a_house(tmp_path) as house, sources(source):
        await here(house, "brand")
        await registered(house, source, ITS_SPEED, mode="redirect", operations=["redirectionOps"])
        answer = await house.ask("PATCH", ATTRS, BOTH)
        assert answer.status_code == 207
        told = answer.json()
        assert [name.rpartition("/")[2] for name in told["updated"]] == ["brand"]
        (refused,) = told["notUpdated"]
        assert refused.keys() == {"attributeName", "reason", "registrationId"}
        assert (refused["attributeName"], refused["registrationId"]) == (SPEED, REGISTRATION)


@pytest.mark.clause("5.6.3", "5.2.18")
async def test_what_a_source_refused_of_its_share_is_told(tmp_path: Path) -> None:
    said = {"updated": [], "notUpdated": [{"attributeName": "speed", "reason": "it exists"}]}
    source = answering(207, said)
    async with a_house(tmp_path) as house, sources(source):
        await here(house, "brand")
        await registered(house, source, ITS_SPEED, mode="redirect", operations=["redirectionOps"])
        answer = await house.ask("POST", f"{ATTRS}?options=noOverwrite", FRAGMENT)
        assert answer.status_code == 207
        (refused,) = answer.json()["notUpdated"]
        assert refused == {
            "attributeName": SPEED,
            "reason": "it exists",
            "registrationId": REGISTRATION,
        }
        assert source.got[0].parameters == {"options": "noOverwrite"}


@of([*CHANGES, *SINGLES, DELETE])
async def test_what_nobody_has_is_not_found(tmp_path: Path, write: Write) -> None:
    source = answering(404, {"type": "ResourceNotFound"})
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, operations=["redirectionOps"])
        answer = await ask(house, write)
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("ResourceNotFound")
        assert len(source.got) == 1


@of([*CHANGES, *SINGLES, DELETE])
async def test_what_only_one_of_two_holders_has_is_done_in_part(
    tmp_path: Path, write: Write
) -> None:
    source = answering(204)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, operations=["redirectionOps"])
        assert (await ask(house, write)).status_code == 207


@pytest.mark.clause("5.6.6", "4.17")
async def test_a_delete_of_another_type_deletes_nothing_anywhere(tmp_path: Path) -> None:
    source = answering(204)
    async with a_house(tmp_path) as house, sources(source):
        await here(house, "brand")
        await registered(house, source, ITS_SPEED, mode="redirect", operations=["redirectionOps"])
        assert (await house.ask("DELETE", f"{ONE}?type=Boat")).status_code == 404
        assert source.got == []
        assert await held(house) is not None


@pytest.mark.clause("5.6.6", "4.3.6.1")
async def test_sources_of_other_types_are_not_asked_about_an_entity_that_is_here(
    tmp_path: Path,
) -> None:
    source = answering(404)
    async with a_house(tmp_path) as house, sources(source):
        await here(house, "brand")
        boats = {"entities": [{"type": "Boat"}]}
        await registered(house, source, boats, operations=["redirectionOps"])
        assert (await ask(house, DELETE)).status_code == 204
        assert source.got == []


@pytest.mark.clause("5.6.21", "4.3.6")
async def test_a_purge_goes_to_every_holder_as_it_is(tmp_path: Path) -> None:
    one, two = answering(204), answering(404)
    async with a_house(tmp_path) as house, sources(one, two):
        cars = {"entities": [{"type": "Vehicle"}]}
        await registered(house, one, cars, mode="redirect", operations=["purgeEntity"])
        await registered(house, two, cars, name="2", operations=["purgeEntity"])
        await here(house, "brand")
        answer = await house.ask("DELETE", "/entities?type=Vehicle")
        assert answer.status_code == 207
        (error,) = answer.json()["errors"]
        assert error["registrationId"].endswith(":2")
        assert [(a.method, a.path, a.parameters) for a in one.got] == [
            ("DELETE", "/entities", {"type": "Vehicle"})
        ]
        assert await held(house) is None


@pytest.mark.clause("5.6.1", "4.22")
async def test_the_end_of_an_entity_and_of_an_attribute_goes_along(tmp_path: Path) -> None:
    source = answering(201)
    ends = {"expiresAt": "2036-01-01T00:00:00Z"}
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, WHOLE, mode="redirect", operations=["redirectionOps"])
        body = a_car(speed={"type": "Property", "value": 1, **ends}) | ends
        assert (await house.ask("POST", "/entities", body)).status_code == 201
        assert bodies(source, CREATE) == [body]
