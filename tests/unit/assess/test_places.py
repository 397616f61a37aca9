"""Places: the shipped ones, validity, and what moving one changes."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chengmai.assess.gazetteer import Gazetteer
from chengmai.assess.model import Place, Standing
from chengmai.assess.problems import PlaceUnknown
from chengmai.assess.shipped import shipped_gazetteer
from tests.unit.assess.builders import a_country, a_place, a_programme, statistics, words

TODAY = date(2024, 6, 1)
MOVE = date(2022, 7, 1)


def moved(code: str, old: str, new: str, on: date = MOVE) -> Place:
    more = {"name": words(code), "level": "county", "kind": "county"}
    return Place(
        code=code,
        standings=(
            Standing.model_validate(more | {"parent": old, "valid_until": on}),
            Standing.model_validate(more | {"parent": new, "valid_from": on}),
        ),
    )


def test_the_shipped_places_are_as_many_as_the_country_has() -> None:
    spots = shipped_gazetteer().on(TODAY).spots.values()
    kinds = Counter((spot.level, spot.kind) for spot in spots)
    assert sum(n for (level, _), n in kinds.items() if level == "provincial") == 34
    assert kinds["provincial", "municipality"] == 4
    assert kinds["sub_provincial", "city"] == 15
    assert kinds["sub_provincial", "city"] + kinds["prefecture", "city"] == 293
    prefectures = [kinds["prefecture", k] for k in ("autonomous_prefecture", "region", "league")]
    assert prefectures == [30, 7, 3]
    assert kinds["county", "county_city"] == 397


def test_every_shipped_place_is_below_a_province() -> None:
    day = shipped_gazetteer().on(TODAY)
    assert {day.spots[spot.province].level for spot in day.spots.values()} == {"provincial"}
    assert all(spot.code[:2] == spot.province[:2] for spot in day.spots.values())


def test_a_place_that_ended_is_taken_over_by_its_successor() -> None:
    gazetteer = shipped_gazetteer()
    assert gazetteer.on(date(2020, 1, 1)).standing_for("350681") == "350681"
    assert gazetteer.on(TODAY).standing_for("350681") == "350604"
    assert "350604" not in gazetteer.on(date(2020, 1, 1)).spots


def test_successors_that_go_round_name_nobody() -> None:
    ended = {
        "name": words("a"),
        "level": "county",
        "kind": "county",
        "valid_until": date(2020, 1, 1),
    }
    a, b = (
        Place(code=one, standings=(Standing.model_validate(ended),), successor=other)
        for one, other in (("A", "B"), ("B", "A"))
    )
    assert Gazetteer([a, b]).on(TODAY).standing_for("A") is None


def test_parents_that_go_round_end() -> None:
    a = a_place("A", "county", "county", "B")
    b = a_place("B", "county", "county", "A")
    assert set(Gazetteer([a, b]).on(TODAY).spots["A"].path) == {"A", "B"}


def test_a_place_cannot_be_two_things_on_a_day() -> None:
    standing = Standing(name=words("A"), level="county", kind="county")
    with pytest.raises(ValidationError, match="two standings"):
        Place(code="A", standings=(standing, standing))


def test_an_unknown_place_is_named() -> None:
    with pytest.raises(PlaceUnknown) as caught:
        statistics([]).branch("nowhere")
    assert caught.value.facts["place"] == "nowhere"


@given(
    st.dates(date(2015, 1, 1), date(2029, 12, 31)), st.dates(date(2015, 1, 1), date(2029, 12, 31))
)
def test_moving_a_county_changes_the_past_only_from_its_day_on(on: date, move: date) -> None:
    before = [place for place in a_country() if place.code != "P1C1X1"]
    stay = a_place("P1C1X1", "county", "county", "P1C1")
    programmes = [a_programme(place.code, date(2014, 1, 1)) for place in a_country()]

    def totals(county: Place) -> dict[str, int]:
        found = statistics(programmes, places=[*before, county], on=on, before=date(2014, 6, 1))
        return {b.code: b.total for p in ("P1", "P2") for b in found.branches(p)}

    was, now = totals(stay), totals(moved("P1C1X1", "P1C1", "P2C1", move))
    if on < move:
        assert now == was
    else:
        assert now == was | {"P1C1": was["P1C1"] - 1, "P2C1": was["P2C1"] + 1}


def test_the_shipped_table_has_each_code_once() -> None:
    text = (resources.files("chengmai.assess") / "data/divisions.csv").read_text("utf-8")
    codes = [row["code"] for row in csv.DictReader(text.splitlines())]
    assert len(codes) == len(set(codes)) > 3000
