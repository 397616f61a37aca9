"""Every indicator that is computed: data told through the API give the value of a calculation by hand, other
data another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chengmai.assess.live.service import LiveIndicators
from chengmai.assess.live.table import definitions
from chengmai.assess.problems import IndicatorUnknown
from chengmai.kernel.actors import Actor
from chengmai.trust.problems import ActionNotAllowed
from tests.api.house import a_house
from tests.api.indicators import MANAGER, TODAY, a_sign, found, packs_with, tell, told, value

CATALOGUE = "ServiceCatalogueObserved"
ASSETS = "CityAssetsObserved"


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
    async with a_house(tmp_path, packs=packs_with(entity_type)) as house:
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
    async with a_house(tmp_path, packs=packs_with(entity_type)) as house:
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


@pytest.mark.parametrize("indicator", SIGNS)
async def test_a_sign_gives_the_mean_or_sum_of_its_areas_and_unknown_is_left_out(
    indicator: str, tmp_path: Path
) -> None:
    pack, sign, areas = SIGNS[indicator]
    async with a_house(tmp_path) as house:
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
    async with a_house(tmp_path) as house:
        classes = {"East": 2.0, "West": 3.0, "North": 4.0, "South": 6.0}
        await tell(
            house, *(a_sign("environment", "water_category", *one) for one in classes.items())
        )
        assert await value(house, "L03") == 50
        await tell(house, a_sign("environment", "water_category", "North", 3.0))
        assert await value(house, "L03") == 75


async def test_the_quality_of_data_is_the_mean_of_five_scores(tmp_path: Path) -> None:
    async with a_house(tmp_path, packs=packs_with("FeedLoad")) as house:
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
    async with a_house(tmp_path) as house:
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
        await house.city.store.work.write(lambda tx: tx.db.execute(spoil).fetchall())
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
    async with a_house(tmp_path) as house:
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
    async with a_house(tmp_path) as house:
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
    async with a_house(tmp_path, packs=packs_with("ServiceCatalogueObserved")) as house:
        await tell(house, told(CATALOGUE, matters=100, mattersOneStop=50))
        assert await value(house, "E02") == 50
        other = Actor("usr_o", "other", frozenset({"manager"}), "Li")
        assert (await house.city.indicators.one(other, "E02")).value is None


async def test_a_day_is_written_down_once_and_its_past_can_be_asked_for(tmp_path: Path) -> None:
    entity = "urn:ngsi-ld:CityIndicator:E02"
    async with a_house(tmp_path, packs=packs_with("ServiceCatalogueObserved")) as house:
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


async def test_going_through_the_past_rests_after_it_took_long(tmp_path: Path) -> None:
    flow, seconds = "TrafficFlowObserved", [0.0]

    def slow() -> float:
        seconds[0] += 6.0  # between two looks at the clock
        return seconds[0]

    async with a_house(tmp_path, packs=packs_with(flow)) as house:
        indicators = LiveIndicators(house.city.indicators._ports, monotonic=slow)
        house.city.changed.append(indicators.noticed)
        await tell(house, told(flow, "2026-11-20T00:10:00Z", averageSpeed=30))
        assert (await indicators.one(MANAGER, "T03")).value == 30
        await tell(house, told(flow, "2026-11-21T00:10:00Z", averageSpeed=60))
        assert (await indicators.one(MANAGER, "T03")).value == 30
        seconds[0] += 20 * 6
        assert (await indicators.one(MANAGER, "T03")).value == pytest.approx(40)


async def test_what_is_on_record_for_the_day_is_not_worked_out_again(tmp_path: Path) -> None:
    flow = "TrafficFlowObserved"
    async with a_house(tmp_path, packs=packs_with(flow)) as house:
        city = house.city
        await tell(house, told(flow, "2026-11-20T00:10:00Z", averageSpeed=30))
        assert await city.indicators.record("city") > 0
        readings = city.indicators._ports.readings
        asked: list[str] = []
        counting = Counting(readings, asked)
        city.indicators._ports = replace(city.indicators._ports, readings=counting)
        await tell(house, told(flow, "2026-11-21T00:10:00Z", averageSpeed=60))
        assert await city.indicators.record("city") == 0
        assert "T03" not in asked


class Counting:
    """Readings that note which indicators are gone through."""

    def __init__(self, readings: Any, asked: list[str]) -> None:
        self._readings, self._asked = readings, asked

    def types(self, definition: Any) -> Any:
        return self._readings.types(definition)

    def read(self, tx: Any, tenant: str, asked: Any) -> Any:
        self._asked += [one.id for one in asked]
        return self._readings.read(tx, tenant, asked)

    def measure(self, read: Any) -> Any:
        return self._readings.measure(read)
