"""A place that moves, and places that would lie below themselves."""

from __future__ import annotations

from datetime import date

import pytest

from chengmai.assess.gazetteer import Gazetteer
from chengmai.assess.model import Place, Standing
from chengmai.assess.placing import check_places, moved
from chengmai.assess.problems import MoveInvalid, RecordInvalid
from chengmai.kernel.texts import Text

DAY = date(2025, 1, 1)


def place(code: str, parent: str | None = None, **days: date) -> Place:
    standing = Standing(
        name=Text(zh=code, en=code), level="county", kind="x", parent=parent, **days
    )
    return Place(code=code, standings=(standing,))


def finder(*places: Place) -> dict[str, Place]:
    return {one.code: one for one in places}


LAND = finder(place("top"), place("a", "top"), place("b", "top"), place("c", "a"), place("d", "c"))


def test_a_place_that_moves_was_where_it_was_until_the_day() -> None:
    after = moved(LAND["c"], "b", DAY, LAND.get)
    gazetteer = Gazetteer([*LAND.values(), after])
    assert gazetteer.on(date(2024, 12, 31)).spot("d").path == ("top", "a", "c", "d")
    assert gazetteer.on(DAY).spot("d").path == ("top", "b", "c", "d")


def test_a_place_that_moves_twice_keeps_both_its_pasts() -> None:
    once = moved(LAND["c"], "b", DAY, LAND.get)
    again = moved(once, "a", date(2026, 1, 1), finder(*LAND.values(), once).get)
    held = [again.on(day) for day in (date(2024, 1, 1), DAY, date(2026, 1, 1))]
    assert [one.parent if one else None for one in held] == ["a", "b", "a"]


def test_a_move_on_the_day_on_which_a_standing_begins_replaces_it() -> None:
    once = moved(LAND["c"], "b", DAY, LAND.get)
    again = moved(once, "top", DAY, LAND.get)
    assert [(one.parent, one.valid_from) for one in again.standings] == [("a", None), ("top", DAY)]


@pytest.mark.parametrize(
    ("parent", "where"), [("a", "to"), ("nowhere", "to"), ("d", "to"), ("c", "to")]
)
def test_a_place_does_not_move_to_where_it_is_to_nowhere_or_below_itself(
    parent: str, where: str
) -> None:
    with pytest.raises(MoveInvalid) as problem:
        moved(LAND["c"], parent, DAY, LAND.get)
    assert problem.value.param == where


def test_a_place_that_is_not_there_on_the_day_does_not_move() -> None:
    gone = place("c", "a", valid_until=date(2020, 1, 1))
    with pytest.raises(MoveInvalid) as problem:
        moved(gone, "b", DAY, LAND.get)
    assert problem.value.param == "on"


def test_places_that_lie_below_each_other_are_refused_with_the_line() -> None:
    ring = finder(place("x", "z"), place("y", "x"), place("z", "y"))
    with pytest.raises(RecordInvalid, match="line 2, parent: x would lie below itself"):
        check_places(ring.values(), ring.get)


def test_places_that_change_places_on_a_day_are_no_ring() -> None:
    day = date(2020, 1, 1)
    upper = Place(
        code="x",
        standings=(
            Standing(name=Text(zh="x", en="x"), level="county", kind="x", valid_until=day),
            Standing(
                name=Text(zh="x", en="x"), level="county", kind="x", parent="y", valid_from=day
            ),
        ),
    )
    lower = Place(
        code="y",
        standings=(
            Standing(
                name=Text(zh="y", en="y"), level="county", kind="x", parent="x", valid_until=day
            ),
            Standing(name=Text(zh="y", en="y"), level="county", kind="x", valid_from=day),
        ),
    )
    check_places([upper, lower], finder(upper, lower).get)
