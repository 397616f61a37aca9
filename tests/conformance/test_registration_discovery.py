"""Discovering context sources: every filter of clause 5.10.2."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house

ALL = "/csourceRegistrations"


def a_source(name: str, *information: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a registration of a source."""
    return {
        "id": f"urn:ngsi-ld:ContextSourceRegistration:{name}",
        "type": "ContextSourceRegistration",
        "information": list(information),
        "endpoint": f"http://{name}.example",
        **members,
    }


BUILDINGS: dict[str, Any] = {"entities": [{"type": "Building"}]}
SOURCES = (
    a_source(
        "traffic",
        {
            "entities": [{"id": "urn:ngsi-ld:Vehicle:A456", "type": "Vehicle"}],
            "propertyNames": ["brandName"],
            "relationshipNames": ["isParked"],
        },
        {
            "entities": [{"idPattern": ".*downtown$", "type": "OffStreetParking"}],
            "propertyNames": ["totalSpotNumber"],
        },
        scope=["/city/traffic", "/city/parking"],
    ),
    a_source("names", {**BUILDINGS, "propertyNames": ["name"], "relationshipNames": ["locatedAt"]}),
    a_source(
        "buildings",
        BUILDINGS,
        location={"type": "Point", "coordinates": [116.4, 39.9]},
        owner="交委",
        floors={"type": "Property", "value": 12},
        scope="/city/houses",
    ),
    a_source("attributes", {"propertyNames": ["height"]}),
    a_source(
        "observed",
        BUILDINGS,
        observationInterval={"startAt": "2020-08-01T00:00:00Z", "endAt": "2021-08-01T00:00:00Z"},
    ),
    a_source("managed", BUILDINGS, managementInterval={"startAt": "2022-01-01T00:00:00Z"}),
)


@asynccontextmanager
async def sources(tmp_path: Path) -> AsyncIterator[House]:
    """Yield a city in which the sources are registered."""
    async with a_house(tmp_path) as made:
        for source in SOURCES:
            assert (await made.ask("POST", ALL, source)).status_code == 201
        yield made


async def names(house: House, query: str) -> set[str]:
    """Return the names of the sources that a query finds."""
    found = await house.get(f"{ALL}?{query}")
    return {one["id"].rpartition(":")[2] for one in found}


@pytest.mark.clause("5.10.2", "5.12", "6.8.3.2")
async def test_sources_are_found_by_what_they_hold(tmp_path: Path) -> None:
    cases: list[tuple[str, set[str]]] = [
        ("type=Vehicle", {"traffic", "attributes"}),
        ("type=Vehicle,Building", {"traffic", "names", "buildings", "attributes"}),
        ("type=Tram", {"attributes"}),
        ("type=Building&attrs=name", {"names", "buildings"}),
        ("attrs=locatedAt", {"names", "buildings"}),
        ("attrs=nothing", {"buildings"}),
        ("id=urn:ngsi-ld:Vehicle:A456", {"traffic", "names", "buildings", "attributes"}),
        ("id=urn:ngsi-ld:Vehicle:B1&type=Vehicle", {"attributes"}),
        ("id=urn:x:1,urn:x:downtown&type=OffStreetParking", {"traffic", "attributes"}),
        ("idPattern=.*A456&type=Vehicle", {"traffic", "attributes"}),
        ("idPattern=.*B1&type=Vehicle", {"attributes"}),
        ("idPattern=.*down.*&type=OffStreetParking", {"traffic", "attributes"}),
    ]
    async with sources(tmp_path) as house:
        for query, found in cases:
            assert await names(house, query) == found, query


@pytest.mark.clause("5.10.2")
async def test_sources_are_found_by_properties_of_their_own(tmp_path: Path) -> None:
    cases: list[tuple[str, set[str]]] = [
        ("csf=owner==%22交委%22", {"buildings"}),
        ("csf=owner==%22水务%22", set()),
        ("csf=floors>10", {"buildings"}),
        ("csf=endpoint==%22http://names.example%22", {"names"}),
        ("csf=!location&type=Building", {"names", "attributes"}),
        ("q=owner", {"buildings"}),
    ]
    async with sources(tmp_path) as house:
        for query, found in cases:
            assert await names(house, query) == found, query


@pytest.mark.clause("5.10.2", "4.19")
async def test_sources_are_found_by_scope(tmp_path: Path) -> None:
    async with sources(tmp_path) as house:
        assert await names(house, "scopeQ=/city/traffic") == {"traffic"}
        assert await names(house, "scopeQ=/city/%23") == {"traffic", "buildings"}
        assert await names(house, "scopeQ=/elsewhere") == set()


@pytest.mark.clause("5.10.2", "4.10")
async def test_sources_are_found_by_where_they_are(tmp_path: Path) -> None:
    async with sources(tmp_path) as house:
        near = "georel=near;maxDistance==1000&geometry=Point"
        assert await names(house, f"{near}&coordinates=[116.4,39.901]") == {"buildings"}
        assert await names(house, f"{near}&coordinates=[116.4,40.9]") == set()
        elsewhere = f"{near}&coordinates=[116.4,39.901]&geoproperty=operationSpace"
        assert await names(house, elsewhere) == set()


@pytest.mark.clause("5.10.2", "4.11")
async def test_sources_of_the_past_are_found_by_their_intervals(tmp_path: Path) -> None:
    cases: list[tuple[str, set[str]]] = [
        ("timerel=before&timeAt=2020-09-01T00:00:00Z", {"observed"}),
        ("timerel=before&timeAt=2020-08-01T00:00:00Z", set()),
        ("timerel=after&timeAt=2021-07-01T00:00:00Z", {"observed"}),
        ("timerel=after&timeAt=2021-09-01T00:00:00Z", set()),
        (
            "timerel=between&timeAt=2021-01-01T00:00:00Z&endTimeAt=2021-02-01T00:00:00Z",
            {"observed"},
        ),
        ("timerel=after&timeAt=2030-01-01T00:00:00Z&timeproperty=modifiedAt", {"managed"}),
        ("timerel=before&timeAt=2021-01-01T00:00:00Z&timeproperty=createdAt", set()),
    ]
    async with sources(tmp_path) as house:
        for window, found in cases:
            assert await names(house, f"type=Building&{window}") == found, window


@pytest.mark.clause("5.10.2")
async def test_without_a_window_only_sources_of_the_latest_information_count(
    tmp_path: Path,
) -> None:
    async with sources(tmp_path) as house:
        assert not {"observed", "managed"} & await names(house, "type=Building")


@pytest.mark.clause("5.10.2")
async def test_a_discovery_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    cases = [
        ("", "BadRequestData"),
        ("limit=5", "BadRequestData"),
        ("id=nonsense", "BadRequestData"),
        ("q=(owner", "BadRequestData"),
        ("csf=owner==", "BadRequestData"),
        ("type=Building&idPattern=([", "BadRequestData"),
        ("georel=within", "BadRequestData"),
        ("timerel=before", "BadRequestData"),
        ("type=Building&colour=red", "InvalidRequest"),
        ("type=Building&options=keyValues", "InvalidRequest"),
    ]
    async with sources(tmp_path) as house:
        for query, error in cases:
            answer = await house.ask("GET", f"{ALL}?{query}")
            assert answer.status_code == 400, query
            assert answer.json()["type"] == "https://uri.etsi.org/ngsi-ld/errors/" + error


@pytest.mark.clause("5.5.9", "6.3.10", "6.3.13")
async def test_discovery_is_paged_and_counted(tmp_path: Path) -> None:
    async with sources(tmp_path) as house:
        first = await house.ask("GET", f"{ALL}?type=Building&limit=2&count=true")
        assert len(first.json()) == 2
        assert first.headers["ngsild-results-count"] == "3"
        assert 'rel="next"' in first.headers["link"]
        rest = await house.ask("GET", f"{ALL}?type=Building&limit=2&offset=2")
        assert len(rest.json()) == 1
        assert 'rel="prev"' in rest.headers["link"]


@pytest.mark.clause("6.3.4", "6.3.5")
async def test_sources_are_told_as_json_ld_with_their_context(tmp_path: Path) -> None:
    async with sources(tmp_path) as house:
        (one,) = await house.get(f"{ALL}?scopeQ=/city/traffic", Accept="application/ld+json")
        assert one["@context"].endswith("ngsi-ld-core-context-v1.9.jsonld")
        refused = await house.ask("GET", f"{ALL}?type=Building", Accept="text/plain")
        assert refused.status_code == 406
