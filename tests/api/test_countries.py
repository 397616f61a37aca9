"""A second country in a real city: taken in by page and by API, seen on every page in its own words."""

from __future__ import annotations

import json
from pathlib import Path

from tests.api.house import House, a_house
from tests.api.test_assess import take
from tests.api.test_review_pages import Person, signed_in
from tests.unit.assess import estonia

DAYS = "on=2018-12-31&before=2017-12-31"
VALUES = "id,place,indicator,on,value,evidence,source,source_date\n" + "".join(
    f"v{n},{estonia.city(name)},E01,2018-12-31,{value},made up,made up,2019-01-01\n"
    for n, (name, value) in enumerate((("Tallinn", 80), ("Tartu", 70), ("Narva", 40)))
)


async def take_in(house: House, person: Person) -> None:
    await take(house, "places", estonia.places())
    await take(house, "programmes", estonia.programmes())
    at = "/assessment/places?country=EE"
    page = await person.post(at, "/assessment/places/country", 200, package=estonia.package())
    assert "爱沙尼亚" in page.text or "Estonia" in page.text


async def test_a_second_country_has_its_own_overview_ranking_and_drill_down(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        await take_in(house, person)
        page = (await person.get(f"/assessment?{DAYS}")).text
        for said in (
            "Cities: fewer than half build, 6 of 15 (all cities of the day), 40%.",
            "of 79 (municipalities after the reform of 2017)",
            "Sum of the groups above",
            "coastal cities",
            "Counties with most places of this tier (cities): Harju county",
            "country=EE",
        ):
            assert said in page, said
        assert "Zhejiang" not in page
        found = (await person.get(f"/assessment.json?{DAYS}")).json()
        told = {one["id"]: one["value"] for one in found["computed"]}
        assert told["count.all.all"] == 7
        assert told["coverage.linn.15"] == 40
        assert told["growth.north.linn"] == 100
        ranks = (await person.get(f"/assessment/ranking.json?tier=linn&{DAYS}")).json()["rows"]
        assert (ranks[0]["code"], ranks[0]["value"]) == ("EE-37", 2)
        assert len(ranks) == 15
        places = (await person.get(f"/assessment/places?{DAYS}")).text
        assert "county (maakond)" in places
        assert "Estonia" in places
        below = (await person.get(f"/assessment/places.json?code=EE-37&{DAYS}")).json()
        assert below["place"]["total"] == sum(one["total"] for one in below["below"]) == 3


async def test_china_stays_beside_the_other_country(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager", lang="zh") as person:
        await take_in(house, person)
        china = (await person.get(f"/assessment/places.json?country=CN&{DAYS}")).json()
        assert len(china["below"]) == 34
        assert sum(one["total"] for one in china["below"]) == 0
        page = (await person.get(f"/assessment?country=CN&{DAYS}")).text
        assert "Harju" not in page
        example = (await person.get("/assessment.json?data=example")).json()
        told = {one["id"]: one["value"] for one in example["computed"]}
        assert told["count.all.all"] == 386
        answer = await person.get("/assessment?country=FI", 400)
        assert "没有国家“FI”的地方；可用：CN, EE" in answer.text


async def test_values_and_outlook_of_a_place_are_looked_at_in_its_country(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        await take_in(house, person)
        await take(house, "values", VALUES)
        page = (await person.get("/assessment/values?indicator=E01&country=EE")).text
        for said in ("Tallinn", "South", "municipality"):
            assert said in page, said
        tallinn = estonia.city("Tallinn")
        report = (await person.get(f"/assessment/outlook?place={tallinn}")).text
        assert "Tallinn" in report
        group = (await person.get("/assessment/outlook?group=coast")).text
        assert "coastal cities" in group


async def test_a_package_is_an_entity_with_its_past_and_comes_out_as_it_went_in(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        await take_in(house, person)
        out = (await person.get("/assessment/places/country.json?country=EE")).json()
        given = json.loads(estonia.package())
        assert out["tiers"][0]["ranks"] == given["tiers"][0]["ranks"]
        assert [one["id"] for one in out["groups"]] == [one["id"] for one in given["groups"]]
        entity = await house.get("/entities/urn:ngsi-ld:CountryFrame:EE?options=keyValues")
        assert entity["country"] == "EE"
        again = await person.post(
            "/assessment/places", "/assessment/places/country", 200, package=json.dumps(out)
        )
        assert "Estonia" in again.text
        lines = [one for one in await house.audit() if one.object.endswith("CountryFrame:EE")]
        assert lines != []


async def test_a_wrong_package_or_topmost_place_is_refused_in_both_languages(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager", lang="zh") as person:
        at, to = "/assessment/places", "/assessment/places/country"
        nowhere = await person.post(at, to, 400, package=estonia.package())
        assert "成员 EE-37 不是该国的地方" in nowhere.text
        tiers = [{"id": "a", "zh": "a", "en": "a", "ranks": ["village/x"]}]
        wrong = await person.post(at, to, 400, package=estonia.package(tiers=tiers))
        assert "tiers.0.ranks.0" in wrong.text
        assert "写作“层级/类别”" in wrong.text
        table = estonia.places().replace(",,EE", ",,Estonia")
        lost = await person.post(
            "/assessment/registry", "/assessment/import", 400, kind="places", table=table
        )
        assert "国家写两个大写字母" in lost.text
        async with signed_in(house, "duty_officer") as officer:
            await officer.post(at, to, 403, package=estonia.package())
