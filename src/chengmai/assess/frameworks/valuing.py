"""Which values count in a framework on a day, where that is more than the newest of each. Pure.

The result of a survey counts when nothing is said against it, or when the framework says that it is enough.
Security checks that are counted stand in place of what was entered. Both are few: they are laid over the
columns of all other values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import numpy.typing as npt

from chengmai.assess.frameworks.model import Asked, Framework, Node
from chengmai.assess.frameworks.scoring import Spread
from chengmai.assess.model import CheckResult, IndicatorValue
from chengmai.assess.panel.columns import Columns
from chengmai.assess.panel.model import Point, Ref
from chengmai.assess.surveys.estimates import wilson
from chengmai.kernel.ids import urn

Floats = npt.NDArray[np.float64]
Failed = Mapping[str, Mapping[str, tuple[CheckResult, ...]]]
_Checks = dict[str, dict[str, CheckResult]]


@dataclass(frozen=True)
class Overlay:
    """What counts otherwise than the newest value, by place and indicator.

    `aside` is newer or was entered, and is shown beside and not scored. `failed` are the failed checks behind
    a node. `estimates` are results of surveys, by the id of their entity.
    """

    counts: Mapping[tuple[str, str], Point | None] = field(default_factory=dict)
    aside: Mapping[str, Mapping[str, Point]] = field(default_factory=dict)
    failed: Failed = field(default_factory=dict)
    estimates: Mapping[str, IndicatorValue] = field(default_factory=dict)

    def at(self, columns: Columns, place: str, indicator: str, on: date) -> Point | None:
        """Return the value that counts."""
        if (place, indicator) in self.counts:
            return self.counts[place, indicator]
        return columns.at(place, indicator, on)

    def over(
        self, codes: Sequence[str], wide: Floats, indicators: Sequence[str]
    ) -> tuple[list[str], Floats]:
        """Return places and rows of values with what counts otherwise put in; NaN is unknown."""
        if not self.counts:
            return list(codes), wide
        more = sorted({place for place, _ in self.counts} - set(codes))
        made = np.vstack([wide, np.full((len(more), len(indicators)), np.nan)])
        rows = {code: row for row, code in enumerate([*codes, *more])}
        column = {name: index for index, name in enumerate(indicators)}
        for (place, indicator), point in self.counts.items():
            made[rows[place], column[indicator]] = np.nan if point is None else point.value
        return [*codes, *more], made

    def spread(self, point: Point) -> Spread | None:
        """Return the 95 % interval of a value that is an estimate, else None."""
        told = self.estimates.get(point.ref.entity_id)
        if told is not None and told.low is not None and told.high is not None:
            return told.low, told.high
        if point.sample is None:
            return None
        low, high = wilson(point.value / 100, point.sample)
        return low * 100, high * 100

    def spreads(self, values: Mapping[str, Point]) -> dict[str, Spread]:
        """Return the intervals of those values that are estimates, by indicator."""
        found = {indicator: self.spread(one) for indicator, one in values.items()}
        return {indicator: ends for indicator, ends in found.items() if ends is not None}

    def doubts(self, point: Point) -> list[str]:
        """Return what is said against a value."""
        told = self.estimates.get(point.ref.entity_id)
        return [] if told is None else sorted(told.doubts)


def laid_over(
    framework: Framework,
    columns: Columns,
    on: date,
    values: Iterable[IndicatorValue],
    checks: Iterable[CheckResult],
) -> Overlay:
    """Return what counts otherwise than the newest value of the day or before."""
    leaves = {leaf.indicator or "": leaf for leaf in framework.leaves()}
    told = [one for one in values if one.low is not None or one.doubt is not None]
    estimates = {urn("IndicatorValue", one.id): one for one in told}
    counts: dict[tuple[str, str], Point | None] = {}
    aside: dict[str, dict[str, Point]] = {}
    for place, indicator in sorted({(one.place, one.indicator) for one in told}):
        if indicator not in leaves:
            continue
        asked = leaves[indicator].survey
        chosen, beside = _chosen(columns.series(place, indicator, on), estimates, asked)
        if chosen is not None or beside is not None:
            counts[place, indicator] = chosen
        if beside is not None:
            aside.setdefault(place, {})[indicator] = beside
    failed: dict[str, dict[str, tuple[CheckResult, ...]]] = {}
    for place, found in _newest(checks, on).items():
        for indicator, leaf in leaves.items():
            looked_at = _looked_at(leaf, found)
            if not looked_at:
                continue
            bad = tuple(one for one in looked_at if one.outcome == "fail")
            failed.setdefault(place, {})[leaf.id] = bad
            if leaf.each is not None:
                if (entered := columns.at(place, indicator, on)) is not None:
                    aside.setdefault(place, {})[indicator] = entered
                counts[place, indicator] = _counted(place, indicator, looked_at, bad)
    return Overlay(counts, aside, failed, estimates)


def is_enough(value: IndicatorValue, asked: Asked | None) -> bool:
    """Return whether the result of a survey counts; `asked` is what the framework asks of one."""
    if asked is None:
        return not value.doubts
    if "strata_missing" in value.doubts:
        return False
    if "self_selected" in value.doubts and not asked.self_selected:
        return False
    low = value.value if value.low is None else value.low
    high = value.value if value.high is None else value.high
    return (value.sample or 0) >= asked.least and (high - low) / 2 <= asked.widest


def _chosen(
    series: Sequence[Point], estimates: Mapping[str, IndicatorValue], asked: Asked | None
) -> tuple[Point | None, Point | None]:
    """Return the newest value that counts, and the newest one where that does not."""
    beside: Point | None = None
    for point in reversed(series):
        told = estimates.get(point.ref.entity_id)
        if told is None or is_enough(told, asked):
            return point, beside
        beside = beside or point
    return None, beside


def _newest(checks: Iterable[CheckResult], on: date) -> _Checks:
    found: _Checks = {}
    for one in sorted(checks, key=lambda check: check.on):
        if one.on <= on:
            found.setdefault(one.place, {})[one.check] = one
    return found


def _looked_at(leaf: Node, found: Mapping[str, CheckResult]) -> list[CheckResult]:
    return [
        one
        for one in found.values()
        if one.outcome != "not_applicable"
        and any(one.check == wanted or one.check.startswith(wanted + "-") for wanted in leaf.checks)
    ]


def _counted(
    place: str, indicator: str, looked_at: Sequence[CheckResult], bad: Sequence[CheckResult]
) -> Point:
    last = max(looked_at, key=lambda one: one.on)
    evidence = " ".join(one.check for one in bad)
    ref = Ref(urn("SecurityCheckResult", last.id), place, evidence, last.source, last.source_date)
    return Point(place, indicator, last.on, len(bad), ref, len(bad), len(looked_at))


def with_computed(
    overlay: Overlay,
    framework: Framework,
    columns: Columns,
    on: date,
    computed: Iterable[Point],
) -> Overlay:
    """Return the overlay with what the platform computed of a place; what was entered stands beside it."""
    used = {leaf.indicator for leaf in framework.leaves()}
    counts, aside = dict(overlay.counts), {key: dict(own) for key, own in overlay.aside.items()}
    for point in computed:
        key = (point.place, point.indicator)
        if point.indicator not in used or key in counts:
            continue
        if (entered := columns.at(point.place, point.indicator, on)) is not None:
            aside.setdefault(point.place, {})[point.indicator] = entered
        counts[key] = point
    return replace(overlay, counts=counts, aside=aside)
