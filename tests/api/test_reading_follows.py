"""Change one reading: sign, level, anomaly, forecast and incident follow, and the case with them."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.api.house import NOON, House
from tests.api.test_look_back import VITAL, looked_back

STATION = "urn:ngsi-ld:AirQualityObserved:e1"


def seasonal(station: str, at: datetime) -> float:
    """Return a reading with a day and a little noise that is always the same."""
    hour = int(at.timestamp() // 3600)
    return 40.0 + 10.0 * ((hour % 24) / 24) + (hour * 7919 % 13) / 13


async def told(house: House) -> dict[str, Any]:
    """Return what the city says of the sign: everything that hangs on its readings."""
    vital = await house.get(f"/entities/{VITAL}?options=keyValues")
    forecast = await house.get(f"/entities/{vital['refForecast']}?options=keyValues")
    cases = await house.get("/entities?type=CityCase&options=keyValues")
    return {
        "value": vital["currentValue"],
        "level": vital["level"],
        "anomaly": vital["anomaly"]["json"],
        "forecast": forecast["forecast"]["json"]["points"][0]["median"],
        "cases": len(cases),
        "incidents": len(await house.get("/entities?type=Incident&options=keyValues")),
    }


async def test_a_changed_reading_changes_all_that_hangs_on_it(tmp_path: Path) -> None:
    async with looked_back(tmp_path, seasonal) as house:
        before = await told(house)
        assert (before["level"], before["cases"]) == ("normal", 0)
        assert before["anomaly"]["is_anomaly"] is False

        at = NOON.strftime("%Y-%m-%dT%H:%M:%SZ")
        for station in (STATION, STATION.replace("e1", "e2")):
            pm25 = {"type": "Property", "value": 400.0, "unitCode": "GQ", "observedAt": at}
            answer = await house.ask("PATCH", f"/entities/{station}/attrs", {"pm25": pm25})
            assert answer.status_code == 204
        await house.city.evaluate()
        after = await told(house)

        assert after["value"] == 400.0
        assert (after["level"], after["cases"]) == ("act", 1)
        assert after["anomaly"]["is_anomaly"] is True
        assert after["anomaly"]["kind"] == "high"
        assert after["incidents"] == before["incidents"] + 1

        # The forecast begins with the last completed hour: the next one has the spike in its past.
        await _an_hour_later(house, 400.0)
        spiked = await told(house)
        assert spiked["forecast"] != before["forecast"]


async def test_two_pasts_that_differ_in_one_reading_have_different_forecasts(
    tmp_path: Path,
) -> None:
    medians = []
    for name, value in (("as-it-was", None), ("changed", 120.0)):

        def reading(station: str, at: datetime, value: float | None = value) -> float:
            changed = value is not None and at == NOON and station == "e1"
            return float(value or 0) if changed else seasonal(station, at)

        async with looked_back(tmp_path / name, reading) as house:
            await _an_hour_later(house, 50.0)
            medians.append((await told(house))["forecast"])
    assert medians[0] != medians[1]


async def _an_hour_later(house: House, value: float) -> None:
    house.clock.advance(timedelta(hours=1))
    at = house.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    pm25 = {"type": "Property", "value": value, "unitCode": "GQ", "observedAt": at}
    await house.ask("PATCH", f"/entities/{STATION}/attrs", {"pm25": pm25})
    await house.city.evaluate()
