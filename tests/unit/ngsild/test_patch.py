from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.ngsild.entity import prop, rel
from chengmai.ngsild.expand import expand_attribute, expand_fragment
from chengmai.ngsild.merging import merged_json
from chengmai.ngsild.patch import (
    append,
    created,
    delete_attribute,
    merge,
    partial,
    replace,
    update,
)
from chengmai.ngsild.problems import AttributeMissing, EntityInvalid
from tests.unit.ngsild.builders import CTX, LATER, NOW, NULL, an_entity, iri

A, B = iri("a"), iri("b")


def fragment(**attributes: Any) -> Any:
    """Return a fragment as it is read from a request."""
    return expand_fragment(attributes, CTX, merging=True)


def values(entity: Any, name: str = "a") -> Any:
    """Return the values of an attribute, instance by instance."""
    return [one.get("value", one.get("object")) for one in entity.get(iri(name), [])]


def test_a_created_entity_has_its_system_members_everywhere() -> None:
    entity = created(
        {"id": "urn:a:b", "type": [iri("T")], A: [{**prop(1), B: [prop(2)]}]}, NOW
    ).entity
    assert entity["createdAt"] == entity["modifiedAt"] == NOW
    assert entity[A][0]["createdAt"] == NOW
    assert entity[A][0][B][0]["modifiedAt"] == NOW


def test_append_adds_and_overwrites() -> None:
    result = append(an_entity(a=1), fragment(a=2, b=3), LATER)
    assert values(result.entity) == [2]
    assert values(result.entity, "b") == [3]
    assert result.updated == [A, B]
    assert [name for name, _ in result.changed] == [A, B]


def test_append_keeps_created_at_and_moves_modified_at() -> None:
    entity = append(an_entity(a=1, c=1), fragment(a=2), LATER).entity
    assert (entity[A][0]["createdAt"], entity[A][0]["modifiedAt"]) == (NOW, LATER)
    assert (entity["createdAt"], entity["modifiedAt"]) == (NOW, LATER)
    assert entity[iri("c")][0]["modifiedAt"] == NOW


def test_append_without_overwrite_reports_what_exists() -> None:
    result = append(an_entity(a=1), fragment(a=2, b=3), LATER, overwrite=False)
    assert values(result.entity) == [1]
    assert result.updated == [B]
    assert [name for name, _ in result.not_updated] == [A]


def test_append_adds_types_scopes_and_datasets() -> None:
    entity = {**an_entity(a=1), "scope": ["/x"]}
    patch = {
        **fragment(a={"value": 2, "datasetId": "urn:d:1"}),
        "type": [iri("Thing"), iri("U")],
        "scope": ["/y"],
    }
    made = append(entity, patch, LATER).entity
    assert made["type"] == [iri("Thing"), iri("U")]
    assert made["scope"] == ["/y"]
    assert values(made) == [1, 2]
    assert append(entity, patch, LATER, overwrite=False).entity["scope"] == ["/x", "/y"]


def test_update_replaces_what_exists_adds_what_is_new_and_reports_what_is_no_whole() -> None:
    entity = an_entity(a={**prop(1, unit="GQ")})
    patch = fragment(a={"type": "Property", "value": 2}, c=3, b={"type": "Property"})
    result = update(entity, patch, LATER)
    assert result.entity[iri("c")][0]["value"] == 3
    assert result.entity[A] == [
        {"type": "Property", "value": 2, "createdAt": NOW, "modifiedAt": LATER}
    ]
    assert [name for name, _ in result.not_updated] == [B]


def test_update_with_null_removes_the_instance() -> None:
    result = update(an_entity(a=1, b=2), fragment(a=NULL), LATER)
    assert A not in result.entity
    assert [(name, one["value"]) for name, one in result.removed] == [(A, 1)]


def test_partial_replaces_members_and_keeps_the_others() -> None:
    entity = an_entity(a={**prop(1, unit="GQ"), B: [prop(5)]})
    (patch,) = expand_attribute("a", {"value": 2, "unitCode": None}, CTX)
    (made,) = partial(entity, A, patch, LATER).entity[A]
    assert made["value"] == 2
    assert "unitCode" not in made
    assert made[B][0]["value"] == 5


def test_partial_of_another_kind_is_refused() -> None:
    (patch,) = expand_attribute("a", {"object": "urn:a:b"}, CTX)
    with pytest.raises(EntityInvalid):
        partial(an_entity(a=1), A, patch, LATER)


def test_partial_of_what_is_missing_is_a_problem() -> None:
    (patch,) = expand_attribute("a", {"value": 2, "datasetId": "urn:d:1"}, CTX)
    with pytest.raises(AttributeMissing):
        partial(an_entity(a=1), A, patch, LATER)


def test_merge_reaches_into_values_and_sub_attributes() -> None:
    entity = an_entity(a={**prop({"x": 1, "y": {"z": 2}}), B: [prop(5, unit="GQ")]}, c=3)
    patch = fragment(a={"value": {"y": {"z": 3}, "x": NULL}, "b": {"value": 6}}, c=NULL, d=4)
    made = merge(entity, patch, LATER).entity
    assert values(made) == [{"y": {"z": 3}}]
    assert made[A][0][B][0]["value"] == 6
    assert made[A][0][B][0]["unitCode"] == "GQ"
    assert iri("c") not in made
    assert values(made, "d") == [4]


def test_merge_replaces_geometries_and_lists_whole() -> None:
    point = {"type": "Point", "coordinates": [1, 1]}
    entity = an_entity(
        a={"type": "GeoProperty", "value": {**point, "bbox": [0, 0, 1, 1]}}, b=[[1, 2]]
    )
    made = merge(entity, fragment(a=point, b=[3]), LATER).entity
    assert values(made) == [point]
    assert values(made, "b") == [[3]]


def test_merge_removes_one_language_and_the_attribute_with_its_last() -> None:
    spoken = {"type": "LanguageProperty", "languageMap": {"zh": "路", "en": "road"}}
    entity = an_entity(a=spoken)
    once = merge(entity, fragment(a={"languageMap": {"zh": NULL}}), LATER).entity
    assert once[A][0]["languageMap"] == {"en": "road"}
    assert A not in merge(once, fragment(a={"languageMap": {"en": NULL}}), LATER).entity


def test_replace_keeps_only_id_and_created_at() -> None:
    result = replace(an_entity(a=1, b=2), {"type": [iri("U")], **fragment(b=3)}, LATER)
    assert result.entity["type"] == [iri("U")]
    assert A not in result.entity
    assert (result.entity["createdAt"], result.entity["modifiedAt"]) == (NOW, LATER)
    assert [name for name, _ in result.removed] == [A]


def test_delete_takes_the_default_one_dataset_or_all() -> None:
    entity = an_entity(a=[1, {**prop(2), "datasetId": "urn:d:1"}])
    assert values(delete_attribute(entity, A).entity) == [2]
    assert values(delete_attribute(entity, A, "urn:d:1").entity) == [1]
    assert A not in delete_attribute(entity, A, delete_all=True).entity
    assert delete_attribute(entity, A, now=LATER).entity["modifiedAt"] == LATER


@pytest.mark.parametrize("name", ["b", "id", "type"])
def test_delete_of_what_is_missing_is_a_problem(name: str) -> None:
    with pytest.raises(AttributeMissing):
        delete_attribute(an_entity(a=1), name if name != "b" else B)


PLAIN = st.integers(0, 3) | st.just(NULL)
PATCHES = st.recursive(
    st.dictionaries(st.sampled_from("xyz"), PLAIN, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("xyz"), PLAIN | inner, max_size=3),
    max_leaves=8,
)
ENTITIES = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), max_size=3).map(
    lambda found: an_entity(**found)
)
FRAGMENTS = st.dictionaries(
    st.sampled_from("abcd"),
    st.integers(0, 3)
    | st.fixed_dictionaries({"value": PATCHES.filter(bool)})
    | st.fixed_dictionaries({"object": st.just("urn:a:b")})
    | st.fixed_dictionaries({"value": st.integers(0, 3), "datasetId": st.just("urn:d:1")}),
    max_size=3,
).map(lambda found: fragment(**found))


@given(ENTITIES, FRAGMENTS)
def test_append_is_idempotent(entity: Any, patch: Any) -> None:
    once = append(entity, patch, LATER).entity
    assert append(once, patch, LATER).entity == once


@given(ENTITIES, FRAGMENTS)
def test_merge_is_idempotent(entity: Any, patch: Any) -> None:
    once = merge(entity, patch, LATER).entity
    assert merge(once, patch, LATER).entity == once


@given(ENTITIES, FRAGMENTS)
def test_update_creates_only_what_the_patch_names(entity: Any, patch: Any) -> None:
    made = update(entity, patch, LATER).entity
    assert set(made) <= set(entity) | set(patch)


@given(ENTITIES, FRAGMENTS, st.sampled_from([append, update, merge, replace]))
def test_no_patch_touches_what_came_in(entity: Any, patch: Any, change: Any) -> None:
    before = deepcopy((entity, patch))
    change(change(entity, patch, LATER).entity, patch, LATER)
    assert (entity, patch) == before


def composed(first: Any, then: Any) -> Any:
    """Return the one JSON patch that does what `first` and `then` do (nulls kept)."""
    if not isinstance(then, dict) or not isinstance(first, dict):
        return then
    return {**first, **{key: composed(first.get(key), value) for key, value in then.items()}}


def has_restart(first: Any, then: Any) -> bool:
    """Whether `then` builds an object where `first` put a scalar: no single patch says that."""
    if not isinstance(first, dict) or not isinstance(then, dict):
        return False
    return any(
        (isinstance(value, dict) and key in first and not isinstance(first[key], dict))
        or has_restart(first.get(key), value)
        for key, value in then.items()
    )


@given(PATCHES, PATCHES, PATCHES)
def test_merging_json_is_associative(target: Any, first: Any, then: Any) -> None:
    start = merged_json({}, target)
    if not has_restart(first, then):
        assert merged_json(merged_json(start, first), then) == merged_json(
            start, composed(first, then)
        )


def test_the_kind_changes_when_a_whole_attribute_of_another_kind_is_appended() -> None:
    entity = append(an_entity(a=1), {A: [rel("urn:a:b")]}, LATER).entity
    assert entity[A][0]["object"] == "urn:a:b"
    assert "value" not in entity[A][0]


OBJECTS = PATCHES.filter(bool)


@given(PATCHES.filter(bool), OBJECTS, OBJECTS)
def test_two_merges_are_one_merge_of_both(start: Any, first: Any, then: Any) -> None:
    if has_restart(first, then):
        return
    entity = an_entity(a=prop(merged_json({}, start)))
    one_by_one = merge(entity, fragment(a={"value": first}), LATER).entity
    one_by_one = merge(one_by_one, fragment(a={"value": then}), LATER).entity
    at_once = merge(entity, fragment(a={"value": composed(first, then)}), LATER).entity
    assert one_by_one == at_once


@given(ENTITIES, FRAGMENTS, FRAGMENTS)
def test_merges_of_different_attributes_go_in_any_order(entity: Any, one: Any, other: Any) -> None:
    other = {name: value for name, value in other.items() if name not in one}
    left = merge(merge(entity, one, LATER).entity, other, LATER).entity
    right = merge(merge(entity, other, LATER).entity, one, LATER).entity
    assert left == right
