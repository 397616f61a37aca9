from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.kernel.problems import Invalid
from chengmai.ngsild.entity import VALUE_MEMBER
from chengmai.ngsild.expand import expand_attribute, expand_entity, expand_fragment
from chengmai.ngsild.particular import is_null
from chengmai.ngsild.problems import EntityInvalid
from tests.unit.ngsild.builders import CTX, NULL, a_body, iri


def read(value: Any, **rules: Any) -> Any:
    """Return the single instance that attribute `a` with `value` is read as."""
    (instance,) = expand_entity(a_body(a=value), CTX, **rules)[iri("a")]
    return instance


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (5, {"type": "Property", "value": 5}),
        (False, {"type": "Property", "value": False}),
        ([1, 2], {"type": "Property", "value": [1, 2]}),
        ([], {"type": "Property", "value": []}),
        ([{"x": 1}], {"type": "Property", "value": [{"x": 1}]}),
        ({"value": {"x": 1}}, {"type": "Property", "value": {"x": 1}}),
        (
            {"@type": "DateTime", "@value": "2026-01-01T00:00:00Z"},
            {"type": "Property", "value": {"@type": "DateTime", "@value": "2026-01-01T00:00:00Z"}},
        ),
        ({"object": "urn:a:b"}, {"type": "Relationship", "object": "urn:a:b"}),
        (
            {"type": "Relationship", "object": ["urn:a:b", "urn:a:c"]},
            {"type": "Relationship", "object": ["urn:a:b", "urn:a:c"]},
        ),
        ({"languageMap": {"zh": "路"}}, {"type": "LanguageProperty", "languageMap": {"zh": "路"}}),
        ({"vocab": "road"}, {"type": "VocabProperty", "vocab": iri("road")}),
        ({"vocab": ["a", "b"]}, {"type": "VocabProperty", "vocab": [iri("a"), iri("b")]}),
        ({"json": {"x": None}}, {"type": "JsonProperty", "json": {"x": None}}),
        ({"valueList": [1]}, {"type": "ListProperty", "valueList": [1]}),
        (
            {"objectList": ["urn:a:b"]},
            {"type": "ListRelationship", "objectList": [{"object": "urn:a:b"}]},
        ),
        (
            {"type": "Point", "coordinates": [116.4, 39.9]},
            {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [116.4, 39.9]}},
        ),
        (
            {"value": {"type": "Point", "coordinates": [116.4, 39.9]}},
            {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [116.4, 39.9]}},
        ),
        (
            {"object": "urn:a:b", "objectType": "Road"},
            {"type": "Relationship", "object": "urn:a:b", "objectType": iri("Road")},
        ),
    ],
)
def test_each_kind_is_read(sent: Any, stored: Any) -> None:
    assert read(sent) == stored


def test_sub_attributes_are_read_to_any_depth() -> None:
    stored = read(
        {"type": "Property", "value": 1, "quality": {"value": 2, "by": {"object": "urn:a:b"}}}
    )
    assert stored[iri("quality")][0][iri("by")] == [{"type": "Relationship", "object": "urn:a:b"}]


def test_instants_are_in_utc_and_kept_as_they_came() -> None:
    for at in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.500Z"):
        assert read({"value": 1, "observedAt": at})["observedAt"] == at
    with pytest.raises(EntityInvalid, match="not in UTC"):
        read({"value": 1, "observedAt": "2026-01-01T08:00:00.500+08:00"})


def test_what_only_the_broker_writes_is_ignored() -> None:
    stored = read({"value": 1, "createdAt": "never", "instanceId": "urn:x:y", "modifiedAt": 5})
    assert stored == {"type": "Property", "value": 1}


def test_several_instances_are_told_apart_by_dataset() -> None:
    body = a_body(a=[{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}])
    assert [one.get("datasetId") for one in expand_entity(body, CTX)[iri("a")]] == [None, "urn:d:1"]


def test_the_same_dataset_twice_is_refused_unless_the_form_is_temporal() -> None:
    body = a_body(a=[{"type": "Property", "value": 1}, {"type": "Property", "value": 2}])
    with pytest.raises(EntityInvalid):
        expand_entity(body, CTX)
    assert len(expand_entity(body, CTX, temporal=True)[iri("a")]) == 2


def test_types_and_scopes_become_lists() -> None:
    entity = expand_entity(a_body(scope="/Beijing/Haidian"), CTX)
    assert entity["type"] == [iri("Thing")]
    assert entity["scope"] == ["/Beijing/Haidian"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"type": "T"}, "id"),
        ({"id": "no uri", "type": "T"}, "id"),
        ({"id": "urn:a:b"}, "type"),
        ({"id": "urn:a:b", "type": []}, "type"),
        (a_body(scope="Beijing"), "scope"),
        (a_body(a=None), "a"),
        (a_body(a=NULL), "a"),
        (a_body(a={}), "a"),
        (a_body(a={"type": "Property"}), "a"),
        (a_body(a={"type": "Nothing", "value": 1}), "a.type"),
        (a_body(a={"type": "Property", "object": "urn:a:b"}), "a.object"),
        (a_body(a={"object": "no uri"}), "a.object"),
        (a_body(a={"value": 1, "observedAt": "yesterday"}), "a.observedAt"),
        (a_body(a={"value": 1, "observedAt": "2026-01-01T00:00:00"}), "a.observedAt"),
        (a_body(a={"value": 1, "observedAt": "0001-01-01T00:00:00+14:00"}), "a.observedAt"),
        (a_body(a={"value": 1, "unitCode": 5}), "a.unitCode"),
        (a_body(a={"value": 1, "datasetId": "x"}), "a.datasetId"),
        (a_body(a={"value": 1, "b": {"value": 2, "observedAt": 3}}), "a.b.observedAt"),
        (
            a_body(a=[{"value": 1}, {"value": 2, "datasetId": "urn:d:1", "unitCode": 1}]),
            "a[1].unitCode",
        ),
        (a_body(a={"languageMap": {"zh": 5}}), "a.languageMap"),
        (a_body(a={"vocab": 5}), "a.vocab"),
        (a_body(a={"json": None}), "a.json"),
        (a_body(**{"a b": 1}), "a b"),
        (a_body(**{"pm2.5": 1}), "pm2.5"),
        (a_body(**{"@x": 1}), "@x"),
        (a_body(a=1, **{iri("a"): 2}), iri("a")),
        (a_body(a={"value": float("nan")}), "a.value"),
        (a_body(a={"value": [2**63]}), "a.value.0"),
        (a_body(location={"type": "Point", "coordinates": [200, 0]}), "location"),
        (a_body(location={"type": "GeoProperty", "value": {"type": "Point"}}), "location.value"),
    ],
)
def test_a_body_that_breaks_a_rule_is_refused_with_its_path(body: Any, param: str) -> None:
    with pytest.raises(Invalid) as problem:
        expand_entity(body, CTX)
    assert problem.value.param == param
    assert problem.value.fix


def test_a_body_too_deep_or_too_wide_is_refused() -> None:
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    for value in (deep, {str(n): n for n in range(10_001)}):
        with pytest.raises(EntityInvalid, match="cannot be kept"):
            expand_entity(a_body(a={"value": value}), CTX)


def test_a_fragment_reads_json_null_as_removal() -> None:
    fragment = expand_fragment(
        {"a": None, "b": {"value": None}, "c": {"value": 1, "unitCode": None}, "d": NULL}, CTX
    )
    assert is_null(fragment[iri("a")][0])
    assert is_null(fragment[iri("b")][0])
    assert is_null(fragment[iri("d")][0])
    assert fragment[iri("c")][0] == {"type": "Property", "value": 1, "unitCode": NULL}


def test_a_fragment_may_say_only_what_changes() -> None:
    assert expand_attribute("a", {"unitCode": "GQ"}, CTX) == [{"unitCode": "GQ"}]


def test_a_complete_fragment_demands_whole_attributes() -> None:
    with pytest.raises(EntityInvalid):
        expand_fragment({"a": {"unitCode": "GQ"}}, CTX, complete=True)


def test_simplified_form_keeps_objects_as_values() -> None:
    assert read({"x": 1}, simplified=True) == {"type": "Property", "value": {"x": 1}}
    assert read({"languageMap": {"zh": "路"}}, simplified=True)["type"] == "LanguageProperty"
    datasets = expand_entity(
        a_body(a={"dataset": {"@none": 1, "urn:d:1": 2}}), CTX, simplified=True
    )[iri("a")]
    assert [one.get("datasetId") for one in datasets] == [None, "urn:d:1"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *VALUE_MEMBER.values(),
                    "type",
                    "datasetId",
                    "observedAt",
                    "coordinates",
                    "x",
                    "@id",
                ]
            ),
            inner | st.sampled_from([*VALUE_MEMBER, "Point", "urn:a:b", NULL]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.booleans(), st.booleans(), st.booleans())
def test_any_json_is_an_entity_or_an_invalid_problem(
    value: Any, fragment: bool, simplified: bool, temporal: bool
) -> None:
    with suppress(Invalid):
        expand_entity(
            a_body(a=value), CTX, fragment=fragment, simplified=simplified, temporal=temporal
        )


@given(JSON)
def test_any_json_as_a_body_is_an_entity_or_an_invalid_problem(body: Any) -> None:
    for read_body in (expand_entity, expand_fragment):
        with suppress(Invalid):
            read_body(body, CTX)
