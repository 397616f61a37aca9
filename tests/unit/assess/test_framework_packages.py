"""What a package can say beyond weights: formulas, direction, bonus, deductions, days, other frameworks."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.assess.catalogue import catalogue
from chengmai.assess.frameworks.crosswalk import INDICATORS, check_maps, crosswalk
from chengmai.assess.frameworks.model import Framework, read_framework
from chengmai.assess.frameworks.scoring import score
from chengmai.assess.frameworks.service import board_of
from chengmai.assess.frameworks.whatif import what_if
from chengmai.assess.model import CheckResult, IndicatorValue
from chengmai.assess.panel.columns import no_columns
from chengmai.assess.panel.reading import entry_of_value
from chengmai.assess.problems import FrameworkInvalid, WeightsUnknown
from chengmai.assess.shipped import shipped_checks, shipped_frameworks
from tests.unit.assess.packages import a_package, leaf

SHIPPED = {one.id: one for one in shipped_frameworks()}
STRUCTURES = {"iso-37120": 104, "iso-37122": 80, "u4ssc": 91}
DAY = date(2024, 6, 1)
BONUS = leaf("plus", None, bonus=True, at_most=5)
MINUS = leaf("minus", None, deduction=True, each=0.5, at_most=4, checks=["SEC", "PI-02"])


def value(indicator: str, number: float, **more: Any) -> IndicatorValue:
    said: dict[str, Any] = {
        "id": f"{indicator}-{number:g}",
        "place": "330100",
        "on": DAY,
        "evidence": "e",
    }
    said |= {"source": "s", "source_date": DAY}
    return IndicatorValue(indicator=indicator, value=number, **(said | more))


def check(check_id: str, outcome: str, on: date = DAY) -> CheckResult:
    said = {"id": f"c-{check_id}", "place": "330100", "check": check_id, "on": on}
    more = {"outcome": outcome, "evidence": "e", "source": "audit", "source_date": on}
    return CheckResult.model_validate(said | more)


@pytest.mark.parametrize(("name", "items"), STRUCTURES.items())
def test_a_structure_has_all_its_items_and_no_weight(name: str, items: int) -> None:
    framework = SHIPPED[name]
    assert len(framework.leaves()) == items
    assert all(node.weight is None and node.trust == "M" for node, _ in framework.walk())
    with pytest.raises(WeightsUnknown):
        score(framework, {})


def test_every_theme_of_37122_has_as_many_items_as_the_standard() -> None:
    counted = [len(theme.children) for theme in SHIPPED["iso-37122"].children]
    assert counted == [4, 3, 10, 3, 2, 4, 3, 2, 4, 1, 1, 6, 4, 3, 14, 3, 4, 5, 4]


def test_the_frame_of_guomai_has_marks_beside_its_six_indicators() -> None:
    children = SHIPPED["guomai-2016"].children
    assert [one.is_apart for one in children] == [False] * 6 + [True] * 2
    assert SHIPPED["guomai-2016"].full_marks is None


def test_every_shipped_security_check_has_words_and_a_clause() -> None:
    checks = shipped_checks()
    assert len(checks) == 47
    assert all(one.clause and one.trust in "SMCD" for one in checks.values())


def test_u4ssc_has_three_dimensions() -> None:
    counted = [sum(len(g.children) for g in one.children) for one in SHIPPED["u4ssc"].children]
    assert counted == [45, 17, 29]


def test_shipped_frameworks_are_mapped_to_items_that_there_are() -> None:
    for framework in SHIPPED.values():
        check_maps(framework, SHIPPED.values())
        assert all(m.to in SHIPPED for node, _ in framework.walk() for m in node.maps)


def test_a_leaf_says_how_it_is_worked_out_and_which_way_is_better() -> None:
    (first,) = (one for one in SHIPPED["nsc-2016"].leaves() if one.id == "L1P1-A1")
    assert first.formula is not None
    assert (first.direction, first.formula_trust) == ("up", "S")
    known = [one for one in SHIPPED["nsc-2016"].leaves() if one.formula is not None]
    assert len(known) == 31
    assert {one.formula_trust for one in known if one.id != "L1P1-A1"} == {"M"}


def test_a_shipped_package_can_be_imported_as_it_is_given_out() -> None:
    for framework in SHIPPED.values():
        told = framework.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        assert read_framework(json.dumps(told)) == framework


def test_a_mapping_to_an_item_that_there_is_not_is_refused_with_the_node() -> None:
    wrong = {"to": "iso-37122", "id": "5.99", "how": "same", "trust": "D"}
    framework = read_framework(a_package(leaf("a", 100, maps=[wrong])))
    with pytest.raises(FrameworkInvalid) as caught:
        check_maps(framework, SHIPPED.values())
    assert caught.value.param == "a"
    check_maps(read_framework(a_package(leaf("a", 100, maps=[wrong | {"to": "later"}]))), [])


def test_a_crosswalk_goes_both_ways() -> None:
    frameworks = list(SHIPPED.values())
    there = {line.id: line for line in crosswalk("nsc-2016", frameworks, catalogue())}
    back = {line.id: line for line in crosswalk("iso-37122", frameworks, catalogue())}
    assert [link.node.id for link in there["L1P2-A2"].links["iso-37122"]] == ["19.5"]
    assert "L1P2-A2" in [link.node.id for link in back["19.5"].links["nsc-2016"]]
    assert [link.node.id for link in back["5.1"].links.get("nsc-2016", ())] == []


def test_an_indicator_of_the_platform_names_the_items_that_use_it() -> None:
    lines = {line.id: line for line in crosswalk(INDICATORS, [*SHIPPED.values()], catalogue())}
    assert [link.node.id for link in lines["E01"].links["nsc-2016"]] == ["L1P1-A1"]
    by = {link.node.id: link.by for link in lines["G08"].links["iso-37122"]}
    assert by == {"7.9": "clause", "12.1": "clause"}


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"bonus": True}, "children.0"),
        ({"each": 1}, "children.0"),
        ({"checks": ["SEC"]}, "children.0"),
        ({"better": "down"}, "children.0"),
        ({"formula_zh": "只有中文"}, "children.0"),
        ({"maps": [{"to": "x", "id": "1", "how": "equal", "trust": "D"}]}, "children.0.maps.0.how"),
        ({"maps": [{"to": "x", "id": "1", "how": "same", "trust": "D"}] * 2}, "children.0"),
    ],
)
def test_what_contradicts_itself_is_refused(wrong: dict[str, Any], where: str) -> None:
    with pytest.raises(FrameworkInvalid) as caught:
        read_framework(a_package(leaf("a", 100, **wrong)))
    assert caught.value.param == where


def test_a_framework_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(FrameworkInvalid):
        read_framework(a_package(leaf("a", 100), until="2019-01-01"))


def test_a_bonus_adds_and_a_deduction_takes_off_up_to_their_limits() -> None:
    framework = read_framework(a_package(leaf("a", 100), BONUS, MINUS))
    assert framework.full_marks == 105
    scored = score(framework, {"a": 100, "plus": 9, "minus": 3})
    assert [str(one) for one in (scored.total, scored.added, scored.deducted)] == [
        "103.50",
        "5.00",
        "1.50",
    ]
    assert score(framework, {"a": 100, "minus": 50}).deducted == 4
    assert score(framework, {"a": 100}).is_complete


def judged(framework: Framework, *checks: CheckResult, **entered: float) -> Any:
    values = [value(name, number) for name, number in entered.items()]
    entries = [entry_of_value(one, f"urn:ngsi-ld:IndicatorValue:{one.id}") for one in values]
    return board_of(framework, no_columns().replaced((), entries), DAY, values, checks)


def test_failed_security_checks_are_counted_and_named() -> None:
    framework = read_framework(a_package(leaf("a", 100), MINUS))
    checks = [check("SEC-01", "fail"), check("SEC-02", "pass"), check("PI-02", "fail")]
    checks += [check("PI-03", "fail"), check("SEC-03", "not_applicable")]
    board = judged(framework, *checks, a=80)
    assert str(board.scores["330100"].total) == "79.00"
    counted = board.values["330100"]["minus"]
    assert (counted.numerator, counted.denominator, counted.ref.evidence) == (2, 3, "SEC-01 PI-02")


def test_the_newest_result_of_a_check_counts_and_none_of_a_later_day() -> None:
    framework = read_framework(a_package(leaf("a", 100), MINUS))
    checks = [check("SEC-01", "fail", date(2024, 1, 1)), check("SEC-01", "pass")]
    assert judged(framework, *checks, a=80).scores["330100"].deducted == 0
    later = check("SEC-01", "fail", date(2024, 7, 1))
    assert judged(framework, *checks, later, a=80).scores["330100"].deducted == 0


def test_what_was_entered_stands_beside_what_the_checks_say() -> None:
    framework = read_framework(a_package(leaf("a", 100), MINUS))
    board = judged(framework, check("SEC-01", "fail"), a=80, minus=6)
    assert board.scores["330100"].deducted == Decimal("0.50")
    assert board.overlay.aside["330100"]["minus"].value == 6


def test_without_a_rule_the_failed_checks_of_2018_are_evidence_and_take_nothing_off() -> None:
    board = judged(SHIPPED["nsc-2018"], check("SEC-01", "fail"), M1=90, M8=2.5)
    assert board.scores["330100"].deducted == Decimal("2.50")
    assert [one.check for one in board.overlay.failed["330100"]["M8"]] == ["SEC-01"]


percents = st.floats(0, 100, allow_nan=False).map(lambda one: round(one, 3))


@given(percents, percents, percents, st.floats(0, 20), st.floats(0, 300))
def test_the_parts_of_a_change_add_up_with_bonus_deduction_and_floor(
    before: float, after: float, plus: float, count: float, other: float
) -> None:
    framework = read_framework(
        a_package(leaf("a", 60), leaf("b", 40), BONUS, leaf("m", None, deduction=True))
    )
    values = {"a": before, "b": before, "plus": plus, "m": count}
    found = what_if(framework, values, changed={"b": after, "m": other})
    assert sum(by for _, by in found.by) + found.floor == found.difference
    assert found.after.total >= 0
    if found.after.total and found.before.total:
        assert found.floor == 0
