"""Loops and the Via header (clauses 4.3.6.4, 6.3.17, 6.3.18), among real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.house import a_house, created
from tests.conformance.context_source import Source, registered, sources, vehicle
from tests.conformance.distributed import BATCHES, CREATE, DELETE, Always, answering, ask, held

EVERY_WRITE = ["redirectionOps", *BATCHES]


@pytest.mark.clause("6.3.18", "5.2.40")
async def test_every_forward_names_us_the_same_way_behind_those_it_came_through(
    tmp_path: Path,
) -> None:
    source = answering(201)
    async with a_house(tmp_path, host_alias="here") as house, sources(source):
        await registered(house, source, mode="redirect", operations=EVERY_WRITE)
        await ask(house, CREATE)
        await ask(house, CREATE, Via="1.1 far, 1.1 near")
        assert [one.headers["via"] for one in source.got] == [
            "1.1 here",
            "1.1 far, 1.1 near, 1.1 here",
        ]


@pytest.mark.clause("6.3.17", "6.3.18")
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
async def test_a_request_that_was_here_already_is_refused_and_does_nothing(
    tmp_path: Path, method: str
) -> None:
    async with a_house(tmp_path, host_alias="here") as house:
        await created(house, vehicle("1", brand="BMW"))
        body = {"brand": {"type": "Property", "value": "VW"}} if method == "PATCH" else None
        answer = await house.ask(method, DELETE.path, body, Via="1.1 here, 1.1 there")
        assert answer.status_code == 508
        assert answer.json()["type"] == "https://uri.etsi.org/ngsi-ld/errors/LoopDetected"
        assert (await held(house) or {})["brand"] == "BMW"


@pytest.mark.clause("6.3.18", "4.14")
async def test_the_alias_of_another_tenant_is_no_loop(tmp_path: Path) -> None:
    async with a_house(tmp_path, host_alias="here") as house:
        token = await house.token("manager", tenant="north")
        answer = await house.ask("GET", "/types", token=token, Via="1.1 here")
        assert answer.status_code == 200


@pytest.mark.clause("6.3.18")
async def test_an_alias_that_was_made_is_the_same_after_a_restart(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        first = house.city.alias.of("city")
    async with a_house(tmp_path) as house:
        assert house.city.alias.of("city") == first


@pytest.mark.clause("6.3.17", "4.3.6.3")
async def test_a_loop_through_the_only_holder_is_told_as_such(tmp_path: Path) -> None:
    source = answering(508)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, mode="redirect", operations=EVERY_WRITE)
        answer = await ask(house, DELETE)
        assert answer.status_code == 508


@pytest.mark.clause("6.3.17", "4.3.6.2")
async def test_a_loop_through_an_inclusive_source_is_left_out_with_a_warning(
    tmp_path: Path,
) -> None:
    source = answering(508)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=EVERY_WRITE)
        answer = await ask(house, CREATE)
        assert answer.status_code == 201
        assert answer.headers["ngsild-warning"].startswith("199 ")


@pytest.mark.clause("6.3.18", "5.2.9")
async def test_a_source_that_the_request_came_through_is_not_asked_again(tmp_path: Path) -> None:
    source = Source(answers=Always((201, b"")))
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, operations=EVERY_WRITE, contextSourceAlias="there")
        answer = await ask(house, CREATE, Via="1.1 there")
        assert answer.status_code == 201
        assert source.got == []
