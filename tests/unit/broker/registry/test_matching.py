"""Which registrations a request concerns."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chengmai.broker.registry.book import RegistryBook
from chengmai.broker.registry.matching import Match, matching
from chengmai.broker.registry.model import Registration
from chengmai.kernel.instants import parse_us
from tests.unit.broker.registry.builders import TENANT, a_registration, an_info, iri

NOW = parse_us("2026-11-22T08:00:00Z")
ONE, TWO = "urn:ngsi-ld:Vehicle:1", "urn:ngsi-ld:Vehicle:2"


def found(*registrations: Registration, **asked: Any) -> list[Match]:
    which = {"operation": "queryEntity", "ids": None, "types": None, "attributes": None}
    return matching(registrations, **(which | {"now_us": NOW} | asked))


def test_a_type_that_is_asked_for_matches_and_another_does_not() -> None:
    assert found(a_registration(), types=[iri("Vehicle")])
    assert not found(a_registration(), types=[iri("Bus")])


def test_a_type_among_several_is_enough() -> None:
    one = a_registration("one", an_info({"type": ["Bus", "Tram"]}))
    assert found(one, types=[iri("Vehicle"), iri("Tram")])


def test_nothing_asked_matches_everything() -> None:
    assert len(found(a_registration(), a_registration("two", an_info(properties=["speed"])))) == 2


def test_an_id_matches_itself_and_what_names_no_id() -> None:
    by_id = a_registration("id", an_info({"id": ONE, "type": "Vehicle"}))
    by_pattern = a_registration("pattern", an_info({"idPattern": ".*:1$", "type": "Vehicle"}))
    by_type = a_registration("type")
    every = (by_id, by_pattern, by_type)
    assert [m.registration for m in found(*every, ids=[ONE])] == list(every)
    assert [m.registration for m in found(*every, ids=[TWO])] == [by_type]


def test_a_pattern_asked_for_is_held_against_ids_and_meets_every_pattern() -> None:
    by_id = a_registration("id", an_info({"id": ONE, "type": "Vehicle"}))
    by_pattern = a_registration("pattern", an_info({"idPattern": "x", "type": "Vehicle"}))
    assert [m.registration for m in found(by_id, by_pattern, id_pattern="2$")] == [by_pattern]
    assert len(found(by_id, by_pattern, id_pattern="1$")) == 2


def test_an_id_asked_for_makes_the_pattern_irrelevant() -> None:
    by_id = a_registration("id", an_info({"id": ONE, "type": "Vehicle"}))
    assert found(by_id, ids=[ONE], id_pattern="nothing like it")


def test_attributes_are_narrowed_to_those_asked_for() -> None:
    one = a_registration("one", an_info(properties=["speed"], relationships=["parkedAt"]))
    (match,) = found(one, attributes=[iri("speed"), iri("colour")])
    assert match.attributes == frozenset({iri("speed")})
    assert not found(one, attributes=[iri("colour")])


def test_a_source_without_attributes_has_every_attribute() -> None:
    (match,) = found(a_registration(), attributes=[iri("speed")])
    assert match.attributes is None


def test_only_the_parts_that_match_are_told() -> None:
    one = a_registration(
        "one",
        an_info({"id": ONE, "type": "Vehicle"}, properties=["speed"]),
        an_info({"id": TWO, "type": "Vehicle"}, {"type": "Bus"}, properties=["colour"]),
    )
    (match,) = found(one, ids=[TWO], types=[iri("Vehicle")])
    assert match.attributes == frozenset({iri("colour")})
    assert [info.id for info in match.entities] == [TWO]
    assert len(match.information) == 1


def test_an_operation_that_is_not_registered_does_not_match() -> None:
    one = a_registration(operations=["retrieveOps"])
    assert not found(one, operation="createEntity")
    assert found(one, operation="retrieveEntity")


def test_what_has_expired_is_left_out() -> None:
    assert not found(a_registration(expiresAt="2026-11-22T08:00:00Z"))
    assert found(a_registration(expiresAt="2026-11-22T08:00:01Z"))


_TYPES = st.sampled_from(["A", "B", "C"])
_NAMES = st.sampled_from(["p", "q", "r"])
_IDS = st.sampled_from(["urn:x:1", "urn:x:2", "urn:x:3"])


@given(
    types=st.sets(_TYPES, min_size=1),
    names=st.sets(_NAMES),
    fixed=st.none() | _IDS,
    entity_type=_TYPES,
    entity_id=_IDS,
    attribute=_NAMES,
)
def test_what_a_source_may_hold_is_found_however_it_is_asked_for(
    types: set[str],
    names: set[str],
    fixed: str | None,
    entity_type: str,
    entity_id: str,
    attribute: str,
) -> None:
    """A source that may hold an attribute of an entity is asked; one that cannot is not."""
    info = {"type": sorted(types)} | ({"id": fixed} if fixed else {})
    told = {"properties": sorted(names)} if names else {}
    one = a_registration("one", an_info(info, **told))
    may_hold = (
        entity_type in types and fixed in (None, entity_id) and (not names or attribute in names)
    )
    asked = {"ids": [entity_id], "types": [iri(entity_type)], "attributes": [iri(attribute)]}
    assert bool(found(one, **asked)) is may_hold
    for left_out in asked:
        if may_hold:
            assert found(one, **(asked | {left_out: None}))


def test_the_book_keeps_tenants_apart_and_follows_changes() -> None:
    book = RegistryBook()
    assert not book.has(TENANT)
    book.add(a_registration("b"))
    book.add(a_registration("a"))
    book.add(a_registration("a", scope="/new"))
    assert [(one.id[-1], one.scopes) for one in book.of(TENANT)] == [("a", ("/new",)), ("b", ())]
    assert not book.of("elsewhere")
    for name in ("a", "b", "b"):
        book.drop(TENANT, f"urn:ngsi-ld:ContextSourceRegistration:{name}")
    assert not book.has(TENANT)
