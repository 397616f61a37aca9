"""When entities and attributes end."""

from __future__ import annotations

from typing import Any

import orjson

from chengmai.kernel.instants import parse_us
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.expiry import has_expired, next_expiry_us, touches_expiry, without_expired
from chengmai.ngsild.patch import PatchResult

A, B = "urn:n:a", "urn:n:b"
ONE, TWO, THREE = (f"2026-01-0{day}T00:00:00Z" for day in (1, 2, 3))


def _entity(**members: Any) -> dict[str, Any]:
    return {"id": "urn:x:1", "type": ["urn:t"]} | members


def _prop(
    value: int, expires: str | None = None, *, more: Any = None, **members: Any
) -> dict[str, Any]:
    ends = {"expiresAt": expires} if expires else {}
    return {"type": "Property", "value": value} | ends | members | (more or {})


def test_the_first_end_counts_wherever_it_stands() -> None:
    assert next_expiry_us(_entity(**{A: [_prop(1)]})) is None
    below = _prop(1, more={B: [_prop(2, ONE)]})
    assert next_expiry_us(_entity(expiresAt=THREE, **{A: [_prop(1, TWO)]})) == parse_us(TWO)
    assert next_expiry_us(_entity(expiresAt=THREE, **{A: [below]})) == parse_us(ONE)


def test_something_is_over_from_its_very_instant_on() -> None:
    assert has_expired(_prop(1, TWO), parse_us(TWO))
    assert not has_expired(_prop(1, TWO), parse_us(TWO) - 1)
    assert not has_expired(_prop(1), parse_us(THREE))


def test_what_is_over_is_taken_away_and_what_lives_stays() -> None:
    entity = _entity(
        **{
            A: [_prop(1, ONE), _prop(2, datasetId="urn:d:1"), _prop(3, THREE, datasetId="urn:d:2")],
            B: [_prop(4, ONE)],
        }
    )
    made = without_expired(entity, parse_us(TWO), TWO)
    assert [one["value"] for one in made.entity[A]] == [2, 3]
    assert B not in made.entity
    assert made.updated == [A, B]
    assert [one["value"] for _, one in made.removed] == [1, 4]
    assert made.entity["modifiedAt"] == TWO
    assert len(entity[A]) == 3


def test_a_sub_attribute_that_is_over_changes_its_attribute() -> None:
    entity = _entity(**{A: [_prop(1, more={B: [_prop(2, ONE)]})]})
    made = without_expired(entity, parse_us(TWO), TWO)
    assert made.entity[A] == [_prop(1)]
    assert (made.changed, made.removed) == ([(A, _prop(1))], [])


def test_nothing_is_changed_where_nothing_is_over() -> None:
    entity = _entity(modifiedAt=ONE, **{A: [_prop(1, THREE)]})
    made = without_expired(entity, parse_us(TWO), TWO)
    assert not made.is_changed
    assert made.entity == entity


def test_only_changes_of_what_can_end_are_followed() -> None:
    plain = PatchResult(_entity(), changed=[(A, _prop(1))], removed=[(B, _prop(2))])
    assert not _is_followed(_entity(), plain)
    assert _is_followed(_entity(expiresAt=ONE), plain)
    assert _is_followed(None, PatchResult(_entity(expiresAt=ONE)))
    assert _is_followed(None, PatchResult(_entity(), changed=[(A, _prop(1, ONE))]))
    assert _is_followed(None, PatchResult(_entity(), removed=[(A, _prop(1, ONE))]))
    below = _prop(1, more={B: [_prop(2, ONE)]})
    assert _is_followed(None, PatchResult(_entity(), changed=[(A, below)]))


def _is_followed(before: Entity | None, result: PatchResult) -> bool:
    made = result.entity | {name: [one] for name, one in result.changed}
    return touches_expiry(before, result, orjson.dumps(made))
