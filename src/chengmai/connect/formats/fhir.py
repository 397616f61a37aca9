"""FHIR R4, aggregates only: beds by ward from Locations, figures from summary MeasureReports.

What concerns persons is refused before anything of it is looked at, and its refusal keeps nothing of it: a
resource of any other type than those of places and organisations, one that contains, names or refers to a
patient or an encounter, and a report on individuals. Narrative (`text`) is never read.

Columns of `beds`: `part_of` `name` `beds` `occupied` `free` `closed` `unknown`: beds that do not say whether
they are occupied, which count as neither. Of `measures`: `report_id` `measure` (without its version)
`measure_version` `reporter` `period_start` `period_end`, `count.<population>`, `score.<group>` and, where a
report has several groups, `count.<group>.<population>`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chengmai.connect.formats.pages import pages, read_json
from chengmai.connect.formats.ports import OBSERVED, Broken, Document, Get, Item, fault
from chengmai.connect.problems import ExtraMissing
from chengmai.packs.sources import FhirSource

_ALLOWED = frozenset({"Location", "MeasureReport", "Organization", "HealthcareService"})
_IGNORED = frozenset({"Organization", "HealthcareService", "OperationOutcome"})
_PERSONS = frozenset(
    {"Patient", "RelatedPerson", "Person", "Encounter", "Practitioner", "PractitionerRole", "Group"}
)
_PERSONAL_KEYS = frozenset(
    {"patient", "individual", "birthDate", "evaluatedResource", "subjectResults"}
)
_OCCUPIED = frozenset({"O"})
_FREE = frozenset({"U", "H"})
_CLOSED = frozenset({"C", "K", "I"})
"""Bed status of table v2-0116: closed, contaminated, isolated; U and H (housekeeping) are free or soon so."""


class FhirFormat:
    """Implements `formats.ports.Format` for the search at `address`."""

    timed = True

    def __init__(self, source: FhirSource, address: str) -> None:
        self._source = source
        self._address = address
        self._models = _models()

    async def gather(self, get: Get) -> Sequence[Document]:
        return await pages(get, self._address, _next, most=self._source.max_pages)

    def items(self, documents: Sequence[Document], now: datetime) -> Iterator[Item]:
        found: list[tuple[str, dict[str, Any]]] = []
        for document in documents:
            bundle = read_json(document)
            for number, entry in enumerate(bundle.get("entry") or []):
                where = f"entry[{number}]"
                resource = entry.get("resource") if isinstance(entry, dict) else None
                refused = self._refused(where, resource)
                if refused is not None:
                    yield refused
                elif isinstance(resource, dict) and resource["resourceType"] not in _IGNORED:
                    found.append((where, resource))
        if self._source.take == "beds":
            yield from _beds(found, now)
        else:
            yield from _measures(found)

    def close(self) -> None:
        pass

    def _refused(self, where: str, resource: Any) -> Item | None:
        """Return why a resource is refused: for persons without a word of it, else by its definition."""
        if not isinstance(resource, dict):
            return fault(where, "bad_resource", "an entry without a resource")
        kind = resource.get("resourceType")
        if is_personal(resource):
            return fault(where, "personal_data", "it holds or refers to data of persons")
        if kind in _IGNORED:
            return None
        plain = {key: value for key, value in resource.items() if key != "text"}
        try:
            self._models[str(kind)].model_validate(plain)
        except ValueError as error:
            first = error.errors()[0] if hasattr(error, "errors") else {}
            place = ".".join(str(part) for part in first.get("loc", ()))
            return fault(where, "bad_resource", f"{kind}.{place}: {first.get('msg', error)}"[:300])
        return None


def _models() -> Mapping[str, Any]:
    try:
        from fhir.resources.R4B.location import Location
        from fhir.resources.R4B.measurereport import MeasureReport
    except ImportError as error:
        raise ExtraMissing("fhir.resources", "health") from error
    return {"Location": Location, "MeasureReport": MeasureReport}


def is_personal(resource: Mapping[str, Any]) -> bool:
    """Return whether a resource holds, contains or refers to data of a person."""
    kind = resource.get("resourceType")
    if kind == "OperationOutcome":
        return False
    if kind not in _ALLOWED or (kind == "MeasureReport" and resource.get("type") != "summary"):
        return True
    return any(_names_a_person(value, key) for key, value in resource.items() if key != "text")


def _names_a_person(value: Any, key: str, depth: int = 0) -> bool:
    if key in _PERSONAL_KEYS or depth > 30:
        return True
    if isinstance(value, dict):
        if str(value.get("resourceType")) in _PERSONS or str(value.get("type")) in _PERSONS:
            return True
        return any(_names_a_person(inner, name, depth + 1) for name, inner in value.items())
    if isinstance(value, list):
        return any(_names_a_person(inner, "", depth + 1) for inner in value)
    if key == "reference" and isinstance(value, str):
        return not _PERSONS.isdisjoint(value.replace("#", "").split("/"))
    return False


def _next(document: Document, bundle: Any) -> str | None:
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        kind = bundle.get("resourceType") if isinstance(bundle, dict) else type(bundle).__name__
        # No sample: whatever it is, it may be of a person.
        raise Broken(f"the answer is no Bundle but {kind}")
    for link in bundle.get("link") or []:
        if isinstance(link, dict) and link.get("relation") == "next":
            return str(link.get("url") or "") or None
    return None


def _beds(found: Sequence[tuple[str, dict[str, Any]]], now: datetime) -> Iterator[Item]:
    wards: dict[str, list[str]] = defaultdict(list)
    names: dict[str, str] = {}
    for where, resource in found:
        if resource["resourceType"] != "Location":
            continue
        if "bd" not in _codes(resource.get("physicalType")):
            names[str(resource.get("id"))] = str(resource.get("name") or resource.get("id"))
            continue
        above = resource.get("partOf") or resource.get("managingOrganization") or {}
        ward = str(above.get("reference", "")).rpartition("/")[2]
        if not ward:
            yield fault(
                where, "missing_id", "a bed that is part of nothing", str(resource.get("id"))
            )
            continue
        names.setdefault(ward, str(above.get("display") or ward))
        active = resource.get("status", "active") == "active"
        wards[ward].append(
            str((resource.get("operationalStatus") or {}).get("code")) if active else "C"
        )
    if not wards and names:
        yield fault(
            "Bundle", "bad_document", f"none of its {len(names)} places is a bed (physicalType bd)"
        )
    for ward, states in sorted(wards.items()):
        occupied, free, closed = (
            sum(state in some for state in states) for some in (_OCCUPIED, _FREE, _CLOSED)
        )
        if occupied + free + closed == 0:
            yield fault(
                f"ward {ward}",
                "bad_resource",
                "none of its beds says whether it is occupied (operationalStatus)",
            )
            continue
        yield Item(
            f"ward {ward}",
            {
                "part_of": ward,
                "name": names.get(ward, ward),
                "beds": occupied + free,
                "occupied": occupied,
                "free": free,
                "closed": closed,
                "unknown": len(states) - occupied - free - closed,
                OBSERVED: now.timestamp(),
            },
        )


def _measures(found: Sequence[tuple[str, dict[str, Any]]]) -> Iterator[Item]:
    for where, resource in found:
        if resource["resourceType"] != "MeasureReport" or resource.get("status") != "complete":
            continue
        period = resource.get("period") or {}
        reporter = resource.get("reporter") or resource.get("subject") or {}
        reference = str(reporter.get("reference", "")).rpartition("/")[2]
        measure, _, version = str(resource.get("measure", "")).rpartition("/")[2].partition("|")
        record: dict[str, Any] = {
            "report_id": str(resource.get("id") or where),
            "measure": measure,
            "measure_version": version,
            "reporter": reference or str(reporter.get("display", "")),
            "name": str(reporter.get("display") or reference),
            "period_start": period.get("start"),
            "period_end": period.get("end"),
            OBSERVED: _instant(resource.get("date") or period.get("end")),
        }
        yield Item(where, {**record, **_figures(resource.get("group") or [])})


def _figures(groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the scores and counts of a report; a population of several groups has no count of its own."""
    found: dict[str, Any] = {}
    twice: set[str] = set()
    for number, group in enumerate(groups):
        name = next(iter(_codes(group.get("code"))), str(number))
        found[f"score.{name}"] = (group.get("measureScore") or {}).get("value")
        for population in group.get("population") or []:
            for code in _codes(population.get("code")):
                if len(groups) > 1:
                    found[f"count.{name}.{code}"] = population.get("count")
                if f"count.{code}" in found:
                    twice.add(f"count.{code}")
                found[f"count.{code}"] = population.get("count")
    return {column: value for column, value in found.items() if column not in twice}


def _codes(concept: Any) -> list[str]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return [str(one["code"]) for one in codings or [] if isinstance(one, dict) and "code" in one]


def _instant(raw: object) -> float | None:
    """Return an instant; of a month or a year, which FHIR allows as a date, its first day."""
    told = str(raw)
    told += {4: "-01-01", 7: "-01"}.get(len(told), "")
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
