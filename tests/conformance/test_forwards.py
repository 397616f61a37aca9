"""What a context source is told with a forwarded write (clauses 4.3.6.5, 4.3.6.6, 6.3.14, 6.3.19)."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.api.house import CORE_LINK, a_house
from tests.conformance.context_source import registered, sources
from tests.conformance.distributed import (
    CAR,
    CREATE,
    REGISTRATION,
    SPEED_99,
    a_car,
    answering,
    ask,
)


@pytest.mark.clause("5.6.1", "6.3.5")
async def test_names_reach_the_source_with_the_context_they_were_given_in(tmp_path: Path) -> None:
    source = answering(201)
    context = [{"tempo": "https://example.org/speed"}]
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, mode="redirect", operations=["createEntity"])
        car = a_car(tempo=SPEED_99)
        assert (await house.ask("POST", "/entities", car, Link=CORE_LINK)).status_code == 201
        answer = await house.ask("POST", "/entities", {**car, "@context": context}, ld=True)
        assert answer.status_code == 201
        linked, inline = source.got
        assert (linked.headers["content-type"], linked.body) == ("application/json", car)
        assert "core-context" in linked.headers["link"]
        assert inline.headers["content-type"] == "application/ld+json"
        assert "link" not in inline.headers
        assert inline.body == {**car, "@context": context[0]}


@pytest.mark.clause("4.3.6.6", "6.3.19")
async def test_a_source_is_told_names_of_the_context_it_asks_for(tmp_path: Path) -> None:
    source = answering(201)
    url = "https://example.org/context.jsonld"
    file = tmp_path / "context.jsonld"
    file.write_text('{"@context": {"tempo": "https://example.org/speed"}}')
    async with a_house(tmp_path / "city", contexts={url: file}) as house, sources(source):
        await registered(
            house,
            source,
            mode="redirect",
            operations=["createEntity"],
            contextSourceInfo=[{"key": "jsonldContext", "value": url}],
        )
        car = {**a_car(speed=SPEED_99), "@context": [{"speed": "https://example.org/speed"}]}
        assert (await house.ask("POST", "/entities", car, ld=True)).status_code == 201
        (got,) = source.got
        assert got.body == a_car(tempo=SPEED_99)
        assert got.headers["content-type"] == "application/json"
        assert url in got.headers["link"]
        assert "jsonldcontext" not in got.headers


@pytest.mark.clause("4.3.6.5", "6.3.14")
async def test_a_source_gets_its_tenant_and_its_headers_and_no_credentials_of_the_requester(
    tmp_path: Path,
) -> None:
    source = answering(201)
    async with a_house(tmp_path) as house, sources(source):
        await registered(
            house,
            source,
            mode="redirect",
            operations=["createEntity"],
            tenant="theirs",
            contextSourceInfo=[{"key": "X-Key", "value": "k"}],
        )
        assert (await ask(house, CREATE, Cookie="a=b")).status_code == 201
        (got,) = source.got
        assert (got.headers["ngsild-tenant"], got.headers["x-key"]) == ("theirs", "k")
        assert not got.headers.keys() & {"authorization", "cookie"}


@pytest.mark.clause("4.14", "4.3.6")
async def test_registrations_of_one_tenant_do_not_concern_another(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, mode="redirect", operations=["createEntity"])
        token = await house.token("manager", tenant="north")
        assert (await house.ask("POST", "/entities", CREATE.body, token=token)).status_code == 201
        assert source.got == []


@pytest.mark.clause("4.3.6")
async def test_what_is_forwarded_leaves_a_line_in_the_audit_trail(tmp_path: Path) -> None:
    source = answering(201)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, mode="redirect", operations=["createEntity"])
        await ask(house, CREATE)
        line = (await house.audit())[-1]
        assert (line.action, line.object) == ("entity.forward", CAR)
        assert orjson.loads(line.detail)["sources"] == {REGISTRATION: "ok"}
        assert await house.broken() == []


@pytest.mark.clause("5.6.17.3", "6.5.3.4")
async def test_a_source_is_told_how_to_merge_and_decides_about_kinds_itself(tmp_path: Path) -> None:
    source = answering(204)
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, mode="redirect", operations=["mergeEntity"])
        at = "2026-11-22T08:00:00Z"
        path = f"/entities/{CAR}?options=keyValues&lang=en&observedAt={at}"
        answer = await house.ask("PATCH", path, {"name": "Bus", "speed": [1, 2]})
        assert answer.status_code == 204
        (got,) = source.got
        assert got.body == {"name": "Bus", "speed": [1, 2]}
        assert got.parameters == {"options": "keyValues", "lang": "en", "observedAt": at}
