"""A detector's memory as plain JSON and back: numbers, lists and names only, never code.

The size is bounded: 4,096 values for each of five measures, 1,024 windows of eight, and a profile a phase.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import is_dataclass
from typing import Any

import numpy as np

from chengmai.forecast.anomaly import VERSION, Detector
from chengmai.forecast.parts import Shapes
from chengmai.forecast.problems import StateInvalid

_SETUP = ("season", "probation", "day")


def detector_state(detector: Detector) -> dict[str, Any]:
    """Return everything the detector has learnt, as JSON."""
    return {"version": VERSION, **_told(detector)}


def detector_from(state: dict[str, Any]) -> Detector:
    """Return the detector that `detector_state` told: it goes on as if it had never stopped.

    Raises `StateInvalid` when the state is of another version or not complete.
    """
    if state.get("version") != VERSION:
        raise StateInvalid(
            f"a detector's state of version {state.get('version')!r} cannot be read by version {VERSION}",
            fix="learn again from the recorded history",
        )
    try:
        detector = Detector(**{name: state[name] for name in _SETUP})
        _fill(detector, state)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateInvalid(
            f"a detector's state is not complete: {error}",
            fix="learn again from the recorded history",
        ) from error
    return detector


def _told(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return [[key, each] for key, each in value.items()]
    if isinstance(value, (list, tuple, deque)):
        return [_told(each) for each in value]
    if is_dataclass(value) or isinstance(value, Shapes):
        return {
            name: _told(each) for name, each in vars(value).items() if name not in Shapes.SCRATCH
        }
    return value


def _fill(target: Any, state: dict[str, Any]) -> None:
    for name, fresh in vars(target).items():
        if name not in Shapes.SCRATCH:
            setattr(target, name, _restored(fresh, state[name]))


def _restored(fresh: Any, kept: Any) -> Any:
    if isinstance(fresh, float):
        return math.nan if kept is None else float(kept)
    if isinstance(fresh, np.ndarray):
        return np.array(kept, dtype=fresh.dtype).reshape(fresh.shape)
    if isinstance(fresh, dict):
        return {int(key): float(each) for key, each in kept}
    if isinstance(fresh, list) and fresh and is_dataclass(fresh[0]):
        for one, each in zip(fresh, kept, strict=True):
            _fill(one, each)
        return fresh
    if isinstance(fresh, deque):
        return deque(tuple(each) if isinstance(each, list) else each for each in kept)
    if is_dataclass(fresh) or isinstance(fresh, Shapes):
        _fill(fresh, kept)
        return fresh
    return tuple(kept) if isinstance(fresh, tuple) else kept
