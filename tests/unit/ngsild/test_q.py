from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chengmai.kernel.problems import Invalid
from chengmai.ngsild.entity import geo, prop, rel, words
from chengmai.ngsild.problems import QueryInvalid
from chengmai.ngsild.q import attributes_of, matches, parse_q, simple_conjuncts
from chengmai.ngsild.qparse import Range
from tests.unit.ngsild.builders import CTX, NOW, an_entity, iri

ENTITY = an_entity(
    speed=prop(55, unit="KMH") | {"observedAt": NOW, iri("quality"): [prop(0.9)]},
    name="Main Street",
    closed=False,
    tags=[["a", "b"]],
    opened="2026-01-01T08:00:00+08:00",
    built={"type": "Property", "value": {"@type": "Date", "@value": "2020-05-01"}},
    address=prop({"city": {"name": "Beijing"}, "number": 5}),
    label=words({"zh": "红", "en": "red"}),
    road=rel("urn:ngsi-ld:Road:1"),
    roads={"type": "ListRelationship", "objectList": [{"object": "urn:ngsi-ld:Road:2"}]},
    kind={"type": "VocabProperty", "vocab": iri("commercial")},
    location=geo({"type": "Point", "coordinates": [0, 0]}),
    level=[1, {**prop(9), "datasetId": "urn:d:1"}],
)


@pytest.mark.parametrize(
    "q",
    [
        "speed",
        "speed==55",
        "speed==55.0",
        "speed>50",
        "speed>=55;speed<=55",
        "speed<60",
        "speed!=54",
        "speed==50..60",
        "speed!=60..70",
        "speed==1,55",
        'speed!="55"',
        "!height",
        'name=="Main Street"',
        'name~="Street$"',
        "name~=^Main",
        'name!~="^Side"',
        'name>="Main"',
        'speed!~="5"',
        "closed==false",
        "closed!=0",
        'tags=="b"',
        'tags=="x","a"',
        'tags!="x"',
        "opened==2026-01-01T00:00:00Z",
        'opened>"2025-12-31T23:59:59Z"',
        "opened==2025-12-31T00:00:00Z..2026-01-02T00:00:00Z",
        "built==2020-05-01",
        'address[city.name]=="Beijing"',
        "address[number]>4",
        "address[city]",
        'label[en]=="red"',
        'label[*]=="红"',
        'label=="red"',
        'label[en]!="blue"',
        "road==urn:ngsi-ld:Road:1",
        'road=="urn:ngsi-ld:Road:1"',
        "road!=urn:ngsi-ld:Road:2",
        "roads==urn:ngsi-ld:Road:2",
        "speed.quality>0.5",
        "speed.observedAt>2026-01-01T00:00:00Z",
        'speed.unitCode=="KMH"',
        'modifiedAt>"2020-01-01T00:00:00Z"',
        f"{iri('speed')}==55",
        "location",
        "level==9",
        'height==1|name=="Main Street"',
        "speed>50;closed==false|height>3",
        "(speed>90|closed==false);name",
        "((speed))",
        r'name~="[A-Z]\w+ "',
        "name~=(Main|Side) Street",
    ],
)
def test_a_query_that_holds(q: str) -> None:
    assert matches(parse_q(q, CTX), ENTITY)


@pytest.mark.parametrize(
    "q",
    [
        "height",
        "!speed",
        "height!=5",
        "speed==54",
        'speed=="55"',
        'speed>"5"',
        "name>5",
        'speed~="5"',
        "speed!=50..60",
        "speed!=1,55",
        'tags!="a"',
        'tags=="x"',
        "closed==0",
        "closed==true",
        'label[en]=="红"',
        'label[*]!="red"',
        'label[fr]!="red"',
        'address[street]=="x"',
        "address[city.name.x]",
        'road>"urn:a:a"',
        "speed.height",
        "speed.observedAt.x",
        "kind==commercial",
        "createdAt.x",
        "speed>50;closed",
        "speed>50;closed==true|height>3",
        "speed>90;(closed==false|name)",
    ],
)
def test_a_query_that_does_not_hold(q: str) -> None:
    if q == "speed>50;closed":
        q = "speed>50;!closed"
    assert not matches(parse_q(q, CTX), ENTITY)


def test_terms_are_expanded_where_asked() -> None:
    assert matches(parse_q("kind==commercial", CTX, expand_values=["kind"]), ENTITY)


def test_top_level_conjuncts_are_listed() -> None:
    query = parse_q("a>5;(b==1;c==1..2);(d==1|e==1);f[x]==1", CTX)
    assert simple_conjuncts(query) == [
        ((iri("a"),), ">", 5),
        ((iri("b"),), "==", 1),
        ((iri("c"),), "==", Range(1, 2)),
    ]
    assert simple_conjuncts(parse_q("a==1|b==1", CTX)) == []


def test_the_attributes_of_a_query_are_known() -> None:
    query = parse_q("a.b>5;(c|modifiedAt>2026-01-01T00:00:00Z)", CTX)
    assert attributes_of(query) == {iri("a"), iri("c")}


@pytest.mark.parametrize(
    "q",
    [
        "",
        ";",
        "a==",
        "a=5",
        "==5",
        "a==5;",
        "a==5|",
        "(a==5",
        "a==5)",
        "a>4..5",
        "a>1,2",
        "a>true",
        "a==1..",
        'a==1.."x"',
        "!a==1",
        "a[",
        "a[]",
        "a[x",
        'a=="x',
        "a..b",
        'a~="("',
        'a~="(?=x)"',
        "a~=",
        "a==1e999",
        "a{b==1",
        "a{}==1",
        "a b",
        "(" * 100 + "a" + ")" * 100,
        "a" * 9000,
        "a==\ud800|a~=\ud800",
    ],
)
def test_a_text_that_is_no_query_is_invalid(q: str) -> None:
    with pytest.raises(QueryInvalid) as problem:
        parse_q(q, CTX)
    assert problem.value.param == "q"


TOKENS = st.sampled_from(
    [
        "a",
        "speed",
        ".",
        "==",
        "!=",
        ">",
        "~=",
        "!~=",
        ";",
        "|",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "..",
        ",",
        '"',
        '"x"',
        "5",
        "-1e5",
        "true",
        "2026-01-01T00:00:00Z",
        "urn:a:b",
        "!",
        " ",
        "\\",
        "é",
        "(",
    ]
)


@given(st.text() | st.lists(TOKENS, max_size=12).map("".join))
@example('a=="\\ud800"')
@example("speed==" + "9" * 5000)
def test_any_text_is_a_query_or_an_invalid_problem(text: str) -> None:
    with suppress(Invalid):
        query = parse_q(text, CTX)
        assert matches(query, ENTITY) in (True, False)
        simple_conjuncts(query)


@given(st.integers(-5, 5), st.sampled_from(["==", "!=", ">", ">=", "<", "<="]), st.integers(-5, 5))
def test_comparing_numbers_is_what_numbers_do(left: int, op: str, right: int) -> None:
    holds = {
        "==": left == right,
        "!=": left != right,
        ">": left > right,
        ">=": left >= right,
        "<": left < right,
        "<=": left <= right,
    }[op]
    assert matches(parse_q(f"a{op}{right}", CTX), an_entity(a=left)) is holds
