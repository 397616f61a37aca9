"""GET /temporal/entities/{id}: the past of an entity, wherever it is kept (clauses 5.7.3 and 6.19)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.api.house import STATION, House, a_house, created, number

AT = f"/temporal/entities/{STATION}"
HOURS = [f"2026-11-22T0{hour}:{minute}:00Z" for hour in range(3, 7) for minute in ("00", "30")]
"""03:00, 03:30 … 06:30; the value at HOURS[n] is n."""


@asynccontextmanager
async def _past(folder: Path, **settings: Any) -> AsyncIterator[House]:
    """Yield a city whose station has eight readings of pm25: half are sealed, half recent."""
    async with a_house(folder, **settings) as house:
        await created(house, {"id": STATION, "type": "T", "pm25": number(0, HOURS[0])})
        for n, at in enumerate(HOURS[1:], 1):
            body = {"value": n, "observedAt": at}
            response = await house.ask("PATCH", f"/entities/{STATION}/attrs/pm25", body)
            assert response.status_code == 204
            if n == 3:
                assert await house.city.store.history.seal() == 4
        yield house


def _numbers(document: dict[str, Any]) -> list[Any]:
    return [value for value, _ in document["pm25"]["values"]]


@pytest.mark.clause("5.7.3")
async def test_the_whole_evolution_goes_across_sealed_and_recent(tmp_path: Path) -> None:
    async with _past(tmp_path) as house:
        document = await house.get(AT)
        assert (document["id"], document["type"]) == (STATION, "T")
        assert [one["value"] for one in document["pm25"]] == list(range(8))
        assert [one["observedAt"] for one in document["pm25"]] == HOURS
        assert len({one["instanceId"] for one in document["pm25"]}) == 8


@pytest.mark.parametrize(
    ("window", "numbers"),
    [
        (f"timerel=before&timeAt={HOURS[2]}", [0, 1]),
        (f"timerel=after&timeAt={HOURS[6]}", [6, 7]),
        (f"timerel=between&timeAt={HOURS[2]}&endTimeAt={HOURS[6]}", [2, 3, 4, 5]),
        ("lastN=3", [7, 6, 5]),
        (f"lastN=2&timerel=before&timeAt={HOURS[5]}", [4, 3]),
        ("timerel=after&timeAt=2026-11-22T11:00:00%2B08:00", list(range(8))),
    ],
)
@pytest.mark.clause("5.7.3", "4.11")
async def test_a_window_or_the_last_n_are_given(
    tmp_path: Path, window: str, numbers: list[int]
) -> None:
    async with _past(tmp_path) as house:
        document = await house.get(f"{AT}?options=temporalValues&{window}")
        assert _numbers(document) == numbers


@pytest.mark.clause("4.5.9", "6.3.12")
async def test_temporal_values_are_pairs_with_their_instants(tmp_path: Path) -> None:
    async with _past(tmp_path) as house:
        document = await house.get(f"{AT}?format=temporalValues&lastN=1")
        assert document["pm25"] == {"type": "Property", "values": [[7, HOURS[7]]]}


@pytest.mark.clause("4.11")
async def test_a_window_may_be_over_the_instants_of_modification(tmp_path: Path) -> None:
    async with _past(tmp_path) as house:
        house.clock.advance(timedelta(hours=1))
        await house.ask("PATCH", f"/entities/{STATION}/attrs", {"pm25": number(50, HOURS[0])})
        window = "timeproperty=modifiedAt&timerel=after&timeAt=2026-11-22T08:30:00Z"
        document = await house.get(f"{AT}?options=temporalValues&{window}")
        assert document["pm25"]["values"] == [[50, "2026-11-22T09:00:00Z"]]


@pytest.mark.clause("4.5.19")
async def test_aggregates_are_made_by_the_hour(tmp_path: Path) -> None:
    async with _past(tmp_path) as house:
        document = await house.get(
            f"{AT}?aggrMethods=avg,max,totalCount&aggrPeriodDuration=PT1H"
            f"&timerel=between&timeAt=2026-11-22T03:00:00Z&endTimeAt=2026-11-22T07:00:00Z"
        )
        found = document["pm25"]
        assert [value for value, _, _ in found["avg"]] == [0.5, 2.5, 4.5, 6.5]
        assert [value for value, _, _ in found["max"]] == [1, 3, 5, 7]
        assert [value for value, _, _ in found["totalCount"]] == [2, 2, 2, 2]
        assert found["avg"][0][1:] == ["2026-11-22T03:00:00Z", "2026-11-22T04:00:00Z"]


@pytest.mark.clause("4.5.19")
async def test_one_aggregate_may_cover_everything(tmp_path: Path) -> None:
    async with _past(tmp_path) as house:
        document = await house.get(f"{AT}?aggrMethods=sum,min&aggrPeriodDuration=PT0S")
        assert document["pm25"]["sum"][0][0] == 28
        assert document["pm25"]["min"][0][0] == 0


@pytest.mark.clause("5.6.2", "4.8")
async def test_a_later_word_on_the_same_instant_corrects_it(tmp_path: Path) -> None:
    async with _past(tmp_path) as house:
        for sealed in (HOURS[1], HOURS[7]):
            body = {"pm25": number(100, sealed)}
            await house.ask("POST", f"/entities/{STATION}/attrs", body)
        document = await house.get(f"{AT}?options=temporalValues")
        assert _numbers(document) == [0, 100, 2, 3, 4, 5, 6, 100]
        await house.city.store.history.seal()
        assert await house.get(f"{AT}?options=temporalValues") == document


@pytest.mark.clause("5.7.3")
async def test_only_the_attributes_named_are_given(tmp_path: Path) -> None:
    async with _past(tmp_path) as house:
        await house.ask("POST", f"/entities/{STATION}/attrs", {"pm10": number(1, HOURS[0])})
        assert set(await house.get(f"{AT}?attrs=pm10")) == {"id", "type", "pm10"}


@pytest.mark.clause("5.7.3", "4.5.5")
async def test_instances_of_datasets_stay_apart(tmp_path: Path) -> None:
    async with _past(tmp_path) as house:
        for n in (1, 2):
            body = number(100 + n, HOURS[n]) | {"datasetId": "urn:x:b"}
            await house.ask("POST", f"/entities/{STATION}/attrs", {"pm25": body})
        found = (await house.get(f"{AT}?options=temporalValues&lastN=1"))["pm25"]
        assert [one.get("datasetId") for one in found] == [None, "urn:x:b"]
        assert [one["values"][0][0] for one in found] == [7, 102]


@pytest.mark.clause("5.6.5", "4.8")
async def test_a_deleted_attribute_keeps_its_past_and_its_end(tmp_path: Path) -> None:
    # Clauses 4.5.7 and 4.11: the deletion is one more instance, found by deletedAt.
    async with _past(tmp_path) as house:
        house.clock.advance(timedelta(minutes=1))
        await house.ask("DELETE", f"/entities/{STATION}/attrs/pm25")
        for _ in range(2):
            assert _numbers(await house.get(f"{AT}?options=temporalValues")) == list(range(8))
            (gone,) = (await house.get(f"{AT}?timeproperty=deletedAt"))["pm25"]
            assert (gone["value"], gone["deletedAt"]) == (
                "urn:ngsi-ld:null",
                "2026-11-22T08:01:00Z",
            )
            await house.city.store.history.seal()


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ("timerel=during&timeAt=2026-11-22T03:00:00Z", "timerel"),
        ("timerel=before", "timeAt"),
        ("timerel=before&timeAt=soon", "timeAt"),
        ("timeAt=2026-11-22T03:00:00Z", "timerel"),
        ("timerel=between&timeAt=2026-11-22T03:00:00Z", "endTimeAt"),
        (
            "timerel=between&timeAt=2026-11-22T03:00:00Z&endTimeAt=2026-11-22T02:00:00Z",
            "endTimeAt",
        ),
        ("lastN=0", "lastN"),
        ("lastN=x", "lastN"),
        ("aggrMethods=median", "aggrMethods"),
        ("aggrPeriodDuration=PT1H", "aggrMethods"),
        ("aggrMethods=avg&aggrPeriodDuration=hourly", "aggrPeriodDuration"),
        ("timeproperty=tomorrow", "timeproperty"),
    ],
)
@pytest.mark.clause("5.7.3", "6.3.2")
async def test_a_wrong_temporal_query_is_refused_by_name(
    tmp_path: Path, asked: str, param: str
) -> None:
    async with _past(tmp_path) as house:
        response = await house.ask("GET", f"{AT}?{asked}")
        assert response.status_code == 400, response.text
        assert response.json()["param"] == param


@pytest.mark.clause("6.3.10", "5.7.3")
async def test_how_much_of_the_past_one_answer_holds_is_set_by_the_city(tmp_path: Path) -> None:
    async with _past(tmp_path, instances_per_page=3) as house:
        part = await house.ask("GET", f"{AT}?options=temporalValues")
        assert part.status_code == 206
        assert part.headers["Content-Range"].startswith("date-time ")
        assert _numbers(part.json()) == [0, 1, 2]
    async with a_house(tmp_path, instances_per_page=8) as house:
        assert (await house.ask("GET", AT)).status_code == 200
