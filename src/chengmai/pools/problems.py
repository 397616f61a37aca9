"""What can go wrong with pools of shared resources."""

from __future__ import annotations

from collections.abc import Iterable

from chengmai.kernel.problems import Conflict, Invalid, NotFound, Problem


class PoolProblem(Problem):
    code = "pool"
    title = "Something is wrong with a pool"


class PoolNotFound(PoolProblem, NotFound):
    code = "pool.not_found"
    title = "There is no such pool"

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        choice = ", ".join(sorted(known))
        super().__init__(
            f"there is no pool {name!r}",
            param="pool",
            fix=f"use one of: {choice}" if choice else "add it to pools/ of a pack",
            pool=name,
        )


class SuggestionNotFound(PoolProblem, NotFound):
    code = "pool.suggestion.not_found"
    title = "There is no such suggestion"

    def __init__(self, suggestion: str) -> None:
        super().__init__(
            f"there is no suggestion {suggestion!r}",
            param="suggestion",
            fix="read the pool again; its page lists what was suggested",
            suggestion=suggestion,
        )


class SuggestionDecided(PoolProblem, Conflict):
    code = "pool.suggestion.decided"
    title = "The suggestion is no longer open"

    def __init__(self, suggestion: str, state: str, by: str) -> None:
        super().__init__(
            f"{suggestion} is {state}" + (f" by {by}" if by else ""),
            param="suggestion",
            fix="read the pool again and decide on what it says now",
            suggestion=suggestion,
            state=state,
            by=by,
        )


class DecisionInvalid(PoolProblem, Invalid):
    code = "pool.decision.invalid"
    title = "The decision is not valid"


class AmountNotPossible(PoolProblem, Invalid):
    code = "pool.amount.not_possible"
    title = "So much cannot be moved"

    def __init__(self, move: int, units: int, *, lot: int, most: int) -> None:
        super().__init__(
            f"move {move}: {units} units; possible are 0 to {most}, in steps of {lot}",
            param=f"units.{move}",
            fix=f"give a multiple of {lot} that is at most {most}",
            move=move,
            units=units,
            lot=lot,
            most=most,
        )


class SolverFailed(PoolProblem):
    code = "pool.solver.failed"
    title = "The solver gave no answer"
