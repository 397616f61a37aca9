"""What becomes known late is history and no more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from chengmai.kernel.actors import system
from chengmai.kernel.instants import format_instant
from chengmai.ngsild.entity import name_iri, prop
from chengmai.store.retaining import Retaining
from tests.api.house import NOON, STATION, a_house, a_station


async def test_a_late_observation_stands_in_its_place_in_time_and_the_present_stays(
    tmp_path: Path,
) -> None:
    now, before = NOON, NOON - timedelta(hours=2)
    async with a_house(tmp_path) as house:
        pm25 = {"type": "Property", "value": 20, "observedAt": format_instant(now)}
        assert (await house.ask("POST", "/entities", a_station(pm25=pm25))).status_code == 201
        late = [(name_iri("pm25"), prop(7, at=before))]
        model, by = house.city.model, system("feeds", "city")
        await house.city.store.work.write(lambda tx: model.remember(tx, STATION, late, by=by))

        shown = await house.get(f"/entities/{STATION}")
        told = await house.get(f"/temporal/entities/{STATION}?attrs=pm25&options=temporalValues")
        lines = [line.action for line in await house.audit()]

    assert shown["pm25"]["value"] == 20
    assert [value for value, _ in told["pm25"]["values"]] == [7, 20]
    assert "entity.late" in lines


async def test_what_a_city_no_longer_keeps_is_gone_and_the_audit_trail_says_so(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        for hours in (80, 1):
            at = NOON - timedelta(hours=hours)
            pm25 = {"type": "Property", "value": hours, "observedAt": format_instant(at)}
            body = [a_station(pm25=pm25)]
            assert (await house.ask("POST", "/entityOperations/upsert", body)).status_code < 300
        store, by = house.city.store, system("history", "city")
        await store.history.seal()
        days = {"AirQualityObserved": 2.0}
        old = Retaining(store.work, store.sealed, house.city.trust.audit, house.clock, days, {}, by)
        await old.round()
        await old.round()

        told = await house.get(f"/temporal/entities/{STATION}?attrs=pm25&options=temporalValues")
        lines = [line.action for line in await house.audit()]

    assert [value for value, _ in told["pm25"]["values"]] == [1]
    assert lines.count("history.retain") == 1
