"""What of an entity an earlier edition of the standard knows."""

from __future__ import annotations

from typing import Any

import pytest

from chengmai.ngsild.earlier import Version, amended


def _entity(**members: Any) -> dict[str, Any]:
    return {"id": "urn:x:1", "type": "T"} | members


@pytest.mark.parametrize(
    ("kind", "member", "version", "shown_as", "shown_in"),
    [
        ("LanguageProperty", "languageMap", (1, 3), "Property", "value"),
        ("LanguageProperty", "languageMap", (1, 4), "LanguageProperty", "languageMap"),
        ("VocabProperty", "vocab", (1, 7), "Property", "value"),
        ("VocabProperty", "vocab", (1, 8), "VocabProperty", "vocab"),
        ("JsonProperty", "json", (1, 5), "Property", "value"),
        ("ListProperty", "valueList", (1, 5), "Property", "value"),
        ("ListRelationship", "objectList", (1, 5), "Relationship", "object"),
    ],
)
def test_a_kind_that_came_later_is_shown_as_one_that_was_there(
    kind: str, member: str, version: Version, shown_as: str, shown_in: str
) -> None:
    given = _entity(a={"type": kind, member: {"en": "x"}, "sub": {"type": kind, member: "y"}})
    a = amended(given, version)["a"]
    assert (a["type"], a[shown_in]) == (shown_as, {"en": "x"})
    assert a["sub"] == {"type": shown_as, shown_in: "y"}


def test_members_that_came_later_are_left_out() -> None:
    given = _entity(
        scope="/a",
        expiresAt="2030-01-01T00:00:00Z",
        a={"type": "Relationship", "object": "urn:x:2", "objectType": "B", "expiresAt": "…"},
    )
    assert amended(given, (1, 8)) == _entity(
        scope="/a", a={"type": "Relationship", "object": "urn:x:2", "objectType": "B"}
    )
    assert amended(given, (1, 3)) == _entity(a={"type": "Relationship", "object": "urn:x:2"})


def test_the_first_editions_know_one_type_and_one_instance() -> None:
    instances = [
        {"type": "Property", "value": 1, "datasetId": "urn:d:1"},
        {"type": "Property", "value": 2},
    ]
    given = _entity(type=["A", "B"], a=instances)
    assert amended(given, (1, 2)) == _entity(type="A", a={"type": "Property", "value": 2})
    over_time = amended(given, (1, 2), over_time=True)
    assert [one["value"] for one in over_time["a"]] == [1, 2]


def test_values_are_never_touched() -> None:
    value = {"type": "VocabProperty", "vocab": "x", "expiresAt": 1}
    given = _entity(a={"type": "Property", "value": value}, b=[{"type": 1}], c="text")
    assert amended(given, (1, 0)) == given


def test_lists_and_geojson_are_amended_within() -> None:
    vocab = {"type": "VocabProperty", "vocab": "x"}
    feature = {"id": "urn:x:1", "type": "Feature", "geometry": None, "properties": {"a": vocab}}
    collection = {"type": "FeatureCollection", "features": [feature]}
    (made,) = amended(collection, (1, 5))["features"]
    assert made["properties"]["a"] == {"type": "Property", "value": "x"}
    assert amended([_entity(a=vocab)], (1, 5))[0]["a"]["type"] == "Property"
