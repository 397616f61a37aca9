"""Frameworks: a hand calculation, weights, deductions, stages, and what would happen."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.assess.frameworks.model import Framework, marks, read_framework
from chengmai.assess.frameworks.scoring import points, score, stage_of
from chengmai.assess.frameworks.whatif import what_if, with_weight
from chengmai.assess.problems import FrameworkInvalid, WeightsDoNotSum, WeightsUnknown
from chengmai.assess.shipped import shipped_frameworks
from tests.unit.assess.packages import a_package, leaf

SHIPPED = {one.id: one for one in shipped_frameworks()}
OF_2016, OF_2018 = SHIPPED["nsc-2016"], SHIPPED["nsc-2018"]
HAND = Path(__file__).with_name("hand_2016.csv")
"""A made-up city: marks to be had × value, two decimals, worked out without the program."""

FIRST_LEVEL_BY_HAND = {
    "L1": "23.79",
    "L2": "7.00",
    "L3": "5.04",
    "L4": "4.41",
    "L5": "3.84",
    "L6": "5.88",
    "L7": "2.39",
    "L8": "18.50",
}
TOTAL_BY_HAND = Decimal("70.85")


def full(framework: Framework, value: float = 100) -> dict[str, float]:
    return {n.indicator or "": value for n in framework.leaves() if not n.deduction}


def test_the_framework_of_2016_gives_what_was_worked_out_by_hand() -> None:
    with HAND.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    by_leaf = {node.id: node.indicator or "" for node in OF_2016.leaves()}
    assert set(by_leaf) == {row["leaf"] for row in rows}
    scored = score(OF_2016, {by_leaf[row["leaf"]]: float(row["value_in_percent"]) for row in rows})
    assert {row["leaf"]: Decimal(row["marks"]) for row in rows} == {
        leaf_id: scored.part(leaf_id).got for leaf_id in by_leaf
    }
    first = {part.node.id: str(part.got) for part in scored.parts if part.depth == 0}
    assert first == FIRST_LEVEL_BY_HAND
    assert scored.total == TOTAL_BY_HAND
    assert scored.known == 100


def test_the_first_level_of_2016_and_2018_is_as_published() -> None:
    of_2016 = [node.weight for node in OF_2016.children]
    assert of_2016 == [37, 9, 8, 7, 7, 8, 4, 20]
    of_2018 = {node.zh: node.weight for node in OF_2018.children}
    assert of_2018 == {
        "市民体验": 40,
        "惠民服务": 26,
        "精准治理": 11,
        "生态宜居": 6,
        "基础设施": 5,
        "信息资源": 8,
        "创新发展": 4,
        "信息安全": None,
    }


@pytest.mark.parametrize("framework", [OF_2016, OF_2018], ids=lambda one: one.id)
def test_a_perfect_city_has_full_marks_and_an_empty_one_none(framework: Framework) -> None:
    assert score(framework, full(framework)).total == 100
    empty = score(framework, {})
    assert str(empty.total) == str(empty.known) == "0.00"
    assert empty.stage is None
    assert (
        sum(marks(framework)[leaf.id] for leaf in framework.leaves() if not leaf.deduction) == 100
    )


def test_security_is_taken_off_and_never_makes_less_than_nothing() -> None:
    values = full(OF_2018, 80)
    plain = score(OF_2018, values)
    less = score(OF_2018, values | {"M8": 12.5})
    assert [str(one) for one in (plain.total, less.total, less.deducted)] == [
        "80.00",
        "67.50",
        "12.50",
    ]
    assert score(OF_2018, values | {"M8": 95}).total == 0


def test_only_services_of_technology_cannot_give_more_than_their_weight() -> None:
    scored = score(OF_2018, {"M5": 100, "M6": 100})
    assert scored.total == 13


def test_the_structure_of_2022_is_not_scored() -> None:
    of_2022 = SHIPPED["gbt-33356-2022"]
    assert len(of_2022.children) == 9
    with pytest.raises(WeightsUnknown):
        score(of_2022, {"N1": 100})


def test_weights_that_do_not_sum_are_refused_with_the_node() -> None:
    inner = leaf("b", 40, children=[leaf("b1", 10), leaf("b2", 20)])
    with pytest.raises(WeightsDoNotSum) as caught:
        read_framework(a_package(leaf("a", 60), inner))
    assert (caught.value.facts["node"], caught.value.facts["total"]) == ("b", "30")
    with pytest.raises(WeightsDoNotSum) as caught:
        read_framework(a_package(leaf("a", 60), leaf("b", 39.99)))
    assert (caught.value.facts["node"], caught.value.facts["total"]) == ("f", "99.99")


def test_children_may_be_shares_of_their_parent() -> None:
    inner = leaf("b", 40, children=[leaf("b1", 25), leaf("b2", 75)])
    framework = read_framework(a_package(leaf("a", 60), inner))
    assert marks(framework) == {"a": 60, "b": 40, "b1": 10, "b2": 30}


@pytest.mark.parametrize(
    ("package", "where"),
    [
        ("{", "framework"),
        ("[]", "framework"),
        (a_package(), "children"),
        (a_package(leaf("a", 60), leaf("a", 40)), "a"),
        (a_package(leaf("a", -1), leaf("b", 101)), "children.0.weight"),
        (a_package(leaf("a", 100, full_at=0)), "children.0"),
        (a_package(leaf("a", 100, colour="red")), "children.0.colour"),
    ],
)
def test_a_package_that_is_no_framework_says_where(package: str, where: str) -> None:
    with pytest.raises(FrameworkInvalid) as caught:
        read_framework(package)
    assert caught.value.param == where
    assert caught.value.fix


def test_less_is_better_where_zero_is_above_full() -> None:
    node = read_framework(a_package(leaf("a", 100, zero_at=50, full_at=10))).children[0]
    assert [points(node, value) for value in (60, 50, 30, 10, 0)] == [0, 0, 50, 100, 100]


@pytest.mark.parametrize(
    ("total", "stage"), [("0", "low"), ("59.99", "low"), ("60.00", "high"), ("100", "high")]
)
def test_a_limit_belongs_to_the_stage_that_begins_there(total: str, stage: str) -> None:
    found = stage_of(read_framework(a_package(leaf("a", 100))), Decimal(total))
    assert found is not None
    assert found.id == stage


percents = st.floats(0, 100, allow_nan=False).map(lambda one: round(one, 3))


@given(percents, percents, st.sampled_from([leaf.id for leaf in OF_2016.leaves()]))
def test_the_parts_of_a_change_add_up_to_it(value: float, other: float, node: str) -> None:
    indicator = next(one.indicator or "" for one in OF_2016.leaves() if one.id == node)
    found = what_if(OF_2016, full(OF_2016, value), changed={indicator: other})
    assert sum(by for _, by in found.by) == found.difference
    assert (found.difference > 0) <= (other > value)
    assert (found.difference < 0) <= (other < value)


@given(st.decimals("0.5", "30", places=2), st.sampled_from([n.id for n in OF_2018.children[:7]]))
def test_a_changed_weight_leaves_a_whole_of_100(weight: Decimal, node: str) -> None:
    framework = with_weight(OF_2018, node, weight)
    weights = [one.weight for one in framework.children if one.weight is not None]
    assert sum(weights) == 100
    assert score(framework, full(framework)).total == pytest.approx(100, abs=Decimal("0.05"))
    values = full(OF_2018, 60) | {"M1": 90}
    found = what_if(OF_2018, values, weights={node: weight})
    assert sum(by for _, by in found.by) == found.difference


def test_a_weight_that_leaves_nothing_to_the_others_is_refused() -> None:
    with pytest.raises(FrameworkInvalid):
        with_weight(OF_2018, "M1", Decimal(100))
    with pytest.raises(FrameworkInvalid):
        with_weight(OF_2018, "M8", Decimal(10))
    with pytest.raises(FrameworkInvalid):
        with_weight(OF_2018, "nowhere", Decimal(10))


SECOND_LEVEL_OF_2016 = {
    "L1P1": "8 S", "L1P2": "3 S", "L1P3": "3 S", "L1P4": "3 S", "L1P5": "3 S", "L1P6": "3 S",
    "L1P7": "7 S", "L1P8": "5 S", "L1P9": "2 M", "L2P1": "4 M", "L2P2": "5 M", "L3P1": "4 M",
    "L3P2": "4 M", "L4P1": "4 M", "L4P2": "3 M", "L5P1": "4 M", "L5P2": "3 M", "L6P1": "4 M",
    "L6P2": "4 M", "L7P1": "4 S", "L8P1": "20 S",
}  # fmt: skip
"""Weights with what is known of them: S where a source has them in words, M from memory."""


def test_every_weight_of_2016_is_marked_as_well_as_it_is_known() -> None:
    framework = next(one for one in shipped_frameworks() if one.id == "nsc-2016")
    nodes = [(node, depth) for node, depth in framework.walk()]
    second = {node.id: f"{node.weight} {node.trust}" for node, depth in nodes if depth == 1}
    assert second == SECOND_LEVEL_OF_2016
    assert {node.trust for node, depth in nodes if depth == 0} == {"S"}
    sure = [node.id for node, depth in nodes if depth == 2 and node.trust == "S"]
    assert sure == ["L1P1-A1"]
    leaf = next(node for node, _ in nodes if node.id == "L1P1-A1")
    assert leaf.weight == 30
    assert leaf.formula_trust == "S"
    assert framework.stages_trust == "C"


def test_every_weight_of_2018_and_2022_is_marked_as_well_as_it_is_known() -> None:
    found = {one.id: one for one in shipped_frameworks()}
    latest = {node.id: (node.weight, node.trust) for node, _ in found["nsc-2018"].walk()}
    sourced = {"M1", "M2", "M2-A", "M2-C", "M3", "M3-C", "M4", "M5", "M6", "M7", "M8"}
    assert {name for name, (_, trust) in latest.items() if trust == "S"} == sourced
    assert {name for name, (_, trust) in latest.items() if trust == "D"} == {"M2-X", "M3-X"}
    assert latest["M8"][0] is None
    structure = found["gbt-33356-2022"]
    assert all(node.weight is None and node.trust == "M" for node, _ in structure.walk())
    days = [
        (one.in_force_from.isoformat(), str(one.until))
        for one in found.values()
        if one.id in ("nsc-2016", "nsc-2018", "gbt-33356-2022")
    ]
    assert days == [
        ("2016-11-01", "2018-12-01"), ("2018-12-01", "2023-05-01"), ("2023-05-01", "None"),
    ]  # fmt: skip
