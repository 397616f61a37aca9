"""Every figure that was published is reproduced from the example registry."""

from __future__ import annotations

import pytest

from chengmai.assess.figures import Figure, as_reported
from chengmai.assess.groups import partition_of
from chengmai.assess.registry import assess, example_registry
from chengmai.assess.shipped import shipped_example, shipped_frame, shipped_gazetteer
from chengmai.assess.statistics import Statistics
from chengmai.assess.words import conclusions, top

EXAMPLE = shipped_example()
FOUND = assess(example_registry(), "example", EXAMPLE.on, EXAMPLE.before).statistics
REPORTED = {one.id: as_reported(one) for one in EXAMPLE.figures}


def reported(figure_id: str) -> float | None:
    return REPORTED[figure_id].value


def named(figures: list[Figure], tier: str) -> dict[float | None, tuple[int | None, str]]:
    return {
        one.denominator: (one.whole, one.denominator_title.en if one.denominator_title else "")
        for one in figures
        if one.id.startswith(f"coverage.{tier}.")
    }


def test_386_places_build_and_316_did_a_year_before() -> None:
    assert FOUND.count().value == reported("guomai-total") == 386
    assert len(FOUND.then.builders) == 316
    growth = FOUND.growth()
    assert growth.value == pytest.approx(22.1519, abs=1e-4)
    assert growth.whole == reported("guomai-growth") == 22
    assert (growth.numerator, growth.denominator) == (70, 316)


def test_all_19_municipalities_and_sub_provincial_cities_build() -> None:
    found = named(FOUND.coverages(), "upper")
    assert found[19] == (100, "of 19 (4 municipalities and 15 sub-provincial cities)")
    assert reported("guomai-upper") == 100


def test_changing_the_denominator_changes_rate_and_label_together() -> None:
    assert named(FOUND.coverages(), "prefecture_city") == {
        278: (74, "of 278 (prefecture-level cities without sub-provincial ones)"),
        293: (75, "of 293 (prefecture-level cities with sub-provincial ones)"),
        333: (66, "of 333 (all prefecture-level units, with prefectures, regions and leagues)"),
    }
    assert reported("guomai-prefecture") == 74


def test_116_of_361_county_level_cities_are_32_percent() -> None:
    found = named(FOUND.coverages(), "county_city")
    assert found[361] == (32, "of 361 (county-level cities at the end of 2014)")
    assert FOUND.now.count(FOUND.tier("county_city")) == 116
    assert reported("guomai-county") == 32


def test_a_published_denominator_is_used_near_its_year_only() -> None:
    later = Statistics(
        shipped_gazetteer(),
        shipped_frame(),
        EXAMPLE.programmes,
        EXAMPLE.on.replace(year=2024),
        EXAMPLE.on,
    )
    assert list(named(later.coverages(), "county_city")) == [397]


@pytest.mark.parametrize(
    ("tier", "group", "figure"),
    [
        ("prefecture_and_above", "north_west", "guomai-north-west"),
        ("county_city", "north_east", "guomai-north-east"),
    ],
)
def test_the_group_that_was_published_as_fastest_is(tier: str, group: str, figure: str) -> None:
    chosen = FOUND.tier(tier)
    groups = [one for one in FOUND.frame.groups if one.id != "municipalities"]
    order = FOUND.fastest(chosen, groups)
    assert (order[0].code, order[0].tied) == (group, False)
    assert FOUND.growth(chosen, FOUND.group(group)).whole == reported(figure)


def test_all_four_municipalities_build() -> None:
    items = set(REPORTED["guomai-municipalities"].items)
    assert items == FOUND.group("municipalities").members
    assert items <= FOUND.now.builders


@pytest.mark.parametrize(
    ("tier", "figure"),
    [("prefecture_and_above", "guomai-top-prefecture"), ("county_city", "guomai-top-county")],
)
def test_the_five_leading_provinces_are_those_published(tier: str, figure: str) -> None:
    leaders = top(FOUND.provinces(FOUND.tier(tier)))
    assert {rank.code for rank in leaders} == set(REPORTED[figure].items)


def test_two_counts_of_one_topic_stand_side_by_side() -> None:
    extent = [one for one in REPORTED.values() if one.topic == "extent"]
    assert {one.id: (one.value, one.is_at_least) for one in extent} == {
        "guomai-total": (386, False),
        "pilots": (500, True),
    }
    assert len({one.source for one in extent}) == 2
    assert len({one.definition for one in extent}) == 2


def test_over_one_trillion_yuan_were_planned() -> None:
    figure = REPORTED["planned-investment"]
    assert (figure.value, figure.is_at_least, figure.unit) == (10**12, True, "yuan")


def test_the_conclusions_say_the_published_figures() -> None:
    said = " ".join(one.en for one in conclusions(FOUND, FOUND.frame.groups[:6]))
    for part in (
        "386",
        "grew by 22%",
        "19 of 19",
        "100%",
        "74%",
        "116 of 361",
        "32%",
        "44%",
        "63%",
    ):
        assert part in said


def test_every_figure_of_the_example_says_that_its_registry_is_made_up() -> None:
    assert FOUND.source is not None
    assert "虚构" in FOUND.source.name


def test_the_31_provinces_are_in_one_region_each() -> None:
    regions = partition_of(FOUND.frame.groups, "regions")
    members = [code for group in regions for code in group.members]
    assert len(members) == len(set(members)) == 34
    assert len(FOUND.now.day.children(None)) == 34


def test_the_example_can_be_looked_at_from_region_down_to_community_and_adds_up() -> None:
    path = FOUND.now.day.spot("330483-x1-1").path
    assert path == ("330000", "330400", "330483", "330483-x1", "330483-x1-1")
    for code in path[:-1]:
        whole, below = FOUND.branch(code), FOUND.branches(code)
        assert whole.total == whole.own + sum(one.total for one in below)
        assert whole.places == 1 + sum(one.places for one in below)
    assert {one.level for one in FOUND.branches("330483")} == {"town", "park"}
