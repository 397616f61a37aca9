"""Reading registrations."""

from __future__ import annotations

from typing import Any

import pytest

from chengmai.broker.registry.documents import read_document, read_fragment
from chengmai.broker.registry.model import Interval, Mode, compile_registration
from chengmai.broker.registry.operations import GROUPS, OPERATIONS, resolved
from chengmai.broker.registry.problems import RegistrationInvalid
from chengmai.kernel.instants import parse_us
from tests.unit.broker.registry.builders import (
    CONTEXTS,
    TENANT,
    a_document,
    a_registration,
    an_info,
    iri,
)

VEHICLE = {"id": "urn:ngsi-ld:Vehicle:1", "type": "Vehicle"}


def test_a_registration_is_inclusive_and_federated_where_it_does_not_say() -> None:
    made = a_registration()
    assert made.mode is Mode.INCLUSIVE
    assert made.operations == GROUPS["federationOps"]


def test_names_are_expanded_with_the_context_of_the_document() -> None:
    given = a_document("one", an_info({"type": "Car"}, properties=["v"]))
    given["@context"] = {"Car": "https://ex.org/Car", "v": "https://ex.org/velocity"}
    made = compile_registration(TENANT, given, CONTEXTS)
    (part,) = made.information
    assert part.entities[0].types == {"https://ex.org/Car"}
    assert part.attributes == {"https://ex.org/velocity"}
    assert "@context" not in made.document


def test_a_kept_document_reads_as_the_same_registration_again() -> None:
    made = a_registration(
        "one",
        an_info({"type": ["Vehicle", "Bus"], "idPattern": "urn:.*"}, properties=["speed"]),
        scope="/a/b",
        brandOfSource="acme",
    )
    again = compile_registration(TENANT, made.document, CONTEXTS)
    assert again == made


def test_groups_of_operations_are_resolved() -> None:
    assert resolved(["retrieveOps", "createEntity"]) == {
        "retrieveEntity",
        "queryEntity",
        "createEntity",
    }
    assert all(members <= OPERATIONS for members in GROUPS.values())


def test_an_auxiliary_source_that_names_no_operations_is_only_read() -> None:
    assert a_registration(mode="auxiliary").operations == {"retrieveEntity", "queryEntity"}


@pytest.mark.parametrize(
    "given",
    [
        "http://s.example:1026",
        "http://s.example:1026/",
        "http://s.example:1026/ngsi-ld/v1",
        "http://s.example:1026/ngsi-ld/v1/",
    ],
)
def test_an_endpoint_is_kept_without_the_path_of_the_api(given: str) -> None:
    assert a_registration(endpoint=given).endpoint == "http://s.example:1026"


def test_a_path_before_the_api_stays_in_the_endpoint() -> None:
    assert a_registration(endpoint="http://s.example/b/ngsi-ld/v1").endpoint == "http://s.example/b"


def test_the_context_that_a_source_wants_is_no_header() -> None:
    made = a_registration(
        contextSourceInfo=[
            {"key": "jsonldContext", "value": "https://ex.org/c.jsonld"},
            {"key": "X-Key", "value": "s3cret"},
        ]
    )
    assert made.context_url == "https://ex.org/c.jsonld"
    assert made.headers == (("X-Key", "s3cret"),)


def test_management_is_read_in_milliseconds() -> None:
    made = a_registration(management={"timeout": 1500, "cooldown": 250, "localOnly": True})
    assert (made.timeout_s, made.cooldown_s, made.local_only) == (1.5, 0.25, True)


def test_intervals_are_read_and_one_may_still_go_on() -> None:
    made = a_registration(
        observationInterval={"startAt": "2026-01-01T00:00:00Z"},
        managementInterval={"startAt": "2026-01-01T00:00:00Z", "endAt": "2026-02-01T00:00:00Z"},
    )
    start, end = parse_us("2026-01-01T00:00:00Z"), parse_us("2026-02-01T00:00:00Z")
    assert made.observation == Interval(start, None)
    assert made.management == Interval(start, end)


def test_it_counts_until_it_expires() -> None:
    made = a_registration(expiresAt="2026-01-01T00:00:00Z")
    assert made.is_live(parse_us("2025-12-31T23:59:59Z"))
    assert not made.is_live(parse_us("2026-01-01T00:00:00Z"))


def test_what_the_broker_counts_is_not_taken_from_a_client() -> None:
    made = a_registration(timesSent=99, status="ok", lastSuccess="2026-01-01T00:00:00Z")
    assert not {"timesSent", "status", "lastSuccess"} & made.document.keys()


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"type": "Vehicle"}, "type"),
        ({"information": None}, "information"),
        ({"information": []}, "information"),
        ({"information": [{}]}, "information"),
        ({"information": [{"entities": []}]}, "information.entities"),
        ({"information": [{"entities": [{"idPattern": "x"}]}]}, "information.entities.type"),
        (
            {"information": [{"entities": [{"type": "V", "idPattern": "(["}]}]},
            "information.entities.idPattern",
        ),
        ({"information": [{"entities": [{"type": "V", "id": "x"}]}]}, "information.entities.id"),
        ({"information": [{"names": ["speed"]}]}, "information.names"),
        ({"endpoint": None}, "endpoint"),
        ({"endpoint": "ftp://s.example"}, "endpoint"),
        ({"endpoint": "http://user:pw@s.example"}, "endpoint"),
        ({"endpoint": "http://s.example:99999"}, "endpoint"),
        ({"id": "one"}, "id"),
        ({"mode": "shared"}, "mode"),
        ({"operations": ["fly"]}, "operations"),
        ({"operations": []}, "operations"),
        ({"expiresAt": "tomorrow"}, "expiresAt"),
        ({"management": {"timeout": 0}}, "management.timeout"),
        ({"management": {"cooldown": True}}, "management.cooldown"),
        ({"management": {"cacheDuration": "bogus"}}, "management.cacheDuration"),
        ({"management": {"localOnly": "yes"}}, "management.localOnly"),
        ({"management": "yes"}, "management"),
        ({"contextSourceInfo": [{"key": "X"}]}, "contextSourceInfo"),
        ({"contextSourceInfo": [{"key": "Ho st", "value": "x"}]}, "contextSourceInfo"),
        ({"contextSourceInfo": [{"key": "X", "value": "a\r\nb"}]}, "contextSourceInfo"),
        ({"contextSourceInfo": [{"key": "jsonldContext", "value": "c"}]}, "contextSourceInfo"),
        ({"location": {"type": "Point"}}, "location"),
        ({"scope": "nowhere"}, "scope"),
        ({"observationInterval": {"endAt": "2026-01-01T00:00:00Z"}}, "observationInterval.startAt"),
        ({"datasetId": ["x"]}, "datasetId"),
        ({"refreshRate": "often"}, "refreshRate"),
        ({"mode": "auxiliary", "operations": ["updateEntity"]}, "operations"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(RegistrationInvalid) as problem:
        a_registration("one", **changes)
    assert problem.value.param == param
    assert problem.value.fix


@pytest.mark.parametrize(
    "part",
    [
        an_info(VEHICLE),
        an_info({"type": "Vehicle"}, properties=["speed"]),
        an_info({"type": "Vehicle", "idPattern": ".*"}, properties=["speed"]),
        an_info(properties=["speed"]),
    ],
    ids=["no attributes", "a type alone", "a pattern", "no entities"],
)
def test_an_exclusive_registration_names_entities_and_attributes(part: dict[str, Any]) -> None:
    with pytest.raises(RegistrationInvalid):
        a_registration("one", part, mode="exclusive")


def test_an_exclusive_registration_of_one_attribute_of_one_entity_is_taken() -> None:
    made = a_registration("one", an_info(VEHICLE, properties=["speed"]), mode="exclusive")
    assert made.mode.is_proxied


def test_properties_of_the_source_itself_are_kept_expanded() -> None:
    assert a_registration(brandOfSource="acme").document[iri("brandOfSource")] == "acme"


def test_a_change_removes_with_null_and_leaves_the_id_alone() -> None:
    read = read_fragment({"id": "urn:x:y", "expiresAt": None, "scope": "/a"}, CONTEXTS.core)
    assert read == {"expiresAt": None, "scope": "/a"}


def test_a_change_cannot_make_something_else_of_it() -> None:
    with pytest.raises(RegistrationInvalid):
        read_fragment({"type": "Building"}, CONTEXTS.core)


@pytest.mark.parametrize("given", [None, [], "x", 1])
def test_what_is_no_object_is_no_registration(given: Any) -> None:
    with pytest.raises(RegistrationInvalid):
        read_document(given, CONTEXTS.core)
    with pytest.raises(RegistrationInvalid):
        read_fragment(given, CONTEXTS.core)
