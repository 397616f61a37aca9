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
from tests.unit.ngsild.strategies import BODIES, NAMES, WITHOUT_METADATA

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
        ({"valueList": [1]}, {"valueList": [1]}, [1]),
        (
            {"objectList": [{"object": "urn:a:b"}]},
            {"objectList": [{"object": "urn:a:b"}]},
            ["urn:a:b"],
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


FORMS = st.sampled_from(["normalized", "concise"])
OWN_WORDS = ContextCompiler().compile(
    {"speed": "https://example.org/v#speed", "ex": "https://example.org/", "Thing": "ex:Thing"}
)


@given(BODIES, FORMS, st.sampled_from([CTX, OWN_WORDS]))
def test_an_entity_read_back_is_the_same(body: dict[str, Any], form: Any, ctx: Any) -> None:
    entity = expand_entity(body, ctx)
    assert expand_entity(compact_entity(entity, ctx, form=form), ctx) == entity


@given(BODIES, FORMS, FORMS)
def test_one_form_made_of_another_is_that_form(body: dict[str, Any], of: Any, made: Any) -> None:
    entity = expand_entity(body, CTX)
    again = expand_entity(compact_entity(entity, CTX, form=of), CTX)
    assert compact_entity(again, CTX, form=made) == compact_entity(entity, CTX, form=made)


@given(BODIES, FORMS)
def test_a_feature_read_back_is_the_same_entity(body: dict[str, Any], form: Any) -> None:
    entity = expand_entity(body, CTX)
    feature = to_geojson(entity, CTX, form=form)
    assert expand_entity({"id": feature["id"], **feature["properties"]}, CTX) == entity


@given(st.dictionaries(NAMES, WITHOUT_METADATA, max_size=3))
def test_a_value_alone_read_back_is_the_same_where_there_was_nothing_else(values: Any) -> None:
    body = a_body(**{name: {"type": "Property", "value": one} for name, one in values.items()})
    entity = expand_entity(body, CTX)
    alone = compact_entity(entity, CTX, form="simplified")
    assert expand_entity(alone, CTX, simplified=True) == entity
