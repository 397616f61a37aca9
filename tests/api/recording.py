"""Builders: recordings in the form that the test pack reads, and a city that replays them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chengmai.kernel.clock import FixedClock
from tests.api.house import NOON, House, a_house

HEADER = "time,station,district,pm25,co,co_unit"
WAIT_S = 60.0
RATE = 3600.0
"""City seconds in a second of the clock beneath it: an hour of the city is one second."""
START = NOON - timedelta(hours=2)
"""When a replaying city begins: two hours, and so two readings of each station, before `NOON`."""
LAST = datetime(2026, 11, 8, 16)  # noqa: DTZ001 - what a clock on the wall showed
"""Wall time of the last record: two whole weeks before `NOON`, so that it is shown at `NOON`."""


def a_row(at: datetime, station: str, pm25: object, *, co: object = 0.5, unit: str = "GP") -> str:
    """Return one line of a recording; stations whose name begins with w stand in the west."""
    district = "西城区" if station.startswith("w") else "东城区"
    return f"{at.isoformat()},{station},{district},{pm25},{co},{unit}"


def four_weeks(changes: dict[tuple[datetime, str], float] | None = None) -> list[str]:
    """Return hourly rows of two stations over four weeks, with some values of pm25 changed."""
    rows = []
    for hour in range(28 * 24):
        at = LAST - timedelta(hours=28 * 24 - 1 - hour)
        for station in ("east", "west"):
            wave = 40 + 15 * math.sin(2 * math.pi * at.hour / 24) + at.day % 3
            value = (changes or {}).get((at, station), round(wave, 1))
            rows.append(a_row(at, station, value))
    return rows


def write_csv(folder: Path, rows: Iterable[str]) -> None:
    """Write `air.csv`."""
    folder.mkdir(exist_ok=True)
    (folder / "air.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")


@asynccontextmanager
async def a_replaying_house(data: Path, source: Path) -> AsyncIterator[House]:
    """Yield a city at `START` that has brought in the past of the recordings in `source`."""
    clock = FixedClock(START)
    settings: dict[str, Any] = {"feeds": True, "source_data": source, "clock_rate": RATE}
    async with a_house(data, clock=clock, **settings) as house:
        feeding = asyncio.create_task(house.city.runner.run())
        try:
            assert await house.city.feeds.filled(WAIT_S)
            yield house
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)


async def go_to_noon(house: House) -> None:
    """Let the city's clock reach `NOON`, and return when the readings of that hour have arrived."""
    house.clock.advance((NOON - START) / RATE)
    async with asyncio.timeout(WAIT_S):
        while True:
            stations = await house.get("/entities?type=AirQualityObserved&attrs=pm25")
            if {one["pm25"]["observedAt"] for one in stations} == {"2026-11-22T08:00:00Z"}:
                return
            await asyncio.sleep(0.05)
