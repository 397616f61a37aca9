"""What `chengmai demo` furnishes an empty city with: a registry to look at, and a survey that counts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from chengmai.assess.demo import PLACE, furnish, moved_on, years_since
from chengmai.kernel.actors import Actor
from tests.api.house import House, a_house
from tests.api.test_review_pages import signed_in

BY = Actor("usr_m", "city", frozenset({"manager"}), "Chen")


async def given(house: House) -> bool:
    return await furnish(house.city.assess, house.city.surveys, BY)


async def test_an_empty_registry_is_furnished_once_and_everything_says_that_it_is_made_up(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        assert await given(house)
        assert not await given(house)
        registry = await house.city.assess.registry(BY)
        kinds = ("programmes", "plans", "investments", "projects", "results", "checks")
        told = [one for kind in kinds for one in registry.records[kind]]
        assert len(told) > 60
        assert all("made" in getattr(one, "source", "") for one in told)
        assert registry.left_out == ()
        states = {one.state(date(2026, 7, 1)) for one in registry.programmes}
        assert states == {"planned", "building", "operating", "stopped"}
        assert {one.kind for one in registry.investments} == {"planned", "arrived", "spent"}
        finance = {one.finance for one in registry.investments}
        assert finance == {"public", "enterprise", "bank", "bond", "other"}
        verdicts = {one.verdict for one in registry.results}
        assert verdicts == {"better", "worse", "no_baseline"}

        page = (await person.get("/assessment/registry?on=2026-07-01")).text
        for said in (
            "脉政发〔2022〕12号（虚构 made up）",
            "Adaptive signals at 312 junctions",
            "22.40 km/h (30 Jun 2023) → 25.10 km/h (31 Mar 2026)",
            "another made-up source",
            "no baseline",
        ):
            assert said in page, said
        over = (await person.get("/assessment?on=2026-07-01&before=2025-07-01")).text
        assert "Example country (made up)" in over
        assert "Sum of the groups above" in over


async def test_the_survey_moves_the_experience_of_citizens_with_its_interval(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        await given(house)
        page = (await person.get("/assessment/surveys/experience")).text
        assert "Survey of citizens by telephone (made up)" in page
        on = date(2026, 7, 1)
        board = await house.city.frameworks.board(BY, "nsc-2018", on)
        experience = board.values[PLACE]["M1"]
        spread = board.spreads(PLACE)["M1"]
        assert spread[0] < experience.value < spread[1]
        scored = board.scores[PLACE]
        assert scored.low is not None
        assert scored.low < scored.total

        standing = await house.city.surveys.survey(BY, "experience")
        assert not standing.results[0].doubts
        assert standing.results[0].estimate is not None
        assert standing.results[0].estimate.n > 1000
        worse = standing.table.replace(",q1,yes,", ",q1,x,").replace(",q1,no,", ",q1,yes,")
        await house.city.surveys.import_counts(BY, "experience", worse.replace(",q1,x,", ",q1,no,"))
        after = await house.city.frameworks.board(BY, "nsc-2018", on)
        fallen = experience.value - after.values[PLACE]["M1"].value
        assert fallen > 20
        assert float(scored.total - after.scores[PLACE].total) > 0.39 * fallen


def test_invented_days_move_on_by_whole_years_and_never_into_the_future() -> None:
    assert [years_since(date(*day)) for day in ((2025, 1, 1), (2026, 6, 30), (2026, 11, 23))] == [
        0,
        0,
        0,
    ]
    assert [years_since(date(*day)) for day in ((2027, 6, 30), (2027, 7, 1), (2030, 1, 1))] == [
        0,
        1,
        3,
    ]
    assert moved_on("demo-a-2019,XA,2025-12-31,2026-03-01", 1) == (
        "demo-a-2019,XA,2026-12-31,2027-03-01"
    )
