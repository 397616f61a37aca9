"""Looking back on real readings: what explains a change, what it is compared with, what happened meanwhile."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chengmai.kernel.actors import Actor
from chengmai.kernel.instants import to_us
from chengmai.ngsild.entity import name_iri
from chengmai.vitals.lookback.explaining import Explanation
from chengmai.vitals.lookback.periods import period_of
from chengmai.vitals.lookback.service import Review
from chengmai.vitals.problems import VitalNotFound
from tests.api.house import NOON, PACK, House, a_house, created, number

HOUR = timedelta(hours=1)
TODAY = date(2026, 11, 22)
VITAL = "urn:ngsi-ld:VitalSign:air:pm25:东城区"
MANAGER = Actor("usr_li", "city", frozenset({"manager"}), "Li Wei")
Reading = Callable[[str, datetime], float | None]


def usually(station: str, at: datetime) -> float | None:
    """Return what a station shows: 40 in the east, 30 in the west, ten more on its day two weeks later."""
    level = 40.0 if station.startswith("e") else 30.0
    return level + (10.0 if station == "e2" and at >= NOON - timedelta(days=1) else 0.0)


@asynccontextmanager
async def looked_back(
    tmp_path: Path, reading: Reading = usually, weeks: int = 3, pack: Path = PACK
) -> AsyncIterator[House]:
    """Yield a city with weeks of hourly readings of three stations in two areas, evaluated."""
    async with a_house(tmp_path / "data", packs=(pack,)) as house:
        stations = {"e1": "东城区", "e2": "东城区", "w1": "西城区"}
        ids = {name: f"urn:ngsi-ld:AirQualityObserved:{name}" for name in stations}
        last = NOON.strftime("%Y-%m-%dT%H:%M:%SZ")
        for name, area in stations.items():
            await created(
                house,
                {
                    "id": ids[name],
                    "type": "AirQualityObserved",
                    "areaServed": {"type": "Property", "value": area},
                    "pm25": number(reading(name, NOON) or 0.0, last),
                },
            )
        rows = [
            (ids[name], name_iri("pm25"), to_us(at), value, "GQ")
            for hour in range(1, weeks * 168)
            for name in stations
            if (value := reading(name, at := NOON - hour * HOUR)) is not None
        ]
        await house.city.past_of_vitals.import_values("city", "test", rows)
        await house.city.vitals.backfill("city", NOON - timedelta(weeks=weeks))
        await house.city.evaluate()
        yield house


async def review(house: House, length: Any = "day", versus: Any = "previous") -> Review:
    period = period_of(length, TODAY, house.city.zone)
    return await house.city.look_back.review("city", VITAL, period, versus)


def total(found: Explanation | None) -> float:
    assert found is not None
    return math.fsum(share.total for share in found.shares)


async def test_the_entity_that_changed_explains_the_change(tmp_path: Path) -> None:
    async with looked_back(tmp_path) as house:
        found = await review(house, "day", "week_earlier")
        entities = found.causes.by_entity
        assert entities is not None
        assert entities.kind == "mean"
        assert entities.change == pytest.approx(5.0)
        assert total(entities) == pytest.approx(entities.change, abs=1e-12)
        assert entities.shares[0].key.endswith(":e2")
        assert entities.shares[0].total == pytest.approx(5.0)
        assert found.now.mean == pytest.approx((found.before.mean or 0.0) + 5.0)


async def test_the_area_that_changed_explains_the_change(tmp_path: Path) -> None:
    async with looked_back(tmp_path) as house:
        areas = (await review(house, "day", "week_earlier")).causes.by_area
        assert areas is not None
        assert [share.key for share in areas.shares] == ["东城区", "西城区"]
        assert areas.shares[0].total == pytest.approx(2.5)
        assert total(areas) == pytest.approx(areas.change, abs=1e-12)


async def test_the_hours_that_changed_explain_the_change(tmp_path: Path) -> None:
    def reading(station: str, at: datetime) -> float:
        return 40.0 + (24.0 if at >= NOON - 3 * HOUR else 0.0)

    async with looked_back(tmp_path, reading) as house:
        hours = (await review(house, "day", "previous")).causes.by_hour
        assert hours is not None
        # 05:00 to 08:00 in UTC are 13:00 to 16:00 of the city.
        assert {share.key for share in hours.shares[:4]} == {"13", "14", "15", "16"}
        assert total(hours) == pytest.approx(hours.change, abs=1e-12)


async def test_a_station_that_fell_silent_explains_the_change_by_its_weight(tmp_path: Path) -> None:
    def reading(station: str, at: datetime) -> float | None:
        if station == "e2":
            return 90.0 if at < NOON - timedelta(days=2) or at == NOON else None
        return 30.0

    async with looked_back(tmp_path, reading) as house:
        found = (await review(house, "day", "week_earlier")).causes.by_entity
        assert found is not None
        assert abs(sum(share.mix for share in found.shares)) > 20
        assert sum(share.own for share in found.shares) == pytest.approx(0, abs=1e-9)
        assert total(found) == pytest.approx(found.change, abs=1e-12)


async def test_any_formula_is_explained_by_exchange(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    for file in PACK.rglob("*.toml"):
        text = file.read_text().replace("avg(pm25)", "max(pm25)")
        target = pack / file.relative_to(PACK)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    async with looked_back(tmp_path, pack=pack) as house:
        found = (await review(house, "day", "week_earlier")).causes.by_entity
        assert found is not None
        assert found.kind == "formula"
        assert found.change == pytest.approx(10.0)
        assert total(found) == pytest.approx(found.change, abs=1e-12)
        assert found.shares[0].key.endswith(":e2")
        assert found.shares[0].total == pytest.approx(10.0)


async def test_a_period_too_long_for_readings_says_so(tmp_path: Path) -> None:
    async with looked_back(tmp_path) as house:
        found = await review(house, "year", "previous")
        assert found.causes.by_entity is None
        assert "31" in (found.causes.no_entities or found.sign.spec.title).en


async def test_a_sunday_is_compared_with_days_of_rest_and_says_with_how_many(
    tmp_path: Path,
) -> None:
    def reading(station: str, at: datetime) -> float:
        local = at + timedelta(hours=8)
        return 20.0 if local.isoweekday() > 5 else 60.0

    async with looked_back(tmp_path, reading) as house:
        found = (await review(house, "day", "previous")).likeness
        assert (found.now, found.before) == (20.0, 20.0)
        assert (found.matched, found.unmatched) == (17, 0)
        assert found.past_days == 5  # of three weekends the last day is the one looked at
        assert found.groups[0].day == "rest"
        assert found.certain
        assert not found.uses_weather


async def test_cases_silence_thresholds_and_notes_are_marks(tmp_path: Path) -> None:
    def reading(station: str, at: datetime) -> float | None:
        if NOON - 12 * HOUR < at < NOON - 6 * HOUR:
            return None
        return 200.0 if at >= NOON else 40.0

    async with looked_back(tmp_path, reading) as house:
        at = NOON - 2 * HOUR
        made = await house.city.notes.write(MANAGER, VITAL, "roadworks begin", at)
        found = (await review(house)).marks
        kinds = {mark.kind for mark in found}
        assert kinds == {"case", "gap", "incident", "note"}
        (note,) = [mark for mark in found if mark.kind == "note"]
        assert (note.at, note.by, note.text.en, note.ref) == (at, "Li Wei", "roadworks begin", made)
        (gap,) = [mark for mark in found if mark.kind == "gap"]
        assert gap.until == NOON - 6 * HOUR
        assert [mark.at for mark in found] == sorted(mark.at for mark in found)


async def test_the_period_begins_at_the_citys_midnight(tmp_path: Path) -> None:
    async with looked_back(tmp_path, weeks=1) as house:
        found = await review(house)
        assert found.now.points[0][0] == to_us(datetime(2026, 11, 21, 16, tzinfo=UTC))
        assert len(found.now.points) == len(found.before.points) == 17


async def test_a_sign_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with a_house(tmp_path / "data") as house:
        with pytest.raises(VitalNotFound):
            await review(house)
