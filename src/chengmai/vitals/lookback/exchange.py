"""Entities of a sign, each with what it contributed to a change between two stretches of time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean
from zoneinfo import ZoneInfo

import numpy as np

from chengmai.vitals.lookback.explaining import (
    Amount,
    Explanation,
    explain_by_exchange,
    explain_mean,
    explain_ratio,
    explain_sum,
)
from chengmai.vitals.lookback.shape import Shape
from chengmai.vitals.model import Sign
from chengmai.vitals.ports import Analysis, Instants, ViewRows
from chengmai.vitals.sql import CheckedSql

MOST_PARTS = 12
OTHERS = "others"
ELSEWHERE = "elsewhere"
"""Keys of parts that are told together: the many small ones of the area, and everything outside it."""


@dataclass(frozen=True)
class Stretch:
    """The readings of [start, end), and those of the look-back of the sign before."""

    start_us: int
    end_us: int
    views: Sequence[ViewRows]


class EntityExplainer:
    """Explains by entity. Runs queries: call it in a worker thread."""

    def __init__(self, analysis: Analysis, zone: ZoneInfo) -> None:
        self._analysis, self._zone = analysis, zone

    def by_parts(
        self, sign: Sign, shape: Shape, area: str, before: Stretch, after: Stretch
    ) -> Explanation | None:
        """Return the change of a sum, mean or ratio by entity, exactly and without exchange.

        What is explained is the mean over the ticks of each period, as the readings stand today.
        """
        old = self._amounts(sign, shape, area, before)
        new = self._amounts(sign, shape, area, after)
        if not old or not new:
            return None
        if shape.kind == "sum":
            return explain_sum(
                {key: shape.factor * one.total for key, one in old.items()},
                {key: shape.factor * one.total for key, one in new.items()},
            )
        if shape.kind == "mean" and shape.factor == 1:
            return explain_mean(old, new)
        return explain_ratio(old, new, shape.factor)

    def by_exchange(
        self, sign: Sign, area: str, before: Stretch, after: Stretch
    ) -> Explanation | None:
        """Return the change of any sign by entity, by exchanging the readings of one after the other.

        Both must be equally long. The smaller parts are told together.
        """
        shift_us = after.start_us - before.start_us
        parts = _parts(area, before, after)

        def evaluate(exchanged: frozenset[str]) -> float | None:
            views = [
                _mixed(old, new, shift_us, parts, exchanged)
                for old, new in zip(before.views, after.views, strict=True)
            ]
            found = self._run(sign, sign.checked, views, after)
            values = [value for where, _, value in found if where == area]
            return fmean(values) if values else None

        return explain_by_exchange(sorted(set(parts.values())), evaluate)

    def _amounts(self, sign: Sign, shape: Shape, area: str, stretch: Stretch) -> dict[str, Amount]:
        """Return what each entity of the area brings to the mean over the ticks."""
        inside = {
            entity
            for view in stretch.views
            for entity, where in zip(view.rows.entities, view.rows.areas, strict=True)
            if where == area
        }
        totals = self._by_tick(sign, shape.total, stretch, inside)
        weights = self._by_tick(sign, shape.weight, stretch, inside) if shape.weight else None
        made: dict[str, Amount] = {}
        ticks = 0
        for tick, own in totals.items():
            weight = weights.get(tick, {}) if weights is not None else dict.fromkeys(own, 1.0)
            whole = sum(weight.values()) if weights is not None else 1.0
            if not whole:
                continue
            ticks += 1
            for entity in {*own, *weight}:
                sofar = made.get(entity, Amount(0.0, 0.0))
                made[entity] = Amount(
                    sofar.total + own.get(entity, 0.0) / whole,
                    sofar.weight + weight.get(entity, 0.0) / whole,
                )
        return {
            entity: Amount(one.total / ticks, one.weight / ticks) for entity, one in made.items()
        }

    def _by_tick(
        self, sign: Sign, checked: CheckedSql | None, stretch: Stretch, inside: set[str]
    ) -> dict[int, dict[str, float]]:
        ticks: dict[int, dict[str, float]] = {}
        if checked is not None:
            for entity, tick, value in self._run(sign, checked, stretch.views, stretch):
                if entity in inside:
                    ticks.setdefault(tick, {})[entity] = value
        return ticks

    def _run(
        self, sign: Sign, checked: CheckedSql, views: Sequence[ViewRows], of: Stretch
    ) -> list[tuple[str, int, float]]:
        return self._analysis.evaluate(
            checked,
            views,
            start_us=of.start_us,
            end_us=of.end_us,
            step=sign.spec.step,
            zone=self._zone,
            tables=sign.tables,
        )


def read_from(sign: Sign, start_us: int) -> int:
    """Return from which instant readings are needed for the ticks from `start_us` on."""
    return start_us - sign.spec.lookback // timedelta(microseconds=1)


def _parts(area: str, before: Stretch, after: Stretch) -> Mapping[str, str]:
    """Return the part that each entity belongs to: itself, the many others, or elsewhere."""
    where: dict[str, str] = {}
    moved: dict[str, float] = {}
    for stretch, sign in ((before, -1.0), (after, 1.0)):
        for view in stretch.views:
            where |= dict(zip(view.rows.entities, view.rows.areas, strict=True))
            for entity, mean in _means(view.rows).items():
                moved[entity] = moved.get(entity, 0.0) + sign * mean
    inside = [entity for entity, own in where.items() if own == area] or list(where)
    largest = sorted(inside, key=lambda entity: (-abs(moved.get(entity, 0.0)), entity))
    single = set(largest[:MOST_PARTS] if len(largest) <= MOST_PARTS else largest[: MOST_PARTS - 1])
    near = set(inside)
    return {
        entity: entity if entity in single else OTHERS if entity in near else ELSEWHERE
        for entity in where
    }


def _means(rows: Instants) -> dict[str, float]:
    """Return the mean of each entity over all its columns, each in its own spread."""
    means: dict[str, float] = {}
    for column in rows.values.values():
        chosen = ~np.isnan(column)
        if not chosen.any():
            continue
        values, of = column[chosen], rows.entity[chosen]
        spread = float(values.std()) or 1.0
        count = np.bincount(of, minlength=len(rows.entities))
        total = np.bincount(of, weights=values, minlength=len(rows.entities))
        for i in np.flatnonzero(count).tolist():
            entity = rows.entities[i]
            means[entity] = means.get(entity, 0.0) + float(total[i] / count[i]) / spread
    return means


def _mixed(
    old: ViewRows,
    new: ViewRows,
    shift_us: int,
    parts: Mapping[str, str],
    exchanged: frozenset[str],
) -> ViewRows:
    """Return the rows in which some parts show what they show after, and all others what they showed before."""
    kept = _chosen(old, lambda entity: parts[entity] not in exchanged)
    taken = _chosen(new, lambda entity: parts[entity] in exchanged)
    names = list(dict.fromkeys([*old.rows.entities, *new.rows.entities]))
    areas = dict(zip(old.rows.entities, old.rows.areas, strict=True))
    areas |= dict(zip(new.rows.entities, new.rows.areas, strict=True))
    at = {entity: n for n, entity in enumerate(names)}
    pieces = [(old.rows, kept, shift_us), (new.rows, taken, 0)]
    rows = Instants(
        names,
        [areas[entity] for entity in names],
        np.concatenate([_renumbered(r.entities, at, r.entity[m]) for r, m, _ in pieces]),
        np.concatenate([np.asarray(r.at_us[m], dtype=np.int64) + by for r, m, by in pieces]),
        {
            column: np.concatenate([_column(r, column)[m] for r, m, _ in pieces])
            for column in {**old.rows.values, **new.rows.values}
        },
    )
    constants = {
        name: {**old.constants.get(name, {}), **new.constants.get(name, {})}
        for name in {**old.constants, **new.constants}
    }
    return ViewRows(new.view, rows, constants, new.texts | old.texts)


def _column(rows: Instants, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found = rows.values.get(name)
    return np.full(len(rows.at_us), np.nan) if found is None else found


def _chosen(
    view: ViewRows, keep: Callable[[str], bool]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    wanted = np.array([keep(entity) for entity in view.rows.entities], dtype=bool)
    if not len(wanted):
        return np.zeros(len(view.rows.at_us), dtype=bool)
    chosen: np.ndarray[tuple[int], np.dtype[np.bool_]] = wanted[view.rows.entity]
    return chosen


def _renumbered(
    names: Sequence[str],
    numbers: Mapping[str, int],
    index: np.ndarray[tuple[int], np.dtype[np.int32]],
) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    if not len(names):
        return np.zeros(0, dtype=np.int32)
    table = np.array([numbers[name] for name in names], dtype=np.int32)
    made: np.ndarray[tuple[int], np.dtype[np.int32]] = table[index]
    return made
