"""The registry of a tenant as it stands, and what it says on a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Literal, TypeVar

from chengmai.assess import countries
from chengmai.assess.countries import CountryPackage, plain_frame
from chengmai.assess.figures import Figure, as_reported
from chengmai.assess.gazetteer import CHINA, Gazetteer
from chengmai.assess.groups import Frame
from chengmai.assess.model import (
    Investment,
    Place,
    Plan,
    Programme,
    Project,
    Record,
    ReportedFigure,
    Result,
    Source,
)
from chengmai.assess.problems import CountryInvalid, CountryUnknown, RecordInvalid
from chengmai.assess.reasons import both
from chengmai.assess.records import KINDS, from_entity
from chengmai.assess.shipped import (
    shipped_country,
    shipped_example,
    shipped_gazetteer,
    shipped_places,
)
from chengmai.assess.statistics import Statistics
from chengmai.kernel.texts import Text
from chengmai.kernel.work import Tx
from chengmai.ngsild.entity import Entity
from chengmai.ngsild.model import Shelves

MOST_RECORDS = 200_000
ELSEWHERE = "ZZ"
"""The country of topmost places that name none; ISO 3166-1 leaves the code to its users."""
_TITLES = {
    CHINA: Text(zh="中国", en="China"),
    ELSEWHERE: Text(zh="未注明国家", en="no country named"),
}
DataSet = Literal["own", "example"]
T = TypeVar("T", bound=Record)


Was = Callable[[Entity], Entity | None]


def as_it_is(entity: Entity) -> Entity | None:
    """Return an entity as it stands."""
    return entity


@dataclass(frozen=True)
class LeftOut:
    """An entity of one of our types that is no such record, and why; it is counted nowhere."""

    entity_id: str
    why: Text


@dataclass(frozen=True)
class Registry:
    """All records of a tenant, or of the example."""

    gazetteer: Gazetteer
    records: Mapping[str, Sequence[Record]]
    left_out: tuple[LeftOut, ...] = ()
    packages: Mapping[str, CountryPackage] = field(default_factory=dict)
    """Packages of countries that were taken in, by their codes."""

    def of(self, kind: str, model: type[T]) -> list[T]:
        """Return the records of a kind, by id."""
        return [record for record in self.records.get(kind, ()) if isinstance(record, model)]

    @property
    def programmes(self) -> list[Programme]:
        return self.of("programmes", Programme)

    @property
    def plans(self) -> list[Plan]:
        return self.of("plans", Plan)

    @property
    def investments(self) -> list[Investment]:
        return self.of("investments", Investment)

    @property
    def projects(self) -> list[Project]:
        return self.of("projects", Project)

    @property
    def results(self) -> list[Result]:
        return self.of("results", Result)

    @property
    def figures(self) -> list[Figure]:
        """Return what was reported."""
        return [as_reported(one) for one in self.of("figures", ReportedFigure)]

    def package(self, country: str) -> CountryPackage | None:
        """Return the package of a country; None where there is none."""
        return self.packages.get(country) or (shipped_country() if country == CHINA else None)

    def frame(self, country: str, on: date) -> Frame:
        """Return how the places of a country are looked at; raises `CountryUnknown`."""
        if (package := self.package(country)) is not None:
            return package.frame()
        known = self.gazetteer.countries()
        if country not in known:
            raise CountryUnknown(country, known)
        source = Source(name=country, dated=on)
        return plain_frame(
            self._country_title(country), self.gazetteer.on(on, country), source, country
        )

    def countries(self) -> dict[str, Text]:
        """Return the countries of which there are places, with their names."""
        known = self.gazetteer.countries()
        return {one: self._country_title(one) for one in known}

    def _country_title(self, country: str) -> Text:
        if country in self.packages:
            return self.packages[country].title
        return _TITLES.get(country, Text(zh=country, en=country))

    def country_for(self, on: date, place: str | None, group: str | None, home: str) -> str:
        """Return the country of a place, or that of which a group is; else the usual one."""
        usual = self.usual_country(home)
        if place and (found := self.gazetteer.country_of(place)) is not None:
            return found
        if group:
            listed = [usual, *self.gazetteer.countries()]
            having = (one for one in listed if group in {g.id for g in self.frame(one, on).groups})
            return next(having, usual)
        return usual

    def usual_country(self, home: str = "") -> str:
        """Return the country that is asked about when none is named.

        It is that of the city itself, else the one with most programmes, else the only one that the tenant
        brought, else China.
        """
        if home and (found := self.gazetteer.country_of(home)) is not None:
            return found
        counts = Counter(self.gazetteer.country_of(one.place) or CHINA for one in self.programmes)
        if counts:
            return max(sorted(counts), key=lambda one: (counts[one], one == CHINA))
        brought = [one for one in self.gazetteer.countries() if one != CHINA]
        return brought[0] if len(brought) == 1 else CHINA

    def without_plan(self) -> list[Programme]:
        """Return the programmes for which no plan with a document is known."""
        planned = {plan.programme for plan in self.plans}
        return [one for one in self.programmes if one.id not in planned]


@dataclass(frozen=True)
class Assessed:
    """What a data set says on a day, with what others reported."""

    data: DataSet
    registry: Registry
    statistics: Statistics
    known: date | None = None
    """At the end of which day this was known; None is now."""

    @property
    def country(self) -> str:
        """Return the country whose places these are."""
        return self.statistics.frame.country

    @property
    def is_empty(self) -> bool:
        return not self.registry.programmes


def read_registry(model: Shelves, tx: Tx, tenant: str, was: Was = as_it_is) -> Registry:
    """Return all records of a tenant as they stand; what is no record is left out, with its reason.

    `was` turns an entity into what it was at an instant, or None where it was not there yet.
    """

    def each(entity_type: str) -> Iterator[Entity]:
        for found in model.find(tx, tenant, entity_type, limit=MOST_RECORDS):
            if (one := was(found)) is not None:
                yield one

    records: dict[str, list[Record]] = {}
    left_out: list[LeftOut] = []
    for kind in KINDS.values():
        made = records.setdefault(kind.id, [])
        for entity in each(kind.entity_type):
            try:
                made.append(from_entity(kind, entity))
            except RecordInvalid as problem:
                left_out.append(_left_out(entity, problem))
    packages: dict[str, CountryPackage] = {}
    for entity in each(countries.TYPE):
        try:
            package = countries.from_entity(entity)
            packages[package.id] = package
        except CountryInvalid as problem:
            left_out.append(LeftOut(entity["id"], problem.facts["why"]))
    places = [_placed(one) for one in records["places"] if isinstance(one, Place)]
    gazetteer = Gazetteer(shipped_places(), places) if places else shipped_gazetteer()
    return Registry(gazetteer, records, tuple(left_out), packages)


def _placed(place: Place) -> Place:
    """Return a place; a topmost one that names no country and is not of China lies elsewhere."""
    is_topmost = any(one.parent is None for one in place.standings)
    if place.country is not None or not is_topmost or place.code in shipped_gazetteer():
        return place
    return place.model_copy(update={"country": ELSEWHERE})


def _left_out(entity: Entity, problem: RecordInvalid) -> LeftOut:
    why: Text = problem.facts["why"]
    named = both(problem.facts["field"])
    return LeftOut(entity["id"], Text(zh=f"{named.zh}：{why.zh}", en=f"{named.en}: {why.en}"))


def assess(
    registry: Registry,
    data: DataSet,
    on: date,
    before: date | None = None,
    country: str | None = None,
    known: date | None = None,
) -> Assessed:
    """Return what a registry says on a day, compared with `before` or the same day of the year before.

    It speaks of the places of one country. Raises `CountryUnknown`.
    """
    earlier = before or _year_before(on)
    frame = registry.frame(country or registry.usual_country(), on)
    statistics = Statistics(registry.gazetteer, frame, registry.programmes, on, earlier)
    return Assessed(data, registry, statistics, known)


def example_registry() -> Registry:
    """Return the example that comes with the program."""
    example = shipped_example()
    records: dict[str, Sequence[Record]] = {
        "programmes": example.programmes,
        "figures": example.figures,
    }
    return Registry(_example_places(), records)


@cache
def _example_places() -> Gazetteer:
    return Gazetteer(shipped_places(), shipped_example().towns)


def _year_before(day: date) -> date:
    return date(day.year - 1, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)
