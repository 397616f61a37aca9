from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.kernel.problems import Invalid
from chengmai.ngsild.contexts import ContextCompiler, core_documents
from chengmai.ngsild.expand import Reader, expand_entity
from chengmai.ngsild.quick import quick_instance, quick_instances
from chengmai.ngsild.represent import compact_entity
from tests.unit.ngsild.builders import CTX, NULL, a_body, iri

INSTANTS = ["2026-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T08:00:00.5+08:00", NULL]
URIS = ["urn:a:b", "urn:å:b", "no uri", "urn:a b", "@none", NULL, ["urn:a:b"], 5, None]
POINTS = [
    [116.4, 39.9],
    [116, 39],
    [190.0, 0.0],
    [0.0, -91.0],
    [1.0, 2.0, 3.0],
    [float("nan"), 0.0],
]
KINDS = [
    "Property",
    "Relationship",
    "GeoProperty",
    "VocabProperty",
    "Geoproperty",
    None,
    ["Property"],
]

values = st.one_of(
    st.none(),
    st.just(NULL),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.builds(lambda at: {"type": "Point", "coordinates": at}, st.sampled_from(POINTS)),
    st.just({"@type": "DateTime", "@value": "x"}),
    st.just({"x": 1}),
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(KINDS),
        "@type": st.sampled_from(KINDS),
        "value": values,
        "object": st.sampled_from(URIS),
        "unitCode": st.sampled_from(["CEL", "", 5, NULL, None]),
        "observedAt": st.sampled_from(INSTANTS),
        "datasetId": st.sampled_from(URIS),
        "createdAt": st.just("2026-01-01T00:00:00Z"),
        "quality": st.just({"type": "Property", "value": 1}),
    },
)
likely = st.one_of(
    bodies,
    bodies.map(lambda body: {**body, "type": "Property", "value": 1}),
    bodies.map(lambda body: {**body, "type": "Relationship", "object": "urn:a:b"}),
    values.map(lambda value: {"type": "GeoProperty", "value": value}),
)


def in_general(body: Any, *, complete: bool) -> Any:
    """Return what the general reader makes of one instance; None where it refuses."""
    reader = Reader(CTX, complete=complete, simplified=False, temporal=False)
    try:
        return reader.instance("a", body)
    except Invalid:
        return None


@given(likely, st.booleans())
def test_what_is_read_quickly_is_read_as_the_general_reader_reads_it(
    body: dict[str, Any], complete: bool
) -> None:
    quick = quick_instance(body, set())
    if quick is not None:
        assert quick == in_general(body, complete=complete)


@given(st.lists(likely, max_size=3), st.booleans())
def test_lists_that_are_read_quickly_are_read_as_the_general_reader_reads_them(
    given_list: list[Any], complete: bool
) -> None:
    quick = quick_instances(given_list, set())
    if quick is not None:
        assert quick == [in_general(one, complete=complete) for one in given_list]
        assert len({one.get("datasetId") for one in quick}) == len(quick)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "Property", "value": 21.5, "unitCode": "CEL", "observedAt": INSTANTS[0]},
        {"type": "Property", "value": [1, 2], "datasetId": "urn:d:1"},
        {"value": "text"},
        {"type": "Relationship", "object": "urn:a:b", "observedAt": INSTANTS[0]},
        {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [116.4, 39.9]}},
    ],
)
def test_the_common_forms_are_read_quickly(body: dict[str, Any]) -> None:
    assert quick_instance(body, set()) == in_general(body, complete=True) is not None


def test_what_is_stored_is_no_part_of_what_was_given() -> None:
    body = {"type": "Property", "value": 1}
    assert quick_instance(body, set()) is not body


def test_a_name_is_checked_in_every_context_anew() -> None:
    other = ContextCompiler(core_documents()).compile({"a": "urn:terms:a"})
    assert expand_entity(a_body(a=1), CTX)[iri("a")]
    assert expand_entity(a_body(a=1), other)["urn:terms:a"]


def test_only_so_many_names_are_kept_and_the_rest_are_read_all_the_same() -> None:
    context = ContextCompiler(core_documents()).compile({"z": "urn:terms:z"})
    for n in range(3):
        body = a_body(**{f"name{n}x{m}": 1 for m in range(400)})
        read = expand_entity(body, context)
        assert set(compact_entity(read, context)) == set(body)
    assert len(context.seen) <= 512


def test_a_name_that_is_too_long_is_not_kept() -> None:
    context = ContextCompiler(core_documents()).compile({"z": "urn:terms:z"})
    name = "n" * 300
    assert name in compact_entity(expand_entity(a_body(**{name: 1}), context), context)
    assert name not in context.seen
