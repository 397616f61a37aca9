"""Reading what a sign is made of: the rows of its views, evaluated, and how fresh they are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from chengmai.kernel.work import Tx, Work
from chengmai.ngsild.entity import value_of
from chengmai.ngsild.model import Model
from chengmai.vitals.instants import instants_of, some_of
from chengmai.vitals.model import Sign, Source
from chengmai.vitals.ports import (
    Analysis,
    Instants,
    KeptReadings,
    ReadingColumns,
    Readings,
    ViewRows,
    Wanted,
)

_MANY = 100_000
_TICKS, _SPARE = 4, timedelta(hours=2)
"""Buckets that a pass looks at: the running one, two before it and a spare one; two hours at least."""


@dataclass(frozen=True)
class Observed:
    """What a sign's query gave, by area: its ticks in order, and the newest reading behind them."""

    ticks: Mapping[str, Sequence[tuple[int, float]]]
    newest_us: Mapping[str, int]
    areas: frozenset[str]
    """The areas of the entities read, silent ones too."""

    def newest_of(self, area: str) -> int | None:
        """Return the newest reading of an area (of all, when the query made the area up), or None."""
        if area in self.areas:
            return self.newest_us.get(area)
        return max(self.newest_us.values(), default=None)


_Constants: TypeAlias = Mapping[tuple[str, bool], Mapping[str, float | str]]
"""What is fixed of each entity, by attribute and whether it is a text."""


@dataclass(frozen=True, eq=False)
class _Kept:
    """The readings of a type as they were shown last, made wide."""

    readings: KeptReadings
    rows: Instants
    constants: _Constants


@dataclass(frozen=True, eq=False)
class _Read:
    """A view of a sign, the areas its readings may come from, and what tells whether it is still the same."""

    view: ViewRows
    areas: frozenset[str]
    mark: object


class SignReader:
    """Reads the views of a sign in one snapshot and runs its query in a worker thread.

    The readings of a type are read for all signs together and kept; a sign whose part of them is as it was is
    not evaluated again.
    """

    def __init__(
        self,
        work: Work[Tx],
        model: Model,
        readings: Readings,
        analysis: Analysis,
        zone: ZoneInfo,
        signs: Sequence[Sign] = (),
    ) -> None:
        self._work, self._model = work, model
        self._readings, self._analysis, self._zone = readings, analysis, zone
        self._wanted = wanted_of(signs)
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._last: dict[tuple[str, str], tuple[object, Observed]] = {}

    async def observe(
        self, tenant: str, sign: Sign, *, start_us: int, end_us: int, read_from_us: int
    ) -> Observed:
        """Return the ticks in [start, end); readings are read from `read_from_us` on."""
        read = await self._work.read(
            lambda tx: [
                self._read(tx, tenant, source, read_from_us, end_us) for source in sign.sources
            ]
        )
        mark = (start_us, *(one.mark for one in read))
        last = self._last.get((tenant, sign.key))
        if last is not None and last[0] == mark:
            # The same readings give the same ticks, and most passes find nothing new.
            return last[1]
        views = [one.view for one in read]
        found = await asyncio.to_thread(
            self._analysis.evaluate,
            sign.checked,
            views,
            start_us=start_us,
            end_us=end_us,
            step=sign.spec.step,
            zone=self._zone,
            tables=sign.tables,
        )
        ticks: dict[str, list[tuple[int, float]]] = {}
        for area, tick_us, value in found:
            ticks.setdefault(area, []).append((tick_us, value))
        areas = frozenset(area for one in read for area in one.areas)
        observed = Observed(ticks, _newest(views), areas)
        self._last[tenant, sign.key] = (mark, observed)
        return observed

    async def views(self, tenant: str, sign: Sign, start_us: int, end_us: int) -> list[ViewRows]:
        """Return the rows of each view that a sign reads, with readings in [start, end)."""
        read = await self._work.read(
            lambda tx: [
                self._read_long(tx, tenant, source, start_us, end_us) for source in sign.sources
            ]
        )
        return [one.view for one in read]

    async def places(self, tenant: str, sign: Sign) -> dict[str, dict[str, object]]:
        """Return the middle of the entities of each area, as GeoJSON points."""

        def read(tx: Tx) -> dict[str, list[tuple[float, float]]]:
            points: dict[str, list[tuple[float, float]]] = {}
            for source in sign.sources:
                for found in self._model.find(tx, tenant, source.entity_type, limit=_MANY):
                    place, area = value_of(found, "location"), value_of(found, source.area_from)
                    if isinstance(place, dict) and place.get("type") == "Point" and area:
                        points.setdefault(str(area), []).append(tuple(place["coordinates"][:2]))
            return points

        return {
            area: {
                "type": "Point",
                "coordinates": [round(float(c), 6) for c in np.mean(points, axis=0)],
            }
            for area, points in (await self._work.read(read)).items()
        }

    def _read(self, tx: Tx, tenant: str, source: Source, start_us: int, end_us: int) -> _Read:
        wanted, depth_us = self._wanted[source.entity_type, source.area_from]
        if end_us - start_us > depth_us:
            return self._read_long(tx, tenant, source, start_us, end_us)
        kept = self._latest(tx, tenant, wanted, end_us - depth_us)
        at_us = kept.rows.at_us
        begin, end = np.searchsorted(at_us, (start_us, end_us), side="left").tolist()
        rows = some_of(kept.rows, source.columns, begin, end)
        readings = kept.readings
        places = [wanted.attributes.index(iri) for iri in source.columns.values()]
        own = np.unique(readings.series_entity[np.isin(readings.series_attribute, places)])
        return _Read(
            _view(source, rows, kept.constants),
            frozenset(readings.areas[entity] for entity in own.tolist()),
            (readings.version, readings.about, begin, end),
        )

    def _latest(self, tx: Tx, tenant: str, wanted: Wanted, start_us: int) -> _Kept:
        readings = self._readings.latest(tx, tenant, wanted, start_us)
        key = (tenant, wanted.entity_type + wanted.area)
        before = self._kept.get(key)
        if before is not None and before.readings is readings:
            return before
        is_same = before is not None and before.readings.about == readings.about
        kept = _Kept(
            readings,
            instants_of(readings),
            before.constants
            if before is not None and is_same
            else self._constants(tx, tenant, wanted),
        )
        self._kept[key] = kept
        return kept

    def _read_long(self, tx: Tx, tenant: str, source: Source, start_us: int, end_us: int) -> _Read:
        """Read a stretch that is longer than what is kept: the past, or what was missed for days."""
        attributes = list(source.columns.values())
        found: ReadingColumns = self._readings.columns(
            tx, tenant, source.entity_type, attributes, source.area_from, start_us, end_us
        )
        whole = instants_of(found)
        fixed = tuple(source.constants.values())
        wanted = Wanted(source.entity_type, (), fixed, source.area_from)
        constants = self._constants(tx, tenant, wanted)
        return _Read(
            _view(source, some_of(whole, source.columns, 0, len(whole.at_us)), constants),
            frozenset(found.areas),
            object(),
        )

    def _constants(self, tx: Tx, tenant: str, wanted: Wanted) -> _Constants:
        found: dict[tuple[str, bool], dict[str, float | str]] = {
            (iri, is_text): {} for iri in wanted.fixed for is_text in (False, True)
        }
        if not found:
            return found
        for item in self._model.find(tx, tenant, wanted.entity_type, limit=_MANY):
            for iri in wanted.fixed:
                value = value_of(item, iri)
                if isinstance(value, str):
                    found[iri, True][item["id"]] = value
                elif isinstance(value, int | float) and not isinstance(value, bool):
                    found[iri, False][item["id"]] = float(value)
        return found


def _view(source: Source, rows: Instants, constants: _Constants) -> ViewRows:
    fixed = {
        column: constants[iri, column in source.texts] for column, iri in source.constants.items()
    }
    return ViewRows(source.view, rows, fixed, source.texts)


def wanted_of(signs: Sequence[Sign]) -> dict[tuple[str, str], tuple[Wanted, int]]:
    """Return what signs read together of each type and area attribute, and how far back in µs."""
    sources = [(sign.spec, source) for sign in signs for source in sign.sources]
    wanted = {}
    for key in {(source.entity_type, source.area_from) for _, source in sources}:
        of = [
            (spec, source)
            for spec, source in sources
            if key == (source.entity_type, source.area_from)
        ]
        moving = {iri for _, source in of for iri in source.columns.values()}
        fixed = {iri for _, source in of for iri in source.constants.values()}
        depth = max(
            max(spec.lookback + max(_TICKS * spec.step, _SPARE), spec.stale_after + _SPARE)
            for spec, _ in of
        )
        one = Wanted(key[0], tuple(sorted(moving)), tuple(sorted(fixed)), key[1])
        wanted[key] = (one, depth // timedelta(microseconds=1))
    return wanted


def _newest(views: Sequence[ViewRows]) -> dict[str, int]:
    newest: dict[str, int] = {}
    for view in views:
        rows = view.rows
        last = np.full(len(rows.entities), -1, dtype=np.int64)
        # In order of time, so that the last of several stands.
        last[rows.entity] = rows.at_us
        for place in np.flatnonzero(last >= 0).tolist():
            area, at_us = rows.areas[place], int(last[place])
            newest[area] = max(newest.get(area, at_us), at_us)
    return newest
