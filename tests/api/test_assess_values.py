"""Values in a real city: wide tables taken in, columns that follow every writer, places of another country."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest

from chengmai.assess.panel.standings import below
from chengmai.assess.problems import RecordInvalid
from chengmai.kernel.actors import Actor
from chengmai.trust.problems import ActionNotAllowed
from tests.api.house import a_house

MANAGER = Actor("usr_m", "city", frozenset({"manager"}), "Chen")
DUTY = Actor("usr_d", "city", frozenset({"duty_officer"}), "Li")
ON = date(2024, 12, 31)
SHEETS = """id,place,on,evidence,source,source_date,E01,E02
hz23,330100,2023-12-31,bulletin,office,2024-02-01,60,70
hz24,330100,2024-12-31,bulletin,office,2025-02-01,64,71.5
nb24,330200,2024-12-31,bulletin,office,2025-02-01,80,
"""
HZ24 = "urn:ngsi-ld:IndicatorSheet:hz24"
HZ23 = "urn:ngsi-ld:IndicatorSheet:hz23"


async def test_a_wide_table_becomes_entities_with_history_and_audit_lines(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        taken = await house.city.assess.import_table(MANAGER, "sheets", SHEETS)
        assert (taken.new, taken.changed, taken.same) == (3, 0, 0)
        entity = await house.get(f"/entities/{HZ24}?options=keyValues")
        assert entity["indicatorValues"]["json"] == {"E01": 64.0, "E02": 71.5}
        assert [one.actor for one in await house.audit() if one.object == HZ24] == ["usr_m"]
        again = await house.city.assess.import_table(
            MANAGER, "sheets", SHEETS.replace("71.5", "72")
        )
        assert (again.new, again.changed, again.same) == (0, 1, 2)
        columns = await house.city.assess.columns(MANAGER)
        found = columns.at("330100", "E02", ON)
        assert found is not None
        assert (found.value, found.source, found.ref.entity_id) == (72, "office", HZ24)


async def test_columns_follow_what_a_client_writes_and_deletes(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await house.city.assess.import_table(MANAGER, "sheets", SHEETS)
        assert len(await house.city.assess.columns(MANAGER)) == 5
        attrs = {"indicatorValues": {"type": "JsonProperty", "json": {"E01": 65, "E09": 90}}}
        assert (await house.ask("PATCH", f"/entities/{HZ24}/attrs", attrs)).status_code == 204
        columns = await house.city.assess.columns(MANAGER)
        assert [columns.at("330100", one, ON).value for one in ("E01", "E09")] == [65, 90]  # type: ignore[union-attr]
        assert columns.at("330100", "E02", ON).value == 70  # type: ignore[union-attr]
        assert (await house.ask("DELETE", f"/entities/{HZ24}")).status_code == 204
        columns = await house.city.assess.columns(MANAGER)
        assert columns.at("330100", "E01", ON).value == 60  # type: ignore[union-attr]
        bad = {"indicatorValues": {"type": "JsonProperty", "json": {"E01": "much"}}}
        refused = await house.ask("PATCH", f"/entities/{HZ23}/attrs", bad)
        assert refused.status_code == 400
        assert refused.json()["code"] == "assess.record.refused"
        assert (await house.city.assess.columns(MANAGER)).at("330100", "E01", ON).value == 60  # type: ignore[union-attr]


async def test_a_wide_table_is_checked_whole_before_a_line_is_written(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        lines = "".join(f"n{n},330200,2024-12-31,e,s,2025-01-01,{n},\n" for n in range(300))
        for last in (
            "hz23,330200,2024-12-31,e,s,2025-01-01,1,\n",
            "q,999999,2024-12-31,e,s,2025-01-01,1,\n",
        ):
            with pytest.raises(RecordInvalid) as problem:
                await house.city.assess.import_table(MANAGER, "sheets", SHEETS + lines + last)
            assert problem.value.facts["line"] == 305
        assert len(await house.city.assess.columns(MANAGER)) == 0


async def test_who_may_not_manage_takes_in_no_values(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        with pytest.raises(ActionNotAllowed):
            await house.city.assess.import_sheets(DUTY, lambda: io.StringIO(SHEETS))


async def test_progress_is_told_while_a_long_table_is_taken_in(tmp_path: Path) -> None:
    told: list[int] = []
    rows = "".join(f"n{n},330200,2024-12-31,e,s,2025-01-01,{n},\n" for n in range(450))
    async with a_house(tmp_path) as house:
        await house.city.assess.import_sheets(
            MANAGER, lambda: io.StringIO(SHEETS + rows), told.append
        )
    assert told == [200, 400, 453]


async def test_kept_forecasts_are_filled_with_what_came_when_values_are_taken_in(
    tmp_path: Path,
) -> None:
    cities = ("330100", "330200", "210100", "210200", "220100")
    header = "id,place,on,evidence,source,source_date,E01\n"
    lines = {
        year: "".join(
            f"{city}-{year},{city},{year}-12-31,e,s,{year + 1}-02-01,{50 + n + 2 * (year - 2018)}\n"
            for n, city in enumerate(cities)
        )
        for year in range(2018, 2025)
    }
    async with a_house(tmp_path) as house:
        city = house.city
        past = header + "".join(lines[year] for year in range(2018, 2024))
        await city.assess.import_table(MANAGER, "sheets", past)
        report = await city.outlook.report(DUTY, place="330100", on=date(2024, 6, 1))
        assert [line.trend.model for line in report.lines if line.trend] == ["drift"]
        with pytest.raises(ActionNotAllowed):
            await city.outlook.keep(DUTY, report)
        stored = await city.outlook.keep(MANAGER, report)
        assert (stored.new, stored.same, stored.filled) == (3, 0, 0)
        assert (await city.outlook.keep(MANAGER, report)).same == 3
        kept = "urn:ngsi-ld:IndicatorForecast:330100:E01:20231231:20241231"
        assert "outcome" not in await house.get(f"/entities/{kept}?options=keyValues")
        await city.assess.import_table(MANAGER, "sheets", header + lines[2024])
        filled = await house.get(f"/entities/{kept}?options=keyValues")
        assert filled["outcome"]["json"]["value"] == 62
        assert filled["outcome"]["json"]["inside"] is True
        assert filled["outcome"]["json"]["record"].endswith(":330100-2024")
        later = await city.outlook.report(DUTY, place="330100")
        assert later.scores is not None
        assert (later.scores.made, later.scores.scored, later.scores.beaten) == (3, 1, 1)
        assert [one.actor for one in await house.audit() if one.object == kept] == ["usr_m"] * 2
        group = await city.outlook.report(DUTY, group="north_east")
        assert (group.subject.level, group.lines[0].counts[-1]) == ("sub_provincial", 3)


async def test_towns_of_any_country_are_taken_in_and_shown_below_their_county(
    tmp_path: Path,
) -> None:
    places = """code,name_zh,name_en,level,kind,parent,valid_from,valid_until,successor
N,北国,Northland,provincial,realm,,,,
N.1,河谷,Dale,county,shire,N,,,
N.1.a,上村,Upper,town,parish,N.1,,,
N.1.b,下村,Lower,town,parish,N.1,,2022-01-01,
N.1.b,下村,Lower,town,parish,N.2,2022-01-01,,
N.2,海岸,Coast,county,shire,N,,,
"""
    values = """id,place,indicator,on,value,evidence,source,source_date
a,N.1.a,E01,2020-12-31,40,count,Northland office,2021-01-31
b,N.1.b,E01,2020-12-31,60,count,Northland office,2021-01-31
"""
    programmes = """id,place,title,started_on,source,source_date
u,N.1.a,Upper online,2020-01-01,Northland office,2021-01-31
l,N.1.b,Lower online,2020-01-01,Northland office,2021-01-31
"""
    async with a_house(tmp_path) as house:
        for kind, table in (("places", places), ("values", values), ("programmes", programmes)):
            await house.city.assess.import_table(MANAGER, kind, table)
        columns = await house.city.assess.columns(MANAGER)
        for on, dale, coast in ((date(2021, 12, 31), 2, 0), (date(2022, 1, 1), 1, 1)):
            found = (await house.city.assess.assessed(MANAGER, on=on)).statistics
            totals = {one.code: one.total for one in found.branches("N")}
            assert totals == {"N.1": dale, "N.2": coast}
            assert sum(totals.values()) == found.branch("N").total == 2
            assert sum(one.total for one in found.branches("N.1")) == dale
            counts = {
                one.spot.code: one.count for one in below(columns, found.now.day, "E01", on, "N")
            }
            assert counts == {"N.1": dale, "N.2": coast}


async def test_the_example_has_a_report_that_says_that_it_is_made_up(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        city = house.city
        report = await city.outlook.report(DUTY, place="330100", data="example")
        assert len(report.lines) == 24
        assert report.standing is not None
        assert (report.is_example, report.suggestions != (), report.kept) == (True, True, ())
        assert (await city.outlook.report(DUTY, place="330100")).lines == ()
