"""GET /entities: which entities, in which order, and by pages (clauses 5.7.2 and 6.4)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.house import House, a_house, created, number


def _point(longitude: float, latitude: float) -> dict[str, Any]:
    value = {"type": "Point", "coordinates": [longitude, latitude]}
    return {"type": "GeoProperty", "value": value}


async def _town(house: House) -> None:
    """Four stations (s1–s4, going east by 0.01°, with pm25 10–40) and a pump."""
    for n in range(1, 5):
        entity: dict[str, Any] = {
            "id": f"urn:x:s{n}",
            "type": "AirQualityObserved",
            "pm25": number(n * 10, "2026-11-22T07:00:00Z"),
            "location": _point(116.39 + n / 100, 39.9),
            "areaServed": {"type": "Property", "value": "东城区" if n < 3 else "西城区"},
        }
        if n == 4:
            entity["pm10"] = number(99)
        await created(house, entity)
    pump = {"id": "urn:x:pump", "type": ["Pump", "Device"], "flow": number(3)}
    await created(house, pump)


_SQUARE = "[[[116.395,39.89],[116.415,39.89],[116.415,39.91],[116.395,39.91],[116.395,39.89]]]"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("type=AirQualityObserved", "s1 s2 s3 s4"),
        ("type=Pump", "pump"),
        ("type=Device", "pump"),
        ("type=(Pump;Device)", "pump"),
        ("type=Pump,AirQualityObserved", "pump s1 s2 s3 s4"),
        ("type=https://uri.etsi.org/ngsi-ld/default-context/Pump", "pump"),
        ("type=*&attrs=flow", "pump"),
        ("type=*&id=urn:x:s3,urn:x:s1,urn:x:none", "s1 s3"),
        ("id=urn:x:s3&type=Pump", ""),
        ("type=*&idPattern=s[12]$", "s1 s2"),
        ("q=pm25>20", "s3 s4"),
        ("q=pm25>=20;pm25<40", "s2 s3"),
        ("q=pm25==10|flow==3", "pump s1"),
        ("q=pm25==10..20", "s1 s2"),
        ("q=pm25==10,40", "s1 s4"),
        ('q=areaServed=="东城区"', "s1 s2"),
        ("q=areaServed~=^西", "s3 s4"),
        ("q=!pm10;pm25", "s1 s2 s3"),
        ("type=AirQualityObserved&q=(pm25>30|pm25<20);areaServed", "s1 s4"),
        ("attrs=pm10", "s4"),
        (
            "georel=near;maxDistance==1000&geometry=Point&coordinates=[116.40,39.9]",
            "s1 s2",
        ),
        (
            "georel=near;minDistance==1500&geometry=Point&coordinates=[116.40,39.9]",
            "s3 s4",
        ),
        (f"georel=within&geometry=Polygon&coordinates={_SQUARE}", "s1 s2"),
        (f"georel=within&geometry=Polygon&coordinates={_SQUARE}&q=pm25>10", "s2"),
    ],
)
@pytest.mark.clause("5.7.2", "4.9")
async def test_a_query_finds_what_matches_in_order_of_id(
    tmp_path: Path, asked: str, found: str
) -> None:
    async with a_house(tmp_path) as house:
        await _town(house)
        query = "&".join(
            f"{name}={quote(value, safe='')}"
            for name, _, value in (part.partition("=") for part in asked.split("&"))
        )
        entities = await house.get(f"/entities?{query}")
        assert " ".join(one["id"].removeprefix("urn:x:") for one in entities) == found


@pytest.mark.clause("6.3.10", "5.5.9")
async def test_a_query_is_paged_by_links(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _town(house)
        path: str | None = "/entities?type=AirQualityObserved&limit=3&count=true"
        pages, counts, previous = [], set(), []
        while path is not None:
            response = await house.ask("GET", path)
            pages.append([one["id"] for one in response.json()])
            counts.add(response.headers["NGSILD-Results-Count"])
            links = _links(response.headers.get_list("Link"))
            previous.append("prev" in links)
            path = links.get("next")
        assert pages == [["urn:x:s1", "urn:x:s2", "urn:x:s3"], ["urn:x:s4"]]
        assert counts == {"4"}
        assert previous == [False, True]


@pytest.mark.clause("6.3.10")
async def test_the_previous_page_is_linked(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _town(house)
        response = await house.ask("GET", "/entities?type=AirQualityObserved&limit=2&offset=2")
        links = _links(response.headers.get_list("Link"))
        assert "next" not in links
        assert [one["id"] for one in await house.get(links["prev"])] == ["urn:x:s1", "urn:x:s2"]


@pytest.mark.clause("6.3.13", "4.13")
async def test_limit_0_counts_alone(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _town(house)
        response = await house.ask("GET", "/entities?type=AirQualityObserved&limit=0&count=true")
        assert response.json() == []
        assert response.headers["NGSILD-Results-Count"] == "4"


@pytest.mark.clause("6.3.7", "5.7.2")
async def test_a_query_shows_the_form_asked_for(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _town(house)
        found = await house.get("/entities?type=AirQualityObserved&options=keyValues&attrs=pm10")
        assert found == [{"id": "urn:x:s4", "type": "AirQualityObserved", "pm10": 99}]
        ld = await house.ask("GET", "/entities?type=Pump", Accept="application/ld+json")
        assert ld.json()[0]["@context"]
        geo = await house.ask(
            "GET", "/entities?type=AirQualityObserved&limit=1", Accept="application/geo+json"
        )
        assert geo.json()["type"] == "FeatureCollection"
        assert geo.json()["features"][0]["geometry"]["type"] == "Point"


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ("", "type"),
        ("limit=5", "type"),
        ("type=T&limit=-1", "limit"),
        ("type=T&limit=many", "limit"),
        ("type=T&limit=0", "limit"),
        ("type=T&offset=-1", "offset"),
        ("type=T&count=yes", "count"),
        ("type=T&georel=near", "georel"),
        ("georel=sideways&geometry=Point&coordinates=[1,2]", "georel"),
        ("georel=within&geometry=Point&coordinates=[1", "coordinates"),
        ("id=urn:x:s1", "type"),
        ("type=T&idPattern=(", "idPattern"),
        ("type=T&id=s1", "id"),
        ("attrs=id", "attrs"),
        ("q=pm25>", "q"),
        ("q=((((", "q"),
        ("type=T&format=odd", "format"),
    ],
)
@pytest.mark.clause("5.7.2", "6.3.2")
async def test_a_wrong_query_is_refused_by_name(tmp_path: Path, asked: str, param: str) -> None:
    async with a_house(tmp_path) as house:
        response = await house.ask("GET", f"/entities?{asked}")
        assert response.status_code == 400, response.text
        assert response.json()["param"] == param


@pytest.mark.clause("6.3.10", "6.3.2")
async def test_a_page_that_is_too_large_is_refused(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for asked in ("limit=100001", "limit=1001&orderBy=name", "limit=1001&join=flat"):
            response = await house.ask("GET", f"/entities?type=T&{asked}")
            assert response.status_code == 403, asked
        assert response.json()["param"] == "limit"


def _links(headers: list[str]) -> dict[str, str]:
    """Return relation → path below /ngsi-ld/v1 of paging links."""
    links = {}
    for header in headers:
        for part in header.split(", <"):
            target, _, rest = part.strip("<").partition(">")
            for relation in ("next", "prev"):
                if f'rel="{relation}"' in rest:
                    links[relation] = target.removeprefix("/ngsi-ld/v1")
    return links


@pytest.mark.clause("4.10", "5.7.2")
async def test_a_small_place_is_paged_and_counted_however_many_are_there(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for total in (50, 70):
            bodies = [_nearby(n) for n in range(total - 50, total)]
            await house.ask("POST", "/entityOperations/upsert", bodies)
            near = "georel=near;maxDistance==500&geometry=Point&coordinates=[116.5,39.5]"
            asked = f"/entities?type=Sensor&{near}&limit=20&count=true&attrs=speed"
            pages = [await house.ask("GET", f"{asked}&offset={at}") for at in (0, 20, 40, 60)]
            found = [one["id"] for page in pages for one in page.json()]
            assert found == [f"urn:ngsi-ld:Sensor:{n:03}" for n in range(total) if n % 5]
            assert pages[0].headers["ngsild-results-count"] == str(len(found))


async def test_the_same_question_asked_by_many_at_once_is_answered_to_each(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        bodies = [_nearby(n) for n in range(30)]
        await house.ask("POST", "/entityOperations/create", bodies)
        asked = "/entities?type=Sensor&orderBy=speed;desc&limit=3"
        first = [asyncio.create_task(house.get(asked)) for _ in range(8)]
        await house.ask("POST", "/entityOperations/update", [_nearby(7, speed=99)])
        later = await asyncio.gather(*(house.get(asked) for _ in range(8)))
        await asyncio.gather(*first)

    assert all(one[0]["speed"]["value"] == 99 for one in later), (
        "what was written before they asked"
    )


def _nearby(n: int, speed: float | None = None) -> dict[str, Any]:
    """Return a sensor at one place, every fifth one somewhat beyond 500 m of it."""
    lon = 116.5 if n % 5 else 116.51
    return {
        "id": f"urn:ngsi-ld:Sensor:{n:03}",
        "type": "Sensor",
        "speed": {"type": "Property", "value": n if speed is None else speed},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [lon, 39.5]}},
    }
