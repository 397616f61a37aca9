"""The order of answers (GS CIM 009 V1.9.1, clause 4.23)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.ngsild.entity import Entity
from chengmai.ngsild.ordering import parse_ordering
from chengmai.ngsild.problems import GeometryInvalid, QueryInvalid
from tests.unit.ngsild.builders import CTX, an_entity

HERE = {"type": "Point", "coordinates": [8.0, 40.0]}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=4),
    st.lists(st.integers(), max_size=2),
)


def _things(*values: Any) -> list[Entity]:
    made = []
    for at, value in enumerate(values):
        entity = an_entity() if value is None else an_entity(a=_instance(value))
        made.append({**entity, "id": f"urn:x:{at}"})
    return made


def _instance(value: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value}


def _order(things: list[Entity], *criteria: str, **more: Any) -> str:
    made = parse_ordering(criteria, CTX, **more).apply(things)
    return "".join(one["id"][-1] for one in made)


def test_data_types_have_an_order_and_what_is_missing_is_last() -> None:
    things = _things(None, [1], True, "b", 5, "a", 3)
    assert _order(things, "a") == "6453210"
    assert _order(things, "a;desc") == "1235460"


def test_what_is_equal_is_ordered_by_the_next_criterion() -> None:
    things = _things(1, 1, 0)
    assert _order(things, "a;desc", "id;desc") == "102"


def test_members_sub_attributes_and_parts_of_values_can_be_asked_for() -> None:
    things = _things({"city": "Z"}, {"city": "A"})
    assert _order(things, "a[city]") == "10"
    assert _order(things, "a.modifiedAt", "id") == "01"
    assert _order(things, "createdAt", "id;desc") == "10"


def test_distance_is_from_the_place_given() -> None:
    near, far = (
        {**an_entity(location={"type": "GeoProperty", "value": _point(x)}), "id": f"urn:x:{n}"}
        for n, x in enumerate((8.1, 9.0))
    )
    nowhere = {**an_entity(), "id": "urn:x:2"}
    things = [nowhere, far, near]
    assert _order(things, "location;dist-asc", origin=HERE) == "012"
    assert _order(things, "location;dist-desc", origin=HERE) == "102"


def test_a_collation_puts_letters_before_accents() -> None:
    things = _things("Zebra", "Ähre", "apfel")
    assert _order(things, "a") == "021"
    assert _order(things, "a", collation="de") == "120"


@pytest.mark.parametrize("criterion", ["", "a;up", "a;dist-asc", "a b", "a[", "a..b", "a;desc;asc"])
def test_what_is_no_order_is_refused(criterion: str) -> None:
    with pytest.raises(QueryInvalid):
        parse_ordering([criterion], CTX)


def test_a_collation_must_be_a_language_tag_and_a_place_a_geometry() -> None:
    with pytest.raises(QueryInvalid):
        parse_ordering(["a"], CTX, collation="not a tag")
    with pytest.raises(GeometryInvalid):
        parse_ordering(["a"], CTX, origin={"type": "Point", "coordinates": "8,40"})


@given(st.lists(VALUES, max_size=6))
def test_any_values_can_be_ordered_and_none_is_lost(values: list[Any]) -> None:
    things = _things(*values)
    once = parse_ordering(["a"], CTX).apply(things)
    assert sorted(one["id"] for one in once) == sorted(one["id"] for one in things)
    assert parse_ordering(["a"], CTX).apply(once) == once


def _point(x: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [x, 40.0]}
