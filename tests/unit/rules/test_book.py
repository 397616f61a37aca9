"""Rules made ready: what they are about, what they read, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.entity import entity, name_iri, prop
from chengmai.rules.book import Kept, RuleBook, made_ready
from chengmai.rules.problems import RuleInvalid
from tests.unit.rules.builders import a_command, a_pole, a_rule, a_spec


@pytest.fixture(scope="module")
def core() -> Context:
    return ContextCompiler().core


def test_a_mistake_in_a_query_names_the_field_and_the_place(core: Context) -> None:
    with pytest.raises(RuleInvalid) as problem:
        made_ready(a_spec(q="tilt>15;>3"), core)
    assert problem.value.param == "q"
    assert problem.value.facts["position"] == 8

    with pytest.raises(RuleInvalid) as problem:
        made_ready(a_spec(recovers={"q": "tilt<"}), core)
    assert problem.value.param == "recovers.q"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"on": {"type": "CityCase"}}, "on.type"),
        ({"on": {"type": "Pole,DeviceCommand"}}, "on.type"),
        ({"on": {"type": "Pole", "scope": "East"}}, "on.scope"),
        ({"command": a_command(effect={"q": "lit==", "within": "PT1M"})}, "command.effect.q"),
    ],
)
def test_what_cannot_be_watched_is_refused(core: Context, more: Any, param: str) -> None:
    with pytest.raises(RuleInvalid) as problem:
        made_ready(a_spec(**more), core)
    assert problem.value.param == param
    assert problem.value.fix


@pytest.mark.parametrize(
    "more",
    [
        {"count": 3},
        {"within": "PT10S"},
        {"count": 3, "within": "PT10S", "for": "PT1M"},
        {"for": "PT0S"},
        {"count": 3, "within": "P40D"},
        {"command": a_command(to="poles/../admin")},
        {"command": a_command(to="poles/+/set")},
        {"command": a_command(to="poles/{name}/set")},
        {"command": a_command(retries=1000)},
    ],
)
def test_lengths_and_addresses_that_make_no_sense_are_refused(more: Any) -> None:
    with pytest.raises(ValidationError):
        a_spec(**more)


def test_without_its_attributes_nothing_holds_and_nothing_has_recovered(core: Context) -> None:
    watch = made_ready(a_spec(recovers={}), core)

    assert watch.read(a_pole(name="x"), 1) == (1, False, False)
    assert watch.read(a_pole(tilt=12), 1) == (1, False, True)
    assert watch.read(a_pole(tilt=16), 1) == (1, True, False)


def test_hysteresis_is_neither_holding_nor_recovered(core: Context) -> None:
    assert made_ready(a_spec(), core).read(a_pole(tilt=12), 1) == (1, False, False)


def test_a_rule_is_about_its_ids_scope_and_area(core: Context) -> None:
    pole = a_pole(tilt=16, areaServed="East") | {"scope": ["/City/East"]}
    on = {
        "type": "Pole",
        "ids": ["urn:ngsi-ld:Pole:p1"],
        "scope": "/City/#",
        "area": "East",
    }

    assert made_ready(a_spec(on=on), core).covers(pole)
    for other in ({"ids": ["urn:x:y"]}, {"scope": "/Town/#"}, {"area": "West"}, {"type": "Lamp"}):
        assert not made_ready(a_spec(on=on | other), core).covers(pole)


def test_the_book_finds_rules_by_type_and_lets_them_go(core: Context) -> None:
    book, rule = RuleBook(), a_rule()
    book.put(Kept(rule, made_ready(rule.spec, core)))

    assert [one.rule.id for one in book.of("city", [name_iri("Pole")])] == [rule.id]
    assert not book.of("other", [name_iri("Pole")])
    assert not book.of("city", entity("urn:a:b", "Lamp", lit=prop(True))["type"])
    book.drop("city", rule.id)
    assert not book.of("city", [name_iri("Pole")])
