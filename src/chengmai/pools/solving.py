"""The plan of moves with the least expected shortage and cost, found by HiGHS as a mixed-integer program.

A needy member lacks units in some step to come; a helper can spare some in every step, even at the upper end
of what is expected. Variables are whole lots of each pair. Minimised is the expected shortage, in
unit-hours, plus what the moves cost. A helper never gives so much that it falls short at its upper quantile,
so moves do not push a shortage around. Doing nothing is always allowed, so a plan is never worse than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt

from chengmai.pools.problems import SolverFailed

Floats = npt.NDArray[np.float64]
SCENARIOS = (0.3, 0.4, 0.3)
"""Weights of the 10, 50 and 90 % quantiles: the three-point mean of Swanson (Keefer and Bodily 1983)."""
_TIE = 1e-6
"""Of equally good plans the one that uses earlier pairs is taken, so that the answer is one."""
_GAP = 1e-7


@dataclass(frozen=True, eq=False)
class Needy:
    """Who may fall short: `lack[k, t]` units beyond usable in scenario k and step t (negative: there is room).

    `most` is how many units can be taken off it (or brought to it) at most.
    """

    lack: Floats
    most: int


@dataclass(frozen=True)
class Pair:
    """A way from a helper to a needy member (by index): cost of a unit, and from which step it helps."""

    needy: int
    helper: int
    cost: float
    begins: int = 0


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be planned. `spare` is what each helper can give at most, in units.

    `worth` is how much of the lack one unit takes away, `hours` the length of a step.
    """

    needy: tuple[Needy, ...]
    spare: tuple[int, ...]
    pairs: tuple[Pair, ...]
    hours: float = 1.0
    worth: float = 1.0
    lot: int = 1
    most: int | None = None
    moves: int = 4


@dataclass(frozen=True)
class Plan:
    """Units of each pair, whether nothing better exists, and the gap to the best bound that is known."""

    units: tuple[int, ...]
    is_best: bool
    gap: float
    solver: str


def shortage_with(task: Task, units: Sequence[int]) -> float:
    """Return the expected shortage in unit-hours when these units are moved."""
    return task.hours * sum(
        weight * float(np.maximum(0.0, lack).sum())
        for one, needy in enumerate(task.needy)
        for weight, lack in zip(SCENARIOS, needy.lack - _relief(task, units, one), strict=True)
    )


def cost_of(task: Task, units: Sequence[int]) -> float:
    """Return what moving these units costs, in unit-hours."""
    return sum(pair.cost * count for pair, count in zip(task.pairs, units, strict=True))


def value_of(task: Task, units: Sequence[int]) -> float:
    """Return what is minimised: expected shortage and cost."""
    return shortage_with(task, units) + cost_of(task, units)


def most_of(task: Task, units: Sequence[int], index: int) -> int:
    """Return how many units the pair `index` could have at most with the others as they are."""
    pair = task.pairs[index]
    others = [
        (p, n) for i, (p, n) in enumerate(zip(task.pairs, units, strict=True)) if i != index and n
    ]
    free = min(
        task.spare[pair.helper] - sum(n for p, n in others if p.helper == pair.helper),
        task.needy[pair.needy].most - sum(n for p, n in others if p.needy == pair.needy),
        task.most if task.most is not None else 10**9,
    )
    return max(0, free) // task.lot * task.lot


def is_possible(task: Task, units: Sequence[int]) -> bool:
    """Return whether a plan keeps every limit of the task."""
    moved = [i for i, count in enumerate(units) if count]
    return len(moved) <= task.moves and all(
        0 < units[i] <= most_of(task, units, i) and units[i] % task.lot == 0 for i in moved
    )


def solve(task: Task, *, time_limit_s: float = 5.0) -> Plan:
    """Return the best plan found in the time; no moves where nothing is better than doing nothing.

    The same task gives the same plan, unless the time was up. Raises `SolverFailed` when HiGHS answers
    neither with a plan nor with the time.
    """
    nothing = (0,) * len(task.pairs)
    name = f"HiGHS {_engine().version()}"
    if not task.pairs or shortage_with(task, nothing) <= 0:
        return Plan(nothing, is_best=True, gap=0.0, solver=name)
    program = _Program(task)
    status, lots, gap = program.run(time_limit_s)
    best = status == highspy.HighsModelStatus.kOptimal
    if not best and status != highspy.HighsModelStatus.kTimeLimit:
        raise SolverFailed(f"HiGHS ended with {status.name}", fix="look at the members' readings")
    units = tuple(count * task.lot for count in lots)
    gains = is_possible(task, units) and value_of(task, units) < value_of(task, nothing) - 1e-9
    return Plan(units if gains else nothing, is_best=best, gap=gap, solver=name)


def _relief(task: Task, units: Sequence[int], needy: int) -> Floats:
    """Return by step how much of its lack a needy member is relieved of."""
    relief = np.zeros(task.needy[needy].lack.shape[1])
    for pair, count in zip(task.pairs, units, strict=True):
        if pair.needy == needy:
            relief[pair.begins :] += task.worth * count
    return relief


def _engine() -> highspy.Highs:
    return highspy.Highs()  # type: ignore[no-untyped-call]


class _Program:
    """The mixed-integer program: lots and a yes-or-no of each pair, and the shortage of each cell."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._highs = _engine()
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("random_seed", 1),
            ("mip_rel_gap", _GAP),
            ("mip_abs_gap", _GAP),
        ):
            self._highs.setOptionValue(option, value)
        count = len(task.pairs)
        self._lots = range(count)
        self._used = range(count, 2 * count)
        self._columns()
        self._rows()

    def run(self, time_limit_s: float) -> tuple[highspy.HighsModelStatus, list[int], float]:
        self._highs.setOptionValue("time_limit", time_limit_s)
        self._highs.run()
        info, found = self._highs.getInfo(), self._highs.getSolution()
        values = list(found.col_value) if found.value_valid else [0.0] * len(self._lots)
        gap = float(info.mip_gap) if np.isfinite(info.mip_gap) else 1.0
        return self._highs.getModelStatus(), [round(values[i]) for i in self._lots], gap

    def _columns(self) -> None:
        task, highs = self._task, self._highs
        for number, pair in enumerate(task.pairs):
            limit = self._limit(pair) // task.lot
            cost = task.lot * pair.cost + _TIE * (1 + number / len(task.pairs))
            highs.addCol(cost, 0, limit, 0, [], [])
        for _ in task.pairs:
            highs.addCol(_TIE, 0, 1, 0, [], [])
        for column in (*self._lots, *self._used):
            highs.changeColIntegrality(column, highspy.HighsVarType.kInteger)

    def _rows(self) -> None:
        task, count = self._task, len(self._task.pairs)
        for number, pair in enumerate(task.pairs):
            limit = self._limit(pair) // task.lot
            self._row({number: 1.0, count + number: -float(limit)}, at_most=0.0)
        self._row(dict.fromkeys(self._used, 1.0), at_most=float(task.moves))
        for helper, spare in enumerate(task.spare):
            self._row(self._of([p.helper == helper for p in task.pairs]), at_most=float(spare))
        for one, needy in enumerate(task.needy):
            self._row(self._of([p.needy == one for p in task.pairs]), at_most=float(needy.most))
            self._shortage(one, needy)

    def _shortage(self, one: int, needy: Needy) -> None:
        """Add a column for each cell that may be short: at least its lack less the relief."""
        task = self._task
        for weight, lacks in zip(SCENARIOS, needy.lack, strict=True):
            for step, lack in enumerate(lacks):
                if lack <= 0:
                    continue
                column = self._highs.getNumCol()
                self._highs.addCol(task.hours * weight, 0, highspy.kHighsInf, 0, [], [])
                relief = {
                    number: task.worth * task.lot
                    for number, pair in enumerate(task.pairs)
                    if pair.needy == one and pair.begins <= step
                }
                self._row({column: 1.0, **relief}, at_least=float(lack))

    def _of(self, chosen: Sequence[bool]) -> dict[int, float]:
        return {i: float(self._task.lot) for i, is_one in enumerate(chosen) if is_one}

    def _limit(self, pair: Pair) -> int:
        limits = [self._task.spare[pair.helper], self._task.needy[pair.needy].most]
        return min([*limits, self._task.most] if self._task.most is not None else limits)

    def _row(
        self,
        entries: dict[int, float],
        *,
        at_least: float = -highspy.kHighsInf,
        at_most: float = highspy.kHighsInf,
    ) -> None:
        if entries:
            columns = np.array(list(entries), dtype=np.int32)
            values = np.array(list(entries.values()), dtype=np.float64)
            self._highs.addRow(at_least, at_most, len(entries), columns, values)
