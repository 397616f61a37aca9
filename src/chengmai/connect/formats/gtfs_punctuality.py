"""What follows from the trips of one message: punctuality of each route, headways at its stops. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from chengmai.connect.formats.gtfs_trips import CANCELED, TripRun
from chengmai.connect.formats.ports import OBSERVED, Item, fault


def route_items(
    runs: Sequence[TripRun], at: int, early: timedelta, late: timedelta
) -> Iterator[Item]:
    """Yield one record a route: how many trips are told, on time, late, early and cancelled; delays in seconds.

    A cancelled trip counts as one that is not on time; a trip without any delay is not counted.
    """
    routes: dict[str, list[TripRun]] = defaultdict(list)
    for run in runs:
        if run.route_id:
            routes[run.route_id].append(run)
        else:
            detail = "the message does not tell its route, and no timetable does"
            yield fault(run.where, "missing_id", detail, run.trip_id)
    for route_id, told in sorted(routes.items()):
        delays = [run.delay for run in told if run.relationship != CANCELED]
        known = [delay for delay in delays if delay is not None]
        cancelled = sum(run.relationship == CANCELED for run in told)
        on_time = sum(-early.total_seconds() <= d <= late.total_seconds() for d in known)
        yield Item(
            f"route {route_id}",
            {
                "route_id": route_id,
                "trips": len(known) + cancelled,
                "on_time": on_time,
                "late": sum(d > late.total_seconds() for d in known),
                "early": sum(d < -early.total_seconds() for d in known),
                "cancelled": cancelled,
                "mean_delay": round(sum(known) / len(known), 1) if known else None,
                "worst_delay": max(known, default=None),
                OBSERVED: at,
            },
        )


def headway_items(runs: Sequence[TripRun], at: int, horizon: timedelta) -> Iterator[Item]:
    """Yield one record for each route, direction and stop with two vehicles to come: seconds between them.

    `regularity` is the largest headway by the mean: 1 is even, 2 is one gap twice as long as usual.
    """
    coming: dict[tuple[str, str, str], set[tuple[int, str]]] = defaultdict(set)
    for run in runs:
        if not run.route_id or run.relationship == CANCELED:
            continue
        for call in run.calls:
            if call.time is not None and at <= call.time <= at + horizon.total_seconds():
                key = (run.route_id, run.direction_id, call.stop_id)
                coming[key].add((call.time, run.trip_id))
    for (route_id, direction, stop_id), found in sorted(coming.items()):
        times = sorted(time for time, _ in found)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        if not gaps:
            continue
        mean = sum(gaps) / len(gaps)
        yield Item(
            f"route {route_id} stop {stop_id}",
            {
                "route_id": route_id,
                "direction_id": direction or "-",
                "stop_id": stop_id,
                "vehicles": len(times),
                "headway": round(mean, 1),
                "shortest": min(gaps),
                "longest": max(gaps),
                "regularity": round(max(gaps) / mean, 3) if mean else None,
                "next_in": times[0] - at,
                OBSERVED: at,
            },
        )
