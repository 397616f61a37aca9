"""Every indicator that is computed: data told through the API give the value of a calculation by hand, other
data another one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chengmai.app.published import published
from chengmai.assess.live.model import Live
from chengmai.assess.live.table import definitions
from chengmai.assess.problems import IndicatorUnknown
from chengmai.kernel.actors import Actor, system
from chengmai.kernel.instants import format_instant
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import entity as inner
from chengmai.ngsild.entity import name_iri
from chengmai.trust.problems import ActionNotAllowed
from tests.api.house import House, a_house

MANAGER = Actor("usr_m", "city", frozenset({"manager"}), "Chen")
TODAY = "2026-11-22T07:00:00Z"
CATALOGUE = "ServiceCatalogueObserved"
ASSETS = "CityAssetsObserved"
Told = tuple[str, dict[str, Any]]


def told(
    entity_type: str, at: str = TODAY, *, name: str = "a", area: str = "East", **values: Any
) -> Any:
    """Return what a client says of a thing: numbers observed at an instant, texts without one."""
    attributes = {
        key: {"type": "Property", "value": value}
        | ({"observedAt": at} if isinstance(value, int | float) else {})
        for key, value in values.items()
    }
    return {
        "id": f"urn:ngsi-ld:{entity_type}:{name}",
        "type": entity_type,
        "areaServed": {"type": "Property", "value": area},
        **attributes,
    }


async def tell(house: House, *entities: dict[str, Any]) -> None:
    """Send observations one after the other, as a feed would; what the platform publishes, its rooms write."""
    for entity in entities:
        house.clock.advance(timedelta(milliseconds=1))
        if name_iri(entity["type"]) in published():
            await house.city.store.work.write(partial(_publish, house, entity))
            continue
        path = "/entityOperations/upsert?options=update"
        answer = await house.ask("POST", path, [entity])
        assert answer.status_code in (201, 204), answer.text


def _publish(house: House, entity: dict[str, Any], tx: Tx) -> None:
    attributes = {key: value for key, value in entity.items() if key not in ("id", "type")}
    made = inner(entity["id"], entity["type"], **attributes)
    house.city.model.put(tx, made, by=system("tests", "city"))


async def found(house: House, indicator: str) -> Live:
    return await house.city.indicators.one(MANAGER, indicator)


async def value(house: House, indicator: str) -> float | None:
    return (await found(house, indicator)).value


def hours(start: str, count: int) -> list[str]:
    begun = datetime.fromisoformat(start)
    return [format_instant(begun + timedelta(hours=one)) for one in range(count)]


STATES = {
    "E01": (CATALOGUE, "mattersWithLicence", "matters", 100),
    "E02": (CATALOGUE, "mattersOneStop", "matters", 100),
    "E03": (CATALOGUE, "mattersAtPortal", "matters", 100),
    "E04": (CATALOGUE, "mattersOnline", "mattersOnRequest", 100),
    "C14": (ASSETS, "componentsIntact", "components", 100),
    "C15": (ASSETS, "griddedArea", "builtUpArea", 100),
    "C16": (ASSETS, "mainsMonitored", "mainsLength", 100),
    "C17": (ASSETS, "tunnelLength", "roadLength", 100),
    "T04": ("BusServiceObserved", "busRoutesPredicted", "busRoutes", 100),
    "T07": ("TrafficSignalObserved", "adaptive", "installed", 100),
    "G08": ("PowerBalanceObserved", "smartMeters", "meteredCustomers", 100),
    "G10": ("ChargingSiteObserved", "electricVehicles", "chargingPoints", 1),
    "H01": ("OutpatientCareObserved", "institutionsWithRecords", "institutions", 100),
    "L05": ("PollutionSourcesObserved", "sourcesOnline", "sources", 100),
    "W03": ("MobileNetworkObserved", "contractedRate", "broadbandHouseholds", 1),
    "W04": ("MobileNetworkObserved", "gridCellsWithoutSignal", "gridCells", 100),
    "Q01": ("CommunityServicesObserved", "communitiesConnected", "communities", 100),
    "Q03": ("CommunityServicesObserved", "activeResidents", "registeredResidents", 100),
    "S01": ("BackupObserved", "backupsDone", "backupsDue", 100),
    "S03": ("SecurityAlertObserved", "highAlertsInTime", "highAlerts", 100),
}
"""Shares of the newest state: type, numerator, denominator, scale."""


@pytest.mark.parametrize("indicator", STATES)
async def test_a_share_of_the_newest_state_follows_the_entities(
    indicator: str, tmp_path: Path
) -> None:
    entity_type, up, down, scale = STATES[indicator]
    async with a_house(tmp_path, packs=()) as house:
        assert (await found(house, indicator)).state == "no_data"
        await tell(house, told(entity_type, **{up: 30, down: 120}))
        first = await found(house, indicator)
        assert first.value == pytest.approx(scale * 30 / 120)
        assert (first.numerator, first.denominator) == (30, 120)
        assert first.entities == (f"urn:ngsi-ld:{entity_type}:a",)
        assert first.quality is not None
        assert first.quality.grade == "A"
        await tell(house, told(entity_type, name="b", area="West", **{up: 50, down: 80}))
        assert await value(house, indicator) == pytest.approx(scale * 80 / 200)
        await tell(house, told(entity_type, "2026-11-22T07:30:00Z", **{up: 120}))
        last = await found(house, indicator)
        assert last.value == pytest.approx(scale * 170 / 200)
        assert dict(last.areas) == pytest.approx({"East": scale, "West": scale * 50 / 80})


FLOWS = {
    "E05": ("ServiceHallObserved", "handlingHours", "finishedMatters", 1),
    "E07": ("RequestBacklogObserved", "feedbackInTime", "feedbackDue", 100),
    "E08": ("RequestBacklogObserved", "followUpsSolved", "followUps", 100),
    "E09": ("RequestBacklogObserved", "followUpsSatisfied", "followUps", 100),
    "T05": ("BusServiceObserved", "ridesPaidElectronically", "rides", 100),
    "G09": ("PowerBalanceObserved", "distributedEnergy", "soldEnergy", 100),
    "H02": ("OutpatientCareObserved", "bookedVisits", "visits", 100),
    "H03": ("OutpatientCareObserved", "recordLookups", "visits", 100),
    "W01": ("WlanObserved", "coveredPlaces", "measuredPlaces", 100),
    "R05": ("DataCentreObserved", "processorsUsed", "processors", 100),
}
"""Sums over a period: type, numerator, denominator, scale."""


@pytest.mark.parametrize("indicator", FLOWS)
async def test_a_sum_over_a_period_adds_every_reading(indicator: str, tmp_path: Path) -> None:
    entity_type, up, down, scale = FLOWS[indicator]
    async with a_house(tmp_path, packs=()) as house:
        await tell(house, told(entity_type, "2026-11-21T06:00:00Z", **{up: 10, down: 40}))
        assert await value(house, indicator) == pytest.approx(scale * 10 / 40)
        await tell(house, told(entity_type, TODAY, **{up: 50, down: 60}))
        last = await found(house, indicator)
        assert last.value == pytest.approx(scale * 60 / 100)
        assert [round(day, 6) for _, day in last.days] == pytest.approx([scale / 4, scale * 5 / 6])
        # Long before the period it is not counted.
        await tell(house, told(entity_type, "2025-01-05T06:00:00Z", name="b", **{up: 9, down: 9}))
        assert await value(house, indicator) == pytest.approx(scale * 60 / 100)


SIGNS = {
    "T01": ("transport", "road_index", 1),
    "T02": ("transport", "delay_index", 1),
    "T06": ("transport", "bus_punctuality", 1),
    "L07": ("carbon", "daily_emission", 2),
    "L11": ("carbon", "pue", 1),
    "D01": ("sensing", "device_online", 1),
    "E06": ("government", "hotline_answered", 1),
    "H04": ("health", "bed_occupancy", 1),
    "H06": ("health", "ambulance_response", 1),
}


def a_sign(pack: str, sign: str, area: str, number: float, level: str = "normal") -> Any:
    said = {"pack": pack, "sign": sign, "currentValue": number, "level": level}
    return told("VitalSign", name=f"{sign}:{area}", area=area, **said)


@pytest.mark.parametrize("indicator", SIGNS)
async def test_a_sign_gives_the_mean_or_sum_of_its_areas_and_unknown_is_left_out(
    indicator: str, tmp_path: Path
) -> None:
    pack, sign, areas = SIGNS[indicator]
    async with a_house(tmp_path, packs=()) as house:
        await tell(house, a_sign(pack, sign, "East", 3.0), a_sign(pack, sign, "West", 5.0))
        assert await value(house, indicator) == pytest.approx(8.0 * (areas / 2))
        await tell(house, a_sign(pack, sign, "West", 9.0))
        assert await value(house, indicator) == pytest.approx(12.0 * (areas / 2))
        await tell(house, a_sign(pack, sign, "West", 9.0, level="unknown"))
        last = await found(house, indicator)
        assert last.value == pytest.approx(3.0)
        assert last.quality is not None
        assert (last.quality.complete, last.quality.grade) == (0.5, "C")


async def test_water_counts_sections_up_to_class_three(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=()) as house:
        classes = {"East": 2.0, "West": 3.0, "North": 4.0, "South": 6.0}
        await tell(
            house, *(a_sign("environment", "water_category", *one) for one in classes.items())
        )
        assert await value(house, "L03") == 50
        await tell(house, a_sign("environment", "water_category", "North", 3.0))
        assert await value(house, "L03") == 75


async def test_peak_speed_is_the_harmonic_mean_of_peak_hours(tmp_path: Path) -> None:
    flow = "TrafficFlowObserved"
    async with a_house(tmp_path, packs=()) as house:
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
    async with a_house(tmp_path, packs=()) as house:
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
    async with a_house(tmp_path, packs=()) as house:
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
    async with a_house(tmp_path, packs=()) as house:
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
    async with a_house(tmp_path, packs=()) as house:
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
    async with a_house(tmp_path, packs=()) as house:
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
    async with a_house(tmp_path, packs=()) as house:
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
    async with a_house(tmp_path, packs=()) as house:
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
    async with a_house(tmp_path, packs=()) as house:
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
    async with a_house(tmp_path, packs=()) as house:
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
    async with a_house(tmp_path, packs=()) as house:
        # Class 2: 60 by day, 50 by night. 10:00 and 23:00 in the city.
        await tell(house, told(of, "2026-11-20T02:00:00Z", soundLevel=59, zoneClass="2"))
        await tell(house, told(of, "2026-11-20T15:00:00Z", soundLevel=59, zoneClass="2"))
        assert await value(house, "L04") == 50
        await tell(house, told(of, "2026-11-21T02:00:00Z", soundLevel=59))
        await tell(house, told(of, "2026-11-21T15:00:00Z", soundLevel=49))
        assert await value(house, "L04") == 75


async def test_feeds_in_time_and_the_mean_rate_follow_their_readings(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=()) as house:
        await tell(house, told("FeedLoad", "2026-11-21T07:00:00Z", feeds=10, lateFeeds=1))
        await tell(house, told("WlanObserved", downloadRate=40))
        assert await value(house, "D02") == pytest.approx(90)
        assert await value(house, "W02") == pytest.approx(40)
        await tell(house, told("FeedLoad", TODAY, feeds=10, lateFeeds=5))
        await tell(house, told("WlanObserved", "2026-11-22T07:30:00Z", downloadRate=60))
        assert await value(house, "D02") == pytest.approx(70)
        assert await value(house, "W02") == pytest.approx(50)


async def test_the_recovery_point_is_the_mean_of_systems(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=()) as house:
        await tell(house, told("BackupObserved", recoveryPointAge=30))
        await tell(house, told("BackupObserved", name="b", recoveryPointAge=90))
        assert await value(house, "S02") == 60
        await tell(house, told("BackupObserved", name="b", recoveryPointAge=10))
        assert await value(house, "S02") == 20


async def test_the_quality_of_data_is_the_mean_of_five_scores(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=()) as house:
        feed = told("DataFeed", name="f", feedState="live")
        await tell(
            house,
            told("FeedLoad", received=100, rejected=10, feeds=4, lateFeeds=1),
            a_sign("carbon", "pue", "East", 1.2),
            a_sign("carbon", "pue", "West", 1.2, level="unknown"),
            feed,
        )
        # 90 of 100 accepted, 1 of 2 signs known, both trusted, 3 of 4 feeds in time, the feed within reach.
        assert await value(house, "R04") == pytest.approx((90 + 50 + 100 + 75 + 100) / 5)
        fault = {"type": "JsonProperty", "json": {"kind": "stuck"}}
        await tell(house, a_sign("carbon", "pue", "East", 1.2) | {"sensorFault": fault})
        await tell(house, told("DataFeed", name="f", feedState="silent"))
        assert await value(house, "R04") == pytest.approx((90 + 50 + 50 + 75 + 0) / 5)


async def test_the_audit_chain_counts_the_lines_that_hold(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=()) as house:
        await tell(house, told(CATALOGUE, matters=1))
        first = await found(house, "S05")
        await tell(house, told(CATALOGUE, matters=2))
        last = await found(house, "S05")
        assert first.denominator is not None
        assert last.denominator is not None
        assert last.denominator > first.denominator
        assert last.value == 100
        spoil = "UPDATE audit SET action = 'nothing' WHERE seq = 1"
        house.clock.advance(timedelta(days=1, seconds=1))
        await house.city.store.work.write(lambda tx: tx.db.execute(spoil).fetchall())  # type: ignore[attr-defined]
        spoilt = await found(house, "S05")
        assert spoilt.denominator is not None
        assert spoilt.value == pytest.approx(100 * (1 - 1 / spoilt.denominator))


PROGRAMMES = (
    "id,place,title,started_on,source,source_date\nhz,330100,杭州,2020-05-01,s,2024-01-01\n"
)
PROGRAMMES += "yw,330782,义乌,2024-03-01,s,2024-04-01\n"
MONEY = "id,programme,kind,amount,unit,finance,on,source,source_date\n"
PROJECTS = "id,programme,title,domain,begun_on,source,source_date\n"


async def test_projects_and_money_come_from_the_registry(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=()) as house:
        take = house.city.assess.import_table
        await take(MANAGER, "programmes", PROGRAMMES)
        money = MONEY + "1,hz,planned,2,100m_yuan,public,2024-01-01,s,2024-01-01\n"
        money += "2,hz,arrived,5000,10k_yuan,enterprise,2024-01-01,s,2024-01-01\n"
        projects = PROJECTS + "1,hz,t,transport,2024-01-01,s,2024-01-01\n"
        projects += "2,yw,t,transport,2024-01-01,s,2024-01-01\n"
        await take(MANAGER, "investments", money)
        await take(MANAGER, "projects", projects)
        assert await value(house, "P01") == 50
        assert await value(house, "P02") == 25
        more = "3,yw,arrived,5000,10k_yuan,enterprise,2024-01-01,s,2024-01-01\n"
        await take(MANAGER, "investments", money + more)
        assert await value(house, "P01") == 100
        assert await value(house, "P02") == 50


async def test_an_indicator_that_is_not_held_says_why_and_an_unknown_one_which_there_are(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path, packs=()) as house:
        extension = await found(house, "C06")
        assert extension.state == "not_held"
        assert extension.because is not None
        assert "extension" in extension.because.en
        with pytest.raises(IndicatorUnknown) as caught:
            await found(house, "X99")
        assert "C01" in (caught.value.fix or "")
        citizen = Actor("usr_c", "city", frozenset({"citizen"}), "Wang")
        with pytest.raises(ActionNotAllowed):
            await house.city.indicators.all(citizen)


async def test_tenants_do_not_see_each_others_data(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=()) as house:
        await tell(house, told(CATALOGUE, matters=100, mattersOneStop=50))
        assert await value(house, "E02") == 50
        other = Actor("usr_o", "other", frozenset({"manager"}), "Li")
        assert (await house.city.indicators.one(other, "E02")).value is None


async def test_a_day_is_written_down_once_and_its_past_can_be_asked_for(tmp_path: Path) -> None:
    entity = "urn:ngsi-ld:CityIndicator:E02"
    async with a_house(tmp_path, packs=()) as house:
        await tell(house, told(CATALOGUE, matters=100, mattersOneStop=50))
        assert await house.city.indicators.record("city") > 0
        await tell(house, told(CATALOGUE, "2026-11-22T07:40:00Z", mattersOneStop=60))
        assert await house.city.indicators.record("city") == 0
        house.clock.advance(timedelta(days=1))
        assert await house.city.indicators.record("city") > 0
        past = await house.city.indicators.past(MANAGER, "E02")
        assert [number for _, number in past] == [50, 60]
        kept = await house.get(f"/entities/{entity}?options=keyValues")
        assert (kept["computed"], kept["currentValue"], kept["indicator"]) == (True, 60, "E02")
        path = f"/temporal/entities/{entity}?timerel=before&timeAt=2030-01-01T00:00:00Z&attrs=currentValue"
        assert len((await house.get(path))["currentValue"]) == 2
        lines = [one for one in await house.audit() if one.object == entity]
        assert [one.actor for one in lines] == ["sys:assess", "sys:assess"]


def test_every_definition_is_tested() -> None:
    special = "T03 T08 T09 D03 W05 G01 G02 G03 G04 G05 L12 G06 G07 H05 H07 L01 L02 L03 L04 D02 W02 S02 R04"
    special += " S05 P01 P02"
    cases = "C01 C02 C03 C04 C05 C07 C08 C11 C12 C13 L06 Q02 Q04"
    tested = {*STATES, *FLOWS, *SIGNS, *special.split(), *cases.split()}
    assert tested == set(definitions())
