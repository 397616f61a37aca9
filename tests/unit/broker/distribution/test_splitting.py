"""Who gets what of a write: every attribute goes somewhere, and only where it belongs."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chengmai.broker.distribution.splitting import Split, Target, part_of, split
from chengmai.broker.registry.model import Mode
from chengmai.ngsild.entity import DEFAULT_VOCAB
from tests.unit.broker.distribution.builders import a_registration

CAR = "urn:ngsi-ld:Vehicle:1"
VEHICLE = DEFAULT_VOCAB + "Vehicle"
WORDS = ("speed", "brand", "colour", "owner")
OPERATIONS = frozenset({"createEntity"})
MODES = [mode.value for mode in Mode]


def registration(number: int, mode: str, words: list[str], *, offers: bool = True) -> Any:
    """Return a registration of attributes of the car, of all of them when none are named."""
    information: dict[str, Any] = {"entities": [{"id": CAR, "type": "Vehicle"}]}
    if words or mode == "exclusive":
        information["propertyNames"] = words or ["speed"]
    members: dict[str, Any] = {"information": [information]}
    if mode != "auxiliary":
        members["operations"] = ["createEntity"] if offers else ["queryEntity"]
    else:
        members["operations"] = ["retrieveOps"]
    return a_registration(f"r{number}", mode, **members)


REGISTRATIONS = st.lists(
    st.tuples(st.sampled_from(MODES), st.lists(st.sampled_from(WORDS), unique=True), st.booleans()),
    max_size=5,
).map(
    lambda given: [
        registration(number, mode, words, offers=offers)
        for number, (mode, words, offers) in enumerate(given)
    ]
)
NAMES = st.frozensets(st.sampled_from(WORDS)).map(
    lambda words: frozenset(DEFAULT_VOCAB + word for word in words)
)


def of(registrations: list[Any], names: frozenset[str] | None) -> Split:
    """Return how a creation of the car is split."""
    target = Target((CAR,), frozenset({VEHICLE}), names)
    return split(registrations, OPERATIONS, target, now_us=0)


@given(REGISTRATIONS, NAMES)
def test_every_attribute_goes_somewhere(registrations: list[Any], names: frozenset[str]) -> None:
    made = of(registrations, names)
    taken = frozenset().union(*(s.names or frozenset() for s in made.shares if s.is_proxied))
    assert (made.names or frozenset()) | taken == names
    assert made.is_here or taken or made.is_proxied


@given(REGISTRATIONS, NAMES)
def test_what_a_source_alone_holds_goes_to_nobody_else(
    registrations: list[Any], names: frozenset[str]
) -> None:
    made = of(registrations, names)
    proxied = [s for s in made.shares if s.is_proxied]
    taken = frozenset().union(*(s.names or frozenset() for s in proxied))
    assert not (made.names or frozenset()) & taken
    for share in made.shares:
        assert share.names is not None
        if not share.is_proxied:
            assert not share.names & taken
    exclusive = frozenset().union(
        *(s.names or frozenset() for s in proxied if s.registration.mode is Mode.EXCLUSIVE)
    )
    for share in proxied:
        if share.registration.mode is Mode.REDIRECT:
            assert not (share.names or frozenset()) & exclusive


@given(REGISTRATIONS, NAMES)
def test_nobody_gets_what_it_did_not_register(
    registrations: list[Any], names: frozenset[str]
) -> None:
    for share in of(registrations, names).shares:
        (information,) = share.registration.information
        assert share.registration.mode is not Mode.AUXILIARY
        if information.attributes:
            assert share.names
            assert share.names <= information.attributes & names


@given(REGISTRATIONS, NAMES)
def test_a_source_that_does_not_offer_a_write_is_only_kept_where_it_alone_holds_something(
    registrations: list[Any], names: frozenset[str]
) -> None:
    assert all(share.is_offered or share.is_proxied for share in of(registrations, names).shares)


def test_without_registrations_all_of_it_stays_here() -> None:
    names = frozenset({DEFAULT_VOCAB + "speed"})
    made = of([], names)
    assert (made.shares, made.names, made.is_here) == ((), names, True)


def test_a_registration_that_has_ended_gets_nothing() -> None:
    ended = a_registration(
        "old", "redirect", expiresAt="2099-01-01T00:00:00Z", operations=["createEntity"]
    )
    target = Target((CAR,), frozenset({VEHICLE}), frozenset())
    at_end = 4_070_908_800_000_000
    assert split([ended], OPERATIONS, target, now_us=at_end - 1).shares
    assert not split([ended], OPERATIONS, target, now_us=at_end).shares


def test_a_delete_goes_to_all_that_hold_a_part_and_is_done_here_too() -> None:
    holders = [registration(1, "exclusive", ["speed"]), registration(2, "redirect", [])]
    made = of([*holders, registration(3, "inclusive", [])], None)
    assert len(made.shares) == 3
    assert made.is_here


def test_a_part_keeps_the_members_that_all_parts_share() -> None:
    speed, brand = DEFAULT_VOCAB + "speed", DEFAULT_VOCAB + "brand"
    entity = {"id": CAR, "type": [VEHICLE], "scope": ["/a"], speed: [], brand: []}
    assert part_of(entity, frozenset({speed})).keys() == {"id", "type", "scope", speed}
