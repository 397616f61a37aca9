"""Preparing a series for a screen: unbroken runs, and no more points than pixels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from statistics import median

from chengmai.web.cockpit.views import Point

GAP_STEPS = 3
"""Points further apart than so many usual steps are not joined: silence must be seen."""


def usual_step(points: Sequence[Point]) -> timedelta:
    """Return the median distance between neighbours; zero with fewer than two points."""
    gaps = [(b.at - a.at).total_seconds() for a, b in pairwise(points)]
    return timedelta(seconds=median(gaps)) if gaps else timedelta(0)


def runs(points: Sequence[Point]) -> list[list[Point]]:
    """Return the stretches without a gap, each of points that have a value."""
    limit = usual_step(points) * GAP_STEPS
    found: list[list[Point]] = []
    previous: Point | None = None
    for point in points:
        if point.value is None:
            previous = None
            continue
        if previous is None or (limit and point.at - previous.at > limit):
            found.append([])
        found[-1].append(point)
        previous = point
    return found


def thin(points: Sequence[Point], at_most: int) -> list[Point]:
    """Return at most about so many points of one run, keeping the lowest and highest of each bucket.

    An average would hide exactly the peaks that matter.
    """
    if len(points) <= at_most or at_most < 4:
        return list(points)
    size = -(-len(points) * 2 // at_most)
    kept: list[Point] = []
    for start in range(0, len(points), size):
        bucket = points[start : start + size]
        low = min(bucket, key=lambda p: p.value or 0.0)
        high = max(bucket, key=lambda p: p.value or 0.0)
        kept += sorted({low, high}, key=lambda p: p.at)
    if kept[-1] is not points[-1]:
        kept.append(points[-1])
    return kept
