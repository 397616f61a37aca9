"""What the platform tells of itself, and the signs over it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chengmai.app import City
from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import FixedClock
from chengmai.ngsild.entity import name_iri, value_of
from chengmai.packs import shipped_packs
from chengmai.settings import Settings
from chengmai.trust.problems import SignInFailed

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PACKS = tuple(shipped_packs() / name for name in ("cityscape", "government", "sensing"))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def city(tmp_path: Path, clock: FixedClock) -> City:
    return City(Settings(data=tmp_path, packs=PACKS, feeds=False), real_clock=clock)


async def told(city: City, name: str) -> dict[str, Any]:
    [found] = await city.store.work.read(lambda tx: city.model.find(tx, "city", name))
    return {term: value_of(found, term) for term in ("openCases", "failedAttempts", "feeds")}


async def test_the_loads_are_told_once_in_five_minutes(city: City, clock: FixedClock) -> None:
    try:
        said = [await city.loads.publish()]
        clock.at = NOON + 4 * MINUTE
        said.append(await city.loads.publish())
        clock.at = NOON + 5 * MINUTE
        said.append(await city.loads.publish())
        assert said == [True, False, True]
        assert (await told(city, "CaseLoad"))["openCases"] == 0
        assert (await told(city, "FeedLoad"))["feeds"] == 0
        assert (await told(city, "AccessLoad"))["failedAttempts"] == 0
    finally:
        await city.stop()


async def test_guesses_at_passwords_show_in_the_sign(city: City, clock: FixedClock) -> None:
    try:
        await city.loads.publish()
        await city.evaluate()
        clock.at = NOON + 5 * MINUTE
        for number in range(3):
            with pytest.raises(SignInFailed):
                await city.trust.sessions.sign_in(f"nobody-{number}", "wrong", f"192.0.2.{number}")
        await city.loads.publish()
        await city.evaluate()
        signs = {(view.sign, view.area): view for view in await city.board.board("city")}
        assert signs["failed_sign_ins", "全市 City"].value == 3
        assert signs["locked_accounts", "全市 City"].level == "normal"
        assert signs["overdue_cases", "全市 City"].value == 0
    finally:
        await city.stop()


async def test_a_city_without_feeds_holds_nothing_but_what_clients_put_there(city: City) -> None:
    try:
        await city.evaluate()
        assert await city.broker.types(Actor("someone", tenant="city")) == []
    finally:
        await city.stop()


async def test_a_sign_is_made_of_the_entity_types_that_its_query_reads(city: City) -> None:
    try:
        made_of = city.board.entity_types("cityscape", "tap_chlorine")
        assert made_of == {name_iri("WaterSupplyObserved")}
        assert city.board.entity_types("cityscape", "no_such_sign") == frozenset()
    finally:
        await city.stop()
