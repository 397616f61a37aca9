"""Indicators of cases: steps of real cases give the rates of a count by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from chengmai.cases.model import Step
from chengmai.kernel.actors import Actor
from tests.api.house import House, a_house
from tests.api.indicators import packs_with, tell, told, value

WORKER = Actor("usr_w", "city", frozenset({"worker", "manager"}), "Wu")
CITIZEN = Actor("usr_c", "city", frozenset({"citizen"}), "Wang")
NEIGHBOUR = Actor("usr_n", "city", frozenset({"citizen"}), "Zhao")


async def reported(house: House, by: Actor, category: str) -> str:
    house.clock.advance(timedelta(seconds=1))
    return (await house.city.cases.report(by, category, "t")).case.id


async def step(house: House, case: str, *steps: Step) -> None:
    for one in steps:
        house.clock.advance(timedelta(seconds=1))
        await house.city.cases.take_step(case, one, WORKER, note="done")


async def rates(house: House, *indicators: str) -> dict[str, float | None]:
    return {one: await value(house, one) for one in indicators}


def category_of(house: House, pack: str) -> str:
    (found,) = (one for one in house.city.packs if one.info.id == pack)
    return found.cases.categories[0].id


async def test_rates_of_opening_dispatch_handling_and_closing_follow_the_steps(
    tmp_path: Path,
) -> None:
    async with a_house(
        tmp_path, packs=packs_with("SafetyCallsObserved", "AirQualityObserved")
    ) as house:
        category = category_of(house, "environment")
        one, two, three, four = [await reported(house, CITIZEN, category) for _ in range(4)]
        assert await rates(house, "C01", "C11") == {"C01": 0, "C11": 0}
        assert await value(house, "C02") is None
        for case in (one, two, three):
            await step(house, case, Step.OPEN)
        await step(house, four, Step.REJECT)
        assert await rates(house, "C01", "C11") == {"C01": 75, "C11": 75}
        await step(house, one, Step.DISPATCH, Step.HANDLE)
        assert await rates(house, "C02", "C03", "C07", "C13") == {
            "C02": 100,
            "C03": 100,
            "C07": 0,
            "C13": 100,
        }
        # The other two stand undispatched past their quarter of an hour.
        house.clock.advance(timedelta(minutes=20))
        assert await rates(house, "C02", "C03", "C05", "C13") == pytest.approx(
            {"C02": 100 / 3, "C03": 100 / 3, "C05": 200 / 3, "C13": 100 / 3}
        )
        await step(house, one, Step.VERIFY_PASS)
        assert await rates(house, "C07", "C08", "C12") == pytest.approx(
            {"C07": 100 / 3, "C08": 100 / 3, "C12": 100}
        )
        await step(house, two, Step.DISPATCH, Step.HANDLE)
        # Dispatched late and handled in time.
        assert await rates(house, "C02", "C03", "C13") == pytest.approx(
            {"C02": 200 / 3, "C03": 200 / 3, "C13": 100 / 3}
        )
        await step(house, two, Step.VERIFY_FAIL)
        assert await value(house, "C04") == pytest.approx(100 / 3)
        await step(house, two, Step.HANDLE)
        house.clock.advance(timedelta(hours=3))
        await step(house, two, Step.VERIFY_PASS)
        assert await rates(house, "C07", "C08", "C12") == pytest.approx(
            {"C07": 200 / 3, "C08": 100 / 3, "C12": 50}
        )


async def test_environment_and_community_count_cases_of_their_categories(tmp_path: Path) -> None:
    async with a_house(
        tmp_path, packs=packs_with("SafetyCallsObserved", "AirQualityObserved")
    ) as house:
        for indicator, pack in (("L06", "environment"), ("Q02", "community")):
            category = category_of(house, pack)
            cases = [await reported(house, CITIZEN, category) for _ in range(2)]
            for case in cases:
                await step(house, case, Step.OPEN, Step.DISPATCH)
            await step(house, cases[0], Step.HANDLE, Step.VERIFY_PASS)
            before = {"L06": 50, "Q02": 100}[indicator]
            assert await value(house, indicator) == before
            if indicator == "L06":
                await step(house, cases[1], Step.HANDLE, Step.VERIFY_PASS)
                assert await value(house, indicator) == 100
            else:
                house.clock.advance(timedelta(days=40))
                assert await value(house, indicator) is None
                late = await reported(house, CITIZEN, category)
                await step(house, late, Step.OPEN)
                house.clock.advance(timedelta(minutes=20))
                assert await value(house, indicator) == 0


async def test_participation_counts_people_once(tmp_path: Path) -> None:
    async with a_house(
        tmp_path, packs=packs_with("SafetyCallsObserved", "AirQualityObserved")
    ) as house:
        await tell(house, told("SafetyCallsObserved", policeCalls=1, residents=50_000))
        assert await value(house, "Q04") == 0
        category = category_of(house, "community")
        for by in (CITIZEN, CITIZEN, NEIGHBOUR):
            await reported(house, by, category)
        assert await value(house, "Q04") == pytest.approx(4)
        await tell(house, told("SafetyCallsObserved", policeCalls=1, residents=100_000))
        assert await value(house, "Q04") == pytest.approx(2)
