"""The map asked for again: what is remembered never shows what is no longer so, nor to whom it is not due."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house

GEO = "application/geo+json"
BOX = "[[[116.0,39.0],[117.0,39.0],[117.0,40.0],[116.0,40.0],[116.0,39.0]]]"
WITHIN = f"&georel=within&geometry=Polygon&coordinates={BOX}"
BASE = "/entities?type=Sensor"
SENSOR = "urn:ngsi-ld:Sensor:"
_A_WHILE = timedelta(minutes=2)


def _sensor(n: int, lon: float = 116.5, speed: float = 1) -> dict[str, Any]:
    return {
        "id": f"{SENSOR}{n:02}",
        "type": "Sensor",
        "speed": {"type": "Property", "value": speed},
        "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [lon, 39.5]}},
    }


async def _maps(house: House) -> None:
    """Ask for the map in several views, streamed and page by page; both must say the same."""
    for asked in (WITHIN, "", f"{WITHIN}&format=simplified&pick=id,speed", "&attrs=speed"):
        for media in (GEO, "application/json", "application/ld+json"):
            whole = await house.ask("GET", f"{BASE}{asked}&limit=5000&count=true", accept=media)
            page = await house.ask("GET", f"{BASE}{asked}&limit=500&count=true", accept=media)
            assert whole.json() == page.json(), asked
            assert whole.headers["ngsild-results-count"] == page.headers["ngsild-results-count"]


_CHANGES: dict[str, tuple[str, str, Any, str]] = {
    "partial update": ("PATCH", f"/entities/{SENSOR}01/attrs/speed", {"value": 9009}, "9009"),
    "update": (
        "PATCH",
        f"/entities/{SENSOR}01/attrs",
        {"speed": {"type": "Property", "value": 9019}},
        "9019",
    ),
    "append": (
        "POST",
        f"/entities/{SENSOR}01/attrs",
        {"more": {"type": "Property", "value": 9029}},
        "9029",
    ),
    "merge": ("PATCH", f"/entities/{SENSOR}01", {"speed": {"value": 9039}}, "9039"),
    "replace": ("PUT", f"/entities/{SENSOR}01", _sensor(1, speed=9049), "9049"),
    "replace attribute": (
        "PUT",
        f"/entities/{SENSOR}01/attrs/speed",
        {"type": "Property", "value": 9059},
        "9059",
    ),
    "batch upsert": (
        "POST",
        "/entityOperations/upsert",
        [_sensor(2, speed=9069), _sensor(77)],
        ":77",
    ),
    "batch update": ("POST", "/entityOperations/update", [_sensor(2, speed=9079)], "9079"),
    "batch merge": ("POST", "/entityOperations/merge", [_sensor(2, speed=9089)], "9089"),
    "batch create": ("POST", "/entityOperations/create", [_sensor(78, speed=9099)], "9099"),
    "create": ("POST", "/entities", _sensor(79, speed=9109), "9109"),
    "another type as well": ("PATCH", f"/entities/{SENSOR}03", {"type": ["Lamp"]}, "Lamp"),
    "temporal write": (
        "POST",
        "/temporal/entities",
        {
            **_sensor(4),
            "speed": [{"type": "Property", "value": 9119, "observedAt": "2026-11-22T08:30:00Z"}],
        },
        "9119",
    ),
}


@pytest.mark.clause("5.7.2")
@pytest.mark.parametrize("name", list(_CHANGES))
async def test_the_map_shows_a_change_at_once(tmp_path: Path, name: str) -> None:
    method, path, body, sign = _CHANGES[name]
    async with a_house(tmp_path) as house:
        await house.ask("POST", "/entityOperations/create", [_sensor(n) for n in range(10)])
        before = await house.ask("GET", f"{BASE}{WITHIN}&limit=5000")
        made = await house.ask(method, path, body)
        assert made.status_code < 300, made.text
        after = await house.ask("GET", f"{BASE}{WITHIN}&limit=5000")
        assert sign not in before.text
        assert sign in after.text
        await _maps(house)


@pytest.mark.clause("5.7.2")
async def test_the_map_does_not_show_what_is_gone(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", "/entityOperations/create", [_sensor(n) for n in range(10)])
        seen = [len(await house.get(f"{BASE}{WITHIN}&limit=5000"))]
        steps: list[tuple[str, str, Any]] = [
            ("DELETE", f"/entities/{SENSOR}01", None),
            ("POST", "/entityOperations/delete", [f"{SENSOR}02"]),
            ("DELETE", f"/entities?type=Sensor&id={SENSOR}03", None),
            ("DELETE", f"/entities/{SENSOR}04/attrs/location", None),
            ("PATCH", f"/entities/{SENSOR}05/attrs", {"location": _sensor(5, 118.0)["location"]}),
            ("PATCH", f"/entities/{SENSOR}06/attrs", {"location": _sensor(6, 116.0)["location"]}),
            ("PATCH", f"/entities/{SENSOR}05/attrs", {"location": _sensor(5, 116.2)["location"]}),
            ("POST", "/entities", _sensor(1)),
        ]
        for method, path, body in steps:
            made = await house.ask(method, path, body)
            assert made.status_code < 300, made.text
            seen.append(len(await house.get(f"{BASE}{WITHIN}&limit=5000")))
            await _maps(house)

    assert seen == [10, 9, 8, 7, 6, 5, 4, 5, 6]


@pytest.mark.clause("4.22")
async def test_the_map_does_not_show_what_has_expired(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for_now = {**_sensor(1), "expiresAt": "2026-11-22T08:01:00Z"}
        partly = _sensor(2)
        partly["speed"] = {**partly["speed"], "expiresAt": "2026-11-22T08:01:00Z"}
        for one in (for_now, partly, _sensor(3)):
            assert (await house.ask("POST", "/entities", one)).status_code == 201
        before = await house.get(f"{BASE}{WITHIN}&limit=5000")
        house.clock.advance(_A_WHILE)
        after = await house.get(f"{BASE}{WITHIN}&limit=5000")
        await _maps(house)

    assert [one["id"][-2:] for one in before] == ["01", "02", "03"]
    assert [(one["id"][-2:], "speed" in one) for one in after] == [("02", False), ("03", True)]


async def test_the_map_of_a_tenant_is_its_own_and_needs_the_right_to_read(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", "/entityOperations/create", [_sensor(n) for n in range(5)])
        asked = f"{BASE}{WITHIN}&limit=5000"
        assert len(await house.get(asked)) == 5
        other = await house.token("manager", tenant="harbour")
        theirs = await house.ask("GET", asked, token=other)
        nobody = await house.ask("GET", asked, token="")
        wrong = await house.ask("GET", asked, token="cm_wrong")
        citizen = await house.ask("GET", asked, token=await house.token("citizen"))

    assert theirs.json() == []
    assert nobody.status_code == 401
    assert wrong.status_code == 401
    assert citizen.status_code == 403


async def test_the_map_in_another_context_has_its_names(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.ask("POST", "/entityOperations/create", [_sensor(n) for n in range(3)])
        names = {"@context": {"velocity": "https://uri.etsi.org/ngsi-ld/default-context/speed"}}
        hosted = await house.ask("POST", "/jsonldContexts", names)
        assert hosted.status_code == 201, hosted.text
        url = f"http://city.test{hosted.headers['location']}"
        link = f'<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
        asked = f"{BASE}&limit=5000"
        plain, linked = await house.get(asked), await house.get(asked, link=link)
        again = await house.get(asked)

    assert all("speed" in one for one in plain)
    assert all("velocity" in one and "speed" not in one for one in linked)
    assert again == plain
