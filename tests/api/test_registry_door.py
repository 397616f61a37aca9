"""What clients write as entities of the registry: records with their source, or nothing at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chengmai.assess.problems import RecordInvalid
from tests.api.house import a_house
from tests.api.test_assess import MANAGER, PROGRAMMES, take
from tests.api.test_review_pages import signed_in

VALUE = "urn:ngsi-ld:IndicatorValue:v1"
PLACE = "urn:ngsi-ld:AdministrativeDivision:330100"
VALUES = "id,place,indicator,on,value,evidence,source,source_date\n"
SHEETS = "id,place,on,evidence,source,source_date,{0}\ns,330100,2024-12-31,e,office,2025-01-01,1\n"
CHECKS = "id,place,check,on,outcome,evidence,source,source_date\n"


def prop(value: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value}


def rel(target: str) -> dict[str, Any]:
    return {"type": "Relationship", "object": target}


def a_value(**changes: Any) -> dict[str, Any]:
    """Return an indicator of a place as a client writes it; None leaves an attribute out."""
    made: dict[str, Any] = {
        "id": VALUE,
        "type": "IndicatorValue",
        "recordId": prop("v1"),
        "refPlace": rel(PLACE),
        "indicator": prop("E01"),
        "on": prop("2024-12-31"),
        "numericValue": prop(61.5),
        "evidence": prop("count"),
        "source": prop("office"),
        "sourceDate": prop("2025-01-31"),
    } | changes
    return {name: one for name, one in made.items() if one is not None}


def a_check(check: str) -> dict[str, Any]:
    return {
        **a_value(id="urn:ngsi-ld:SecurityCheckResult:v1", type="SecurityCheckResult"),
        "check": prop(check),
        "outcome": prop("fail"),
    }


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (a_value(source=None), "source", "say who says so"),
    (a_value(sourceDate=None), "sourceDate", "say who says so"),
    (a_value(sourceDate=prop("soon")), "sourceDate", "it must be a day"),
    (a_value(numericValue=prop("much")), "numericValue", "it must be a number"),
    (a_value(indicator=prop("E99")), "indicator", "nobody defines the indicator 'E99'"),
    (a_value(refPlace=rel("urn:ngsi-ld:AdministrativeDivision:999999")), "refPlace", "no place"),
    (a_value(recordId=prop("other")), "id", "has the id urn:ngsi-ld:IndicatorValue:other"),
    (a_value(type=["Note", "IndicatorValue"], source=None), "source", "say who says so"),
    (a_check("XX-01"), "check", "no security check 'XX-01'"),
    (
        {
            "id": "urn:ngsi-ld:IndicatorFramework:mine",
            "type": "IndicatorFramework",
            "package": {"type": "JsonProperty", "json": {"id": "mine"}},
        },
        "package.zh",
        "it must be filled in",
    ),
    (
        {
            "id": "urn:ngsi-ld:IndicatorSheet:s",
            "type": "IndicatorSheet",
            **{
                k: v
                for k, v in a_value().items()
                if k not in ("id", "type", "indicator", "numericValue")
            },
            "indicatorValues": {"type": "JsonProperty", "json": {"E01": 1, "E99": 2}},
        },
        "indicatorValues",
        "'E99'",
    ),
]


async def test_what_is_no_record_is_refused_with_attribute_and_reason_and_nothing_stays(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house:
        for entity, where, said in REFUSED:
            answer = await house.ask("POST", "/entities", entity)
            body = answer.json()
            assert (answer.status_code, body["code"]) == (400, "assess.record.refused"), body
            assert body["param"] == where
            assert said in body["detail"], body["detail"]
            assert body["fix"]
            assert (await house.ask("GET", f"/entities/{entity['id']}")).status_code == 404
        past = {
            **a_value(source=None),
            "numericValue": [prop(1) | {"observedAt": "2026-01-01T00:00:00Z"}],
        }
        assert (await house.ask("POST", "/temporal/entities", past)).status_code == 400
        batch = [a_value(source=None), a_value(id=f"{VALUE}2", recordId=prop("v12"))]
        answer = await house.ask("POST", "/entityOperations/create", batch)
        assert answer.status_code == 207
        assert answer.json()["success"] == [f"{VALUE}2"]
        assert [one["entityId"] for one in answer.json()["errors"]] == [VALUE]


async def test_a_record_cannot_lose_its_source_afterwards(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        assert (await house.ask("POST", "/entities", a_value())).status_code == 201
        this = f"/entities/{VALUE}"
        assert (await house.ask("DELETE", f"{this}/attrs/source")).status_code == 400
        for change in ({"source": prop("")}, {"indicator": prop("E99")}, {"on": prop(7)}):
            answer = await house.ask("PATCH", f"{this}/attrs", change)
            assert answer.status_code == 400, change
        kept = await house.get(f"{this}?options=keyValues")
        assert (kept["source"], kept["indicator"], kept["numericValue"]) == ("office", "E01", 61.5)
        assert (
            await house.ask("PATCH", f"{this}/attrs", {"numericValue": prop(62)})
        ).status_code == 204
        registry = await house.city.assess.registry(MANAGER)
        assert registry.left_out == ()


async def test_every_field_of_an_entity_has_a_name_that_clients_can_write(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        await take(house, "values", f"{VALUES}v,330100,E01,2024-12-31,40,e,o,2025-01-01\n")
        this = "/entities/urn:ngsi-ld:IndicatorValue:v"
        given = await house.get(this)
        assert [name for name in given if ":" in name] == []
        assert given["numericValue"]["value"] == 40
        assert (await house.ask("DELETE", this)).status_code == 204
        assert (await house.ask("POST", "/entities", given)).status_code == 201
        table = f"{VALUES}v,330100,E01,2024-12-31,40,e,o,2025-01-01\n"
        assert (await take(house, "values", table)).same == 1


@pytest.mark.parametrize(
    ("kind", "table", "where"),
    [
        ("values", VALUES + "v,330100,E99,2024-12-31,1,e,office,2025-01-01\n", "line 2, indicator"),
        ("sheets", SHEETS.format("E99"), "line 2, E99"),
        ("checks", CHECKS + "c,330100,XX-01,2024-12-31,fail,e,o,2025-01-01\n", "line 2, check"),
    ],
)
async def test_an_import_of_what_nobody_defines_is_refused(
    tmp_path: Path, kind: str, table: str, where: str
) -> None:
    async with a_house(tmp_path) as house:
        with pytest.raises(RecordInvalid) as caught:
            await take(house, kind, table)
        assert caught.value.param == where


async def test_an_indicator_that_an_own_framework_defines_is_taken(tmp_path: Path) -> None:
    node = {"id": "A", "zh": "甲", "en": "A", "weight": 100, "trust": "C", "indicator": "MY-1"}
    package = {
        "id": "mine",
        "zh": "自定",
        "en": "our own",
        "from": "2024-01-01",
        "source": "office",
        "note_zh": "自定",
        "note_en": "ours",
        "children": [node],
    }
    async with a_house(tmp_path) as house:
        await house.city.frameworks.take_in(MANAGER, json.dumps(package))
        taken = await take(house, "values", f"{VALUES}v,330100,MY-1,2024-12-31,40,e,o,2025-01-01\n")
        assert taken.new == 1
        assert (await take(house, "sheets", SHEETS.format("MY-1"))).new == 1
        answer = await house.ask("POST", "/entities", a_value(indicator=prop("MY-1")))
        assert answer.status_code == 201


async def test_the_page_says_in_chinese_what_an_import_names_that_nobody_defines(
    tmp_path: Path,
) -> None:
    async with a_house(tmp_path) as house, signed_in(house, "manager", lang="zh") as person:
        await take(house, "programmes", PROGRAMMES)
        answer = await person.post(
            "/assessment/registry",
            "/assessment/import",
            400,
            kind="values",
            table=f"{VALUES}v,330100,E99,2024-12-31,1,e,office,2025-01-01\n",
        )
        assert "指标“E99”没有定义" in answer.text
