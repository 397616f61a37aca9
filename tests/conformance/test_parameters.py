"""Parameters mean what the standard says, or are refused: none is passed over (clauses 4.5, 4.15, 6.3.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.house import House, a_house, a_station, created, number

STATION = "/entities/urn:x:s"
WINDOW = "timerel=after&timeAt=2026-01-01T00:00:00Z"
PAST = "/temporal/entities/urn:x:s"


async def status_of(house: House, method: str, path: str, body: Any = None) -> int:
    answer = await house.ask(method, path, body)
    return int(answer.status_code)


@pytest.mark.clause("6.3.2")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{STATION}/attrs?options=overwrite", {"n": number(1)}),
        ("PATCH", f"{STATION}?options=noOverwrite", {"n": number(1)}),
        ("POST", "/entityOperations/upsert?options=append", [a_station("urn:x:s")]),
        ("POST", "/entityOperations/upsert?options=update,replace", [a_station("urn:x:s")]),
        ("POST", "/entityOperations/update?options=keyValues", [a_station("urn:x:s")]),
    ],
)
async def test_a_write_refuses_options_that_it_does_not_know(
    tmp_path: Path, method: str, path: str, body: Any
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station("urn:x:s"))
        before = await house.get(STATION)
        answer = await house.ask(method, path, body)
        assert (answer.status_code, answer.json()["param"]) == (400, "options")
        assert await house.get(STATION) == before


@pytest.mark.clause("4.5.5", "6.3.2")
async def test_a_dataset_that_is_no_uri_is_refused(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station("urn:x:s"))
        for path in (
            f"{STATION}?datasetId=garbage",
            "/entities?type=AirQualityObserved&datasetId=urn:x:1,garbage",
            f"{PAST}?datasetId=garbage",
        ):
            assert await status_of(house, "GET", path) == 400, path
        assert await status_of(house, "DELETE", f"{STATION}/attrs/pm25?datasetId=garbage") == 400
        assert await status_of(house, "GET", f"{STATION}?datasetId=@none") == 200


@pytest.mark.clause("5.6.17")
async def test_an_instant_of_a_merge_that_is_none_is_refused(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station("urn:x:s"))
        assert await status_of(house, "PATCH", f"{STATION}?observedAt=x", {"n": number(1)}) == 400
        assert "n" not in await house.get(STATION)


@pytest.mark.clause("4.5.19")
@pytest.mark.parametrize(
    ("period", "status"), [("PT0.0000001S", 400), ("PT0.000001S", 200), ("PT0S", 200)]
)
async def test_a_period_shorter_than_a_microsecond_is_refused(
    tmp_path: Path, period: str, status: int
) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station("urn:x:s"))
        path = f"{PAST}?{WINDOW}&aggrMethods=avg&options=aggregatedValues&attrs=pm25"
        assert await status_of(house, "GET", f"{path}&aggrPeriodDuration={period}") == status


@pytest.mark.clause("4.15", "5.7.3")
async def test_the_past_is_told_in_the_language_asked_for(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station("urn:x:s"))
        path = f"{PAST}?attrs=name&timeproperty=modifiedAt&{WINDOW}"
        (one,) = (await house.get(f"{path}&lang=zh"))["name"]
        assert (one["type"], one["value"], one["lang"]) == ("Property", "东四", "zh")
        values = await house.get(f"{path}&lang=en&options=temporalValues")
        assert values["name"]["values"][0][0] == "Dongsi"
        (whole,) = (await house.get(path))["name"]
        assert whole["languageMap"] == {"zh": "东四", "en": "Dongsi"}


@pytest.mark.clause("5.2.23", "5.7.2")
async def test_values_cannot_be_expanded_and_stay_as_they_are(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await created(house, a_station("urn:x:s"))
        asked = "q=areaServed==%22%E4%B8%9C%E5%9F%8E%E5%8C%BA%22"
        found = await house.get(f"/entities?type=AirQualityObserved&{asked}&jsonKeys=areaServed")
        assert [one["id"] for one in found] == ["urn:x:s"]
        both = f"/entities?{asked}&jsonKeys=areaServed&expandValues=areaServed"
        assert await status_of(house, "GET", both) == 400
        body = {
            "type": "Query",
            "q": 'areaServed=="x"',
            "jsonKeys": ["areaServed"],
            "expandValues": ["areaServed"],
        }
        assert await status_of(house, "POST", "/entityOperations/query", body) == 400
        assert await status_of(house, "GET", f"{STATION}?jsonKeys=areaServed") == 400


@pytest.mark.clause("4.5.16", "6.3.4")
async def test_geojson_is_a_form_of_answers_and_not_of_bodies(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        feature: dict[str, Any] = {
            "id": "urn:x:f",
            "type": "Feature",
            "geometry": None,
            "properties": {},
        }
        headers = {"Content-Type": "application/geo+json"}
        headers["Authorization"] = f"Bearer {house.bearer}"
        answer = await house.client.post("/ngsi-ld/v1/entities", json=feature, headers=headers)
        assert (answer.status_code, answer.json()["param"]) == (415, "Content-Type")


@pytest.mark.clause("5.2.12")
async def test_a_window_in_time_is_for_subscriptions_to_registrations(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        subscription = {
            "type": "Subscription",
            "entities": [{"type": "Bus"}],
            "temporalQ": {"timerel": "after", "timeAt": "2026-01-01T00:00:00Z"},
            "notification": {"endpoint": {"uri": "http://127.0.0.1:9/nobody"}},
        }
        assert await status_of(house, "POST", "/subscriptions", subscription) == 422
        assert await status_of(house, "POST", "/csourceSubscriptions", subscription) == 201
