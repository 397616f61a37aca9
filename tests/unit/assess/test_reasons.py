"""What is wrong with a record is said in both languages, and says what would be right."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from chengmai.assess.problems import RecordInvalid
from chengmai.assess.reasons import first_wrong
from chengmai.assess.records import KINDS, read_table
from chengmai.kernel.texts import Text

RECORD = {
    "programmes": {"id": "p", "place": "330100", "title": "t", "source": "s"}
    | {"source_date": "2024-01-01", "started_on": "2024-01-01"},
    "investments": {"id": "i", "programme": "p", "kind": "planned", "amount": "1", "unit": "yuan"}
    | {"finance": "public", "on": "2024-01-01", "source": "s", "source_date": "2024-01-01"},
    "values": {"id": "v", "place": "330100", "indicator": "E01", "on": "2024-01-01", "value": "1"}
    | {"evidence": "e", "source": "s", "source_date": "2024-01-01"},
    "places": {"code": "a", "name_zh": "甲", "level": "county", "kind": "x"},
}
WRONG = (
    ("programmes", "source", "", "来源"),
    ("programmes", "source_date", "", "来源"),
    ("programmes", "source_date", "2024-13-01", "应为日期"),
    ("programmes", "title", "", "必须填写"),
    ("programmes", "id", "a b", "代码由"),
    ("programmes", "started_on", "", "规划日或开工日"),
    ("investments", "unit", "dollar", "只能是"),
    ("investments", "amount", "-1", "不能小于 0"),
    ("investments", "amount", "much", "应为数字"),
    ("values", "value", "abc", "应为数字"),
    ("values", "value", "inf", "应为有限的数"),
    ("places", "level", "village", "只能是"),
    ("places", "code", "?", "代码由"),
)


@pytest.mark.parametrize(("kind", "field", "given", "zh"), WRONG)
def test_a_wrong_cell_is_explained_in_chinese_and_english(
    kind: str, field: str, given: str, zh: str
) -> None:
    row = {**RECORD[kind], field: given}
    text = ",".join(row) + "\n" + ",".join(row.values()) + "\n"
    with pytest.raises(RecordInvalid) as problem:
        read_table(KINDS[kind], text)
    why = problem.value.facts["why"]
    assert isinstance(why, Text)
    assert zh in why.zh
    assert why.en.isascii()
    assert why.en in problem.value.detail
    assert problem.value.facts["line"] == 2


@pytest.mark.parametrize("kind", RECORD)
def test_the_records_that_the_wrong_ones_are_made_of_are_right(kind: str) -> None:
    row = RECORD[kind]
    assert len(read_table(KINDS[kind], ",".join(row) + "\n" + ",".join(row.values()) + "\n")) == 1


def test_what_has_no_words_of_ours_is_said_as_it_is() -> None:
    with pytest.raises(ValidationError) as error:
        KINDS["places"].model.model_validate([])
    field, why = first_wrong(error.value)
    assert field == ""
    assert why.zh == why.en != ""
