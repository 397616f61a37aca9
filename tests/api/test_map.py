"""Many entities in one answer: the map of a city, read and sent bit by bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chengmai.broker import service
from chengmai.broker.model import EntityQuery
from tests.api.house import House, a_house

GEO = "application/geo+json"
WITHIN = (
    "&georel=within&geometry=Polygon"
    "&coordinates=[[[116.0,39.0],[117.0,39.0],[117.0,40.0],[116.0,40.0],[116.0,39.0]]]"
)
MANY = 1200


def _sensor(n: int) -> dict[str, Any]:
    # Every third one lies on the edge of the box or beyond it, which only its exact place can tell.
    point = [116.5, 39.5] if n % 3 else [116.0 if n % 2 else 117.5, 39.5]
    return {
        "id": f"urn:ngsi-ld:Sensor:{n:05}",
        "type": "Sensor",
        "speed": n,
        "location": {"type": "Point", "coordinates": point},
    }


async def _fill(house: House, total: int = MANY) -> None:
    for start in range(0, total, 400):
        body = [_sensor(n) for n in range(start, min(total, start + 400))]
        made = await house.ask("POST", "/entityOperations/create", body)
        assert made.status_code == 201, made.text


@pytest.mark.clause("5.7.2", "6.3.10")
@pytest.mark.parametrize(
    "asked",
    [
        "type=Sensor",
        f"type=Sensor{WITHIN}",
        "type=Sensor&q=speed>20;speed<1100",
        f"type=Sensor&q=speed>20{WITHIN}&offset=7",
        "type=Sensor&pick=speed&idPattern=^urn:ngsi-ld:Sensor:001",
    ],
)
@pytest.mark.parametrize("media", ["application/json", "application/ld+json", GEO])
async def test_a_streamed_answer_holds_what_its_pages_hold(
    tmp_path: Path, asked: str, media: str
) -> None:
    async with a_house(tmp_path) as house:
        await _fill(house)
        whole = await house.ask("GET", f"/entities?{asked}&limit=5000&count=true", accept=media)
        pages: list[Any] = []
        offset = 7 if "offset=7" in asked else 0
        plain = asked.replace("&offset=7", "")
        while True:
            more = await house.ask(
                "GET", f"/entities?{plain}&limit=300&offset={offset}&count=true", accept=media
            )
            found = more.json()["features"] if media == GEO else more.json()
            if not found:
                break
            pages, offset = pages + found, offset + 300

    shown = whole.json()["features"] if media == GEO else whole.json()
    assert shown == pages
    assert len(pages) > 50
    assert "content-length" not in whole.headers
    assert whole.headers["content-type"] == more.headers["content-type"]
    assert whole.headers["ngsild-results-count"] == more.headers["ngsild-results-count"]
    assert whole.headers.get("link") is None or "next" not in whole.headers["link"]


@pytest.mark.clause("6.3.10")
async def test_a_streamed_answer_that_is_not_all_leads_to_the_rest(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await _fill(house)
        first = await house.ask("GET", "/entities?type=Sensor&limit=1100")
        links = first.headers.get_list("link")

    assert len(first.json()) == 1100
    assert any('rel="next"' in link and "offset=1100" in link for link in links)


async def test_entities_that_come_and_go_while_an_answer_is_read_come_at_most_once(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        await _fill(house)
        by = await house.city.trust.tokens.actor_of_token(f"Bearer {house.bearer}")
        seen: list[int] = []
        async for rows in house.city.broker.all(by, EntityQuery(limit=5000)):
            seen += [row for row, _ in rows]
            if len(seen) == service.AT_ONCE:
                await house.ask("DELETE", "/entities/urn:ngsi-ld:Sensor:00700")
                await house.ask("POST", "/entities", _sensor(99_999))

    assert len(seen) == len(set(seen)) == MANY
