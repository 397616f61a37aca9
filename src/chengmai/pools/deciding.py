"""Pure rules of a decision on a suggestion: which amounts are possible, and what it is afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from chengmai.kernel.actors import Actor
from chengmai.pools.model import Move, State, Suggestion
from chengmai.pools.planning import task_again
from chengmai.pools.problems import AmountNotPossible, DecisionInvalid
from chengmai.pools.solving import cost_of, most_of, shortage_with

MOST_REASON = 500


def clean_reason(reason: str) -> str:
    """Return the reason without blanks around it; raises `DecisionInvalid`."""
    words = reason.strip()
    if len(words) > MOST_REASON:
        raise DecisionInvalid(
            f"the reason has {len(words)} characters, {MOST_REASON} are kept",
            param="reason",
            fix="say it shorter",
        )
    if any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in words):
        raise DecisionInvalid(
            "the reason holds characters that are not text", param="reason", fix="send valid UTF-8"
        )
    return words


def checked_amounts(made: Suggestion, amounts: Mapping[int, int]) -> tuple[Move, ...]:
    """Return the moves with other amounts; what `amounts` does not name stays as it was suggested.

    Raises `DecisionInvalid` for a move that is not there and for no units at all, `AmountNotPossible` for
    what breaks lots or the limits of the members, taken together.
    """
    known = {move.n for move in made.moves}
    for number in sorted(set(amounts) - known):
        raise DecisionInvalid(
            f"there is no move {number}",
            param=f"units.{number}",
            fix=f"use one of: {', '.join(map(str, sorted(known)))}",
        )
    units = [amounts.get(move.n, move.units) for move in made.moves]
    if not any(units):
        raise DecisionInvalid(
            "no unit is left to move",
            code="pool.amount.nothing",
            param="units",
            fix="refuse the suggestion instead",
        )
    task = task_again(made)
    for index, (move, count) in enumerate(zip(made.moves, units, strict=True)):
        most = most_of(task, units, index)
        if count < 0 or count > most or count % task.lot:
            raise AmountNotPossible(move.n, count, lot=task.lot, most=most)
    return tuple(
        move.model_copy(update={"units": count})
        for move, count in zip(made.moves, units, strict=True)
    )


def decided(
    made: Suggestion,
    decision: Literal["accept", "refuse"],
    moves: Sequence[Move],
    *,
    by: Actor,
    at: datetime,
    reason: str,
    key: str,
) -> Suggestion:
    """Return the suggestion as it was decided; raises `DecisionInvalid` without a reason where "
    "one is needed."""
    is_changed = any(move.units != move.suggested for move in moves)
    state = (
        State.REFUSED if decision == "refuse" else State.CHANGED if is_changed else State.ACCEPTED
    )
    if state is not State.ACCEPTED and not reason:
        raise DecisionInvalid(
            "a refusal and a change need a reason",
            code="pool.reason.missing",
            param="reason",
            fix="say why, in one line",
        )
    changes: dict[str, object] = {
        "state": state,
        "moves": tuple(moves),
        "decided_by": by.id,
        "decided_name": by.name,
        "decided_at": at,
        "reason": reason,
        "key": key,
    }
    if state is State.CHANGED:
        task, units = task_again(made), [move.units for move in moves]
        # Needy members that no suggested move led to stay short as they were.
        others = made.before - shortage_with(task, [0] * len(units))
        changes["after"] = others + shortage_with(task, units)
        changes["cost"] = cost_of(task, units)
    return made.model_copy(update=changes)
