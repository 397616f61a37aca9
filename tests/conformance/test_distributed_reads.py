"""Retrieving what is held elsewhere (clauses 4.3.6, 4.5.5, 5.7.1 and 6.3.18)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chengmai.kernel.actors import Actor
from tests.api.house import House, a_house, created
from tests.conformance.context_source import Source, registered, sources, vehicle

CAR = "urn:ngsi-ld:Vehicle:a"
DEAD = "http://127.0.0.1:9"


async def _car(house: House, query: str = "", **headers: str) -> Any:
    return await house.get(f"/entities/{CAR}{query}", **headers)


def _names(found: list[dict[str, Any]]) -> list[str]:
    return [one["id"].rpartition(":")[2] for one in found]


def _observed(value: Any, at: str) -> dict[str, Any]:
    return {"type": "Property", "value": value, "observedAt": at}


@pytest.mark.clause("4.3.6.2", "5.7.1")
async def test_an_entity_that_only_a_source_has_is_retrieved_from_it(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=50)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)

        assert (await _car(house))["speed"]["value"] == 50
        (asking,) = source.got
        assert (asking.method, asking.path) == ("GET", f"/entities/{CAR}")
        assert "via" in asking.headers


@pytest.mark.clause("6.3.18", "5.5.13")
@pytest.mark.parametrize(
    "path", [f"/entities/{CAR}?local=true", "/entities?type=Vehicle&local=true"]
)
async def test_a_local_request_asks_nobody(tmp_path: Path, path: str) -> None:
    source = Source([vehicle("a", speed=50)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        answer = await house.ask("GET", path)

        assert answer.status_code == 404 or answer.json() == []
        assert source.got == []


@pytest.mark.clause("4.5.5", "5.7.1")
async def test_an_entity_in_parts_is_put_together(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=50)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        await created(house, vehicle("a", brand="x"))

        found = await _car(house)
        assert (found["brand"]["value"], found["speed"]["value"]) == ("x", 50)


@pytest.mark.clause("4.5.5.3")
@pytest.mark.parametrize(("here", "there", "shown"), [("01", "02", "there"), ("03", "02", "here")])
async def test_of_two_values_the_one_observed_last_is_shown(
    tmp_path: Path, here: str, there: str, shown: str
) -> None:
    source = Source([vehicle("a", speed=_observed("there", f"2026-{there}-01T00:00:00Z"))])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        await created(house, vehicle("a", speed=_observed("here", f"2026-{here}-01T00:00:00Z")))

        assert (await _car(house))["speed"]["value"] == shown


@pytest.mark.clause("4.5.5.3", "4.8")
async def test_of_two_values_that_nobody_observed_the_one_modified_last_is_shown(
    tmp_path: Path,
) -> None:
    newer = {"type": "Property", "value": 2, "modifiedAt": "2027-01-01T00:00:00Z"}
    source = Source([vehicle("a", speed=newer)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        await created(house, vehicle("a", speed=1))

        found = await _car(house, "?options=sysAttrs")
        assert found["speed"]["value"] == 2
        assert found["speed"]["modifiedAt"] == "2027-01-01T00:00:00Z"
        assert source.got[0].parameters["options"] == "sysAttrs"


@pytest.mark.clause("4.5.5")
async def test_instances_of_different_datasets_stand_beside_each_other(tmp_path: Path) -> None:
    gps = {"type": "Property", "value": 2, "datasetId": "urn:x:gps"}
    source = Source([vehicle("a", speed=gps)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        await created(house, vehicle("a", speed=1))

        assert sorted(one["value"] for one in (await _car(house))["speed"]) == [1, 2]


@pytest.mark.clause("4.3.6.2")
async def test_an_auxiliary_source_fills_what_is_missing_and_overrides_nothing(
    tmp_path: Path,
) -> None:
    source = Source([vehicle("a", speed=_observed(99, "2026-12-01T00:00:00Z"), brand="x")])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, mode="auxiliary")
        await created(house, vehicle("a", speed=1))

        found = await _car(house)
        assert (found["speed"]["value"], found["brand"]["value"]) == (1, "x")


@pytest.mark.clause("4.3.6.3")
async def test_an_exclusive_attribute_comes_from_its_source_alone(tmp_path: Path) -> None:
    only = Source([vehicle("a", speed=1, brand="not asked for")])
    other = Source([vehicle("a", speed=_observed(2, "2026-12-01T00:00:00Z"), colour="red")])
    async with a_house(tmp_path) as house, sources(only, other):
        await created(house, vehicle("a", brand="x"))
        information = {"entities": [{"id": CAR, "type": "Vehicle"}], "propertyNames": ["speed"]}
        await registered(house, only, information, mode="exclusive")
        await registered(
            house, other, {"entities": [{"type": "Vehicle"}]}, name="2", mode="inclusive"
        )

        found = await _car(house)
        assert (found["speed"]["value"], found["brand"]["value"]) == (1, "x")
        assert found["colour"]["value"] == "red"
        assert only.got[0].parameters["attrs"] == "speed"


@pytest.mark.clause("4.3.6.3", "5.7.1")
async def test_redirected_data_come_from_all_their_sources(tmp_path: Path) -> None:
    one, other = Source([vehicle("a", speed=1)]), Source([vehicle("a", brand="x")])
    async with a_house(tmp_path) as house, sources(one, other):
        await registered(house, one, mode="redirect")
        await registered(house, other, name="2", mode="redirect")

        found = await _car(house)
        assert (found["speed"]["value"], found["brand"]["value"]) == (1, "x")


@pytest.mark.clause("4.3.6.1")
async def test_a_source_contributes_only_what_it_is_registered_for(tmp_path: Path) -> None:
    source = Source(
        answers={"/entities": (200, [vehicle("a", speed=1, brand="x"), vehicle("b", brand="x")])}
    )
    async with a_house(tmp_path) as house, sources(source):
        information = {"entities": [{"type": "Vehicle"}], "propertyNames": ["speed"]}
        await registered(house, source, information)

        (found,) = await house.get("/entities?type=Vehicle")
        assert (found["id"], "brand" in found) == (CAR, False)
        assert source.got[0].parameters["attrs"] == "speed"


@pytest.mark.clause("4.3.6.1", "4.20")
@pytest.mark.parametrize(
    ("operation", "method", "path"),
    [
        ("retrieveEntity", "GET", f"/entities/{CAR}"),
        ("queryEntity", "GET", "/entities"),
        ("queryBatch", "POST", "/entityOperations/query"),
    ],
)
async def test_a_source_is_asked_by_an_operation_that_it_offers(
    tmp_path: Path, operation: str, method: str, path: str
) -> None:
    source = Source([vehicle("a", speed=1)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=[operation])

        assert (await _car(house))["speed"]["value"] == 1
        (asking,) = source.got
        assert (asking.method, asking.path) == (method, path)


@pytest.mark.clause("4.3.6.1")
async def test_a_source_that_offers_no_reading_is_not_asked(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=["updateOps"])

        assert (await house.ask("GET", f"/entities/{CAR}")).status_code == 404
        assert source.got == []


@pytest.mark.clause("4.3.6.6")
async def test_names_are_those_of_the_requester_and_of_the_source(tmp_path: Path) -> None:
    mine, theirs = "http://ctx.test/mine.jsonld", "http://ctx.test/theirs.jsonld"
    terms = {
        mine: {"Auto": "http://v.test/Vehicle", "tempo": "http://v.test/speed"},
        theirs: {"Vehicle": "http://v.test/Vehicle", "speed": "http://v.test/speed"},
    }
    files = {}
    for number, (url, context) in enumerate(terms.items()):
        files[url] = tmp_path / f"{number}.jsonld"
        files[url].write_text(str({"@context": context}).replace("'", '"'))
    source = Source([vehicle("a", speed=7)])
    async with a_house(tmp_path / "city", contexts=files) as house, sources(source):
        info = [{"key": "jsonldContext", "value": theirs}]
        information = {"entities": [{"type": "Auto"}]}
        await registered(house, source, information, context=mine, contextSourceInfo=info)
        link = f'<{mine}>; rel="http://www.w3.org/ns/json-ld#context"'

        (found,) = await house.get("/entities?type=Auto&q=tempo==7", Link=link)
        assert (found["type"], found["tempo"]["value"]) == ("Auto", 7)
        (asking,) = source.got
        assert asking.parameters["type"] == "Vehicle"
        assert theirs in asking.headers["link"]
        assert "q" not in asking.parameters  # which has the requester's names


@pytest.mark.clause("4.14")
async def test_registrations_of_one_tenant_do_not_concern_another(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1)])
    elsewhere = Actor("sys:tests", "other", frozenset({"admin"}), "tests")
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, by=elsewhere)

        assert await house.get("/entities?type=Vehicle") == []
        assert source.got == []


@pytest.mark.clause("4.14", "6.3.14")
async def test_a_source_is_asked_in_the_tenant_that_is_registered(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, tenant="north")
        await _car(house)

        assert source.got[0].headers["ngsild-tenant"] == "north"


@pytest.mark.clause("4.3.6.4", "6.3.18")
async def test_a_request_that_has_come_back_is_not_forwarded_again(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        await _car(house)
        again = await house.ask("GET", "/entities?type=Vehicle", via=source.got[0].headers["via"])

        assert (again.status_code, len(source.got)) == (508, 1)


@pytest.mark.clause("5.2.9")
async def test_a_registration_that_has_expired_counts_no_more(tmp_path: Path) -> None:
    source = Source([vehicle("a", speed=1)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, expiresAt="2026-11-22T08:00:10Z")
        assert _names(await house.get("/entities?type=Vehicle")) == ["a"]
        house.clock.advance(timedelta(minutes=1))

        assert await house.get("/entities?type=Vehicle") == []
