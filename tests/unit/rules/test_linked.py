"""Conditions that follow links: what is read, what leads back, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from chengmai.ngsild.contexts import Context, ContextCompiler
from chengmai.ngsild.entity import Entity, entity, name_iri, prop, rel
from chengmai.rules.book import Kept, RuleBook, Watch, made_ready
from chengmai.rules.problems import RuleInvalid
from tests.unit.rules.builders import POLE, a_command, a_rule, a_spec

CABINET, STREET = "urn:ngsi-ld:Cabinet:c1", "urn:ngsi-ld:Street:s1"


@pytest.fixture(scope="module")
def core() -> Context:
    return ContextCompiler().core


def a_watch(core: Context, q: str, **more: Any) -> Watch:
    return made_ready(a_spec(q=q, recovers=more.pop("recovers", {}), **more), core)


def things(**cabinet: Any) -> dict[str, Entity]:
    """Return a pole that links to a cabinet, which links to a street that is wet."""
    told = {name: prop(value) for name, value in cabinet.items()}
    made = (
        entity(POLE, "Pole", tilt=prop(3), refCabinet=rel(CABINET)),
        entity(CABINET, "Cabinet", refStreet=rel(STREET), **told),
        entity(STREET, "Street", wet=prop(True)),
    )
    return {one["id"]: one for one in made}


@pytest.mark.parametrize(
    ("q", "cabinet", "said"),
    [
        ("refCabinet{open}==true", {"open": True}, (True, False)),
        ("refCabinet{open}==true", {"open": False}, (False, True)),
        ("refCabinet{open}==true", {}, (False, False)),
        ("refCabinet{Cabinet:open}==true", {"open": True}, (True, False)),
        ("refCabinet{Street:open}==true", {"open": True}, (False, False)),
        ("tilt>2;refCabinet{open}==true", {"open": True}, (True, False)),
        ("refCabinet{refStreet{wet}}==true", {}, (True, False)),
        ("!refCabinet{open}", {}, (True, False)),
        ("!refCabinet{open}", {"open": True}, (False, True)),
    ],
)
def test_a_reading_follows_its_links_and_what_is_not_there_is_no_recovery(
    core: Context, q: str, cabinet: dict[str, Any], said: tuple[bool, bool]
) -> None:
    found = things(**cabinet)

    assert a_watch(core, q).read(found[POLE], 1, found.get) == (1, *said)


def test_what_is_shown_of_a_reading_names_the_link(core: Context) -> None:
    found = things(open=True)
    watch = a_watch(core, "tilt>2;refCabinet{open}==true;refCabinet{refStreet{wet}}==true")

    values = watch.values(found[POLE], found.get)

    assert (values["tilt"], values["refCabinet.open"]) == (3, True)
    assert values["refCabinet.refStreet.wet"] is True


def test_a_trial_knows_whose_past_it_has_to_read(core: Context) -> None:
    found = things(open=True)
    watch = a_watch(core, "refCabinet{refStreet{wet}}==true")

    assert watch.links.followed(found[POLE], found.get) == {
        CABINET: {name_iri("refStreet")},
        STREET: {name_iri("wet")},
    }


def test_the_book_finds_the_rules_that_ask_others_about_an_attribute(core: Context) -> None:
    book, rule = RuleBook(), a_rule()
    watch = a_watch(core, "refCabinet{refStreet{wet}}==true")
    book.put(Kept(rule, watch))

    asked = {
        name: [one.rule.id for one in book.linked("city", [name_iri(name)])]
        for name in ("wet", "refStreet", "refCabinet", "tilt")
    }

    assert asked == {"wet": [rule.id], "refStreet": [rule.id], "refCabinet": [], "tilt": []}
    assert watch.links.back == {
        name_iri("wet"): (((name_iri("refStreet"),), (name_iri("refCabinet"),)),),
        name_iri("refStreet"): (((name_iri("refCabinet"),),),),
    }
    book.drop("city", rule.id)
    assert list(book.linked("city", [name_iri("wet")])) == []


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"q": "a{b{c{d{e}}}}==1"}, "q"),
        ({"q": "tilt>1", "recovers": {"q": "a{b{c{d{e}}}}==1"}}, "recovers.q"),
        ({"q": "refCabinet{open==true}"}, "q"),
        (
            {
                "q": "tilt>1",
                "command": a_command(effect={"q": "refLamp{lit}==true", "within": "PT1M"}),
            },
            "command.effect.q",
        ),
    ],
)
def test_a_link_that_cannot_be_followed_is_refused(core: Context, more: Any, param: str) -> None:
    with pytest.raises(RuleInvalid) as problem:
        a_watch(core, **more)
    assert problem.value.param == param
    assert problem.value.fix
