"""What the registry said on an earlier day: on pages, in exports, by the rooms that commands ask."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from chengmai.assess.service import AssessService
from chengmai.kernel.actors import Actor
from tests.api.house import House, a_house
from tests.api.test_assess import MANAGER, PROGRAMMES, take
from tests.api.test_review_pages import Person, signed_in
from tests.unit.assess import estonia

ON = date(2024, 12, 31)


async def changed_over_days(house: House) -> list[date]:
    """Return three days: at the end of the first two programmes, then a corrected one, then a third."""
    days = []
    for table in (
        PROGRAMMES,
        PROGRAMMES.replace("2020-05-01", "2024-05-01"),
        "id,place,title,started_on,source,source_date\nnb,330200,宁波,2021-01-01,市政府,2024-01-01\n",
    ):
        days.append(house.city.assess.today())
        await take(house, "programmes", table)
        house.clock.advance(timedelta(days=1))
    return days


async def counted(assess: AssessService, by: Actor, known: date | None) -> tuple[float, float]:
    found = (await assess.assessed(by, on=ON, known=known)).statistics
    return found.count().value or 0, found.then.count()


async def test_every_past_state_of_the_registry_can_be_asked_for(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        first = house.city.assess.today() - timedelta(days=1)
        days = await changed_over_days(house)
        assess = house.city.assess
        found = await assess.assessed(MANAGER, on=ON, known=first)
        assert found.is_empty
        assert found.known == first
        assert await counted(assess, MANAGER, days[0]) == (2, 1)
        assert await counted(assess, MANAGER, days[1]) == (2, 0)
        assert await counted(assess, MANAGER, days[2]) == (3, 1)
        assert await counted(assess, MANAGER, None) == (3, 1)
        await house.city.store.history.seal()
        await take(house, "programmes", PROGRAMMES)
        assert await counted(assess, MANAGER, days[1]) == (2, 0)
        assert await counted(assess, MANAGER, None) == (3, 2)


async def test_a_page_of_the_past_says_so_and_takes_nothing_in(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        days = await changed_over_days(house)
        # Who signed in on the first day would have to do so again by now.
        async with signed_in(house, "manager") as person:
            await looked_at(person, days[0])


async def looked_at(person: Person, day: date) -> None:
    asked = f"on={ON}&known={day}"
    page = (await person.get(f"/assessment/registry?{asked}")).text
    assert "This is what the registry said at the end of" in page
    assert "2 programmes of 2" in page
    assert "1 May 2020" in page
    assert 'action="/assessment/import"' not in page
    now = (await person.get("/assessment/registry")).text
    assert "3 programmes of 3" in now
    assert "1 May 2024" in now
    for path in ("/assessment", "/assessment/places"):
        shown = (await person.get(f"{path}?{asked}")).text
        assert "This is what the registry said at the end of" in shown
        assert f"known={day}" in shown
    found = (await person.get(f"/assessment.json?{asked}")).json()
    assert next(one["value"] for one in found["computed"] if one["id"] == "count.all.all") == 2
    table = (await person.get(f"/assessment/registry.csv?kind=programmes&{asked}")).text
    assert "2020-05-01" in table
    assert "2024-05-01" not in table


async def test_places_and_packages_are_as_they_were(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        before = house.city.assess.today()
        await take(house, "places", estonia.places())
        house.clock.advance(timedelta(days=1))
        await house.city.assess.take_in_country(MANAGER, estonia.package())
        house.clock.advance(timedelta(days=1))
        registry = await house.city.assess.registry(MANAGER, known=before)
        assert registry.countries()["EE"].en == "EE"
        assert [one.id for one in registry.frame("EE", ON).tiers] == ["provincial", "county"]
        now = await house.city.assess.registry(MANAGER)
        assert [one.id for one in now.frame("EE", ON).tiers] == ["linn", "omavalitsus"]
