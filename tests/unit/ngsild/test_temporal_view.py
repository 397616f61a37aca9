from __future__ import annotations

from typing import Any

from chengmai.ngsild.entity import Entity, prop, rel
from chengmai.ngsild.evolution import Cut, Series, paged
from chengmai.ngsild.temporal import TemporalQuery
from chengmai.ngsild.temporal_view import TemporalForm, compact_evolution
from tests.unit.ngsild.builders import CTX, NOW, iri

T1, T2, T3 = (f"2026-11-01T0{hour}:00:00Z" for hour in (1, 2, 3))


def shown(series: Series, form: TemporalForm = "normalized", **options: Any) -> dict[str, Any]:
    entity: Entity = {"id": "urn:x:y", "type": [iri("T"), iri("U")]}
    query = options.pop("query", TemporalQuery())
    return compact_evolution(entity, series, CTX, query, form, **options)


def test_temporal_values_are_pairs_by_kind_and_dataset() -> None:
    series = {
        iri("a"): [
            {**prop(1), "observedAt": T1},
            {**prop(2), "observedAt": T2},
            {**prop(3), "observedAt": T3, "datasetId": "urn:d:1"},
        ],
        iri("b"): [{**rel("urn:a:b"), "observedAt": T1}],
        iri("c"): [{"type": "JsonProperty", "json": {"x": 1}, "observedAt": T1}],
    }
    made = shown(series, "temporalValues")
    assert made["a"] == [
        {"type": "Property", "values": [[1, T1], [2, T2]]},
        {"type": "Property", "values": [[3, T3]], "datasetId": "urn:d:1"},
    ]
    assert made["b"] == {"type": "Relationship", "objects": [["urn:a:b", T1]]}
    # Clause 4.5.9: what would be read as something else keeps its member.
    assert made["c"] == {"type": "JsonProperty", "jsons": [[{"json": {"x": 1}}, T1]]}


def test_the_temporal_form_lists_whole_instances() -> None:
    one = {**prop(1), "observedAt": T1, "instanceId": "urn:i:1", "createdAt": NOW}
    assert shown({iri("a"): [one]}) == {
        "id": "urn:x:y",
        "type": ["T", "U"],
        "a": [{"type": "Property", "value": 1, "observedAt": T1, "instanceId": "urn:i:1"}],
    }


def test_aggregated_values_show_each_method_asked_for() -> None:
    series = {iri("a"): [{**prop(n), "observedAt": at} for n, at in ((1, T1), (3, T2))]}
    made = shown(series, "aggregatedValues", query=TemporalQuery(methods=("avg", "max")))
    assert made["a"] == {"type": "Property", "avg": [[2.0, T1, T2]], "max": [[3.0, T1, T2]]}


def test_members_that_are_not_kept_are_left_out() -> None:
    series = {iri("a"): [{**prop(1), "observedAt": T1}]}
    assert set(shown(series, keeps=lambda name: name == iri("a"))) == {"a"}


def test_a_page_ends_before_an_instant_that_does_not_fit_whole() -> None:
    series = {name: [{**prop(1), "observedAt": at} for at in (T1, T2, T3)] for name in "ab"}
    cut = paged({"urn:x:y": series}, TemporalQuery(), 3)
    assert cut is not None
    assert cut.content_range == f"date-time {T1}-{T1}/*"
    assert [len(found) for found in series.values()] == [1, 1]


def test_one_instant_that_is_more_than_a_page_is_given_whole() -> None:
    series = {name: [{**prop(1), "observedAt": T1}] for name in "abc"}
    cut = paged({"urn:x:y": series}, TemporalQuery(last_n=5), 2)
    assert isinstance(cut, Cut)
    assert all(len(found) == 1 for found in series.values())
