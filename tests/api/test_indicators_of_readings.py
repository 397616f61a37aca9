"""Indicators with a calculation of their own: readings give the value that was worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chengmai.kernel.instants import format_instant
from tests.api.house import House, a_house
from tests.api.indicators import TODAY, found, packs_with, tell, told, value

ASSETS = "CityAssetsObserved"


def hours(start: str, count: int) -> list[str]:
    begun = datetime.fromisoformat(start)
    return [format_instant(begun + timedelta(hours=one)) for one in range(count)]


async def test_peak_speed_is_the_harmonic_mean_of_peak_hours(tmp_path: Path) -> None:
    flow = "TrafficFlowObserved"
    async with a_house(tmp_path, packs=packs_with("TrafficFlowObserved")) as house:
        await tell(
            house,
            told(flow, "2026-11-20T00:10:00Z", averageSpeed=30),  # 8:10 in the city
            told(flow, "2026-11-20T04:00:00Z", averageSpeed=90),  # noon does not count
            told(flow, "2026-11-20T09:30:00Z", averageSpeed=60),
        )
        assert await value(house, "T03") == pytest.approx(2 / (1 / 30 + 1 / 60))
        await tell(house, told(flow, "2026-11-21T10:00:00Z", averageSpeed=20))
        assert await value(house, "T03") == pytest.approx(3 / (1 / 30 + 1 / 60 + 1 / 20))


async def test_parking_and_roads_count_what_reported_within_the_hour(tmp_path: Path) -> None:
    park, flow = "ParkingObserved", "TrafficFlowObserved"
    async with a_house(
        tmp_path, packs=packs_with("ParkingObserved", "TrafficFlowObserved")
    ) as house:
        await tell(
            house,
            told(park, "2026-11-22T07:30:00Z", occupiedSpaces=10, spaces=300),
            told(park, "2026-11-22T04:00:00Z", name="b", occupiedSpaces=10, spaces=100),
            told(flow, "2026-11-22T07:30:00Z", averageSpeed=30),
            told(flow, "2026-11-22T04:00:00Z", name="b", averageSpeed=30),
        )
        assert await value(house, "T08") == 75
        assert await value(house, "T09") == 50
        await tell(
            house,
            told(park, "2026-11-22T07:40:00Z", name="b", occupiedSpaces=12),
            told(flow, "2026-11-22T07:40:00Z", name="b", averageSpeed=31),
        )
        assert await value(house, "T08") == 100
        assert await value(house, "T09") == 100


async def test_density_and_stations_divide_by_what_another_type_says(tmp_path: Path) -> None:
    async with a_house(
        tmp_path,
        packs=packs_with(
            "CityAssetsObserved", "DeviceObserved", "MobileNetworkObserved", "SafetyCallsObserved"
        ),
    ) as house:
        await tell(
            house,
            told(ASSETS, builtUpArea=40),
            told("DeviceObserved", batteryLevel=50),
            told("DeviceObserved", "2026-11-22T01:00:00Z", name="b", batteryLevel=50),
            told("MobileNetworkObserved", baseStations5g=60),
            told("SafetyCallsObserved", policeCalls=1, residents=30_000),
        )
        assert await value(house, "D03") == pytest.approx(1 / 40)
        assert await value(house, "W05") == pytest.approx(20)
        await tell(house, told("DeviceObserved", "2026-11-22T07:30:00Z", name="b", batteryLevel=49))
        await tell(house, told("MobileNetworkObserved", baseStations5g=90))
        assert await value(house, "D03") == pytest.approx(2 / 40)
        assert await value(house, "W05") == pytest.approx(30)


async def test_outages_give_the_mean_time_without_supply_and_reliability(tmp_path: Path) -> None:
    outage = "OutageObserved"
    async with a_house(tmp_path, packs=packs_with("OutageObserved")) as house:
        for at in hours("2026-11-22T00:00:00+00:00", 4):
            await tell(house, told(outage, at, customersOut=50, customersServed=1000))
        # 4 h × 50 customers of 1000; on record since midnight UTC, now is 08:00.
        assert await value(house, "G01") == pytest.approx(0.2)
        assert await value(house, "G02") == pytest.approx(100 * (1 - 0.2 / 8), abs=1e-4)
        await tell(house, told(outage, "2026-11-22T05:00:00Z", customersOut=800))
        assert await value(house, "G01") == pytest.approx(1.0)
        assert await value(house, "G02") == pytest.approx(100 * (1 - 1 / 8), abs=1e-4)


async def test_frequency_and_voltage_count_readings_within_limits(tmp_path: Path) -> None:
    point = "GridPointObserved"
    async with a_house(tmp_path, packs=packs_with("GridPointObserved")) as house:
        await tell(
            house,
            told(point, hours(TODAY, 1)[0], frequency=49.8, voltage=0.2354, nominalVoltage=0.22),
            told(point, name="b", frequency=50.3, voltage=10.8, nominalVoltage=10.0),
        )
        assert await value(house, "G03") == 50
        assert await value(house, "G04") == 50
        await tell(
            house,
            told(point, "2026-11-22T07:15:00Z", frequency=50.1, voltage=0.2355),
            told(point, "2026-11-22T07:15:00Z", name="b", frequency=50.2, voltage=10.7),
        )
        assert await value(house, "G03") == 75
        assert await value(house, "G04") == 50
        assert (await found(house, "G04")).denominator == 4


async def test_losses_are_what_was_supplied_and_not_sold(tmp_path: Path) -> None:
    cases = {
        "G05": ("PowerBalanceObserved", "suppliedEnergy", "soldEnergy"),
        "L12": ("WaterSupplyObserved", "suppliedVolume", "billedVolume"),
    }
    async with a_house(
        tmp_path, packs=packs_with("PowerBalanceObserved", "WaterSupplyObserved")
    ) as house:
        for indicator, (entity_type, supplied, sold) in cases.items():
            await tell(
                house, told(entity_type, "2026-03-01T00:00:00Z", **{supplied: 100, sold: 95})
            )
            assert await value(house, indicator) == pytest.approx(5)
            await tell(house, told(entity_type, TODAY, **{supplied: 100, sold: 75}))
            assert await value(house, indicator) == pytest.approx(15)


async def test_load_is_the_highest_and_the_mean_of_hours_over_all_transformers(
    tmp_path: Path,
) -> None:
    of = "TransformerObserved"
    fixed = {"reactivePower": 0, "ratedPower": 50}
    async with a_house(tmp_path, packs=packs_with("TransformerObserved")) as house:
        for at, a, b in (("01", 20, 10), ("02", 40, 20)):
            await tell(
                house,
                told(of, f"2026-11-22T{at}:00:00Z", activePower=a, **fixed),
                told(of, f"2026-11-22T{at}:00:00Z", name="b", activePower=b, **fixed),
            )
        assert await value(house, "G06") == pytest.approx(60)
        assert await value(house, "G07") == pytest.approx(75)
        await tell(house, told(of, "2026-11-22T03:00:00Z", activePower=60, reactivePower=80))
        # 100 MVA of one transformer alone: the highest; mean (30 + 60 + 100) / 3.
        assert await value(house, "G06") == pytest.approx(100)
        assert await value(house, "G07") == pytest.approx(100 * (190 / 3) / 100)


async def test_emergency_waits_are_judged_by_the_limit_of_their_level(tmp_path: Path) -> None:
    of = "TriageObserved"
    async with a_house(tmp_path, packs=packs_with("TriageObserved")) as house:
        await tell(
            house,
            told(of, longestWait=9, triageLevel="2"),
            told(of, name="b", longestWait=31, triageLevel="3"),
        )
        assert await value(house, "H05") == 50
        await tell(house, told(of, "2026-11-22T07:30:00Z", name="b", longestWait=30))
        await tell(house, told(of, "2026-11-22T07:45:00Z", name="b", longestWait=12))
        assert await value(house, "H05") == 75


async def test_remote_consultations_are_of_the_year_by_residents(tmp_path: Path) -> None:
    of = "OutpatientCareObserved"
    async with a_house(
        tmp_path, packs=packs_with("OutpatientCareObserved", "SafetyCallsObserved")
    ) as house:
        await tell(
            house,
            told("SafetyCallsObserved", policeCalls=1, residents=50_000),
            told(of, "2026-02-01T00:00:00Z", remoteVisits=20),
        )
        assert await value(house, "H07") == pytest.approx(40)
        await tell(house, told(of, TODAY, remoteVisits=30))
        assert await value(house, "H07") == pytest.approx(100)


GOOD = {"pm25": 40, "pm10": 60, "so2": 10, "no2": 30, "co": 1, "o3": 60}


async def a_day_of_air(house: House, day: str, **changed: float) -> None:
    # The 24 hours of a day in Shanghai begin at 16:00 UTC of the day before.
    begun = datetime.fromisoformat(f"{day}T00:00:00+08:00").astimezone(UTC)
    for at in hours(begun.isoformat(), 24):
        await tell(house, told("AirQualityObserved", at, **(GOOD | changed)))


async def test_good_days_and_the_mean_of_fine_dust_are_of_valid_days(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=packs_with("AirQualityObserved")) as house:
        await a_day_of_air(house, "2026-11-18")
        assert await value(house, "L01") == 100
        assert await value(house, "L02") == pytest.approx(40)
        # 61 µg/m³ is AQI 101 by the table of 2026, and was 81 by that of 2012.
        await a_day_of_air(house, "2026-11-19", pm25=61)
        await a_day_of_air(house, "2026-02-19", pm25=61)
        assert await value(house, "L01") == pytest.approx(100 * 2 / 3)
        assert await value(house, "L02") == pytest.approx((40 + 61 + 61) / 3)
        # A few hours are no day.
        await tell(house, told("AirQualityObserved", TODAY, **(GOOD | {"pm25": 400})))
        assert await value(house, "L02") == pytest.approx((40 + 61 + 61) / 3)
        await a_day_of_air(house, "2026-11-20", o3=170)
        assert await value(house, "L01") == 50


async def test_noise_is_judged_by_day_and_by_night(tmp_path: Path) -> None:
    of = "NoiseLevelObserved"
    async with a_house(tmp_path, packs=packs_with("NoiseLevelObserved")) as house:
        # Class 2: 60 by day, 50 by night. 10:00 and 23:00 in the city.
        await tell(house, told(of, "2026-11-20T02:00:00Z", soundLevel=59, zoneClass="2"))
        await tell(house, told(of, "2026-11-20T15:00:00Z", soundLevel=59, zoneClass="2"))
        assert await value(house, "L04") == 50
        await tell(house, told(of, "2026-11-21T02:00:00Z", soundLevel=59))
        await tell(house, told(of, "2026-11-21T15:00:00Z", soundLevel=49))
        assert await value(house, "L04") == 75


async def test_feeds_in_time_and_the_mean_rate_follow_their_readings(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=packs_with("FeedLoad", "WlanObserved")) as house:
        await tell(house, told("FeedLoad", "2026-11-21T07:00:00Z", feeds=10, lateFeeds=1))
        await tell(house, told("WlanObserved", downloadRate=40))
        assert await value(house, "D02") == pytest.approx(90)
        assert await value(house, "W02") == pytest.approx(40)
        await tell(house, told("FeedLoad", TODAY, feeds=10, lateFeeds=5))
        await tell(house, told("WlanObserved", "2026-11-22T07:30:00Z", downloadRate=60))
        assert await value(house, "D02") == pytest.approx(70)
        assert await value(house, "W02") == pytest.approx(50)


async def test_the_recovery_point_is_the_mean_of_systems(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=packs_with("BackupObserved")) as house:
        await tell(house, told("BackupObserved", recoveryPointAge=30))
        await tell(house, told("BackupObserved", name="b", recoveryPointAge=90))
        assert await value(house, "S02") == 60
        await tell(house, told("BackupObserved", name="b", recoveryPointAge=10))
        assert await value(house, "S02") == 20
