"""From what is expected to a suggestion, or to the sentence that says why there is none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chengmai.pools.model import Outlook
from chengmai.pools.planning import kilometres
from chengmai.pools.rules import shortage_of
from tests.unit.pools.builders import (
    AT_US,
    HOUR_US,
    a_member,
    a_pool,
    a_suggestion,
    a_text,
    an_hour,
    an_outlook,
    planned,
)

THREE = st.lists(st.floats(0, 160), min_size=3, max_size=3)


def test_who_falls_short_is_helped_by_who_has_room() -> None:
    _, made = a_suggestion()

    assert [(m.source, m.target, m.units) for m in made.moves] == [("urn:east", "urn:west", 30)]
    assert [made.before, made.after] == pytest.approx([90, 0])


def test_units_are_carried_the_other_way_than_use_is_led() -> None:
    _, made = a_suggestion(move={"kind": "capacity"}, reserve=0.25)

    # 130 wanted of 100, three quarters usable: 55 lack, a unit brought in counts for 0.75.
    assert [(m.source, m.target) for m in made.moves] == [("urn:west", "urn:east")]
    assert made.moves[0].units == 46  # the west needs 40 / 0.75 of its 100


def test_a_move_says_why_and_what_binds_it() -> None:
    _, made = a_suggestion()

    move = made.moves[0]
    assert "east is expected to be asked for 130 spaces" in move.why.en
    assert "save 90 unit-hours" in move.why.en
    assert "east（中）" in move.why.zh
    assert "no shortage to take away" in move.binds.en
    assert "shown that nothing is better" in made.summary.en


def test_what_binds_is_the_limit_that_is_reached() -> None:
    _, made = a_suggestion(move={"lot": 4, "most": 20, "moves": 1})

    told = made.moves[0].binds.en
    assert made.moves[0].units == 20
    assert "limit of one move, 20" in told
    assert "lots of 4" in told
    assert "limit of one suggestion" in told


def test_a_helper_gives_only_what_it_can_spare_at_the_upper_end() -> None:
    pool = a_pool()
    found = planned(
        pool,
        [a_member("east"), a_member("west")],
        {"east": an_outlook(130, 130, 130), "west": an_outlook(40, (30, 50, 88), 40)},
    )

    assert found.suggestion is not None
    assert found.suggestion.moves[0].units == 12
    assert "Bound by west" in found.suggestion.moves[0].binds.en


@settings(deadline=None, max_examples=80)
@given(
    THREE,
    THREE,
    THREE,
    st.sampled_from(["use", "capacity"]),
    st.sampled_from([0.0, 0.2]),
    st.integers(1, 7),
)
def test_units_are_conserved_and_no_helper_falls_short(
    east: list[float], west: list[float], south: list[float], kind: str, reserve: float, lot: int
) -> None:
    pool = a_pool(move={"kind": kind, "lot": lot, "cost": 0.1}, reserve=reserve)
    expected = {
        name: an_outlook(*((0.9 * d, d, 1.1 * d) for d in demand))
        for name, demand in (("east", east), ("west", west), ("south", south))
    }
    made = planned(pool, [a_member(name) for name in expected], expected).suggestion
    if made is None:
        return
    change = {f"urn:{name}": 0 for name in expected}
    for move in made.moves:
        change[move.source] -= move.units
        change[move.target] += move.units
    assert sum(change.values()) == 0
    for name, amount in change.items():
        high = [step.high for step in expected[name.removeprefix("urn:")].steps]
        use, capacity = (amount, 0) if kind == "use" else (0, amount)
        assert 100 + capacity >= 0
        before = [shortage_of(d, 100, reserve) for d in high]
        after = [shortage_of(max(0.0, d + use), 100 + capacity, reserve) for d in high]
        assert all(a <= b + 1e-6 for a, b in zip(after, before, strict=True))
    assert made.after + made.cost <= made.before


@pytest.mark.parametrize(
    ("east", "west", "why", "said"),
    [
        (
            an_outlook(50, 50, 50),
            an_outlook(40, 40, 40),
            "no_shortage",
            "Tightest is east, with 50",
        ),
        (an_outlook(130, 130, 130), an_outlook(100, 99, 100), "no_help", "no member can help"),
        (an_outlook(130, 130, 130), an_outlook(40, 40, 40), "not_worth", "cost more than it saves"),
    ],
)
def test_that_there_is_nothing_to_move_is_said_plainly(
    east: Outlook, west: Outlook, why: str, said: str
) -> None:
    cost = 4.0 if why == "not_worth" else 0.0
    pool = a_pool(move={"cost": cost})

    found = planned(pool, [a_member("east"), a_member("west")], {"east": east, "west": west})

    assert (found.why, found.suggestion) == (why, None)
    assert said in found.sentence.en


def test_a_member_of_whom_nothing_is_known_takes_no_part_and_that_is_said() -> None:
    nothing = Outlook("unknown", (), a_text("too short"))
    pool, members = a_pool(), [a_member("east"), a_member("west")]

    found = planned(pool, members, {"east": an_outlook(50, 50, 50), "west": nothing})
    none = planned(pool, members, {"east": nothing, "west": nothing})

    assert "1 more members have too short a past" in found.sentence.en
    assert none.why == "unknown"


def test_a_member_that_fell_silent_neither_helps_nor_is_helped() -> None:
    silent = {AT_US - 4 * HOUR_US: an_hour(10, 100)}
    members = [a_member("east"), a_member("west", hours=silent)]
    outlooks = {"east": an_outlook(130, 130, 130), "west": an_outlook(0, 0, 0)}

    assert planned(a_pool(), members, outlooks).why == "no_help"


def test_routes_say_what_may_move_where() -> None:
    members = [a_member("east"), a_member("west"), a_member("south")]
    outlooks = {
        "east": an_outlook(130, 130, 130),
        "west": an_outlook(0, 0, 0),
        "south": an_outlook(0, 0, 0),
    }
    pool = a_pool(routes=[{"from": "east", "to": "south", "cost": 0.5}])

    made = planned(pool, members, outlooks).suggestion
    back = planned(a_pool(routes=[{"from": "south", "to": "east"}]), members, outlooks)

    assert made is not None
    assert [(m.target, m.cost) for m in made.moves] == [("urn:south", 0.5)]
    assert back.why == "no_help"


def test_distance_costs_time_and_money_and_may_be_too_far() -> None:
    # A hundredth of a degree of latitude is 1.112 km.
    near, far = (116.0, 40.01), (116.0, 40.2)
    members = [
        a_member("east", place=(116.0, 40.0)),
        a_member("west", place=far),
        a_member("south", place=near),
    ]
    outlooks = {
        "east": an_outlook(130, 130, 130),
        "west": an_outlook(0, 0, 0),
        "south": an_outlook(90, 90, 90),
    }
    by_cost = planned(a_pool(move={"cost_per_km": 0.05}), members, outlooks).suggestion
    within = planned(a_pool(move={"within_km": 2.0}), members, outlooks).suggestion
    slow = {"takes_per_km": timedelta(minutes=10)}
    in_time = planned(a_pool(move=slow), members, outlooks).suggestion

    assert by_cost is not None
    assert within is not None
    assert in_time is not None
    assert {m.target: m.units for m in by_cost.moves} == {"urn:south": 10, "urn:west": 20}
    assert {m.target for m in within.moves} == {"urn:south"}
    # 22 km take longer than the window.
    assert {m.target: m.begins for m in in_time.moves} == {"urn:south": 1}


def test_a_distance_is_that_of_the_great_circle() -> None:
    assert kilometres((0.0, 0.0), (0.0, 1.0)) == pytest.approx(111.195, abs=0.001)
    assert kilometres(None, (0.0, 1.0)) is None
