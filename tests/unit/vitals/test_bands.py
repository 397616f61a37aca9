"""The level of a value by bands, with and without the four colours."""

from __future__ import annotations

import pytest

from chengmai.vitals.bands import Edge, level_by, level_of
from chengmai.vitals.model import Level, Standing
from chengmai.vitals.rules import advance
from chengmai.vitals.words import reason
from tests.unit.vitals.builders import HOUR_US, a_band, a_rule, a_spec

FOUR = (
    a_band("watch", grade="blue", above=15.0, clear=10.0),
    a_band("watch", grade="yellow", above=27.0, clear=22.0),
    a_band("act", grade="orange", above=40.0, clear=35.0),
    a_band("act", grade="red", above=60.0, clear=55.0),
)


@pytest.mark.parametrize(
    ("value", "level", "grade"),
    [
        (15.0, "normal", None),
        (16.0, "watch", "blue"),
        (28.0, "watch", "yellow"),
        (41.0, "act", "orange"),
        (61.0, "act", "red"),
    ],
)
def test_the_most_severe_colour_that_is_passed_decides(
    value: float, level: str, grade: str | None
) -> None:
    verdict = level_of(value, FOUR)
    assert verdict.level == level
    assert (verdict.band.grade if verdict.band else None) == grade


def test_below_a_threshold_the_most_severe_colour_decides_too() -> None:
    falling = (
        a_band("act", grade="red", below=80.0),
        a_band("act", grade="orange", below=90.0),
        a_band("watch", grade="yellow", below=95.0),
    )
    verdict = level_of(75.0, falling)
    assert verdict.band is not None
    assert verdict.band.grade == "red"


def test_a_level_that_hysteresis_holds_is_told_with_its_mildest_colour() -> None:
    verdict = level_of(38.0, FOUR, held="act", side="above")
    assert (verdict.level, verdict.held) == ("act", True)
    assert verdict.band is not None
    assert verdict.band.grade == "orange"


def test_the_sentence_names_the_colour_and_the_level() -> None:
    spec, rule = a_spec(bands=FOUR), a_rule(bands=FOUR)
    standing = advance(a_standing(), 0, 41.0, rule)
    told = reason(spec, rule, HOUR_US, 41.0, standing)
    assert "橙色（处置）阈值 40" in told.zh
    assert "orange (act) threshold of 40" in told.en


def a_standing() -> Standing:
    return Standing("unknown")


def test_a_threshold_that_is_reached_counts_where_the_standard_says_so() -> None:
    reached = [a_band(above=50.0, inclusive=True)]
    assert level_of(50.0, reached).level == "act"
    assert level_of(0.1 + 0.2 + 49.7 - 1e-12, reached).level == "act"
    assert level_of(49.9, reached).level == "normal"
    assert level_of(50.0, [a_band(below=50.0, inclusive=True)]).level == "act"


def test_the_sentence_says_that_a_threshold_is_reached() -> None:
    bands = (a_band(above=50.0, inclusive=True),)
    spec, rule = a_spec(bands=bands), a_rule(bands=bands)
    told = reason(spec, rule, 0, 50.0, advance(a_standing(), 0, 50.0, rule))
    assert "达到处置阈值 50" in told.zh
    assert "at or above the act threshold of 50" in told.en


def test_a_share_that_is_on_the_threshold_is_not_beyond_it() -> None:
    # 235.4 V is the limit of 220 V + 7 %, and the quotient is not exact.
    deviation = 100.0 * (235.4 - 220) / 220
    assert deviation > 7
    assert level_of(deviation, [a_band(above=7.0)]).level == "normal"


@pytest.mark.parametrize("value", [14.0, 15.0, 23.0, 28.0, 38.0, 41.0, 57.0, 61.0])
@pytest.mark.parametrize("held", ["normal", "watch", "act"])
def test_bands_prepared_once_give_the_same_level(value: float, held: Level) -> None:
    edges = [Edge.of(band) for band in FOUR]
    assert level_by(value, edges, held, "above") == level_of(value, FOUR, held, "above")
