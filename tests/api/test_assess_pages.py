"""The pages of the registry in a real city: moves, money of two sources, wrong requests in both languages."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

from chengmai.app import City
from tests.api.house import House, a_house
from tests.api.test_assess import MANAGER, PROGRAMMES, take
from tests.api.test_review_pages import signed_in

PLANS = """id,programme,title,document,adopted_on,source,source_date
n,hz,规划,https://example.org/plan.pdf,2020-04-01,市政府,2024-01-01
"""
INVESTMENTS = """id,programme,kind,amount,unit,finance,on,source,source_date
a,hz,planned,3,100m_yuan,public,2020-06-01,市财政局,2024-01-01
b,hz,arrived,12000,10k_yuan,public,2021-06-01,市财政局,2024-01-01
c,yw,planned,5000,10k_yuan,public,2024-03-01,市政府,2024-04-01
d,yw,planned,6500,10k_yuan,public,2024-03-01,某报,2024-04-02
"""
RESULTS = """\
id,programme,title,domain,unit,better,baseline,baseline_on,value,value_on,evidence,source,source_date
r,hz,高峰车速,transport,km/h,up,21.5,2020-06-30,24,2023-12-31,交通年报表3,市交通局,2024-01-01
"""


async def filled(house: House) -> None:
    tables = {
        "programmes": PROGRAMMES,
        "plans": PLANS,
        "investments": INVESTMENTS,
        "results": RESULTS,
    }
    for kind, table in tables.items():
        await take(house, kind, table)


async def test_the_registry_shows_document_evidence_and_money_that_sources_agree_on(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        await filled(house)
        page = (await person.get("/assessment/registry")).text
        for said in (
            'href="https://example.org/plan.pdf"',
            "21.50 km/h (30 Jun 2020) → 24 km/h (31 Dec 2023): ",
            "evidence: 交通年报表3",
            "市交通局 (1 Jan 2024)",
            "40.0%",
            "5,000.00",
            "6,500.00",
        ):
            assert said in page, said
        assert "11,500.00" not in page
        assert "35,000.00" not in page
        found = (await person.get("/assessment/registry?state=operating")).text
        assert "0 programmes of 2" in found
        assert "1 programmes of 2" in (await person.get("/assessment/registry?code=330700")).text


async def test_exports_of_records_come_in_again_as_they_went_out(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        await filled(house)
        await house.city.assess.move(MANAGER, "330782", "330100", date(2025, 1, 1))
        for kind in ("programmes", "plans", "investments", "results", "places"):
            table = (await person.get(f"/assessment/registry.csv?kind={kind}")).text
            taken = await take(house, kind, table)
            assert (taken.new, taken.changed) == (0, 0), kind
            assert taken.same > 0
        money = list(csv.reader(io.StringIO((await person.get("/assessment/money.csv")).text)))
        assert ["yw", "planned", "public"] in [row[:3] for row in money]
        assert any(row[0] == "[1]" for row in money)


async def test_a_county_is_moved_on_its_page_and_the_past_stays(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        await take(house, "programmes", PROGRAMMES)
        at = "/assessment/places?code=330782"
        page = (
            await person.post(
                at,
                "/assessment/places/move",
                200,
                code="330782",
                to="330100",
                **{"from": "2025-01-01"},
            )
        ).text
        assert "330782 belongs to 330100 from 1 Jan 2025 on." in page
        assert "(330700) · the beginning – 1 Jan 2025" in page
        assert "Hangzhou (330100) · 1 Jan 2025 – now" in page
        for day, jinhua, hangzhou in (("2024-12-31", 1, 1), ("2025-01-01", 0, 2)):
            found = (await person.get(f"/assessment/places.json?code=330000&on={day}")).json()
            totals = {one["code"]: one["total"] for one in found["below"]}
            assert (totals["330700"], totals["330100"]) == (jinhua, hangzhou), day
        lines = [one for one in await house.audit() if one.object.endswith(":330782")]
        assert [one.actor for one in lines] != []


async def test_a_place_that_cannot_move_is_told_why_and_stays(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager", lang="zh") as person:
        answer = await person.post(
            "/assessment/places?code=330782",
            "/assessment/places/move",
            400,
            code="330100",
            to="330106",
            **{"from": "2025-01-01"},
        )
        assert "330100 会成为自己的下级" in answer.text
        found = await house.city.assess.registry(MANAGER)
        assert found.gazetteer.on(date(2025, 1, 1)).spot("330100").parent == "330000"


async def test_who_may_not_manage_moves_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        async with signed_in(house, "duty_officer") as officer:
            assert (
                "/assessment/places/move"
                not in (await officer.get("/assessment/places?code=330782")).text
            )
        assert (
            "/assessment/places/move" in (await person.get("/assessment/places?code=330782")).text
        )


WRONG = (
    ("/assessment?on=2014-99-01", "2014-99-01", "“2014-99-01”不是日期"),
    ("/assessment?on=2014-01-01&before=2015-01-01", "2015-01-01", "对比日 2015-01-01 不早于"),
    ("/assessment?data=other", "use one of: own, example", "没有“other”这一项"),
    ("/assessment/places?code=999", "with the code", "没有代码为“999”的地方"),
    ("/assessment/ranking.csv?tier=no", "county_city", "没有层级“no”"),
    ("/assessment/values?indicator=E01&level=no", "provincial", "没有“no”这一项"),
    ("/assessment/values?indicator=E01&group=no", "north_west", "没有分组“no”"),
    ("/assessment/values?indicator=Z9", "Z9", "指标目录中没有“Z9”"),
    ("/assessment/frameworks?framework=no", "nsc-2018", "没有评价体系“no”"),
    ("/assessment/registry.csv?kind=no", "programmes", "没有“no”这种记录"),
    ("/assessment/registry?state=no", "operating", "没有“no”这一项"),
    ("/assessment/indicators/Z9", "Z9", "指标目录中没有“Z9”"),
)


async def test_what_is_asked_wrongly_is_named_with_what_there_is_in_both_languages(
    tmp_path: Path,
) -> None:
    async with (
        a_house(tmp_path) as house,
        signed_in(house, "manager") as reader,
        signed_in(house, "manager", lang="zh") as leser,
    ):
        for path, en, zh in WRONG:
            assert en in (await reader.get(path, 400)).text, path
            assert zh in (await leser.get(path, 400)).text, path


async def test_an_indicator_without_a_value_is_shown_as_such_and_not_another(
    tmp_path: Path,
) -> None:
    values = "id,place,indicator,on,value,evidence,source,source_date\n"
    values += "v,330100,T01,2024-01-01,5,e,s,2024-01-01\n"
    async with a_house(tmp_path) as house, signed_in(house, "manager") as person:
        await take(house, "values", values)
        page = (await person.get("/assessment/values?indicator=E01")).text
        assert '<option value="E01" selected>' in page
        rows = (await person.get("/assessment/values.json?indicator=E01")).json()["rows"]
        assert rows == []


async def test_what_another_process_imports_is_there_without_a_restart(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        city = house.city
        await city._warm()
        assert (await city.assess.registry(MANAGER)).programmes == []
        other = City(city.settings, real_clock=house.clock)
        try:
            await other.assess.import_table(MANAGER, "programmes", PROGRAMMES)
        finally:
            await other.stop()
        await city._look_elsewhere()
        assert len((await city.assess.registry(MANAGER)).programmes) == 2


async def test_what_was_read_is_kept_while_nobody_else_writes(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await take(house, "programmes", PROGRAMMES)
        await house.city._warm()
        before = await house.city.assess.registry(MANAGER)
        await house.city._look_elsewhere()
        assert await house.city.assess.registry(MANAGER) is before
