"""The machine's clock jumps, back and forth: nothing is lost, nothing is doubled, nothing stops."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from chengmai.history.model import Span
from chengmai.ngsild.entity import name_iri
from tests.api.house import STATION, House, a_house, a_station, created, number
from tests.api.receiver import a_receiver

pytestmark = pytest.mark.fault

JUMPS = (
    timedelta(hours=-1),
    timedelta(days=400),
    timedelta(days=-800),
    timedelta(seconds=-1),
    timedelta(),
    timedelta(microseconds=-1),
    timedelta(days=399),
    timedelta(milliseconds=3),
)
CHANGES = 60


def _subscription(url: str) -> dict[str, object]:
    return {
        "id": "urn:ngsi-ld:Subscription:jumps",
        "type": "Subscription",
        "entities": [{"type": "AirQualityObserved"}],
        "notification": {"endpoint": {"uri": url, "accept": "application/json"}},
    }


async def _recorded(house: House) -> list[float]:
    everything = Span(by="modifiedAt")
    points = await house.city.store.work.read(
        lambda tx: house.city.store.history.numbers(
            tx, "city", STATION, name_iri("pm25"), everything
        )
    )
    return sorted(value for _, value in points)


async def test_changes_across_jumps_are_all_kept_told_once_and_in_order(tmp_path: Path) -> None:
    luck = random.Random(5)
    every = [float(n) for n in range(CHANGES)]
    async with a_receiver() as receiver, a_house(tmp_path / "data") as house:
        await created(house, a_station(pm25=number(0)))
        answer = await house.ask("POST", "/subscriptions", _subscription(receiver.url()))
        assert answer.status_code == 201, answer.text
        for n in range(1, CHANGES):
            house.clock.advance(luck.choice(JUMPS))
            path = f"/entities/{STATION}/attrs/pm25"
            assert (await house.ask("PATCH", path, {"value": n})).status_code == 204
            if n % 7 == 0:
                await house.city.store.history.seal(at_most=5)
            # What is written now is what is read now, whatever the clock says.
            assert (await house.get(f"/entities/{STATION}"))["pm25"]["value"] == n
        told = await receiver.wait_for(CHANGES - 1)
        assert [one.entity["pm25"]["value"] for one in told] == list(range(1, CHANGES))
        assert await _recorded(house) == every
        assert await house.broken() == []
    async with a_house(tmp_path / "data") as house:
        assert await _recorded(house) == every
        assert (await house.get(f"/entities/{STATION}"))["pm25"]["value"] == CHANGES - 1


async def test_signing_in_survives_a_clock_that_was_wrong_for_a_while(tmp_path: Path) -> None:
    async with a_house(tmp_path / "data") as house:
        await created(house, a_station())
        house.clock.advance(timedelta(days=-700))
        assert (await house.ask("GET", f"/entities/{STATION}")).status_code == 200
        house.clock.advance(timedelta(days=700))
        assert (await house.ask("GET", f"/entities/{STATION}")).status_code == 200
