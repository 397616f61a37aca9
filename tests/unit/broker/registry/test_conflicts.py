"""Which registrations cannot stand beside each other (clause 4.3.6.3)."""

from __future__ import annotations

from typing import Any

import pytest

from chengmai.broker.registry.conflicts import check_against_entities, check_against_others
from chengmai.broker.registry.model import Registration
from chengmai.broker.registry.problems import RegistrationConflict
from chengmai.kernel.instants import parse_us
from tests.unit.broker.registry.builders import a_registration, an_info, iri

NOW = parse_us("2026-11-22T08:00:00Z")
ONE, TWO = "urn:ngsi-ld:Vehicle:1", "urn:ngsi-ld:Vehicle:2"


def exclusive(name: str, entity: str = ONE, attribute: str = "speed", **more: Any) -> Registration:
    info = an_info({"id": entity, "type": "Vehicle"}, properties=[attribute])
    return a_registration(name, info, mode="exclusive", **more)


def redirect(name: str, *information: dict[str, Any]) -> Registration:
    return a_registration(name, *information, mode="redirect")


def conflicts(new: Registration, *others: Registration) -> bool:
    try:
        check_against_others(new, others, now_us=NOW)
    except RegistrationConflict:
        return True
    return False


def test_one_attribute_of_one_entity_has_one_exclusive_source() -> None:
    assert conflicts(exclusive("new"), exclusive("old"))
    assert not conflicts(exclusive("new", TWO), exclusive("old"))
    assert not conflicts(exclusive("new", attribute="colour"), exclusive("old"))


def test_no_redirect_may_cover_what_is_exclusive_nor_the_other_way_round() -> None:
    whole = redirect("redirect", an_info({"type": "Vehicle"}))
    assert conflicts(whole, exclusive("old"))
    assert conflicts(exclusive("new"), whole)


def test_a_pattern_covers_the_ids_that_it_matches() -> None:
    other = redirect("redirect", an_info({"type": "Vehicle", "idPattern": ":2$"}))
    assert not conflicts(other, exclusive("old", ONE))
    assert conflicts(other, exclusive("old", TWO))


def test_redirects_may_overlap_each_other() -> None:
    assert not conflicts(redirect("new"), redirect("old"))


@pytest.mark.parametrize("mode", ["inclusive", "auxiliary"])
def test_what_is_shared_conflicts_with_nothing(mode: str) -> None:
    shared = a_registration("shared", mode=mode)
    assert not conflicts(shared, exclusive("old"))
    assert not conflicts(exclusive("new"), shared)


def test_a_registration_does_not_conflict_with_what_it_replaces_or_what_has_expired() -> None:
    assert not conflicts(exclusive("same"), exclusive("same"))
    assert not conflicts(exclusive("new"), exclusive("old", expiresAt="2026-11-22T07:00:00Z"))


def an_entity(entity_id: str = ONE, **attributes: Any) -> dict[str, Any]:
    return {"id": entity_id, "type": [iri("Vehicle")]} | {
        iri(name): [{"type": "Property", "value": value}] for name, value in attributes.items()
    }


def refused(new: Registration, entity: dict[str, Any]) -> bool:
    try:
        check_against_entities(new, [entity])
    except RegistrationConflict:
        return True
    return False


def test_an_entity_here_must_not_have_what_becomes_exclusive() -> None:
    assert refused(exclusive("new"), an_entity(speed=3))
    assert not refused(exclusive("new"), an_entity(colour="red"))
    assert not refused(exclusive("new"), an_entity(TWO, speed=3))


def test_an_entity_here_must_not_be_one_that_is_redirected() -> None:
    whole = redirect("new", an_info({"type": "Vehicle", "idPattern": ":1$"}))
    assert refused(whole, an_entity())
    assert not refused(whole, an_entity(TWO))
    assert not refused(redirect("new", an_info({"type": "Bus"})), an_entity())


def test_an_inclusive_source_may_have_what_is_here() -> None:
    assert not refused(a_registration("new"), an_entity(speed=3))
