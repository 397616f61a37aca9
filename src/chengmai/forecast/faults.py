"""What is wrong with a sensor, told apart from what is wrong with the city. Pure; judged from arrays.

`verdict` looks at the last step of a series beside the other areas of its sign and names at most one fault:

- `stuck`: one value for longer than three times the longest usual run, six steps at least, while others move.
- `drift`: its daily means creep away from those of the others for days, no day taking most of the way.
- `implausible`: in a field that all areas share (`one_field`), three values in a row far from all others.
- `spike`: one value far off between two that agree, and not seen by the others.
- `gap`: readings are back after a longer silence than is usual; `silent`: they are not.

Everything else that is unusual is an event: a level that jumps in one area may be a burst pipe, and only
where a pack
says that all areas see one field is it called the sensor's. What a series usually does is learnt from
itself: a count that is zero every night is not stuck. Limits are one set for every series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from chengmai.forecast.model import Bools, Floats
from chengmai.forecast.telling import fault_sentence
from chengmai.kernel.texts import Text

FaultKind = Literal["stuck", "drift", "implausible", "spike", "gap", "silent", "late"]
HOLD = 6
"""Steps for which a spike or a gap that is over is told."""
MOST_STEPS = 2800
_LEAST = 100
_RUN, _GAP = 6, 3
_MANY = 8
"""Areas beyond which one middle of all serves each: what one of them adds to it is little."""
_LOOKED_AT = 64
_TIMES_USUAL = 3.0
_STILL = 0.5
_DAYS, _DRIFT_DAYS, _REFERENCE_DAYS = 28, 4, 10
_FAR_DRIFT, _FAR_HELD, _FAR_FIELD, _FAR_SPIKE = 5.0, 3.0, 6.0, 10.0
_AGREE = 0.3


@dataclass(frozen=True)
class Fault:
    """A fault at the last step of a series: since how many steps, the value, how far off in usual sizes."""

    kind: FaultKind
    steps: int
    value: float | None = None
    beside: float | None = None
    """What the other areas show, or the values before and after; None where that is not the point."""
    size: float = 0.0

    @property
    def sentence(self) -> Text:
        """What is said of it, in both languages."""
        return fault_sentence(self.kind, self.value, self.beside, self.steps, self.size)

    def to_json(self) -> dict[str, Any]:
        """Return the fault as stored in the attribute `sensorFault`."""
        return {
            "kind": self.kind,
            "steps": self.steps,
            "sentence": self.sentence.as_language_map(),
        }


def verdict(
    own: Floats,
    others: Floats,
    *,
    day: int,
    one_field: bool = False,
    held: FaultKind | None = None,
    beside: Floats | None = None,
) -> Fault | None:
    """Return the fault of a series at its last step, None when nothing speaks against it.

    `own` holds a value a step (NaN where it is missing), `others` one column an area at the same steps, `day`
    the steps of a day, `beside` the middle of the others where that is known (left out: worked out). `held` is
    the fault told at the step before: a drift stays one until it is nearly back. Looked at are four weeks.
    """
    steps = max(MOST_STEPS // 4, _DAYS * day)
    own, others = own[-steps:], others[-steps:]
    if np.isfinite(own).sum() < max(_LEAST, 3 * day):
        return None
    beside = _middle(others) if beside is None else beside[-steps:]
    for found in (
        _silent_or_gap(own),
        _stuck(own, others),
        _drift(own, beside, others.shape[1], day, held),
        _implausible(own, beside, others, day) if one_field else None,
        _spike(own, beside),
    ):
        if found is not None:
            return found
    return None


class Beside:
    """The areas of a sign beside each other, aligned once for all verdicts of a step.

    `series` gives each area its first instant and its values, a step apart; the last step lies before `end_us`.
    """

    def __init__(
        self, series: Mapping[str, tuple[int, Sequence[float]]], end_us: int, step_us: int
    ) -> None:
        self._step_us, self._start_us = step_us, end_us - MOST_STEPS * step_us
        self._column = {area: number for number, area in enumerate(series)}
        self._first = {
            area: max(0, (start_us - self._start_us) // step_us)
            for area, (start_us, _) in series.items()
        }
        self._values = np.full((MOST_STEPS, len(series)), np.nan)
        for number, (start_us, values) in enumerate(series.values()):
            shift = (start_us - self._start_us) // step_us
            kept = values[max(0, -shift) :][: max(0, MOST_STEPS - max(0, shift))]
            self._values[max(0, shift) : max(0, shift) + len(kept), number] = kept
        self._middle = _middle(self._values) if len(series) > _MANY else None

    def verdict(
        self, area: str, end_us: int, *, day: int, one_field: bool, held: FaultKind | None
    ) -> Fault | None:
        """Return the verdict over an area at its last step before `end_us`."""
        first, last = self._first[area], (end_us - self._start_us) // self._step_us
        rows, column = self._values[first:last], self._column[area]
        middle = None if self._middle is None else self._middle[first:last]
        # With the middle at hand only the last steps of the others are looked at.
        seen = rows if middle is None else rows[-_LOOKED_AT:]
        others = np.delete(seen, column, axis=1)
        return verdict(
            rows[:, column], others, day=day, one_field=one_field, held=held, beside=middle
        )


def _stuck(own: Floats, others: Floats) -> Fault | None:
    values = own[np.isfinite(own)]
    if not np.isfinite(own[-1]):
        return None
    moved = np.flatnonzero(values[1:] != values[:-1])
    run = len(values) - 1 - int(moved[-1]) if len(moved) else len(values)
    if not _RUN <= run < len(values) or len(moved) < (1 - _STILL) * (len(values) - run):
        return None
    usual = float(np.quantile(np.diff(moved), 0.995)) if len(moved) > 2 else 1.0
    limit = max(_RUN, _TIMES_USUAL * usual)
    before = values[:-run]
    if values[-1] in (before.min(), before.max()):
        # At the end of its scale a value may well stay: nothing is below zero.
        limit *= 2
    if run < limit or _stand_still(others[-run:]):
        return None
    return Fault("stuck", run, float(values[-1]))


def _stand_still(others: Floats) -> bool:
    """Return whether half of the other areas did not move either."""
    if not others.shape[1]:
        return False
    with np.errstate(invalid="ignore"):
        high = np.where(np.isfinite(others), others, -np.inf).max(axis=0)
        low = np.where(np.isfinite(others), others, np.inf).min(axis=0)
    return bool((high <= low).sum() * 2 >= others.shape[1])


def _drift(
    own: Floats, beside: Floats, areas: int, day: int, held: FaultKind | None
) -> Fault | None:
    if areas < 2 or day < 4:
        return None
    apart = own - beside
    days = min(_DAYS, len(apart) // day)
    means = _means(apart[len(apart) - days * day :].reshape(days, day))
    # Days before those in question tell what is usual; those just before may have begun to drift.
    usual, recent = means[: -2 * _DRIFT_DAYS], means[-_DRIFT_DAYS - 1 :]
    usual = usual[np.isfinite(usual)]
    if len(usual) < _REFERENCE_DAYS or not np.isfinite(recent).all():
        return None
    middle = float(np.median(usual))
    low, high = np.quantile(usual, (0.05, 0.95))
    spread = max(_robust(usual - middle), float(high - low) / 3.3)
    spread = max(spread, 0.01 * float(np.nanstd(own)), 1e-9)
    total = float(recent[-1]) - middle
    if held == "drift" and abs(total) > _FAR_HELD * spread:
        return Fault("drift", _DRIFT_DAYS * day, _last(own), _last(beside), abs(total) / spread)
    moves = np.diff(recent) * np.sign(total)
    gradual = (
        bool((moves > 0).all())
        and float(moves.max()) < 0.6 * abs(total)
        and float(moves.sum()) > 0.5 * abs(total)
    )
    if abs(total) <= _FAR_DRIFT * spread or not gradual:
        return None
    return Fault("drift", _DRIFT_DAYS * day, _last(own), _last(beside), abs(total) / spread)


def _implausible(own: Floats, beside: Floats, others: Floats, day: int) -> Fault | None:
    if others.shape[1] < 2 or len(own) <= 4 * day:
        return None
    apart = own - beside
    usual, last = apart[:-day], apart[-3:]
    middle = float(np.nanmedian(usual))
    spread = max(_robust(usual[np.isfinite(usual)] - middle), 0.01 * float(np.nanstd(own)), 1e-9)
    off = (last - middle) / spread
    if not np.isfinite(off).all() or abs(off).min() <= _FAR_FIELD or abs(np.sign(off).sum()) < 3:
        return None
    among = np.abs(others[-3:] - beside[-3:, None])
    if not (np.nanmedian(among, axis=1) <= _FAR_FIELD / 2 * spread).all():
        return None  # the others do not agree either: something is going on
    far = np.flatnonzero(~(np.abs(apart - middle) > _FAR_FIELD / 2 * spread))
    steps = len(own) - 1 - int(far[-1]) if len(far) else len(own)
    return Fault("implausible", steps, _last(own), _last(beside), float(abs(off[-1])))


def _spike(own: Floats, beside: Floats) -> Fault | None:
    bend, between = _bends(own)
    if len(bend) <= HOLD + 8:
        return None
    past = np.abs(bend[: -HOLD - 2])
    past = past[np.isfinite(past)]
    if len(past) < _LEAST:
        return None
    reach = max(_FAR_SPIKE * float(np.median(past)) * 1.4826, 1.5 * float(np.quantile(past, 0.998)))
    shared, _ = _bends(beside)
    for back in range(1, HOLD + 1):
        size = abs(bend[-back])
        if not size > reach or not reach > 0:
            continue
        agree = abs(own[-back] - own[-back - 2]) < _AGREE * size
        if agree and not abs(shared[-back]) > _AGREE * size:
            value = float(own[-back - 1])
            return Fault("spike", back + 1, value, float(between[-back]), float(size / reach))
    return None


def _silent_or_gap(own: Floats) -> Fault | None:
    known = np.flatnonzero(np.isfinite(own))
    holes = np.diff(known) - 1
    trailing = len(own) - 1 - int(known[-1])
    recent = [int(n) for n, at in zip(holes[-HOLD:], known[-HOLD:], strict=False) if n > 0]
    lately = recent[-1] if recent and not trailing else 0
    past = holes[: -HOLD or None]
    past = past[past > 0]
    usual = float(np.quantile(past, 0.995)) if len(past) else 1.0
    limit = max(_GAP, 2 * usual)
    if trailing >= limit:
        return Fault("silent", trailing)
    if lately >= limit:
        return Fault("gap", lately, _last(own))
    return None


def _bends(values: Floats) -> tuple[Floats, Floats]:
    """Return how far each inner value lies off the middle of the two beside it, and that middle."""
    between = (values[2:] + values[:-2]) / 2
    return values[1:-1] - between, between


def _middle(others: Floats) -> Floats:
    """Return the median of each row, NaN for a row without values."""
    if not others.shape[1]:
        return np.full(len(others), np.nan)
    ranked = np.sort(others, axis=1)
    count = np.isfinite(ranked).sum(axis=1)
    rows = np.arange(len(ranked))
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, ranked.shape[1] - 1)
    middle: Floats = np.where(count > 0, (ranked[rows, low] + ranked[rows, high]) / 2, np.nan)
    return middle


def _means(days: Floats) -> Floats:
    """Return the mean of each row of which at least half is there, else NaN."""
    known: Bools = np.isfinite(days)
    count = known.sum(axis=1)
    total = np.where(known, days, 0.0).sum(axis=1)
    means: Floats = np.where(count * 2 >= days.shape[1], total / np.maximum(count, 1), np.nan)
    return means


def _robust(distances: Floats) -> float:
    return 1.4826 * float(np.median(np.abs(distances))) if len(distances) else 0.0


def _last(values: Floats) -> float | None:
    return float(values[-1]) if np.isfinite(values[-1]) else None
