"""Counting, growth, coverage, rankings and drill-down."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chengmai.assess.figures import Figure, added, rounded, share
from chengmai.assess.groups import check_exclusive
from chengmai.assess.model import Source
from chengmai.assess.problems import (
    DayInvalid,
    DenominatorInvalid,
    GroupsOverlap,
    GroupUnknown,
    SourceMissing,
    SourcesDiffer,
    TierUnknown,
)
from chengmai.assess.statistics import ranked
from chengmai.assess.words import conclusions, course
from chengmai.web.cockpit.assess.cartogram import SHADES, shades
from tests.unit.assess.builders import (
    BEFORE,
    CITIES,
    COUNTIES,
    NOW,
    a_country,
    a_group,
    a_programme,
    numbered,
    statistics,
    words,
)


def a_figure(value: float = 1, source: str = "office", definition: str = "counted") -> Figure:
    made = Source(name=source, dated=NOW)
    return Figure("f", "reported", words("f"), words(definition), value, "places", NOW, made)


@pytest.mark.parametrize(("now", "before", "whole"), [(386, 316, 22), (316, 386, -18), (5, 5, 0)])
def test_growth_is_the_difference_over_what_was(now: int, before: int, whole: int) -> None:
    if now < before:
        places, programmes = numbered(before, before)
        programmes = [
            one.model_copy(update={"stopped_on": date(2024, 3, 1)}) if n >= now else one
            for n, one in enumerate(programmes)
        ]
    else:
        places, programmes = numbered(now, before)
    assert statistics(programmes, places=places).growth().whole == whole


def test_growth_from_nothing_has_no_rate_and_says_so() -> None:
    places, programmes = numbered(4, 0)
    figure = statistics(programmes, places=places).growth()
    assert figure.value is None
    assert figure.because is not None


def test_19_of_19_are_all_and_116_of_361_are_32_percent() -> None:
    places, programmes = numbered(19, 19)
    (of,) = statistics(programmes, places=places).coverages()
    assert (of.whole, of.denominator) == (100, 19)
    places, programmes = numbered(116, 116)
    (of,) = statistics(programmes, places=places, given=361).coverages()
    assert (of.whole, of.denominator) == (32, 361)


@pytest.mark.parametrize(("given_", "whole"), [(278, 73), (293, 69), (333, 61)])
def test_another_denominator_gives_another_rate_and_label(given_: int, whole: int) -> None:
    places, programmes = numbered(203, 203)
    (of,) = statistics(programmes, places=places, given=given_).coverages()
    assert of.whole == whole
    assert of.denominator_title is not None
    assert str(given_) in of.denominator_title.zh
    assert str(given_) in of.denominator_title.en


def test_more_than_all_is_refused() -> None:
    places, programmes = numbered(10, 10)
    with pytest.raises(DenominatorInvalid):
        statistics(programmes, places=places, given=9).coverages()


def test_a_place_counts_once_however_many_programmes_it_has() -> None:
    two = [a_programme("P1C1"), a_programme("P1C1", id="other")]
    assert statistics(two).count().value == 1


def test_a_stopped_programme_no_longer_counts_and_a_planned_one_not_yet() -> None:
    stopped = a_programme("P1C1", stopped_on=date(2024, 1, 1))
    planned = a_programme("P1C2", None, planned_on=date(2024, 1, 1))
    found = statistics([stopped, planned])
    assert found.count().value == 0
    assert found.now.states == {"P1C1": "stopped", "P1C2": "planned"}


def test_a_number_without_a_source_is_refused() -> None:
    with pytest.raises(SourceMissing):
        Figure("f", "computed", words("f"), words("d"), 1, "places", NOW, None)
    with pytest.raises(SourceMissing):
        statistics([]).count()


@pytest.mark.parametrize("other", [a_figure(2, "another"), a_figure(2, definition="otherwise")])
def test_figures_of_two_sources_are_never_added(other: Figure) -> None:
    assert added([a_figure(1), a_figure(2)]) == 3
    with pytest.raises(SourcesDiffer):
        added([a_figure(1), other])


def test_groups_that_share_a_place_are_never_summed() -> None:
    check_exclusive([a_group("a", "P1"), a_group("b", "P2")])
    with pytest.raises(GroupsOverlap) as caught:
        check_exclusive([a_group("a", "P1", "P2"), a_group("b", "P2")])
    assert caught.value.facts["shared"] == ["P2"]


def test_equal_values_share_a_place_and_the_next_is_left_out() -> None:
    ranks = ranked({"a": 3, "b": 5, "c": 3, "d": 1}, {c: words(c) for c in "abcd"})
    assert [(r.place, r.code, r.tied) for r in ranks] == [
        (1, "b", False),
        (2, "a", True),
        (2, "c", True),
        (4, "d", False),
    ]


def test_a_half_is_rounded_away_from_zero() -> None:
    assert [rounded(v) for v in (0.5, 1.5, 2.5, -0.5, 62.5, 2.4999)] == [1, 2, 3, -1, 63, 2]


def test_a_day_before_the_day_is_needed() -> None:
    with pytest.raises(DayInvalid):
        statistics([], on=BEFORE, before=NOW)


def test_an_unknown_tier_or_group_is_named_with_those_that_are() -> None:
    with pytest.raises(TierUnknown, match="nowhere"):
        statistics([]).tier("nowhere")
    with pytest.raises(GroupUnknown, match="nowhere"):
        statistics([]).group("nowhere")


def test_who_joined_is_a_place_that_did_not_build_before() -> None:
    late = date(2024, 5, 1)
    found = statistics([a_programme("P1C1"), a_programme("P1C2", late), a_programme("P2C1", late)])
    assert [spot.code for spot in found.newly()] == ["P1C2", "P2C1"]
    assert [spot.code for spot in found.newly_provinces()] == ["P2"]


def test_a_share_is_of_all_that_build() -> None:
    found = statistics([a_programme("P1C1"), a_programme("P1C1X1"), a_programme("P1C1X2")])
    assert found.share(COUNTIES).whole == 67
    assert found.share(CITIES).whole == 33
    assert share(0, 0, "nothing") is None


CODES = [place.code for place in a_country()]
chosen = st.sets(st.sampled_from(CODES))


@given(chosen)
def test_drilling_down_adds_up_at_every_step(codes: set[str]) -> None:
    found = statistics([a_programme(code) for code in codes])
    assert sum(b.total for b in found.branches(None)) == len(codes)
    for code in CODES:
        whole = found.branch(code)
        assert whole.total == whole.own + sum(b.total for b in found.branches(code))


@given(chosen)
def test_every_place_is_in_exactly_one_state(codes: set[str]) -> None:
    phases = statistics([a_programme(code) for code in codes]).phases()
    assert sum(phases.values()) == len(CODES)
    assert phases["building"] == len(codes)


counts = st.lists(st.integers(0, 9), min_size=2, max_size=6)


@given(counts)
def test_inverting_the_data_inverts_ranking_and_colours(values: list[int]) -> None:
    most = max(values)
    data = {f"c{n}": float(value) for n, value in enumerate(values)}
    turned = {code: most - value for code, value in data.items()}
    names = {code: words(code) for code in data}
    one, other = ranked(data, names), ranked(turned, names)
    place, inverted = ({r.code: r.place for r in ranks} for ranks in (one, other))
    shade, shaded = shades(one), shades(other)
    for a in data:
        for b in data:
            if data[a] > data[b]:
                assert place[a] < place[b]
                assert inverted[a] > inverted[b]
                assert shade[a] >= shade[b]
                assert shaded[a] <= shaded[b]
    for code, value in data.items():
        assert (shade[code] == 0) == (value == 0)
        assert shade[code] == SHADES or value < most or most == 0


def a_tale(p1: int, p2: int) -> str:
    """Return what is said when P1 had p1 counties more than before, and P2 p2 more."""
    tier = COUNTIES.__class__("county_city", COUNTIES.title, COUNTIES.ranks)
    late = date(2024, 5, 1)
    programmes = [a_programme(f"{p}C3X4") for p in ("P1", "P2")]
    for province, number in (("P1", p1), ("P2", p2)):
        codes = [f"{province}C1X{n + 1}" for n in range(number)]
        programmes += [a_programme(code, late) for code in codes]
    groups = (a_group("first", "P1"), a_group("second", "P2"))
    found = statistics(programmes, *groups)
    object.__setattr__(found.frame, "tiers", (tier,))
    return " ".join(text.en for text in conclusions(found, groups))


def test_the_sentence_on_pace_says_how_fast() -> None:
    assert "first went fastest (grew by 300%), second slowest (grew by 100%)" in a_tale(3, 1)


@given(st.integers(0, 4), st.integers(0, 4))
def test_inverting_the_data_inverts_the_words(first: int, second: int) -> None:
    said, turned = a_tale(first, second), a_tale(second, first)
    fast, slow = ("first", "second") if first > second else ("second", "first")
    assert (f"{fast} went fastest" in said) == (first != second)
    assert (f"{slow} went fastest" in turned) == (first != second)
    assert ("fastest" in said) == ("fastest" in turned) == (first != second)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (22.15, "grew by 22%"),
        (-22.15, "fell by 22%"),
        (0.2, "stayed about the same"),
        (0.0, "did not change"),
        (None, "began"),
    ],
)
def test_the_word_for_a_course_follows_its_sign(rate: float | None, said: str) -> None:
    assert course(rate).en == said


@pytest.mark.parametrize(
    ("places", "said", "unsaid"),
    [
        ([], "", "build"),
        (["P1C1"], "1 place builds", "share the most"),
        (
            ["P1C1", "P2C1"],
            "share the most places of this tier (cities), 1 each: P1 and P2",
            "slowest",
        ),
        (
            ["P1C1", "P1C2", "P2C1"],
            "with most places of this tier (cities): P1 and P2",
            "share the",
        ),
    ],
)
def test_few_and_equal_data_are_not_said_to_lead(places: list[str], said: str, unsaid: str) -> None:
    found = statistics([a_programme(place) for place in places])
    tier = CITIES.__class__("prefecture_and_above", CITIES.title, CITIES.ranks)
    object.__setattr__(found.frame, "tiers", (tier,))
    told = " ".join(text.en for text in conclusions(found, ()))
    assert said in told
    assert unsaid not in told
