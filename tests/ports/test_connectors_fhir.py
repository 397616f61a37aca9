"""FHIR from a real server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chengmai.connect.formats import fhir
from chengmai.connect.problems import ExtraMissing
from chengmai.connect.reading import Reading
from chengmai.packs.feeds import ANY_FEED
from tests.ports.serving import (
    Json,
    Shelf,
    at,
    in_pages,
    polled,
    reasons,
    shipped,
)
from tests.unit.connect.builders import NOW, ListSink


def a_bed(name: str, state: str = "O", ward: str = "w1", **more: Any) -> Json:
    kind = {"coding": [{"code": "bd"}]}
    status = {"system": "http://terminology.hl7.org/CodeSystem/v2-0116", "code": state}
    above = {"reference": f"Location/{ward}", "display": "内科"}
    bed = {"resourceType": "Location", "id": name, "physicalType": kind, "partOf": above}
    return {**bed, "operationalStatus": status, **more}


def a_bundle(*resources: Any, following: str | None = None) -> Json:
    link = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entries}


async def beds(shelf: Shelf, **more: Any) -> ListSink:
    return await polled(*shipped("hospital-fhir"), shelf.at("Location"), **more)


async def test_beds_are_counted_by_ward_over_all_pages(shelf: Shelf) -> None:
    first = [a_bed("1"), a_bed("2", "U"), a_bed("3", "C")]
    second = [a_bed("4"), a_bed("5", "H", "w2")]
    pages = [a_bundle(*first, following=shelf.at("Location?page=1")), a_bundle(*second)]
    in_pages(shelf, "Location", *pages)
    sink = await beds(shelf)
    counts = {r.entity_id[-2:]: r.values for r in sink.live}
    assert counts == {
        "w1": {"occupiedBeds": 2.0, "beds": 3.0},
        "w2": {"occupiedBeds": 0.0, "beds": 1.0},
    }


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "id": "p1", "name": [{"family": "Wang"}]},
        {"resourceType": "Encounter", "id": "e1"},
        a_bed("1", contained=[{"resourceType": "Patient", "id": "Wang"}]),
        a_bed("1", extension=[{"url": "x", "valueReference": {"reference": "Patient/Wang"}}]),
        {"resourceType": "MeasureReport", "status": "complete", "type": "individual"},
        {"resourceType": "MeasureReport", "type": "summary", "evaluatedResource": [{}]},
    ],
)
async def test_data_of_persons_is_refused_and_nothing_of_it_kept(
    shelf: Shelf, resource: Json
) -> None:
    in_pages(shelf, "Location", a_bundle(resource, a_bed("2", "U")))
    sink = await beds(shelf)
    assert reasons(sink) == {"personal_data": 1}
    assert "Wang" not in repr(sink.rejects)
    assert sink.rejects[0].sample == ""
    assert [r.values for r in sink.live] == [{"occupiedBeds": 0.0, "beds": 1.0}]


async def test_a_resource_that_is_not_as_defined_is_told(shelf: Shelf) -> None:
    in_pages(shelf, "Location", a_bundle(a_bed("1", mode="instance", bogus=1), a_bed("2")))
    sink = await beds(shelf)
    assert reasons(sink) == {"bad_resource": 1}
    assert "Location.bogus" in sink.rejects[0].detail


async def test_a_person_in_place_of_a_bundle_is_told_without_a_word_of_it(shelf: Shelf) -> None:
    in_pages(shelf, "Location", {"resourceType": "Patient", "id": "Wang"})
    sink = await beds(shelf)
    assert reasons(sink) == {"bad_document": 1}
    assert "Wang" not in repr(sink.rejects)


async def test_a_bed_that_does_not_say_whether_it_is_occupied_is_not_a_free_one(
    shelf: Shelf,
) -> None:
    silent = [a_bed(name, ward=ward) for name, ward in (("1", "w1"), ("2", "w2"), ("3", "w2"))]
    for bed in silent:
        del bed["operationalStatus"]
    in_pages(shelf, "Location", a_bundle(*silent, a_bed("4"), a_bed("5", "U")))
    sink = await beds(shelf)
    counts = {r.entity_id[-2:]: r.values for r in sink.live}
    assert counts == {"w1": {"occupiedBeds": 1.0, "beds": 2.0}}
    assert reasons(sink) == {"bad_resource": 1}


async def test_places_among_which_there_is_no_bed_are_told(shelf: Shelf) -> None:
    house = {"resourceType": "Location", "id": "h", "physicalType": {"coding": [{"code": "si"}]}}
    in_pages(shelf, "Location", a_bundle(house))
    assert reasons(await beds(shelf)) == {"bad_document": 1}


def a_report(**more: Any) -> Json:
    return {
        "resourceType": "MeasureReport",
        "id": "r1",
        "status": "complete",
        "type": "summary",
        "measure": "https://example.org/Measure/wait",
        "reporter": {"reference": "Organization/h1"},
        "period": {"start": "2026-11", "end": "2026-11"},
        **more,
    }


async def figures(shelf: Shelf, *reports: Json, **columns: str) -> list[Reading]:
    """Return what a feed makes of reports, with `longestWait` from a column of its own."""
    in_pages(shelf, "MeasureReport", a_bundle(*reports))
    told = shipped("triage-fhir")[0].model_dump(by_alias=True)
    told["map"]["attributes"]["longestWait"] = {"unit": "MIN", **columns}
    feed: Any = ANY_FEED.validate_python(told)
    return (await polled(feed, shipped("triage-fhir")[1], shelf.at("MeasureReport"))).live


async def test_a_measure_of_another_version_is_the_same_measure(shelf: Shelf) -> None:
    measure = "https://example.org/Measure/wait|2.0.0"
    (found,) = await figures(shelf, a_report(measure=measure), column="measure_version")
    assert found.entity_id == "urn:ngsi-ld:TriageObserved:h1.wait"


async def test_a_report_of_a_month_is_true_from_its_first_day(shelf: Shelf) -> None:
    (found,) = await figures(shelf, a_report(), column="score.0")
    assert found.observed_at == datetime(2026, 11, 1, tzinfo=UTC)


async def test_groups_of_a_report_that_count_the_same_do_not_hide_each_other(shelf: Shelf) -> None:
    counted = [
        {
            "code": {"coding": [{"code": name}]},
            "population": [{"code": {"coding": [{"code": "waiting"}]}, "count": count}],
        }
        for name, count in (("red", 3), ("green", 40))
    ]
    report = a_report(group=counted)
    (red,) = await figures(shelf, report, column="count.red.waiting")
    (both,) = await figures(shelf, report, column="count.waiting")
    assert (red.values["longestWait"], "longestWait" in both.values) == (3.0, False)


async def test_a_summary_report_gives_its_counts_and_scores(shelf: Shelf) -> None:
    report = {
        "resourceType": "MeasureReport",
        "id": "r1",
        "status": "complete",
        "type": "summary",
        "measure": "https://example.org/Measure/emergency-wait",
        "date": at(-5),
        "reporter": {"reference": "Organization/h1", "display": "一院"},
        "period": {"start": "2026-11-22", "end": "2026-11-22"},
        "group": [
            {
                "code": {"coding": [{"code": "wait"}]},
                "measureScore": {"value": 42, "unit": "min"},
                "population": [{"code": {"coding": [{"code": "waiting"}]}, "count": 9}],
            }
        ],
    }
    in_pages(shelf, "MeasureReport", a_bundle(report))
    (waiting,) = (await polled(*shipped("triage-fhir"), shelf.at("MeasureReport"))).live
    assert waiting.values["longestWait"] == 42.0
    assert waiting.observed_at == NOW - timedelta(minutes=5)


def test_a_city_without_the_library_is_told_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fhir.resources.R4B.location", None)
    feed, _ = shipped("hospital-fhir")
    with pytest.raises(ExtraMissing) as problem:
        fhir.FhirFormat(feed.source, "x")  # type: ignore[arg-type]
    assert problem.value.fix is not None
    assert "pip install 'chengmai[health]'" in problem.value.fix
