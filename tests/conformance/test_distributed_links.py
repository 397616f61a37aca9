"""Filters that follow links see linked entities wherever they are held (clauses 4.9, 4.5.23, 5.7.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chengmai.broker.distribution import linked
from tests.api.house import House, a_house, created, number
from tests.conformance.context_source import Source, registered, sources, vehicle

pytestmark = pytest.mark.clause("4.9", "4.5.23", "5.7.2")


def to(other: str) -> dict[str, Any]:
    return {"type": "Relationship", "object": f"urn:ngsi-ld:{other}"}


def a_place(name: str, size: float, **members: Any) -> dict[str, Any]:
    return {"id": f"urn:ngsi-ld:Place:{name}", "type": "Place", "size": number(size), **members}


def a_car(name: str, place: str) -> dict[str, Any]:
    return vehicle(name, parkedAt=to(f"Place:{place}"))


async def found(house: House, q: str, more: str = "") -> list[str]:
    answer = await house.ask("GET", f"/entities?type=Vehicle&join=inline&q={q}{more}")
    assert answer.status_code == 200, answer.text
    assert "ngsild-warning" not in answer.headers
    return [one["id"].rpartition(":")[2] for one in answer.json()]


async def test_an_entity_here_is_found_by_what_it_links_to_elsewhere(tmp_path: Path) -> None:
    source = Source([a_place("big", 9), a_place("small", 1)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, {"entities": [{"type": "Place"}]})
        await created(house, a_car("a", "big"), a_car("b", "small"), a_car("c", "nowhere"))
        assert await found(house, "parkedAt{size}>5") == ["a"]
        assert await found(house, "parkedAt{size}<5") == ["b"]
        assert await found(house, "!parkedAt{size}") == ["c"]
        assert await found(house, "parkedAt{Place:size}", "&limit=1&offset=1") == ["b"]
        answer = await house.ask(
            "GET", "/entities?type=Vehicle&join=inline&q=parkedAt{size}>5&count=true&limit=0"
        )
        assert answer.headers["ngsild-results-count"] == "1"
        assert await found(house, "parkedAt{size}>5", "&local=true") == []


async def test_an_entity_elsewhere_is_found_by_what_it_links_to_here(tmp_path: Path) -> None:
    source = Source([a_car("a", "big"), a_car("b", "small")])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source)
        await created(house, a_place("big", 9), a_place("small", 1))
        assert await found(house, "parkedAt{size}>5") == ["a"]
        assert all("q" not in one.parameters for one in source.asked_for("/entities"))


async def test_parts_of_a_linked_entity_are_put_together_before_it_is_judged(
    tmp_path: Path,
) -> None:
    part = {"id": "urn:ngsi-ld:Place:big", "type": "Place", "storeys": number(7)}
    source = Source([part])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, {"entities": [{"type": "Place"}]})
        await created(house, a_car("a", "big"))
        answer = await house.ask("POST", "/entities?local=true", a_place("big", 9))
        assert answer.status_code == 201, answer.text
        assert await found(house, "parkedAt{size}>5;parkedAt{storeys}==7") == ["a"]


async def test_links_are_followed_from_holder_to_holder(tmp_path: Path) -> None:
    town = {"id": "urn:ngsi-ld:Town:t", "type": "Town", "name": {"type": "Property", "value": "x"}}
    one = Source([a_place("big", 9, inTown=to("Town:t"))])
    two = Source([town])
    async with a_house(tmp_path) as house, sources(one, two):
        await registered(house, one, {"entities": [{"type": "Place"}]}, name="1")
        await registered(house, two, {"entities": [{"type": "Town"}]}, name="2")
        await created(house, a_car("a", "big"))
        q = 'parkedAt{inTown{name}}=="%s"'
        assert await found(house, q % "x", "&joinLevel=2") == ["a"]
        assert await found(house, q % "y", "&joinLevel=2") == []


@pytest.mark.clause("6.3.17")
async def test_more_links_than_sources_are_asked_for_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linked, "MOST_LINKED", 2)
    source = Source([a_place(str(n), 9) for n in range(4)])
    async with a_house(tmp_path) as house, sources(source):
        await registered(house, source, {"entities": [{"type": "Place"}]})
        await created(house, *(a_car(str(n), str(n)) for n in range(4)))
        answer = await house.ask("GET", "/entities?type=Vehicle&join=inline&q=parkedAt{size}>5")
        assert len(answer.json()) == 2
        assert "linked entities" in answer.headers["ngsild-warning"]
