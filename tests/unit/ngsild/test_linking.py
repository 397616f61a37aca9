"""Linked entities (GS CIM 009 V1.9.1, clause 4.5.23), and queries about them (clause 4.9)."""

from __future__ import annotations

from typing import Any

from chengmai.ngsild.entity import Entity
from chengmai.ngsild.linking import joined
from chengmai.ngsild.projection import View, parse_projection
from chengmai.ngsild.q import matches, parse_q
from chengmai.ngsild.represent import compact_entity
from tests.unit.ngsild.builders import CTX, iri


def _place(name: str, inside: Any = None, **attributes: Any) -> Entity:
    made: Entity = {"id": f"urn:x:{name}", "type": [iri("Place")]}
    if inside is not None:
        made[iri("in")] = [{"type": "Relationship", "object": inside}]
    for key, value in attributes.items():
        made[iri(key)] = [{"type": "Property", "value": value}]
    return made


HOUSE = _place("house", "urn:x:town", storeys=3)
TOWN = _place("town", "urn:x:land", people=9)
LAND = _place("land", "urn:x:house")
WORLD = {one["id"]: one for one in (HOUSE, TOWN, LAND)}


def _shown(join: Any, level: int = 1, view: View | None = None, **more: Any) -> list[Any]:
    found = joined([HOUSE], view or View(), join, level, WORLD.get, **more)
    return [compact_entity(one, CTX, form="simplified") for one in found]


def test_without_a_join_links_stay_ids() -> None:
    assert _shown(None)[0]["in"] == "urn:x:town"


def test_inline_puts_the_entity_where_its_id_was() -> None:
    (house,) = _shown("inline")
    assert house["in"] == {
        "id": "urn:x:town",
        "type": "Place",
        "in": "urn:x:land",
        "people": 9,
    }


def test_inline_keeps_object_and_entity_when_normalized() -> None:
    (house,) = joined([HOUSE], View(), "inline", 1, WORLD.get)
    link = compact_entity(house, CTX)["in"]
    assert (link["object"], link["entity"]["id"]) == ("urn:x:town", "urn:x:town")


def test_what_leads_back_to_where_it_came_from_stays_an_id() -> None:
    (house,) = _shown("inline", level=5)
    assert house["in"]["in"]["in"] == "urn:x:house"


def test_flat_lists_each_entity_once_after_those_asked_for() -> None:
    assert [one["id"] for one in _shown("flat", level=5)] == [
        "urn:x:house",
        "urn:x:town",
        "urn:x:land",
    ]


def test_what_contains_it_is_not_shown_again() -> None:
    (house,) = _shown("inline", contained_by=["urn:x:town"])
    assert house["in"] == "urn:x:town"
    assert len(_shown("flat", level=3, contained_by=["urn:x:town"])) == 1


def test_an_entity_that_is_not_here_stays_an_id() -> None:
    found = joined([_place("a", "urn:x:gone")], View(), "inline", 1, WORLD.get)
    assert compact_entity(found[0], CTX, form="simplified")["in"] == "urn:x:gone"


def test_several_targets_become_a_list() -> None:
    both = _place("a", ["urn:x:town", "urn:x:land"])
    found = joined(
        [both], View(pick=parse_projection("in{id}", CTX, "pick")), "inline", 1, WORLD.get
    )
    assert compact_entity(found[0], CTX, form="simplified")["in"] == [
        {"id": "urn:x:town"},
        {"id": "urn:x:land"},
    ]


def test_a_projection_goes_on_in_what_is_linked() -> None:
    view = View(pick=parse_projection("id,in{people}", CTX, "pick"))
    assert _shown("inline", view=view) == [{"id": "urn:x:house", "in": {"people": 9}}]


def test_links_that_are_not_shown_are_not_followed() -> None:
    view = View(pick=parse_projection("id,storeys", CTX, "pick"))
    assert _shown("flat", view=view) == [{"id": "urn:x:house", "storeys": 3}]


def test_a_query_looks_into_linked_entities() -> None:
    for text, holds in [
        ("in{people}==9", True),
        ("in{people}>9", False),
        ("in{in{people}}==9", False),
        ("in{Place:people}==9", True),
        ("in{Other:people}==9", False),
        ("in{people}", True),
        ("!in{storeys}", True),
        ("in{in{in{storeys}}}==3", True),
    ]:
        assert matches(parse_q(text, CTX), HOUSE, WORLD.get) is holds, text


def test_without_a_look_up_no_linked_entity_matches() -> None:
    assert not matches(parse_q("in{people}==9", CTX), HOUSE)
