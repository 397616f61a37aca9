"""A change of readings decides level, case and incident alike, over the real packs and the real API."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from chengmai.incidents import Order, Step
from chengmai.kernel.actors import Actor, system
from chengmai.ngsild.entity import entity, geo, prop
from chengmai.packs.reader import shipped_packs
from tests.api.house import House, a_house

INCIDENTS = "/entities?type=Incident&options=keyValues"
OFFICER = Actor("usr_officer", "city", frozenset({"duty_officer"}), "Wang")
AREA = "石坪 Shiping"


async def read(house: House, kind: str, **values: tuple[float, str]) -> None:
    """Let the one thing of a kind in an area tell readings."""
    at = house.city.clock.now()
    told = entity(
        f"urn:ngsi-ld:{kind}:test",
        kind,
        areaServed=prop(AREA),
        location=geo({"type": "Point", "coordinates": [119.95, 30.0]}),
        **{name: prop(value, unit=unit, at=at) for name, (value, unit) in values.items()},
    )
    model = house.city.model
    await house.city.store.work.write(lambda tx: model.put(tx, told, by=system("test")))


async def an_hour(house: House, no2: float) -> None:
    house.clock.advance(timedelta(hours=1))
    clean = dict.fromkeys(("pm25", "pm10", "so2", "o3"), (10.0, "GQ"))
    await read(house, "AirQualityObserved", no2=(no2, "GQ"), co=(0.5, "GP"), **clean)
    await house.city.vitals.tick("city")


async def dirty(house: House) -> dict[str, Any]:
    for _ in range(3):
        await an_hour(house, 1500.0)
    found: list[dict[str, Any]] = await house.get(INCIDENTS)
    (incident,) = found
    return incident


def signs(incident: dict[str, Any]) -> set[str]:
    return {one.split(":")[4] for one in incident["hasMember"]}


async def test_readings_of_one_episode_are_one_incident_with_its_case(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=(shipped_packs() / "environment",)) as house:
        incident = await dirty(house)
        assert signs(incident) == {"aqi", "no2_1h"}
        assert (incident["incidentState"], incident["level"]) == ("open", "act")
        assert incident["areasServed"] == [AREA]
        (case,) = await house.get("/entities?type=CityCase&options=keyValues")
        assert incident["hasCase"] in (case["id"], [case["id"]])


async def test_the_incident_ends_when_the_readings_do_and_not_when_they_stop(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path, packs=(shipped_packs() / "environment",)) as house:
        await dirty(house)
        house.clock.advance(timedelta(hours=8))
        await house.city.vitals.tick("city")
        (silent,) = [one for one in await house.get(INCIDENTS) if one["nature"] == "event"]
        assert silent["incidentState"] == "open"
        for _ in range(4):
            await an_hour(house, 20.0)
        (over,) = [one for one in await house.get(INCIDENTS) if one["nature"] == "event"]
        assert over["incidentState"] == "ended"


async def test_a_decision_is_in_the_audit_trail_and_in_the_history(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=(shipped_packs() / "environment",)) as house:
        incident = await dirty(house)
        order = Order(step=Step.STAND_DOWN, reason="exercise")
        await house.city.incidents.decide(incident["id"], OFFICER, order)
        (after,) = await house.get(INCIDENTS)
        assert (after["incidentState"], after["stoodDown"]) == ("ended", True)
        lines = [one for one in await house.audit() if one.object == incident["id"]]
        assert (lines[-1].actor, "stand_down: exercise" in lines[-1].detail) == (
            "usr_officer",
            True,
        )
        past = await house.get(
            f"/temporal/entities/{incident['id']}?attrs=level&timeproperty=modifiedAt"
        )
        assert past["level"]


async def test_another_tenant_sees_no_incident(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=(shipped_packs() / "environment",)) as house:
        await dirty(house)
        found, total = await house.city.incidents.page("elsewhere")
        assert (found, total) == ([], 0)
