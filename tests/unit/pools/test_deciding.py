"""What a person may make of a suggestion."""

from __future__ import annotations

import pytest

from chengmai.kernel.actors import Actor
from chengmai.pools.deciding import checked_amounts, clean_reason, decided
from chengmai.pools.model import Move, State, Suggestion
from chengmai.pools.problems import AmountNotPossible, DecisionInvalid
from tests.unit.pools.builders import EIGHT, a_member, a_pool, a_suggestion, an_outlook, planned

ME = Actor("usr_1", "city", frozenset({"manager"}), "Li")


def accepted(made: Suggestion, moves: tuple[Move, ...], reason: str = "") -> Suggestion:
    return decided(made, "accept", moves, by=ME, at=EIGHT, reason=reason, key="k")


def two_givers() -> Suggestion:
    found = planned(
        a_pool(),
        [a_member("east"), a_member("north"), a_member("west")],
        {
            "east": an_outlook(130, 130, 130),
            "north": an_outlook(120, 120, 120),
            "west": an_outlook(60, 60, 60),
        },
    )
    assert found.suggestion is not None
    return found.suggestion


def test_amounts_that_are_not_named_stay_as_suggested() -> None:
    _, made = a_suggestion()

    after = accepted(made, checked_amounts(made, {}))

    assert (after.state, after.moves[0].units) == (State.ACCEPTED, 30)
    assert (after.decided_by, after.decided_name) == ("usr_1", "Li")


def test_another_amount_is_a_change_with_what_it_is_expected_to_leave() -> None:
    _, made = a_suggestion()

    after = accepted(made, checked_amounts(made, {1: 10}), "the car park is half closed")

    assert after.state is State.CHANGED
    assert after.moves[0].suggested == 30
    assert after.after == pytest.approx(60)


def test_a_change_and_a_refusal_need_a_reason() -> None:
    _, made = a_suggestion()

    with pytest.raises(DecisionInvalid, match="need a reason"):
        accepted(made, checked_amounts(made, {1: 10}))
    with pytest.raises(DecisionInvalid, match="need a reason"):
        decided(made, "refuse", made.moves, by=ME, at=EIGHT, reason="", key="")


@pytest.mark.parametrize("units", [-1, 31, 33])
def test_an_amount_beyond_the_limits_is_refused_with_what_is_possible(units: int) -> None:
    _, made = a_suggestion()

    with pytest.raises(AmountNotPossible) as wrong:
        checked_amounts(made, {1: units})

    assert wrong.value.param == "units.1"
    assert "0 to 30" in wrong.value.detail


def test_a_broken_lot_is_refused() -> None:
    _, made = a_suggestion(move={"lot": 5})

    with pytest.raises(AmountNotPossible, match="steps of 5"):
        checked_amounts(made, {1: 7})


def test_limits_hold_for_all_moves_together() -> None:
    made = two_givers()
    units = {move.source: move.units for move in made.moves}
    assert sum(units.values()) == 40

    with pytest.raises(AmountNotPossible):
        checked_amounts(made, {move.n: 30 for move in made.moves})
    for move in made.moves:
        other = next((m for m in made.moves if m.n != move.n), None)
        if other is not None:
            checked_amounts(made, {move.n: 20, other.n: 20})


def test_a_move_that_is_not_there_and_no_move_at_all_are_refused() -> None:
    _, made = a_suggestion()

    with pytest.raises(DecisionInvalid, match="no move 9"):
        checked_amounts(made, {9: 1})
    with pytest.raises(DecisionInvalid, match="no unit is left"):
        checked_amounts(made, {1: 0})


def test_a_reason_is_text_of_some_length() -> None:
    assert clean_reason("  too far \n") == "too far"
    with pytest.raises(DecisionInvalid, match="501 characters"):
        clean_reason("x" * 501)
    with pytest.raises(DecisionInvalid, match="not text"):
        clean_reason("a\x00b")
