"""Pools in a real city: looked at, suggested, decided by people, carried out as cases, measured afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chengmai.app.obeying import PoolOrders
from chengmai.cases.model import Step
from chengmai.kernel.actors import Actor, system
from chengmai.kernel.clock import FixedClock
from chengmai.ngsild.entity import entity, geo, prop, words
from chengmai.packs.reader import shipped_packs
from chengmai.pools.model import State, Suggestion
from chengmai.pools.problems import SuggestionDecided, SuggestionNotFound
from chengmai.trust.problems import ActionNotAllowed
from tests.api.house import NOON, House, a_house

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
BEGIN = NOON - timedelta(weeks=5)
MANAGER = Actor("usr_li", "city", frozenset({"manager"}), "Li")
FULL, EMPTY = "urn:ngsi-ld:ParkingObserved:full", "urn:ngsi-ld:ParkingObserved:empty"
POOL = "urn:ngsi-ld:ResourcePool:transport:parking"


@dataclass
class Town:
    """A city with two car parks of 1,000 spaces, seen for five weeks around the hours that matter."""

    house: House

    async def read(self, at: datetime, taken: Mapping[str, float]) -> None:
        """Let each car park tell at `at` how many spaces are taken."""
        self.house.clock.at = at
        made = [
            entity(
                name,
                "ParkingObserved",
                name=words({"zh": f"{name[-5:]}停车场", "en": f"{name[-5:]} car park"}),
                areaServed=prop(name.rpartition(":")[2]),
                occupiedSpaces=prop(count, unit="C62", at=at),
                spaces=prop(1000, unit="C62", at=at),
                location=geo({"type": "Point", "coordinates": [116.4, 39.9]}),
            )
            for name, count in taken.items()
        ]
        model, by = self.house.city.model, system("test")

        def put(tx: Any) -> None:
            for one in made:
                model.put(tx, one, by=by)

        await self.house.city.store.work.write(put)

    async def hours(self, first: datetime, count: int, full: float, empty: float = 300) -> None:
        for number in range(count):
            await self.read(first + number * HOUR, {FULL: full, EMPTY: empty})

    async def round(self, at: datetime) -> None:
        self.house.clock.at = at
        assert await self.house.city.pools.round("city") == []

    async def suggestions(self) -> list[Suggestion]:
        return await self.house.city.pools.suggestions(MANAGER, "transport", "parking")

    async def proposed(self) -> Suggestion:
        found = await self.suggestions()
        assert [one.state for one in found] == [State.PROPOSED]
        return found[0]


@asynccontextmanager
async def a_town(tmp_path: Path) -> AsyncIterator[Town]:
    packs = (shipped_packs() / "transport",)
    async with a_house(tmp_path, clock=FixedClock(BEGIN), packs=packs) as house:
        made = Town(house)
        for back in range(5, 0, -1):
            await made.hours(NOON - back * WEEK, 9, 950 + back)
        await made.read(NOON - HOUR, {FULL: 950, EMPTY: 300})
        await made.round(NOON)
        yield made


async def test_a_pool_is_an_entity_that_anybody_who_may_can_read(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        found = await town.house.get(f"/entities/{POOL}?options=keyValues")

        assert (found["inUse"], found["capacity"], found["utilisation"]) == (1250, 2000, 62.5)
        assert found["shortageUnitHours24h"] == 100
        assert found["outlook"]["json"]["why"] == "moves"
        assert found["forecast"]["json"][FULL]["basis"] == "baseline"
        assert len(found["forecast"]["json"][FULL]["points"]) >= 6


async def test_a_suggestion_is_an_entity_with_its_reasons(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()

        found = await town.house.get(f"/entities/{made.id}?options=keyValues")

        assert found["suggestionState"] == "proposed"
        assert found["refPool"] == POOL
        move = found["moves"]["json"][0]
        assert (move["source"], move["target"], move["units"]) == (FULL, EMPTY, 110)
        assert "Bound by" in move["binds"]["en"]
        assert found["expectedShortageAfter"] < found["expectedShortage"]


async def test_accepting_opens_a_case_a_move_and_leaves_an_audit_line(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()

        after = await town.house.city.pools.decide(MANAGER, made.id, "accept")

        case = await town.house.city.cases.get("city", str(after.moves[0].case))
        assert (case.case.category, case.case.state.value) == ("parking_guidance", "opened")
        assert "110" in case.case.title.en
        assert case.case.reason is not None
        assert "Li accepted" in case.case.reason.en
        found = await town.house.get(f"/entities/{made.id}?options=keyValues")
        assert (found["suggestionState"], found["decidedBy"]) == ("accepted", "usr_li")
        assert found["refCase"] == after.moves[0].case
        lines = [line for line in await town.house.audit() if line.action == "pools.accept"]
        assert [(line.actor, line.object) for line in lines] == [("usr_li", made.id)]
        assert await town.house.broken() == []


async def test_the_states_of_a_suggestion_are_in_its_past(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()
        town.house.clock.advance(timedelta(minutes=5))
        await town.house.city.pools.decide(MANAGER, made.id, "refuse", reason="a match is on")

        past = await town.house.get(
            f"/temporal/entities/{made.id}?attrs=suggestionState&timeproperty=modifiedAt"
            "&timerel=after&timeAt=2026-01-01T00:00:00Z"
        )

        values = past["suggestionState"]
        told = {one["value"] for one in (values if isinstance(values, list) else [values])}
        assert told == {"proposed", "refused"}


async def test_a_change_is_kept_beside_what_was_suggested(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()

        after = await town.house.city.pools.decide(
            MANAGER, made.id, "accept", amounts={1: 60}, reason="one entrance is closed"
        )

        assert (after.state, after.moves[0].units, after.moves[0].suggested) == ("changed", 60, 110)
        assert made.after < after.after < made.before


async def test_a_refusal_opens_nothing_and_the_next_hour_suggests_anew(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()
        await town.house.city.pools.decide(MANAGER, made.id, "refuse", reason="not today")

        await town.read(NOON, {FULL: 955, EMPTY: 300})
        await town.round(NOON + HOUR)

        assert (await town.house.city.cases.queue("city")).total == 0
        assert [one.state for one in await town.suggestions()] == ["proposed", "refused"]


async def test_a_suggestion_is_decided_once(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        made, pools = await town.proposed(), town.house.city.pools
        first = await pools.decide(MANAGER, made.id, "accept", key="k1")

        again = await pools.decide(MANAGER, made.id, "accept", key="k1")
        with pytest.raises(SuggestionDecided, match="accepted by Li"):
            await pools.decide(MANAGER, made.id, "refuse", reason="too late", key="k2")

        assert again == first
        assert (await town.house.city.cases.queue("city")).total == 1


@pytest.mark.parametrize("role", ["worker", "partner", "auditor", "admin", "citizen"])
async def test_only_officers_and_managers_decide(tmp_path: Path, role: str) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()
        by = Actor("usr_x", "city", frozenset({role}))

        with pytest.raises(ActionNotAllowed):
            await town.house.city.pools.decide(by, made.id, "accept")

        assert (await town.proposed()).id == made.id


async def test_another_tenant_neither_sees_nor_decides(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()
        other = Actor("usr_x", "elsewhere", frozenset({"manager"}))

        with pytest.raises(SuggestionNotFound):
            await town.house.city.pools.decide(other, made.id, "accept")
        assert await town.house.city.pools.suggestions(other, "transport", "parking") == []


async def test_patching_the_entity_decides_nothing(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()
        patch = {"suggestionState": {"type": "Property", "value": "accepted"}}
        answer = await town.house.ask("PATCH", f"/entities/{made.id}/attrs", patch)
        assert answer.status_code == 403

        assert (await town.proposed()).state is State.PROPOSED
        assert (await town.house.city.cases.queue("city")).total == 0


async def test_what_nobody_decides_lapses(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()

        await town.hours(NOON, 3, 955)
        await town.round(made.decide_by)

        states = {one.id: one.state for one in await town.suggestions()}
        assert states[made.id] == "lapsed"
        with pytest.raises(SuggestionDecided, match="lapsed"):
            await town.house.city.pools.decide(MANAGER, made.id, "accept")


async def carry_out(town: Town, made: Suggestion) -> None:
    cases = town.house.city.cases
    for move in made.moves:
        await cases.take_step(str(move.case), Step.DISPATCH, MANAGER)
        await cases.take_step(str(move.case), Step.HANDLE, MANAGER, note="signs changed")


async def test_what_was_carried_out_is_measured_against_what_was_to_be_expected(
    tmp_path: Path,
) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()
        town.house.clock.advance(timedelta(minutes=5))
        after = await town.house.city.pools.decide(MANAGER, made.id, "accept")
        await carry_out(town, after)

        await town.hours(NOON, 8, 840, 410)
        await town.round(made.end + HOUR)

        done = next(one for one in await town.suggestions() if one.id == made.id)
        assert done.effect is not None
        assert (done.effect.verdict, done.effect.actual, done.effect.carried_out) == ("less", 0, 1)
        assert done.effect.against[0].way == "same_hours"
        # 953 on the mean of five weeks, 850 usable, six hours.
        assert done.effect.saved == pytest.approx(6 * 103, abs=0.01)
        found = await town.house.get(f"/entities/{made.id}?options=keyValues")
        assert found["effectVerdict"] == "less"
        assert "618 less" in found["effect"]["json"]["sentence"]["en"]


async def test_a_move_is_an_order_to_the_simulated_city_while_its_case_stands_as_handled(
    tmp_path: Path,
) -> None:
    async with a_town(tmp_path) as town:
        made, city = await town.proposed(), town.house.city
        orders = PoolOrders(city.pools, "city")
        after = await city.pools.decide(MANAGER, made.id, "accept")
        accepted = await orders("ParkingObserved", NOON)
        town.house.clock.advance(timedelta(minutes=10))
        await carry_out(town, after)
        handled = await orders("ParkingObserved", NOON)
        await city.cases.take_step(
            str(after.moves[0].case), Step.VERIFY_FAIL, MANAGER, note="the signs are covered"
        )

        assert (accepted, await orders("ParkingObserved", NOON)) == ([], [])
        (order,) = handled
        assert timedelta(minutes=10) <= order.start - NOON < timedelta(minutes=11)
        assert (order.source, order.target, order.units) == (FULL, EMPTY, 110)
        assert order.end == made.end


async def test_what_was_not_carried_out_is_said_to_have_no_effect(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()
        await town.house.city.pools.decide(MANAGER, made.id, "accept")

        await town.hours(NOON, 8, 955)
        await town.round(made.end + HOUR)

        done = next(one for one in await town.suggestions() if one.id == made.id)
        assert done.effect is not None
        assert done.effect.verdict == "not_carried_out"


async def test_while_an_accepted_one_runs_there_is_no_other(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        made = await town.proposed()
        await town.house.city.pools.decide(MANAGER, made.id, "accept")

        await town.read(NOON, {FULL: 955, EMPTY: 300})
        await town.round(NOON + HOUR)

        assert [one.id for one in await town.suggestions()] == [made.id]


async def test_a_change_of_readings_changes_the_pool(tmp_path: Path) -> None:
    async with a_town(tmp_path) as town:
        await town.read(NOON, {FULL: 500, EMPTY: 100})
        await town.round(NOON + HOUR)

        found = await town.house.get(f"/entities/{POOL}?options=keyValues")
        assert (found["inUse"], found["utilisation"]) == (600, 30)


async def test_a_pool_without_readings_says_that_it_knows_nothing(tmp_path: Path) -> None:
    packs = (shipped_packs() / "transport",)
    async with a_house(tmp_path, packs=packs) as house:
        assert await house.city.pools.round("city") == []
        found = await house.get(f"/entities/{POOL}?options=keyValues")
        assert found["outlook"]["json"]["why"] == "unknown"
        assert "inUse" not in found
