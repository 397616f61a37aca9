"""Merging what several holders have of an entity (clauses 4.3.6.2 and 4.5.5)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.broker.distribution.merging import (
    Fragment,
    merged,
    merged_series,
    without_attributes,
)

SPEED, BRAND = "urn:x:speed", "urn:x:brand"


def _car(**members: Any) -> dict[str, Any]:
    return {"id": "urn:car", "type": ["urn:t:Car"], **members}


def _speed(value: float, **members: Any) -> dict[str, Any]:
    return {SPEED: [{"type": "Property", "value": value, **members}]}


def _value(entity: dict[str, Any], name: str = SPEED, dataset: str | None = None) -> Any:
    (found,) = [one for one in entity[name] if one.get("datasetId") == dataset]
    return found["value"]


def test_attributes_of_all_holders_make_one_entity() -> None:
    brand = {BRAND: [{"type": "Property", "value": "x"}]}

    made = merged([Fragment(_car() | _speed(1)), Fragment(_car() | brand)])

    assert (_value(made), _value(made, BRAND)) == (1, "x")


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"observedAt": "2026-01-01T00:00:00Z"}, {"observedAt": "2026-01-01T00:00:00.5Z"}),
        ({"modifiedAt": "2026-01-01T00:00:00Z"}, {"modifiedAt": "2026-02-01T00:00:00Z"}),
        ({"modifiedAt": "2026-03-01T00:00:00Z"}, {"observedAt": "2026-01-01T00:00:00Z"}),
        (
            {"observedAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-01-01T00:00:00Z"},
            {"observedAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-02-01T00:00:00Z"},
        ),
        ({}, {"modifiedAt": "2026-02-01T00:00:00Z"}),
    ],
)
def test_what_was_observed_and_then_modified_last_counts(
    older: dict[str, Any], newer: dict[str, Any]
) -> None:
    parts = [Fragment(_car() | _speed(1, **older)), Fragment(_car() | _speed(2, **newer))]

    assert _value(merged(parts)) == 2
    assert _value(merged(parts[::-1])) == 2


def test_each_dataset_is_judged_by_itself() -> None:
    old, new = {"observedAt": "2026-01-01T00:00:00Z"}, {"observedAt": "2026-06-01T00:00:00Z"}
    here = [
        {"type": "Property", "value": 101, "datasetId": "urn:a", **old},
        {"type": "Property", "value": 202, "datasetId": "urn:b", **new},
    ]
    there = [
        {"type": "Property", "value": 909, "datasetId": "urn:a", **new},
        {"type": "Property", "value": 808, "datasetId": "urn:b", **old},
    ]

    made = merged([Fragment(_car(**{SPEED: here})), Fragment(_car(**{SPEED: there}))])

    assert (_value(made, dataset="urn:a"), _value(made, dataset="urn:b")) == (909, 202)


def test_an_auxiliary_source_fills_and_never_overrides() -> None:
    new = {"observedAt": "2026-06-01T00:00:00Z"}
    help_ = _car(type=["urn:t:Other"], **{BRAND: [{"type": "Property", "value": "x"}]})

    made = merged(
        [Fragment(help_ | _speed(9, **new), auxiliary=True), Fragment(_car() | _speed(1))]
    )

    assert (_value(made), _value(made, BRAND), made["type"]) == (1, "x", ["urn:t:Car"])


def test_an_auxiliary_source_alone_is_the_entity() -> None:
    assert _value(merged([Fragment(_car() | _speed(9), auxiliary=True)])) == 9


def test_members_of_the_entity_are_those_of_all_holders() -> None:
    one = _car(
        scope=["/a"], createdAt="2026-01-02T00:00:00Z", modifiedAt="2026-01-03T00:00:00Z"
    ) | _speed(1)
    other = _car(
        type=["urn:t:Van"],
        scope=["/b"],
        createdAt="2026-01-01T00:00:00Z",
        modifiedAt="2026-01-02T00:00:00Z",
    )

    made = merged([Fragment(one), Fragment(other)])

    assert made["type"] == ["urn:t:Car", "urn:t:Van"]
    assert made["scope"] == ["/a", "/b"]
    assert (made["createdAt"], made["modifiedAt"]) == (
        "2026-01-01T00:00:00Z",
        "2026-01-03T00:00:00Z",
    )


def test_an_entity_expires_when_its_last_holder_drops_it() -> None:
    soon, late = _car(expiresAt="2026-01-01T00:00:00Z"), _car(expiresAt="2026-01-02T00:00:00Z")

    assert merged([Fragment(soon), Fragment(late)])["expiresAt"] == "2026-01-02T00:00:00Z"
    assert "expiresAt" not in merged([Fragment(soon), Fragment(_car())])


def test_an_entity_without_any_attribute_left_is_nothing() -> None:
    assert without_attributes(_car() | _speed(1), None) is None
    assert without_attributes(_car() | _speed(1), frozenset({SPEED})) is None
    assert without_attributes(_car() | _speed(1), frozenset({BRAND})) == _car() | _speed(1)


_TIMES = st.sampled_from(
    ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.25Z", "2026-02-01T00:00:00Z"]
)
_INSTANCES = st.builds(
    lambda value, members: {"type": "Property", "value": value} | members,
    st.integers(0, 3),
    st.fixed_dictionaries({}, optional={"observedAt": _TIMES, "modifiedAt": _TIMES}),
)


@st.composite
def _fragments(draw: st.DrawFn) -> Fragment:
    entity = _car(**draw(st.fixed_dictionaries({}, optional={"createdAt": _TIMES})))
    for name in draw(st.sets(st.sampled_from([SPEED, BRAND]))):
        datasets = draw(st.sets(st.sampled_from([None, "urn:a", "urn:b"]), min_size=1))
        entity[name] = [
            draw(_INSTANCES) | ({} if one is None else {"datasetId": one})
            for one in sorted(datasets, key=str)
        ]
    return Fragment(entity, auxiliary=draw(st.booleans()))


def _canonical(value: Any) -> bytes:
    # Not `repr`: two instances that say the same may have their members in another order.
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _as_sets(entity: dict[str, Any]) -> dict[str, Any]:
    return {
        key: sorted(value, key=_canonical) if isinstance(value, list) else value
        for key, value in entity.items()
    }


@given(st.lists(_fragments(), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_the_holders_does_not_matter(parts: list[Fragment], random: Any) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)

    assert _as_sets(merged(parts)) == _as_sets(merged(shuffled))


@given(st.lists(_fragments(), min_size=1, max_size=4))
def test_merging_again_changes_nothing(parts: list[Fragment]) -> None:
    once = merged(parts)

    assert merged([Fragment(once)]) == once
    assert _as_sets(merged([*parts, *parts])) == _as_sets(once)


def _seen(value: float, at: str, **members: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, "observedAt": at, **members}


def test_series_are_joined_in_order_of_time() -> None:
    first, second = _seen(1, "2026-01-01T00:00:00Z"), _seen(2, "2026-01-01T00:00:00.5Z")
    third = _seen(3, "2026-01-02T00:00:00Z")

    assert merged_series([{SPEED: [second]}, {SPEED: [first, third]}], "observedAt") == {
        SPEED: [first, second, third]
    }


def test_what_two_holders_have_of_one_instant_is_one_instance() -> None:
    at = "2026-01-01T00:00:00Z"
    old = _seen(1, at, modifiedAt="2026-01-01T00:00:00Z", instanceId="urn:i:1")
    new = _seen(2, at, modifiedAt="2026-01-02T00:00:00Z", instanceId="urn:i:2")
    other = _seen(3, at, datasetId="urn:a")

    assert merged_series([{SPEED: [old, other]}, {SPEED: [new]}], "observedAt") == {
        SPEED: [new, other]
    }


def test_one_holder_keeps_what_it_has_twice_of_one_instant() -> None:
    at = "2026-01-01T00:00:00Z"
    twice = [_seen(1, at, instanceId="urn:i:1"), _seen(1, at, instanceId="urn:i:2")]

    assert merged_series([{SPEED: twice}, {BRAND: []}], "observedAt") == {SPEED: twice}
