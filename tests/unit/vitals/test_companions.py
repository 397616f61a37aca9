"""Which signs are looked at beside another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chengmai.vitals.companions import MOST, MOST_AREAS, companions_of
from chengmai.vitals.model import Sign
from chengmai.vitals.signs import signs_of
from tests.unit.vitals.builders import a_pack, a_spec


def named(name: str, pack: str = "air", step: timedelta = timedelta(hours=1)) -> Sign:
    (sign,) = signs_of([a_pack(a_spec(id=name, step=step))])
    return replace(sign, pack=pack)


def test_companions_are_signs_of_the_same_pack_and_step_in_the_same_areas() -> None:
    signs = [named("a"), named("b"), named("c", pack="water"), named("d", step=timedelta(days=1))]
    areas = {one.key: ("east", "west") for one in signs}
    areas["air/b"] = ("west", "north")
    assert companions_of(signs[0], signs, areas) == {
        "air/b": {"west": "urn:ngsi-ld:VitalSign:air:b:west"}
    }


def test_a_sign_of_the_whole_city_stands_beside_all() -> None:
    signs = [named("a"), named("b")]
    found = companions_of(signs[0], signs, {"air/a": ("east", "west"), "air/b": ("city",)})
    assert found == {"air/b": {"city": "urn:ngsi-ld:VitalSign:air:b:city"}}


def test_a_sign_that_is_nowhere_near_is_no_companion() -> None:
    signs = [named("a"), named("b")]
    areas = {"air/a": ("east", "west"), "air/b": ("north", "south")}
    assert companions_of(signs[0], signs, areas) == {}


def test_companions_are_bounded() -> None:
    signs = [named(f"s{number:02}") for number in range(MOST + 5)]
    few = {one.key: ("east", "west") for one in signs}
    many = {one.key: [f"area {number}" for number in range(MOST_AREAS + 1)] for one in signs}
    assert len(companions_of(signs[0], signs, few)) == MOST
    assert companions_of(signs[0], signs, many) == {}
