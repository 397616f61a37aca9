"""Builders for the tests of the assessment: a small country, and programmes in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from chengmai.assess.gazetteer import Gazetteer
from chengmai.assess.groups import Denominator, Frame, PlaceGroup, Tier
from chengmai.assess.model import Level, Place, Programme, Source, Standing
from chengmai.assess.statistics import Statistics
from chengmai.kernel.texts import Text

NOW, BEFORE = date(2024, 12, 31), date(2023, 12, 31)
SOURCE = Source(name="tests", dated=NOW)
CITIES = Tier("city", Text(zh="市", en="cities"), frozenset({("prefecture", "city")}))
COUNTIES = Tier("county", Text(zh="县", en="counties"), frozenset({("county", "*")}))


def words(text: str) -> Text:
    return Text(zh=f"{text}（中）", en=text)


def a_place(
    code: str, level: Level, kind: str, parent: str | None = None, successor: str | None = None
) -> Place:
    standing = Standing(name=words(code), level=level, kind=kind, parent=parent)
    return Place(code=code, standings=(standing,), successor=successor)


def a_country(provinces: int = 3, cities: int = 3, counties: int = 4) -> list[Place]:
    """Return provinces P1…, with cities P1C1…, with counties P1C1X1…."""
    made = []
    for p in range(1, provinces + 1):
        made.append(a_place(f"P{p}", "provincial", "province"))
        for c in range(1, cities + 1):
            made.append(a_place(f"P{p}C{c}", "prefecture", "city", f"P{p}"))
            for x in range(1, counties + 1):
                made.append(a_place(f"P{p}C{c}X{x}", "county", "county", f"P{p}C{c}"))
    return made


def a_programme(
    place: str, started: date | None = date(2020, 1, 1), **changes: object
) -> Programme:
    made: dict[str, object] = {
        "id": f"g-{place}",
        "place": place,
        "title": f"programme of {place}",
        "started_on": started,
        "source": "tests",
        "source_date": NOW,
    }
    return Programme.model_validate(made | changes)


def a_frame(*groups: PlaceGroup, given: int | None = None) -> Frame:
    of = Denominator("city", words("all cities"), given=given)
    return Frame(groups, (CITIES, COUNTIES), (of,), SOURCE, NOW)


def a_group(group_id: str, *members: str, partition: str | None = None) -> PlaceGroup:
    return PlaceGroup(group_id, words(group_id), frozenset(members), partition)


def statistics(
    programmes: Iterable[Programme],
    *groups: PlaceGroup,
    places: Iterable[Place] | None = None,
    on: date = NOW,
    before: date = BEFORE,
    given: int | None = None,
) -> Statistics:
    gazetteer = Gazetteer(places if places is not None else a_country())
    return Statistics(gazetteer, a_frame(*groups, given=given), list(programmes), on, before)


def numbered(number: int, begun_before: int) -> tuple[list[Place], list[Programme]]:
    """Return `number` cities that build, of which `begun_before` did so a year before."""
    places = [a_place("P", "provincial", "province")]
    places += [a_place(f"C{n}", "prefecture", "city", "P") for n in range(number)]
    late = BEFORE + timedelta(days=100)
    programmes = [
        a_programme(f"C{n}", date(2020, 1, 1) if n < begun_before else late) for n in range(number)
    ]
    return places, programmes
