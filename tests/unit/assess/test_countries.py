"""Another country: its own levels, tiers, groups and denominators, beside China and apart from it."""

from __future__ import annotations

import csv
import json
from datetime import date
from functools import cache

import pytest

from chengmai.assess.countries import (
    check_places,
    from_entity,
    plain_frame,
    read_country,
    to_entity,
)
from chengmai.assess.gazetteer import Gazetteer
from chengmai.assess.groups import PlaceGroup
from chengmai.assess.model import Place, Programme, Source
from chengmai.assess.problems import CountryInvalid, CountryUnknown, GroupsOverlap, RecordInvalid
from chengmai.assess.records import KINDS, read_table
from chengmai.assess.records import from_entity as record_of
from chengmai.assess.records import to_entity as entity_of
from chengmai.assess.registry import Registry, assess
from chengmai.assess.shipped import shipped_country, shipped_frame, shipped_places
from chengmai.assess.statistics import Statistics
from chengmai.assess.words import conclusions
from tests.unit.assess import estonia
from tests.unit.assess.builders import a_programme, words

ON, BEFORE = date(2018, 12, 31), date(2017, 12, 31)


@cache
def the_places() -> tuple[Place, ...]:
    found = read_table(KINDS["places"], estonia.places())
    return tuple(one for one in found if isinstance(one, Place))


@cache
def the_registry() -> Registry:
    """Return China and Estonia side by side, with programmes in both."""
    found = read_table(KINDS["programmes"], estonia.programmes())
    ours = [one for one in found if isinstance(one, Programme)]
    package = read_country(estonia.package())
    return Registry(
        Gazetteer(shipped_places(), the_places()),
        {"programmes": [*ours, a_programme("330100", date(2016, 1, 1))]},
        packages={"EE": package},
    )


def found() -> Statistics:
    return assess(the_registry(), "own", ON, BEFORE, "EE").statistics


def test_coverage_is_of_the_tiers_and_denominators_of_the_country() -> None:
    told = {one.id: one for one in found().coverages()}
    assert told["coverage.linn.15"].value == 40.0
    assert told["coverage.omavalitsus.79"].whole == 9
    label = told["coverage.omavalitsus.79"].denominator_title
    assert label is not None
    assert label.en == "of 79 (municipalities after the reform of 2017)"


def test_growth_by_group_is_of_the_groups_of_the_country() -> None:
    statistics = found()
    cells = statistics.matrix(statistics.frame.groups, [statistics.tier("linn")])
    told = {cell.group.id: (cell.before, cell.now, cell.growth) for cell in cells if cell.group}
    assert told["north"] == (1, 2, 100.0)
    assert told["west"] == (1, 2, 100.0)
    assert told["south"] == (1, 1, 0.0)
    assert told["central"] == (0, 0, None)


def test_groups_that_share_no_place_are_summed_and_others_are_not() -> None:
    statistics = found()
    linn = statistics.tier("linn")
    assert statistics.summed("nuts3", linn).now == statistics.now.count(linn) == 6
    mixed = [statistics.group("north"), statistics.group("coast")]
    assert sum(statistics.now.count(linn, one) for one in mixed) == 5
    frame = statistics.frame
    broken = tuple(
        PlaceGroup(one.id, one.title, one.members, "nuts3") if one.id == "coast" else one
        for one in frame.groups
    )
    object.__setattr__(frame, "groups", broken)
    with pytest.raises(GroupsOverlap) as caught:
        statistics.summed("nuts3", linn)
    assert estonia.city("Tallinn") in caught.value.facts["shared"]


def test_rankings_and_drill_down_stay_in_the_country() -> None:
    statistics = found()
    ranks = statistics.provinces()
    assert len(ranks) == 15
    assert [(r.code, r.value, r.place, r.tied) for r in ranks[:2]] == [
        ("EE-37", 3.0, 1, False),
        ("EE-45", 1.0, 2, True),
    ]
    top = statistics.branches(None)
    assert sum(one.total for one in top) == statistics.count().value == 7
    below = statistics.branches("EE-37")
    assert {one.code for one in below if one.own} == {
        estonia.city(name) for name in ("Tallinn", "Maardu", "Viimsi")
    }


def test_conclusions_name_the_tiers_and_topmost_places_of_the_country() -> None:
    said = " ".join(one.en for one in conclusions(found(), found().frame.groups))
    assert "On 2018-12-31 7 places build" in said
    assert "Cities: fewer than half build, 6 of 15 (all cities of the day), 40%." in said
    assert "Counties with most places of this tier (cities): Harju county" in said
    assert "rovince" not in said


def test_china_counts_nothing_of_another_country() -> None:
    statistics = assess(the_registry(), "own", ON, BEFORE, "CN").statistics
    assert statistics.count().value == 1
    assert len(statistics.provinces()) == 34
    assert statistics.now.lost == []


def test_the_usual_country_is_that_of_the_city_else_of_most_programmes() -> None:
    registry = the_registry()
    assert registry.usual_country() == "EE"
    assert registry.usual_country("330100") == "CN"
    brought = Registry(Gazetteer(shipped_places(), the_places()), {})
    assert brought.usual_country() == "EE"
    assert Registry(Gazetteer(shipped_places()), {}).usual_country() == "CN"
    assert registry.country_for(ON, None, "coast", "") == "EE"
    assert registry.country_for(ON, None, "north_west", "") == "CN"
    with pytest.raises(CountryUnknown) as caught:
        registry.frame("XX", ON)
    assert caught.value.facts["known"] == "CN, EE"


def test_a_country_without_a_package_is_looked_at_level_by_level() -> None:
    registry = Registry(Gazetteer(shipped_places(), the_places()), the_registry().records)
    statistics = assess(registry, "own", ON, BEFORE, "EE").statistics
    told = {one.id: one.whole for one in statistics.coverages()}
    assert told == {"coverage.provincial.15": 0, "coverage.county.17": 41}
    frame = plain_frame(
        words("EE"), registry.gazetteer.on(ON, "EE"), Source(name="s", dated=ON), "EE"
    )
    assert [one.title.en for one in frame.tiers] == ["provincial level", "county level"]


@pytest.mark.parametrize(
    ("changes", "where", "said"),
    [
        ({"id": "estonia"}, "id", "two capital letters"),
        ({"tiers": []}, "tiers", "at least 1"),
        (
            {"tiers": [{"id": "a", "zh": "a", "en": "a", "ranks": ["village/x"]}]},
            "tiers.0.ranks.0",
            "level/kind",
        ),
        ({"source": {"name": "x"}}, "source.dated", "filled in"),
        ({"denominators": [{"tier": "none", "zh": "a", "en": "a"}]}, "country", "there is not"),
        (
            {"denominators": [{"tier": "linn", "zh": "a", "en": "a", "given": 9}]},
            "denominators.0",
            "no source",
        ),
        (
            {
                "groups": [
                    {"id": one, "zh": one, "en": one, "partition": "p", "members": "EE-37"}
                    for one in ("a", "b")
                ]
            },
            "groups",
            "share EE-37",
        ),
    ],
)
def test_a_wrong_package_is_refused_with_the_part_named(
    changes: dict[str, object], where: str, said: str
) -> None:
    with pytest.raises(CountryInvalid) as caught:
        read_country(estonia.package(**changes))
    assert caught.value.param == where
    assert said in caught.value.facts["why"].en


def test_text_that_is_no_package_is_refused() -> None:
    for text in ("", "[]", "{", json.dumps({"id": "EE"})):
        with pytest.raises(CountryInvalid):
            read_country(text)


def test_groups_name_places_that_there_are_and_share_none_below() -> None:
    day = the_registry().gazetteer.on(ON, "EE")
    check_places(read_country(estonia.package()), day)
    one = {"zh": "a", "en": "a", "partition": "p"}
    with pytest.raises(CountryInvalid, match="330000"):
        check_places(
            read_country(estonia.package(groups=[{"id": "a", "members": "330000"} | one])), day
        )
    nested = [
        {"id": "a", "members": "EE-37"} | one,
        {"id": "b", "members": estonia.city("Tallinn")} | one,
    ]
    with pytest.raises(CountryInvalid, match="share"):
        check_places(read_country(estonia.package(groups=nested)), day)


def test_a_package_comes_back_from_its_entity() -> None:
    for package in (read_country(estonia.package()), shipped_country()):
        assert from_entity(to_entity(package)) == package
    assert shipped_frame().country == "CN"


def test_the_country_of_a_place_is_in_its_table_and_its_entity() -> None:
    harju = next(one for one in the_places() if one.code == "EE-37")
    assert harju.country == "EE"
    assert record_of(KINDS["places"], entity_of(KINDS["places"], harju)) == harju
    line = next(csv.reader([estonia.places().splitlines()[1].replace(",EE", ",Estonia")]))
    assert line[-1] == "Estonia"
    with pytest.raises(RecordInvalid, match="two capital letters"):
        read_table(KINDS["places"], estonia.places().replace(",,EE\n", ",,Estonia\n", 1))


def test_a_group_may_hold_places_of_any_level() -> None:
    group = PlaceGroup("g", words("g"), frozenset({"P1C1"}))
    day = Gazetteer(the_places()).on(ON)
    assert not any(group.holds(spot) for spot in day.spots.values())
    coast = found().group("coast")
    assert {one.code for one in found().now.chosen(None, coast)} == {
        estonia.city(name) for name in ("Tallinn", "Haapsalu", "Pärnu")
    }
