"""A city changes a threshold: past levels stay, future levels change; two people and a trial stand between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from chengmai.kernel.actors import Actor
from chengmai.kernel.clock import FixedClock
from chengmai.trust.problems import ActionNotAllowed
from chengmai.vitals.thresholds.model import ChangeState
from chengmai.vitals.thresholds.problems import (
    ChangeDecided,
    ChangeNotFound,
    OwnChange,
    ThresholdFixed,
    ThresholdInvalid,
)
from chengmai.vitals.thresholds.service import Order
from chengmai.vitals.thresholds.trying import Trial
from tests.api.house import NOON, House, a_house, a_station, created, number

LI = Actor("usr_li", "city", frozenset({"manager"}), "Li Wei")
WANG = Actor("usr_wang", "city", frozenset({"manager"}), "Wang Fang")
OFFICER = Actor("usr_zhao", "city", frozenset({"duty_officer"}), "Zhao")
WORKER = Actor("usr_qian", "city", frozenset({"worker"}), "Qian")
TODAY = date(2026, 11, 22)
HOUR = timedelta(hours=1)


def an_order(value: float | None = 120.0, *, days: int = 1, **more: Any) -> Order:
    known: dict[str, Any] = {
        "sign": "air/pm25",
        "threshold": "watch-above",
        "value": value,
        "clear": None,
        "from_on": TODAY + timedelta(days=days),
        "reason": "a basin between hills",
    }
    return Order(**(known | more))


@asynccontextmanager
async def watched(tmp_path: Path) -> AsyncIterator[House]:
    async with a_house(tmp_path / "data", clock=FixedClock(NOON), instances_per_page=1000) as made:
        await created(made, a_station(pm25=number(100.0, "2026-11-22T08:00:00Z")))
        await made.city.evaluate()
        yield made


async def go_on(house: House, hours: int, value: float) -> None:
    """Let hours pass, each with a reading."""
    for _ in range(hours):
        house.clock.advance(HOUR)
        at = house.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        answer = await house.ask(
            "PATCH",
            "/entities/urn:ngsi-ld:AirQualityObserved:dongsi/attrs",
            {"pm25": number(value, at)},
        )
        assert answer.status_code == 204, answer.text
        await house.city.evaluate()


async def levels(house: House) -> dict[str, str]:
    """Return the level found at each hour."""
    (vital,) = await house.get("/entities?type=VitalSign")
    document = await house.get(
        f"/temporal/entities/{vital['id']}?attrs=level&options=temporalValues&lastN=100"
    )
    return {at[:13]: level for level, at in document["level"]["values"]}


async def test_past_levels_stay_and_future_levels_change_with_the_effective_date(
    tmp_path: Path,
) -> None:
    async with watched(tmp_path) as house:
        thresholds = house.city.thresholds
        proposed = await thresholds.propose(LI, an_order(120.0, days=1))
        assert proposed.state is ChangeState.PROPOSED
        await go_on(house, 2, 100.0)
        assert set((await levels(house)).values()) == {"watch"}

        await thresholds.approve(WANG, proposed.id)
        await go_on(house, 10, 100.0)
        found = await levels(house)
        # The day of the city begins at 16:00 in UTC.
        assert {level for at, level in found.items() if at < "2026-11-22T16"} == {"watch"}
        assert {level for at, level in found.items() if at >= "2026-11-22T16"} == {"normal"}

        back = await thresholds.propose(WANG, an_order(None, days=2))
        await thresholds.approve(LI, back.id)
        await go_on(house, 20, 100.0)
        later = await levels(house)
        assert {level for at, level in later.items() if at < "2026-11-22T16"} == {"watch"}
        assert {later[at] for at in found} == set(found.values())
        assert {
            level for at, level in later.items() if "2026-11-22T16" <= at < "2026-11-23T16"
        } == {"normal"}
        assert {level for at, level in later.items() if at >= "2026-11-23T16"} == {"watch"}


@pytest.mark.parametrize(("days", "tomorrow"), [(1, "normal"), (2, "watch")])
async def test_the_effective_date_alone_decides_when_the_level_changes(
    tmp_path: Path, days: int, tomorrow: str
) -> None:
    async with watched(tmp_path) as house:
        made = await house.city.thresholds.propose(LI, an_order(days=days))
        await house.city.thresholds.approve(WANG, made.id)
        await go_on(house, 12, 100.0)
        found = await levels(house)
        assert found["2026-11-22T15"] == "watch"
        assert found["2026-11-22T20"] == tomorrow


async def test_changes_survive_a_restart(tmp_path: Path) -> None:
    clock = FixedClock(NOON)
    async with a_house(tmp_path / "data", clock=clock) as house:
        await created(house, a_station(pm25=number(100.0, "2026-11-22T08:00:00Z")))
        await house.city.evaluate()
        made = await house.city.thresholds.propose(LI, an_order())
        await house.city.thresholds.approve(WANG, made.id)
    async with a_house(tmp_path / "data", clock=clock) as house:
        await go_on(house, 9, 100.0)
        assert (await levels(house))["2026-11-22T17"] == "normal"


async def test_a_proposal_is_tried_on_the_recorded_past(tmp_path: Path) -> None:
    async with watched(tmp_path) as house:
        await go_on(house, 5, 100.0)
        made = await house.city.thresholds.propose(LI, an_order(120.0))
        trial = Trial.from_json(made.trial or {})
        assert (trial.now.watch, trial.then.watch) == (6, 0)
        assert (trial.now.normal, trial.then.normal) == (0, 6)
        again = await house.city.thresholds.propose(LI, an_order(120.0))
        assert again.id == made.id


async def test_who_proposed_may_not_approve_and_others_may_not_at_all(tmp_path: Path) -> None:
    async with watched(tmp_path) as house:
        thresholds = house.city.thresholds
        made = await thresholds.propose(LI, an_order())
        with pytest.raises(OwnChange):
            await thresholds.approve(LI, made.id)
        for actor in (OFFICER, WORKER):
            with pytest.raises(ActionNotAllowed):
                await thresholds.approve(actor, made.id)
        with pytest.raises(ActionNotAllowed):
            await thresholds.propose(WORKER, an_order())
        with pytest.raises(ChangeNotFound):
            await thresholds.withdraw(WANG, made.id)
        elsewhere = Actor("usr_sun", "other", frozenset({"manager"}), "Sun")
        with pytest.raises(ChangeNotFound):
            await thresholds.approve(elsewhere, made.id)
        assert (await thresholds.change(LI, made.id)).state is ChangeState.PROPOSED


async def test_a_decision_is_final(tmp_path: Path) -> None:
    async with watched(tmp_path) as house:
        thresholds = house.city.thresholds
        made = await thresholds.propose(LI, an_order())
        with pytest.raises(ThresholdInvalid, match="reason"):
            await thresholds.refuse(WANG, made.id, " ")
        await thresholds.refuse(WANG, made.id, "not in winter")
        with pytest.raises(ChangeDecided):
            await thresholds.approve(WANG, made.id)
        with pytest.raises(ChangeDecided):
            await thresholds.withdraw(LI, made.id)


async def test_a_proposal_whose_day_has_come_cannot_be_approved(tmp_path: Path) -> None:
    async with watched(tmp_path) as house:
        made = await house.city.thresholds.propose(LI, an_order(days=1))
        house.clock.advance(timedelta(days=1))
        with pytest.raises(ThresholdInvalid, match="levels of the past stay"):
            await house.city.thresholds.approve(WANG, made.id)


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"value": float("nan")}, ThresholdInvalid),
        ({"value": 500.0}, ThresholdInvalid),
        ({"reason": ""}, ThresholdInvalid),
        ({"reason": "x" * 501}, ThresholdInvalid),
        ({"threshold": "watch-below"}, ThresholdInvalid),
        ({"days": 0}, ThresholdInvalid),
    ],
)
async def test_a_wrong_proposal_leaves_nothing_behind(
    tmp_path: Path, more: dict[str, Any], kind: type[Exception]
) -> None:
    async with watched(tmp_path) as house:
        before = await house.audit()
        with pytest.raises(kind):
            await house.city.thresholds.propose(LI, an_order(**more))
        assert await house.city.thresholds.changes(LI) == []
        assert await house.audit() == before


async def test_every_step_is_an_audit_line_and_an_entity(tmp_path: Path) -> None:
    async with watched(tmp_path) as house:
        made = await house.city.thresholds.propose(LI, an_order())
        await house.city.thresholds.approve(WANG, made.id, "agreed")
        lines = [line for line in await house.audit() if "ThresholdChange" in line.object]
        assert [line.actor for line in lines] == ["usr_li", "usr_wang"]
        assert await house.broken() == []
        (seen,) = await house.get("/entities?type=ThresholdChange&options=keyValues")
        assert (seen["changeState"], seen["thresholdValue"]) == ("approved", 120.0)


async def test_the_entity_cannot_be_patched_over_the_api(tmp_path: Path) -> None:
    async with watched(tmp_path) as house:
        made = await house.city.thresholds.propose(LI, an_order(days=1))
        answer = await house.ask(
            "PATCH",
            f"/entities/urn:ngsi-ld:ThresholdChange:{made.id}/attrs",
            {"changeState": {"type": "Property", "value": "approved"}},
        )
        assert answer.status_code == 403
        await go_on(house, 9, 100.0)
        assert (await levels(house))["2026-11-22T17"] == "watch"


async def test_a_threshold_of_a_standard_cannot_be_proposed(tmp_path: Path) -> None:
    async with a_house(tmp_path / "shipped", packs=()) as house:
        order = an_order(sign="environment/pm25_24h", threshold="act-above", value=200.0)
        bands = (await house.city.thresholds.signs("city"))["environment/pm25_24h"].spec.bands
        assert any(band.level == "act" and band.trust == "S" for band in bands)
        with pytest.raises(ThresholdFixed):
            await house.city.thresholds.propose(LI, order)


async def test_the_citys_file_of_thresholds_is_read_at_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "thresholds.toml").write_text(
        '[[change]]\nsign = "air/pm25"\nthreshold = "watch-above"\nvalue = 120\n'
        'from = 2026-01-01\nreason = "decided before"\n'
    )
    async with a_house(folder) as house:
        await created(house, a_station(pm25=number(100.0, "2026-11-22T08:00:00Z")))
        await house.city.evaluate()
        assert set((await levels(house)).values()) == {"normal"}
