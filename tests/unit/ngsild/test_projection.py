"""pick and omit (GS CIM 009 V1.9.1, clause 4.21)."""

from __future__ import annotations

import pytest

from chengmai.ngsild.problems import QueryInvalid
from chengmai.ngsild.projection import View, check_apart, parse_projection
from tests.unit.ngsild.builders import CTX, an_entity, iri


def test_a_projection_is_a_tree_of_expanded_names() -> None:
    tree = parse_projection("id,a,link{type,b{c}}", CTX, "pick")
    assert tree == {
        "id": None,
        iri("a"): None,
        iri("link"): {"type": None, iri("b"): {iri("c"): None}},
    }
    assert View(pick=tree).depth == 2


def test_the_bar_separates_as_the_comma_does() -> None:
    assert parse_projection("a|b", CTX, "omit") == parse_projection("a,b", CTX, "omit")


@pytest.mark.parametrize(
    "text",
    [
        *["", ",", "a,", "a,,b", "a;b", "a{", "a{}", "a{{b}", "a{b", "a{,b}", "a}b", "a b", "[a]"],
        "a{" * 12 + "b" + "}" * 12,
    ],
)
def test_a_text_that_is_no_projection_is_refused(text: str) -> None:
    with pytest.raises(QueryInvalid) as problem:
        parse_projection(text, CTX, "pick")
    assert problem.value.param == "pick"


def test_pick_keeps_and_omit_leaves_out() -> None:
    entity = an_entity(a=1, b=2)
    assert set(View(pick={"id": None, iri("a"): None}).of(entity)) >= {"id", iri("a")}
    assert iri("b") not in View(pick={"id": None, iri("a"): None}).of(entity)
    assert iri("a") not in View(omit={iri("a"): None}).of(entity)


def test_omitting_inside_a_link_keeps_the_link() -> None:
    view = View(omit={iri("a"): {iri("b"): None}})
    assert iri("a") in view.of(an_entity(a=1))
    assert view.below(iri("a")).omit == {iri("b"): None}


def test_nothing_is_left_when_only_stamps_would_be() -> None:
    assert View(pick={iri("other"): None}).of(an_entity(a=1)) == {}
    assert View(pick={"createdAt": None}).of(an_entity(a=1)) != {}


def test_datasets_keep_the_instances_that_are_named() -> None:
    entity = an_entity(a=[{"type": "Property", "value": 1}, _dataset(2)], b=3)
    shown = View(datasets={"urn:d:1"}).of(entity)
    assert [one["value"] for one in shown[iri("a")]] == [2]
    assert iri("b") not in shown
    assert [one["value"] for one in View(datasets={"@none"}).of(entity)[iri("a")]] == [1]


def test_everything_is_shown_without_a_copy() -> None:
    entity = an_entity(a=1)
    assert View().of(entity) is entity


def test_a_member_cannot_be_picked_and_omitted() -> None:
    with pytest.raises(QueryInvalid):
        check_apart({"id": None}, {"id": None})
    with pytest.raises(QueryInvalid):
        check_apart({"a": {"b": None}}, {"a": {"b": None}})
    check_apart({"a": {"b": None}}, {"a": {"c": None}})


def _dataset(value: int) -> dict[str, object]:
    return {"type": "Property", "value": value, "datasetId": "urn:d:1"}
