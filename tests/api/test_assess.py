"""The registry in a real city: tables taken in, entities with history, and what is left out."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.assess.model import Investment
from chengmai.assess.problems import (
    FrameworkUnknown,
    KindUnknown,
    RecordInvalid,
    TableInvalid,
    WeightsDoNotSum,
)
from chengmai.assess.reasons import NO_SOURCE
from chengmai.assess.records import KINDS, from_entity, to_entity
from chengmai.assess.shipped import shipped_frameworks
from chengmai.kernel.actors import Actor
from chengmai.ngsild.entity import entity, prop, rel
from chengmai.trust.problems import ActionNotAllowed
from tests.api.house import House, a_house

MANAGER = Actor("usr_m", "city", frozenset({"manager"}), "Chen")
DUTY = Actor("usr_d", "city", frozenset({"duty_officer"}), "Li")
PROGRAMMES = """id,place,title,started_on,source,source_date
hz,330100,杭州,2020-05-01,市政府,2024-01-01
yw,330782,义乌,2024-03-01,市政府,2024-04-01
"""
HANGZHOU = "urn:ngsi-ld:SmartCityProgramme:hz"


async def take(house: House, kind: str, text: str) -> Any:
    return await house.city.assess.import_table(MANAGER, kind, text)


async def test_a_table_becomes_entities_with_source_and_links(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        taken = await take(house, "programmes", PROGRAMMES)
        assert (taken.new, taken.changed, taken.same) == (2, 0, 0)
        entity = await house.get(f"/entities/{HANGZHOU}?options=keyValues")
        assert entity["refPlace"] == "urn:ngsi-ld:AdministrativeDivision:330100"
        assert entity["source"] == "市政府"
        assert entity["startedOn"]["@value"] == "2020-05-01"
        lines = [one for one in await house.audit() if one.object == HANGZHOU]
        assert [one.actor for one in lines] == ["usr_m"]
        found = await house.city.assess.assessed(MANAGER, on=date(2024, 12, 31))
        assert found.statistics.count().value == 2
        assert found.statistics.growth().whole == 100


async def test_what_was_known_before_can_be_asked_for(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await take(house, "programmes", PROGRAMMES)
        house.clock.advance(timedelta(hours=1))
        later = PROGRAMMES.replace("2020-05-01", "2021-06-01")
        taken = await take(house, "programmes", later)
        assert (taken.new, taken.changed, taken.same) == (0, 1, 1)
        path = f"/temporal/entities/{HANGZHOU}?timerel=before&timeAt=2030-01-01T00:00:00Z"
        past = await house.get(path + "&timeproperty=modifiedAt&attrs=startedOn")
        assert [one["value"]["@value"] for one in past["startedOn"]] == ["2020-05-01", "2021-06-01"]


async def test_a_value_that_is_taken_back_is_gone_and_its_past_stays(tmp_path: Path) -> None:
    stopped = PROGRAMMES.replace("started_on,", "started_on,stopped_on,")
    stopped = stopped.replace("2020-05-01,", "2020-05-01,2023-01-01,").replace(
        "2024-03-01,", "2024-03-01,,"
    )
    async with a_house(tmp_path) as house:
        await take(house, "programmes", stopped)
        house.clock.advance(timedelta(hours=1))
        await take(house, "programmes", PROGRAMMES)
        registry = await house.city.assess.registry(MANAGER)
        assert [one.stopped_on for one in registry.programmes] == [None, None]


PLANS = "id,programme,title,document,adopted_on,source,source_date\n"
PLACES = "code,name_zh,level,kind,parent\n"


def one_more(line: str) -> str:
    return f"{PROGRAMMES}{line}\n"


@pytest.mark.parametrize(
    ("kind", "text", "problem", "where"),
    [
        ("nonsense", "a\n1\n", KindUnknown, "kind"),
        ("programmes", "", TableInvalid, "line 1"),
        ("programmes", "id,colour\n1,red\n", TableInvalid, "line 1"),
        ("programmes", PROGRAMMES.splitlines()[0] + "\n", TableInvalid, "table"),
        ("programmes", one_more("x,330100,t,2020-01-01,,2024-01-01"), RecordInvalid, "source"),
        ("programmes", one_more("x,330100,t,2020-01-01,s,"), RecordInvalid, "source_date"),
        ("programmes", one_more("x,999999,t,2020-01-01,s,2024-01-01"), RecordInvalid, "place"),
        ("programmes", one_more("x,330100,t,2020-13-01,s,2024-01-01"), RecordInvalid, "started_on"),
        ("programmes", one_more("hz,330100,t,2020-01-01,s,2024-01-01"), RecordInvalid, "id"),
        ("programmes", one_more("x,330100"), RecordInvalid, "columns"),
        ("plans", f"{PLANS}1,none,t,d,2020-01-01,s,2020-01-01\n", RecordInvalid, "programme"),
        ("places", f"{PLACES}T1,甲镇,town,town,999999\n", RecordInvalid, "parent"),
        ("places", f"{PLACES}T1,甲镇,village,town,330100\n", RecordInvalid, "level"),
    ],
)
async def test_a_bad_table_says_where_and_leaves_nothing(
    tmp_path: Path, kind: str, text: str, problem: type[Exception], where: str
) -> None:
    async with a_house(tmp_path) as house:
        with pytest.raises(problem) as caught:
            await take(house, kind, text)
        line = 4 if text.startswith(PROGRAMMES) else 2
        expected = f"line {line}, {where}" if problem is RecordInvalid else where
        assert getattr(caught.value, "param", None) == expected
        assert getattr(caught.value, "fix", None)
        registry = await house.city.assess.registry(MANAGER)
        assert [one for records in registry.records.values() for one in records] == []


async def test_an_entity_from_before_the_door_counts_nowhere_and_is_named(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await take(house, "programmes", PROGRAMMES)
        before = await house.city.assess.assessed(MANAGER)
        rumour = entity(
            "urn:ngsi-ld:SmartCityProgramme:rumour",
            "SmartCityProgramme",
            recordId=prop("rumour"),
            refPlace=rel("urn:ngsi-ld:AdministrativeDivision:330100"),
            title=prop("hearsay"),
            startedOn=prop("2020-01-01"),
        )
        await house.city.store.work.write(lambda tx: house.city.model.put(tx, rumour, by=MANAGER))
        house.city.assess.forget("city")
        found = await house.city.assess.assessed(MANAGER)
        assert found.statistics.count().value == before.statistics.count().value == 2
        assert [(one.entity_id, one.why.en) for one in found.registry.left_out] == [
            (rumour["id"], f"source: {NO_SOURCE.en}")
        ]


async def test_a_programme_that_a_client_writes_counts_at_once(tmp_path: Path) -> None:
    def plain(value: Any) -> dict[str, Any]:
        return {"type": "Property", "value": value}

    entity = {
        "id": "urn:ngsi-ld:SmartCityProgramme:api",
        "type": "SmartCityProgramme",
        "recordId": plain("api"),
        "refPlace": {"type": "Relationship", "object": "urn:ngsi-ld:AdministrativeDivision:330200"},
        "title": plain("t"),
        "startedOn": plain("2020-01-01"),
        "source": plain("office"),
        "sourceDate": plain("2024-01-01"),
    }
    async with a_house(tmp_path) as house:
        assert (await house.city.assess.assessed(MANAGER)).is_empty
        assert (await house.ask("POST", "/entities", entity)).status_code == 201
        assert (await house.city.assess.assessed(MANAGER)).statistics.count().value == 1


async def test_a_town_can_be_added_and_moved_from_a_day_on(tmp_path: Path) -> None:
    towns = (
        "code,name_zh,level,kind,parent,valid_from,valid_until\n"
        "330782100,佛堂镇,town,town,330782,,2024-01-01\n"
        "330782100,佛堂镇,town,town,330783,2024-01-01,\n"
    )
    programme = "id,place,title,started_on,source,source_date\nft,330782100,佛堂,2020-01-01,市政府,2024-01-01\n"
    async with a_house(tmp_path) as house:
        await take(house, "places", towns)
        await take(house, "programmes", programme)
        for on, parent in ((date(2023, 6, 1), "330782"), (date(2024, 6, 1), "330783")):
            found = await house.city.assess.assessed(MANAGER, on=on)
            assert [one.total for one in found.statistics.branches(parent)] == [1]


async def test_who_may_not_manage_takes_nothing_in_and_a_citizen_sees_nothing(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        with pytest.raises(ActionNotAllowed):
            await house.city.assess.import_table(DUTY, "programmes", PROGRAMMES)
        with pytest.raises(ActionNotAllowed):
            await house.city.assess.assessed(Actor("usr_c", "city", frozenset({"citizen"}), "Wang"))


async def test_tenants_do_not_see_each_other(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await take(house, "programmes", PROGRAMMES)
        other = Actor("usr_o", "other", frozenset({"manager"}), "Zhao")
        assert (await house.city.assess.assessed(other)).is_empty


async def test_money_is_the_same_in_every_unit(tmp_path: Path) -> None:
    table = "id,programme,kind,amount,unit,finance,on,source,source_date\n"
    table += "1,hz,planned,1.5,100m_yuan,public,2024-01-01,s,2024-01-01\n"
    table += "2,hz,planned,15000,10k_yuan,public,2024-01-01,s,2024-01-01\n"
    table += "3,hz,planned,150000000,yuan,public,2024-01-01,s,2024-01-01\n"
    async with a_house(tmp_path) as house:
        await take(house, "programmes", PROGRAMMES)
        await take(house, "investments", table)
        registry = await house.city.assess.registry(MANAGER)
        assert {one.yuan for one in registry.investments} == {150_000_000}


amounts = st.decimals(0, 10**12, places=6, allow_nan=False, allow_infinity=False)


@settings(max_examples=50)
@given(amounts, st.sampled_from(["yuan", "10k_yuan", "100m_yuan"]))
def test_money_survives_the_way_through_an_entity(amount: Any, unit: str) -> None:
    record = Investment.model_validate(
        {"id": "i", "programme": "p", "kind": "spent", "amount": amount, "unit": unit}
        | {
            "finance": "bank",
            "on": date(2024, 1, 1),
            "source": "s",
            "source_date": date(2024, 1, 1),
        }
    )
    back = from_entity(KINDS["investments"], to_entity(KINDS["investments"], record))
    assert back == record


async def test_a_result_without_a_baseline_claims_nothing(tmp_path: Path) -> None:
    table = "id,programme,title,domain,unit,better,baseline,baseline_on,value,value_on,evidence"
    table += ",source,source_date\n"
    table += "1,hz,等待,health,min,down,30,2020-01-01,12,2024-01-01,报告,s,2024-01-01\n"
    table += "2,hz,等待,health,min,down,,,12,2024-01-01,报告,s,2024-01-01\n"
    async with a_house(tmp_path) as house:
        await take(house, "programmes", PROGRAMMES)
        await take(house, "results", table)
        registry = await house.city.assess.registry(MANAGER)
        assert [one.verdict for one in registry.results] == ["better", "no_baseline"]
        assert [one.id for one in registry.without_plan()] == ["hz", "yw"]


VALUES = "id,place,indicator,on,value,sample,evidence,source,source_date\n"
VALUES += "1,330100,M1,2024-01-01,70,400,问卷,市政府,2024-01-01\n"
VALUES += "2,330200,M1,2024-01-01,90,,问卷,市政府,2024-01-01\n"
VALUES += "3,330100,M1,2024-06-01,95,400,问卷,市政府,2024-06-01\n"


async def test_places_are_ranked_by_the_newest_values_of_the_day(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await take(house, "values", VALUES)
        room = house.city.frameworks
        for on, first in ((date(2024, 3, 1), "330200"), (date(2024, 7, 1), "330100")):
            board = await room.board(MANAGER, "nsc-2018", on)
            assert board.ranks[0].code == first
        found = await room.tried(MANAGER, board, "330200", changed={"M1": 100})
        assert [str(one.total) for one in (found.before, found.after)] == ["36.00", "40.00"]
        assert board.rank_of("330200", found.before) == 2
        assert board.rank_of("330200", found.after) == 1
        assert (await room.board(MANAGER, "nsc-2018", on)).scores["330200"].total == 36
        lighter = await room.tried(MANAGER, board, "330200", weights={"M1": Decimal(30)})
        assert board.rank_of("330200", lighter.after) == 2


async def test_a_framework_is_taken_in_whole_or_not_at_all(tmp_path: Path) -> None:
    shipped = next(one for one in shipped_frameworks() if one.id == "nsc-2016")
    package = json.loads(shipped.model_dump_json(by_alias=True))
    async with a_house(tmp_path) as house:
        room = house.city.frameworks
        package["id"] = "ours"
        await room.take_in(MANAGER, json.dumps(package))
        assert "ours" in [one.id for one in await room.frameworks(MANAGER)]
        package["id"], package["children"][0]["weight"] = "broken", 36
        with pytest.raises(WeightsDoNotSum) as caught:
            await room.take_in(MANAGER, json.dumps(package))
        assert caught.value.param == "broken"
        assert "broken" not in [one.id for one in await room.frameworks(MANAGER)]
        with pytest.raises(ActionNotAllowed):
            await room.take_in(DUTY, json.dumps(package))
        with pytest.raises(FrameworkUnknown):
            await room.board(MANAGER, "broken", date(2024, 1, 1))
