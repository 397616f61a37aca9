"""Temporal queries: a window, the last N, and aggregates per period (GS CIM 009 V1.9.1, 4.5.19, 4.11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias, get_args

from chengmai.kernel.instants import format_us, parse_duration, parse_us
from chengmai.ngsild.aggregates import METHODS, aggregate
from chengmai.ngsild.entity import Instance
from chengmai.ngsild.problems import QueryInvalid

__all__ = [
    "METHODS",
    "PARAMETERS",
    "TIME_PROPERTIES",
    "TemporalQuery",
    "aggregate",
    "parse_period_us",
    "parse_temporal",
    "window_text",
]

TimeProperty: TypeAlias = Literal["observedAt", "createdAt", "modifiedAt", "deletedAt"]
TIME_PROPERTIES: tuple[TimeProperty, ...] = get_args(TimeProperty)
PARAMETERS = frozenset(
    ["timerel", "timeAt", "endTimeAt", "timeproperty", "lastN", "aggrMethods", "aggrPeriodDuration"]
)
_US = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class TemporalQuery:
    """A window over one time property, half open: `start_us` ≤ t < `end_us`, either may be open.

    `timerel` is None when no window was given. `period_us` is 0 for one bucket over everything, and
    means something only where `methods` is not empty.
    """

    timerel: str | None = None
    start_us: int | None = None
    end_us: int | None = None
    timeproperty: TimeProperty = "observedAt"
    last_n: int | None = None
    methods: tuple[str, ...] = ()
    period_us: int = 0

    def covers(self, instance: Instance) -> bool:
        """Return whether the instance has the time property and lies in the window."""
        at = instance.get(self.timeproperty)
        if at is None:
            return False
        at_us = parse_us(at, self.timeproperty)
        after = self.start_us is None or at_us >= self.start_us
        return after and (self.end_us is None or at_us < self.end_us)

    def selected(self, instances: Iterable[Instance]) -> list[Instance]:
        """Return what the query leaves of a series: oldest first, or the last N, newest first."""
        found = [one for one in instances if self.covers(one)]
        found.sort(
            key=lambda one: parse_us(one[self.timeproperty]), reverse=self.last_n is not None
        )
        return found if self.last_n is None else found[: self.last_n]


def parse_temporal(params: Mapping[str, str]) -> TemporalQuery:
    """Return the temporal query in `params` (those of `PARAMETERS`; others are not looked at).

    `before` is exclusive, `after` inclusive, `between` includes its start only. Raises `Invalid`.
    """
    timerel = params.get("timerel")
    start_us, end_us = _window(timerel, params)
    asked = params.get("timeproperty", "observedAt")
    timeproperty = next((name for name in TIME_PROPERTIES if name == asked), None)
    if timeproperty is None:
        raise _refused("timeproperty", asked, "use one of " + ", ".join(TIME_PROPERTIES))
    methods = _methods(params.get("aggrMethods"))
    period = params.get("aggrPeriodDuration")
    period_us = 0
    if period is not None:
        period_us = parse_period_us(period)
        if not methods:
            raise _refused("aggrMethods", None, "name the aggregates: " + ",".join(METHODS))
    return TemporalQuery(
        timerel, start_us, end_us, timeproperty, _last_n(params.get("lastN")), methods, period_us
    )


def parse_period_us(text: str) -> int:
    """Return the microseconds of an `aggrPeriodDuration`; 0 (`PT0S`) means one bucket over everything."""
    try:
        period = parse_duration(text, "aggrPeriodDuration")
    except OverflowError:
        raise _refused("aggrPeriodDuration", text, "give a shorter period") from None
    if period < _US and any(digit in text for digit in "123456789"):
        raise _refused(
            "aggrPeriodDuration", text, "give a microsecond or more, or PT0S for one period"
        )
    return period // _US


def window_text(query: TemporalQuery) -> tuple[str | None, str | None]:
    """Return the bounds of the window as text."""
    start, end = query.start_us, query.end_us
    return (None if start is None else format_us(start), None if end is None else format_us(end))


def _window(timerel: str | None, params: Mapping[str, str]) -> tuple[int | None, int | None]:
    time_at, end_time_at = params.get("timeAt"), params.get("endTimeAt")
    if timerel is None:
        if time_at is not None or end_time_at is not None:
            raise _refused("timerel", None, "say before, after or between")
        return None, None
    if timerel not in ("before", "after", "between"):
        raise _refused("timerel", timerel, "use before, after or between")
    if time_at is None:
        raise _refused("timeAt", None, "give the instant, as 2026-11-22T07:43:00Z")
    at_us = parse_us(time_at, "timeAt")
    if timerel == "before":
        return None, at_us
    if timerel == "after":
        return at_us, None
    if end_time_at is None:
        raise _refused("endTimeAt", None, "give the end of the interval")
    end_us = parse_us(end_time_at, "endTimeAt")
    if end_us < at_us:
        raise _refused("endTimeAt", end_time_at, "the end must not lie before timeAt")
    return at_us, end_us


def _last_n(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise _refused("lastN", text, "give a whole number from 1 on")
    return int(text)


def _methods(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    methods = tuple(dict.fromkeys(text.split(",")))
    for method in methods:
        if method not in METHODS:
            raise _refused("aggrMethods", method, "use " + ", ".join(METHODS))
    return methods


def _refused(param: str, value: str | None, fix: str) -> QueryInvalid:
    what = "is missing" if value is None else f"{value!r:.60} is not valid"
    return QueryInvalid(f"{param} {what}", param=param, fix=fix)
