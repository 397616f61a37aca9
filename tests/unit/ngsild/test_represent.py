from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.ngsild.contexts import ContextCompiler
from chengmai.ngsild.entity import LOCATION, Entity, geo, prop, words
from chengmai.ngsild.expand import expand_entity
from chengmai.ngsild.languages import in_language
from chengmai.ngsild.represent import (
    compact_entity,
    to_feature_collection,
    to_geojson,
)
from tests.unit.ngsild.builders import CTX, NOW, a_body, an_entity, iri

POINT = {"type": "Point", "coordinates": [116.4, 39.9]}


def shown(entity: Entity, form: Any = "normalized", **options: Any) -> Any:
    """Return how attribute `a` of `entity` is shown."""
    return compact_entity(entity, CTX, form=form, **options)["a"]


@pytest.mark.parametrize(
    ("sent", "concise", "simplified"),
    [
        ({"value": 5}, 5, 5),
        ({"value": 5, "unitCode": "GQ"}, {"value": 5, "unitCode": "GQ"}, 5),
        ({"value": {"x": 1}}, {"value": {"x": 1}}, {"x": 1}),
        ({"value": [{"value": 1}]}, {"value": [{"value": 1}]}, [{"value": 1}]),
        (POINT, POINT, POINT),
        ({"type": "Property", "value": POINT}, {"type": "Property", "value": POINT}, POINT),
        ({"object": "urn:a:b"}, {"object": "urn:a:b"}, "urn:a:b"),
        (
            {"languageMap": {"zh": "路"}},
            {"languageMap": {"zh": "路"}},
            {"languageMap": {"zh": "路"}},
        ),
        ({"vocab": "road"}, {"vocab": "road"}, {"vocab": "road"}),
        ({"json": {"x": 1}}, {"json": {"x": 1}}, {"json": {"x": 1}}),
        ({"valueList": [1]}, {"valueList": [1]}, {"valueList": [1]}),
        (
            {"objectList": [{"object": "urn:a:b"}]},
            {"objectList": [{"object": "urn:a:b"}]},
            {"objectList": ["urn:a:b"]},
        ),
    ],
)
def test_each_kind_is_shown_in_each_form(sent: Any, concise: Any, simplified: Any) -> None:
    entity = expand_entity(a_body(a=sent), CTX)
    assert shown(entity, "concise") == concise
    assert shown(entity, "simplified") == simplified


def test_one_type_and_scope_are_texts_and_several_are_lists() -> None:
    one = {"id": "urn:a:b", "type": [iri("T")], "scope": ["/a"]}
    many = {"id": "urn:a:b", "type": [iri("T"), iri("U")], "scope": ["/a", "/b"]}
    assert compact_entity(one, CTX) == {"id": "urn:a:b", "type": "T", "scope": "/a"}
    assert compact_entity(many, CTX) == {"id": "urn:a:b", "type": ["T", "U"], "scope": ["/a", "/b"]}


def test_system_members_are_shown_on_request_only() -> None:
    entity = an_entity(a=5)
    assert "createdAt" not in compact_entity(entity, CTX)
    assert shown(entity) == {"type": "Property", "value": 5}
    assert shown(entity, sys_attrs=True)["modifiedAt"] == NOW
    assert compact_entity(entity, CTX, sys_attrs=True)["createdAt"] == NOW


def test_several_instances_are_a_list_or_a_dataset_map() -> None:
    entity = an_entity(a=[1, {**prop(2), "datasetId": "urn:d:1"}])
    assert [one["value"] for one in shown(entity)] == [1, 2]
    assert shown(entity, "concise") == [{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}]
    assert shown(entity, "simplified") == {"dataset": {"@none": 1, "urn:d:1": 2}}
    assert shown(entity, datasets={"urn:d:1"})["value"] == 2
    assert shown(entity, datasets={"@none"})["value"] == 1
    assert "a" not in compact_entity(entity, CTX, datasets={"urn:d:9"})


def test_attrs_pick_and_omit_choose_members() -> None:
    entity = an_entity(a=1, b=2)
    assert set(compact_entity(entity, CTX, attrs={iri("a")})) == {"id", "type", "a"}
    assert set(compact_entity(entity, CTX, pick={"id", iri("a")})) == {"id", "a"}
    assert set(compact_entity(entity, CTX, omit={"type", iri("a")})) == {"id", "b"}


def test_names_come_from_the_context_of_the_reader() -> None:
    mine = ContextCompiler().compile({"feinstaub": iri("pm25"), "Messung": iri("Thing")})
    made = compact_entity(an_entity(pm25=5), mine, form="simplified")
    assert made == {"id": "urn:ngsi-ld:Thing:1", "type": "Messung", "feinstaub": 5}


def test_the_language_filter_shows_one_text() -> None:
    entity = an_entity(a=words({"zh": "路", "en": "road"}))
    assert shown(entity, lang="zh") == {"type": "Property", "value": "路", "lang": "zh"}
    assert shown(entity, "simplified", lang="en") == "road"


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("zh", "zh-CN"),
        ("zh-TW, en;q=0.5", "en"),
        ("fr;q=0.2, en;q=0.9", "en"),
        ("ZH-cn", "zh-CN"),
        ("en-GB", "en"),
        ("*", "zh-CN"),
        ("fr", "en"),
        ("fr;q=x, en;q=0", "en"),
    ],
)
def test_the_best_language_is_chosen(wanted: str, language: str) -> None:
    assert in_language({"zh-CN": "路", "en": "road"}, wanted)[0] == language


def test_a_feature_has_the_geometry_and_the_rest_as_properties() -> None:
    entity = an_entity(location=geo(POINT), a=5)
    feature = to_geojson(entity, CTX, form="simplified")
    assert feature["id"] == entity["id"]
    assert feature["geometry"] == POINT
    assert feature["properties"] == {"type": "Thing", "location": POINT, "a": 5}


def test_a_feature_without_the_geometry_has_null() -> None:
    made = to_feature_collection([an_entity(a=5)], CTX, geometry_property=LOCATION)
    assert made["type"] == "FeatureCollection"
    assert made["features"][0]["geometry"] is None


SCALARS = (
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5).map(lambda t: "x" + t)
)
PLAIN = SCALARS | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.sampled_from(["a", "b", "speed", "https://example.org/a#b", "value2", "道路"])
LOOKALIKES = st.sampled_from(["value", "type", "object", "coordinates", "datasetId", "@value", "x"])
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(LOOKALIKES, inner | st.sampled_from(["Point", "Property"]), max_size=3)
    ),
    max_leaves=5,
)
POSITIONS = st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(list)
POINTS = POSITIONS.map(lambda at: {"type": "Point", "coordinates": at})
URNS = st.integers(0, 9).map(lambda n: f"urn:ngsi-ld:Thing:{n}")
BARE = (
    VALUES.map(lambda v: {"type": "Property", "value": v})
    | POINTS.map(lambda v: {"type": "GeoProperty", "value": v})
    | POINTS.map(lambda v: {"type": "Property", "value": v})
    | URNS.map(lambda v: {"type": "Relationship", "object": v})
    | st.dictionaries(st.sampled_from(["zh", "en", "@none"]), st.text(), min_size=1).map(
        lambda v: {"type": "LanguageProperty", "languageMap": v}
    )
    | NAMES.map(lambda v: {"type": "VocabProperty", "vocab": v})
    | VALUES.map(lambda v: {"type": "JsonProperty", "json": v})
    | st.lists(VALUES, max_size=3).map(lambda v: {"type": "ListProperty", "valueList": v})
    | st.lists(URNS, max_size=3).map(lambda v: {"type": "ListRelationship", "objectList": v})
)
MEMBERS = st.fixed_dictionaries(
    {}, optional={"observedAt": st.just(NOW), "unitCode": st.just("GQ"), "datasetId": URNS}
)
LEAVES = st.builds(lambda bare, members: {**bare, **members}, BARE, MEMBERS)
ATTRIBUTES = st.builds(
    lambda leaf, subs: {**subs, **leaf}, LEAVES, st.dictionaries(NAMES, LEAVES, max_size=2)
)
SEVERAL = st.lists(ATTRIBUTES, min_size=1, max_size=3, unique_by=lambda one: one.get("datasetId"))
BODIES = st.dictionaries(NAMES, ATTRIBUTES | SEVERAL, max_size=3).map(lambda a: a_body(**a))


@given(BODIES, st.sampled_from(["normalized", "concise"]))
def test_an_entity_read_back_is_the_same(body: dict[str, Any], form: Any) -> None:
    entity = expand_entity(body, CTX)
    assert expand_entity(compact_entity(entity, CTX, form=form), CTX) == entity
