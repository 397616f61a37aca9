from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.ngsild.problems import QueryInvalid
from chengmai.ngsild.select import matches_scopes, matches_types, parse_scopes, parse_types
from tests.unit.ngsild.builders import CTX, iri


@pytest.mark.parametrize(
    ("selector", "types", "holds"),
    [
        ("A", ["A"], True),
        ("A", ["B"], False),
        ("A,B", ["B"], True),
        ("A|B", ["B", "C"], True),
        ("A;B", ["A"], False),
        ("A;B", ["B", "A"], True),
        ("(A;B),C", ["C"], True),
        ("(A,B);C", ["A"], False),
        ("(A,B);C", ["A", "C"], True),
        ("A;B,C", ["C"], True),
    ],
)
def test_a_type_selector_decides(selector: str, types: list[str], holds: bool) -> None:
    assert matches_types(parse_types(selector, CTX), [iri(name) for name in types]) is holds


@pytest.mark.parametrize(
    ("selector", "scopes", "holds"),
    [
        ("/A/B", ["/A/B"], True),
        ("/A", ["/A/B"], False),
        ("/A/#", ["/A/B/C"], True),
        ("/A/#", ["/A"], True),
        ("/A/+/C", ["/A/B/C"], True),
        ("/A/+", ["/A/B/C"], False),
        ("/A;/B", ["/A"], False),
        ("/A;/B", ["/A", "/B"], True),
        ("/A,/B", ["/B"], True),
        ("/A", [], False),
    ],
)
def test_a_scope_selector_decides(selector: str, scopes: list[str], holds: bool) -> None:
    assert matches_scopes(parse_scopes(selector), scopes) is holds


def test_a_plain_selector_says_so_and_names_its_types() -> None:
    assert parse_types("A,B", CTX).is_plain
    assert not parse_types("A;B", CTX).is_plain
    assert parse_types("(A;B),C", CTX).names == {iri("A"), iri("B"), iri("C")}


@pytest.mark.parametrize(
    "text", ["", ",", "A,", "(A", "A)", "A B", "A<B", "(" * 50 + "A", ";".join(["(A,B)"] * 20)]
)
def test_a_text_that_is_no_selector_is_invalid(text: str) -> None:
    with pytest.raises(QueryInvalid):
        parse_types(text, CTX)


@pytest.mark.parametrize("text", ["A", "/A/#/B", ""])
def test_a_text_that_is_no_scope_is_invalid(text: str) -> None:
    with pytest.raises(QueryInvalid):
        parse_scopes(text)


@given(st.text() | st.text("AB,|;()/#+", max_size=20))
def test_any_text_is_a_selector_or_an_invalid_problem(text: str) -> None:
    for parse in (lambda t: parse_types(t, CTX), parse_scopes):
        with suppress(QueryInvalid):
            parse(text)
