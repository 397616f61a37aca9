"""Days as periods: a year, a quarter or a month, each with a number that counts up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

Step = Literal["year", "quarter", "month"]
STEPS: dict[Step, int] = {"year": 1, "quarter": 4, "month": 12}
"""How many periods of each kind a year has."""
_YEARLY, _QUARTERLY = 300, 75
_FIRST, _LAST = date(1900, 1, 1), date(2200, 12, 31)
Ints = npt.NDArray[np.int64]


def step_of(days: Sequence[int]) -> Step:
    """Return which periods suit days (ordinals): those that usually lie between two of them."""
    ordered = sorted(set(days))
    gaps = sorted(after - before for before, after in pairwise(ordered))
    usual = gaps[len(gaps) // 2] if gaps else _YEARLY
    return "year" if usual >= _YEARLY else "quarter" if usual >= _QUARTERLY else "month"


def period_of(day: date, step: Step) -> int:
    """Return the number of the period that a day is in."""
    return day.year * STEPS[step] + (day.month - 1) * STEPS[step] // 12


def periods_of(days: Ints, step: Step) -> Ints:
    """Return the numbers of the periods that days (ordinals) are in."""
    found: Ints = _numbers(step)[days - _FIRST.toordinal()]
    return found


@cache
def _numbers(step: Step) -> Ints:
    """Return the number of the period of every day that values can have."""
    known = np.arange(_FIRST.toordinal(), _LAST.toordinal() + 1)
    first, last = period_of(_FIRST, step), period_of(_LAST, step)
    begins = [begin_of(number, step).toordinal() for number in range(first, last + 1)]
    return first - 1 + np.searchsorted(np.array(begins, dtype=np.int64), known, side="right")


def begin_of(number: int, step: Step) -> date:
    """Return the first day of a period."""
    year, part = divmod(number, STEPS[step])
    return date(year, 1 + part * 12 // STEPS[step], 1)


def end_of(number: int, step: Step) -> date:
    """Return the last day of a period."""
    return begin_of(number + 1, step) - timedelta(days=1)


def written(number: int, step: Step) -> str:
    """Return a period as `2024`, `2024Q3` or `2024-09`."""
    year, part = divmod(number, STEPS[step])
    return {"year": f"{year}", "quarter": f"{year}Q{part + 1}", "month": f"{year}-{part + 1:02}"}[
        step
    ]
