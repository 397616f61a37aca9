"""Days as periods: a year, a quarter, a month, a week or a day, each with a number that counts up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

Step = Literal["year", "quarter", "month", "week", "day"]
STEPS: dict[Step, int] = {"year": 1, "quarter": 4, "month": 12}
"""How many periods of each kind a year has, of those that it consists of."""
_LENGTHS: dict[Step, int] = {"week": 7, "day": 1}
_USUAL: tuple[tuple[int, Step], ...] = (
    (300, "year"),
    (75, "quarter"),
    (8, "month"),
    (5, "week"),
    (0, "day"),
)
_ENOUGH = 8
"""Days are looked at as weeks, and weeks as months, where there are so many of them."""
_LONGER: tuple[tuple[Step, int], ...] = (("month", 30), ("week", 7))
_FIRST, _LAST = date(1900, 1, 1), date(2200, 12, 31)
Ints = npt.NDArray[np.int64]


def step_of(days: Sequence[int]) -> Step:
    """Return which periods suit days (ordinals): those that usually lie between two of them.

    What is known day by day for long is looked at by weeks or months.
    """
    ordered = sorted(set(days))
    gaps = sorted(after - before for before, after in pairwise(ordered))
    usual = gaps[len(gaps) // 2] if gaps else _USUAL[0][0]
    step = next(step for least, step in _USUAL if usual >= least)
    if step in _LENGTHS:
        span = ordered[-1] - ordered[0] + 1
        for longer, length in _LONGER:
            if span >= _ENOUGH * length:
                return longer
    return step


def period_of(day: date, step: Step) -> int:
    """Return the number of the period that a day is in."""
    if step in _LENGTHS:
        return (day.toordinal() - 1) // _LENGTHS[step]
    return day.year * STEPS[step] + (day.month - 1) * STEPS[step] // 12


def periods_of(days: Ints, step: Step) -> Ints:
    """Return the numbers of the periods that days (ordinals) are in."""
    found: Ints = _numbers(step)[days - _FIRST.toordinal()]
    return found


@cache
def _numbers(step: Step) -> Ints:
    """Return the number of the period of every day that values can have."""
    known = np.arange(_FIRST.toordinal(), _LAST.toordinal() + 1)
    if step in _LENGTHS:
        return (known - 1) // _LENGTHS[step]
    first, last = period_of(_FIRST, step), period_of(_LAST, step)
    begins = [begin_of(number, step).toordinal() for number in range(first, last + 1)]
    return first - 1 + np.searchsorted(np.array(begins, dtype=np.int64), known, side="right")


def begin_of(number: int, step: Step) -> date:
    """Return the first day of a period; that of a week is a Monday."""
    if step in _LENGTHS:
        return date.fromordinal(number * _LENGTHS[step] + 1)
    year, part = divmod(number, STEPS[step])
    return date(year, 1 + part * 12 // STEPS[step], 1)


def end_of(number: int, step: Step) -> date:
    """Return the last day of a period."""
    return begin_of(number + 1, step) - timedelta(days=1)


def written(number: int, step: Step) -> str:
    """Return a period as `2024`, `2024Q3`, `2024-09`, `2024-W37` or `2024-09-13`."""
    if step == "day":
        return begin_of(number, step).isoformat()
    if step == "week":
        year, week, _ = begin_of(number, step).isocalendar()
        return f"{year}-W{week:02}"
    year, part = divmod(number, STEPS[step])
    if step == "year":
        return f"{year}"
    return f"{year}Q{part + 1}" if step == "quarter" else f"{year}-{part + 1:02}"
